"""Cases: the same ones in each process, whatever is loaded there, and as different as they can be."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from ludarium.envs.core.laws.cases import PROFILES, generate

ROWS = [{}, {"size": 4}, {"size": 5}]
SEEDS = [None, *range(12)]


def test_cases_do_not_depend_on_the_modules_that_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "loaded"
    folder.mkdir()
    (folder / "numbers_of_another.py").write_text(f"SOME = {list(range(201, 4000, 97))}\n")
    monkeypatch.syspath_prepend(str(folder))
    first = [generate(PROFILES["ci"], ROWS, seed) for seed in SEEDS]
    importlib.import_module("numbers_of_another")
    assert [generate(PROFILES["ci"], ROWS, seed) for seed in SEEDS] == first


def test_cases_differ_and_reach_every_value() -> None:
    found = generate(PROFILES["ci"], ROWS, 0)
    assert len({(case.seed, case.policy) for case in found}) == PROFILES["ci"].cases
    for name, count in (("form", 4), ("mode", 3), ("mix", 4), ("wild", 4)):
        assert len({getattr(case, name) % count for case in found}) == count
    assert {case.options for case in found} == {tuple(row.items()) for row in ROWS}
    assert {case.length < PROFILES["ci"].steps for case in found} == {True, False}
