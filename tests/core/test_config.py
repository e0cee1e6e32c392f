"""Wrong parameters and unknown names fail when they are given, and say what was meant."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from core.play import CASES
from hypothesis import given
from hypothesis import strategies as st

from ludarium.envs.core.config import Config, at_least, one_of, within
from ludarium.envs.core.errors import (
    ConfigError,
    FileFormatError,
    LudariumError,
    MissingExtraError,
    did_you_mean,
)
from ludarium.envs.core.registry import WORLDS, available, config_class, make_simulator, register, world
from ludarium.leaderboards.cli.listing import _rows


@pytest.mark.parametrize("name", CASES)
def test_wrong_options_are_named_with_what_was_expected(name: str) -> None:
    identity, _ = CASES[name]
    for options, words in (
        ({"max_stps": 3}, r"unknown option 'max_stps'; did you mean 'max_steps'"),
        ({"zzz": 3}, r"unknown option 'zzz'; known: .*max_steps"),
        ({"max_steps": 0}, r"max_steps = 0; expected an integer"), ({"max_steps": 2**31}, "too large"),
        ({"max_steps": "9"}, r"max_steps = '9'"), ({"max_steps": 3.0}, r"max_steps = 3\.0"),
        ({"max_steps": True}, "max_steps = True"), ({"max_steps": None}, "max_steps = None"),
    ):  # fmt: skip
        for make in (make_simulator, gym.make):
            with pytest.raises(ConfigError, match=words):
                make(identity, **options)


@pytest.mark.parametrize(
    ("identity", "options", "words"),
    [
        ("template-array-v0", {"num_crates": 13}, "num_crates = 13 do not fit in an aisle of length = 12"),
        ("template-array-v0", {"length": 1}, "length = 1; expected an integer of at least 2"),
        ("template-array-v0", {"num_workers": 5000}, "num_workers = 5000; expected at most 1024"),
        ("template-object-v0", {"high": 1}, "high = 1"),
        ("template-object-v0", {"num_players": -2}, "num_players = -2"),
    ],
)
def test_values_that_do_not_fit_are_named(identity: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_simulator(identity, **options)


@pytest.mark.parametrize("name", CASES)
def test_a_config_is_its_changes_and_nothing_else(name: str) -> None:
    identity, options = CASES[name]
    config = config_class(identity).of(**options)
    again = config_class(identity).of(**config.as_dict())
    assert again == config
    assert hash(again) == hash(config)
    assert pickle.loads(pickle.dumps(config)) == config
    assert config_class(identity).of().as_dict() == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.max_steps = 3
    assert config.replace(max_steps=9).as_dict()["max_steps"] == 9
    with pytest.raises(ConfigError):
        config.replace(max_steps=-9)
    assert make_simulator(identity, **options) is make_simulator(identity, **options)


def test_arrays_and_lists_in_options_become_plain_values() -> None:
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class WithPlaces(Config):
        places: tuple[Any, ...] = ()

    config = WithPlaces.of(places=np.array([[1, 2], [3, 4]]), max_steps=np.int64(7))
    assert config.places == ((1, 2), (3, 4))
    assert config.as_dict() == {"places": [[1, 2], [3, 4]], "max_steps": 7}
    assert WithPlaces.of(places=[[1, 2], (3, 4)]).places == config.places


@given(st.integers() | st.floats() | st.none() | st.booleans() | st.text(max_size=3))
def test_checks_of_numbers_are_total(value: Any) -> None:
    integer = isinstance(value, int) and not isinstance(value, bool)
    number = (integer or isinstance(value, float)) and 0 <= value <= 1  # NaN is in no range
    checks = (
        (lambda: at_least("n", value, 2), integer and value >= 2),
        (lambda: within("n", value, 0, 1), number),
    )
    for check, fits in checks:
        if fits:
            check()
        else:
            with pytest.raises(ConfigError, match="n = "):
                check()


def test_names_are_suggested_when_near_and_listed_when_not() -> None:
    assert did_you_mean("sofft", ["soft", "strict"]) == "; did you mean 'soft'?"
    assert did_you_mean("zzz", ["soft", "strict"]) == "; known: soft, strict"
    with pytest.raises(ConfigError, match="rule = 'sfot'; did you mean 'soft'"):
        one_of("rule", "sfot", ("soft", "strict"))


def test_unknown_ids_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown environment 'mapf-lifelog-v0'; did you mean 'mapf-lifelong-v0'"):
        world("mapf-lifelog-v0")
    with pytest.raises(ConfigError, match="cannot import 'no_such_package'"):
        world("no_such_package:mapf-v0")
    with pytest.raises(gym.error.NameNotFound, match="mapf-lifelong"):
        gym.make("mapf-lifelon-v0")


def test_registering_twice_changes_nothing(recwarn: pytest.WarningsRecorder) -> None:
    register(WORLDS["mapf-v0"])
    assert not recwarn.list


def test_every_error_is_of_one_tree() -> None:
    from ludarium.envs.core import errors

    kinds = [getattr(errors, name) for name in errors.__all__ if name != "did_you_mean"]
    assert all(issubclass(kind, LudariumError) for kind in kinds)
    assert str(FileFormatError("a.map", "no header", 3)) == "a.map:3: no header"
    assert "pip install 'ludarium[export]'" in str(MissingExtraError("minari", "export"))


def test_a_folder_that_bears_the_name_of_a_package_is_not_the_package(tmp_path, monkeypatch) -> None:
    (tmp_path / "no_such_package_anywhere").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "test-folder-v0"
    register(WORLDS["mapf-v0"]._replace(id=name, requires="no_such_package_anywhere"))
    try:
        assert not available(name)
    finally:
        del WORLDS[name], gym.registry[name]


def test_an_id_whose_package_is_absent_is_known_listed_and_says_what_to_install() -> None:
    name = "test-needs-package-v0"
    row = WORLDS["mapf-v0"]._replace(id=name, requires="no_such_package_anywhere")
    register(row)
    try:
        assert not available(name)
        assert available("mapf-v0")
        for make in (lambda: make_simulator(name), lambda: gym.make(name), lambda: gym.make_vec(name, num_envs=2)):
            with pytest.raises(MissingExtraError, match=r"pip install 'ludarium\[no_such_package_anywhere\]'"):
                make()
        listed = dict(_rows("environments"))
        assert "needs the extra 'no_such_package_anywhere'" in listed[name]
        assert "extra" not in listed["mapf-v0"]
    finally:
        del WORLDS[name]
        del gym.registry[name]
