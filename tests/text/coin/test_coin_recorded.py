"""Coin games that TextWorld made, and ours with doors that it played, recorded: the same score, end and commands.

`python benchmarks/text_cooking_coin.py record` writes the file, `... differential` compares many more, live.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.coin.dynamics import COMMANDS

GAMES = [json.loads(line) for line in (Path(__file__).parent / "golden" / "textworld.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("number", range(len(GAMES)))
def test_a_recorded_game_goes_as_textworld_played_it(number: int) -> None:
    game = GAMES[number]
    batch = Batch(make_simulator("text-coin-v0", level=300, max_steps=1000), 1, "text-coin-v0")
    every = np.ones(1, np.bool_)
    batch.seed(every, [0])
    batch.reset(every, instances={0: game["game"]})
    for command, listed, score, won, _ in game["steps"]:
        assert [COMMANDS[a] for a in np.flatnonzero(batch.masks[0][0, 0])] == listed
        batch.actions[0][0, 0] = COMMANDS.index(command)
        batch.step()
        assert (batch.out.reward[0, 0], batch.state.held[0]) == (score, won)


def test_the_record_has_doors_and_coins() -> None:
    commands = {step[0] for game in GAMES for step in game["steps"]}
    assert any(text.startswith("open door") for text in commands)
    assert "take coin" in commands
