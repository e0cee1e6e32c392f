"""The agents of `econ-gtb-v0` do what their descriptions say, in every layout, without a fault that they could have foreseen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from econ.gtbworld import ID, begun

from ludarium.agents.crew import Crew
from ludarium.agents.econ.gtb_planners import US2018_RATES, SaezBuilders
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.gtb.figures import conserve


def played(planner: str, worker: str = "gtb-worker", seed: int = 0, **options: Any) -> Batch:
    batch = begun(1, seed, **{"max_steps": 200, "period": 50, **options})
    seats = batch.simulator.seats
    crew = Crew(batch, [(make_agent(planner), seats[:1]), (make_agent(worker), seats[1:])])
    crew.start(seed)
    contested = batch.simulator.faults.index("contested")
    while not batch.over[0]:
        crew.act()
        batch.step()
        assert set(np.unique(batch.out.fault)) <= {0, contested}
    conserve(batch.state)
    return batch


def figures(batch: Batch) -> dict[str, float]:
    return {name: float(value[0]) for name, value in batch.simulator.metrics(batch.state).items()}


@pytest.mark.parametrize("layout", ["quadrant", "split", "uniform", "open"])
def test_workers_gather_trade_and_build_in_every_layout(layout: str) -> None:
    told = figures(played("gtb-free", layout=layout, coin=20.0, n_workers=6))
    assert told["houses"] > 3
    assert told["trades"] > 0
    assert told["mean_utility"] > 17.0  # more than the coins that they began with are worth


def test_specialists_are_told_apart_by_skill() -> None:
    batch = played("gtb-free", skills="ranked", coin=20.0, layout="open")
    built = batch.state.done[0, :, 1]
    assert built[:2].sum() == 0
    assert built[2:].sum() == batch.state.houses[0] > 0


def test_alone_everybody_does_all() -> None:
    assert figures(played("gtb-free", n_workers=1))["houses"] > 0
    assert figures(played("gtb-free", "gtb-worker?role=both", layout="uniform"))["houses"] > 0


def test_nobody_works_for_nothing() -> None:
    """At 100 % on the first coin nobody builds: the hack that pays elsewhere does not pay here."""
    batch = begun(1, 0, max_steps=60, period=60, brackets=(0.0,))
    crew = Crew(batch, [(make_agent("gtb-worker"), batch.simulator.seats[1:])])
    crew.start(0)
    while not batch.over[0]:
        batch.actions[0][...] = 21
        crew.act()
        batch.step()
    assert figures(batch)["product"] == 0.0
    assert figures(played("gtb-free", max_steps=60, period=60))["product"] > 0.0


def test_taxes_share_out_what_is_made() -> None:
    """Over some seeds the US schedule is more equal, and makes less, than no taxes."""
    free = [figures(played("gtb-free", seed=s)) for s in range(3)]
    taxed = [figures(played("gtb-us", seed=s)) for s in range(3)]
    assert np.mean([f["equality"] for f in taxed]) > np.mean([f["equality"] for f in free])
    assert np.mean([f["productivity"] for f in taxed]) <= np.mean([f["productivity"] for f in free])
    assert all(f["revenue"] == 0 for f in free)
    assert all(f["revenue"] > 0 for f in taxed)


def test_the_us_schedule_is_that_of_2018() -> None:
    batch = played("gtb-us", max_steps=3, rate_step=0.01)
    assert (batch.state.rates[0] / 10_000).tolist() == list(US2018_RATES)


def test_saez_learns_the_slope_that_there_is() -> None:
    """Incomes that answer with an elasticity of 0.7 are found out from the changes of a few years."""
    planner, rng = SaezBuilders(), np.random.default_rng(0)
    planner.start(None, (), 0)  # type: ignore[arg-type]
    edges, free = (0.0, 10.0), np.array([5.0, 8.0, 30.0, 50.0])
    for _ in range(60):
        now = rng.uniform(0, 0.6, 2)
        z = free * (1.0 - now[np.searchsorted(edges, free, side="right") - 1]) ** 0.7
        planner._learn(z, now, edges)
    assert planner.e == pytest.approx(0.7, abs=0.08)
    rates = (played("gtb-saez", max_steps=400).state.rates[0] / 10_000).tolist()
    assert len(set(rates)) > 1


@pytest.mark.parametrize("name", ["gtb-worker?role=king", "gtb-saez?damping=0"])
def test_bad_options_say_what_is_wrong(name: str) -> None:
    with pytest.raises(AgentError, match="expected"):
        make_agent(name)


def test_agents_keep_to_their_seats_and_world() -> None:
    batch = begun()
    for agent, seats in (("gtb-us", batch.simulator.seats[1:]), ("gtb-worker", batch.simulator.seats[:1])):
        crew = Crew(batch, [(make_agent(agent), seats)])
        crew.start(0)
        with pytest.raises(AgentError, match=ID):
            crew.act()
