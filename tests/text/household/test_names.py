"""Names of ALFWorld's game files, as the expert reads them; and the games of the suite, which are houses of ours."""

import json
from pathlib import Path

import pytest

from ludarium.agents.text.household.names import FileNames
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.household.export import game

GAMES = Path(__file__).parents[3] / "scenarios" / "games"


def test_names_of_files_become_classes_with_numbers_and_come_back():
    names = FileNames()
    told = "You see a cabinet_bar_007, a sink_bar__minus_01_dot_72_bar_sinkbasin, and a cabinet_bar_003."
    assert names.shorten(told) == "You see a cabinet 1, a sinkbasin 1, and a cabinet 2."
    assert names.shorten("go to cabinet_bar_003") == "go to cabinet 2"
    assert names.lengthen("clean mug 1 with sinkbasin 1") == "clean mug 1 with sink_bar__minus_01_dot_72_bar_sinkbasin"
    assert names.lengthen(names.shorten("open cabinet_bar_007")) == "open cabinet_bar_007"


def test_other_words_stay_as_they_are():
    names, told = FileNames(), "You see a bar 1, and a crowbar 2. _bar_ is no name."
    assert names.shorten(told) == told
    assert names.lengthen("take bar 1 from shelf 2") == "take bar 1 from shelf 2"


@pytest.mark.parametrize("task", ["pick", "look", "clean", "heat", "cool", "pick_two"])
def test_the_games_of_the_suite_are_houses_of_ours(task):
    simulator = make_simulator("text-household-v0", task=task, n_receptacles=6, n_objects=8)
    for n in range(2):
        shipped = json.loads((GAMES / f"ludarium-{task.replace('_', '-')}-{n}.tw-pddl").read_text())
        assert shipped == json.loads(json.dumps(game(simulator.instance(2_000_000 + n))))
