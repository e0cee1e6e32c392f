"""Steps are labelled by the shortest plan: all good along the oracle's, and the step that loses a game is found."""

from __future__ import annotations

import numpy as np
import pytest

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.labels import labels_of, plan_lengths


def begun(world: str, **options: object) -> Batch:
    batch = Batch(make_simulator(world, **options), 1, world)
    batch.seed(np.ones(1, np.bool_), [5])
    batch.reset(np.ones(1, np.bool_))
    return batch


def play(batch: Batch, *commands: str) -> None:
    for command in commands:
        batch.actions[0][0, 0] = batch.simulator.commands.index(command)
        batch.step()


@pytest.mark.parametrize("world", ["text-coin-v0", "text-cooking-v0"])
def test_the_oracle_takes_good_steps_only_and_looking_is_wasteful(world: str) -> None:
    batch = begun(world)
    play(batch, "look")
    crew = Crew(batch, [(make_agent(world.split("-")[1] + "-oracle"), batch.simulator.seats)])
    crew.start(0)
    while not batch.over[0]:
        crew.act()
        batch.step()
    left, labels = plan_lengths(batch.trace()), labels_of(batch.trace())
    assert left == (left[0], *range(left[0], -1, -1))
    assert labels.good == (False, *[True] * left[0])
    assert (labels.first_wasteful, labels.first_lost) == (0, -1)
    assert labels.efficiency == left[0] / (left[0] + 1)


def test_the_step_that_loses_a_game_is_found() -> None:
    batch = begun("text-cooking-v0", go=1, recipe=1, take=0, open=False, cut=False)
    food, cooking, _ = batch.simulator.instance(5).recipe[0]
    name = batch.simulator.full(batch.state, 0)["recipe"][0, 0]
    assert name == food
    text = [c for c in batch.simulator.commands if c.startswith("cook ")]
    foods = sorted({c.split(" with ")[0] for c in text})
    held = next(c for c in foods if f"{c} with oven" in listed(batch))
    play(batch, "look", f"{held} with {'oven' if cooking == 1 else 'stove'}")
    assert labels_of(batch.trace()).first_lost == 1
    assert labels_of(batch.trace()).efficiency == 0.0


def listed(batch: Batch) -> set[str]:
    return {batch.simulator.commands[a] for a in np.flatnonzero(batch.masks[0][0, 0])}


def test_worlds_without_an_oracle_say_so() -> None:
    batch = begun("mapf-v0", num_robots=1)
    with pytest.raises(NotClaimedError, match="no shortest plans"):
        labels_of(batch.trace())
