"""The tools of the commons, one a phase, and the actions that their calls mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.errors import ActionError, did_you_mean
from ludarium.envs.econ.commons.config import CANDIDATES, SCORE_LEVELS
from ludarium.envs.econ.commons.dynamics import GOVERN, HARVEST, PLEDGE, PUNISH, TALK, VOTE
from ludarium.envs.econ.commons.language import TOOLS
from ludarium.envs.econ.commons.speech import EXAMPLE, ballots, form_of, saying

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.simulator import Commons

__all__ = ["tool_action", "tools"]


def _integer(low: int, high: int, null: bool = False) -> dict[str, Any]:
    return {"type": ["integer", "null"] if null else "integer", "minimum": low, "maximum": high}


def tools(simulator: Commons, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...]:
    """The seat's tool of this phase, with its JSON Schema."""
    c, phase = simulator.config, int(state.phase[row])
    if seat >= c.num_harvesters:
        phase = GOVERN
    elif phase == GOVERN:
        phase = HARVEST  # nobody else is asked then
    about, properties = {
        GOVERN: (
            "set the rules; null: as before (quota -1: none; fee and fine in units of money; audit a chance)",
            {
                "quota": _integer(-1, c.cap, True), "fee": {"enum": [None, *(k / 10 for k in range(10))]},
                "fine": _integer(0, 9, True), "audit": {"enum": [None, *(k / 10 for k in range(11))]},
            },
        ),
        PLEDGE: ("say how much you will take at most; null: nothing is said", {"amount": _integer(0, c.cap, True)}),
        HARVEST: ("take so many units", {"amount": _integer(0, c.cap)}),
        TALK: (
            f"speak to all, with at most one of {EXAMPLE}; an empty message is silence",
            {"message": {"type": "string", "maxLength": c.words or 40}},
        ),
        VOTE: (_how_to_vote(simulator), {"ballot": {"type": "array", "items": _integer(0, CANDIDATES - 1)}}),
        PUNISH: (
            "punish another harvester; null: nobody",
            {"whom": {"enum": [None, *(f"harvester_{j}" for j in range(c.num_harvesters) if j != seat)]}},
        ),
    }[phase]  # fmt: skip
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return ({"name": TOOLS[phase], "description": about, "parameters": schema},)


def _how_to_vote(simulator: Commons) -> str:
    means = {
        "approval": "the candidates you approve of", "score": f"a score from 0 to {SCORE_LEVELS - 1} for each candidate",
        "plurality": "one candidate", "random_dictator": "one candidate",
    }.get(simulator.config.voting, "all candidates, best first")  # fmt: skip
    return f"{means}; an empty list abstains"


def _number(given: Any, what: str, high: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= high:
        raise ActionError(f"{what} = {given!r:.80}; expected a whole number from 0 to {high}")
    return given


def tool_action(simulator: Commons, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
    """The action that a call means; `ActionError` says which part of it is wrong."""
    (tool,) = tools(simulator, state, row, seat)
    if name != tool["name"]:
        raise ActionError(f"no tool {name!r:.80} now; there is {tool['name']!r}")
    wanted = tool["parameters"]["required"]
    if set(arguments) != set(wanted):
        raise ActionError(f"{name} takes {', '.join(wanted)}; got {', '.join(map(str, arguments))[:200] or 'nothing'}")
    if name == "govern":
        return _govern(simulator, arguments)
    if name == "say":
        return saying(simulator, arguments["message"])
    given, cap = arguments[wanted[0]], simulator.config.cap
    if name == "vote":
        return form_of(simulator, _ballot(simulator, given))
    if name == "punish":
        return form_of(simulator, _target(simulator, given))
    if name == "pledge" and given is None:
        return form_of(simulator, cap + 1)
    return form_of(simulator, _number(given, "amount", cap))


def _target(simulator: Commons, given: Any) -> int:
    names = simulator.seats[: simulator.config.num_harvesters]
    if given is None:
        return 0
    if given not in names:
        raise ActionError(f"whom = {given!r:.80}{did_you_mean(str(given), names)}")
    return 1 + names.index(given)


def _ballot(simulator: Commons, given: Any) -> int:
    c = simulator.config
    if not isinstance(given, list) or not all(isinstance(x, int) and not isinstance(x, bool) for x in given):
        raise ActionError(f"ballot: a list of integers expected; got {given!r:.200}")
    if c.voting == "score":
        given = given or [0] * CANDIDATES
    for code, _, known in ballots(simulator):
        if known["ballot"] == (sorted(given) if c.voting == "approval" else given):
            return code
    raise ActionError(
        f"ballot = {given!r:.200}; expected {_how_to_vote(simulator)}; candidates are 0 to {CANDIDATES - 1}"
    )


def _govern(simulator: Commons, given: dict[str, Any]) -> list[int]:
    """Steps of each rule: 0 as before."""
    found = [0, 0, 0, 0]
    if given["quota"] is not None:
        found[0] = 1 if given["quota"] == -1 else 2 + _number(given["quota"], "quota", simulator.config.cap)
    for place, name in ((1, "fee"), (3, "audit")):
        value = given[name]
        if value is None:
            continue
        top = 9 if name == "fee" else 10
        steps = (
            round(value * 10)
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1
            else -1
        )
        if not 0 <= steps <= top or abs(value * 10 - steps) > 1e-6:
            hint = f"; {value!r:.20} looks like a percentage" if isinstance(value, int) and value > 1 else ""
            raise ActionError(f"{name} = {value!r:.80}; expected a number from 0 to {top / 10:g} in steps of 0.1{hint}")
        found[place] = 1 + steps
    if given["fine"] is not None:
        found[2] = 1 + _number(given["fine"], "fine", 9)
    return found
