"""Masks of actions of several numbers, in all the forms in which environments give them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from ludarium.envs.core.laws import probe

APART: list[Any] = [[1, 0], [0, 1, 1]]
JOINED: list[Any] = [1, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("seats", "mask"), [(1, APART), (1, JOINED), (2, [APART, APART]), (2, JOINED * 2), (2, [JOINED, JOINED])]
)
def test_masks_come_nested_in_one_row_or_in_a_row_for_each_seat(seats: int, mask: Any) -> None:
    space = spaces.MultiDiscrete([2, 3]) if seats == 1 else spaces.MultiDiscrete([[2, 3]] * seats)
    assert probe.mask_fits(space, mask)
    assert probe.choices(space, mask) == APART * seats
    legal = [[0, 2], [0, 1]][:seats]
    assert probe.allowed(space, mask, legal if seats > 1 else legal[0])
    legal[-1] = [1, 1]
    assert not probe.allowed(space, mask, legal if seats > 1 else legal[0])


@pytest.mark.parametrize("second", [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
@pytest.mark.parametrize("mix", range(4))
@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.bool_, np.int64])
def test_masks_in_arrays_are_chosen_from_as_those_in_lists(kind: Any, mix: int, second: list[int]) -> None:
    space = spaces.MultiDiscrete([[5, 5, 5]] * 2)
    array = np.array([[1, 1, 1, 1, 1, *second, 0, 1, 1, 0, 1]] * 2, kind)
    one, other = (probe.Chooser({"key": 5, "mix": mix, "wild": 4}) for _ in range(2))
    plain, said = probe._like(array), set()
    assert probe.mask_fits(space, plain)
    for step in range(40):
        chosen, legal = one.choose(space, array.tolist(), step, 0, list)
        assert other.choose(space, array, step, 0, list) == (chosen, legal)
        said.add(probe.allowed(space, plain, chosen))
        assert (
            probe.allowed(space, plain, chosen)
            == probe.allowed(space, array.tolist(), chosen)
            == (legal and any(second))
        )
    assert said == ({False, True} if any(second) else {False})


def test_a_mask_of_too_few_seats_has_another_form() -> None:
    assert not probe.mask_fits(spaces.MultiDiscrete([[2, 3], [2, 3]]), [JOINED])
