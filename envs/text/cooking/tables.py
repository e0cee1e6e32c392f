"""What there is in the cooking games: rooms, doors, furniture, foods, and the actions with their commands.

Everything has one number in every game: an action, a cell of an observation and a name mean the same in all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "ACTIONS", "ADJACENT", "APPLIANCES", "BBQ", "COMMANDS", "CONTAINERS", "COOKBOOK", "COOKING", "CUTTING", "DIRECTIONS",
    "DOORS", "FOODS", "FOOD_COUNT", "FOOD_PLACES", "FOOD_SPLIT", "FOOD_TRAITS", "FURNITURE", "HOLDERS", "ITEMS",
    "ITEM_NAMES", "KITCHEN", "KNIFE", "MEAL", "RECIPE", "ROOMS", "ROOM_COUNT",
]  # fmt: skip

DIRECTIONS = ("east", "north", "south", "west")
"""In alphabetical order; the way back from direction d is 3 - d."""

ROOMS = (
    "kitchen", "larder", "parlour", "hallway", "guest room", "washroom",
    "woodshed", "orchard", "terrace", "front yard", "lane", "grocery",
)  # fmt: skip
"""A house of n rooms has the first n."""
ROOM_COUNT = len(ROOMS)
KITCHEN, LARDER, PARLOUR, HALLWAY, GUEST, WASHROOM, WOODSHED, ORCHARD, TERRACE, YARD, LANE, GROCERY = range(12)

_LINKS = (
    (KITCHEN, PARLOUR), (KITCHEN, TERRACE), (KITCHEN, HALLWAY), (KITCHEN, LARDER), (PARLOUR, GUEST), (PARLOUR, YARD),
    (PARLOUR, HALLWAY), (WASHROOM, HALLWAY), (GUEST, HALLWAY), (TERRACE, ORCHARD), (TERRACE, WOODSHED),
    (TERRACE, HALLWAY), (YARD, LANE), (YARD, HALLWAY), (LANE, GROCERY),
)  # fmt: skip
ADJACENT = np.zeros((ROOM_COUNT, ROOM_COUNT), np.bool_)
"""bool[R, R]: which rooms may lie side by side with a way between them."""
for _a, _b in _LINKS:
    ADJACENT[_a, _b] = ADJACENT[_b, _a] = True


class Door(NamedTuple):
    """A door, which is there where its rooms are joined."""

    name: str
    rooms: tuple[int, int]


DOORS = (
    Door("larder door", (LARDER, KITCHEN)), Door("garden door", (KITCHEN, TERRACE)),
    Door("back door", (HALLWAY, TERRACE)), Door("plank door", (TERRACE, WOODSHED)),
    Door("street door", (PARLOUR, YARD)), Door("front door", (HALLWAY, YARD)), Door("shop door", (GROCERY, LANE)),
)  # fmt: skip


class Furniture(NamedTuple):
    """A thing that stays in its room; `kind` is `supporter`, `container` or `neither`; `fixed`: in every such room."""

    name: str
    room: int
    kind: str
    fixed: bool


FURNITURE = (
    Furniture("table", KITCHEN, "supporter", True), Furniture("worktop", KITCHEN, "supporter", True),
    Furniture("fridge", KITCHEN, "container", True), Furniture("stove", KITCHEN, "supporter", True),
    Furniture("oven", KITCHEN, "container", True), Furniture("BBQ", TERRACE, "neither", True),
    Furniture("rack", LARDER, "supporter", True), Furniture("stall", GROCERY, "supporter", True),
    Furniture("bench", TERRACE, "supporter", False), Furniture("hammock", TERRACE, "supporter", False),
    Furniture("divan", PARLOUR, "supporter", False), Furniture("cot", GUEST, "supporter", False),
    Furniture("washstand", WASHROOM, "supporter", False), Furniture("workbench", WOODSHED, "supporter", False),
    Furniture("tool chest", WOODSHED, "container", False), Furniture("bookcase", HALLWAY, "supporter", False),
)  # fmt: skip
HOLDERS = len(FURNITURE)
TABLE, WORKTOP, FRIDGE, STOVE, OVEN, BBQ, RACK, STALL = range(8)
APPLIANCES = np.array([STOVE, OVEN, BBQ])
"""By way of cooking - 1: what fries, roasts and grills."""
CONTAINERS = np.array([h for h, f in enumerate(FURNITURE) if f.kind == "container"])
SUPPORTS = np.array([f.kind == "supporter" for f in FURNITURE])
CONTAINS = np.array([f.kind == "container" for f in FURNITURE])
FIXED = np.array([f.fixed for f in FURNITURE])
FURNITURE_ROOM = np.array([f.room for f in FURNITURE])

COOKING = ("raw", "fried", "roasted", "grilled")
CUTTING = ("uncut", "chopped", "sliced", "diced")
_CUT_VERBS = ("", "chop", "slice", "dice")

FLOOR_OF_ORCHARD = 100
_COLD, _ROOT, _SHOP, _DRY, _HERB = (
    (FRIDGE, FLOOR_OF_ORCHARD), (WORKTOP, FLOOR_OF_ORCHARD), (FRIDGE, STALL), (RACK, STALL), (FRIDGE, FLOOR_OF_ORCHARD),
)  # fmt: skip
NOT_COOKABLE, RAW, NEEDS_COOKING, COOKED, BURNED = range(5)
"""Stages of cooking: what needs cooking cannot be eaten before."""


class Food(NamedTuple):
    """A food: its stage of cooking at first, whether it can be cut, eaten and drunk, and where it may lie."""

    noun: str
    adjectives: tuple[str, str, str]
    stage: int
    cuttable: bool
    edible: bool
    drinkable: bool
    places: tuple[int, int]


_KINDS = (
    Food("carrot", ("purple", "baby", "yellow"), RAW, True, True, False, _COLD),
    Food("leek", ("young", "wild", "giant"), RAW, True, True, False, _COLD),
    Food("onion", ("brown", "pearl", "spring"), RAW, True, True, False, _COLD),
    Food("mushroom", ("button", "oyster", "forest"), RAW, True, True, False, _COLD),
    Food("cheese", ("goat", "blue", "smoked"), RAW, True, True, False, _SHOP),
    Food("apple", ("green", "rosy", "russet"), RAW, True, True, False, _ROOT),
    Food("tomato", ("cherry", "plum", "striped"), RAW, True, True, False, _ROOT),
    Food("potato", ("waxy", "sweet", "fingerling"), NEEDS_COOKING, True, False, False, _ROOT),
    Food("trout", ("river", "lake", "rainbow"), NEEDS_COOKING, True, False, False, _SHOP),
    Food("steak", ("rump", "flank", "sirloin"), NEEDS_COOKING, True, False, False, _SHOP),
    Food("egg", ("duck", "quail", "goose"), NEEDS_COOKING, False, False, False, _SHOP),
    Food("milk", ("oat", "almond", "coconut"), NOT_COOKABLE, False, False, True, _SHOP),
    Food("oil", ("walnut", "sesame", "sunflower"), NOT_COOKABLE, False, False, False, _DRY),
    Food("flour", ("rye", "spelt", "barley"), NOT_COOKABLE, False, True, False, _DRY),
    Food("basil", ("bush", "lemon", "holy"), NOT_COOKABLE, True, True, False, _HERB),
)
FOODS = tuple(f"{kind.adjectives[split]} {kind.noun}" for split in range(3) for kind in _KINDS)
"""All foods, those of `train` first, then `valid`, then `test`."""
FOOD_COUNT = len(FOODS)
FOOD_SPLIT = np.repeat(np.arange(3), len(_KINDS))
FOOD_TRAITS = np.array([(k.stage, k.cuttable, k.edible, k.drinkable) for _ in range(3) for k in _KINDS], np.int8)
"""int8[F, 4]: stage, cuttable, edible, drinkable"""
FOOD_PLACES = np.array([k.places for _ in range(3) for k in _KINDS], np.int64)
"""int[F, 2]: furniture, or 100 for the orchard's floor"""

KNIFE, COOKBOOK, MEAL = FOOD_COUNT, FOOD_COUNT + 1, FOOD_COUNT + 2
ITEMS = FOOD_COUNT + 3
ITEM_NAMES = (*FOODS, "knife", "cookbook", "meal")
DRINKABLE = np.array([*FOOD_TRAITS[:, 3], 0, 0, 0], np.bool_)
RECIPE = 5

VERBS = (
    LOOK, INVENTORY, PREPARE, GO, OPEN_DOOR, CLOSE_DOOR, OPEN, CLOSE, EXAMINE_ITEM, EXAMINE, TAKE, TAKE_FROM, DROP, PUT,
    COOK, CUT, EAT, DRINK,
) = range(18)  # fmt: skip


def _actions() -> list[tuple[str, int, int, int]]:
    """All actions: command, verb, first and second number."""
    rows = [("look", LOOK, 0, 0), ("inventory", INVENTORY, 0, 0), ("prepare meal", PREPARE, 0, 0)]
    rows += [(f"go {name}", GO, d, 0) for d, name in enumerate(DIRECTIONS)]
    for d, door in enumerate(DOORS):
        rows += [(f"open {door.name}", OPEN_DOOR, d, 0), (f"close {door.name}", CLOSE_DOOR, d, 0)]
    for h, piece in enumerate(FURNITURE):
        rows.append((f"examine {piece.name}", EXAMINE, h, 0))
        if piece.kind == "container":
            rows += [(f"open {piece.name}", OPEN, h, 0), (f"close {piece.name}", CLOSE, h, 0)]
    for i, name in enumerate(ITEM_NAMES):
        rows += [(f"examine {name}", EXAMINE_ITEM, i, 0), (f"take {name}", TAKE, i, 0), (f"drop {name}", DROP, i, 0)]
        for h, piece in enumerate(FURNITURE):
            if piece.kind != "neither":
                rows.append((f"take {name} from {piece.name}", TAKE_FROM, i, h))
                verb, word = ("put", "on") if piece.kind == "supporter" else ("insert", "into")
                rows.append((f"{verb} {name} {word} {piece.name}", PUT, i, h))
        if i < FOOD_COUNT or i == MEAL:
            rows += [(f"cook {name} with {FURNITURE[h].name}", COOK, i, a + 1) for a, h in enumerate(APPLIANCES)]
            rows.append((f"eat {name}", EAT, i, 0))
        if i < FOOD_COUNT:
            rows += [(f"{_CUT_VERBS[k]} {name} with knife", CUT, i, k) for k in (1, 2, 3)]
        if DRINKABLE[i]:
            rows.append((f"drink {name}", DRINK, i, 0))
    return sorted(rows)


ROWS = _actions()
ACTIONS = len(ROWS)
COMMANDS = tuple(row[0] for row in ROWS)
"""The command of each action: actions are numbered in the alphabetical order of their commands."""
VERB = np.array([row[1] for row in ROWS])
FIRST = np.array([row[2] for row in ROWS])
SECOND = np.array([row[3] for row in ROWS])
NUMBER = np.full((len(VERBS), ITEMS, HOLDERS), -1)
"""int[V, I, H]: the action of a verb and its two numbers, or -1"""
for _n, (_, _verb, _first, _second) in enumerate(ROWS):
    NUMBER[_verb, _first, _second] = _n
