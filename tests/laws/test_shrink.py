"""A broken law comes with the shortest story there is, which is kept and tried first the next time."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ludarium.envs.core.laws import failures
from ludarium.envs.core.laws.cases import Case
from ludarium.envs.core.laws.outcome import Broken
from ludarium.envs.core.laws.shrink import Played, Shrinker
from ludarium.leaderboards.cli import app
from ludarium.testing import Subject, check


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.parametrize("seed", range(10))
def test_two_ordered_actions_are_found_in_the_least_steps(seed: int) -> None:
    report = check("worlds:Combination", profile="ci", laws=["reward_and_flags"], seed=seed)
    failure = report["reward_and_flags"].failure
    assert failure is not None
    assert failure.steps == 6, failure.story
    assert failure.case.script is not None
    assert [a for a in failure.case.script if a is not None] == [2, 3]


def test_the_shrinker_reaches_the_minimum_of_any_order_of_actions() -> None:
    """The law is broken when 5, 1 and 4 occur in this order; everything else can go."""

    actions = [(n * 7 + n // 3) % 6 for n in range(120)]

    def test(case: Case) -> Broken | None:
        played = (actions if case.length == 120 else []) if case.script is None else list(case.script)
        rest = iter(played)
        return Broken("law", "found", len(played)) if all(a in rest for a in (5, 1, 4)) else None

    case = Case(length=len(actions), seed=99, options=(("a", 1),))
    found = Shrinker("law", test, lambda case: Played(list(actions))).shrink(case)
    assert found.script == (5, 1, 4)
    assert (found.seed, found.options) == (0, ())


@pytest.mark.parametrize("form", ["vector", "parallel"])
def test_rows_and_seats_need_not_wait_for_each_other(form: str) -> None:
    """Two things are needed, of two rows, one of them at a certain step: leaving out whole steps cannot bring them together."""

    def part(item: Any, row: int) -> Any:
        action = None if item is None else item[row] if form == "vector" else item.get(f"seat_{row}")
        return 0 if action is None else action

    def test(case: Case) -> Broken | None:
        steps = list(case.script or ())
        held = any(part(a, 1) == part(b, 1) == 5 for a, b in itertools.pairwise(steps))
        return Broken("law", "found", len(steps)) if len(steps) > 2 and part(steps[2], 0) == 2 and held else None

    steps = [[2 if n == 2 else 1, 5 if n in (6, 7) else 1, n] for n in range(12)]
    actions: list[Any] = steps if form == "vector" else [{f"seat_{i}": a for i, a in enumerate(s)} for s in steps]
    found = Shrinker("law", test, lambda case: Played(actions)).shrink(Case(length=12, pinned=form))
    assert found.script is not None
    assert len(found.script) == 3
    assert test(found) is not None


def test_a_new_beginning_is_written_out_and_shortened_like_any_story() -> None:
    """The first case cannot be shortened; that with policy 1 and two steps can."""

    def test(case: Case) -> Broken | None:
        if case.script is not None:
            found = len(case.script) == 6 or case.script[1:] == (7,)
        else:
            found = (case.length, case.policy) in ((6, 3), (2, 1))
        return Broken("law", "found", case.length) if found else None

    def played(case: Case) -> Played:
        return Played([8, 7] if case.policy == 1 else [9] * 6)

    found = Shrinker("law", test, played).shrink(Case(length=6, policy=3))
    assert found.script == (None, 7)


def test_a_story_of_a_batch_has_as_many_steps_as_it_says() -> None:
    subject = Subject("laws.zoo.vectors:ResetIsForAll")
    case = Case(length=6)
    assert subject.length(case, "vector") == subject.play(case, "vector").steps == 3
    assert subject.play(case.replace(pinned="vector"), "vector").steps == 6


@pytest.mark.parametrize("masked", [False, True])
def test_an_action_that_does_not_fit_under_fewer_options_becomes_the_lowest_that_does(masked: bool) -> None:
    """Else our own mistake would be told as the environment's: it cannot be stepped with two numbers for twenty switches."""
    subject = Subject("worlds:Switches", {"masked": masked})
    case = Case(length=1, options=(("count", 2),), script=([1, 0],))
    assert subject.play(case).actions == [[1, 0]]
    assert subject.play(case.replace(options=())).actions == [[0] * 20]


def test_a_failure_is_kept_and_tried_first(tmp_path: Path) -> None:
    first = check("worlds:Combination", profile="ci", laws=["reward_and_flags"], seed=1, folder=tmp_path)
    path = first["reward_and_flags"].failure.path  # type: ignore[union-attr]
    assert path is not None
    assert path.suffix == ".json"
    assert failures.load(path).law == "reward_and_flags"
    again = check("worlds:Combination", laws=["reward_and_flags"], folder=tmp_path, seed=2)
    assert again["reward_and_flags"].cases == 1
    assert len(list(tmp_path.iterdir())) == 1
    assert not failures.kept_for(Subject("worlds:Counter"), "reward_and_flags", tmp_path)
    (tmp_path / "reward_and_flags-broken.json").write_text("{}")
    assert len(failures.kept_for(Subject("worlds:Combination"), "reward_and_flags", tmp_path)) == 1


def test_a_kept_failure_is_replayed_by_both_commands(tmp_path: Path) -> None:
    first = check("worlds:Combination", profile="ci", laws=["reward_and_flags"], seed=1, folder=tmp_path)
    path = first["reward_and_flags"].failure.path  # type: ignore[union-attr]
    for command in (["check", "--replay", str(path)], ["replay", str(path)]):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 1, done.output
        assert "=> reward_and_flags: step 6: the reward is nan" in done.output


def test_a_failure_of_our_own_world_is_a_trace_that_replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ludarium.envs.core.trace import Trace
    from ludarium.envs.mapf.simulator import Mapf

    honest = Mapf.invariants
    monkeypatch.setattr(
        Mapf, "invariants", lambda self, state: {**honest(self, state), "never four steps": state.t < 4}
    )
    report = check("mapf-v0", laws=["invariants"], folder=tmp_path, num_robots=2, size=5)
    failure = report["invariants"].failure
    assert failure is not None
    assert failure.steps == 4
    assert failure.path is not None
    assert failure.path.suffix == ".trace"
    assert Trace.load(failure.path).replay().ok
    assert CliRunner().invoke(app, ["replay", str(failure.path), "--out", str(tmp_path / "page.html")]).exit_code == 0
    monkeypatch.undo()
    done = CliRunner().invoke(app, ["check", "--replay", str(failure.path)])
    assert done.exit_code == 0, done.output
    assert "kept now" in done.output
