"""Several robots in one house: what they say, what it costs, who hears it, and goals of their own."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from text.household.houses import ID, episodes

import ludarium
from ludarium.agents.text.household.expert import Mind
from ludarium.agents.text.household.memory import Memory
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError
from ludarium.envs.core.language import parse, parse_tool
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.household.classes import affordances
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.formats import config_for
from ludarium.envs.text.household.generate import generate_game
from ludarium.envs.text.household.instance import House, Object, Receptacle, all_of, numbered, place_goal

SPLIT: dict[str, Any] = {"n_agents": 3, "goals": "split", "task": "pick"}
PLACES = ("Cabinet", "CounterTop", "Drawer", "Fridge", "Shelf")
OPENS = ("Cabinet", "Drawer", "Fridge")
LIES = {"Apple": "CounterTop", "Mug": "CounterTop", "Potato": "Cabinet", "Plate": "Shelf"}


def team_house(agents: int = 2, *, goals: bool = False) -> House:
    """A small kitchen; with `goals` the first robot's is an apple in the fridge, the others' is a mug on the shelf."""
    places = tuple(Receptacle(kind, n, i, kind in OPENS) for i, (kind, n) in enumerate(numbered(PLACES)))
    where = {place.kind: i for i, place in enumerate(places)}
    things = tuple(Object(kind, n, (where[LIES[kind]],), affordances(kind)) for kind, n in numbered(LIES))
    own = (place_goal("Apple", "Fridge"), *(place_goal("Mug", "Shelf"),) * (agents - 1))
    said = ("put a apple in fridge", *("put a mug in shelf",) * (agents - 1))
    return House(
        places, things, tuple(sorted((r, o) for r in PLACES for o in LIES)), all_of(*own) if goals else own[0], "pick",
        said[0], len(PLACES) + 1, len(PLACES), agents, goals=own if goals else (), sentences=said if goals else (),
    )  # fmt: skip


class Team:
    """A house being played by several in words."""

    def __init__(self, house: House, **options: Any) -> None:
        self.options = config_for([house], **options).as_dict()
        self.simulator: Any = make_simulator(ID, **self.options)
        self.batch = Batch(self.simulator, 1, ID)
        one = np.ones(1, np.bool_)
        self.batch.seed(one, [0])
        self.batch.reset(one, {0: house})

    def menu(self, seat: int) -> dict[str, int]:
        return {choice.text: choice.action for choice in self.simulator.menu(self.batch.state, 0, seat)}

    def say(self, *commands: str) -> list[str]:
        """One round; what each robot is told then."""
        self.batch.actions[0][0] = [
            self.menu(i).get(command, self.simulator.actions - 1) for i, command in enumerate(commands)
        ]
        self.batch.step()
        return [self.simulator.describe(self.batch.state, 0, i) for i in range(len(commands))]


# --- what is said ---
def test_what_one_robot_says_the_other_hears_and_knows() -> None:
    team = Team(team_house(), say_tokens=50)
    assert "say what is in cabinet 1" not in team.menu(0)
    assert "say where potato 1 is" not in team.menu(1)
    team.say("go to cabinet 1", "go to shelf 1")
    team.say("open cabinet 1", "look")
    told = team.say("say what is in cabinet 1", "take plate 1 from shelf 1")
    assert told[0] == 'You say: "In the cabinet 1, I saw a potato 1." (words left: 41)'
    assert told[1] == ('You pick up the plate 1 from the shelf 1. robot_0 says: "In the cabinet 1, I saw a potato 1."')
    assert {"say what is in cabinet 1", "say where potato 1 is", "say where plate 1 is"} <= set(team.menu(1))
    told = team.say("look", "say where plate 1 is")
    assert 'robot_1 says: "I hold the plate 1."' in told[0]
    assert "say where plate 1 is" not in team.menu(0)  # it is in somebody's hand: there is no place to tell of


def test_words_are_counted_and_run_out() -> None:
    team = Team(team_house(), say_tokens=16)
    told = team.say("say going to shelf 1", "say going to fridge 1")
    assert told[0] == 'You say: "I am going to the shelf 1." (words left: 9) Here with you: robot_1. robot_1 says: ' + (
        '"I am going to the fridge 1."'
    )
    team.say("say going to shelf 1", "look")
    assert team.batch.state.budget[0].tolist() == [2, 9]
    assert not [text for text in team.menu(0) if text.startswith("say")]
    faults = team.batch.out.fault
    team.batch.actions[0][0] = team.menu(1)["say going to shelf 1"]
    team.batch.step()
    assert [team.simulator.faults[code] for code in faults[0]] == ["too_long", "none"]
    assert "too few words" in team.simulator.explain(team.batch.state, 0, 0, 3, int(faults[0, 0]))


@pytest.mark.parametrize("seed", range(4))
def test_a_sentence_has_as_many_words_as_it_costs(seed: int) -> None:
    """Random talk in generated houses: the words that are gone are those of the sentences that were heard."""
    simulator: Any = make_simulator(ID, n_agents=2, say_tokens=200, n_receptacles=8, n_objects=12)
    batch, one = Batch(simulator, 1, ID), np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    rng, heard = np.random.default_rng(seed), 0
    while not batch.over[0]:
        for i in range(2):
            choices = simulator.menu(batch.state, 0, i)
            talk = [choice for choice in choices if choice.text.startswith("say") and "going" not in choice.text]
            choices = talk if talk and rng.random() < 0.4 else choices
            batch.actions[0][0, i] = choices[rng.integers(len(choices))].action
        batch.step()
        for i in range(2):
            _, _, said = simulator.describe(batch.state, 0, i).partition(f'robot_{1 - i} says: "')
            heard += len(said.rstrip('"').split())
    assert heard == batch.result()["metrics"]["words"] > 50


def test_speech_is_in_the_tools_and_every_spelling_of_them_is_the_same() -> None:
    team = Team(team_house(), say_tokens=30)
    state = team.batch.state
    wanted = team.menu(0)["say going to fridge 1"]
    assert parse(team.simulator, state, 0, 0, "Say  going to FRIDGE 1") == wanted
    assert parse_tool(team.simulator, state, 0, 0, "say_going_to", {"receptacle": "fridge 1"}) == wanted
    assert {"say_what_is_in", "say_where_is", "say_going_to"} <= set(team.simulator.verbs())
    with pytest.raises(ActionError, match="say_where_is"):
        parse_tool(team.simulator, state, 0, 0, "say_where_is", {"object": "potato 1"})
    helpful: Any = Team(team_house(), say_tokens=30, error_style="helpful")
    for text, why in (
        ("say where potato 1 is", "neither seen nor heard"), ("open fridge 1", "You see no such thing where you are"),
        ("dance", "no such command or thing"),
    ):  # fmt: skip
        with pytest.raises(ActionError, match=rf"{text}' is no command now \(.*{why}.*\);"):
            parse(helpful.simulator, helpful.batch.state, 0, 0, text)
        with pytest.raises(ActionError, match=f"{text}' is no command now;"):
            parse(team.simulator, state, 0, 0, text)
    for talks in (0, 30):
        assert (" say " in make_simulator(ID, n_agents=2, say_tokens=talks).rules()) == (talks > 0)


def test_nobody_learns_of_what_nobody_saw() -> None:
    """Houses that differ in a closed cabinet look and sound alike, whatever is said, until it is opened."""
    twins = []
    for kind in ("Potato", "Plate"):
        house = team_house()
        hidden = house.receptacles.index(next(place for place in house.receptacles if place.kind == "Cabinet"))
        things = tuple(
            dataclasses.replace(item, places=(hidden,) if item.kind == kind else (2,) if item.kind in LIES else ())
            for item in house.objects
            if item.kind not in ("Potato", "Plate") or item.kind == kind
        )
        twins.append(Team(dataclasses.replace(house, objects=things), say_tokens=300, quirks=False))
    rng = np.random.default_rng(0)
    for _ in range(40):
        menus = [[team.menu(i) for i in range(2)] for team in twins]
        assert [list(menu) for menu in menus[0]] == [list(menu) for menu in menus[1]]
        pair = [str(rng.choice([text for text in menu if text != "open cabinet 1"])) for menu in menus[0]]
        assert twins[0].say(*pair) == twins[1].say(*pair)
        assert (twins[0].batch.observed[0] == twins[1].batch.observed[0]).all()


def test_what_one_holds_and_sees_is_not_talked_away() -> None:
    team = Team(team_house(3), say_tokens=100)
    team.say("go to countertop 1", "go to countertop 1", "go to shelf 1")
    team.say("look", "take apple 1 from countertop 1", "look")
    told = team.say("say what is on countertop 1", "say where apple 1 is", "take plate 1 from shelf 1")
    assert 'robot_0 says: "On the countertop 1, I saw a mug 1." robot_1 says: "I hold the apple 1."' in told[2]
    assert "say where apple 1 is" in team.menu(1)
    assert "say where apple 1 is" not in team.menu(2)
    assert "say where mug 1 is" in team.menu(2)


def test_the_picture_shows_who_says_what_and_nothing_that_nobody_saw() -> None:
    team = Team(team_house(2, goals=True), say_tokens=20)
    assert "apple" not in team.simulator.scene(team.batch.state, 0).words.split("\n", 2)[2]
    team.say("go to countertop 1", "say going to shelf 1")
    scene = team.simulator.scene(team.batch.state, 0)
    assert "countertop 1: apple 1, mug 1" in scene.words
    assert "plate" not in scene.words
    assert 'robot_1 holds nothing and says: "I am going to the shelf 1."' in scene.caption
    assert "robot_1: put a mug in shelf" in scene.words


# --- goals of their own ---
def test_each_is_told_and_rewarded_for_its_own_goal_and_all_must_hold_at_once() -> None:
    team = Team(team_house(2, goals=True))
    intros = [team.simulator.describe(team.batch.state, 0, i) for i in range(2)]
    assert "put a apple in fridge" in intros[0]
    assert "put a mug in shelf" in intros[1]
    assert "mug" not in intros[0]
    assert team.batch.observed[0][0, 0, :4].tolist() != team.batch.observed[0][0, 1, :4].tolist()
    team.say("go to countertop 1", "go to countertop 1")
    team.say("take apple 1 from countertop 1", "take mug 1 from countertop 1")
    team.say("go to fridge 1", "go to shelf 1")
    told = team.say("open fridge 1", "move mug 1 to shelf 1")
    assert told[1] == "You move the mug 1 to the shelf 1. Your task is done."
    assert team.batch.out.reward[0].tolist() == [0, 1]
    assert not team.batch.over[0]
    team.say("look", "take mug 1 from shelf 1")  # undone again
    assert team.batch.out.reward[0].tolist() == [0, -1]
    team.say("move apple 1 to fridge 1", "look")
    assert team.batch.out.reward[0].tolist() == [1, 0]
    assert not team.batch.over[0]
    assert team.batch.result()["metrics"]["own_goals"] == 0.5
    team.say("look", "move mug 1 to shelf 1")
    assert team.batch.out.reward[0].tolist() == [0, 1]
    assert team.batch.out.terminated[0].all()
    assert team.batch.result()["metrics"]["success"] == 1
    assert team.batch.trace().replay().ok


@pytest.mark.parametrize("reward", ["sparse", "alfworld", "progress"])
@pytest.mark.parametrize("seed", range(3))
def test_rewards_sum_to_what_holds_at_the_end(seed: int, reward: str) -> None:
    """Another's robot may undo what one did: the rewards of an episode tell of its end all the same."""
    env = ludarium.parallel_env(ID, **SPLIT, reward=reward, say_tokens=20, n_receptacles=8, n_objects=12)
    _, infos = env.reset(seed=seed)
    batch, rng = env.unwrapped.batch, np.random.default_rng(seed)
    start, total = batch.state.own[0].copy(), np.zeros(3)
    while env.agents:
        actions = {seat: int(rng.choice(np.flatnonzero(infos[seat]["action_mask"]))) for seat in env.agents}
        _, rewards, _, _, infos = env.step(actions)
        total += [rewards[f"robot_{i}"] for i in range(3)]
    own = batch.state.own[0]
    holds = own - start if reward == "progress" else (10.0 if reward == "alfworld" else 1.0) * (own == 1.0)
    assert total == pytest.approx(holds)
    assert batch.trace().replay().ok


def test_generated_goals_are_of_different_classes_and_solvable() -> None:
    for agents in (2, 3, 4):
        config = HouseholdConfig(n_agents=agents, goals="split", n_objects=30)
        for seed in range(8):
            game = generate_game(config, seed)
            assert (
                len(game.house.goals) == len(game.house.sentences) == len({part.kind for part in game.parts}) == agents
            )
            assert game.house.goal == all_of(*game.house.goals)
            assert House.from_data(game.house.as_data()) == game.house


@pytest.mark.parametrize("agent", ["household-oracle", "household-expert"])
def test_reference_agents_reach_goals_of_their_own(agent: str) -> None:
    rows = episodes(agent, range(10), **SPLIT, n_objects=24)
    assert np.mean([row["success"] for row in rows]) >= 0.9
    assert all(row["own_goals"] == 1 for row in rows if row["success"])


def test_experts_with_goals_of_their_own_are_quicker_together() -> None:
    """Three robots that each do their part need fewer steps than one that does all three."""
    together = [row["steps"] for row in episodes("household-expert", range(10), **SPLIT, n_objects=24)]
    alone = [row["steps"] for row in episodes("household-oracle", range(10), **SPLIT, n_objects=24)]
    assert np.mean(together) < np.mean(alone)


def test_the_expert_listens_and_waits_when_its_task_is_done() -> None:
    memory = Memory()
    intro = "you see a cabinet 1, and a shelf 1.\n\nYour task is to: put a mug in shelf."
    memory.hear("", f"Looking quickly around you, {intro}", ("go to cabinet 1",))
    text = 'You arrive at shelf 1. On the shelf 1, you see nothing. robot_1 says: "In the cabinet 1, I saw a mug 2, and a cup 1."'
    memory.hear("go to shelf 1", text, ("go to cabinet 1",))
    assert memory.where("mug") == [("mug 2", "cabinet 1")]
    memory.hear("look", 'You are here. robot_1 says: "I hold the mug 2."', ("go to cabinet 1",))
    assert memory.where("mug") == []
    memory.hear("look", 'You are here. robot_1 says: "I saw the mug 2 in the cabinet 1."', ("go to cabinet 1",))
    assert memory.where("mug") == [("mug 2", "cabinet 1")]
    from ludarium.agents.contract import Turn

    assert Mind().turn(Turn("... Your task is done.", commands=("go to shelf 1", "look"))).action == "look"


# --- whose seat it is ---
@pytest.mark.parametrize("seed", range(4))
def test_talkers_that_change_seats_one_round_later_say_hear_and_get_the_same(seed: int) -> None:
    """A round of looking shifts who is first; with seats and goals exchanged all is as before but the names."""
    house = team_house(goals=True)
    turned = dataclasses.replace(
        house, goals=house.goals[::-1], sentences=house.sentences[::-1], goal=all_of(*house.goals[::-1])
    )
    one, other = Team(house, say_tokens=60, max_steps=200), Team(turned, say_tokens=60, max_steps=200)
    other.say("look", "look")
    rng, said = np.random.default_rng(seed), 0
    for _ in range(50):
        if one.batch.over[0]:
            break
        pair = [str(rng.choice(list(one.menu(i)))) for i in range(2)]
        if rng.random() < 0.5:
            pair[1] = pair[0]
        told, theirs = one.say(*pair), other.say(*pair[::-1])
        names = {"robot_0": "robot_1", "robot_1": "robot_0"}
        assert told == [_renamed(text, names) for text in theirs[::-1]]
        assert one.batch.out.reward[0].tolist() == other.batch.out.reward[0, ::-1].tolist()
        assert one.batch.out.fault[0].tolist() == other.batch.out.fault[0, ::-1].tolist()
        assert one.batch.state.budget[0].tolist() == other.batch.state.budget[0, ::-1].tolist()
        said += sum("says:" in text for text in told)
    assert said


def _renamed(text: str, names: dict[str, str]) -> str:
    return re.sub("robot_[01]", lambda found: names[found[0]], text)


def test_beside_one_that_stands_still_a_robot_is_as_if_alone() -> None:
    """All that one is told, and may do, is the same but for the company."""
    alone, both = Team(team_house(1)), Team(team_house(2))
    rng = np.random.default_rng(3)
    for _ in range(30):
        if alone.batch.over[0]:
            break
        assert list(alone.menu(0)) == list(both.menu(0))
        command = str(rng.choice(list(alone.menu(0))))
        told = alone.say(command)[0]
        assert both.say(command, "inventory")[0].removesuffix(" Here with you: robot_1.") == told
        assert alone.batch.out.reward[0, 0] == both.batch.out.reward[0, 0]


# --- what is refused ---
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"say_tokens": 10}, "for several robots; set n_agents"), ({"goals": "split"}, "for several robots"),
        ({"goals": "each", "n_agents": 2}, "split"), ({"say_tokens": -1, "n_agents": 2}, "at least 0"),
        ({"say_tokens": 20_000, "n_agents": 2}, "at most 10000"), ({"say_tokens": 1.5, "n_agents": 2}, "say_tokens"),
        ({"goals": "split", "n_agents": 2, "conjuncts": 2}, "leave conjuncts"),
        ({"goals": "split", "n_agents": 2, "games": "x"}, "leave conjuncts and games"),
        ({"goals": "split", "n_agents": 2, "task": "look"}, "does not go with task = 'look'"),
        ({"goals": "split", "n_agents": 4, "task": "pick_two"}, "4 parts of 2 objects each; expected at most 6"),
        ({"conjuncts": 3, "count": 4, "n_objects": 40}, "3 parts of 4 objects each"),
        ({"goals": "split", "n_agents": 2, "sliced": True}, "leave count, conjuncts and goals"),
    ],
)  # fmt: skip
def test_wishes_for_teams_that_cannot_be_met_say_why(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        HouseholdConfig.of(**options)


def test_houses_and_environments_agree_on_whose_the_goals_are() -> None:
    shared, split = team_house(), team_house(goals=True)
    with pytest.raises(InstanceError, match="has one goal; this environment has goals = 'split'"):
        gym.make(ID, **Team(split).options).reset(options={"instance": shared})
    with pytest.raises(InstanceError, match="a goal for each agent; this environment has goals = 'shared'"):
        gym.make(ID, **Team(shared).options).reset(options={"instance": split})
    for change, words in (
        ({"goals": split.goals[:1], "sentences": split.sentences[:1]}, "one an agent"), ({"goal": split.goals[0]}, "conjunction"),
        ({"sentences": ()}, "0 sentences for 2 goals"),
    ):  # fmt: skip
        with pytest.raises(InstanceError, match=words):
            dataclasses.replace(split, **change).validate()
