"""TextWorld's cooking games as ours: its facts become an instance, its commands our commands, by verb and things."""

from __future__ import annotations

import re
from typing import Any

from ludarium.envs.text.cooking import tables as t

ROOMS = (
    "kitchen", "pantry", "livingroom", "corridor", "bedroom", "bathroom", "shed", "garden", "backyard", "driveway",
    "street", "supermarket",
)  # fmt: skip
FURNITURE = (
    "table", "counter", "fridge", "stove", "oven", "BBQ", "shelf", "showcase", "patio table", "patio chair", "sofa", "bed",
    "toilet", "workbench", "toolbox",
)  # fmt: skip
OF = re.compile(r"(east|north|south|west)_of$")
DRINKS = [i for i in range(t.FOOD_COUNT) if t.DRINKABLE[i]]
OTHERS = [i for i in range(t.FOOD_COUNT) if not t.DRINKABLE[i]]


def words_of(command: str, names: dict[str, str]) -> str:
    """A command with its things renamed."""
    for pattern in (r"(take) (.+?) (from) (.+)", r"(insert) (.+?) (into) (.+)", r"(put) (.+?) (on) (.+)",
                    r"(cook|slice|dice|chop) (.+?) (with) (.+)"):  # fmt: skip
        found = re.fullmatch(pattern, command)
        if found:
            verb, thing, word, other = found.groups()
            return f"{verb} {names[thing]} {word} {names[other]}"
    verb, _, rest = command.partition(" ")
    return f"{verb} {names.get(rest, rest)}".strip()


def _named(facts: list[list[str]]) -> dict[str, str]:
    """Their names to ours: rooms, furniture, doors by what they join, and foods in any order."""
    names = {theirs: t.ROOMS[n] for n, theirs in enumerate(ROOMS)}
    names |= {theirs: t.FURNITURE[n].name for n, theirs in enumerate(FURNITURE)}
    names |= {"knife": "knife", "cookbook": "cookbook", "meal": "meal"}
    for predicate, *words in facts:
        if predicate == "link" and len(words) == 3:
            ends = {ROOMS.index(words[0]), ROOMS.index(words[2])}
            names[words[1]] = next(door.name for door in t.DOORS if set(door.rooms) == ends)
    drinks = {words[0] for predicate, *words in facts if predicate == "drinkable"}
    traits = {"raw", "edible", "inedible", "needs_cooking", "uncut", "cooked"}
    foods = sorted({words[0] for predicate, *words in facts if predicate in traits} - set(names))
    foods = [name for name in foods if not name.startswith("ingredient_")]
    free = {True: list(DRINKS), False: list(OTHERS)}
    for name in foods:
        names[name] = t.ITEM_NAMES[free[name in drinks].pop(0)]
    return names


def cooking_instance(facts: list[list[str]]) -> tuple[dict[str, Any], dict[str, str]]:
    """An instance (JSON data) of their facts, and their names with ours."""
    names = _named(facts)
    item = {name: t.ITEM_NAMES.index(ours) for name, ours in names.items() if ours in t.ITEM_NAMES}
    room = {name: n for n, name in enumerate(ROOMS)}
    piece = {name: n for n, name in enumerate(FURNITURE)}
    door = {name: next(n for n, d in enumerate(t.DOORS) if d.name == ours) for name, ours in names.items()
            if any(d.name == ours for d in t.DOORS)}  # fmt: skip
    data: dict[str, Any] = {
        "exits": [[-1] * 4 for _ in ROOMS], "doors": [[-1] * 4 for _ in ROOMS], "places": [[0, 0] for _ in ROOMS],
        "home": [-1] * t.HOLDERS, "lids": [0] * t.HOLDERS, "door_open": [0] * len(t.DOORS), "where": [29] * t.ITEMS,
        "stage": [0] * t.ITEMS, "way": [0] * t.ITEMS, "cut": [4] * t.ITEMS, "edible": [0] * t.ITEMS, "room": 0,
        "limit": sum(f[0] in ("free", "used") and f[1].startswith("slot") for f in facts) or 48, "recipe": [],
    }  # fmt: skip
    recipe: dict[str, list[Any]] = {}
    links = []
    for predicate, *words in facts:
        first, side = words[0], OF.match(predicate)
        if side:
            d = t.DIRECTIONS.index(side.group(1))
            data["exits"][room[words[1]]][d] = room[first]
            data["exits"][room[first]][3 - d] = room[words[1]]
        elif predicate == "link":
            links.append((room[first], door[words[1]], room[words[2]]))
        elif predicate in ("at", "in", "on") and first in item:
            spot = words[1]
            data["where"][item[first]] = 28 if spot == "I" else room[spot] if spot in room else 12 + piece[spot]
        elif predicate == "at" and first == "P":
            data["room"] = room[words[1]]
        elif predicate == "at" and first in piece:
            data["home"][piece[first]] = room[words[1]]
        elif predicate == "open":
            if first in door:
                data["door_open"][door[first]] = 1
            elif names[first] in [t.FURNITURE[h].name for h in t.CONTAINERS]:
                data["lids"][piece[first]] = 1
        elif predicate == "edible" and first in item:
            data["edible"][item[first]] = 1
        elif predicate in ("raw", "needs_cooking", "cooked") and first in item:
            data["stage"][item[first]] = {"raw": t.RAW, "needs_cooking": t.NEEDS_COOKING, "cooked": t.COOKED}[predicate]
        elif predicate in t.COOKING and first in item:
            data["way"][item[first]] = t.COOKING.index(predicate)
        elif predicate in t.CUTTING and first in item:
            data["cut"][item[first]] = t.CUTTING.index(predicate)
        elif predicate == "base":
            recipe.setdefault(words[1], [0, 0, 0])[0] = item[first]
        if first.startswith("ingredient_") and predicate in t.COOKING:
            recipe.setdefault(first, [0, 0, 0])[1] = t.COOKING.index(predicate)
        elif first.startswith("ingredient_") and predicate in t.CUTTING:
            recipe.setdefault(first, [0, 0, 0])[2] = t.CUTTING.index(predicate)
    for a, d, b in links:
        data["doors"][a][data["exits"][a].index(b)] = d
    data["stage"][t.MEAL], data["edible"][t.MEAL], data["where"][t.MEAL] = t.RAW, 1, 29
    data["recipe"] = [*sorted(recipe.values()), *[[-1, -1, -1]] * (5 - len(recipe))]
    _spread(data)
    return data, names


def _spread(data: dict[str, Any]) -> None:
    """Places of the rooms, for the picture: by walking from the kitchen."""
    step = ((1, 0), (0, -1), (0, 1), (-1, 0))
    seen, edge = {0}, [0]
    while edge:
        here = edge.pop()
        for d, there in enumerate(data["exits"][here]):
            if there >= 0 and there not in seen:
                seen.add(there)
                edge.append(there)
                data["places"][there] = [data["places"][here][k] + step[d][k] for k in (0, 1)]
