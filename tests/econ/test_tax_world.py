"""What must be true of `econ-tax-v0`: adapters, grouped seats, conservation, oracles in the world, hack probes, votes."""

from __future__ import annotations

import json
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from econ.taxworld import ID, act, begun, respond, year_under
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import api_test, parallel_api_test
from scipy import stats

import ludarium
from ludarium import errors
from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.language import parse_tool, tools
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.simulator import Out
from ludarium.envs.core.trace import decode, encode
from ludarium.envs.econ.tax import measures, oracles
from ludarium.envs.econ.tax.config import TaxConfig
from ludarium.envs.econ.tax.personas import AGES, OCCUPATIONS, narrative, persona_of
from ludarium.envs.econ.taxes import US2024_RATES

SHORT = {"n_workers": 5, "steps_per_year": 3, "max_steps": 12}


def played(planner: str, worker: str = "best_response", seed: int = 0, **options: Any) -> Batch:
    """An episode of agents."""
    batch = begun(seed=seed, **options)
    seats = batch.simulator.seats
    crew = Crew(batch, [(make_agent(planner), seats[:1]), (make_agent(worker), seats[1:])])
    crew.start(seed)
    while not batch.over[0]:
        crew.act()
        batch.step()
    measures.conserve(batch.state)
    return batch


# --- adapters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"grouped": "yes"}, {"voting": "score", "personas": True}, {"rate_mode": "delta"}]
)
def test_gymnasium_and_pettingzoo_accept_it(options: dict[str, Any]) -> None:
    check_env(gym.make(ID, **SHORT, **options).unwrapped, skip_render_check=True)
    parallel_api_test(ludarium.parallel_env(ID, **SHORT, **options), num_cycles=30)
    api_test(ludarium.aec_env(ID, **SHORT, **options), num_cycles=30)


def test_one_seat_is_the_users_and_named_agents_fill_the_others() -> None:
    env = gym.make(ID, seat="planner_0", others="best_response", **SHORT)
    _, info = env.reset(seed=1)
    total, over = 0.0, False
    while not over:
        assert info["asked"][0] == 1
        _, reward, terminated, truncated, info = env.step(np.full(7, 10))
        total, over = total + reward, terminated or truncated
    assert total > 0
    assert info["metrics"]["hours"] > 10
    assert env.unwrapped.trace().replay().ok


@pytest.mark.parametrize("voting", ["none", "ranked"])
def test_traces_replay_and_rows_equal_single_episodes(voting: str) -> None:
    options = {**SHORT, "voting": voting, "drawn": "sampled", "personas": True}
    batch = begun(3, seed=5, **options)
    rng = np.random.default_rng(0)
    plans = rng.integers(0, 21, (12, 3, 1, 7))
    work = rng.integers(0, batch.simulator.config.actions, (12, 3, 5))
    for t in range(12):
        act(batch, plans[t], work[t])
    for b in range(3):
        single = begun(seed=5 + b, **options)
        for t in range(12):
            act(single, plans[t, b], work[t, b])
        assert encode(single.trace()) == encode(batch.trace(b))
        assert decode(encode(batch.trace(b))).replay().ok


def test_a_snapshot_goes_on_as_the_episode_did() -> None:
    batch = begun(**SHORT, voting="condorcet")
    rng = np.random.default_rng(0)
    for _ in range(5):
        act(batch, rng.integers(0, 21, 7), rng.integers(0, 101, 5))
    kept, digests = batch.snapshot(), []
    for _ in range(2):
        batch.restore(kept)
        again = np.random.default_rng(1)
        for _ in range(7):
            act(batch, again.integers(0, 21, 7), again.integers(0, 101, 5))
        digests.append(batch.digest())
    assert digests[0] == digests[1]


# --- grouped seats -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"settle": "year"}, {"personas": True, "utility": "crra"}, {"voting": "approval"}]
)
def test_a_grouped_seat_is_the_same_economy(options: dict[str, Any]) -> None:
    apart, group = begun(**SHORT, **options), begun(**SHORT, **options, grouped="yes")
    rng = np.random.default_rng(2)
    own = 10 if "personas" in options else 6
    while not apart.over[0]:
        plan, work = rng.integers(0, 21, 7), rng.integers(0, 101, 5)
        act(apart, plan, work)
        act(group, plan, work)
        for name in apart.state._fields:
            if name not in ("live", "net", "value"):
                np.testing.assert_array_equal(getattr(apart.state, name), getattr(group.state, name), name)
        np.testing.assert_array_equal(apart.observed[1][0, :, :own], group.observed[1]["own"][0, 0])
        np.testing.assert_array_equal(apart.observed[1][0, 0, own:], group.observed[1]["shared"][0, 0])
        assert group.out.reward[0, 1] == pytest.approx(apart.out.reward[0, 1:].mean(), rel=1e-12)
        assert group.out.fault[0, 1] == apart.out.fault[0, 1:].max()


def test_above_ten_thousand_workers_one_seat_plays_them_all() -> None:
    batch = begun(n_workers=10_001, steps_per_year=2, max_steps=6)
    simulator = batch.simulator
    assert simulator.seats == ("planner_0", "workers_0")
    assert simulator.roles[1].members == 10_001
    assert simulator.roles[1].action_space.shape == (10_001,)
    while not batch.over[0]:
        batch.actions[0][...] = 8
        respond(batch)
        batch.step()
    assert batch.trace().replay().ok
    assert simulator.roles[1].observation_space.contains({k: v[0, 0] for k, v in batch.observed[1].items()})
    batch = begun(n_workers=10_001, steps_per_year=2, max_steps=6)
    batch.step()
    batch.actions[1][0, 0, 77] = 101
    before = batch.state.hours.copy()
    with pytest.raises(errors.ActionError, match="outside the space"):
        batch.step()
    assert (batch.state.hours == before).all()
    with pytest.raises(errors.PopulationError, match="use grouped"):
        TaxConfig(n_workers=10_001, grouped="no")


def test_agents_play_a_grouped_seat() -> None:
    one, other = (played("bracket_rule", n_workers=12, steps_per_year=2, max_steps=9, grouped=g) for g in ("yes", "no"))
    assert one.state.welfare[0] == other.state.welfare[0]
    assert (one.state.hours == other.state.hours).all()


# --- money -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settle", ["step", "year"])
@pytest.mark.parametrize("mode", ["absolute", "delta"])
def test_no_cent_is_minted_or_lost_in_a_million_adversarial_decisions(settle: str, mode: str) -> None:
    batch = begun(20, n_workers=500, grouped="yes", drawn="sampled", settle=settle, rate_mode=mode, steps_per_year=7,
                  max_steps=120, record=False, hour_parts=3)  # fmt: skip
    rng = np.random.default_rng(0)
    while not batch.over.all():
        batch.actions[0][...] = rng.integers(0, batch.simulator.config.levels, batch.actions[0].shape)
        kind = rng.integers(0, 3, (20, 1, 1))
        given = rng.integers(0, 301, batch.actions[1].shape)
        batch.actions[1][...] = np.where(kind == 0, 0, np.where(kind == 1, 300, given))
        batch.step()
        measures.conserve(batch.state)
    for sentence, holds in batch.simulator.invariants(batch.state).items():
        assert holds.all(), sentence


def test_a_leak_would_be_found() -> None:
    batch = year_under([0.3] * 7)
    batch.state.treasury[0] += 1
    with pytest.raises(errors.ConservationError, match="1 cents are missing") as caught:
        measures.conserve(batch.state)
    assert caught.value.delta == -1
    assert not batch.simulator.invariants(batch.state)["taxes are shared out or in the treasury"].all()


def test_zero_rates_move_no_money() -> None:
    state = year_under([0.0] * 7).state
    assert state.taxed[0] == state.shared[0] == state.treasury[0] == 0


def test_after_tax_incomes_keep_their_order() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        batch = year_under(rng.random(7) * 0.99, n_workers=200)
        z = measures.incomes_of(batch.simulator, batch.state)[0]
        net = z - measures.taxes_of(batch.simulator, batch.state)[0]
        order = np.argsort(z, kind="stable")
        assert (np.diff(net[order]) >= 0).all()


def test_every_worker_twice_changes_nothing_a_head() -> None:
    rng = np.random.default_rng(5)
    for swf in ("inverse", "uniform", "rank", "rawls", "crra"):
        wages = rng.integers(10_000, 900_000, 30).tolist()
        plan = rng.integers(0, 21, 7)
        work = rng.integers(0, 101, 30)
        pair = []
        for times in (1, 2):
            options = {"n_workers": 30 * times, "grouped": "yes", "swf": swf, "steps_per_year": 4, "max_steps": 5}
            batch = Batch(make_simulator(ID, **options), 1, ID)
            batch.seed(np.ones(1, np.bool_), [0])
            batch.reset(np.ones(1, np.bool_), {0: {"wages": wages * times}})
            for _ in range(5):
                act(batch, plan, np.tile(work, times))
            pair.append(batch)
        one, two = (b.simulator.metrics(b.state) for b in pair)
        for name in ("welfare", "productivity", "revenue", "gini_income", "hours", "effective_rate"):
            assert two[name][0] == pytest.approx(one[name][0], rel=1e-9), (swf, name)
        assert pair[0].state.rebate[0] == pair[1].state.rebate[0]


# --- oracles in the world ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.6924, 0.9])
def test_incomes_are_the_oracles_within_half_a_step_of_the_grid(rate: float) -> None:
    batch = year_under([rate] * 7, hour_parts=10)
    whole = measures.economy_of(batch.simulator, batch.state, 0)
    exact = oracles.best_income(whole, [rate] * 7)
    z = measures.incomes_of(batch.simulator, batch.state)[0] / 100
    # half a step, and as far as three roundings to a cent reach where the objective is flat
    curvature = whole.k * whole.d * (whole.d - 1) * np.maximum(exact / whole.w, 0.01) ** (whole.d - 2)
    assert (np.abs(z - exact) <= whole.w * (0.05 + np.sqrt(0.06 / curvature)) * 1.01 + 0.02).all()
    assert batch.simulator.metrics(batch.state)["welfare"][0] == pytest.approx(
        oracles.welfare(whole, [rate] * 7), rel=5e-4
    )


def test_planners_in_the_order_of_the_reference_table() -> None:
    options = {
        "n_workers": 1000,
        "grouped": "yes",
        "hour_parts": 20,
        "rate_step": 0.01,
        "steps_per_year": 2,
        "max_steps": 3,
    }
    gaps = {}
    for name in ("us2024", "flat_opt", "bracket_rule"):
        batch = played(name, **options)
        gaps[name] = batch.simulator.summary(batch.state, 0)["gap"]
    assert gaps["bracket_rule"] <= 0.005
    assert gaps["bracket_rule"] < gaps["flat_opt"] < 0.06
    assert 0.5 < gaps["us2024"] < 0.6


def test_learning_planners_come_near_the_rule() -> None:
    options = {"n_workers": 400, "grouped": "yes", "hour_parts": 20, "rate_step": 0.01, "steps_per_year": 1}
    share = {}
    for name, years in (("bracket_rule?types=observed", 3), ("saez_online", 16), ("cem", 160)):
        batch = played(name, **options, max_steps=2 * years)
        whole = measures.economy_of(batch.simulator, batch.state, 0)
        untaxed, best, _ = measures.optimum_of(whole)
        share[name] = 1 - oracles.gap(float(batch.state.welfare[0]) / 100, untaxed, best)
    assert share["bracket_rule?types=observed"] > 0.99
    assert share["saez_online"] > 0.97
    assert share["cem"] > 0.9


def test_less_than_perfect_workers_have_regret() -> None:
    options = {"n_workers": 30, "steps_per_year": 6, "max_steps": 14}
    regret = {}
    for name in ("best_response", "habit", "satisficer", "logit?temperature=0.001", "logit?temperature=0.5"):
        batch = played("us2024", name, **options)
        regret[name] = batch.simulator.summary(batch.state, 0)["regret"]
    unit = float(batch.state.median_income[0]) / 100
    assert regret["best_response"] < 0.002 * unit  # whole hours
    assert regret["habit"] < 0.01 * unit
    assert regret["satisficer"] <= 0.0201 * unit
    assert regret["logit?temperature=0.001"] < 0.02 * unit < regret["logit?temperature=0.5"]


GOLDEN = [
    ([0.0] * 7, 91.14), (list(US2024_RATES), 319.94), ([0.5] * 7, 696.56), ([0.7143] * 7, 1165.03), ([0.99] * 7, 2897.74),
    ([1.0] + [0.0] * 6, 104_483), ([1.0, 1.0] + [0.0] * 5, 990_209),
]  # fmt: skip


@pytest.mark.parametrize(("rates", "value"), GOLDEN)
def test_the_seed_projects_golden_values_in_the_world(rates: list[float], value: float) -> None:
    batch = year_under(rates, n_workers=100, legacy=True, hour_parts=500)
    assert batch.simulator.metrics(batch.state)["welfare"][0] == pytest.approx(value, rel=2e-3)


# --- edges -------------------------------------------------------------------------------------------------------------


def test_one_worker_equal_wages_and_nobody_at_work() -> None:
    alone = year_under([0.5] * 7, n_workers=1)
    figures = {name: v[0] for name, v in alone.simulator.metrics(alone.state).items()}
    assert figures["gini_income"] == 0
    assert figures["equality"] == 1
    assert alone.state.rebate[0] == alone.state.taxed[0]
    batch = begun(n_workers=9, population="array", incomes=(30_000.0,) * 9, steps_per_year=1, max_steps=4)
    act(batch, 10)
    act(batch, 0, 40)
    assert batch.simulator.metrics(batch.state)["gini_income"][0] == pytest.approx(0, abs=1e-12)
    act(batch, 10)
    act(batch, 0, 0)
    figures = {name: v[0] for name, v in batch.simulator.metrics(batch.state).items()}
    assert all(np.isfinite(v) for v in figures.values())
    assert all(np.isfinite(v) for v in batch.simulator.summary(batch.state, 0).values())
    assert batch.state.revenue[0] == 0
    assert batch.state.gini[0] == 0


def test_wages_so_small_that_incomes_round_to_nothing() -> None:
    batch = begun(
        n_workers=3, population="array", incomes=(0.01, 0.01, 50_000.0), hour_parts=100, steps_per_year=1, max_steps=2
    )
    act(batch, 10)
    act(batch, 0, 1)
    z = measures.incomes_of(batch.simulator, batch.state)[0]
    assert z.tolist()[:2] == [0, 0]
    assert np.isfinite(batch.out.reward).all()


def test_income_above_the_last_edge_is_taxed() -> None:
    batch = begun(n_workers=2, population="array", incomes=(50_000.0, 50_000_000.0), steps_per_year=1, max_steps=2)
    act(batch, 10)
    act(batch, 0, 40)
    assert batch.state.revenue[0] == (5_000_000 + 5_000_000_000) // 2


# --- errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"n_workers": 0}, errors.PopulationError, "at least 1"),
        ({"population": "array", "incomes": (1.0, -2.0), "n_workers": 2}, errors.PopulationError, "income 1 is -2.0"),
        ({"population": "array", "incomes": (1.0,), "n_workers": 2}, errors.PopulationError, "set n_workers"),
        ({"brackets": (0, 10, 5)}, errors.BadBracketsError, "sort them"),
        ({"start_rates": (35,) * 7}, errors.RateRangeError, "35 looks like a percentage; use 0.35"),
        ({"rate_step": 0.03}, errors.ConfigError, "a part of 1"),
        ({"hours_per": "year", "hours_max": 2600, "income_per": "week"}, errors.UnitMismatchError, "shorter time"),
        ({"income_per": "week"}, errors.UnitMismatchError, "incomes a year"),
        ({"hours_per": "year", "hours_max": 40}, errors.UnitMismatchError, "less than one hour"),
        ({"voting": "pluralty"}, errors.ConfigError, "did you mean 'plurality'"),
        ({"eta": 1.0}, errors.ConfigError, "'log'"),
        ({"settle": "year", "utility": "log"}, errors.ConfigError, "quasi-linear"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_hint(options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make_simulator(ID, **options)


def test_the_start_up_check_finds_the_seed_projects_corner() -> None:
    with pytest.warns(UserWarning, match="90% of the workers"):
        make_simulator(ID, k=0.0005, n_workers=50)
    with pytest.raises(errors.UncoveredBracketError, match="90% of the workers"):
        make_simulator(ID, k=0.0005, n_workers=51, strict=True)
    with pytest.warns(UserWarning, match="no untaxed worker is in bracket 1, 2"):
        # the seed's uniform wages, read as money a year for each weekly hour
        make_simulator(ID, population="uniform", params=(49.6, 6_364.0), brackets="three", n_workers=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # the same wages in their own unit, an hour's pay, reach all three
        simulator = make_simulator(
            ID, population="uniform", params=(1.24, 159.1), wages="hour", brackets="three", n_workers=50
        )
    assert all(share > 0 for share in simulator.covered.reached)


def test_actions_of_another_phase_are_counted_and_explained() -> None:
    batch = begun(**SHORT, voting="plurality")
    act(batch, 0, 60)  # platforms are 0 to 21
    assert batch.out.fault[0].tolist() == [0, 3, 3, 3, 3, 3]
    assert batch.state.faults[0] == 5
    assert "no platform" in batch.simulator.explain(batch.state, 0, 1, 60, 3)
    fault = np.zeros_like(batch.out.fault)
    batch.actions[1][...] = 4
    batch.simulator.check(batch.state, batch.actions, fault)
    assert fault[0].tolist() == [0, 2, 2, 2, 2, 2]


def test_the_accounts_cannot_overflow() -> None:
    with pytest.raises(errors.PopulationError, match=r"2\*\*62"):
        begun(n_workers=3, population="array", incomes=(4e8,) * 3, max_steps=10**9)


# --- words -------------------------------------------------------------------------------------------------------------


def test_array_and_text_play_give_one_digest() -> None:
    options = {**SHORT, "voting": "ranked", "personas": True}
    one, two = begun(**options), begun(**options)
    crew = Crew(two, [])
    rng = np.random.default_rng(3)
    while not one.over[0]:
        levels = rng.integers(0, 21, 7)
        phase = int(one.state.phase[0])
        limit = (22, 7, 1, 101)[phase]
        work = rng.integers(0, limit, 5)
        if phase == 2:
            call = {"name": "set_rates", "arguments": {"rates": [f"{5 * level}%" for level in levels]}}
            crew.put(0, json.dumps(call))
        else:
            for seat in range(1, 6):
                choice = two.simulator.menu(two.state, 0, seat)[work[seat - 1]]
                assert choice.action == work[seat - 1]
                words = choice.text if seat % 2 else {"name": choice.verb, "arguments": choice.arguments}
                crew.put(seat, words)
        act(one, levels, work)
        two.step()
    assert one.digest() == two.digest()


def test_a_grouped_seat_answers_with_one_value_a_worker() -> None:
    batch = begun(**SHORT, grouped="yes")
    crew = Crew(batch, [])
    crew.put(0, '{"name": "set_rates", "arguments": {"rates": [0.1, 0.1, 0.2, 0.25, 0.3, 0.35, 0.35]}}')
    batch.step()
    crew.put(1, {"name": "work", "arguments": {"hours": [10, "20 hours", 30, 40, 50]}})
    batch.step()
    assert batch.state.hours[0].tolist() == [10, 20, 30, 40, 50]
    for wrong in ([10], 10, [10, 20, 30, 40, 101]):
        with pytest.raises(errors.ActionError):
            crew.put(1, {"name": "work", "arguments": {"hours": wrong}})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rates": [0.1] * 6}, "a list of 7 numbers"),
        ({"rates": [35] + [0.1] * 6}, "35 looks like a percentage; use 0.35"),
        ({"rates": ["ten"] + [0.1] * 6}, "'ten' is no number"),
        ({"rates": ["10 hours"] + [0.1] * 6}, "no number with %"),
        ({"rate": 0.1}, "takes one argument, 'rates'"),
        ({"rates": [float("nan")] * 7}, "no finite number"),
    ],
)
def test_bad_rates_in_words_are_refused(arguments: dict[str, Any], words: str) -> None:
    batch = begun(**SHORT)
    with pytest.raises(errors.ActionError, match=words):
        parse_tool(batch.simulator, batch.state, 0, 0, "set_rates", arguments)


def test_hours_in_words() -> None:
    batch = begun(**SHORT, hour_parts=4)
    act(batch)
    say = lambda hours: parse_tool(batch.simulator, batch.state, 0, 1, "work", {"hours": hours})  # noqa: E731
    assert [say(x) for x in (40, 40.25, "40 hours", "37.5h", 0)] == [160, 161, 160, 150, 0]
    for bad in (101, -1, "all of it", True, None, "40%"):
        with pytest.raises(errors.ActionError):
            say(bad)
    assert tools(batch.simulator, batch.state, 0, 1)[0]["name"] == "work"


@pytest.mark.parametrize("grouped", ["no", "yes"])
def test_every_seat_is_described_in_every_phase(grouped: str) -> None:
    batch = begun(**SHORT, voting="score", personas=True, grouped=grouped)
    for _ in range(12):
        for seat in range(len(batch.simulator.seats)):
            (tool,) = tools(batch.simulator, batch.state, 0, seat)
            assert tool["parameters"]["required"]
            text = batch.simulator.describe(batch.state, 0, seat)
            assert text.startswith("econ-tax 1, step")
            assert len(text) < 2500
        batch.simulator.scene(batch.state, 0)
        act(batch, 5, 3)


# --- votes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["plurality", "approval", "ranked", "condorcet", "score", "random_dictator"])
def test_the_elected_worker_sets_what_he_promised(rule: str) -> None:
    batch = played("elected", n_workers=25, voting=rule, candidates=4, steps_per_year=2, max_steps=20)
    state = batch.state
    assert state.votes[0] == 4
    assert state.leader[0] >= 0
    assert (state.rates[0] == 500 * state.promise[0]).all()
    assert state.faults[0] == 0
    assert batch.trace().replay().ok


def test_with_everybody_on_the_slate_the_median_voter_wins() -> None:
    """Three single-peaked workers, all of them candidates: Condorcet's rule elects the one in the middle."""
    wins = set()
    for seed in range(6):
        batch = played(
            "elected", seed=seed, n_workers=3, voting="condorcet", candidates=3, steps_per_year=1, max_steps=8
        )
        assert batch.state.cycles[0] == 0
        wins.add(int(batch.state.promise[0]))
    z = oracles.best_income(measures.economy_of(batch.simulator, batch.state, 0), [0.0] * 7)
    middle = np.median(oracles.preferred_flat(z / z.mean(), 0.4))
    assert wins == {round(float(middle) * 20)}


# --- personas ----------------------------------------------------------------------------------------------------------


def test_persona_marginals_are_those_of_the_table() -> None:
    batch = begun(n_workers=20_000, personas=True)
    people = batch.state.person[0]
    jobs = np.array([share for _, share, _ in OCCUPATIONS])
    counts = np.bincount(people[:, 0], minlength=len(jobs))
    assert stats.chisquare(counts, jobs / jobs.sum() * 20_000).pvalue > 0.01
    ages = np.array([share for _, _, share in AGES])
    assert stats.chisquare(np.bincount(people[:, 2], minlength=6), ages / ages.sum() * 20_000).pvalue > 0.01
    assert stats.chisquare(np.bincount(people[:, 3], minlength=3)).pvalue > 0.01
    women = np.array([share for _, _, share in OCCUPATIONS]) / 100 * counts
    seen = np.bincount(people[people[:, 1] == 0, 0], minlength=len(jobs))
    both = np.concatenate([seen, counts - seen]), np.concatenate([women, counts - women])
    p = 1 - stats.chi2.cdf(float(((both[0] - both[1]) ** 2 / np.maximum(both[1], 1e-9)).sum()), len(jobs))
    assert p > 0.01


def test_a_narrative_follows_from_the_data() -> None:
    batch = begun(n_workers=50, personas=True)
    tellings = [
        narrative(persona_of(batch.state.person[0, i], int(batch.state.key[0]), i), 40_000.0, (0.8, 1.0, 1.25))
        for i in range(50)
    ]
    assert len(set(tellings)) > 30
    again = begun(n_workers=50, personas=True)
    assert batch.simulator.describe(batch.state, 0, 7) == again.simulator.describe(again.state, 0, 7)
    for i, telling in enumerate(tellings):
        first, last, _ = AGES[int(batch.state.person[0, i, 2])]
        assert first <= int(telling.split("-year")[0].split()[-1]) <= last


def test_a_taste_for_leisure_touches_hours_and_nothing_else() -> None:
    batch = begun(n_workers=300, personas=True, grouped="yes")
    act(batch)
    respond(batch)
    hours = batch.actions[1][0, 0] / batch.state.wage[0] ** 0.4
    taste = batch.state.person[0, :, 3]
    means = [hours[taste == p].mean() for p in range(3)]
    assert means[0] > means[1] > means[2]


@pytest.mark.slow
@pytest.mark.parametrize("settle", ["step", "year"])
def test_no_cent_is_minted_or_lost_in_ten_million_steps(settle: str) -> None:
    """Ten million environment steps of drawn economies, straight into the kernels: random, corner and meaningless actions."""
    rows, steps = 20_000, 500
    simulator = make_simulator(ID, n_workers=2, drawn="sampled", settle=settle, rate_mode="delta", steps_per_year=3,
                               max_steps=steps, hour_parts=3, voting="approval", grouped="yes")  # fmt: skip
    state, every = simulator.new(rows), np.ones(rows, np.bool_)
    simulator.reset(state, every, np.arange(rows), np.full(rows, -1, np.int32))
    out = Out(
        np.zeros((rows, 2)), np.zeros((rows, 2), np.bool_), np.zeros(rows, np.bool_), np.zeros((rows, 2), np.int16)
    )
    rng = np.random.default_rng(0)
    for _ in range(steps):
        plan = rng.integers(0, 5, (rows, 1, 7))
        work = rng.integers(0, simulator.config.actions, (rows, 1, 2))
        corner = rng.integers(0, 4, (rows, 1, 1))
        simulator.step(state, (plan, np.where(corner == 0, 0, np.where(corner == 1, 300, work))), out)
        for sentence, holds in simulator.invariants(state).items():
            assert holds.all(), sentence
    assert state.over.all()
    assert state.faults.sum() > 10**6
    measures.conserve(state)
