"""What must be true of every registered environment: later families join by being registered."""

from __future__ import annotations

import dataclasses
import importlib
import json
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from core.play import advance, state_bytes

import ludarium
import ludarium.envs._template
from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import LudariumError
from ludarium.envs.core.registry import WORLDS, available, config_class, make_simulator
from ludarium.envs.core.trace import decode, encode

IDS = sorted(name for name in WORLDS if not name.startswith("test-") and available(name))
SECTIONS = (
    "Observation", "Action", "Reward", "Start", "End", "Arguments", "Metrics", "Versions", "Sources", "Speed",
    "Baselines",
)  # fmt: skip
FAMILIES = {WORLDS[name].simulator.rsplit(".", 1)[0]: name for name in reversed(IDS)}
STEPS = 12


def begun(name: str, seed: int = 0, rows: int = 1) -> Batch:
    batch = Batch(make_simulator(name), rows, name)
    every = np.ones(rows, np.bool_)
    batch.seed(every, [seed + b for b in range(rows)])
    batch.reset(every)
    return batch


def played(name: str, seed: int = 0) -> Batch:
    """Some steps of the random agent in all seats: legal play."""
    batch = begun(name, seed)
    crew = Crew(batch, [(make_agent("random"), batch.simulator.seats)])
    crew.start(seed)
    for _ in range(STEPS):
        if not batch.over[0]:
            crew.act()
            batch.step()
    return batch


@pytest.mark.parametrize("name", IDS)
def test_equal_seeds_give_equal_episodes_that_replay(name: str) -> None:
    a, b, other = played(name, 3), played(name, 3), played(name, 4)
    assert encode(a.trace()) == encode(b.trace())
    assert a.digest() != other.digest()
    assert decode(encode(a.trace())).replay().ok


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, int]:
    """The digests that another process finds, with another hash seed."""
    program = (
        "import json, sys\nsys.path.insert(0, sys.argv[1])\nfrom properties.test_registered import IDS, played\n"
        "print(json.dumps({name: played(name, 5).digest() for name in IDS}))"
    )
    environment = {"PYTHONHASHSEED": "12345", "PATH": "/usr/bin:/bin", "LUDARIUM_QUIET": "1"}
    command = [sys.executable, "-c", program, str(Path(__file__).parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", IDS)
def test_global_random_state_and_hash_seeds_play_no_part(name: str, elsewhere: dict[str, int]) -> None:
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), np.random.get_state()[1].tolist()
    here = played(name, 5).digest()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    assert here == elsewhere[name]


@pytest.mark.parametrize("name", IDS)
def test_an_episode_beside_another_is_the_same(name: str) -> None:
    one, other, alone = begun(name, 3), begun(name, 8), begun(name, 3)
    chances = [np.random.default_rng(0)], [np.random.default_rng(1)]
    for _ in range(5):
        advance(one, chances[0], 1)
        advance(other, chances[1], 1)
    advance(alone, [np.random.default_rng(0)], 5)
    assert encode(one.trace()) == encode(alone.trace())


@pytest.mark.parametrize("name", IDS)
def test_rows_of_a_batch_equal_single_episodes(name: str) -> None:
    batch = begun(name, 20, 3)
    advance(batch, [np.random.default_rng(b) for b in range(3)], 5)
    for b in range(3):
        single = begun(name, 20 + b)
        advance(single, [np.random.default_rng(b)], 5)
        assert encode(single.trace()) == encode(batch.trace(b))


@pytest.mark.parametrize("name", IDS)
def test_looking_changes_nothing_and_restore_goes_back(name: str) -> None:
    batch = played(name, 3)
    before, kept, trace = state_bytes(batch), batch.snapshot(), encode(batch.trace())
    simulator = batch.simulator
    for seat in range(len(simulator.seats)):
        for look in (
            lambda s: simulator.describe(batch.state, 0, s), lambda s: simulator.menu(batch.state, 0, s),
            lambda s: simulator.scene(batch.state, 0), lambda s: simulator.full(batch.state, 0),
            lambda s: simulator.rules(), lambda s: simulator.metrics(batch.state),
        ):  # fmt: skip
            try:
                look(seat)
            except LudariumError as error:
                claimed = [view for view in ("text", "picture", "state") if f"'{view}'" in str(error)]
                assert claimed and claimed[0] not in simulator.views, error  # noqa: PT018, PT017
    assert state_bytes(batch) == before
    advance(batch, [np.random.default_rng(0)], 3)
    batch.restore(kept)
    assert state_bytes(batch) == before
    assert encode(batch.trace()) == trace


@pytest.mark.parametrize("name", IDS)
def test_invariants_hold_under_random_play(name: str) -> None:
    for seed in range(3):
        batch = begun(name, seed)
        chance = [np.random.default_rng(seed)]
        for _ in range(STEPS):
            for sentence, holds in batch.simulator.invariants(batch.state).items():
                assert holds.all(), sentence
            advance(batch, chance, 1)


@pytest.mark.parametrize("name", IDS)
def test_every_asked_seat_has_a_legal_action_and_it_is_no_fault(name: str) -> None:
    batch = begun(name, 3)
    crew = Crew(batch, [(make_agent("random"), batch.simulator.seats)])
    crew.start(0)
    for _ in range(STEPS):
        if batch.over[0]:
            break
        for r, role in enumerate(batch.simulator.roles):
            if batch.masks[r] is not None:
                first = batch.simulator.offsets[r]
                asked = batch.asked[0, first : first + role.count] != 0
                assert batch.masks[r][0][asked].any(1).all()
        crew.act()
        batch.step()


@pytest.mark.parametrize("name", IDS)
def test_observations_are_in_their_spaces(name: str) -> None:
    env = gym.make(name)
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    base: Any = env.unwrapped
    chance = [np.random.default_rng(0)]
    for _ in range(5):
        advance(base.batch, chance, 1)
        base.form.focus(base.batch)
        assert env.observation_space.contains(base.form.observe(base.batch))


@pytest.mark.parametrize("name", IDS)
def test_configs_and_results_are_json(name: str) -> None:
    batch = played(name)
    json.dumps([batch.simulator.config.as_dict(), batch.result(), batch.trace().header], allow_nan=False)
    assert all(isinstance(value, int | float) for value in batch.result()["metrics"].values())


@pytest.mark.parametrize("name", IDS)
def test_the_random_agent_and_both_multi_agent_forms_play_it(name: str) -> None:
    for make in (ludarium.parallel_env, ludarium.aec_env):
        env = make(name)
        env.reset(seed=0)
        assert env.agents == list(make_simulator(name).seats)
    assert played(name).t[0] > 0


def page(family: str) -> str:
    module = importlib.import_module(family)
    path = Path(str(module.__file__)).with_name("README.md")
    assert path.is_file(), f"{family} has no README.md"
    return path.read_text(encoding="utf-8")


def table(text: str, section: str) -> dict[str, list[str]]:
    """The rows of a section's table by their first cell, without its backticks."""
    body = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert body is not None, section
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in body.group(1).splitlines()
        if line.startswith("|")
    ]
    return {row[0].strip("`"): row[1:] for row in rows[2:]}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_page_of_a_family_is_true_to_its_code(family: str) -> None:
    text = page(family)
    assert re.findall(r"^## (.*)$", text, re.M) == list(SECTIONS)
    members = [name for name in IDS if WORLDS[name].simulator.startswith(family + ".")]
    for name in members:
        assert f"`{name}`" in text
    arguments, metrics = table(text, "Arguments"), table(text, "Metrics")
    fields: dict[str, list[str]] = {}
    for name in members:  # the ids of a family may differ in a default, which then stands as `a` or `b`
        for field in dataclasses.fields(config_class(name)):
            known = fields.setdefault(field.name, [])
            known.extend({str(field.default)} - set(known))
        assert set(played(name).result()["metrics"]) <= set(metrics), name
    assert set(arguments) == set(fields)
    for field_name, defaults in fields.items():
        shown = [part.strip("` ") for part in arguments[field_name][0].split(" or ")]
        assert sorted(shown) == sorted(defaults), field_name
