"""Agents of the commons: what each makes of the lake, alone among its kind and among others."""

from __future__ import annotations

import numpy as np
import pytest
from econ.commons_play import begun, metrics, played

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError

KINDS = ("greedy", "lawful", "sustainable", "breaker", "grim", "tit-for-tat", "optimal", "governor")
EVERYTHING = {"pledges": True, "voting": "score", "punishment": True, "governor": True, "newcomer": 3, "rebate": True}


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("greedy", 100), ("lawful", 100), ("breaker", 100), ("sustainable", 600), ("grim", 600), ("tit-for-tat", 600),
        ("optimal", 650),
    ],
)  # fmt: skip
def test_five_of_a_kind(name, total):
    batch = played((f"commons-{name}", 5))
    assert metrics(batch)["total_gain"] == total
    assert metrics(batch)["optimality"] == total / 650
    assert metrics(batch)["faults"] == 0


def test_the_governor_makes_the_lawful_reach_the_optimum():
    free = played(("commons-lawful", 6), governor=True)
    ruled = played(("commons-lawful", 5), ("commons-governor", 1), governor=True)
    assert metrics(free)["total_gain"] == 100  # who sits in the governor's seat does nothing
    assert metrics(ruled)["total_gain"] == 650
    assert metrics(ruled)["sanction_yield"] == 0.0


@pytest.mark.parametrize("heads", [1, 3, 7])
@pytest.mark.parametrize("growth", ["logistic", "inflow"])
def test_optimal_harvesters_reach_every_optimum(heads, growth):
    batch = played(("commons-optimal", heads), num_harvesters=heads, growth=growth, start="drawn", utterances=0, seed=2)
    assert metrics(batch)["optimality"] == pytest.approx(1.0, rel=1e-12)
    assert metrics(batch)["total_gain"] == batch.simulator.bounds(batch.state, 0)["total_gain"]


def test_pledges_are_kept_and_broken():
    kept = played(("commons-sustainable", 5), pledges=True, rounds=4)
    broken = played(("commons-breaker", 5), pledges=True, rounds=4)
    assert (metrics(kept)["pledges"], metrics(kept)["pledge_keeping"]) == (20, 1.0)
    assert (metrics(broken)["pledges"], metrics(broken)["pledge_keeping"]) == (5, 0.0)
    assert metrics(kept)["threshold_error"] == 0.0


def test_the_grim_never_forgive_and_tit_for_tat_does():
    """One seat takes too much once, in the second round."""
    totals = {}
    for name in ("grim", "tit-for-tat"):
        batch = begun(utterances=0, num_harvesters=3, rounds=6, cap=90)
        agent = make_agent(f"commons-{name}")
        crew = Crew(batch, [(agent, batch.simulator.seats)])
        crew.start(0)
        taken = []
        while not batch.over[0]:
            crew.act()
            batch.actions[0][0, 0] = 17 if batch.state.round[0] == 1 else 15
            batch.step()
            taken.append(batch.state.wanted[0, 1:].tolist())
        totals[name] = taken
    assert totals["grim"][:3] == [[15, 15], [15, 15], [90, 90]]
    assert totals["tit-for-tat"][:3] == [[15, 15], [15, 15], [17, 17]]
    assert len(totals["grim"]) == 3 < len(totals["tit-for-tat"])


def test_a_newcomer_offends_nobody():
    for name in ("grim", "tit-for-tat"):
        batch = played((f"commons-{name}", 5), newcomer=5)
        assert metrics(batch)["survival_rate"] == 1.0
        assert metrics(batch)["total_gain"] == 4 * 48 + 8 * 50


def test_offenders_are_accused_and_punished():
    batch = begun(num_harvesters=3, punishment=True, rounds=3, punish_fine=300)
    crew = Crew(batch, [(make_agent("commons-grim"), batch.simulator.seats)])
    crew.start(0)
    first = True
    while batch.state.round[0] == 0:
        crew.act()
        if first:
            batch.actions[0][0] = (40, 16, 16)
            first = False
        batch.step()
    assert batch.state.accused[0].tolist() == [-1, 0, -1] or batch.state.accused[0].tolist() == [-1, -1, 0]
    assert batch.state.cash[0].tolist() == [4000 - 600, 1600 - 100, 1600 - 100]


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_them_play_everything_without_a_fault(kind):
    for more in (
        {},
        {"words": 20, "voting": "ranked", "reveal": "own"},
        {"voting": "approval", "reveal": "aggregate", "shock": 0.3},
    ):
        batch = played((f"commons-{kind}", 6), **{**EVERYTHING, **more})
        assert metrics(batch)["faults"] == 0, (kind, more)


def test_greedy_votes_for_no_quota_and_the_fair_for_theirs():
    greedy = played(("commons-greedy", 5), voting="plurality", quota=10, fine=900, utterances=0, rounds=2, max_steps=2)
    fair = played(("commons-sustainable", 5), voting="condorcet", utterances=0, rounds=3)
    assert greedy.over[0]
    assert fair.state.quota[0] == 10


def test_other_worlds_are_declined():
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.registry import make_simulator

    batch = Batch(make_simulator("econ-market-v0"), 1, "econ-market-v0")
    batch.seed(np.ones(1, np.bool_), [0])
    batch.reset(np.ones(1, np.bool_))
    with pytest.raises(AgentError, match="econ-commons-v0 only"):
        Crew(batch, [(make_agent("commons-grim"), batch.simulator.seats)]).start(0)
