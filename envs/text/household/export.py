"""A house as a game for TextWorld's PDDL engine: our own domain and grammar, in the names of the field.

`to_textworld` writes `game.tw-pddl`, `initial_state.pddl` and `traj_data.json`, which ALFWorld's loader takes. Ids are
made so that its demangler gives back the names of the house: `cabinet_bar_002` sorts before `cabinet_bar_003`, and the
highest number goes to the first; an id of a basin has the word twice.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import ConfigError, InstanceError, NotClaimedError
from ludarium.envs.text.household.config import DIALECTS
from ludarium.envs.text.household.instance import FLAGS, Goal, House, numbered
from ludarium.envs.text.household.proof import prove

__all__ = ["domain", "game", "grammar", "problem", "to_textworld"]

TASK_TYPES = {
    "pick": "pick_and_place_simple",
    "look": "look_at_obj_in_light",
    "clean": "pick_clean_then_place_in_recep",
    "heat": "pick_heat_then_place_in_recep",
    "cool": "pick_cool_then_place_in_recep",
    "pick_two": "pick_two_obj_and_place",
}
"""ALFWorld's names of our task types."""
_ABLE = ("pickupable", "heatable", "coolable", "cleanable", "sliceable", "toggleable")


def to_textworld(house: House, folder: str | Path, *, dialect: str = "0.4", plan: list[str] | None = None) -> Path:
    """Write the house into `folder` as a game of ALFWorld's layout; return the path of `game.tw-pddl`.

    `plan` is a list of commands that solve it (`walkthrough`), by default a shortest one; a house that has
    none is written as one that is not `solvable`, which loaders pass over.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    made = game(house, dialect, plan)
    (folder / "initial_state.pddl").write_text(made["pddl_problem"], encoding="utf-8")
    traj = {
        "task_id": house.name or house.hash[:12],
        "task_type": TASK_TYPES.get(house.task, house.task),
        "pddl_params": _params(house),
        "scene": {"floor_plan": house.room, "object_toggles": [], "object_poses": []},
        "turk_annotations": {"anns": [{"task_desc": house.sentence, "high_descs": [], "votes": []}]},
    }
    (folder / "traj_data.json").write_text(json.dumps(traj, indent=1), encoding="utf-8")
    path = folder / "game.tw-pddl"
    path.write_text(json.dumps(made), encoding="utf-8")
    return path


def game(house: House, dialect: str = "0.4", plan: list[str] | None = None) -> dict[str, Any]:
    """What a `.tw-pddl` file holds; `InstanceError` for a house whose names would not come back."""
    if dialect not in DIALECTS:
        raise ConfigError(f"dialect = {dialect!r}; expected one of {', '.join(DIALECTS)}")
    solvable = True
    if plan is None:
        try:
            plan = list(prove(house, dialect))
        except NotClaimedError:
            plan = None
        except InstanceError:
            solvable = False
    return {
        "pddl_domain": domain(dialect),
        "grammar": grammar(house.sentence, dialect),
        "pddl_problem": problem(house),
        "solvable": solvable,
        "walkthrough": plan,
    }


def _params(house: House) -> dict[str, Any]:
    from ludarium.envs.text.household.instance import goal_classes

    objects, receptacles = goal_classes(house.goal)
    lamps = [kind for kind in objects if kind.endswith("Lamp")]
    others = [kind for kind in objects if kind not in lamps]
    return {
        "object_target": (others or [""])[0],
        "parent_target": (receptacles or [""])[0],
        "mrecep_target": "",
        "toggle_target": (lamps or [""])[0],
        "object_sliced": False,
    }


# --- the problem -----------------------------------------------------------------------------------------------------
def _ids(house: House) -> tuple[list[str], list[str]]:
    """Raw ids of receptacles and objects, in listing order."""
    kinds = [place.kind for place in house.receptacles], [item.kind for item in house.objects]
    numbers = [place.number for place in house.receptacles], [item.number for item in house.objects]
    for names, given in zip(kinds, numbers, strict=True):
        if numbered(names) != list(zip(names, given, strict=True)):
            raise InstanceError("a game's names run from the highest number down within each class, classes sorted")
    if {kind.lower() for kind in kinds[0]} & {kind.lower() for kind in kinds[1]}:
        raise InstanceError("a class is either of receptacles or of objects; this house has one that is both")
    return [_id(kind, n) for n, kind in enumerate(kinds[0])], [_id(kind, n) for n, kind in enumerate(kinds[1])]


def _id(kind: str, place: int) -> str:
    if kind.lower().endswith("basin"):
        return f"{kind[: -len('basin')]}_bar_{place:03d}_bar_{kind}"
    return f"{kind}_bar_{place:03d}"


def problem(house: House) -> str:
    """The house and its goal as a PDDL problem of `domain`."""
    receptacles, objects = _ids(house)
    places = [f"loc_bar_{n:03d}" for n in range(house.locations)]
    agents = [f"agent{n + 1}" for n in range(house.agents)]
    things = {"receptacle": receptacles, "object": objects, "location": places, "agent": agents}
    rtypes = sorted({place.kind for place in house.receptacles} | {r for r, _ in house.can_contain} | _named(house, 1))
    otypes = sorted({item.kind for item in house.objects} | {o for _, o in house.can_contain} | _named(house, 0))
    otypes = list(dict.fromkeys([*otypes, "ButterKnife", "Knife"]))
    rtypes = list(dict.fromkeys([*rtypes, "Fridge", "Microwave", "SinkBasin"]))
    lines = [f"(define (problem {_word(house.name) or 'house'})", "(:domain alfred)", "(:objects"]
    for kind, names in (
        *things.items(), ("otype", [f"{k}Type" for k in otypes]), ("rtype", [f"{k}Type" for k in rtypes])
    ):  # fmt: skip
        lines += [f"  {name} - {kind}" for name in names]
    lines += [")", "(:init", *(f"  ({fact})" for fact in _facts(house, things)), ")"]
    return "\n".join([*lines, f"(:goal {_goal(house.goal, things)})", ")", ""])


def _word(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text)


def _named(house: House, which: int) -> set[str]:
    from ludarium.envs.text.household.instance import goal_classes

    return set(goal_classes(house.goal)[which])


def _facts(house: House, things: dict[str, list[str]]) -> list[str]:
    receptacles, objects, places = things["receptacle"], things["object"], things["location"]
    facts = [f"atLocation {agent} {places[house.start]}" for agent in things["agent"]]
    for r, place in enumerate(house.receptacles):
        facts.append(f"receptacleType {receptacles[r]} {place.kind}Type")
        facts.append(f"receptacleAtLocation {receptacles[r]} {places[place.location]}")
        facts += [f"openable {receptacles[r]}"] * place.openable + [f"opened {receptacles[r]}"] * place.open
    for o, item in enumerate(house.objects):
        facts.append(f"objectType {objects[o]} {item.kind}Type")
        facts += [f"{name} {objects[o]}" for name in _ABLE if name in item.can]
        facts += [f"isReceptacleObject {objects[o]}"] * ("receptacle" in item.can)
        facts += [f"is{flag.capitalize()} {objects[o]}" for flag in FLAGS if flag in item.state]
        facts += [f"inReceptacle {objects[o]} {receptacles[r]}" for r in item.places]
        facts += [f"objectAtLocation {objects[o]} {places[n]}" for n in house.at(o)]
        facts += [f"inReceptacleObject {objects[o]} {objects[n]}" for n in item.inside]
    facts += [f"canContain {r}Type {o}Type" for r, o in house.can_contain]
    for agent, o in zip(things["agent"], house.held or (-1,) * house.agents, strict=True):
        if o >= 0:
            facts += [f"holds {agent} {objects[o]}", f"holdsAny {agent}"]
    return facts


def _goal(goal: Goal, things: dict[str, list[str]]) -> str:
    head = goal[0]
    if head in ("exists", "forall"):
        variables = " ".join(f"{name} - {kind}" for name, kind in goal[1])
        return f"({head} ({variables}) {_goal(goal[2], things)})"
    if head in ("and", "or", "not"):
        return f"({' '.join([head, *(_goal(part, things) for part in goal[1:])])})"
    words = [head]
    for n, argument in enumerate(goal[1:]):
        kind, _, number = argument.partition(":")
        if head == "canContain" or (n == 1 and head in ("objectType", "receptacleType")):
            words.append(f"{argument}Type")
        else:
            words.append(things[kind][int(number)] if number else argument)
    return f"({' '.join(words)})"


# --- the domain ------------------------------------------------------------------------------------------------------
_HERE = "(atLocation ?a ?l) (receptacleAtLocation ?r ?l)"
_REACH = "(or (not (openable ?r)) (opened ?r))"
_ACTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("look", "?a - agent ?l - location", "(atLocation ?a ?l)", "(checked ?l)"),
    ("inventory", "?a - agent", "", "(checked ?a)"),
    ("help", "?a - agent", "", "(checked ?a)"),
    (
        "examineReceptacle", "?a - agent ?r - receptacle",
        f"(exists (?l - location) (and {_HERE}))", "(checked ?r)",
    ),
    ("examineObject", "?a - agent ?o - object", "(holds ?a ?o)", "(checked ?o)"),
    (
        "GotoLocation", "?a - agent ?lStart - location ?lEnd - location ?r - receptacle",
        "(atLocation ?a ?lStart) (receptacleAtLocation ?r ?lEnd)", "(not (atLocation ?a ?lStart)) (atLocation ?a ?lEnd)",
    ),
    (
        "OpenObject", "?a - agent ?l - location ?r - receptacle",
        f"{_HERE} (openable ?r) (not (opened ?r))", "(opened ?r)",
    ),
    ("CloseObject", "?a - agent ?l - location ?r - receptacle", f"{_HERE} (openable ?r) (opened ?r)", "(not (opened ?r))"),
    (
        "PickupObject", "?a - agent ?l - location ?o - object ?r - receptacle",
        f"{_HERE} (pickupable ?o) (inReceptacle ?o ?r) (not (holdsAny ?a)) {_REACH}",
        "(not (inReceptacle ?o ?r)) (not (objectAtLocation ?o ?l)) (holds ?a ?o) (holdsAny ?a)",
    ),
    (
        "PutObject", "?a - agent ?l - location ?o - object ?r - receptacle ?ot - otype ?rt - rtype",
        f"{_HERE} (holds ?a ?o) {_REACH} (objectType ?o ?ot) (receptacleType ?r ?rt) (canContain ?rt ?ot)",
        "(inReceptacle ?o ?r) (objectAtLocation ?o ?l) (not (holds ?a ?o)) (not (holdsAny ?a))",
    ),
    (
        "CleanObject", "?a - agent ?l - location ?r - receptacle ?o - object",
        f"{_HERE} (holds ?a ?o) (cleanable ?o) (receptacleType ?r SinkBasinType)", "(isClean ?o)",
    ),
    (
        "HeatObject", "?a - agent ?l - location ?r - receptacle ?o - object",
        f"{_HERE} (holds ?a ?o) (heatable ?o) (receptacleType ?r MicrowaveType)", "(isHot ?o) (not (isCool ?o))",
    ),
    (
        "CoolObject", "?a - agent ?l - location ?r - receptacle ?o - object",
        f"{_HERE} (holds ?a ?o) (coolable ?o) (receptacleType ?r FridgeType)", "(isCool ?o) (not (isHot ?o))",
    ),
    (
        "ToggleObject", "?a - agent ?l - location ?o - object ?r - receptacle",
        f"{_HERE} (toggleable ?o) (inReceptacle ?o ?r)", "(isToggled ?o)",
    ),
    (
        "SliceObject", "?a - agent ?l - location ?co - object ?ko - object",
        "(atLocation ?a ?l) (objectAtLocation ?co ?l) (sliceable ?co) (holds ?a ?ko) "
        "(or (objectType ?ko KnifeType) (objectType ?ko ButterKnifeType))",
        "(isSliced ?co)",
    ),
)  # fmt: skip
"""Name, parameters, what must hold, what comes of it."""
_PREDICATES = (
    "atLocation ?a - agent ?l - location", "receptacleAtLocation ?r - receptacle ?l - location",
    "objectAtLocation ?o - object ?l - location", "openable ?r - receptacle", "opened ?r - receptacle",
    "inReceptacle ?o - object ?r - receptacle", "isReceptacleObject ?o - object",
    "inReceptacleObject ?inner - object ?outer - object", "checked ?x", "receptacleType ?r - receptacle ?t - rtype",
    "objectType ?o - object ?t - otype", "canContain ?rt - rtype ?ot - otype", "holds ?a - agent ?o - object",
    "holdsAny ?a - agent", *(f"{name} ?o - object" for name in _ABLE), *(f"is{flag.capitalize()} ?o - object" for flag in FLAGS),
)  # fmt: skip


def domain(dialect: str = "0.4") -> str:
    """The rules as a PDDL domain: dialect 0.3 knows no `help`."""
    lines = [
        "(define (domain alfred)",
        "(:requirements :adl :typing)",
        "(:types agent location receptacle object rtype otype)",
    ]
    lines += ["(:predicates", *(f"  ({predicate})" for predicate in _PREDICATES), ")"]
    for name, parameters, condition, effect in _ACTIONS:
        if name == "help" and dialect == "0.3":
            continue
        needs = f"(and {condition})" if condition else "()"
        lines += [
            f"(:action {name}", f"  :parameters ({parameters})", f"  :precondition {needs}", f"  :effect (and {effect})", ")"
        ]  # fmt: skip
    return "\n".join([*lines, ")", ""])


# --- the grammar -----------------------------------------------------------------------------------------------------
_IN = "inreceptacle(o:object, r:receptacle)"
_THINGS = "[{o.indefinite + ' ' + o.name | %s}]"
_FACING = "atlocation(a:agent, l:location) & receptacleatlocation(r:receptacle, l:location)"
_FLOOR = (
    "atlocation(a:agent, l:location) & objectatlocation(o:object, l:location) & "
    "receptacleatlocation(r:receptacle, l:location) & not_inreceptacle(o:object, r:receptacle)"
)
_STATES = (
    ("isclean & ishot & issliced", "hot and clean sliced"), ("isclean & iscool & issliced", "cool and clean sliced"),
    ("isclean & issliced", "clean sliced"), ("ishot & issliced", "hot sliced"), ("iscool & issliced", "cool sliced"),
    ("isclean & ishot", "hot and clean"), ("isclean & iscool", "cool and clean"), ("ishot", "hot"), ("isclean", "clean"),
    ("iscool", "cold"),
)  # fmt: skip


def _rules(sentence: str, dialect: str) -> dict[str, list[dict[str, str]]]:
    arrive = "{lend.name}" if dialect == "0.3" else "{r.name}"
    put = "put the {o.name} in/on the {r.name}" if dialect == "0.3" else "move the {o.name} to the {r.name}"

    def rule(*choices: tuple[str, str]) -> list[dict[str, str]]:
        return [{"condition": condition, "rhs": text} if condition else {"rhs": text} for condition, text in choices]

    states = [
        (" & ".join(f"{name}(o:object)" for name in names.split(" & ")), f"This is a {text} {{o.name}}.")
        for names, text in _STATES
    ]
    from ludarium.envs.text.household.language import HELP

    return {
        "intro": rule(("", "-= Welcome to TextWorld, ALFRED! =-\n\n#around#\n\n#task#")),
        "task": rule(("", f"Your task is to: {sentence}.")),
        "around": rule(
            (_FACING, f"You are facing the [{{r.name | {_FACING}}}]. Next to it, you see #floor#."),
            ("", "You are in the middle of a room. Looking quickly around you, you see #places#."),
        ),
        "floor": rule((_FLOOR, _THINGS % _FLOOR), ("", "nothing")),
        "places": rule(
            (
                "receptacleatlocation(r:receptacle, l:location)",
                "[{r.indefinite + ' ' + r.name | receptacleatlocation(r:receptacle, l:location)}]",
            ),
            ("", "nothing"),
        ),
        "inside": rule(
            (
                "openable(r:receptacle) & opened(r:receptacle)",
                f"The {{r.name}} is open. In it, you see {_THINGS % _IN}.",
            ),
            ("openable(r:receptacle)", "The {r.name} is closed."),
            ("", f"On the {{r.name}}, you see {_THINGS % _IN}."),
        ),
        "arrived": rule(("", f"You arrive at {arrive}. #inside#")),
        "opened": rule(("", "You open the {r.name}. #inside#")),
        "closed": rule(("", "You close the {r.name}.")),
        "taken": rule(("", "You pick up the {o.name} from the {r.name}.")),
        "placed": rule(("", f"You {put}.")),
        "heated": rule(("", "You heat the {o.name} using the {r.name}.")),
        "cooled": rule(("", "You cool the {o.name} using the {r.name}.")),
        "cleaned": rule(("", "You clean the {o.name} using the {r.name}.")),
        "used": rule(("", "You turn on the {o.name}.")),
        "cut": rule(("", "You sliced the {co.name} with the {ko.name}.")),
        "carried": rule(
            ("holdsany(a:agent)", f"You are carrying: {_THINGS % 'holds(a:agent, o:object)'}."),
            ("", "You are not carrying anything."),
        ),
        "examined": rule(
            (
                "isreceptacleobject(o:object)",
                "This is a normal {o.name}. In it, you see "
                "[{o2.indefinite + ' ' + o2.name | inreceptacleobject(o2:object, o:object)}].",
            ),
            *states,
            ("toggleable(o:object) & istoggled(o:object)", "This {o.name} is on."),
            ("sliceable(o:object) & issliced(o:object)", "This is a sliced {o.name}."),
            ("", "There's nothing special about {o.name}."),
        ),
        "helped": rule(("", HELP)),
        "list_empty": rule(("", "nothing")),
        "list_separator": rule(("", ", ")),
        "list_last_separator": rule(("", ", and ")),
    }


def grammar(sentence: str, dialect: str = "0.4") -> str:
    """The words of the engine, with the task in them; `sentence` is shown as it is."""
    if any(sign in sentence for sign in '#{}[]|"\\') or "\n" in sentence:
        raise InstanceError(f"a goal sentence is plain words, since grammars are not; got {sentence!r:.120}")
    put = "put {o} in/on {r}" if dialect == "0.3" else "move {o} to {r}"
    actions = {
        "GotoLocation": ("go to [{r.name | receptacleatlocation(r:receptacle, lend:location)}]", "arrived"),
        "OpenObject": ("open {r}", "opened"), "CloseObject": ("close {r}", "closed"),
        "PickupObject": ("take {o} from {r}", "taken"), "PutObject": (put, "placed"),
        "HeatObject": ("heat {o} with {r}", "heated"), "CoolObject": ("cool {o} with {r}", "cooled"),
        "CleanObject": ("clean {o} with {r}", "cleaned"), "ToggleObject": ("use {o}", "used"),
        "SliceObject": ("slice {co} with {ko}", "cut"), "examineReceptacle": ("examine {r}", "inside"),
        "examineObject": ("examine {o}", "examined"), "inventory": ("inventory", "carried"), "look": ("look", "around"),
        "help": ("help", "helped"),
    }  # fmt: skip
    if dialect == "0.3":
        del actions["help"]
    text = json.dumps(_rules(sentence, dialect), indent=1)
    parts = [f'grammar :: """\n{text}\n""";']
    parts += [
        f'action {name} {{\n  template :: "{template}";\n  feedback :: "#{rule}#";\n}}'
        for name, (template, rule) in actions.items()
    ]
    return "\n\n".join(parts) + "\n"
