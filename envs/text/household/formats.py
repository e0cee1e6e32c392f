"""Games of a user's ALFWorld folder as houses.

A folder has `<split>/<task>/<trial>/{game.tw-pddl, initial_state.pddl, traj_data.json}`. A game file is data: it is read as
JSON and PDDL, limited in size, and nothing in it is run. Names and numbers are found as ALFWorld's demangler finds them;
the goal is whatever tree the problem has. The rules are ours (`dynamics`), so a file with other actions is refused.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import FileFormatError, InstanceError
from ludarium.envs.text.household import classes
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.export import TASK_TYPES
from ludarium.envs.text.household.instance import AFFORDANCES, FLAGS, Goal, House, Object, Receptacle, goal_classes
from ludarium.envs.text.household.pddl import actions_of, line_of, parse_pddl, section, typed
from ludarium.envs.text.household.tables import _copies, pack

__all__ = ["Game", "Loaded", "config_for", "find_games", "load_alfworld", "load_game"]

_MAX_FILE = 32 << 20
_LAYOUT = """expected a game.tw-pddl file, or a folder such as
  json_2.1.1/
    train/ (or valid_seen/, valid_unseen/)
      pick_heat_then_place_in_recep-Potato-None-SinkBasin-14/
        trial_T20190908_231731_054988/
          game.tw-pddl  initial_state.pddl  traj_data.json"""
_KNOWN_ACTIONS = {
    "look", "inventory", "help", "examinereceptacle", "examineobject", "gotolocation", "openobject", "closeobject",
    "pickupobject", "putobject", "cleanobject", "heatobject", "coolobject", "toggleobject", "sliceobject",
}  # fmt: skip
_FACTS = {
    name.lower(): name
    for name in (
        "objectType", "receptacleType", "inReceptacle", "inReceptacleObject", "holds", "holdsAny", "atLocation",
        "receptacleAtLocation", "objectAtLocation", "opened", "openable", "isReceptacleObject", "canContain",
        *(name for name in AFFORDANCES if name != "receptacle"), *(f"is{flag.capitalize()}" for flag in FLAGS),
    )
}  # fmt: skip
_SPELLING = {kind.lower(): kind for kind in classes.RECEPTACLES + classes.OBJECTS + classes.SCENERY}
_SHORT = {name: task for task, name in TASK_TYPES.items()}


@dataclasses.dataclass(frozen=True)
class Game:
    """One game that was read."""

    path: Path
    house: House
    dialect: str
    agrees: bool
    """Whether the goal's classes are named in its sentence."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """What a path held."""

    games: tuple[Game, ...]
    skipped: dict[str, int]
    """How many trials were left out, by reason."""

    @property
    def houses(self) -> list[tuple[Path, House]]:
        """The houses with the files they are from."""
        return [(game.path, game.house) for game in self.games]

    @property
    def dialects(self) -> dict[str, int]:
        """How many games speak each dialect."""
        return dict(Counter(game.dialect for game in self.games))


def find_games(path: str | Path, tasks: tuple[str, ...] = classes.TASKS) -> tuple[list[Path], dict[str, int]]:
    """The game files below a folder that ALFWorld would play, sorted, and how many trials it would not, by reason."""
    root = Path(path)
    if root.is_file():
        return [root], {}
    if not root.is_dir():
        raise FileFormatError(root, f"no such file or folder; {_LAYOUT}")
    found: list[Path] = []
    skipped: Counter[str] = Counter()
    for folder, _, names in os.walk(root):
        if "traj_data.json" in names or "game.tw-pddl" in names:
            reason = _reason_to_skip(Path(folder), names, tasks)
            if reason:
                skipped[reason] += 1
            else:
                found.append(Path(folder) / "game.tw-pddl")
    if not found:
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(skipped.items())) or "none was there"
        raise FileFormatError(root, f"no game to play (trials skipped: {told}); {_LAYOUT}")
    return sorted(found), dict(skipped)


def _reason_to_skip(folder: Path, names: list[str], tasks: tuple[str, ...]) -> str:
    if "movable" in str(folder) or "Sliced" in str(folder):
        return "movable receptacle or sliced object"
    if "traj_data.json" not in names:
        return "without traj_data.json"
    task = _read_json(folder / "traj_data.json").get("task_type")
    if _SHORT.get(str(task)) not in tasks:
        return f"of task type {task!s:.60}"
    if "game.tw-pddl" not in names:
        return "without game.tw-pddl"
    game = _read_json(folder / "game.tw-pddl")
    if "solvable" not in game:
        return "never checked for a solution"
    if game["solvable"] is None:
        return "with solvable null"
    return "" if game["solvable"] else "known to be unsolvable"


def load_alfworld(path: str | Path, *, agents: int = 1, tasks: tuple[str, ...] = classes.TASKS) -> Loaded:
    """Read a game file or all games of a folder; `FileFormatError` says what is wrong with a file, and where."""
    files, skipped = find_games(path, tasks)
    games = tuple(load_game(file, agents=agents) for file in files)
    odd = [game for game in games if not game.agrees]
    if odd:
        warnings.warn(
            f"in {len(odd)} of {len(games)} games the sentence does not name the goal's classes, first {odd[0].path}: "
            f"{odd[0].house.sentence!r}",
            stacklevel=2,
        )
    return Loaded(games, skipped)


def load_game(path: str | Path, *, agents: int = 1) -> Game:
    """Read one `game.tw-pddl`."""
    path = Path(path)
    data = _read_json(path)
    for name in ("pddl_domain", "grammar", "pddl_problem"):
        if not isinstance(data.get(name), str):
            raise FileFormatError(path, f"a game has the text {name!r}; this one has {sorted(map(str, data))}")
    if data.get("solvable", True) is None:
        raise FileFormatError(path, "solvable is null: nobody checked whether the game has a solution")
    _check_domain(data["pddl_domain"], path)
    dialect, sentence = _dialect(data["grammar"], path), _sentence(data["grammar"], path)
    problem = _Problem(data["pddl_problem"], path)
    traj = path.with_name("traj_data.json")
    task_type = _read_json(traj).get("task_type") if traj.is_file() else None
    house = problem.house(sentence, _SHORT.get(str(task_type), str(task_type or "other")), agents, path)
    return Game(path, house, dialect, _agrees(house))


def _agrees(house: House) -> bool:
    text = house.sentence.lower().replace(" ", "")
    return all(kind.lower() in text for part in goal_classes(house.goal) for kind in part)


def config_for(houses: list[House], **options: Any) -> HouseholdConfig:
    """A config whose capacities hold all of these houses, with further options."""
    room: dict[str, Any] = {
        "max_receptacles": max(len(house.receptacles) for house in houses),
        "max_objects": max(len(house.objects) for house in houses),
        "max_locations": max(house.locations for house in houses),
        "max_copies": max(_copies(house) for house in houses),
        "max_goal": 1 << 16,
        "max_bytes": 1 << 15,
        "n_receptacles": 5,
        "n_objects": 4,
        "n_agents": houses[0].agents,
    }
    room["max_receptacles"], room["max_objects"] = max(room["max_receptacles"], 5), max(room["max_objects"], 4)
    if houses[0].goals:
        room |= {"goals": "split", "task": "pick", "same_class_decoys": 0}
    wide = HouseholdConfig.of(**room)
    tables = [pack(house, wide) for house in houses]
    room["max_goal"] = max(8, max(int(table["goal"].nonzero()[0].max(initial=0)) + 2 for table in tables))
    room["max_bytes"] = max(256, max(int.from_bytes(table["packed"][:4].tobytes(), "little") + 4 for table in tables))
    return HouseholdConfig.of(**{**room, **options})


# --- files -----------------------------------------------------------------------------------------------------------
def _read_json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_FILE:
            raise FileFormatError(path, f"larger than {_MAX_FILE} bytes")
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise FileFormatError(path, f"cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise FileFormatError(path, "JSON nested too deep") from error
    except ValueError as error:
        raise FileFormatError(path, f"no JSON: {error}", getattr(error, "lineno", None)) from error
    if not isinstance(data, dict):
        raise FileFormatError(path, "expected a JSON object")
    return data


def _check_domain(text: str, path: Path) -> None:
    tree = parse_pddl(text, path)
    for name in actions_of(tree):
        if name not in _KNOWN_ACTIONS:
            raise FileFormatError(path, f"unsupported PDDL in pddl_domain: the action {name!r}", line_of(text, name))


def _dialect(grammar: str, path: Path) -> str:
    if "move {o} to {r}" in grammar:
        return "0.4"
    if "put {o} in/on {r}" in grammar:
        return "0.3"
    raise FileFormatError(path, "the grammar speaks neither dialect: no 'move {o} to {r}', no 'put {o} in/on {r}'")


def _sentence(grammar: str, path: Path) -> str:
    match = re.search(r'Your task is to: ((?:[^"\\]|\\.)*?)\.?"', grammar)
    if match is None:
        raise FileFormatError(path, "the grammar has no 'Your task is to: ...'")
    try:
        return str(json.loads(f'"{match.group(1)}"'))
    except ValueError as error:
        raise FileFormatError(path, f"the goal sentence is no JSON text: {error}") from error


# --- problems --------------------------------------------------------------------------------------------------------
class _Problem:
    """A PDDL problem, and the house in it."""

    def __init__(self, text: str, path: Path) -> None:
        self.text, self.path = text, path
        tree = parse_pddl(text, path)
        self.types = dict(typed(section(tree, ":objects", text, path)[1:]))
        self.facts: dict[str, list[tuple[str, ...]]] = {}
        for fact in section(tree, ":init", text, path)[1:]:
            if not isinstance(fact, list) or not fact or not all(isinstance(word, str) for word in fact):
                raise FileFormatError(path, f"unsupported PDDL in (:init ...): {fact!s:.80}", line_of(text, ":init"))
            self.facts.setdefault(fact[0], []).append(tuple(fact[1:]))
        goal = section(tree, ":goal", text, path)
        if len(goal) != 2:
            raise FileFormatError(path, "(:goal ...) holds one expression", line_of(text, ":goal"))
        self.goal = goal[1]

    def house(self, sentence: str, task: str, agents: int, path: Path) -> House:
        """The house, with the names that ALFWorld's demangler gives."""
        used = sorted({word for facts in self.facts.values() for fact in facts for word in fact if word in self.types})
        numbers = _numbers(used)
        pick = {
            kind: [name for name in used if self.types[name] == kind] for kind in ("agent", "receptacle", "location")
        }
        items = [name for name in used if self.types[name] == "object" and name in numbers]
        self._check_agents(pick["agent"], agents)
        order = {
            "agent": {name: n for n, name in enumerate(pick["agent"])},
            "receptacle": {name: n for n, name in enumerate(pick["receptacle"])},
            "location": {name: n for n, name in enumerate(pick["location"])},
            "object": {name: n for n, name in enumerate(items)},
        }
        self.order = order
        start = self._one("atlocation", pick["agent"][0])
        held = [self._first("holds", name) for name in pick["agent"]]
        try:
            house = House(
                receptacles=tuple(self._receptacle(name, numbers) for name in pick["receptacle"]),
                objects=tuple(self._object(name, numbers) for name in items),
                can_contain=self._can_contain(pick["receptacle"], items),
                goal=self._goal(self.goal, {}),
                task=task,
                sentence=sentence,
                locations=len(pick["location"]),
                start=order["location"][start],
                agents=len(pick["agent"]),
                held=tuple(-1 if name is None else order["object"][name] for name in held) if any(held) else (),
                name=path.parent.name,
            )
            house.validate()
        except InstanceError as error:
            raise FileFormatError(path, str(error)) from error
        return house

    def _check_agents(self, names: list[str], agents: int) -> None:
        if not names:
            raise FileFormatError(self.path, "no agent is at a location", line_of(self.text, ":init"))
        if len(names) != agents:
            raise FileFormatError(
                self.path, f"the game has {len(names)} agents; n_agents = {agents}", line_of(self.text, names[-1])
            )
        if len({self._one("atlocation", name) for name in names}) > 1:
            raise FileFormatError(self.path, "agents that begin at different locations are not supported")

    def _first(self, fact: str, name: str) -> str | None:
        return next((given[1] for given in self.facts.get(fact, ()) if given[0] == name and len(given) == 2), None)

    def _one(self, fact: str, name: str) -> str:
        found = self._first(fact, name)
        if found is None:
            raise FileFormatError(self.path, f"{name} has no ({fact} ...)", line_of(self.text, name))
        return found

    def _holds(self, fact: str, name: str) -> bool:
        if not hasattr(self, "_unary"):
            self._unary = {kind: {given[0] for given in facts if len(given) == 1} for kind, facts in self.facts.items()}
        return name in self._unary.get(fact, ())

    def _all(self, fact: str, name: str, kind: str) -> tuple[int, ...]:
        if not hasattr(self, "_binary"):
            self._binary: dict[tuple[str, str], list[str]] = {}
            for known, facts in self.facts.items():
                for given in facts:
                    if len(given) == 2:
                        self._binary.setdefault((known, given[0]), []).append(given[1])
        order = self.order[kind]
        return tuple(sorted({order[other] for other in self._binary.get((fact, name), ()) if other in order}))

    def _kind(self, fact: str, name: str) -> str:
        kind = self._one(fact, name).removesuffix("type")
        return _SPELLING.get(kind, kind)

    def _receptacle(self, name: str, numbers: dict[str, tuple[str, int]]) -> Receptacle:
        kind = self._kind("receptacletype", name)
        shown, number = numbers[name]
        if shown != kind.lower():
            raise FileFormatError(
                self.path, f"{name} is of class {kind} but shows as {shown!r}", line_of(self.text, name)
            )
        place = self.order["location"][self._one("receptacleatlocation", name)]
        return Receptacle(kind, number, place, self._holds("openable", name), self._holds("opened", name))

    def _object(self, name: str, numbers: dict[str, tuple[str, int]]) -> Object:
        shown, number = numbers[name]
        kind = _SPELLING.get(shown, shown)
        can = tuple(
            able for able in AFFORDANCES if self._holds("isreceptacleobject" if able == "receptacle" else able, name)
        )
        places = self._all("inreceptacle", name, "receptacle")
        at = self._all("objectatlocation", name, "location")
        inside = self._all("inreceptacleobject", name, "object")
        state = tuple(flag for flag in FLAGS if self._holds(f"is{flag}", name))
        usual = {self._receptacle_place(place) for place in places}
        return Object(kind, number, places, can, state, None if set(at) == usual else at, inside)

    def _receptacle_place(self, number: int) -> int:
        name = next(name for name, n in self.order["receptacle"].items() if n == number)
        return self.order["location"][self._one("receptacleatlocation", name)]

    def _can_contain(self, receptacles: list[str], items: list[str]) -> tuple[tuple[str, str], ...]:
        pairs = set()
        for r, o in self.facts.get("cancontain", ()):
            kinds = [word.removesuffix("type") for word in (r, o)]
            pairs.add((_SPELLING.get(kinds[0], kinds[0]), _SPELLING.get(kinds[1], kinds[1])))
        return tuple(sorted(pairs))

    def _goal(self, tree: Any, names: dict[str, str]) -> Goal:
        if not isinstance(tree, list) or not tree or not isinstance(tree[0], str):
            raise FileFormatError(self.path, f"unsupported PDDL in the goal: {tree!s:.80}", line_of(self.text, ":goal"))
        head, rest = tree[0], tree[1:]
        if head in ("and", "or"):
            return (head, *(self._goal(part, names) for part in rest))
        if head == "not" and len(rest) == 1:
            return (head, self._goal(rest[0], names))
        if head in ("exists", "forall") and len(rest) == 2 and isinstance(rest[0], list):
            variables = tuple(typed(rest[0]))
            return (head, variables, self._goal(rest[1], {**names, **dict(variables)}))
        if head == "=" and len(rest) == 2:
            return ("=", *(self._argument(word, names) for word in rest))
        if head not in _FACTS:
            line = line_of(self.text[self.text.lower().rfind("(:goal") :], head)
            before = self.text.count("\n", 0, max(self.text.lower().rfind("(:goal"), 0))
            raise FileFormatError(self.path, f"unsupported PDDL in the goal: ({head} ...)", before + (line or 1))
        if head in ("objecttype", "receptacletype"):
            kind = str(rest[1]).removesuffix("type")
            return (_FACTS[head], self._argument(rest[0], names), _SPELLING.get(kind, kind))
        return (_FACTS[head], *(self._argument(word, names) for word in rest))

    def _argument(self, word: Any, names: dict[str, str]) -> str:
        if isinstance(word, str) and word in names:
            return word
        kind = self.types.get(word, "") if isinstance(word, str) else ""
        if word in self.order.get(kind, {}):
            return f"{kind}:{self.order[kind][word]}"
        raise FileFormatError(self.path, f"unknown name {word!s:.60} in the goal", line_of(self.text, str(word)))


def _numbers(ids: list[str]) -> dict[str, tuple[str, int]]:
    """The class and number that each raw id shows as: sorted ids of a class get its numbers from the highest down."""
    shown = {name: _shown(name) for name in ids if "_bar_" in name}
    left = Counter(shown.values())
    found = {}
    for name in sorted(shown):
        found[name] = (shown[name], left[shown[name]])
        left[shown[name]] -= 1
    return found


def _shown(name: str) -> str:
    kind = name.split("_bar_", 1)[0]
    return kind + "basin" if "basin" in name else kind
