"""The template worlds are true to their pages and their rules, and a new family made from them works at once."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from core.play import batch_of, play

import ludarium.envs._template as templates
from ludarium.envs.core import template
from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.core.template import KINDS, new_family

REPOSITORY = Path(str(templates.__file__)).resolve().parents[2]


# --- the worlds ----------------------------------------------------------------------------------------------------
def test_halving_the_range_finds_any_number_in_the_logarithm_of_the_range() -> None:
    for high in (2, 3, 100, 127, 128):
        most = 0
        for seed in range(60):
            env: Any = gym.make("template-object-v0", high=high)
            env.reset(seed=seed)
            low, top, over, guesses = 1, high, False, 0
            while not over:
                middle = (low + top) // 2
                _, reward, over, _, _ = env.step(f"is it {middle}?")
                guesses += 1
                answer = env.unwrapped.batch.state.games[0].log[-1].answer
                low, top = (middle + 1, top) if answer == "higher" else (low, middle - 1)
            assert reward == 1
            most = max(most, guesses)
        assert most <= math.ceil(math.log2(high + 1))


def test_the_numbers_to_guess_are_uniform() -> None:
    from ludarium.envs._template.object.generate import draw_secret

    counts = np.bincount([draw_secret(seed, 10) for seed in range(20_000)], minlength=11)[1:]
    assert counts.sum() == 20_000
    assert ((counts - 2000) ** 2 / 2000).sum() < 40  # the 1e-5 quantile of chi-squared with 9 degrees is 39


def test_a_game_of_objects_takes_an_instance_and_its_trace_replays() -> None:
    from ludarium.envs.core.replay import replay

    env: Any = gym.make("template-object-v0", high=50)
    for secret in (1, 37, 50):
        env.reset(seed=3, options={"instance": secret})
        _, reward, over, _, _ = env.step(f"{secret}")
        assert (reward, over) == (1, True)
        trace = env.unwrapped.trace()
        assert trace.header["instance"] == secret
        assert replay(trace).divergence is None
    env.reset(seed=3)
    drawn = env.unwrapped.batch.state.games[0].secret
    env.reset(seed=3, options={"instance": drawn % 50 + 1})
    env.reset(seed=3)
    assert env.unwrapped.batch.state.games[0].secret == drawn, "an instance is for one episode"
    for wrong in (0, 51, "7", True, 2.0):
        with pytest.raises(InstanceError, match=r"expected the secret number, 1\.\.50"):
            env.reset(seed=3, options={"instance": wrong})


def test_every_choice_of_cells_for_crates_is_equally_likely() -> None:
    from ludarium.envs._template.array.generate import draw_crates
    from ludarium.envs.core.rng import episode_key

    seen: dict[tuple[int, ...], int] = {}
    out = np.zeros(5, np.uint8)
    for seed in range(10_000):
        draw_crates(np.uint64(episode_key(seed)), 2, out)
        seen[tuple(out.tolist())] = seen.get(tuple(out.tolist()), 0) + 1
    assert len(seen) == math.comb(5, 2)
    assert sum((n - 1000) ** 2 / 1000 for n in seen.values()) < 40


def test_a_crew_that_walks_to_the_order_fetches_all_in_the_sum_of_the_distances() -> None:
    for seed in range(20):
        batch = batch_of("array", 1, seed)
        place = batch.state.place[0].astype(int)
        crates = np.flatnonzero(batch.state.crate[0]).tolist()
        expected = 0
        for cell in crates:  # the planner orders from the left, everybody walks there
            nearest = int(np.abs(place - cell).min())
            expected += 1 + max(nearest, 1)
            place += np.sign(cell - place) * np.minimum(np.abs(cell - place), max(nearest, 1))
        while not batch.over[0]:
            order = int(batch.state.order[0])
            waiting = np.flatnonzero(batch.state.crate[0])
            batch.put(0, [[int(waiting[0])]])
            batch.put(1, [(np.sign(order - batch.state.place[0].astype(int)) + 1).tolist()])
            batch.step()
        assert int(batch.t[0]) == expected
        figures = batch.result()["metrics"]
        assert (figures["success"], figures["fetched"], figures["faults"]) == (1, 4, 0)


@pytest.mark.parametrize("name", ["array", "object", "object-turns"])
def test_invariants_hold_in_every_state(name: str) -> None:
    trace = play(name, 5).trace()
    checked = 0

    def check(batch: Any) -> None:
        nonlocal checked
        for sentence, holds in batch.simulator.invariants(batch.state).items():
            assert holds.all(), sentence
            checked += 1

    trace.replay(on_step=check)
    assert checked > trace.steps


def test_invariants_notice_what_must_not_be() -> None:
    array, words = batch_of("array"), batch_of("object")
    array.state.crate[0, int(np.argmin(array.state.crate[0]))] = 1
    assert not array.simulator.invariants(array.state)["no crate appears or gets lost"].all()
    words.put(0, [["3"]])
    words.step()
    game = words.state.games[0]
    game.log[0] = game.log[0]._replace(answer="right" if game.secret != 3 else "lower")
    assert not words.simulator.invariants(words.state)["every answer is true"].all()


# --- a new family --------------------------------------------------------------------------------------------------
def in_process(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, cwd=folder, env=kept)


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_of_its_own_passes_its_own_tests(kind: str, tmp_path: Path) -> None:
    written = new_family("my_world", tmp_path / "new", kind=kind)
    assert all(path.is_file() for path in written)
    for path in written:
        assert not re.search("template", path.read_text(encoding="utf-8"), re.I), path
    done = in_process(tmp_path / "new", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    program = "import gymnasium as gym\nenv = gym.make('my_world:my-world-v0')\nenv.reset(seed=1)\n"
    program += "print(env.unwrapped.digest())"
    assert len(in_process(tmp_path / "new", "-c", program).stdout.strip()) == 16


def test_kernels_of_a_package_are_compiled_anew_when_a_file_changes(tmp_path: Path) -> None:
    new_family("my_world", tmp_path)
    program = (
        "import numpy as np, my_world\nfrom ludarium.envs.core.registry import make_simulator\n"
        "s = make_simulator('my-world-v0', length=4, num_crates=1)\nstate = s.new(1)\n"
        "s.reset(state, np.ones(1, bool), np.zeros(1, np.int64), np.full(1, -1, np.int32))\n"
        "print(state.crate[0].tolist())"
    )
    first, again = (in_process(tmp_path, "-c", program, LUDARIUM_QUIET="") for _ in range(2))
    assert first.stdout == again.stdout
    assert "compiling" in first.stderr
    assert "compiling" not in again.stderr
    source = tmp_path / "my_world" / "generate.py"
    source.write_text(source.read_text().replace("out[cell] = taken", "out[cell] = 1 - taken"))
    flipped = [1 - n for n in eval(first.stdout)]
    assert eval(in_process(tmp_path, "-c", program).stdout) == flipped


@pytest.mark.slow
def test_a_package_of_its_own_can_be_installed(tmp_path: Path) -> None:
    new_family("my_world", tmp_path / "new")
    target = tmp_path / "prefix"
    pip = ["-m", "pip", "install", "--no-deps", "--no-build-isolation", "--quiet", "--prefix", str(target), "-e", "."]
    done = in_process(tmp_path / "new", *pip)
    assert done.returncode == 0, done.stderr
    (path_file,) = target.rglob("*.pth")
    assert path_file.read_text().strip() == str(tmp_path / "new")


def checkout(tmp_path: Path) -> Path:
    """The parts of a checkout that a new family touches."""
    root = tmp_path / "checkout"
    (root / "envs").mkdir(parents=True)
    (root / "tests").mkdir()
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    shutil.copy(REPOSITORY / "envs" / "_suite.py", root / "envs")
    return root


def test_in_a_checkout_the_family_joins_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = checkout(tmp_path)
    monkeypatch.setattr(template, "ROOT", root)
    before = (root / "envs" / "_suite.py").read_text()
    written = new_family("zoo_world", kind="object")
    assert root / "tests" / "zoo_world" / "test_zoo_world.py" in written
    assert "zoo-world-v0" in (root / "envs" / "zoo_world" / "__init__.py").read_text()
    assert (
        "from ludarium.envs.zoo_world.config import ZooWorldConfig"
        in (root / "envs" / "zoo_world" / "simulator.py").read_text()
    )
    added = set((root / "envs" / "_suite.py").read_text().splitlines()) - set(before.splitlines())
    assert added == {"from ludarium.envs import zoo_world as _zoo_world  # noqa: F401"}
    new_family("aaa")
    lines = [
        line
        for line in (root / "envs" / "_suite.py").read_text().splitlines()
        if line.startswith("from ludarium.envs import")
    ]
    assert lines == sorted(lines)
    assert len(lines) == len([line for line in before.splitlines() if line.startswith("from ludarium.envs import")]) + 2


def test_nothing_is_ever_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_family("my_world", tmp_path / "new")
    page = tmp_path / "new" / "README.md"
    page.write_text("mine")
    (tmp_path / "new" / "my_world" / "scene.py").unlink()
    with pytest.raises(ConfigError, match="exists already, and nothing is overwritten"):
        new_family("my_world", tmp_path / "new")
    assert new_family("my_world", tmp_path / "new", force=True) == [tmp_path / "new" / "my_world" / "scene.py"]
    assert page.read_text() == "mine"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="is a file"):
        new_family("my_world", tmp_path / "file")
    monkeypatch.setattr(template, "ROOT", tmp_path / "new")
    shutil.rmtree(tmp_path / "new" / "tests")
    with pytest.raises(ConfigError, match="not a checkout"):
        new_family("my_world")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-World", "did you mean 'my_world'"), ("a__b", "did you mean 'a_b'"), ("_x", "did you mean 'x'"),
        ("", "is no name"), ("9lives", "did you mean 'lives'"), ("x" * 41, "at most 40"), ("class", "uses already"),
        ("json", "uses already"), ("ludarium", "uses already"), ("mapf_lifelong", "'mapf-lifelong-v0' exists already"),
        ("../x", "did you mean 'x'"), ("a\nb", "did you mean 'a_b'"), (None, "is no name"),
    ],
)  # fmt: skip
def test_wrong_names_are_refused_before_anything_is_written(name: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        new_family(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_wrong_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kind = 'arrays'; did you mean 'array'"):
        new_family("my_world", tmp_path, kind="arrays")
