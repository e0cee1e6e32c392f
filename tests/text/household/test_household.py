"""What must be true of the household, whatever the house: lists, masks, conservation, hiding, copies, robots."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from text.household.reference import Reference
from text.household.tiny import tiny_house

import ludarium
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError, LudariumError
from ludarium.envs.text.household.classes import affordances
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.export import to_textworld
from ludarium.envs.text.household.formats import config_for, load_game
from ludarium.envs.text.household.game import HouseholdText
from ludarium.envs.text.household.instance import House, Object, Receptacle, numbered, place_goal
from ludarium.envs.text.household.simulator import Household

NO_OPS = ("look", "inventory", "examine", "help", "heat", "cool", "clean", "use", "slice")
"""Commands that may change nothing but the clock: looking, and doing again what is done."""
SMALL: dict[str, Any] = {"n_receptacles": 8, "n_objects": 12}


def begun(house: House, **options: Any) -> Batch:
    batch = Batch(Household(config_for([house], **options)), 1, "text-household-v0")
    every = np.ones(1, np.bool_)
    batch.seed(every, [0])
    batch.reset(every, {0: house})
    return batch


def menu(batch: Batch, seat: int = 0) -> dict[str, int]:
    return {choice.text: choice.action for choice in batch.simulator.menu(batch.state, 0, seat) or ()}


def say(batch: Batch, *commands: str) -> str:
    for command in commands:
        batch.actions[0][0, 0] = menu(batch)[command]
        batch.step()
    return batch.simulator.describe(batch.state, 0, 0)


def world(batch: Batch) -> tuple[Any, ...]:
    """All that is so in a house, without clocks, last commands, and what the robots know."""
    state = batch.state
    return tuple(
        getattr(state, name).tobytes() for name in ("loc", "hold", "opened", "content", "around", "left", "flags")
    )


def small_house(closed: str = "Potato") -> House:
    """A cabinet with one thing in it, a fridge, a microwave, a sink, a countertop with a knife, an apple and a mug."""
    kinds = ["Cabinet", "CounterTop", "Fridge", "Microwave", "SinkBasin"]
    places = [
        Receptacle(kind, n, i, kind in ("Cabinet", "Fridge", "Microwave"))
        for i, (kind, n) in enumerate(numbered(kinds))
    ]
    lies = {"Apple": 1, "Knife": 1, "Mug": 1, closed: 0}
    things = [Object(kind, n, (lies[kind],), affordances(kind)) for kind, n in numbered(lies)]
    fits = tuple(sorted((r, o) for r in kinds for o in lies))
    return House(
        tuple(places), tuple(things), fits, place_goal("Apple", "Fridge", ("clean", "hot")), "heat",
        "put a hot clean apple in fridge", 6, 5,
    )  # fmt: skip


# --- lists, masks, effects ---
@pytest.mark.parametrize("seed", range(12))
def test_the_mask_is_the_list_and_the_brute_force_set(seed: int) -> None:
    """Every action of the space is tried at every state of a random walk."""
    batch, rng = begun(tiny_house(seed), max_steps=1000), random.Random(seed)
    simulator: Any = batch.simulator
    for _ in range(12):
        if batch.over[0]:
            break
        listed = [choice.text for choice in simulator.menu(batch.state, 0, 0)]
        assert listed == sorted(set(listed))
        allowed = set(np.flatnonzero(batch.masks[0][0, 0]))  # type: ignore[index]
        assert allowed == set(menu(batch).values())
        here, before = batch.snapshot(), world(batch)
        names = {action: text for text, action in menu(batch).items()}
        for action in range(simulator.actions):
            batch.actions[0][0, 0] = action
            batch.step()
            assert (batch.out.fault[0, 0] == 0) == (action in allowed)
            if action not in allowed:
                assert world(batch) == before
                assert simulator.describe(batch.state, 0, 0) == "Nothing happens."
            elif not names[action].startswith(NO_OPS):
                assert world(batch) != before
            batch.restore(here)
        batch.actions[0][0, 0] = rng.choice(sorted(allowed))
        batch.step()


def test_what_is_hidden_never_shows() -> None:
    """Two houses that differ in a closed cabinet tell and show the same until it is opened."""
    one, other = (begun(small_house(kind), quirks=False) for kind in ("Potato", "Plate"))
    rng = random.Random(1)
    for _ in range(40):
        assert (one.observed[0] == other.observed[0]).all()
        assert menu(one).keys() == menu(other).keys()
        command = rng.choice([text for text in menu(one) if text != "open cabinet 1"])
        assert say(one, command) == say(other, command)
    assert "potato" not in say(one, *(["go to cabinet 1"] if "go to cabinet 1" in menu(one) else []))
    assert "potato 1" in say(one, "open cabinet 1")
    assert "plate 1" in say(other, "open cabinet 1") if "open cabinet 1" in menu(other) else True


def test_quirks_let_a_knife_reach_into_a_closed_receptacle() -> None:
    for quirks in (True, False):
        batch = begun(small_house(), quirks=quirks)
        say(batch, "go to countertop 1", "take knife 1 from countertop 1", "go to cabinet 1")
        assert ("slice potato 1 with knife 1" in menu(batch)) == quirks


@pytest.mark.parametrize("seed", range(8))
def test_things_are_conserved(seed: int) -> None:
    env = gym.make("text-household-v0", **SMALL, n_agents=1 + seed % 3)
    _, info = env.reset(seed=seed)
    base: Any = env.unwrapped
    rng = np.random.default_rng(seed)
    over = False
    while not over:
        masks = info["action_mask"].reshape(-1, base.simulator.actions)
        action = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        _, _, terminated, truncated, info = env.step(action if len(masks) > 1 else int(action[0]))
        over = terminated or truncated
        for sentence, holds in base.simulator.invariants(base.batch.state).items():
            assert holds.all(), sentence


# --- the end ---
@pytest.mark.parametrize("seed", range(30))
def test_won_is_what_an_independent_evaluator_finds_in_the_exported_game(seed: int, tmp_path: Any) -> None:
    house = load_game(to_textworld(tiny_house(seed), tmp_path)).house
    batch, twin, rng = begun(house, max_steps=60), Reference(house.as_data()), random.Random(seed)
    total = 0.0
    while not batch.over[0]:
        command = rng.choice(list(menu(batch)))
        say(batch, command)
        twin.play([command])
        total += float(batch.out.reward[0, 0])
        assert bool(batch.state.won[0]) == twin.won() == bool(batch.out.terminated[0, 0])
    assert total == float(batch.state.won[0])


def test_progress_rewards_sum_to_the_sparse_one_less_the_beginning() -> None:
    house = small_house()
    plan = [
        "go to countertop 1", "take apple 1 from countertop 1", "go to sinkbasin 1", "clean apple 1 with sinkbasin 1",
        "go to microwave 1", "heat apple 1 with microwave 1", "go to fridge 1",
        "open fridge 1", "move apple 1 to fridge 1",
    ]  # fmt: skip
    for reward, total in (("sparse", 1.0), ("alfworld", 10.0), ("progress", 1.0)):
        batch = begun(house, reward=reward)
        got, seen = 0.0, []
        for command in plan:
            say(batch, command)
            got += float(batch.out.reward[0, 0])
            seen.append(float(batch.state.progress[0]))
        assert got == pytest.approx(total)
        assert seen == sorted(seen)
        assert batch.state.subgoals[0] == 31


def test_stepping_before_reset_and_after_the_end_raises() -> None:
    house = small_house()
    options = config_for([house], max_steps=1).as_dict()
    for env in (gym.make("text-household-v0", **options), HouseholdText(**options)):
        first: Any = "look" if isinstance(env, HouseholdText) else 0
        with pytest.raises(LudariumError, match="reset before step"):
            env.step(first)
        env.reset(seed=0, options={"instance": house})
        env.step(first)
        with pytest.raises(LudariumError, match="over"):
            env.step(first)


# --- sameness ---
def transcript(env: HouseholdText, seed: int, steps: int = 25) -> list[Any]:
    rng = random.Random(seed)
    observation, info = env.reset(seed=seed)
    told: list[Any] = [observation, info]
    for _ in range(steps):
        observation, *rest = env.step(rng.choice(observation["admissible"]))
        told += [observation, rest]
        if rest[1] or rest[2]:
            break
    return told


def test_equal_seeds_tell_the_same_and_a_reused_game_leaks_nothing() -> None:
    used = HouseholdText(**SMALL)
    for seed in (5, 6, 5, 7):
        random.seed(seed)
        np.random.seed(seed)
        assert transcript(used, seed) == transcript(HouseholdText(**SMALL), seed)


@pytest.mark.parametrize("seed", range(4))
def test_the_dialects_map_one_to_one(seed: int) -> None:
    """Positions in the lists differ (`put` sorts elsewhere than `move`), numbers of actions do not."""
    house, rng = Household(HouseholdConfig.of(**SMALL)).instance(seed), random.Random(seed)
    one, other = begun(house), begun(house, dialect="0.3")
    for _ in range(30):
        if one.over[0]:
            break
        theirs, ours = menu(other), menu(one)
        assert set(theirs.values()) == set(ours.values()) - {ours["help"]}
        action = rng.choice(sorted(theirs.values()))
        for batch in (one, other):
            batch.actions[0][0, 0] = action
            batch.step()
        texts = [batch.simulator.describe(batch.state, 0, 0) for batch in (one, other)]
        if texts[0].startswith("You arrive at"):
            texts = [text.split(". ", 1)[1] for text in texts]
        if texts[0].startswith("You move the"):
            texts[0] = texts[0].replace("You move the", "You put the").replace(" to the ", " in/on the ")
        assert texts[0] == texts[1]
        assert one.state.content.tobytes() == other.state.content.tobytes()


@pytest.mark.parametrize("seed", range(20))
def test_an_exported_house_comes_back(seed: int, tmp_path: Any) -> None:
    house = Household(HouseholdConfig.of(**SMALL)).instance(seed)
    for dialect in ("0.3", "0.4"):
        game = load_game(to_textworld(house, tmp_path / dialect, dialect=dialect))
        label = {"name": house.name, "room": house.room}
        assert dataclasses.replace(game.house, **label) == house
        assert game.dialect == dialect


def test_a_house_is_its_json_and_its_hash() -> None:
    house = small_house()
    again = House.from_data(house.as_data())
    assert (again, again.hash, hash(again)) == (house, house.hash, hash(house))
    assert dataclasses.replace(house, name="another").hash == house.hash
    assert small_house("Plate").hash != house.hash


# --- several robots ---
def test_of_two_that_want_one_thing_the_first_in_turn_gets_it() -> None:
    house = dataclasses.replace(small_house(), agents=2)
    batch = begun(house)
    simulator: Any = batch.simulator
    go = menu(batch)["go to countertop 1"]
    for first in (0, 1):
        batch.reset(np.ones(1, np.bool_), {0: house})
        for action in [go] + [simulator.actions - 4] * first:  # a step more, and the other one is first
            batch.actions[0][0] = action
            batch.step()
        assert int(batch.t[0]) % 2 == 1 - first
        batch.actions[0][0] = menu(batch)["take apple 1 from countertop 1"]
        batch.step()
        quick, slow = (1, 0) if first == 0 else (0, 1)
        assert simulator.faults[batch.out.fault[0, slow]] == "conflict"
        assert batch.state.hold[0, quick] >= 0
        assert batch.state.hold[0, slow] == -1


@pytest.mark.parametrize("seed", range(6))
def test_robots_that_change_seats_one_round_later_do_the_same(seed: int) -> None:
    """A round of looking shifts who is first, so that with seats exchanged every conflict ends as before."""
    house = dataclasses.replace(small_house(), agents=2)
    one, other = begun(house, max_steps=200), begun(house, max_steps=200)
    rng, look = random.Random(seed), menu(one)["look"]
    other.actions[0][0] = look
    other.step()
    conflicts = 0
    for _ in range(60):
        if one.over[0]:
            break
        pair = [rng.choice(list(menu(one, i).values())) for i in range(2)]
        if rng.random() < 0.7:  # both want the same
            pair[1] = pair[0]
        one.actions[0][0], other.actions[0][0] = pair, pair[::-1]
        one.step()
        other.step()
        assert one.out.fault[0].tolist() == other.out.fault[0, ::-1].tolist()
        assert one.out.reward[0].tolist() == other.out.reward[0].tolist()
        assert one.state.hold[0].tolist() == other.state.hold[0, ::-1].tolist()
        assert one.state.loc[0].tolist() == other.state.loc[0, ::-1].tolist()
        for name in ("opened", "content", "around", "left", "flags"):
            assert getattr(one.state, name).tobytes() == getattr(other.state, name).tobytes()
        conflicts += int((one.out.fault != 0).sum())
    assert conflicts


def test_robots_see_what_others_do_where_they_are() -> None:
    house = dataclasses.replace(small_house(), agents=2)
    env = ludarium.parallel_env("text-household-v0", **config_for([house]).as_dict())
    env.reset(seed=0, options={"instance": house})
    batch = env.unwrapped.batch
    go, look = menu(batch)["go to countertop 1"], menu(batch)["look"]
    env.step({"robot_0": go, "robot_1": go})
    assert "robot_1" in batch.simulator.describe(batch.state, 0, 0)
    before = batch.observed[0].copy()
    env.step({"robot_0": menu(batch)["take apple 1 from countertop 1"], "robot_1": look})
    assert (batch.observed[0][0, 1] != before[0, 1]).any()


# --- the text game and what it refuses ---
def test_a_text_game_says_why_nothing_happens() -> None:
    env = HouseholdText(error_style="helpful", **config_for([small_house()]).as_dict())
    env.reset(seed=0, options={"instance": small_house()})
    reasons = []
    for command in (
        "dance", "go to moon 1", "open fridge 1", "  GO   to fridge 1 ", "go to fridge 1", "take apple 1 from fridge 1",
        "close fridge 1", "open fridge 1", "open fridge 1", "take apple 1 from fridge 1", "move apple 1 to fridge 1",
        "heat apple 1 with fridge 1", "go to countertop 1", "open countertop 1", "take apple 1 from countertop 1",
        "take mug 1 from countertop 1", "slice mug 1 with knife 1", "use mug 1", "examine mug 1",
        "cool apple 1 with countertop 1",
    ):  # fmt: skip
        observation, _, _, _, info = env.step(command)
        reasons.append(info["reason"])
        assert observation["text"] != "Nothing happens."
    assert reasons == [
        "unknown", "unknown", "not_here", "none", "already_here", "closed", "already_closed", "none", "already_open",
        "not_here", "hands_empty", "hands_empty", "none", "not_openable", "none", "hands_full", "hands_empty", "unable",
        "hands_empty", "wrong_tool",
    ]  # fmt: skip


def test_strict_games_take_commands_as_they_are_listed() -> None:
    env = HouseholdText(strict=True, **SMALL)
    observation, _ = env.reset(seed=0)
    command = observation["admissible"][0]
    assert env.step(command.upper())[4]["reason"] == "unknown"
    assert env.step(f" {command} ")[4]["reason"] == "none"


@pytest.mark.parametrize("mode", ["index", "template", "tool"])
def test_other_forms_of_actions_mean_the_same(mode: str) -> None:
    text, other = HouseholdText(**SMALL), HouseholdText(action_mode=mode, **SMALL)
    rng = random.Random(0)
    observation, _ = text.reset(seed=2)
    other.reset(seed=2)
    for _ in range(15):
        n = rng.randrange(len(observation["admissible"]))
        choice = other.simulator.menu(other.batch.state, 0, 0)[n]
        form = {"index": n, "template": (choice.verb, *choice.arguments.values()),
                "tool": {"name": choice.verb, "arguments": choice.arguments}}[mode]  # fmt: skip
        expected = text.step(observation["admissible"][n])
        assert other.step(form) == expected
        observation = expected[0]
        if expected[2] or expected[3]:
            break
    assert other.digest() == text.digest()


def test_snapshots_of_text_games() -> None:
    env = HouseholdText(**SMALL)
    env.reset(seed=3)
    env.step("inventory")
    kept = env.snapshot()
    after = [env.step("look"), env.step("inventory")]
    assert env.restore(kept)["step"] == 1
    assert [env.step("look"), env.step("inventory")] == after
    assert env.trace().replay().ok


@pytest.mark.parametrize(
    ("mode", "action", "message"),
    [
        ("text", "", "not empty"), ("text", "   ", "not empty"), ("text", 3, "not empty"), ("text", None, "not empty"),
        ("index", -1, "index is 0 to"), ("index", 10_000, "index is 0 to"), ("index", "look", "index is 0 to"),
        ("tool", "look", "tool call"), ("tool", {"name": "fly"}, "no tool 'fly'"),
        ("tool", {"name": "go_to", "arguments": {}}, "does not take"),
        ("tool", {"name": "go_to", "arguments": "{"}, "not JSON"),
        ("tool", {"name": "go_to", "arguments": {"receptacle": 3, "more": 1}}, "does not take"),
        ("template", "look", "template"), ("template", ("fly", "moon"), "no template"),
    ],
)  # fmt: skip
def test_bad_actions_raise_and_change_nothing(mode: str, action: Any, message: str) -> None:
    env = HouseholdText(action_mode=mode, **SMALL)
    env.reset(seed=0)
    before = env.digest()
    with pytest.raises(ActionError, match=message):
        env.step(action)
    assert env.digest() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "scrub"}, "heat"), ({"room": "attic"}, "kitchen"), ({"dialect": "0.5"}, "0.4"),
        ({"error_style": "rude"}, "helpful"), ({"n_agents": 5}, "at most 4"), ({"n_receptacles": 4}, "at least 5"),
        ({"quirks": 1}, "True or False"), ({"games": "x", "pool": 3}, "pool"), ({"max_objects": 4, "n_objects": 9}, "too little"),
    ],
)  # fmt: skip
def test_bad_configs_fail_when_they_are_made(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        HouseholdConfig.of(**options)


def test_a_dialect_may_be_given_as_a_number() -> None:
    assert HouseholdConfig.of(dialect=0.3) == HouseholdConfig.of(dialect="0.3")


def test_bad_houses_name_what_is_wrong() -> None:
    house = small_house()
    apple = house.objects[0]
    for change, message in (
        ({"start": 9}, "start"), ({"agents": 9}, "agents"), ({"held": (0,)}, "lies nowhere"), ({"held": (0, 1)}, "one object"),
        ({"objects": (apple, apple)}, "two things"), ({"objects": (dataclasses.replace(apple, places=(9,)),)}, "receptacle 9"),
        ({"objects": (dataclasses.replace(apple, state=("hot", "cool")),)}, "both hot and cool"),
        ({"objects": (dataclasses.replace(apple, can=("edible",)),)}, "names out of"),
    ):  # fmt: skip
        with pytest.raises(InstanceError, match=message):
            dataclasses.replace(house, **change).validate()
    for goal, message in (
        (place_goal("Spoon", "Fridge"), "never be reached"), (("fly", "?o"), "unknown fact"),
        (("exists", (("?o", "robot"),), ("holds", "agent:0", "?o")), "unknown type"), (("holds", "agent:0", "?o"), "no variable"),
        (("holds", "agent:3", "object:0"), "no thing"),
    ):  # fmt: skip
        with pytest.raises(InstanceError, match=message):
            begun(dataclasses.replace(house, goal=goal))
    with pytest.raises(InstanceError, match="max_objects = 5; this environment has 4"):
        HouseholdText(**{**config_for([house]).as_dict(), "max_objects": 0, "n_objects": 4}).reset(
            options={
                "instance": dataclasses.replace(
                    house, objects=(*house.objects, Object("Pan", 1, (1,), ("pickupable",)))
                )
            }
        )


def test_pools_give_each_seed_one_of_their_houses() -> None:
    simulator = Household(HouseholdConfig.of(pool=3, **SMALL))
    env = gym.make_vec("text-household-v0", num_envs=24, pool=3, **SMALL)
    env.reset(seed=0)
    base: Any = env.unwrapped
    drawn = [base.batch.simulator.instance_hash(base.batch.state, b) for b in range(24)]
    assert set(drawn) == {house.hash for house in simulator.houses}
    assert drawn == [simulator.instance(seed).hash for seed in range(24)]
