"""The lean text loop plays the same episodes as the simulator and the adapters, and refuses what is no command."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, ConfigError
from ludarium.envs.core.language import commands
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.play import TextPlay


@pytest.mark.parametrize("world", ["text-coin-v0", "text-cooking-v0"])
def test_it_equals_the_simulator_and_leaks_nothing_from_game_to_game(world: str) -> None:
    play = TextPlay(world)
    for seed in (3, 4, 3):
        batch = Batch(make_simulator(world), 1, world)
        every = np.ones(1, np.bool_)
        batch.seed(every, [seed])
        batch.reset(every)
        text, listed = play.reset(seed)
        chance = random.Random(seed)
        for _ in range(40):
            assert text == batch.simulator.describe(batch.state, 0, 0)
            assert tuple(listed) == commands(batch.simulator, batch.state, 0, 0)
            assert listed == sorted(set(listed))
            command = chance.choice(listed if chance.random() < 0.8 else list(play.simulator.commands))
            text, listed, reward, done = play.step(f" {command.upper()} " if seed == 4 else command)
            batch.actions[0][0, 0] = play.simulator.commands.index(command)
            batch.step()
            assert (reward, done) == (batch.out.reward[0, 0], batch.over[0])
            if done:
                break


@pytest.mark.parametrize("world", ["text-coin-v0", "text-cooking-v0"])
def test_it_refuses_what_is_no_command_and_steps_out_of_order(world: str) -> None:
    play = TextPlay(world, max_steps=2)
    with pytest.raises(ActionError, match="reset"):
        play.step("look")
    first = play.reset(0)
    for wrong in ("", "fly", 7, None):
        with pytest.raises(ActionError):
            play.step(wrong)
    assert play.reset(0) == first
    play.step("look")
    assert play.step("look")[3]
    with pytest.raises(ActionError, match="over"):
        play.step("look")


def test_it_is_for_worlds_with_numbered_commands() -> None:
    with pytest.raises(ConfigError, match="no numbered commands"):
        TextPlay("mapf-v0")
