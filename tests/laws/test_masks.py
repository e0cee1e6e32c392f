"""Masks of actions of several numbers, in all the forms in which environments give them."""

from __future__ import annotations

from typing import Any

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


def test_a_mask_of_too_few_seats_has_another_form() -> None:
    assert not probe.mask_fits(spaces.MultiDiscrete([[2, 3], [2, 3]]), [JOINED])
