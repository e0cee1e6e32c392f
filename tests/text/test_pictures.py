"""Pictures of coin and cooking games show what was seen, and nothing of what is hidden."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from text.desk.table_of_agents import talk

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.scene import Label


def shown(simulator: Any, state: Any) -> str:
    return repr([simulator.scene(state, 0), simulator.scene(state, 0).caption])


def begun(world: str, seed: int, data: dict[str, Any], **options: Any) -> Batch:
    batch = Batch(make_simulator(world, **options), 1, world)
    batch.seed(np.ones(1, np.bool_), [seed])
    batch.reset(np.ones(1, np.bool_), instances={0: data})
    return batch


def test_a_coin_in_another_room_is_not_shown_nor_are_rooms_not_yet_seen() -> None:
    for seed in range(5):
        given = make_simulator("text-coin-v0", level=105).instance(seed).as_data()
        pictures = set()
        for coin in range(1, len(given["exits"])):
            batch = begun("text-coin-v0", seed, {**given, "coin": coin}, level=105)
            pictures.add(shown(batch.simulator, batch.state))
        assert len(pictures) == 1
        ids = [getattr(shape, "id", "") for shape in batch.simulator.scene(batch.state, 0).shapes]
        assert sum(name.startswith("room_") for name in ids) == 1


@pytest.mark.parametrize("go", [1, 12])
def test_what_is_out_of_sight_is_not_in_a_picture_of_a_kitchen(go: int) -> None:
    for seed in range(5):
        given = make_simulator("text-cooking-v0", go=go, split="all").instance(seed).as_data()
        away = [14, 16, *(r for r in range(1, go) if r != given["room"])]
        pictures = set()
        for trial in range(4):
            chance = random.Random(trial)
            where = [chance.choice(away) if at in away and i < 45 else at for i, at in enumerate(given["where"])]
            batch = begun("text-cooking-v0", seed, {**given, "where": where}, go=go, split="all")
            pictures.add(shown(batch.simulator, batch.state))
        assert len(pictures) == 1


def test_rooms_stay_in_the_picture_once_seen() -> None:
    batch = begun("text-coin-v0", 0, make_simulator("text-coin-v0", level=10).instance(0).as_data(), level=10)
    for steps in range(4):
        ids = [getattr(shape, "id", "") for shape in batch.simulator.scene(batch.state, 0).shapes]
        assert sum(name.startswith("room_") for name in ids) == steps + 1
        full = batch.simulator.full(batch.state, 0)
        d = full["exits"][full["room"]].index(full["room"] + 1)
        batch.actions[0][0, 0] = 5 + d
        batch.step()


@pytest.mark.parametrize("domain", ["retail", "travel", "telecom"])
def test_the_desk_is_readable_in_every_font_and_keeps_to_its_columns(domain: str) -> None:
    batch = talk("desk-expert", 3, domain=domain)
    scene = batch.simulator.scene(batch.state, 0)
    labels = [shape for shape in scene.shapes if isinstance(shape, Label)]
    left, right = ([label for label in labels if (label.x < 28) == side] for side in (True, False))
    assert left
    assert right
    assert not set("{}[]") & set("".join(label.text for label in labels))
    for column, room in ((left, 27.0), (right, 15.7)):
        assert max(len(label.text) for label in column) * 0.6 <= room  # the pixel font's widest advance at this size
    assert "touched" not in scene.words
    assert len({label.y for label in left}) == len(left)
