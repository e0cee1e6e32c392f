"""Layouts and placement tables: rich enough, consistent, and disjoint by split."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ludarium.envs.text.household.classes import OBJECTS, OPENABLE, RECEPTACLES, ROOMS, TASKS
from ludarium.envs.text.household.placements import HOLDS, accepts, lies, stands
from ludarium.envs.text.household.rooms import COMMON, LAYOUTS, combinations, layout, layouts_of, owner
from ludarium.envs.text.household.wishes import least_room, rooms_of

SIZE = 14


def looks(room, number, size=SIZE):
    """What tells one layout from another: its classes."""
    return tuple(place.kind for place in layout(room, number, size).receptacles)


def test_every_class_of_the_field_is_in_some_room():
    assert {row.kind for room in ROOMS for row in stands(room)} == set(RECEPTACLES)
    assert {kind for room in ROOMS for kind in lies(room)} == set(OBJECTS)
    assert set(HOLDS) == set(RECEPTACLES)


@pytest.mark.parametrize("room", ROOMS)
def test_things_lie_only_where_the_room_has_places(room):
    there = {row.kind for row in stands(room)}
    for kind, (often, places) in lies(room).items():
        assert set(places) <= there, kind
        assert often > 0
        assert any(weight > 0 and HOLDS[place] for place, weight in places.items()), kind
        assert set(places) <= accepts()[kind]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_thirty_layouts_in_train_and_others_in_unseen(room):
    train = {looks(room, number) for number in layouts_of("train")}
    unseen = {looks(room, number) for number in layouts_of("unseen")}
    assert len(train) >= 30
    assert not train & unseen
    assert layouts_of("seen") == layouts_of("train") == range(COMMON)
    assert layouts_of("unseen") == range(COMMON, LAYOUTS)


@pytest.mark.parametrize("size", [5, 14, 40])
@pytest.mark.parametrize("room", ROOMS)
def test_a_layout_keeps_to_the_table(room, size):
    for number in range(0, LAYOUTS, 7):
        found = layout(room, number, size)
        kinds = [place.kind for place in found.receptacles]
        assert len(kinds) == size
        for row in stands(room):
            assert row.least <= kinds.count(row.kind) <= row.most
        assert {place.kind for place in found.receptacles if place.openable} <= OPENABLE
        used = {place.location for place in found.receptacles}
        assert used == set(range(found.locations - 1)), "the last location is the middle of the room"


@pytest.mark.parametrize("size", [5, 14, 40])
@pytest.mark.parametrize("room", ROOMS)
def test_no_layout_holds_less_than_the_config_reckons_with(room, size):
    least = sum(least_room(room, size).values())
    for number in range(LAYOUTS):
        assert sum(holds for holds in layout(room, number, size).holds if holds > 1) >= least


def test_a_config_is_checked_without_the_compiler():
    words = "import sys; from ludarium.envs.text.household.config import HouseholdConfig as C; C(); print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_listing_order_is_class_ascending_and_number_descending():
    names = [(place.kind.lower(), -place.number) for place in layout("kitchen", 3, 20).receptacles]
    assert names == sorted(names)


@pytest.mark.parametrize("sliced", [False, True])
def test_pairs_of_classes_are_disjoint_and_both_sides_have_some(sliced):
    for task in TASKS:
        for room in rooms_of(task):
            if sliced and (room != "kitchen" or task in ("look", "pick_two")):
                continue
            train, unseen = (set(combinations(task, room, split, sliced)) for split in ("train", "unseen"))
            assert train
            assert unseen
            assert not train & unseen
            assert combinations(task, room, "seen", sliced) == combinations(task, room, "train", sliced)


def test_a_pair_of_classes_has_one_owner_whatever_the_room():
    assert owner("pick", "Mug", "Shelf") == owner("pick", "Mug", "Shelf")
    shares = [owner(task, kind, place) for task in TASKS for kind in OBJECTS for place in RECEPTACLES]
    assert 0.2 < shares.count("unseen") / len(shares) < 0.3
