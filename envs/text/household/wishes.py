"""Whether what one wishes of a generated house can be had, checked when it is said."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ludarium.envs.core.errors import ConfigError
from ludarium.envs.text.household.classes import ROOMS, TASKS
from ludarium.envs.text.household.placements import HOLDS, stands

if TYPE_CHECKING:
    from ludarium.envs.text.household.config import HouseholdConfig

__all__ = ["MOST_WANTED", "PLACED", "SPLITS", "check_wishes", "least_room", "needed", "rooms_of", "settings", "wanted"]

SPLITS = ("train", "seen", "unseen")

MOST_WANTED = 6
"""Objects that a goal may ask for in all its parts: shortest plans for more take seconds to find, and minutes for twelve."""

PLACED = ("pick", "clean", "heat", "cool", "pick_two")
"""Tasks whose goal is that things lie somewhere."""
_SLICED = ("pick", "clean", "heat", "cool")
_TWO_STEP = ("heat", "cool")
_LACKING = {"heat": "microwave", "cool": "fridge", "look": "lamp", "clean": "sinkbasin with things to clean"}


_TASK_ROOMS = {
    "pick": ROOMS,
    "look": ("livingroom", "bedroom"),
    "clean": ("kitchen", "bathroom"),
    "heat": ("kitchen",),
    "cool": ("kitchen",),
    "pick_two": ROOMS,
}


def rooms_of(task: str) -> tuple[str, ...]:
    """The rooms where a task can be set."""
    return _TASK_ROOMS[task]


@functools.lru_cache(maxsize=256)
def settings(config: HouseholdConfig) -> tuple[tuple[str, str], ...]:
    """The pairs of task and room that a config allows."""
    allowed = [
        tasks
        for asked, tasks in (
            (config.sliced, _SLICED),
            (config.two_step, _TWO_STEP),
            (config.count > 0 or config.parts > 1, PLACED),
        )
        if asked
    ]
    return tuple(
        (task, room)
        for task in TASKS
        for room in rooms_of(task)
        if config.task in ("any", task)
        and config.room in ("any", room)
        and all(task in tasks for tasks in allowed)
        and (room == "kitchen" or not config.sliced)
        and config.parts * wanted(config, task) <= MOST_WANTED
    )


def wanted(config: HouseholdConfig, task: str) -> int:
    """How many objects each part of a goal asks for."""
    return config.count or (2 if task == "pick_two" else 1)


def needed(config: HouseholdConfig, task: str) -> int:
    """The fewest objects of a house: the goal's, others of their classes, a lamp or a knife, and what is held."""
    parts = (wanted(config, task) + config.same_class_decoys) * config.parts
    return parts + (config.sliced or task == "look") + config.preheld


def check_wishes(config: HouseholdConfig) -> None:
    """Raise `ConfigError` for a task that the room, or the number of things, does not allow."""
    _check_extensions(config)
    found = settings(config)
    if not found:
        raise ConfigError(_no_room(config))
    most = max(needed(config, task) for task, _ in found)
    if config.n_objects < most:
        raise ConfigError(
            f"n_objects = {config.n_objects}; this task needs {most}: the goal's {_words(config, found)}, with "
            f"{config.same_class_decoys} more of each class, and lamp, knife or held thing; take more, or fewer decoys"
        )
    for room in dict.fromkeys(room for _, room in found):
        holds = least_room(room, config.n_receptacles)
        if config.n_objects > sum(holds.values()):
            listed = ", ".join(f"{kind.lower()} {holds[kind]}" for kind in sorted(holds))
            raise ConfigError(
                f"n_objects = {config.n_objects} is too many: a {room} of {config.n_receptacles} receptacles may hold "
                f"no more than {sum(holds.values())} ({listed}); take fewer objects or more receptacles"
            )


@functools.lru_cache(maxsize=256)
def least_room(room: str, size: int) -> dict[str, int]:
    """How many objects each class of receptacles holds at the start of a game, in the room that holds least.

    Classes that few things fit count for nothing. No layout is drawn for it: a config is checked without the compiler.
    """
    found: dict[str, int] = {}
    holds = {row.kind: HOLDS[row.kind] if HOLDS[row.kind] > 1 else 0 for row in stands(room)}
    kinds = [row.kind for row in stands(room) for _ in range(row.least)]
    others = [row.kind for row in stands(room) for _ in range(row.most - row.least)]
    for kind in kinds + sorted(others, key=lambda kind: (holds[kind], kind))[: size - len(kinds)]:
        found[kind] = found.get(kind, 0) + holds[kind]
    return {kind: count for kind, count in found.items() if count}


def _check_extensions(config: HouseholdConfig) -> None:
    for name, asked, tasks in (
        ("sliced = True", config.sliced, _SLICED),
        ("two_step = True", config.two_step, _TWO_STEP),
        (f"count = {config.count}", config.count > 0, PLACED),
        (f"conjuncts = {config.conjuncts}", config.conjuncts > 1, PLACED),
        ("goals = 'split'", config.goals == "split", PLACED),
    ):
        if asked and config.task not in ("any", *tasks):
            raise ConfigError(f"{name} does not go with task = {config.task!r}; expected one of {', '.join(tasks)}")
    least = config.count or (2 if config.task == "pick_two" else 1)
    if config.parts * least > MOST_WANTED:
        raise ConfigError(
            f"{config.parts} parts of {least} objects each; expected at most {MOST_WANTED} objects in all: take a lower "
            "count, or fewer conjuncts or robots with goals of their own"
        )
    if config.sliced and (config.count > 1 or config.parts > 1):
        raise ConfigError("sliced = True asks for one object; leave count, conjuncts and goals as they are")


def _no_room(config: HouseholdConfig) -> str:
    if config.sliced and config.room not in ("any", "kitchen"):
        return f"a sliced object needs a knife: a {config.room} has none, a kitchen has"
    rooms = rooms_of(config.task) if config.task != "any" else ("kitchen",)
    lacking = _LACKING.get(config.task, "microwave or fridge")
    known = [room for room in ROOMS if room in rooms]
    return f"no {lacking} in a {config.room} for task = {config.task!r}; expected room = {' or '.join(known)}"


def _words(config: HouseholdConfig, found: tuple[tuple[str, str], ...]) -> str:
    most = max(wanted(config, task) for task, _ in found)
    return f"{most} object(s) of a class" + (f" for each of {config.parts} parts" if config.parts > 1 else "")
