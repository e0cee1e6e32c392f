"""Tasks from a seed: wishes are drawn for a customer, the gold plan is played, and what is not unambiguous is rejected."""

from __future__ import annotations

import copy
import json
from typing import Any

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.desk.domain import Chance, Desk, Domain, Draft, base_of, device_of
from ludarium.envs.text.desk.goal import goal_of, reached
from ludarium.envs.text.desk.names import PERSONAS, SPLITS
from ludarium.envs.text.desk.policy import Session, Situation, broken
from ludarium.envs.text.desk.tables import Base, Tables
from ludarium.envs.text.desk.tools import ToolError, checked

__all__ = ["desk_on", "draw_task", "fresh_desk", "mutations", "refusal", "run_plan", "shape", "writes_of"]

STREAM_TASK = 1
_TRIES = 400
_EMPTY: dict[str, list[Any]] = {"changed": [], "added": [], "removed": []}


def fresh_desk(domain: Domain, database: int, customers: int, task: dict[str, Any] | None = None) -> Desk:
    """A desk as an episode of this task begins."""
    bases = base_of(domain.name, database, customers), device_of(domain.name, database, customers)
    return desk_on(domain, *bases, task)


def desk_on(domain: Domain, base: Base, device: Base, task: dict[str, Any] | None = None) -> Desk:
    """A desk on these databases, as an episode of this task begins: they are shared, what changes is the desk's own."""
    desk = Desk(Tables(base), Tables(device), Session(), domain.today)
    if task is not None:
        desk.customer = task["customer"]
        for table, key, columns in task["init"]:
            (desk.user_db if table in desk.user_db.base.tables else desk.db).update(table, key, **columns)
    return desk


def writes_of(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of the gold plan that write (or transfer), in order."""
    return [call for wish in task["wishes"] for call in wish["writes"]]


def shape(task: dict[str, Any]) -> tuple[str, ...]:
    """The names of the tools that the gold plan calls, in order, reads included."""
    return tuple(call["name"] for wish in task["wishes"] for call in [*wish["reads"], *wish["writes"]])


def run_plan(domain: Domain, desk: Desk, calls: list[dict[str, Any]]) -> list[str]:
    """Run calls as an agent would who has identified the customer and heard a yes; return the rules that were broken.

    `ToolError` where a call fails.
    """
    desk.session.customer, desk.session.assent, desk.session.proposed = desk.customer, True, True
    found = []
    for call in calls:
        tool = domain.tools_of(call.get("seat", "agent"))[call["name"]]
        arguments = checked(tool, call["arguments"])
        if call.get("seat", "agent") == "agent":
            situation = Situation(desk.db, tool.name, arguments, desk.session, desk.today)
            found += [rule.id for rule in broken(domain.rules, situation)]
        tool.run(desk, arguments)
        if tool.kind == "write":
            desk.session.writes += (tool.name,)
    return found


def mutations(domain: Domain, task: dict[str, Any], desk: Desk) -> list[list[dict[str, Any]]]:
    """The gold plan with one write left out, done twice, or with one argument another of its kind."""
    plan, made = writes_of(task), []
    for n, call in enumerate(plan):
        tool = domain.tools_of(call.get("seat", "agent"))[call["name"]]
        if tool.kind == "read":
            continue
        made.append(plan[:n] + plan[n + 1 :])
        for param in tool.params:
            if param.name not in call["arguments"]:
                continue
            value = call["arguments"][param.name]
            fine = task["any_of"].get(param.name, [])
            for other in _others(domain, desk, task, param, value):
                if other != value and other not in fine:
                    changed = {**call, "arguments": {**call["arguments"], param.name: other}}
                    made.append([*plan[:n], changed, *plan[n + 1 :]])
    return made


def _others(domain: Domain, desk: Desk, task: dict[str, Any], param: Any, value: Any) -> list[Any]:
    if param.choices:
        return list(param.choices)
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1]
    if isinstance(value, list):
        pool = [domain.candidates(desk.db, task["customer"], param.refers, part)[:3] for part in value]
        swapped = [[*value[:n], o, *value[n + 1 :]] for n, others in enumerate(pool) for o in others]
        return swapped + [value[:n] + value[n + 1 :] for n in range(len(value))]
    return domain.candidates(desk.db, task["customer"], param.refers, value)[:6]


def refusal(domain: Domain, task: dict[str, Any], database: int, customers: int) -> str:
    """Why a task is rejected; empty if it is accepted.

    The gold plan runs, breaks no rule and reaches the goal; doing nothing does not; no mutation of it does; each denied
    wish could be done, and would break a rule.
    """
    begin = fresh_desk(domain, database, customers, task)
    desk = begin.copy()
    for wish in task["wishes"]:
        if wish["verdict"] == "deny":
            trial = desk.copy()
            try:
                if wish["rule"] not in run_plan(domain, trial, wish["blind"]):
                    return f"{wish['kind']}: the denied calls do not break {wish['rule']}"
            except ToolError as error:
                return f"{wish['kind']}: the denied calls fail: {error}"
        try:
            rules = run_plan(domain, desk, wish["reads"] + wish["writes"])
        except ToolError as error:
            return f"the gold plan fails: {error}"
        if rules:
            return f"the gold plan breaks {rules[0]}"
    if not _fits(task, begin, desk):
        return "the gold plan does not reach the goal"
    if not writes_of(task):
        return "" if task["tell"] else "there is nothing to do"
    transfer = {"name": "transfer_to_human"}
    for plan in [[], *mutations(domain, task, begin)]:
        desk = begin.copy()
        try:
            run_plan(domain, desk, plan)
        except ToolError:
            continue
        moved = any(call["name"] == transfer["name"] for call in plan)
        if moved == task["transfer"] and _fits(task, begin, desk) and not (task["tell"] and not plan):
            return "a mutation of the gold plan reaches the goal"
    return ""


def _fits(task: dict[str, Any], begin: Desk, desk: Desk) -> bool:
    return reached(begin.db, desk.db, task["goal"]) and reached(begin.user_db, desk.user_db, task["user_goal"])


def draw_task(
    domain: Domain, seed: int, database: int, customers: int, persona: str, split: str, wishes: int
) -> dict[str, Any]:
    """The task of a seed: the first draft that is accepted. `InstanceError` if none of many is."""
    reasons: dict[str, int] = {}
    for number in range(_TRIES):
        chance = Chance(seed, STREAM_TASK, number)
        task = _draft(domain, chance, database, customers, persona, split, wishes)
        why = "no wishes fit" if task is None else refusal(domain, task, database, customers)
        if task is not None and not why:
            task["id"] = f"{domain.name}-{seed}"
            found: dict[str, Any] = json.loads(json.dumps(task))
            return found
        reasons[why] = reasons.get(why, 0) + 1
    raise InstanceError(f"seed {seed} of {domain.name}: no task in {_TRIES} drafts: {reasons}")


def _draft(
    domain: Domain, chance: Chance, database: int, customers: int, persona: str, split: str, most: int
) -> dict[str, Any] | None:
    desk = fresh_desk(domain, database, customers)
    ids = list(desk.db.base.tables[domain.customers])
    if split in SPLITS:
        ids = ids[SPLITS.index(split) :: len(SPLITS)]
    customer = chance.pick(ids)
    desk.customer = customer
    draft = Draft(desk, customer, chance)
    wanted = 1 + chance.below(most)
    verdicts = (["deny"] if chance.below(100) < 80 else []) + ["allow"] * wanted
    wishes: list[dict[str, Any]] = []
    for verdict in verdicts:
        wish = _wish(domain, draft, verdict, [w["kind"] for w in wishes])
        if wish is not None:
            wishes.append(wish)
    if chance.below(2):
        wishes.reverse()
    if not any(wish["verdict"] != "deny" for wish in wishes):
        return None
    if len(wishes) < 4 and chance.below(100) < 15:
        last = _wish(domain, draft, "transfer", [])
        wishes += [] if last is None else [last]
    return _assembled(domain, draft, wishes, database, customers, persona)


def _wish(domain: Domain, draft: Draft, verdict: str, kinds: list[str]) -> dict[str, Any] | None:
    """One wish with this verdict; the desk goes on as it leaves it."""
    for _ in range(24):
        kind = draft.chance.pick(list(domain.wishes))
        if kind in kinds:
            continue
        trial, used, init = draft.desk, set(draft.used), list(draft.init)
        draft.desk = trial.copy()
        found = domain.wishes[kind].draw(draft)
        if found is not None and found.get("verdict", "allow") == verdict:
            full = {
                "kind": kind, "slots": {}, "opening": [], "verdict": "allow", "reads": [], "writes": [], "blind": [],
                "tell": [], "rule": "", "any_of": {}, **found,
            }  # fmt: skip
            try:
                run_plan(domain, draft.desk, full["writes"])
                return full
            except ToolError:
                pass
        draft.desk, draft.used, draft.init = trial, used, init
    return None


def _assembled(
    domain: Domain, draft: Draft, wishes: list[dict[str, Any]], database: int, customers: int, persona: str
) -> dict[str, Any] | None:
    chance, row = draft.chance, draft.db.base.tables[domain.customers][draft.customer]  # as before the wishes
    manner = persona if persona != "any" else chance.pick(PERSONAS)
    facts = {
        "name": f"{row['first_name']} {row['last_name']}",
        "email": row["email"],
        "zip": row["zip"],
    }
    unknown = ["email"] if chance.below(3) == 0 else []
    wrong = {}
    if manner == "mistaken":
        digits = facts["zip"]
        wrong["zip"] = digits[:-1] + str((int(digits[-1]) + 1 + chance.below(8)) % 10)
        unknown = ["email"]
    task: dict[str, Any] = {
        "domain": domain.name,
        "customer": draft.customer,
        "persona": manner,
        "facts": {name: value for name, value in facts.items() if name not in unknown},
        "unknown": unknown,
        "wrong": wrong,
        "wishes": wishes,
        "init": draft.init,
        "tell": list(dict.fromkeys(fact for wish in wishes for fact in wish["tell"])),
        "transfer": any(wish["verdict"] == "transfer" for wish in wishes),
        "any_of": {name: list(values) for wish in wishes for name, values in wish["any_of"].items()},
        "goal": copy.deepcopy(_EMPTY),
        "user_goal": copy.deepcopy(_EMPTY),
    }
    begin = fresh_desk(domain, database, customers, task)
    desk = begin.copy()
    try:
        run_plan(domain, desk, writes_of(task))
    except ToolError:
        return None
    groups = {name: [values] for name, values in task["any_of"].items()}
    task["goal"] = goal_of(begin.db, desk.db, groups)
    task["user_goal"] = goal_of(begin.user_db, desk.user_db)
    return task
