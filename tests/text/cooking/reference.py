"""The cooking games again: plain and slow, from the rules alone, over names; a game is read from its JSON data."""

from __future__ import annotations

from typing import Any

from ludarium.envs.text.cooking.tables import DOORS, FOODS, FURNITURE, ITEM_NAMES, ROOMS

SIDES = ["east", "north", "south", "west"]
HEAT = {"stove": "fried", "oven": "roasted", "BBQ": "grilled"}
CUTS = {"chop": "chopped", "slice": "sliced", "dice": "diced"}
COOKINGS = ["raw", "fried", "roasted", "grilled"]
CUTTINGS = ["uncut", "chopped", "sliced", "diced", "none"]
STAGES = ["never", "raw", "needs cooking", "cooked", "burned"]
DRINKS = [name for name in FOODS if name.endswith(" milk")]
LIDDED = [piece.name for piece in FURNITURE if piece.kind == "container"]
OPEN_TOPPED = [piece.name for piece in FURNITURE if piece.kind == "supporter"]


class Reference:
    """One game. A thing is in a room, in or on furniture, in `hand`, or `gone`."""

    def __init__(self, data: dict[str, Any], max_steps: int) -> None:
        self.max_steps, self.limit = max_steps, data["limit"]
        self.room = ROOMS[data["room"]]
        self.ways: dict[tuple[str, str], tuple[str, str | None]] = {}
        for r, row in enumerate(data["exits"]):
            for side, other, door in zip(SIDES, row, data["doors"][r], strict=True):
                if other >= 0:
                    self.ways[ROOMS[r], side] = ROOMS[other], DOORS[door].name if door >= 0 else None
        self.furniture = {FURNITURE[h].name: ROOMS[r] for h, r in enumerate(data["home"]) if r >= 0}
        self.open = {FURNITURE[h].name for h, lid in enumerate(data["lids"]) if lid and FURNITURE[h].name in LIDDED}
        self.open |= {DOORS[d].name for d, is_open in enumerate(data["door_open"]) if is_open}
        self.at = {name: self._spot(data["where"][i]) for i, name in enumerate(ITEM_NAMES)}
        self.stage = {name: STAGES[data["stage"][i]] for i, name in enumerate(ITEM_NAMES)}
        self.cooking = {name: COOKINGS[data["way"][i]] for i, name in enumerate(ITEM_NAMES)}
        self.cutting = {name: CUTTINGS[data["cut"][i]] for i, name in enumerate(ITEM_NAMES)}
        self.edible = {name for i, name in enumerate(ITEM_NAMES) if data["edible"][i]}
        self.recipe = {
            ITEM_NAMES[food]: (COOKINGS[cook], CUTTINGS[cut]) for food, cook, cut in data["recipe"] if food >= 0
        }
        self.goals = {("eaten", "meal"), ("made", "meal")}
        for food, (cook, cut) in self.recipe.items():
            self.goals |= {("held", food)} if self.at[food] != "hand" else set()
            self.goals |= {("cooked", food)} if cook not in ("raw", self.cooking[food]) else set()
            self.goals |= {("cut", food)} if cut not in ("uncut", self.cutting[food]) else set()
        self.max_score = len(self.goals)
        self.score, self.steps, self.faults, self.won, self.lost = 0, 0, 0, False, False

    @staticmethod
    def _spot(code: int) -> str:
        return (
            ROOMS[code] if code < 12 else FURNITURE[code - 12].name if code < 28 else "hand" if code == 28 else "gone"
        )

    @property
    def over(self) -> bool:
        return self.won or self.lost or self.steps >= self.max_steps

    def in_sight(self, thing: str) -> bool:
        spot = self.at[thing]
        if spot in self.furniture:
            return self.furniture[spot] == self.room and (spot in OPEN_TOPPED or spot in self.open)
        return spot == self.room

    def ready(self) -> bool:
        def fits(food: str, cook: str, cut: str) -> bool:
            now = "uncut" if self.cutting[food] == "none" else self.cutting[food]
            return self.at[food] == "hand" and self.cooking[food] == cook and now == cut

        wanted = all(fits(food, cook, cut) for food, (cook, cut) in self.recipe.items())
        return self.room == "kitchen" and self.at["meal"] == "gone" and wanted

    def commands(self) -> list[str]:
        """The admissible commands, sorted."""
        found = {"look", "inventory"}
        here = [name for name, room in self.furniture.items() if room == self.room]
        for (room, side), (_, door) in self.ways.items():
            if room == self.room:
                if door is None or door in self.open:
                    found.add(f"go {side}")
                if door is not None:
                    found.add(f"{'close' if door in self.open else 'open'} {door}")
        for name in here:
            found.add(f"examine {name}")
            if name in LIDDED:
                found.add(f"{'close' if name in self.open else 'open'} {name}")
        hand = [name for name in ITEM_NAMES if self.at[name] == "hand"]
        for thing in ITEM_NAMES:
            if self.in_sight(thing):
                found.add(f"examine {thing}")
                if len(hand) < self.limit:
                    source = f" from {self.at[thing]}" if self.at[thing] in self.furniture else ""
                    found.add(f"take {thing}{source}")
        for thing in hand:
            found |= {f"examine {thing}", f"drop {thing}"}
            found |= {f"put {thing} on {name}" for name in here if name in OPEN_TOPPED}
            found |= {f"insert {thing} into {name}" for name in here if name in LIDDED and name in self.open}
            if self.stage[thing] in ("raw", "needs cooking", "cooked"):
                found |= {f"cook {thing} with {name}" for name in here if name in HEAT}
            if "knife" in hand and self.cutting[thing] == "uncut":
                found |= {f"{verb} {thing} with knife" for verb in CUTS}
            if thing in self.edible:
                found.add(f"eat {thing}")
            if thing in DRINKS:
                found.add(f"drink {thing}")
        if self.ready():
            found.add("prepare meal")
        return sorted(found)

    def reach(self, goal: tuple[str, str]) -> int:
        """One point, the first time that a goal of this game is reached."""
        if goal not in self.goals:
            return 0
        self.goals.remove(goal)
        self.score += 1
        return 1

    def step(self, command: str) -> tuple[float, bool]:
        """Reward, and whether the command was admissible."""
        self.steps += 1
        if command not in self.commands():
            self.faults += 1
            return 0.0, False
        verb, _, rest = command.partition(" ")
        if verb == "go":
            self.room = self.ways[self.room, rest][0]
        elif verb == "open":
            self.open.add(rest)
        elif verb == "close":
            self.open.remove(rest)
        elif verb == "drop":
            self.at[rest] = self.room
        elif verb in ("put", "insert"):
            thing, _, spot = rest.partition(" on " if verb == "put" else " into ")
            self.at[thing] = spot
        elif verb == "take":
            thing = rest.partition(" from ")[0]
            self.at[thing] = "hand"
            return self.reach(("held", thing)), True
        elif verb == "cook":
            return self.cook(*rest.split(" with ")), True
        elif verb in CUTS:
            thing = rest.removesuffix(" with knife")
            self.cutting[thing] = CUTS[verb]
            if thing in self.recipe:
                if self.recipe[thing][1] != CUTS[verb]:
                    self.lost = True
                    return 0, True
                return self.reach(("cut", thing)), True
        elif verb in ("eat", "drink"):
            self.at[rest] = "gone"
            self.lost = rest in self.recipe
            self.won = rest == "meal"
            return self.reach(("eaten", rest)), True
        elif verb == "prepare":
            for food in self.recipe:
                self.at[food] = "gone"
            self.at["meal"] = "hand"
            return self.reach(("made", "meal")), True
        return 0.0, True

    def cook(self, thing: str, appliance: str) -> float:
        if self.stage[thing] == "cooked":
            self.stage[thing] = "burned"
            self.edible.discard(thing)
            self.lost = thing in self.recipe or thing == "meal"
            return 0.0
        self.stage[thing], self.cooking[thing] = "cooked", HEAT[appliance]
        self.edible.add(thing)
        if thing in self.recipe and self.recipe[thing][0] != HEAT[appliance]:
            self.lost = True
            return 0.0
        return self.reach(("cooked", thing))
