"""`ludarium check`: a table for people, JSON for programs, exit codes for scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ludarium.leaderboards.cli import app
from ludarium.testing import LAWS

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["check", *arguments])
    return done.exit_code, done.output


def test_a_clean_environment_exits_with_zero_and_lists_every_law() -> None:
    code, said = run("worlds:Counter", "--no-guarded")
    assert code == 0, said
    assert all(law in said for law in LAWS)
    assert "0 broken" in said
    assert not Path("failures").exists()


def test_a_broken_law_exits_with_one_and_is_kept() -> None:
    code, said = run("worlds:WrongTypes", "--laws", "reward_and_flags,repeatable", "--no-guarded")
    assert code == 1
    assert "=> reward_and_flags: step 1: the reward is '0' of str; expected a number" in said
    (kept,) = Path("failures").iterdir()
    assert f"again: ludarium check --replay failures/{kept.name}" in said


def test_json_holds_the_rows_and_the_story() -> None:
    code, said = run("worlds:WrongTypes", "--laws", "reward_and_flags,repeatable", "--json", "--failures", "kept")
    data = json.loads(said)
    assert code == 1
    assert (data["subject"], data["profile"], data["ok"], data["broken"]) == (
        "worlds:WrongTypes", "dev", False, ["reward_and_flags"],
    )  # fmt: skip
    rows = {row["law"]: row for row in data["laws"]}
    assert rows["repeatable"]["verdict"] == "kept"
    assert rows["repeatable"]["cases"] == 8
    assert rows["reward_and_flags"]["failure"]["steps"] == 1
    assert Path(rows["reward_and_flags"]["failure"]["path"]).parent == Path("kept")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such-env-v0",), "cannot make no-such-env-v0"),
        (("worlds:Nothing",), "cannot make worlds:Nothing"),
        (("justaword",), "neither an environment's id"),
        (("worlds:Counter", "--laws", "copy"), "did you mean 'copies'"),
        (("worlds:Counter", "--profile", "fast"), "no profile 'fast'"),
        (("worlds:Counter", "--limit", "0"), "expected numbers above 0"),
        ((), "what should be checked"),
        (("--replay", "nothing.json"), "cannot read the failure"),
    ],
)
def test_a_mistake_in_what_was_given_exits_with_two(arguments: tuple[str, ...], said: str) -> None:
    program = "from ludarium.leaderboards.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check", *arguments], capture_output=True, text=True, cwd=HERE
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
