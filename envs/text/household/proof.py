"""The proof that a house can be solved: a plan, or an error that says what it lacks."""

from __future__ import annotations

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.household.classes import KNIVES, PROCESSES
from ludarium.envs.text.household.instance import FLAGS, House
from ludarium.envs.text.household.needs import Want, needs_of
from ludarium.envs.text.household.plans import Planner, beginning, commands

__all__ = ["lacking", "prove"]

_TOOL = {"hot": PROCESSES["heat"], "cool": PROCESSES["cool"], "clean": PROCESSES["clean"]}


def prove(house: House, dialect: str = "0.4", quirks: bool = True) -> tuple[str, ...]:
    """The commands of a shortest plan of the first agent, alone.

    `InstanceError` says what the house lacks if there is none; `NotClaimedError` if the planner does not know such goals.
    """
    plan = Planner(house, quirks).plan(beginning(house))
    if plan is None:
        raise InstanceError(f"{house.name or 'this house'} cannot be solved ({house.sentence!r}): {lacking(house)}")
    return commands(house, plan, dialect)


def lacking(house: House) -> str:
    """What stands in the way of the goal, the plainest reason first."""
    needs = needs_of(house.goal)
    for group in needs.groups:
        for want in group.wants:
            reason = _lacks_object(house, want, group.wants.count(want)) or _lacks_tool(house, want)
            if reason:
                return reason
        if group.target not in {place.kind.lower() for place in house.receptacles}:
            return f"there is no {group.target}"
        fits = {kind.lower() for place, kind in house.can_contain if place.lower() == group.target}
        misfit = next((want.kind for want in group.wants if want.kind not in fits), None)
        if misfit:
            return f"a {group.target} may not hold a {misfit}"
    for known in (needs.hold, needs.lamp):
        if known and (reason := _lacks_object(house, known, 1)):
            return reason
    return "what the first agent holds can be put nowhere, or another holds what is needed"


def _lacks_object(house: House, want: Want, count: int) -> str:
    there = [thing for thing in house.objects if thing.kind.lower() == want.kind]
    if len(there) < count:
        return f"the goal needs {count} of the class {want.kind}, and there are {len(there)}"
    able = [thing for thing in there if want.able <= set(thing.can)]
    return "" if len(able) >= count else f"no {want.kind} is {' and '.join(sorted(want.able))}"


def _lacks_tool(house: House, want: Want) -> str:
    there = [thing for thing in house.objects if thing.kind.lower() == want.kind]
    kinds = {place.kind.lower() for place in house.receptacles}
    knives = {kind.lower() for kind in KNIVES} & {thing.kind.lower() for thing in house.objects}
    for n, state in enumerate(FLAGS):
        if not want.states >> n & 1 or any(state in thing.state for thing in there):
            continue
        if state in _TOOL and _TOOL[state].lower() not in kinds:
            return f"there is no {_TOOL[state].lower()}, and nothing is {state} without one"
        if state == "sliced" and not knives:
            return "there is no knife, and nothing is sliced without one"
    return ""
