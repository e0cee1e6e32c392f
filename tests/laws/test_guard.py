"""Whatever an environment does to its process, the checker says which law it breaks, and goes on."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

from ludarium.envs.core.laws.outcome import Crashed
from ludarium.testing import CheckError, Subject, check

BAD = {
    "Hangs": ("ends", "does not come back"),
    "Exits": ("ends", "exit status 3"),
    "Killed": ("ends", "SIGKILL"),
    "Leaks": ("reset_forgets", "memory"),
    "Prints": ("info", "hello"),
    "Grows": ("observation_in_space", "observation space"),
    "WrongTypes": ("reward_and_flags", "'0' of str"),
    "RaisesInReset": ("repeatable", "ZeroDivisionError: no map (worlds.py"),
}
SOME = ("repeatable", "reset_forgets", "observation_in_space", "reward_and_flags", "info", "mask_sound", "ends")


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.mark.parametrize("name", BAD)
def test_a_process_that_goes_wrong_is_a_broken_law(name: str) -> None:
    law, said = BAD[name]
    report = check(f"worlds:{name}", SOME, guarded=True, limit=2.0 if name == "Hangs" else 30.0, memory=160 << 20)
    assert report.broken[0] == law, report
    failure = report[law].failure
    assert failure is not None
    assert said in failure.sentence
    assert failure.story[-1].startswith("=> ")


def test_a_clean_environment_keeps_its_laws_in_a_process_of_its_own() -> None:
    report = check("worlds:Counter", guarded=True)
    assert report.ok, report
    assert not [row.law for row in report.rows if row.verdict == "blocked"]


def test_an_environment_that_reads_its_input_gets_none() -> None:
    assert check("worlds:Reads", ["repeatable"], guarded=True, limit=20.0).ok


def test_a_crash_in_copying_is_of_that_law_though_episodes_are_shared() -> None:
    report = check("worlds:CopyKills", ["snapshot", "copies", "ends"], guarded=True)
    assert report.broken == ["copies"], report
    assert "exit status 4" in report["copies"].reason
    assert report["snapshot"].verdict == "kept"


@pytest.mark.parametrize("guarded", [True, False])
def test_what_there_is_one_of_can_be_checked_and_said(guarded: bool) -> None:
    report = check("worlds:OnlyOne", guarded=guarded, seed=1)
    assert report.broken == ["interleaved"], report
    assert "a second environment cannot be made beside it: RuntimeError: address already in use" in (
        report["interleaved"].reason
    )


def test_what_has_no_display_is_looked_at_without_one() -> None:
    report = check("worlds:NoDisplay")
    assert report.ok, report
    assert report["looking"].verdict == "kept"


def test_what_looking_changes_is_of_that_law_though_episodes_are_shared() -> None:
    report = check("worlds:ShowsTheEnd", seed=1)
    assert report.broken == ["looking"], report


def test_laws_behind_a_crash_are_blocked_and_say_so() -> None:
    report = check("worlds:Exits", ["repeatable", "ends", "copies"], guarded=True)
    assert report.broken == ["ends"]
    assert {report["repeatable"].verdict, report["copies"].verdict} == {"blocked"}
    assert "ends stands in the way" in report["copies"].reason


@pytest.mark.parametrize("guarded", [True, False])
def test_what_cannot_be_made_is_a_mistake_in_what_was_given(guarded: bool) -> None:
    with pytest.raises(CheckError, match="cannot make worlds:RaisesInInit: RuntimeError: no licence"):
        check("worlds:RaisesInInit", guarded=guarded)
    with pytest.raises(CheckError, match="no_such_module"):
        check("no_such_module:Env", guarded=guarded)


def test_another_interpreter_needs_nothing_of_ours() -> None:
    """With -I -S it has the standard library alone; here it has at least no path of ours."""
    report = check("worlds:Counter", ["repeatable", "copies"], python=sys.executable)
    assert report.ok, report
    with pytest.raises(CheckError, match="cannot be run"):
        check("worlds:Counter", python="/no/such/python")


def test_another_hash_seed_is_another_process() -> None:
    report = check("worlds:FromHash", ["repeatable", "fresh_process"], guarded=True)
    assert report.broken == ["fresh_process"], report


def test_environments_take_turns_in_one_warm_process() -> None:
    one, other = Subject("worlds:Counter"), Subject("worlds:Prints")
    episode = [
        ["make", {"world": "a"}],
        ["play", {"world": "a", "seed": 1, "policy": {"key": 1, "mix": 0}, "length": 9}],
    ]
    said = [bool(subject.run(episode, subject.child("hash"))[1]["notes"]) for subject in (one, other, one, other)]
    assert said == [False, True, False, True]
    assert one.child("hash")._process is other.child("hash")._process  # type: ignore[attr-defined]
    process = one.child("hash")._process._process  # type: ignore[attr-defined]
    one.close()
    one.close()
    assert process.poll() is None
    del other  # whoever forgets to close leaves no process behind
    gc.collect()
    assert process.poll() is not None


def test_one_that_ends_the_shared_process_leaves_the_other_its_own() -> None:
    one, other = Subject("worlds:Counter"), Subject("worlds:Exits")
    episode = [
        ["make", {"world": "a"}],
        ["play", {"world": "a", "seed": 1, "policy": {"key": 1, "mix": 0}, "length": 9}],
    ]
    before = one.run(episode, one.child("hash"))[1]["seen"]
    with pytest.raises(Crashed, match="exit status 3"):
        other.run(episode, other.child("hash"))
    assert one.run(episode, one.child("hash"))[1]["seen"] == before
    one.close()
    other.close()


def test_the_probe_imports_the_standard_library_alone() -> None:
    import ast

    from ludarium.envs.core.laws import probe

    tree = ast.parse(Path(probe.__file__).read_text(encoding="utf-8"))
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    found |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in found} <= set(sys.stdlib_module_names)


def test_the_probe_draws_as_the_suite_does() -> None:
    import numpy as np

    from ludarium.envs.core import rng
    from ludarium.envs.core.laws import probe

    for key, step, seat in ((0, 0, 0), (2**64 - 1, 3, 2), (12345, 10**6, 4)):
        chance = probe.Chance(key, step, seat)
        mixed = rng.mix64(np.uint64(key) ^ np.uint64(0x94D049BB133111EB))
        for n, below in enumerate((2, 7, 2**20, 2**31), start=1):
            assert chance.below(below) == rng.draw_below(np.uint64(mixed), 7, step, seat, n, below)
