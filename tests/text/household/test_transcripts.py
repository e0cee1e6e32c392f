"""Games of our own as TextWorld 1.7.0 played them, step by step; the whole comparison is `benchmarks/text_household.py`."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ludarium.envs.core.batch import Batch
from ludarium.envs.text.household.formats import config_for, find_games, load_game
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.simulator import Household

HERE = Path(__file__).parent
RECORDED = sorted((HERE / "transcripts").glob("*.json.gz"))
REAL = Path(os.environ.get("LUDARIUM_ALFWORLD", HERE.parents[3] / "shared" / "data" / "text" / "alfworld"))


def begun(house: House, dialect: str) -> Batch:
    batch = Batch(Household(config_for([house], dialect=dialect, max_steps=10_000)), 1, "text-household-v0")
    every = np.ones(1, np.bool_)
    batch.seed(every, [0])
    batch.reset(every, {0: house})
    return batch


def test_there_are_transcripts() -> None:
    assert 6 <= len(RECORDED) <= 12
    assert sum(path.stat().st_size for path in RECORDED) < 400_000


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_text_and_every_list_is_what_textworld_said(path: Path) -> None:
    data = json.loads(gzip.decompress(path.read_bytes()))
    batch = begun(House.from_data(data["house"]), data["dialect"])
    simulator: Any = batch.simulator
    for step in data["steps"]:
        menu = {choice.text: choice.action for choice in simulator.menu(batch.state, 0, 0)}
        assert simulator.describe(batch.state, 0, 0) == step["text"]
        assert list(menu) == step["admissible"]
        assert bool(batch.state.won[0]) == step["won"]
        if step["command"] is not None:
            batch.actions[0][0, 0] = menu.get(step["command"], simulator.actions - 1)
            batch.state.over[:], batch.state.live[:] = False, True  # TextWorld goes on after the goal is reached
            batch.step()


def test_the_transcripts_reach_every_command_and_both_dialects() -> None:
    said, dialects, won, beside = set(), set(), 0, 0
    for path in RECORDED:
        data = json.loads(gzip.decompress(path.read_bytes()))
        dialects.add(data["dialect"])
        won += any(step["won"] for step in data["steps"])
        beside += sum("Next to it, you see a " in step["text"] for step in data["steps"])
        said |= {
            step["command"].split()[0]
            for step, after in zip(data["steps"], data["steps"][1:], strict=False)
            if after["text"] != "Nothing happens."
        }
    wanted = {"go", "open", "close", "take", "move", "put", "heat", "cool", "clean", "use", "slice", "examine", "inventory",
              "look", "help"}  # fmt: skip
    assert said == wanted
    assert dialects == {"0.3", "0.4"}
    assert won >= 6
    assert beside >= 2  # what was moved from one receptacle to another of the same location


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no ALFWorld folder at {REAL} (LUDARIUM_ALFWORLD)")
def test_the_real_trial_loads_and_can_be_won() -> None:
    """ALFWorld's own expert needs fourteen commands, for it must search."""
    files, skipped = find_games(REAL)
    assert files
    assert not skipped
    game = load_game(files[0])
    assert (game.dialect, game.agrees) == ("0.4", True)
    assert game.house.sentence == "put a hot potato in sinkbasin"
    assert [len(game.house.receptacles), len(game.house.objects), game.house.locations] == [20, 53, 24]
    assert sum("pickupable" in item.can for item in game.house.objects) == 43
    batch = begun(game.house, game.dialect)
    simulator: Any = batch.simulator
    for command in (
        "go to countertop 2", "take potato 2 from countertop 2", "go to microwave 1", "heat potato 2 with microwave 1",
        "go to sinkbasin 1", "move potato 2 to sinkbasin 1",
    ):  # fmt: skip
        menu = {choice.text: choice.action for choice in simulator.menu(batch.state, 0, 0)}
        batch.actions[0][0, 0] = menu[command]
        batch.step()
    assert batch.state.won[0]


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no ALFWorld folder at {REAL} (LUDARIUM_ALFWORLD)")
def test_a_thing_that_two_receptacles_list_stays_in_the_other() -> None:
    """The mug is on the countertop and in the coffee machine, which share a location."""
    house = load_game(find_games(REAL)[0][0]).house
    mug = next(item for item in house.objects if len(item.places) == 2)
    names = [house.receptacles[place].name for place in mug.places]
    batch = begun(house, "0.4")
    simulator: Any = batch.simulator

    def say(command: str) -> list[str]:
        menu = {choice.text: choice.action for choice in simulator.menu(batch.state, 0, 0)}
        batch.actions[0][0, 0] = menu[command]
        batch.step()
        return [choice.text for choice in simulator.menu(batch.state, 0, 0)]

    listed = say(f"go to {names[0]}")
    takes = [f"take {mug.name} from {name}" for name in names]
    assert set(takes) <= set(listed)
    say(takes[0])
    say(f"examine {names[0]}")
    assert mug.name not in simulator.describe(batch.state, 0, 0)
    say(f"examine {names[1]}")
    assert mug.name in simulator.describe(batch.state, 0, 0)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no ALFWorld folder at {REAL} (LUDARIUM_ALFWORLD)")
def test_the_real_trial_is_a_pool_of_one() -> None:
    house = load_game(find_games(REAL)[0][0]).house
    simulator = Household(config_for([house], games=str(REAL)))
    assert [known.hash for known in simulator.houses] == [house.hash]
