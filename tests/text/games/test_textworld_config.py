"""What `text-textworld-v0` is without TextWorld: known, described, and clear about what it lacks; and its bad input."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from properties.test_registered import SECTIONS, page, table

import ludarium
from ludarium.envs.core.errors import ConfigError, FileFormatError, MissingExtraError
from ludarium.envs.core.registry import available, config_class, world
from ludarium.envs.text.textworld.generate import MAX_BYTES, checked

ID = "text-textworld-v0"


@pytest.mark.skipif(available(ID), reason="TextWorld is installed here")
def test_without_textworld_it_says_in_one_line_what_to_install() -> None:
    for make in (lambda: gym.make(ID), lambda: gym.make_vec(ID, num_envs=2), lambda: ludarium.parallel_env(ID)):
        with pytest.raises(MissingExtraError) as caught:
            make()
        assert str(caught.value) == "this needs the package 'textworld': pip install 'ludarium[textworld]'"


def test_its_page_is_true_to_its_config() -> None:
    text = page(world(ID).simulator.rsplit(".", 1)[0])
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == list(SECTIONS)
    arguments = table(text, "Arguments")
    assert {name: row[0].strip("` ") for name, row in arguments.items()} == {
        field.name: str(field.default) for field in dataclasses.fields(config_class(ID))
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"games": "a.z8"}, "list of paths"), ({"games": [3]}, "list of paths"), ({"make": " "}, "tw-make"),
        ({"pool": 0}, "at least 1"), ({"max_commands": 10**9}, "at most"), ({"action": "indx"}, "index"),
    ],
)  # fmt: skip
def test_bad_configs_say_what_is_wrong(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        config_class(ID).of(**options)


def test_bad_files_are_named_with_the_reason(tmp_path: Path) -> None:
    def file(name: str, content: str | bytes = "") -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    good = {"pddl_domain": "d", "grammar": "g", "pddl_problem": "p"}
    large = tmp_path / "large.z8"
    with large.open("wb") as out:
        out.truncate(MAX_BYTES + 1)
    for name, said in (
        (str(tmp_path / "none.z8"), "no such file"), (file("game.exe"), "ends in .z8"), (str(tmp_path), "ends in"),
        (file("lonely.z8"), "needs lonely.json beside it"), (str(large), "at most"),
        (file("broken.tw-pddl", '{"a": \n 1,}'), "no JSON"), (file("list.tw-pddl", "[1]"), "has no text 'pddl_domain'"),
        (file("bytes.tw-pddl", b"\xff\xfe{"), "no JSON"), (file("deep.tw-pddl", "[" * 100_000), "no JSON"),
        (file("half.tw-pddl", json.dumps({**good, "pddl_problem": None})), "has no text 'pddl_problem'"),
    ):  # fmt: skip
        with pytest.raises(FileFormatError, match=said) as caught:
            checked(name)
        assert caught.value.path == name
    assert checked(file("good.tw-pddl", json.dumps(good))).name == "good.tw-pddl"
