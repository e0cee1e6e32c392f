"""The coin games against the plain reference, against brute force, and against what their maps promise."""

from __future__ import annotations

import itertools
import random
from collections import deque
from typing import Any

import numpy as np
import pytest
from text.coin.reference import Reference

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError
from ludarium.envs.core.language import commands, parse
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.coin import dynamics, language
from ludarium.envs.text.coin.plan import shortest_plan

ROWS = 20 if DISABLED else 850
CASES = [
    (level, mode, doors) for level in (1, 2, 5, 103, 108, 204) for mode, doors in (("simple", False), ("random", True))
]


def batch_of(rows: int, seed: int = 0, **options: Any) -> Batch:
    batch = Batch(make_simulator("text-coin-v0", **options), rows, "text-coin-v0")
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


@pytest.mark.parametrize(("level", "mode", "doors"), CASES)
def test_the_engine_equals_the_plain_reference(level: int, mode: str, doors: bool) -> None:
    """More than 10,000 episodes in all: every legal command and some others, to the end of each row."""
    steps = 12
    batch = batch_of(ROWS, 100 * level, level=level, mode=mode, doors=doors, max_steps=steps)
    simulator, chance = batch.simulator, random.Random(level)
    games = [Reference(simulator.instance(100 * level + b).as_data(), steps) for b in range(ROWS)]
    for _ in range(steps):
        for b, game in enumerate(games):
            if game.over:
                continue
            legal = [dynamics.COMMANDS[a] for a in np.flatnonzero(batch.masks[0][b, 0])]
            assert legal == game.commands()
            command = chance.choice(legal if chance.random() < 0.8 else dynamics.COMMANDS)
            batch.actions[0][b, 0] = dynamics.COMMANDS.index(command)
        playing = [not game.over for game in games]
        said = [
            game.step(dynamics.COMMANDS[batch.actions[0][b, 0]]) if playing[b] else None for b, game in enumerate(games)
        ]
        batch.step()
        for b, game in enumerate(games):
            if said[b] is None:
                continue
            reward, legal_ = said[b]
            assert batch.out.reward[b, 0] == reward
            assert (batch.out.fault[b, 0] == 0) == legal_
            assert batch.out.terminated[b, 0] == game.won
            assert batch.over[b] == game.over
            assert batch.state.room[b] == game.room
    figures = simulator.metrics(batch.state)
    assert figures["faults"].tolist() == [game.faults for game in games]
    assert figures["success"].tolist() == [game.won for game in games]


def brute(data: dict[str, Any], limit: int) -> int:
    """The length of a shortest winning play, over all states of the reference."""
    queue: deque[tuple[str, ...]] = deque([()])
    seen = set()
    while queue:
        plan = queue.popleft()
        game = Reference(data, limit)
        for command in plan:
            game.step(command)
        if game.won:
            return len(plan)
        key = game.room, tuple(sorted((tuple(sorted(pair)), state) for pair, state in game.doors.items()))
        if key in seen:
            continue
        seen.add(key)
        queue.extend((*plan, command) for command in game.commands() if command not in ("look", "inventory"))
    raise AssertionError("the coin is out of reach")


@pytest.mark.parametrize(("level", "doors"), [(1, True), (4, True), (103, True), (203, False), (104, False)])
def test_the_oracle_is_as_short_as_brute_force(level: int, doors: bool) -> None:
    simulator = make_simulator("text-coin-v0", level=level, doors=doors)
    for seed in range(8):
        given = simulator.instance(seed)
        plan = shortest_plan(given.exits, given.ways, given.start, given.coin)
        assert len(plan) == brute(given.as_data(), 100) == (2 if doors else 1) * simulator.config.chain - doors
        game = Reference(given.as_data(), 100)
        assert [game.step(command) for command in plan][-1] == (1.0, True)


@pytest.mark.parametrize("doors", [False, True])
def test_the_oracle_wins_from_wherever_it_is(doors: bool) -> None:
    for level, seed in itertools.product((3, 30, 130, 230), range(3)):
        batch = batch_of(1, seed, level=level, doors=doors, max_steps=500)
        chance = random.Random(seed)
        for _ in range(7):
            if not batch.over[0]:
                legal = [a for a in np.flatnonzero(batch.masks[0][0, 0]) if dynamics.COMMANDS[a] != "take coin"]
                batch.actions[0][0, 0] = chance.choice(legal)
                batch.step()
        crew = Crew(batch, [(make_agent("coin-oracle"), batch.simulator.seats)])
        crew.start(0)
        while not batch.over[0]:
            crew.act()
            batch.step()
        assert batch.result()["metrics"]["success"] == 1


def test_all_levels_are_as_their_numbers_say() -> None:
    """Chain length, number of rooms, a place for each room, and dead ends beside the chain in the simple mode."""
    for level in [*range(1, 301, 7), 100, 200, 300]:
        for mode in ("simple", "random"):
            config = make_simulator("text-coin-v0", level=level, mode=mode)
            given = config.instance(level)
            chain = (level - 1) % 100 + 1
            assert len(given.exits) == chain * (1 + (level - 1) // 100)
            assert len(set(given.places)) == len(given.places)
            assert len(shortest_plan(given.exits, given.ways, given.start, given.coin)) == chain
            links = sum(other >= 0 for row in given.exits for other in row)
            assert links == 2 * (len(given.exits) - 1)  # a tree
            if mode == "simple":
                assert all(sum(n >= 0 for n in row) == 1 for row in given.exits[chain:])


def test_the_random_mode_leads_further_astray_and_is_the_default_above_level_200() -> None:
    def deep(mode: str) -> bool:
        simulator = make_simulator("text-coin-v0", level=230, mode=mode)
        return any(
            sum(n >= 0 for n in row) > 1
            for seed in range(5)
            for row in simulator.instance(seed).exits[simulator.config.chain :]
        )

    assert deep("random")
    assert deep("auto")
    assert not deep("simple")


def test_no_two_rooms_share_a_name() -> None:
    for seed in range(50):
        batch = batch_of(1, seed, level=300)
        assert len({language.name_of(batch.state.key[0], room) for room in range(300)}) == 300


def test_what_is_seen_says_nothing_of_other_rooms() -> None:
    """Two houses that look alike from here are described alike, wherever the coin lies."""
    simulator = make_simulator("text-coin-v0", level=103)
    given = simulator.instance(0).as_data()
    texts = set()
    for coin in range(1, len(given["exits"])):
        batch = batch_of(1, 5, level=103)
        simulator.load(batch.state, 0, {**given, "coin": coin})
        simulator.reset(batch.state, np.ones(1, np.bool_), np.array([5]), np.array([-2], np.int32))
        texts.add((simulator.describe(batch.state, 0, 0), commands(simulator, batch.state, 0, 0)))
    assert len(texts) == 1


def test_commands_are_sorted_and_parse_to_their_actions() -> None:
    assert list(dynamics.COMMANDS) == sorted(set(dynamics.COMMANDS))
    batch = batch_of(1, 0, level=5, doors=True)
    listed = commands(batch.simulator, batch.state, 0, 0)
    assert list(listed) == sorted(listed)
    for text in listed:
        action = parse(batch.simulator, batch.state, 0, 0, f"  {text.upper()}  ")
        assert dynamics.COMMANDS[action] == text
    for wrong in ("", "dance", "take coin twice", "go up"):
        with pytest.raises(ActionError):
            parse(batch.simulator, batch.state, 0, 0, wrong)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"level": 0}, "at least 1"), ({"level": 301}, "at most 300"), ({"level": 2.5}, "integer"),
        ({"mode": "rnadom"}, "random"), ({"doors": "yes"}, "true or false"), ({"levle": 3}, "level"),
    ],
)  # fmt: skip
def test_bad_configs_say_what_is_wrong(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_simulator("text-coin-v0", **options)


def test_bad_maps_say_what_is_wrong() -> None:
    simulator = make_simulator("text-coin-v0", level=3)
    good = simulator.instance(0).as_data()
    state = simulator.new(1)
    simulator.load(state, 0, good)
    lonely = [[-1] * 4] * 3
    for changed, said in (
        ({"coin": 9}, "not both among"), ({"exits": [[0, 0]]}, "at least one room"), ({"start": None}, "exits, ways"),
        ({"exits": lonely, "ways": [[0] * 4] * 3}, "no way leads"), ({"exits": lonely}, "exit -1 and way"),
        ({"places": [[10**6, 0]] * 3}, "10,000"),
    ):  # fmt: skip
        with pytest.raises(InstanceError, match=said):
            simulator.load(state, 0, {**good, **changed})
    for data in (None, [], {"exits": "x"}):
        with pytest.raises(InstanceError):
            simulator.load(state, 0, data)
    with pytest.raises(InstanceError, match="holds 3"):
        simulator.load(state, 0, make_simulator("text-coin-v0", level=4).instance(0))
