"""The rules of a household written again, plainly, and a search over its full state space: slow, for tiny houses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ludarium.envs.text.household.instance import House

FLAGS = ("clean", "hot", "cool", "sliced", "toggled")
TOOLS = {"clean": "SinkBasin", "heat": "Microwave", "cool": "Fridge"}


class World(NamedTuple):
    at: int
    hold: int
    where: tuple[int, ...]  # receptacle of each object, -1 for the one in hand
    states: tuple[frozenset[str], ...]
    opened: frozenset[int]


def begin(house: House) -> World:
    return World(
        house.start,
        house.held[0] if house.held else -1,
        tuple(thing.places[0] if thing.places else -1 for thing in house.objects),
        tuple(frozenset(thing.state) for thing in house.objects),
        frozenset(r for r, place in enumerate(house.receptacles) if place.open),
    )


def moves(house: House, w: World, quirks: bool = True) -> Iterator[tuple[tuple[str, int, int], World]]:
    """All commands that change something, as (verb, object, receptacle or knife), and what comes of them."""
    fits = set(house.can_contain)
    here = [r for r, place in enumerate(house.receptacles) if place.location == w.at]
    reach = [r for r in here if not house.receptacles[r].openable or r in w.opened]
    for r, place in enumerate(house.receptacles):
        if place.location != w.at:
            yield ("go", -1, r), w._replace(at=place.location)
    for r in here:
        if house.receptacles[r].openable:
            yield ("close" if r in w.opened else "open", -1, r), w._replace(opened=w.opened ^ {r})
    if w.hold < 0:
        for o, thing in enumerate(house.objects):
            if w.where[o] in reach and "pickupable" in thing.can:
                yield ("take", o, w.where[o]), w._replace(hold=o, where=_put(w.where, o, -1))
    else:
        o, thing = w.hold, house.objects[w.hold]
        for r in reach:
            if (house.receptacles[r].kind, thing.kind) in fits:
                yield ("move", o, r), w._replace(hold=-1, where=_put(w.where, o, r))
        for r in here:
            for verb, able, adds, drops in (
                ("clean", "cleanable", "clean", ""),
                ("heat", "heatable", "hot", "cool"),
                ("cool", "coolable", "cool", "hot"),
            ):
                if house.receptacles[r].kind == TOOLS[verb] and able in thing.can:
                    state = w.states[o] - {drops} | {adds}
                    yield (verb, o, r), w._replace(states=_put(w.states, o, state))
        if thing.kind in ("Knife", "ButterKnife"):
            for other, target in enumerate(house.objects):
                if w.where[other] in (here if quirks else reach) and "sliceable" in target.can:
                    state = w.states[other] | {"sliced"}
                    yield ("slice", other, o), w._replace(states=_put(w.states, other, state))
    for o, thing in enumerate(house.objects):
        if w.where[o] in (here if quirks else reach) and "toggleable" in thing.can:
            yield ("use", o, -1), w._replace(states=_put(w.states, o, w.states[o] | {"toggled"}))


def _put(values, index, value):
    return (*values[:index], value, *values[index + 1 :])


def holds(house: House, goal, w: World, names: dict[str, tuple[str, int]] | None = None) -> bool:
    """Whether a goal holds, by its definition."""
    names = names or {}
    head = goal[0]
    if head == "and":
        return all(holds(house, part, w, names) for part in goal[1:])
    if head == "not":
        return not holds(house, goal[1], w, names)
    if head == "exists":
        if not goal[1]:
            return holds(house, goal[2], w, names)
        (name, kind), *rest = goal[1]
        count = {
            "object": len(house.objects),
            "receptacle": len(house.receptacles),
            "agent": 1,
            "location": house.locations,
        }
        for n in range(count[kind]):
            bound = {**names, name: (kind, n)}
            if _may_hold(house, goal[2], w, bound) and holds(house, ("exists", tuple(rest), goal[2]), w, bound):
                return True
        return False
    first = names[goal[1]]
    n = first[1]
    if head == "objectType":
        return house.objects[n].kind == goal[2]
    if head == "receptacleType":
        return house.receptacles[n].kind == goal[2]
    if head.startswith("is"):
        return head[2:].lower() in w.states[n]
    if head.endswith("able"):
        return head in house.objects[n].can
    second = names[goal[2]][1]
    return {
        "=": lambda: first == names[goal[2]],
        "inReceptacle": lambda: w.where[n] == second,
        "holds": lambda: w.hold == second,
        "atLocation": lambda: w.at == second,
        "receptacleAtLocation": lambda: house.receptacles[n].location == second,
    }[head]()


def _may_hold(house, goal, w, names):
    """False if a fact of the conjunction, of which all is known, does not hold: the others need not be tried."""
    parts = goal[1:] if goal[0] == "and" else ()
    return all(
        holds(house, part, w, names)
        for part in parts
        if part[0] not in ("exists", "not", "and") and _known(part, names)
    )


def _known(fact, names):
    return all(argument in names for argument in fact[1:] if argument.startswith("?"))


def shortest(house: House, most: int = 10**9, quirks: bool = True) -> int | None:
    """The length of a shortest plan by breadth-first search; None if there is none, `MemoryError` past `most` states."""
    start = begin(house)
    known, layer, depth = {start}, [start], 0
    while layer:
        if any(holds(house, house.goal, w) for w in layer):
            return depth
        after = []
        for w in layer:
            for _, new in moves(house, w, quirks):
                if new not in known:
                    known.add(new)
                    after.append(new)
        if len(known) > most:
            raise MemoryError(len(known))
        layer, depth = after, depth + 1
    return None


def play(house: House, steps, quirks: bool = True) -> list[World]:
    """The worlds along a plan; `KeyError` for a step that the rules do not have."""
    found = [begin(house)]
    for step in steps:
        found.append(dict(moves(house, found[-1], quirks))[tuple(step)])
    return found
