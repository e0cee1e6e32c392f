"""Normalised scores: the two ends of the scale, where it comes from, and where there is none."""

import dataclasses
import itertools
import shlex

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirements import need

from ludarium.envs.core.errors import FileFormatError, RunError, StatisticsError
from ludarium.envs.core.registry import available
from ludarium.leaderboards import normalise
from ludarium.leaderboards.normalise import Reference
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.stats import Scores
from ludarium.leaderboards.track import load_track, track_names
from ludarium.scenarios.loader import load

SHIPPED = sorted((load.__globals__["_shipped"]().parent / "leaderboards" / "references").glob("*.toml"))
figures = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(figures, figures, figures, figures)
def test_the_scale_is_linear_from_the_random_agent_to_the_reference(random, reference, value, other):
    pair = Reference(random, reference)
    if abs(random - reference) < 1e-2:
        return
    assert normalise.normalised(random, pair) == 0.0
    assert normalise.normalised(reference, pair) == 1.0
    middle = normalise.normalised((value + other) / 2, pair)
    ends = [normalise.normalised(v, pair) for v in (value, other)]
    assert middle == pytest.approx(sum(ends) / 2, abs=1e-6 * max(1.0, *map(abs, ends)))
    towards = (value - other) * (reference - random)  # whichever of the two is larger
    assert towards == 0 or (ends[0] >= ends[1]) == (towards > 0)


@given(figures)
def test_a_reference_that_equals_chance_is_an_error(figure):
    with pytest.raises(StatisticsError, match="stronger reference"):
        normalise.normalised(3.0, Reference(figure, figure))


def test_each_case_has_its_own_scale(finished):
    found = normalise.of_run(finished.root, "random", "pibt")
    values = {
        (agent, case): [r["metrics"]["throughput"] for r in finished.rows if (r["agent"], r["case"]) == (agent, case)]
        for agent in ("random", "pibt")
        for case in ("two", "four")
    }
    assert found.of("two", "throughput") == (np.mean(values["random", "two"]), np.mean(values["pibt", "two"]))
    scores = Scores.of(finished.rows, lambda row: row["metrics"]["throughput"])
    scaled = normalise.normalised_scores(scores, found, "throughput")
    for case in ("two", "four"):
        own = [name == case for name in scaled.cases]
        assert scaled.agent("random")[own].mean() == pytest.approx(0.0, abs=1e-12)
        assert scaled.agent("pibt")[own].mean() == pytest.approx(1.0)


def test_a_file_says_where_it_comes_from_and_reads_back_equal(finished, tmp_path):
    found = normalise.of_run(finished.root, "random", "pibt")
    assert normalise.load(normalise.save(found, tmp_path / "tiny-test.toml")) == found
    assert found.run == finished.digest
    assert found.command == "ludarium run tiny --split test --agent random --agent pibt"
    for part in (found.run, found.command, "random", "pibt", "first 4 episodes"):
        assert part in found.source


def test_a_case_without_a_scale_is_named(finished):
    found = normalise.of_run(finished.root, "random", "pibt")
    scores = Scores.of(finished.rows, lambda row: row["metrics"]["throughput"])
    flat = {**found.cases, "four": {"throughput": Reference(0.5, 0.5)}}
    with pytest.raises(StatisticsError, match=r"'throughput' in case 'four' of 'tiny'.*random agent"):
        normalise.normalised_scores(scores, dataclasses.replace(found, cases=flat), "throughput")
    with pytest.raises(StatisticsError, match="no references for case 'four'"):
        normalise.normalised_scores(scores, dataclasses.replace(found, cases={"two": found.cases["two"]}), "throughput")
    with pytest.raises(StatisticsError, match="did you mean 'throughput'"):
        normalise.normalised_scores(scores, found, "thruput")


def test_runs_that_hold_no_references_are_errors(finished):
    with pytest.raises(RunError, match="no episodes of 'lns'"):
        normalise.of_run(finished.root, "random", "lns")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version = 1", "", "'version' is missing"),
        ("version = 1", "version = true", "expected a value of type int"),
        ("version = 1", "version = 1\nscore = 3", "unknown key 'score'"),
        ("version = 1", "version = ", "cannot read"),
        ("{ random =", "{ rand =", "expected"),
        ("random = 0.5", "random = nan", "finite"),
    ],
)
def test_bad_files_are_named_with_the_reason(tmp_path, old, new, words):
    good = normalise.References(
        "s", 1, "h", "test", "random", "best", 4, "d", "c", "0", {"a": {"throughput": Reference(0.5, 1.0)}}
    )
    path = normalise.save(good, tmp_path / "s-test.toml")
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    with pytest.raises(FileFormatError, match=words) as caught:
        normalise.load(path)
    assert "s-test.toml" in str(caught.value)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_references_are_of_the_shipped_scenarios(path):
    found = normalise.load(path)
    scenario = load(found.scenario)
    assert path.stem == f"{found.scenario}-{found.split}"
    assert normalise.references_for(scenario, found.split) == found
    scales = [own for own in map(load_track, track_names()) if own.scenario == found.scenario]
    for case in scenario.cases:
        for metric in [own.name for own in scales] or scenario.metrics[:1]:
            normalise.normalised(0.0, found.of(case.name, metric))
    assert normalise.references_for(scenario, "val") is None
    with pytest.raises(StatisticsError, match="for the hash"):
        normalise.references_for(dataclasses.replace(scenario, hash="0" * 32), found.split)
    assert normalise.references_for(dataclasses.replace(scenario, version=99), found.split) is None


@pytest.mark.slow
@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_references_are_reached_again(path, tmp_path):
    found = normalise.load(path)
    if not available(load(found.scenario).environment):
        need("textworld")
    words = shlex.split(found.command)
    agents = [word for flag, word in itertools.pairwise(words) if flag == "--agent"]
    first = [int(word) for flag, word in itertools.pairwise(words) if flag == "--episodes"]
    again = run(found.scenario, agents, tmp_path / "run", split=found.split, episodes=first[0] if first else None)
    for case, metrics in normalise.of_run(again.root, found.random_agent, found.reference_agent).cases.items():
        for name, pair in metrics.items():
            assert pair == pytest.approx(found.of(case, name), rel=1e-9), (case, name)
