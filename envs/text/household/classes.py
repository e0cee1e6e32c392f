"""The classes of the field and what can be done with their members: one table, in the field's spelling.

Sources: ALFWorld's constants and the problem files made with them (Shridhar et al. 2021), as `specs` of the suite lists
them. Displayed names are the lower-case class and a number (`"cabinet 3"`).
"""

from __future__ import annotations

import functools

__all__ = [
    "CLEANABLE", "COOLABLE", "HEATABLE", "KNIVES", "MOVABLE_RECEPTACLES", "OBJECTS", "OPENABLE", "PROCESSES",
    "RECEPTACLES", "ROOMS", "SCENERY", "SLICEABLE", "TASKS", "TOGGLEABLE", "affordances",
]  # fmt: skip

ROOMS = ("kitchen", "livingroom", "bedroom", "bathroom")

TASKS = ("pick", "look", "clean", "heat", "cool", "pick_two")
"""The six task types, in the order of ALFWorld's numbers for them except that Look is its type 2."""

RECEPTACLES = (
    "ArmChair", "BathtubBasin", "Bed", "Cabinet", "Cart", "CoffeeMachine", "CoffeeTable", "CounterTop", "Desk",
    "DiningTable", "Drawer", "Dresser", "Fridge", "GarbageCan", "HandTowelHolder", "LaundryHamper", "Microwave",
    "Ottoman", "PaintingHanger", "Safe", "Shelf", "SideTable", "SinkBasin", "Sofa", "StoveBurner", "Toaster", "Toilet",
    "ToiletPaperHanger", "TowelHolder", "TVStand",
)  # fmt: skip
"""Classes that one can go to."""

MOVABLE_RECEPTACLES = ("Bowl", "Box", "Cup", "Mug", "Pan", "Plate", "Pot")
"""Objects that are receptacles too, though nothing can be put into them in a text game."""

OPENABLE = frozenset({"Fridge", "Cabinet", "Microwave", "Drawer", "Safe", "Box"})
KNIVES = frozenset({"Knife", "ButterKnife"})
TOGGLEABLE = frozenset({"DeskLamp", "FloorLamp"})
SLICEABLE = frozenset({"Apple", "Bread", "Egg", "Lettuce", "Potato", "Tomato"})
HEATABLE = frozenset({"Apple", "Bread", "Cup", "Egg", "Mug", "Plate", "Potato", "Tomato"})
COOLABLE = HEATABLE | {"Bowl", "Lettuce", "Pan", "Pot", "WineBottle"}
CLEANABLE = frozenset({
    "Apple", "Bowl", "ButterKnife", "Cloth", "Cup", "DishSponge", "Egg", "Fork", "Kettle", "Knife", "Ladle", "Lettuce",
    "Mug", "Pan", "Plate", "Pot", "Potato", "SoapBar", "Spatula", "Spoon", "Tomato",
})  # fmt: skip

PROCESSES = {"heat": "Microwave", "cool": "Fridge", "clean": "SinkBasin"}
"""What one does to a held object, and the class of receptacle that does it."""

OBJECTS = (
    "AlarmClock", "Apple", "BaseballBat", "BasketBall", "Book", "Boots", "Bowl", "Box", "Bread", "ButterKnife", "CD",
    "Candle", "CellPhone", "Cloth", "CreditCard", "Cup", "DeskLamp", "DishSponge", "Egg", "FloorLamp", "Fork",
    "Glassbottle", "HandTowel", "Kettle", "KeyChain", "Knife", "Ladle", "Laptop", "Lettuce", "Mug", "Newspaper", "Pan",
    "PaperTowel", "PaperTowelRoll", "Pen", "Pencil", "PepperShaker", "Pillow", "Plate", "Plunger", "Pot", "Potato",
    "RemoteControl", "SaltShaker", "ScrubBrush", "SoapBar", "SoapBottle", "Spatula", "Spoon", "SprayBottle", "Statue",
    "TeddyBear", "TennisRacket", "TissueBox", "ToiletPaper", "ToiletPaperRoll", "Tomato", "Towel", "Vase", "Watch",
    "WateringCan", "WineBottle",
)  # fmt: skip
"""Classes of things that lie in receptacles; all but the lamps can be picked up."""

SCENERY = (
    "Bathtub", "Blinds", "Chair", "Curtains", "Faucet", "Footstool", "HousePlant", "LaundryHamperLid", "LightSwitch",
    "Mirror", "Painting", "Poster", "ShowerDoor", "ShowerGlass", "Sink", "StoveKnob", "Television", "Window",
)  # fmt: skip
"""Classes of things that stand somewhere and are in no command."""


@functools.cache
def affordances(kind: str) -> tuple[str, ...]:
    """What can be done with an object of this class: names out of `instance.AFFORDANCES`, in their order."""
    known = {
        "pickupable": kind in OBJECTS and kind not in TOGGLEABLE,
        "heatable": kind in HEATABLE,
        "coolable": kind in COOLABLE,
        "cleanable": kind in CLEANABLE,
        "sliceable": kind in SLICEABLE,
        "toggleable": kind in TOGGLEABLE,
        "receptacle": kind in MOVABLE_RECEPTACLES,
    }
    return tuple(name for name, holds in known.items() if holds)
