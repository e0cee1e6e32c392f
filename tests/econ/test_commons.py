"""The commons: rules at their edges, votes, sanctions, bad input, and what is seen."""

from __future__ import annotations

import numpy as np
import pytest
from econ.commons_play import ID, act, begun, metrics, played

import ludarium
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError, LudariumError
from ludarium.envs.core.language import parse, parse_tool
from ludarium.envs.core.replay import replay
from ludarium.envs.econ.commons.config import CommonsConfig
from ludarium.envs.econ.commons.dynamics import HARVEST, PUNISH, VOTE
from ludarium.envs.econ.commons.oracles import fish_war, fish_war_stock, optimal_totals, proportional

QUIET = {"utterances": 0}


# --- harvests ----------------------------------------------------------------------------------------------------------
def test_the_published_totals():
    batch = begun(**QUIET)
    for _ in range(12):
        act(batch, 10)
    assert metrics(batch)["total_gain"] == 600
    assert metrics(batch)["efficiency"] == 1.0
    assert metrics(batch)["optimality"] == pytest.approx(600 / 650, rel=1e-12)
    batch = begun(**QUIET)
    for _ in range(11):
        act(batch, 10)
    act(batch, 20)
    assert metrics(batch)["total_gain"] == 650 == batch.simulator.bounds(batch.state, 0)["total_gain"]
    assert metrics(batch)["optimality"] == 1.0
    batch = begun(**QUIET)
    act(batch, 100)
    assert batch.over[0]
    assert batch.out.terminated.all()
    assert metrics(batch)["efficiency"] == pytest.approx(1 / 6)
    assert (metrics(batch)["survival_rounds"], metrics(batch)["survival_rate"]) == (1, 0.0)


def test_a_stock_at_the_threshold_survives_and_below_it_does_not():
    batch = begun(**QUIET, num_harvesters=1)
    act(batch, 95)
    assert not batch.over[0]
    assert batch.state.stock[0] == 10
    act(batch, 6)
    assert batch.over[0]
    assert batch.out.terminated[0, 0]
    assert not batch.out.truncated[0]


def test_if_nobody_wants_anything_nothing_happens():
    batch = begun(**QUIET, num_harvesters=3, rounds=4)
    for _ in range(4):
        act(batch, 0)
        assert batch.state.stock[0] == 100
        assert not batch.out.reward.any()
    found = metrics(batch)
    assert batch.out.truncated[0]
    assert (found["equality"], found["efficiency"], found["survival_rate"]) == (
        1.0,
        0.0,
        1.0,
    )


def test_shares_are_those_of_the_oracle_and_lots_are_fair():
    wants, tries = (50, 40, 31, 7, 0), 3000
    batch = begun(rows=tries, **QUIET, lottery=True)
    batch.actions[0][:] = wants
    batch.step()
    got = batch.state.got.astype(float)
    mean = np.array(wants) * 100 / sum(wants)
    error = got.std(0) / np.sqrt(tries)
    assert (np.abs(got.mean(0) - mean) <= 3 * error + 1e-12).all()
    assert (got.sum(1) == 100).all()
    assert (got <= wants).all()
    assert got.std(0)[0] > 0
    batch = begun(**QUIET)
    act(batch, *wants)
    exact = proportional(wants, 100, range(5))
    assert batch.state.got[0].tolist() == exact  # no two remainders are equal here


def test_equal_remainders_go_by_name_and_not_by_seat():
    first = begun(**QUIET, num_harvesters=3, instance={"stock": 100, "names": [0, 1, 2]})
    other = begun(**QUIET, num_harvesters=3, instance={"stock": 100, "names": [2, 1, 0]})
    act(first, 50)
    act(other, 50)
    assert sorted(first.state.got[0].tolist()) == [33, 33, 34]
    assert first.state.got[0].tolist() == other.state.got[0].tolist()[::-1]


def test_growth_in_the_world_comes_to_rest_where_the_fish_war_does():
    alpha, beta, cap, n = 0.5, 0.9, 4096, 3
    share, together = fish_war(alpha, beta, n)
    for each in (share, together / n):
        batch = begun(**QUIET, num_harvesters=n, cap=cap, growth="power", exponent=alpha, rounds=40, threshold=1)
        for _ in range(40):
            act(batch, round(each * int(batch.state.stock[0])))
        assert batch.state.stock[0] == pytest.approx(cap * fish_war_stock(alpha, n * each), abs=n + 2)
    assert fish_war_stock(alpha, n * share) < fish_war_stock(alpha, together)  # more fish where they cooperate


def test_shocks_are_the_seeds_and_bounds_know_them():
    options = {**QUIET, "shock": 0.4, "shock_size": 0.5, "rounds": 8}
    batch = begun(seed=5, rows=40, **options)
    hits = [batch.simulator.full(batch.state, b)["shocks"] for b in range(40)]
    assert 0.25 < np.mean(hits) < 0.55
    assert "shocks" not in batch.simulator.full(batch.state, 0, "global")
    for played_rounds in range(8):
        batch.actions[0][:] = 5
        batch.step()
        for b in range(40):
            grown = min(2 * (int(batch.state.found[b]) - 25), 100)
            if not batch.over[b]:
                assert batch.state.stock[b] == (grown - grown // 2 if hits[b][played_rounds] else grown)
    for b in range(40):
        assert metrics_of(batch, b)["total_gain"] <= batch.simulator.bounds(batch.state, b)["total_gain"]


def metrics_of(batch, row):
    """The metrics of a row."""
    return batch.result(row)["metrics"]


def test_a_newcomer_is_asked_when_it_is_there():
    batch = begun(**QUIET, newcomer=3, num_harvesters=3, rounds=4)
    for k in range(4):
        assert batch.asked[0].tolist() == [1, 1, int(k >= 2)]
        act(batch, 15)
        assert batch.state.got[0, 2] == (15 if k >= 2 else 0)


# --- rules -------------------------------------------------------------------------------------------------------------
def test_fees_fines_and_audits():
    batch = begun(**QUIET, num_harvesters=2, quota=10, fee=20, fine=150, audit=1.0)
    act(batch, 10, 14)
    assert batch.out.reward[0].tolist() == [8.0, 5.2]
    assert batch.state.treasury[0] == 200 + 280 + 600
    found = metrics(batch)
    assert (found["fees"], found["sanction_yield"], found["excess"]) == (4.8, 6.0, 4)
    batch = begun(**QUIET, num_harvesters=1, quota=0, fine=10_000)
    act(batch, 20)  # a fine takes what there is and no more
    assert batch.out.reward[0, 0] == 0.0
    assert batch.state.cash[0, 0] == 0


def test_audits_come_as_often_as_they_should():
    batch = begun(rows=4000, **QUIET, num_harvesters=1, quota=0, fine=100, audit=0.3)
    batch.actions[0][:] = 10
    batch.step()
    rate = (batch.state.fined[:, 0] > 0).mean()
    assert abs(rate - 0.3) <= 3 * np.sqrt(0.21 / 4000)


def test_the_governor_rules_before_each_round():
    batch = begun(**QUIET, governor=True, num_harvesters=2)
    assert batch.asked[0].tolist() == [0, 0, 1]
    batch.actions[1][0, 0] = [2 + 7, 1 + 3, 1 + 2, 1 + 10]
    batch.step()
    state = batch.state
    assert (state.quota[0], state.fee[0], state.fine[0], state.audit[0]) == (7, 30, 200, 100)
    act(batch, 10)
    assert batch.out.reward[0].tolist() == [10 - 3 - 6, 10 - 3 - 6, 20.0]
    batch.actions[1][0, 0] = 0
    batch.step()
    assert state.quota[0] == 7  # as before


def test_the_treasury_is_shared_out_and_keeps_the_rest():
    batch = begun(**QUIET, num_harvesters=3, fee=10, rebate=True)
    act(batch, 10, 10, 15)
    assert batch.state.treasury[0] == 350 % 3
    assert batch.state.cash[0].tolist() == [900 + 116, 900 + 116, 1350 + 116]


def test_votes_set_the_quota():
    batch = begun(**QUIET, voting="plurality", num_harvesters=3)
    act(batch, 10)
    assert batch.state.phase[0] == VOTE
    assert batch.state.slate[0].tolist() == [-1, -1, 16, 8]
    act(batch, 3, 2, 3)
    assert batch.state.quota[0] == 8
    assert batch.state.phase[0] == HARVEST
    act(batch, 10)
    act(batch, 4)  # all abstain: of equals the rule that is in force
    assert batch.state.quota[0] == 8


def test_punishing_costs_and_hurts_and_leaves_nobody_in_debt():
    batch = begun(**QUIET, punishment=True, punish_cost=100, punish_fine=300, num_harvesters=3)
    act(batch, 10, 10, 2)
    assert batch.state.phase[0] == PUNISH
    act(batch, 3, 3, 0)
    assert batch.out.reward[0].tolist() == [-1.0, -1.0, -2.0]
    assert batch.state.treasury[0] == 400
    assert batch.out.fault[0].tolist() == [0, 0, 0]
    act(batch, 10, 10, 0)
    act(batch, 1, 1, 1)
    names = [batch.simulator.faults[code] for code in batch.out.fault[0]]
    assert names == ["oneself", "none", "no_money"]


# --- bad input ---------------------------------------------------------------------------------------------------------
def test_wants_that_are_none():
    batch = begun(**QUIET)
    for wrong in ("all of it", "harvest 101", "harvest -1", "harvest 1.5", "-1", "101", "2.5"):
        with pytest.raises(ActionError):
            parse(batch.simulator, batch.state, 0, 0, wrong)
    for wrong in ("all of it", 101, -1, 1.5, True, None):
        with pytest.raises(ActionError, match="amount"):
            parse_tool(batch.simulator, batch.state, 0, 0, "harvest", {"amount": wrong})
    for wrong in (101, -1):
        with pytest.raises(ActionError, match="outside the space"):
            act(batch, wrong)
    assert batch.t[0] == 0
    assert batch.state.stock[0] == 100


def test_choices_that_the_phase_does_not_have_are_counted():
    batch = begun()
    act(batch, 10, 10, 150, 10, 10)
    assert batch.simulator.faults[batch.out.fault[0, 2]] == "no_choice"
    assert (batch.state.got[0].tolist(), metrics(batch)["faults"]) == ([10, 10, 0, 10, 10], 1)


def test_rules_that_are_none():
    batch = begun(governor=True)
    good = {"quota": 10, "fee": 0.1, "fine": 3, "audit": 1}
    assert parse_tool(batch.simulator, batch.state, 0, 5, "govern", good) == [12, 2, 4, 11]
    for name, wrong in (
        ("quota", 101), ("quota", -2), ("fee", 1), ("fee", 0.15), ("audit", 35), ("audit", "35%"), ("fine", 10), ("fine", 0.5),
    ):  # fmt: skip
        with pytest.raises(ActionError, match=name):
            parse_tool(batch.simulator, batch.state, 0, 5, "govern", {**good, name: wrong})
    with pytest.raises(ActionError, match="percentage"):
        parse_tool(batch.simulator, batch.state, 0, 5, "govern", {**good, "audit": 35})


@pytest.mark.parametrize(
    "options",
    [
        {"num_harvesters": 0}, {"num_harvesters": 65}, {"cap": 0}, {"cap": 5000}, {"threshold": 101}, {"threshold": 0},
        {"growth": "tripling"}, {"growth_rate": -1.0}, {"growth_rate": float("nan")}, {"exponent": 1.0}, {"shock": 1.5},
        {"scenario": "forest"}, {"words": 513}, {"words": 8, "utterances": 0}, {"quota": -1}, {"quota": 101}, {"audit": 35},
        {"newcomer": 13}, {"newcomer": 1, "num_harvesters": 1}, {"voting": "lot"}, {"talk_cost": -5}, {"rounds": 0},
        {"fee": 101}, {"utterances": 2.5},
    ],
)  # fmt: skip
def test_configs_that_are_none(options):
    with pytest.raises(ConfigError):
        CommonsConfig.of(**options)


def test_instances_that_are_none():
    for wrong in ({"stock": 101, "names": [0, 1, 2, 3, 4]}, {"stock": 50, "names": [0, 0, 1, 2, 3]}, {"stock": 50}, 7):
        with pytest.raises(InstanceError):
            begun(instance=wrong)


# --- views -------------------------------------------------------------------------------------------------------------
def test_what_is_revealed():
    for reveal, others, total in (("all", 7, 22), ("own", -1, -1), ("aggregate", -1, 22)):
        batch = begun(**QUIET, reveal=reveal, num_harvesters=2, governor=True)
        batch.step()
        act(batch, 15, 7)
        own, public = batch.simulator.names
        seen = dict(zip(own, batch.observed[0][0, 0].tolist(), strict=True))
        governed = dict(zip(public, batch.observed[1][0, 0].tolist(), strict=True))
        assert (seen["got_0"], seen["got_1"], seen["last_harvest"]) == (15, others, total)
        assert (governed["got_1"], governed["last_harvest"]) == (others, total)
        assert (seen["stock"], seen["sustainable"], seen["seat"], seen["cash"]) == (100, 50, 0, 15)
        text = batch.simulator.describe(batch.state, 0, 0)
        assert ("harvester_1 7" in text) == (reveal == "all")
        assert ("22 were taken" in text) == (reveal != "own")


def test_without_a_hint_nobody_is_told_what_comes_back():
    for hint in (True, False):
        batch = begun(hint=hint)
        seen = dict(zip(batch.simulator.names[0], batch.observed[0][0, 0].tolist(), strict=True))
        assert seen["sustainable"] == (50 if hint else -1)
        assert ("50" in batch.simulator.describe(batch.state, 0, 0)) == hint
        assert "sustainable" not in batch.simulator.rules()


def test_the_picture_and_the_rules_say_what_is_the_case():
    batch = begun(rounds=3, scenario="pasture", shock=0.1, newcomer=2, governor=True, voting="ranked", punishment=True,
                  words=32, talk_cost=10, rebate=True, lottery=True, pledges=True)  # fmt: skip
    rules = batch.simulator.rules()
    for part in (
        "pasture",
        "10 %",
        "lots",
        "governor",
        "ranked",
        "punish",
        "32 bytes",
        "shared out",
        "pledge",
        "round 2",
    ):
        assert part in rules, part
    for growth in ("doubling", "logistic", "power", "inflow"):
        assert len(begun(growth=growth).simulator.rules()) > 200
    batch = begun(**QUIET, rounds=3)
    for _ in range(3):
        act(batch, 11)
        scene = batch.simulator.scene(batch.state, 0)
    assert sum(shape.title == "harvester_2: 11" for shape in scene.shapes) == 3
    assert scene.values["harvested"] == 165 == metrics(batch)["total_gain"]
    assert "165 harvested" in scene.caption


def test_it_is_made_through_every_door():
    import gymnasium as gym

    env = gym.make(ID, utterances=0)
    assert env.action_space.nvec.tolist() == [101] * 5
    env.reset(seed=0)
    _, reward, _, _, _ = env.step(np.full(5, 10))
    assert reward == 10.0
    talking = gym.make(ID, words=16)
    talking.reset(seed=0)
    talking.step(talking.action_space.sample())
    assert ludarium.parallel_env(ID, governor=True).possible_agents[-1] == "governor_0"
    alone = gym.make(ID, seat="harvester_0", others="commons-sustainable")
    alone.reset(seed=0)
    over = False
    while not over:
        _, _, end, cut, _ = alone.step(10 if alone.unwrapped.action_masks()[10] else 0)
        over = end or cut
    ruler = gym.make(ID, seat="governor_0", others="commons-lawful", governor=True, utterances=0)
    ruler.reset(seed=0)
    total, over = 0.0, False
    while not over:
        _, reward, end, cut, _ = ruler.step(np.array([12, 1, 10, 11]))
        total, over = total + reward, end or cut
    assert total == 600.0
    with pytest.raises(LudariumError):
        ludarium.parallel_env(ID, cap=0)


def test_the_optimum_of_every_first_stock():
    batch = begun(rows=64, **QUIET, start="drawn", rounds=5)
    best = optimal_totals(batch.simulator.config.grow, 5, 5)[5]
    stocks = batch.state.first.tolist()
    assert len(set(stocks)) > 20
    assert min(stocks) >= 5
    assert max(stocks) <= 100
    for b, stock in enumerate(stocks):
        assert batch.simulator.bounds(batch.state, b)["total_gain"] == best[stock]


def test_a_played_game_is_played_again():
    batch = played(("commons-grim", 2), ("random", 3), seed=4, voting="condorcet", punishment=True, quota=9, fine=300)
    again = replay(batch.trace())
    assert again.ok
    assert again.digest == f"{batch.digest():016x}"
