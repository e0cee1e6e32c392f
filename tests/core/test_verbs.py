"""The verbs that a world declares are those of its menus, with the same arguments."""

import numpy as np
import pytest

import ludarium  # noqa: F401  (registers the ids)
from ludarium.agents.crew import Crew
from ludarium.agents.uniform import RandomAgent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import WORLDS, available, make_simulator

ONE = np.ones(1, np.bool_)
OURS = [name for name, world in WORLDS.items() if world.simulator.startswith("ludarium.envs.")]
CASES = [(name, {}) for name in OURS if "._template." not in WORLDS[name].simulator]  # tests may register templates
CASES += [("text-household-v0", {"dialect": "0.3", "task": "heat"}), ("text-household-v0", {"n_agents": 3})]


@pytest.mark.parametrize(("name", "options"), CASES, ids=lambda case: str(case))
def test_every_choice_of_every_menu_is_declared(name, options):
    if not available(name):
        pytest.skip(f"{name} needs {WORLDS[name].requires}")
    simulator = make_simulator(name, **options)
    verbs = simulator.verbs()
    batch = Batch(simulator, 1, name)
    seen = set()
    for seed in range(4):
        batch.seed(ONE, [seed])
        batch.reset(ONE)
        if verbs is None:
            assert simulator.tools(batch.state, 0, 0) is not None  # which say what each argument may be
            return
        crew = Crew(batch, [(RandomAgent(), simulator.seats)])
        crew.start(seed)
        while not batch.over[0] and batch.t[0] < 200:
            for seat in np.flatnonzero(batch.asked[0])[:3]:
                for choice in simulator.menu(batch.state, 0, int(seat)):
                    assert verbs.get(choice.verb) == tuple(choice.arguments), choice
                    seen.add(choice.verb)
            crew.act()
            batch.step()
    assert seen <= set(verbs)
    assert len(seen) >= min(2, len(verbs)) or name.startswith("text-textworld")
