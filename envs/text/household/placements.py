"""What stands in a room and what lies where: tables of our own, one line a class.

`STANDS[room]` lists receptacle classes as `Class least most weight`: every layout has `least`, none more than `most`,
and the rest is drawn by weight. `LIES[room]` lists object classes as `Class often: Receptacle weight ...`: how often
the class is met, and where; weight 0 says that it may be put there though nobody left it there. `HOLDS` is how many
objects a receptacle of a class holds at the start of a game (later there is no limit, as in ALFWorld).
"""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["HOLDS", "LIES", "STANDS", "Stand", "accepts", "lies", "stands"]

HOLDS = MappingProxyType({
    "ArmChair": 3, "BathtubBasin": 4, "Bed": 8, "Cabinet": 4, "Cart": 6, "CoffeeMachine": 1, "CoffeeTable": 8,
    "CounterTop": 14, "Desk": 10, "DiningTable": 14, "Drawer": 4, "Dresser": 8, "Fridge": 8, "GarbageCan": 4,
    "HandTowelHolder": 1, "LaundryHamper": 5, "Microwave": 2, "Ottoman": 3, "PaintingHanger": 0, "Safe": 3, "Shelf": 6,
    "SideTable": 6, "SinkBasin": 5, "Sofa": 6, "StoveBurner": 1, "Toaster": 1, "Toilet": 4, "ToiletPaperHanger": 1,
    "TowelHolder": 1, "TVStand": 6,
})  # fmt: skip

STANDS = MappingProxyType(
    {
        "kitchen": """
        CounterTop 1 3 4
        Fridge 1 1 1
        Microwave 1 1 1
        SinkBasin 1 1 1
        Cabinet 0 14 8
        Drawer 0 10 6
        StoveBurner 0 4 4
        GarbageCan 0 1 3
        CoffeeMachine 0 1 3
        Toaster 0 1 2
        DiningTable 0 2 3
        Shelf 0 4 2
        SideTable 0 2 1
        Cart 0 1 1
    """,
        "livingroom": """
        Sofa 1 2 1
        CoffeeTable 1 2 1
        SideTable 1 3 3
        ArmChair 0 3 4
        TVStand 0 1 4
        Shelf 0 8 4
        Drawer 0 10 5
        Cabinet 0 10 3
        Dresser 0 1 2
        DiningTable 0 1 3
        Desk 0 1 2
        Ottoman 0 1 2
        Safe 0 1 1
        GarbageCan 0 1 3
        PaintingHanger 0 2 1
    """,
        "bedroom": """
        Bed 1 2 1
        SideTable 1 3 3
        Desk 0 2 5
        Drawer 0 12 6
        Dresser 0 2 3
        Shelf 0 8 4
        Cabinet 0 6 2
        Safe 0 1 2
        LaundryHamper 0 1 2
        ArmChair 0 2 2
        Sofa 0 1 1
        CoffeeTable 0 1 1
        GarbageCan 0 1 3
        Ottoman 0 1 1
        PaintingHanger 0 1 1
    """,
        "bathroom": """
        SinkBasin 1 2 3
        Toilet 1 1 1
        CounterTop 1 2 2
        BathtubBasin 0 1 4
        ToiletPaperHanger 0 2 4
        TowelHolder 0 3 3
        HandTowelHolder 0 3 3
        Cabinet 0 12 6
        Drawer 0 10 4
        GarbageCan 0 1 4
        Shelf 0 4 2
        SideTable 0 2 1
        Cart 0 1 2
        LaundryHamper 0 1 2
    """,
    }
)

LIES = MappingProxyType(
    {
        "kitchen": """
        Apple 4: CounterTop 4 DiningTable 4 Fridge 5 SinkBasin 2 GarbageCan 1 Microwave 1 SideTable 1
        Bowl 3: Cabinet 4 CounterTop 3 DiningTable 2 Shelf 2 SinkBasin 2 Fridge 1 Microwave 0 SideTable 1
        Book 1: CounterTop 2 DiningTable 2 Shelf 2 SideTable 2 Cabinet 0 Drawer 0
        Bread 3: CounterTop 5 DiningTable 3 Fridge 2 Toaster 1 Microwave 0 GarbageCan 1 Cabinet 0
        ButterKnife 2: Drawer 4 CounterTop 4 DiningTable 3 SinkBasin 1 SideTable 0
        CellPhone 1: CounterTop 3 DiningTable 3 Shelf 1 SideTable 1 Drawer 0
        CreditCard 1: CounterTop 2 Drawer 2 DiningTable 1 Shelf 1 SideTable 1
        Cup 3: Cabinet 4 CounterTop 3 DiningTable 2 Fridge 2 SinkBasin 2 Shelf 2 Microwave 1 SideTable 1
        DishSponge 2: SinkBasin 4 CounterTop 3 Cabinet 2 Drawer 1 GarbageCan 1 Cart 1
        Egg 4: Fridge 5 CounterTop 3 DiningTable 1 SinkBasin 1 GarbageCan 1 Microwave 1
        Fork 3: Drawer 5 CounterTop 3 DiningTable 3 SinkBasin 2 SideTable 0
        Glassbottle 1: CounterTop 2 Fridge 2 Cabinet 2 GarbageCan 1 DiningTable 1 Shelf 1
        Kettle 2: StoveBurner 4 CounterTop 3 Cabinet 2 Shelf 1 SinkBasin 1 DiningTable 0
        Knife 3: Drawer 4 CounterTop 4 DiningTable 2 SinkBasin 2 SideTable 0
        Ladle 2: Drawer 4 CounterTop 3 DiningTable 1 SinkBasin 1 Cabinet 1
        Lettuce 3: Fridge 5 CounterTop 3 DiningTable 2 SinkBasin 1 GarbageCan 1
        Mug 4: CoffeeMachine 3 Cabinet 4 CounterTop 3 DiningTable 2 SinkBasin 2 Shelf 2 Microwave 1 Fridge 0 SideTable 1
        Pan 3: StoveBurner 5 Cabinet 3 CounterTop 3 SinkBasin 1 DiningTable 1 Fridge 0
        PaperTowelRoll 1: CounterTop 4 Cabinet 1 Shelf 1 GarbageCan 1 SideTable 1
        PepperShaker 2: CounterTop 4 Cabinet 3 Drawer 2 DiningTable 2 Shelf 2 SideTable 1 Cart 1
        Plate 3: Cabinet 4 CounterTop 3 DiningTable 3 Shelf 2 SinkBasin 2 Fridge 1 Microwave 1
        Pot 3: StoveBurner 5 Cabinet 3 CounterTop 2 SinkBasin 2 Fridge 1 DiningTable 0 Shelf 1
        Potato 4: CounterTop 4 Fridge 3 DiningTable 2 SinkBasin 2 GarbageCan 1 Microwave 1 Cabinet 0
        SaltShaker 2: CounterTop 4 Cabinet 3 Drawer 2 DiningTable 2 Shelf 2 SideTable 1 Cart 1
        SoapBottle 2: CounterTop 4 Cabinet 3 SinkBasin 1 Drawer 1 GarbageCan 1 Shelf 1 Cart 1
        Spatula 2: Drawer 4 CounterTop 3 SinkBasin 2 DiningTable 1
        Spoon 3: Drawer 5 CounterTop 3 DiningTable 3 SinkBasin 2 SideTable 0
        SprayBottle 1: Cabinet 3 CounterTop 2 GarbageCan 1 Cart 1 Shelf 1
        Statue 1: Shelf 2 DiningTable 1 CounterTop 1 SideTable 1
        Tomato 4: CounterTop 4 Fridge 4 DiningTable 2 SinkBasin 2 GarbageCan 1 Microwave 1
        Vase 1: Shelf 3 DiningTable 2 Cabinet 2 CounterTop 1 SideTable 1
        WineBottle 2: CounterTop 3 Fridge 2 Cabinet 2 DiningTable 2 GarbageCan 1 Shelf 1
    """,
        "livingroom": """
        BaseballBat 1: Sofa 2 ArmChair 1 CoffeeTable 1 Cabinet 0
        BasketBall 1: ArmChair 2 Sofa 2 Cabinet 1 Ottoman 1
        Book 3: Shelf 4 CoffeeTable 3 SideTable 3 Sofa 2 ArmChair 1 Desk 3 DiningTable 2 Drawer 2 Cabinet 1 Dresser 1 \
            Ottoman 1
        Boots 1: Cabinet 2 Sofa 1 Ottoman 1 ArmChair 1
        Bowl 1: DiningTable 3 CoffeeTable 3 Shelf 2 SideTable 1 Dresser 1 Cabinet 2
        Box 3: Sofa 3 ArmChair 2 CoffeeTable 3 DiningTable 2 Shelf 2 Cabinet 2 SideTable 2 Dresser 1 Desk 1 Drawer 0 \
            Ottoman 1
        Candle 1: Shelf 3 CoffeeTable 2 SideTable 2 DiningTable 2 Cabinet 1 Dresser 1
        CD 2: Drawer 3 Shelf 2 TVStand 3 Desk 2 SideTable 2 CoffeeTable 2 Safe 1 GarbageCan 1 Cabinet 0
        CellPhone 2: CoffeeTable 3 Sofa 3 ArmChair 2 SideTable 2 Drawer 2 Desk 2 Dresser 1 DiningTable 2 Safe 0
        CreditCard 3: CoffeeTable 3 ArmChair 2 Sofa 2 Drawer 2 SideTable 3 Dresser 2 Shelf 2 DiningTable 2 TVStand 2 \
            Safe 1 Desk 2
        DeskLamp 2: SideTable 4 Desk 4 Dresser 1 Shelf 1 CoffeeTable 1
        FloorLamp 2: SideTable 3 CoffeeTable 2 Dresser 1 TVStand 1 Shelf 1
        Glassbottle 1: CoffeeTable 2 DiningTable 2 Cabinet 2 SideTable 1 GarbageCan 2
        KeyChain 3: CoffeeTable 3 SideTable 3 Drawer 2 Sofa 2 ArmChair 2 Dresser 2 TVStand 2 Ottoman 1 Safe 1 Shelf 1 \
            DiningTable 1
        Laptop 2: CoffeeTable 4 Sofa 3 Desk 4 ArmChair 2 DiningTable 3 Ottoman 1 SideTable 1 TVStand 0
        Newspaper 2: CoffeeTable 4 Sofa 3 ArmChair 2 Ottoman 1 DiningTable 2 Shelf 1 GarbageCan 1 SideTable 2 \
            Cabinet 0 Drawer 1
        Pen 2: Desk 4 Drawer 3 SideTable 2 CoffeeTable 2 Shelf 1 GarbageCan 1 Dresser 1
        Pencil 2: Desk 4 Drawer 3 SideTable 2 CoffeeTable 2 Shelf 1 GarbageCan 1 Dresser 1
        Pillow 3: Sofa 5 ArmChair 4 Ottoman 2
        Plate 1: DiningTable 4 CoffeeTable 3 SideTable 1 Shelf 1 Cabinet 1
        RemoteControl 3: CoffeeTable 4 Sofa 4 TVStand 4 ArmChair 3 SideTable 2 Ottoman 1 Drawer 2 Dresser 1 \
            GarbageCan 0 Shelf 1
        Statue 2: Shelf 3 CoffeeTable 2 SideTable 2 TVStand 2 DiningTable 2 Dresser 2 Cabinet 1 Safe 1
        TennisRacket 1: Sofa 1 Cabinet 1 ArmChair 1 Dresser 0
        TissueBox 2: CoffeeTable 3 SideTable 3 Shelf 2 Drawer 1 DiningTable 1 Dresser 1 Desk 1 Cabinet 1
        Vase 2: Shelf 3 CoffeeTable 2 SideTable 2 DiningTable 2 Cabinet 2 TVStand 1 Dresser 1 Safe 1
        Watch 3: CoffeeTable 3 SideTable 3 Drawer 2 Shelf 2 Dresser 2 TVStand 2 DiningTable 1 Safe 2 Desk 1
        WateringCan 1: SideTable 2 CoffeeTable 1 Shelf 2 Cabinet 1 DiningTable 1
    """,
        "bedroom": """
        AlarmClock 3: SideTable 5 Desk 4 Dresser 3 Shelf 2 Drawer 1 CoffeeTable 1
        BaseballBat 1: Bed 2 Desk 1 ArmChair 1 Cabinet 1
        BasketBall 1: Bed 2 ArmChair 1 Cabinet 1 LaundryHamper 1 Ottoman 1
        Book 3: Bed 4 Desk 4 Shelf 4 SideTable 3 Drawer 2 Dresser 1 CoffeeTable 1 Cabinet 1 Sofa 1 ArmChair 1
        Boots 1: Cabinet 2 Bed 1 Ottoman 1 ArmChair 1
        Bowl 1: Desk 2 Shelf 2 Dresser 2 SideTable 1 CoffeeTable 1
        Box 2: Bed 2 Desk 2 Dresser 2 Shelf 2 SideTable 1 Cabinet 1 Sofa 1
        Candle 1: SideTable 2 Shelf 2 Dresser 2 Desk 1
        CD 3: Desk 4 Drawer 3 Shelf 3 SideTable 2 Dresser 2 Safe 2 GarbageCan 1 CoffeeTable 1 Cabinet 1
        CellPhone 3: Bed 3 Desk 4 SideTable 3 Dresser 2 Drawer 3 Safe 1 Shelf 2 ArmChair 1 Sofa 1
        Cloth 2: LaundryHamper 3 Dresser 2 Cabinet 2 Bed 1 Drawer 2
        CreditCard 3: Desk 3 SideTable 3 Dresser 2 Drawer 2 Shelf 2 Safe 1 Bed 1
        Cup 1: Desk 2 SideTable 2 Shelf 1 Dresser 1 CoffeeTable 1
        DeskLamp 3: Desk 5 SideTable 4 Dresser 2 Shelf 1
        FloorLamp 1: Dresser 2 SideTable 2 Desk 1 CoffeeTable 1
        KeyChain 3: Desk 2 SideTable 3 Dresser 2 Drawer 3 Shelf 2 Safe 2 ArmChair 1 Sofa 1 CoffeeTable 1
        Laptop 2: Bed 5 Desk 5 Dresser 1 Sofa 1 ArmChair 1 CoffeeTable 1 SideTable 0
        Mug 2: Desk 4 SideTable 2 Shelf 3 Dresser 2 Drawer 1 Safe 0 CoffeeTable 1
        Newspaper 1: Bed 2 Desk 1 SideTable 1 Drawer 1 GarbageCan 1 Sofa 1
        Pen 3: Desk 4 Drawer 3 SideTable 2 Shelf 2 Dresser 2 GarbageCan 1 CoffeeTable 1
        Pencil 3: Desk 4 Drawer 3 SideTable 2 Shelf 2 Dresser 2 GarbageCan 1 CoffeeTable 1
        Pillow 3: Bed 6 ArmChair 2 Sofa 2 Ottoman 1
        RemoteControl 1: Desk 2 Dresser 2 SideTable 2 Bed 1 Drawer 1 Sofa 1
        Statue 1: Shelf 3 Dresser 2 SideTable 1 Desk 1
        TeddyBear 2: Bed 5 Shelf 1 ArmChair 1 Sofa 1 LaundryHamper 0
        TennisRacket 1: Bed 2 Dresser 1 Cabinet 1 Desk 1
        TissueBox 2: SideTable 3 Dresser 2 Desk 2 Shelf 1 Drawer 1 Cabinet 1
        Vase 1: Shelf 3 Dresser 2 SideTable 1 Desk 1 Safe 1
        Watch 2: SideTable 3 Dresser 3 Drawer 3 Desk 2 Safe 2 Shelf 2
    """,
        "bathroom": """
        Candle 3: CounterTop 4 Toilet 3 Cabinet 2 BathtubBasin 1 Shelf 2 Drawer 1 Cart 2 SideTable 1
        Cloth 3: Cabinet 3 BathtubBasin 3 CounterTop 2 SinkBasin 2 LaundryHamper 2 Drawer 2 Cart 1 Toilet 0
        Cup 1: CounterTop 3 SinkBasin 3 Cabinet 1 Shelf 1
        DishSponge 2: BathtubBasin 2 SinkBasin 2 CounterTop 2 Toilet 2 Cabinet 2 Cart 1 GarbageCan 0
        HandTowel 4: HandTowelHolder 6 CounterTop 1 GarbageCan 1 Cabinet 1 SinkBasin 1 LaundryHamper 1
        Newspaper 1: Toilet 3 Cart 1 GarbageCan 1 Shelf 1
        PaperTowel 1: GarbageCan 2 CounterTop 2 Toilet 1 Cabinet 1
        PaperTowelRoll 1: CounterTop 3 Toilet 2 Cabinet 1 GarbageCan 1
        Plunger 2: Cabinet 3 Cart 2 BathtubBasin 1 CounterTop 0
        ScrubBrush 2: Cabinet 3 Cart 1 BathtubBasin 2 CounterTop 0
        SoapBar 5: SinkBasin 3 BathtubBasin 3 CounterTop 4 Toilet 2 Cabinet 2 Drawer 2 GarbageCan 1 Cart 2 SideTable 1
        SoapBottle 4: CounterTop 4 Toilet 3 Cabinet 3 Cart 2 Drawer 2 GarbageCan 1 Shelf 1 SinkBasin 1 SideTable 1
        SprayBottle 4: CounterTop 4 Toilet 3 Cabinet 3 Cart 2 Drawer 2 GarbageCan 1 Shelf 1 SideTable 1
        TissueBox 2: CounterTop 3 Toilet 3 Cabinet 1 Shelf 1 Cart 1 SideTable 1 Drawer 0
        ToiletPaper 4: ToiletPaperHanger 4 Toilet 4 Cabinet 3 CounterTop 2 Drawer 2 GarbageCan 1 Cart 1 SideTable 1
        ToiletPaperRoll 2: ToiletPaperHanger 2 GarbageCan 2 Toilet 2 CounterTop 1 Cabinet 1
        Towel 4: TowelHolder 6 CounterTop 1 BathtubBasin 1 Cabinet 1 LaundryHamper 2 Shelf 1
        Vase 1: Shelf 2 CounterTop 1 Cabinet 1
        Watch 1: CounterTop 2 Shelf 1 Drawer 1 SinkBasin 0
    """,
    }
)


class Stand(NamedTuple):
    """How many receptacles of a class a room has."""

    kind: str
    least: int
    most: int
    weight: int


@functools.cache
def stands(room: str) -> tuple[Stand, ...]:
    """The receptacle classes of a room, as the table lists them."""
    rows = (line.split() for line in STANDS[room].strip().splitlines())
    return tuple(Stand(kind, int(least), int(most), int(weight)) for kind, least, most, weight in rows)


@functools.cache
def lies(room: str) -> dict[str, tuple[int, dict[str, int]]]:
    """For each object class of a room: how often it is met, and its weights by receptacle class."""
    found = {}
    for line in LIES[room].strip().splitlines():
        head, _, tail = line.partition(":")
        kind, often = head.split()
        words = tail.split()
        found[kind] = int(often), {words[i]: int(words[i + 1]) for i in range(0, len(words), 2)}
    return found


@functools.cache
def accepts() -> dict[str, frozenset[str]]:
    """For each object class: the receptacle classes that may hold it, whatever the room."""
    found: dict[str, set[str]] = {}
    for room in LIES:
        for kind, (_, places) in lies(room).items():
            found.setdefault(kind, set()).update(places)
    return {kind: frozenset(places) for kind, places in found.items()}
