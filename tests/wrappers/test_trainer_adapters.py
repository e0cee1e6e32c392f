"""Adapters to trainers against their contracts, written down from their sources; none of them need be installed.

TRL (docs/source/openenv.md), verifiers 0.4.0 (verifiers/v1), SkyRL (base_text_env.py), verl (interactions/base.py), OpenRLHF
(utils/agent.py), ALFWorld 0.4 (AlfredTWEnv). Each is driven the way its own loop does.
"""

import asyncio
import contextlib
import inspect
import pickle
import re
import sys
import types
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import pytest

from ludarium import wrappers
from ludarium.envs.core.errors import ActionError
from ludarium.wrappers.alfworld import to_alfworld_batch
from ludarium.wrappers.openrlhf import to_openrlhf
from ludarium.wrappers.skyrl import to_skyrl
from ludarium.wrappers.spoken import Spoken, command_of
from ludarium.wrappers.trl import to_trl
from ludarium.wrappers.verifiers import to_verifiers
from ludarium.wrappers.verl import to_verl

HOUSE, COIN, DESK = "text-household-v0", "text-coin-v0", "text-desk-v0"


def coin_walk(seed=0, **config):
    """The commands of a shortest plan to the coin."""
    from ludarium.agents.crew import Crew
    from ludarium.agents.registry import make_agent

    spoken = Spoken(COIN, **config)
    spoken.reset(seed)
    batch = spoken.episode.batch
    crew = Crew(batch, [(make_agent("coin-oracle"), batch.simulator.seats)])
    crew.start(0)
    found = []
    while not batch.over[0]:
        crew.act()
        chosen = int(batch.actions[0][0, 0])
        found.append(next(c.text for c in batch.simulator.menu(batch.state, 0, 0) if c.action == chosen))
        batch.step()
    return found


@pytest.mark.parametrize("name", ["trl", "verifiers", "skyrl", "verl", "openrlhf", "alfworld"])
def test_an_adapter_is_short_and_imports_no_trainer(name):
    text = (Path(wrappers.__file__).parent / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 80
    imported = re.findall(r"^\s*(?:from|import) (\w+)", text, re.M)
    assert set(imported) <= {"__future__", "ludarium", "numpy", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    ("reply", "command"),
    [
        ("<action>go north</action>", "go north"), ("I think.\n<action>a</action> no, <ACTION> look </ACTION>", "look"),
        ("hm\n\n take coin \n", "take coin"), ("", ""), ("<action></action>", ""), ("<action>open", "<action>open"),
    ],
)  # fmt: skip
def test_the_command_of_a_reply(reply, command):
    assert command_of(reply) == command


def test_a_reply_that_is_no_command_changes_nothing_and_counts():
    spoken = Spoken(HOUSE, max_steps=6)
    spoken.reset(1)
    before = spoken.episode.batch.digest(0)
    text, reward, done = spoken.say("fly to the moon")
    assert "no command" in text
    assert (reward, done, spoken.refused) == (0.0, False, 1)
    assert spoken.episode.batch.digest(0) == before
    ends = [spoken.say("nonsense")[2] for _ in range(5)]
    assert ends == [False] * 4 + [True]
    with pytest.raises(ActionError, match="over"):
        spoken.say("look")


# --- TRL ----------------------------------------------------------------------------------------------------------------
def tools_of(environment):
    """As TRL finds them: public methods but `reset` and `get_reward`."""
    members = inspect.getmembers(environment, predicate=inspect.ismethod)
    return {
        name: method for name, method in members if not name.startswith("_") and name not in ("reset", "get_reward")
    }


@pytest.mark.parametrize("world", [HOUSE, COIN, DESK, "mapf-lifelong-v0", "text-cooking-v0"])
def test_trl_finds_a_typed_and_documented_tool_for_each_verb(world):
    factory = to_trl(world, others="pibt") if world.startswith("mapf") else to_trl(world)
    environment = pickle.loads(pickle.dumps(factory))()
    assert isinstance(environment.reset(seed=3, prompt=[], environment="x"), str)
    found = tools_of(environment)
    assert len(found) > 1
    for name, method in found.items():
        signature = inspect.signature(method)
        assert name.isidentifier()
        assert signature.return_annotation is str
        assert "Returns:" in method.__doc__
        for parameter in signature.parameters.values():
            assert parameter.annotation in (str, int, float, bool, list, dict)
            assert f"    {parameter.name}: " in method.__doc__.split("Args:")[1]


def test_trl_plays_an_episode_by_tools():
    walk = coin_walk(5)
    environment = to_trl(COIN)()
    environment.reset(seed=5)
    for command in walk:
        verb, _, rest = command.partition(" ")
        environment.__dict__[verb](*[rest] if rest else [])
    assert environment.get_reward() == 1.0
    with pytest.raises(ActionError, match="over"):
        environment.look()
    with pytest.raises(TypeError):
        environment.look(at="this")


# --- SkyRL --------------------------------------------------------------------------------------------------------------
def test_skyrl_steps_through_an_episode():
    class BaseTextEnv:
        def __init__(self):
            self.turns, self.max_turns, self.tool_groups = 0, 1, []

    environment = to_skyrl(COIN, BaseTextEnv)(env_config={}, extras={"seed": 5})
    assert isinstance(environment, BaseTextEnv)
    messages, metadata = environment.init([{"role": "system", "content": "play"}])
    assert [set(m) for m in messages] == [{"role", "content"}] * 2
    assert isinstance(metadata, dict)
    walk = coin_walk(5)
    for n, command in enumerate(walk):
        out = environment.step(f"<action>{command}</action>")
        assert set(out) == {"observations", "reward", "done", "metadata", "postprocessed_action"}
        assert out["done"] == (n == len(walk) - 1)
        assert all(set(m) == {"role", "content"} and m["role"] == "user" for m in out["observations"])
    assert (out["reward"], out["observations"], environment.turns) == (1.0, [], len(walk))
    assert environment.get_metrics()["success"] == 1
    environment.close()


# --- verl ---------------------------------------------------------------------------------------------------------------
def test_verl_talks_through_episodes_that_do_not_mix():
    class BaseInteraction:
        def __init__(self, config):
            self.config, self.name = config, config.get("name", "interaction_agent")

    interaction = to_verl(COIN, BaseInteraction)({"name": "coin"})
    assert interaction.name == "coin"
    assert "You are" in interaction.prompt(5)[0]["content"]

    async def talk(seed, given=None):
        name = await interaction.start_interaction(given, seed=seed)
        assert isinstance(name, str)
        messages, total = interaction.prompt(seed), 0.0
        for command in coin_walk(seed):
            messages.append({"role": "assistant", "content": command})
            over, text, score, more = await interaction.generate_response(name, messages)
            assert isinstance(over, bool)
            assert isinstance(text, str)
            assert isinstance(score, float)
            assert isinstance(more, dict)
            messages.append({"role": "user", "content": text})
            total += score
        assert await interaction.calculate_score(name) == total == 1.0
        await interaction.finalize_interaction(name)
        return over

    async def both():
        return await asyncio.gather(talk(5), talk(6, "mine"))

    assert asyncio.run(both()) == [True, True]
    assert interaction.episodes == {}


# --- OpenRLHF -------------------------------------------------------------------------------------------------------------
def test_openrlhf_joins_texts_into_an_episode():
    class AgentInstanceBase:
        pass

    cls = to_openrlhf(COIN, AgentInstanceBase)
    assert issubclass(cls, AgentInstanceBase)

    async def execute(prompt, label):
        agent, walk = cls(), coin_walk(int(label))
        told = (await agent.reset({"observation": prompt, "label": label}))["observation"]
        total, n = 0.0, 0
        while True:
            said = f"<action>{walk[n]}</action>"
            states = {"observation_text": told, "action_text": said, "label": label, "sampling_params": None}
            out = await agent.step(states)
            total += out["rewards"].item()
            told += said + out["environment_feedback"]
            n += 1
            assert set(out) == {"rewards", "scores", "environment_feedback", "done", "sampling_params", "extra_logs"}
            if out["done"]:
                return told, total, out

    told, total, out = asyncio.run(execute("Play.", "5"))
    assert told.startswith("Play.")
    assert total == out["scores"].item() == 1.0
    assert all(isinstance(value, np.float64) for value in out["extra_logs"].values())


# --- verifiers ----------------------------------------------------------------------------------------------------------
def recorded_verifiers():
    """The part of `verifiers.v1` that the adapter touches, by name and shape."""
    one, two, three = TypeVar("one"), TypeVar("two"), TypeVar("three")

    class TaskData:
        def __init__(self, **fields):
            known = {"name", "prompt", *type(self).__annotations__}
            assert set(fields) <= known
            self.__dict__.update(fields)

    class Task(Generic[one, two, three]):
        def __init__(self, data, config=None):
            self.data, self.config = data, config

    class Taskset(Generic[one, two]):
        INFINITE = False

        def __init__(self, config):
            self.config = config

    class Env(Generic[one]):
        def __init__(self, config):
            self.config = config

    names = {"State", "TaskConfig", "TasksetConfig", "AgentConfig", "EnvConfig"}
    plain = {name: type(name, (), {}) for name in names}
    return types.SimpleNamespace(TaskData=TaskData, Task=Task, Taskset=Taskset, Env=Env, **plain)


class Player:
    """An agent of verifiers whose interaction replies by a list."""

    def __init__(self, replies):
        self.replies, self.heard = iter(replies), []
        self.trace = types.SimpleNamespace(rewards={}, metrics={})
        self.trace.record_reward = lambda name, value, weight=1.0: self.trace.rewards.update({name: (value, weight)})
        self.trace.record_metric = lambda name, value: self.trace.metrics.update({name: value})

    @contextlib.asynccontextmanager
    async def interaction(self, task):
        yield self

    async def turn(self, message=None):
        self.heard.append(message)
        reply = next(self.replies, None)
        return types.SimpleNamespace(terminated=reply is None, last_reply=reply)


@pytest.mark.parametrize("cut", [None, 2])
def test_verifiers_plays_the_user(cut):
    tasksets, environments = to_verifiers(COIN, recorded_verifiers(), seeds=range(5, 7))
    taskset = tasksets(types.SimpleNamespace(task="settings"))
    tasks = list(taskset.load())
    assert [task.data.seed for task in tasks] == [5, 6]
    assert not tasksets.INFINITE
    assert "You are" in tasks[0].data.prompt
    player, walk = Player(coin_walk(5)[:cut]), coin_walk(5)
    asyncio.run(environments(None).run(tasks[0], types.SimpleNamespace(player=player)))
    assert player.heard[0] is None
    assert len(player.heard) == (len(walk) if cut is None else cut + 1)
    assert player.trace.rewards == {"reward": (0.0 if cut else 1.0, 1.0)}
    assert player.trace.metrics["success"] == (0 if cut else 1)


def test_verifiers_tasks_may_have_no_end():
    tasksets, _ = to_verifiers(COIN, recorded_verifiers())
    assert tasksets.INFINITE
    tasks = tasksets(types.SimpleNamespace(task=None)).load()
    assert [next(tasks).data.seed for _ in range(3)] == [0, 1, 2]


# --- ALFWorld -----------------------------------------------------------------------------------------------------------
def test_alfworld_batches_as_published_agents_call_them():
    environment = to_alfworld_batch(batch_size=2, first_seed=3, max_steps=50)
    texts, infos = environment.reset()
    assert texts[0].startswith("-= Welcome to TextWorld, ALFRED! =-")
    assert set(infos) == {"admissible_commands", "won", "extra.gamefile"}
    assert infos["extra.gamefile"] == ["text-household-v0#3", "text-household-v0#4"]
    assert "look" in infos["admissible_commands"][0]
    texts, scores, dones, infos = environment.step(["look", "fly"])
    assert texts[1] == "Nothing happens."
    assert (scores, dones) == ([0.0, 0.0], [False, False])
    assert infos["extra.gamefile"] == [None, None]
    assert infos["won"] == [False, False]
    _, infos = environment.reset()
    assert infos["extra.gamefile"] == ["text-household-v0#5", "text-household-v0#6"]
    environment.seed(3)
    assert environment.reset()[1]["extra.gamefile"][0] == "text-household-v0#3"
    with pytest.raises(ValueError, match="one for each of 2"):
        environment.step(["look"])
    environment.close()


def test_alfworld_games_end_and_stay_ended():
    environment = to_alfworld_batch(COIN, 2, 5)
    environment.reset()
    for command in coin_walk(5):
        texts, scores, dones, infos = environment.step([command, "look"])
    assert (scores, dones, infos["won"]) == ([1.0, 0.0], [True, False], [True, False])
    after = environment.step(["look", "look"])
    assert after[0][0] == texts[0]
    assert after[1][0] == 1.0
