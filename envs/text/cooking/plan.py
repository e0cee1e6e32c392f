"""The oracle of the cooking games: the commands of a shortest plan from any state, and how many they are."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from ludarium.envs.text.cooking import search as s
from ludarium.envs.text.cooking import tables as t
from ludarium.envs.text.cooking.generate import ABSENT, HELD, ON

__all__ = ["shortest_plan"]


class _Walk:
    """A game as a plan unfolds: what is where, and the commands so far."""

    def __init__(self, seen: dict[str, Any]) -> None:
        self.room = int(seen["room"])
        self.where = [int(n) for n in seen["where"]]
        self.exits, self.doors = seen["exits"], seen["doors"]
        self.door = [bool(n) for n in seen["door"]]
        self.home = seen["home"]
        self.foods = [int(food) for food, _, _ in seen["recipe"] if food >= 0]
        self.commands: list[str] = []

    def go(self, direction: int) -> None:
        door = int(self.doors[self.room, direction])
        if door >= 0 and not self.door[door]:
            self.door[door] = True
            self.commands.append(f"open {t.DOORS[door].name}")
        self.commands.append(f"go {t.DIRECTIONS[direction]}")
        self.room = int(self.exits[self.room, direction])

    def take(self, item: int) -> None:
        at = self.where[item]
        source = f" from {t.FURNITURE[at - ON].name}" if at >= ON else ""
        self.commands.append(f"take {t.ITEM_NAMES[item]}{source}")
        self.where[item] = HELD

    def drop(self, item: int) -> None:
        self.commands.append(f"drop {t.ITEM_NAMES[item]}")
        self.where[item] = self.room


def _thing(walk: _Walk, number: int) -> int:
    """The thing that a move's argument means."""
    if number < s.KNIFE:
        return walk.foods[number]
    if number == s.KNIFE:
        return t.KNIFE
    kept = {*walk.foods, t.KNIFE}
    return next(i for i in range(t.ITEMS) if walk.where[i] == HELD and i not in kept)


def shortest_plan(seen: dict[str, Any]) -> list[str] | None:
    """The commands of a shortest plan that wins from the full state `seen`; None if none does.

    A game that was lost has no plan; one whose meal is eaten has an empty one.
    """
    where = seen["where"]
    if where[t.MEAL] != ABSENT:
        return _to_the_meal(seen)
    recipe = [(int(f), int(cook), int(cut)) for f, cook, cut in seen["recipe"] if f >= 0]
    foods, ways = np.zeros((len(recipe), 3), np.int64), np.zeros(len(recipe), np.int64)
    for k, (food, cook, cut) in enumerate(recipe):
        is_cut = 0 if seen["cut"][food] == 4 else int(seen["cut"][food])
        foods[k] = where[food], int(seen["way"][food]) != cook, is_cut != cut
        ways[k] = max(cook, 1)
        spoilt = (foods[k, 1] and (cook == 0 or seen["stage"][food] not in (t.RAW, t.NEEDS_COOKING))) or (
            foods[k, 2] and (cut == 0 or seen["cut"][food] != 0)
        )
        if spoilt or where[food] > HELD or seen["stage"][food] == t.BURNED:
            return None
    if foods[:, 2].any() and where[t.KNIFE] == ABSENT:
        return None
    knife = int(where[t.KNIFE]) if where[t.KNIFE] <= HELD else 0
    asked = {food for food, _, _ in recipe} | {t.KNIFE}
    carried = sum(int(where[i]) == HELD for i in range(t.ITEMS) if i not in asked)
    moves = np.zeros((1000, 2), np.int64)
    count = s.search(
        int(seen["room"]), foods, ways, knife, carried, sum(int(n) << d for d, n in enumerate(seen["door"])),
        sum(int(seen["lid"][h]) << c for c, h in enumerate(t.CONTAINERS)), int(seen["limit"]),
        np.asarray(seen["exits"], np.int64), np.asarray(seen["doors"], np.int64), np.asarray(seen["home"], np.int64), moves,
    )  # fmt: skip
    if count < 0:
        return None
    walk = _Walk(seen)
    for kind, number in moves[:count].tolist():
        _act(walk, recipe, kind, number)
    return [*walk.commands, "prepare meal", "eat meal"]


def _act(walk: _Walk, recipe: list[tuple[int, int, int]], kind: int, number: int) -> None:
    """Turn one move into commands."""
    if kind == s.GO:
        walk.go(number)
    elif kind == s.OPEN:
        walk.commands.append(f"open {t.FURNITURE[number].name}")
    elif kind == s.TAKE:
        walk.take(_thing(walk, number))
    elif kind == s.DROP:
        walk.drop(_thing(walk, number))
    elif kind == s.COOK:
        food, cook, _ = recipe[number]
        walk.commands.append(f"cook {t.ITEM_NAMES[food]} with {t.FURNITURE[t.APPLIANCES[cook - 1]].name}")
    else:
        food, _, cut = recipe[number]
        walk.commands.append(f"{('', 'chop', 'slice', 'dice')[cut]} {t.ITEM_NAMES[food]} with knife")


def _to_the_meal(seen: dict[str, Any]) -> list[str] | None:
    """The plan once the meal is prepared: go where it is, take it, and eat it."""
    at = int(seen["where"][t.MEAL])
    walk = _Walk(seen)
    if at > HELD:
        return []
    if not seen["edible"][t.MEAL]:
        return None
    if at != HELD:
        for direction in _way(walk, at if at < ON else int(walk.home[at - ON])):
            walk.go(direction)
        if at >= ON and t.CONTAINS[at - ON] and not seen["lid"][at - ON]:
            walk.commands.append(f"open {t.FURNITURE[at - ON].name}")
        held = [i for i in range(t.ITEMS) if walk.where[i] == HELD]
        if len(held) >= int(seen["limit"]):
            walk.drop(held[0])
        walk.take(t.MEAL)
    return [*walk.commands, "eat meal"]


def _way(walk: _Walk, goal: int) -> list[int]:
    """Directions of a shortest way to a room; a closed door costs one more."""
    best, came = {walk.room: 0}, {}
    edge = [(0, walk.room)]
    while edge:
        cost, here = heapq.heappop(edge)
        for d in range(4):
            there, door = int(walk.exits[here, d]), int(walk.doors[here, d])
            if there < 0:
                continue
            further = cost + (2 if door >= 0 and not walk.door[door] else 1)
            if further < best.get(there, 1 << 30):
                best[there], came[there] = further, (here, d)
                heapq.heappush(edge, (further, there))
    way = []
    while goal != walk.room:
        goal, d = came[goal]
        way.append(d)
    return way[::-1]
