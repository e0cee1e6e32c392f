"""A user's ALFWorld folder: what is played, what is left out and why, and what a broken file is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from text.household.reference import Reference

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import FileFormatError, InstanceError
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.export import TASK_TYPES, game, to_textworld
from ludarium.envs.text.household.formats import config_for, find_games, load_alfworld, load_game
from ludarium.envs.text.household.generate import generate
from ludarium.envs.text.household.pddl import parse_pddl, typed
from ludarium.envs.text.household.simulator import Household


def house(task: str = "heat", **options: Any) -> Any:
    return generate(HouseholdConfig.of(task=task, n_receptacles=8, n_objects=10, **options), 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two games of three types, in ALFWorld's layout."""
    for n, task in enumerate(("heat", "look", "pick_two")):
        for trial in range(2):
            to_textworld(house(task), tmp_path / "json_2.1.1" / "train" / f"task-{n}" / f"trial_{trial}")
    return tmp_path


def change(path: Path, **changes: Any) -> None:
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, **changes}))


def changed_problem(path: Path, old: str, new: str) -> None:
    data = json.loads(path.read_text())
    assert old in data["pddl_problem"]
    change(path, pddl_problem=data["pddl_problem"].replace(old, new, 1))


def test_a_folder_is_read_as_alfworld_reads_it(folder: Path) -> None:
    loaded = load_alfworld(folder)
    assert len(loaded.games) == 6
    assert [game.path for game in loaded.games] == sorted(game.path for game in loaded.games)
    assert [game.house.task for game in loaded.games] == ["heat"] * 2 + ["look"] * 2 + ["pick_two"] * 2
    assert (loaded.dialects, loaded.skipped) == ({"0.4": 6}, {})
    simulator = Household(config_for([house for _, house in loaded.houses], games=str(folder)))
    assert len(simulator.houses) == 6


def test_what_alfworld_leaves_out_is_counted_by_reason(folder: Path) -> None:
    trials = sorted(folder.glob("*/*/*/trial_*"))
    change(trials[0] / "game.tw-pddl", solvable=False)
    change(trials[1] / "game.tw-pddl", solvable=None)
    (trials[2] / "game.tw-pddl").unlink()
    change(trials[3] / "traj_data.json", task_type="pick_and_place_with_movable_recep")
    data = json.loads((trials[4] / "game.tw-pddl").read_text())
    del data["solvable"]
    (trials[4] / "game.tw-pddl").write_text(json.dumps(data))
    trials[5].parent.rename(trials[5].parent.with_name("pick-AppleSliced-None-Fridge-1"))
    with pytest.raises(FileFormatError) as told:
        load_alfworld(folder)
    message = str(told.value)
    for part in ("trial_T2019", "traj_data.json", "1 known to be unsolvable", "1 with solvable null", "1 without game.tw-pddl",
                 "1 of task type pick_and_place_with_movable_recep"):  # fmt: skip
        assert part in message
    change(folder / "json_2.1.1" / "train" / "task-0" / "trial_0" / "game.tw-pddl", solvable=True)
    files, skipped = find_games(folder)
    assert len(files) == 1
    assert sum(skipped.values()) == 5
    assert (
        skipped["movable receptacle or sliced object"] == 2
    )  # both trials of the renamed task, whatever else they lack


def test_an_empty_or_missing_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"no game to play \(trials skipped: none was there\)[\s\S]*game.tw-pddl"):
        load_alfworld(tmp_path)
    with pytest.raises(FileFormatError, match=r"no such file or folder[\s\S]*initial_state.pddl"):
        load_alfworld(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pddl_problem": None}, "'pddl_problem'"), ({"grammar": 3}, "'grammar'"), ({"solvable": None}, "solvable is null"),
        ({"grammar": "Your task is to: put."}, "neither dialect"), ({"grammar": "move {o} to {r}"}, "Your task is to"),
        ({"pddl_problem": "(define"}, "without its '\\)'"), ({"pddl_problem": "(define))"}, "without its '\\('"),
        ({"pddl_problem": "a b"}, "one PDDL expression"), ({"pddl_problem": "(define (problem x))"}, "no \\(:objects"),
        ({"pddl_problem": "(" * 500 + ")" * 500}, "nested deeper"),
        ({"pddl_domain": "(define (domain alfred)\n(:action\n fly :parameters ()))"}, ":3: unsupported PDDL .*'fly'"),
    ],
)  # fmt: skip
def test_broken_games_name_the_file_and_the_reason(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = to_textworld(house(), tmp_path)
    change(path, **changes)
    with pytest.raises(FileFormatError, match=message) as told:
        load_game(path)
    assert str(path) in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("(isHot ?o0)", "(preference p (isHot ?o0))", r"unsupported PDDL in the goal: \(preference"),
        ("(isHot ?o0)", "(>= (total-cost) 3)", r"unsupported PDDL in the goal: \(>="),
        ("(inReceptacle ?o0 ?r)", "(inReceptacle moon ?r)", "unknown name moon"),
        ("agent1 - agent", "agent1 - agent\n  agent2 - agent", "2 agents"),
        ("(atLocation agent1", "(nowhere nobody", "no agent is at a location"),
        ("(:init", "(:init (= 1 (f 2))", "unsupported PDDL in"),
    ],
)  # fmt: skip
def test_unsupported_pddl_is_told_with_its_construct_and_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = to_textworld(house(), tmp_path)
    changed_problem(path, old, new)
    if "agent2" in new:
        changed_problem(path, "(atLocation agent1", "(atLocation agent2 loc_bar_000) (atLocation agent1")
    with pytest.raises(FileFormatError, match=message) as told:
        load_game(path)
    if "goal" in message or "moon" in message:
        text = json.loads(path.read_text())["pddl_problem"]
        assert told.value.line == text.count("\n") - 1  # the goal is on the line before the last


def test_several_agents_load_where_they_are_asked_for(tmp_path: Path) -> None:
    path = to_textworld(house(n_agents=2), tmp_path)
    with pytest.raises(FileFormatError, match="the game has 2 agents; n_agents = 1"):
        load_game(path)
    assert load_game(path, agents=2).house.agents == 2


def test_no_json_and_huge_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "game.tw-pddl"
    path.write_text("{\n 3")
    with pytest.raises(FileFormatError, match=r"game.tw-pddl:2: no JSON"):
        load_game(path)
    path.write_text("[1]")
    with pytest.raises(FileFormatError, match="expected a JSON object"):
        load_game(path)
    path.write_text("[" * 100_000)
    with pytest.raises(FileFormatError, match="JSON"):
        load_game(path)
    monkeypatch.setattr("ludarium.envs.text.household.formats._MAX_FILE", 10)
    with pytest.raises(FileFormatError, match="larger than 10 bytes"):
        load_game(path)


def test_a_sentence_that_does_not_fit_its_goal_warns_once(folder: Path) -> None:
    for path in folder.glob("*/*/*/trial_*/game.tw-pddl"):
        data = json.loads(path.read_text())
        start = data["grammar"].index("Your task is to: ")
        end = data["grammar"].index('"', start)
        change(path, grammar=data["grammar"][:start] + "Your task is to: tidy up." + data["grammar"][end:])
    with pytest.warns(UserWarning, match=r"6 of 6 games .*'tidy up'") as told:
        loaded = load_alfworld(folder)
    assert len(told) == 1
    assert not any(game.agrees for game in loaded.games)


def test_any_tree_of_a_goal_is_understood(tmp_path: Path) -> None:
    """Disjunction, negation, universal quantification and constants, none of which ALFWorld's own goals have."""
    path = to_textworld(house("pick"), tmp_path)
    text = json.loads(path.read_text())["pddl_problem"]
    start = text.index("(:goal")
    goal = (
        "(:goal (and (forall (?r - receptacle) (or (not (openable ?r)) (opened ?r) (receptacleType ?r FridgeType)))"
        " (not (exists (?a - agent) (holdsAny ?a)))))\n)\n"
    )
    change(path, pddl_problem=text[:start] + goal)
    read = load_game(path).house
    assert read.goal[0] == "and"
    simulator = Household(config_for([read], max_steps=200))
    batch, one = Batch(simulator, 1, "text-household-v0"), np.ones(1, np.bool_)
    batch.seed(one, [0])
    batch.reset(one, {0: read})
    twin = Reference(read.as_data())
    for place in read.receptacles:
        for verb in ("go to", "open"):
            menu = {choice.text: choice.action for choice in simulator.menu(batch.state, 0, 0)}
            command = f"{verb} {place.name}"
            if command in menu and not batch.over[0]:
                batch.actions[0][0, 0] = menu[command]
                batch.step()
                twin.play([command])
                assert bool(batch.state.won[0]) == twin.won()
    assert batch.state.won[0]


def test_names_that_would_not_come_back_are_refused() -> None:
    made = house()
    with pytest.raises(InstanceError, match="plain words"):
        game(type(made)(**{**vars_of(made), "sentence": 'put "it" {away}'}))
    shuffled = {**vars_of(made), "objects": made.objects[::-1]}
    with pytest.raises(InstanceError, match="highest number"):
        game(type(made)(**shuffled))


def vars_of(made: Any) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def test_task_types_have_alfworlds_names() -> None:
    assert len(TASK_TYPES) == 6
    assert TASK_TYPES["look"] == "look_at_obj_in_light"


def test_pddl_is_read_in_lower_case_with_comments_left_out() -> None:
    assert parse_pddl("(Define ; a word\n (B c))", "x") == ["define", ["b", "c"]]
    assert typed(["a", "b", "-", "t", "c"]) == [("a", "t"), ("b", "t"), ("c", "object")]
