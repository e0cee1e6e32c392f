"""What the tests of language-model agents share: an episode from its beginning to its end, and agents that play models."""

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.contract import Decision, Task, Turn
from ludarium.agents.crew import shared_out
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.policy import make_policy
from ludarium.agents.llm.scaffold import Setting
from ludarium.agents.llm.scaffolds import scaffold_named
from ludarium.agents.llm.scripted import Scripted
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.leaderboards.guarded import Guarded

PER_TURN = ("direct", "react", "step", "stateflow", "subgoal", "tools")
DEFAULT_WORDS = "One moment, please."


def play(world, agent, seed, **config):
    """The trace and the crew of an episode."""
    simulator = make_simulator(world, **config)
    batch = Batch(simulator, 1, world)
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    default = {r.name: DEFAULT_WORDS if r.action_space.contains("") else None for r in simulator.roles}
    shares = shared_out(simulator, "", simulator.seats)
    crew = Guarded(batch, [(make_agent(n) if n else agent, seats) for n, seats in shares], default=default)
    crew.start(seed)
    while not batch.over[0]:
        crew.act()
        batch.step()
    crew.finish(batch.result())
    return batch.trace(), crew


def as_model(agent, scaffold):
    """A gateway behind which an agent plays a model."""
    policy = make_policy(agent, scaffold)

    def answer(request):
        said = policy(request.session, [dict(m) for m in request.messages], list(request.tools))
        return Completion(said.text, said.tool_calls, said.finish or "stop")

    return Gateway(Scripted(answer))


def saying(*texts):
    """A gateway whose model says these texts in turn, the last one for ever."""
    left = list(texts)

    def answer(request):
        said = left.pop(0) if len(left) > 1 else left[0]
        return said if isinstance(said, Completion) else Completion(said)

    return Gateway(Scripted(answer))


def task(world="text-household-v0", rules="Do the task."):
    return Task(world, {}, rules, {}, {}, ("robot_0",), 50)


def scaffold(name, **fields):
    return scaffold_named(name)(Setting(task(fields.pop("world", "text-household-v0")), "robot_0", **fields))


def run_turn(made, turn, *replies):
    """Play one turn of a scaffold with these replies; the decision, and what was asked."""
    script, asked, left = made.turn(turn), [], list(replies)
    try:
        asked.append(next(script))
        while True:
            reply = left.pop(0)
            asked.append(script.send(reply if isinstance(reply, Completion) else Completion(reply)))
    except StopIteration as end:
        decision = end.value
    assert isinstance(decision, Decision)
    assert not left, "more replies than questions"
    return decision, asked


def told(observation="You see a mug 1.", commands=("look", "take mug 1 from desk 1", "go to desk 2"), step=0, **fields):
    return Turn(observation, commands=commands, step=step, **fields)
