"""Houses as arrays: what `dynamics` reads, and back to the house."""

from __future__ import annotations

import dataclasses
import functools
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.text.household.classes import KNIVES, OBJECTS, PROCESSES, RECEPTACLES, SCENERY
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.dynamics import (
    FACT_BITS,
    FIRST_BITS,
    FLAG,
    HEAD,
    HOLDS,
    IN,
    NEGATED,
    TABLES,
    Tables,
)
from ludarium.envs.text.household.goals import Literal, ground
from ludarium.envs.text.household.instance import FLAGS, Goal, House, goal_classes
from ludarium.envs.text.household.layout import Sizes, table_fields

__all__ = ["OTHER_CLASS", "pack", "sizes", "stack", "unpack"]

Cases = tuple[tuple[Literal, ...], ...]

OTHER_CLASS = 255
"""The number of a class that the field does not know."""
_RECEPTACLE = {kind.lower(): n + 1 for n, kind in enumerate(RECEPTACLES)}
_OBJECT = {kind.lower(): n + 1 for n, kind in enumerate(OBJECTS + SCENERY)}
_KNIVES = {kind.lower() for kind in KNIVES}
_MAX_UNPACKED = 1 << 22


@functools.lru_cache(maxsize=1024)
def pack(house: House, config: HouseholdConfig) -> dict[str, NDArray[Any]]:
    """The tables of one house, by their names; `InstanceError` names what does not fit the config's capacities."""
    house.validate()
    _check_capacities(house, config)
    tables = _empty(config)
    goals = [_cases(house, goal, sentence) for goal, sentence in _goals(house)]
    _places(house, tables)
    _objects(house, tables)
    _goal(house, goals, tables)
    tables["start"][0] = house.start
    tables["start"][1:] = house.held or -1
    tables["house"][:] = np.frombuffer(bytes.fromhex(house.hash), np.uint8)
    squeezed = zlib.compress(json.dumps(house.as_data(), separators=(",", ":")).encode(), 9)
    if len(squeezed) + 4 > len(tables["packed"]):
        raise InstanceError(f"the house takes {len(squeezed) + 4} bytes; set max_bytes to so many at least")
    tables["packed"][: len(squeezed) + 4] = np.frombuffer(len(squeezed).to_bytes(4, "little") + squeezed, np.uint8)
    return tables


def _goals(house: House) -> list[tuple[Goal, str]]:
    """The goals that are looked after apart from each other, with their sentences."""
    if not house.goals:
        return [(house.goal, house.sentence)]
    return list(zip(house.goals, house.sentences, strict=True))


def _cases(house: House, goal: Goal, sentence: str) -> Cases:
    cases = ground(dataclasses.replace(house, goal=goal))
    if not cases:
        raise InstanceError(f"the goal of {house.name or 'this house'} can never be reached: {sentence!r}")
    return cases


def unpack(packed: NDArray[np.uint8]) -> House:
    """The house in `Tables.packed`."""
    size = int.from_bytes(packed[:4].tobytes(), "little")
    data = zlib.decompressobj().decompress(packed[4 : 4 + size].tobytes(), _MAX_UNPACKED)
    return House.from_data(json.loads(data))


def stack(houses: list[House], config: HouseholdConfig) -> Tables:
    """The tables of a pool of houses, axis 0 the slot."""
    each = [pack(house, config) for house in houses] or [_empty(config)]
    return Tables(*(np.ascontiguousarray(np.stack([tables[name] for tables in each])) for name in TABLES))


def _check_capacities(house: House, config: HouseholdConfig) -> None:
    for name, got, room in (
        ("max_receptacles", len(house.receptacles), config.receptacles), ("max_objects", len(house.objects), config.objects),
        ("max_locations", house.locations, config.locations), ("max_copies", _copies(house), config.max_copies),
    ):  # fmt: skip
        if got > room:
            raise InstanceError(f"the house needs {name} = {got}; this environment has {room}: make it with more")
    if bool(house.goals) != (config.goals == "split"):
        has, wants = ("a goal for each agent", "shared") if house.goals else ("one goal", "split")
        raise InstanceError(f"the house has {has}; this environment has goals = {wants!r}")
    if house.agents != config.n_agents:
        raise InstanceError(
            f"the house is for {house.agents} agents; this environment has n_agents = {config.n_agents}"
        )


def _copies(house: House) -> int:
    """In how many receptacles of one location an object may come to be listed."""
    if all(len(item.places) <= 1 for item in house.objects):
        return 1
    shared = [place.location for place in house.receptacles]
    return max(shared.count(location) for location in shared)


def _empty(config: HouseholdConfig) -> dict[str, NDArray[Any]]:
    return {field.name: np.zeros(field.shape, field.dtype) for field in table_fields(sizes(config))}


def sizes(config: HouseholdConfig) -> Sizes:
    """What the layouts depend on."""
    c = config
    return Sizes(
        c.receptacles, c.objects, c.locations, c.n_agents, c.max_goal, c.max_bytes, c.say_tokens > 0, c.goals == "split"
    )


def _add(words: NDArray[np.uint64], o: int) -> None:
    words[o >> 6] |= np.uint64(1 << (o & 63))


def _places(house: House, tables: dict[str, NDArray[Any]]) -> None:
    tables["sizes"][:] = len(house.receptacles), len(house.objects), house.locations
    tables["place"][:] = -1
    tables["first"][:] = -1
    tables["after"][:] = -1
    processes = {kind.lower(): n + 1 for n, kind in enumerate(PROCESSES.values())}
    fits = {(r.lower(), o.lower()) for r, o in house.can_contain}
    for r in reversed(range(len(house.receptacles))):
        place = house.receptacles[r]
        tables["place"][r] = place.location
        tables["after"][r] = tables["first"][place.location]
        tables["first"][place.location] = r
        tables["openable"][r], tables["open0"][r] = place.openable, place.open
        tables["process"][r] = processes.get(place.kind.lower(), 0)
        tables["kinds"][r] = _RECEPTACLE.get(place.kind.lower(), OTHER_CLASS)
        for o, item in enumerate(house.objects):
            if (place.kind.lower(), item.kind.lower()) in fits:
                _add(tables["fits"][r], o)


def _objects(house: House, tables: dict[str, NDArray[Any]]) -> None:
    able = ("pickupable", "heatable", "coolable", "cleanable", "sliceable", "toggleable")
    for o, item in enumerate(house.objects):
        tables["things"][o] = _OBJECT.get(item.kind.lower(), OTHER_CLASS)
        for n, name in enumerate(able):
            if name in item.can:
                _add(tables["able"][n], o)
        if item.kind.lower() in _KNIVES:
            _add(tables["able"][6], o)
        for n, flag in enumerate(FLAGS):
            if flag in item.state:
                _add(tables["flags0"][n], o)
        for place in item.places:
            _add(tables["content0"][place], o)
        for location in house.at(o):
            _add(tables["around0"][location], o)


def _goal(house: House, goals: list[Cases], tables: dict[str, NDArray[Any]]) -> None:
    codes: list[int] = [0] * len(house.goals)
    for n, cases in enumerate(goals):
        if house.goals:
            codes[n] = len(codes)
        codes += _codes(cases)
    if len(codes) > len(tables["goal"]):
        raise InstanceError(f"the goal takes {len(codes)} numbers; set max_goal to so many at least")
    tables["goal"][: len(codes)] = codes
    every = tuple(case for cases in goals for case in cases)
    for one in (literal for case in every for literal in case):
        tables["relevant"][0] |= 1 << one.fact
    targets, wanted = _targets(house, every)
    for o in targets:
        _add(tables["target"], o)
    tables["wanted"][sorted(wanted)] = 1
    first = tuple(literal for cases in goals for literal in cases[0])
    _brief(house, house.goal, first, targets, tables["brief"])
    for n, goal in enumerate(house.goals):
        _brief(house, goal, goals[n][0], _targets(house, goals[n])[0], tables["briefs"][n])


def _codes(cases: Cases) -> list[int]:
    """A goal as the engine reads it."""
    codes = [len(cases)]
    for case in cases:
        codes.append(len(case))
        for one in case:
            codes.append(
                one.fact
                | one.first << FACT_BITS
                | one.second << (FACT_BITS + FIRST_BITS)
                | (0 if one.holds else NEGATED)
            )
    return codes


def _targets(house: House, cases: Cases) -> tuple[set[int], set[int]]:
    """Objects that the goal wants in hand or in place, and the receptacles where (or where its lamps are)."""
    targets: set[int] = set()
    wanted: set[int] = set()
    lamps: set[int] = set()
    for one in (literal for case in cases for literal in case if literal.holds):
        if one.fact == IN:
            targets.add(one.first)
            wanted.add(one.second)
        elif one.fact == HOLDS:
            targets.add(one.second)
        elif one.fact >= FLAG and house.objects[one.first].places and "pickupable" not in house.objects[one.first].can:
            lamps.update(house.objects[one.first].places)
    return targets, wanted or lamps


def _brief(house: House, goal: Goal, case: tuple[Literal, ...], targets: set[int], brief: NDArray[np.uint8]) -> None:
    """Byte 0: the class of the targets, 1: of the receptacles, 2: states as bits, 3: how many, 5 and 6: other classes."""
    objects, receptacles = goal_classes(goal)
    own = [kind for kind in objects if any(house.objects[o].kind.lower() == kind.lower() for o in targets)]
    others = [kind for kind in objects if kind not in own[:1]]
    brief[0] = _OBJECT.get(own[0].lower(), OTHER_CLASS) if own else 0
    brief[1] = _RECEPTACLE.get(receptacles[0].lower(), OTHER_CLASS) if receptacles else 0
    for one in case:
        if one.fact >= FLAG and one.holds:
            brief[2] |= 1 << (one.fact - FLAG)
    brief[3] = len({one.first for one in case if one.fact == IN} | {one.second for one in case if one.fact == HOLDS})
    for n, kind in enumerate(others[:2]):
        brief[5 + n] = _OBJECT.get(kind.lower(), OTHER_CLASS)
    assert len(brief) == HEAD
