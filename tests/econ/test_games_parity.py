"""Words, tool calls and arrays are one game: the same choices lead to one digest; and batches equal single games."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from econ.games_kit import begun, sound

from ludarium.envs.core.language import parse
from ludarium.envs.core.simulator import Choice

CASES: list[tuple[str, dict[str, Any]]] = [
    ("econ-oligopoly-v0", {"max_change": 2}), ("econ-oligopoly-v0", {"game": "cournot", "firms": 3, "cost_spread": 900}),
    ("econ-publicgoods-v0", {"punishment": True, "endowment_spread": 3}), ("econ-auction-v0", {"budget": 30_000}),
    ("econ-auction-v0", {"form": "water", "bidders": 5, "step": 500}), ("econ-bargain-v0", {"game": "multi-issue", "units": 3}),
    ("econ-exchange-v0", {}), ("econ-exchange-v0", {"kind": "cara"}),
]  # fmt: skip


def as_command(choice: Choice) -> str:
    """The choice as it is listed."""
    return choice.text


def as_call(choice: Choice) -> str:
    """The choice as a tool call."""
    return json.dumps({"name": choice.verb, "arguments": choice.arguments})


@pytest.mark.parametrize(("world", "options"), CASES)
@pytest.mark.parametrize("form", [as_command, as_call])
def test_words_and_tool_calls_lead_to_the_digest_of_arrays(world: str, options: dict[str, Any], form: Any) -> None:
    arrays, words = begun(world, seed=5, **options), begun(world, seed=5, **options)
    rng = np.random.default_rng(0)
    for _ in range(25):
        if arrays.over[0]:
            break
        simulator, given = arrays.simulator, np.zeros(arrays.actions[0].shape, np.int64)
        said = given.copy()
        for seat in np.flatnonzero(arrays.asked[0]):
            menu = simulator.menu(arrays.state, 0, int(seat))
            assert menu
            mask = arrays.masks[0]
            assert mask is not None
            assert sorted(choice.action for choice in menu) == np.flatnonzero(mask[0, seat]).tolist()
            choice = menu[rng.integers(len(menu))]
            given[0, seat] = choice.action
            said[0, seat] = parse(words.simulator, words.state, 0, int(seat), form(choice))
            assert simulator.describe(arrays.state, 0, int(seat))
        arrays.put(0, given)
        words.put(0, said)
        arrays.step()
        words.step()
        assert not arrays.out.fault.any()  # what is listed and allowed is in order
        assert arrays.digest() == words.digest()
    sound(arrays)


@pytest.mark.parametrize(("world", "options"), CASES)
def test_each_seat_has_rules_pictures_and_a_full_view(world: str, options: dict[str, Any]) -> None:
    batch = begun(world, rows=2, **options)
    rules = batch.simulator.rules()
    assert rules
    for _ in range(6):
        scene = batch.simulator.scene(batch.state, 1)
        assert scene.shapes
        assert scene.caption
        json.dumps(batch.simulator.full(batch.state, 1))
        if batch.over.all():
            break
        batch.step()
