"""Bargaining: closed forms, backward induction against a search of all strategies, a plain twin, and what agents agree on."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from econ.games_kit import begun, conserve, figures, play, sound
from econ.plain_games import PlainBargain

from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError, RateRangeError
from ludarium.envs.core.language import parse
from ludarium.envs.econ.bargain import oracles
from ludarium.envs.econ.bargain.config import BargainConfig

ID = "econ-bargain-v0"
FIRST: dict[str, Any] = {"value": [[100], [100]], "order": [0, 1]}


# --- oracles ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("d1", "d2"), [(0.9, 0.9), (0.5, 0.8), (0.95, 0.3), (0.0, 0.0)])
def test_the_finite_game_comes_to_rubinstein_s_share(d1: float, d2: float) -> None:
    told = oracles.rubinstein_share(d1, d2)
    assert told == pytest.approx((1 - d2) / (1 - d1 * d2), rel=1e-12)
    assert oracles.finite_share(d1, d2, 400) == pytest.approx(told, abs=1e-9)
    assert oracles.finite_share(d1, d2, 1) == 1.0
    assert oracles.finite_share(d1, d2, 2) == pytest.approx(1 - d2)


@pytest.mark.parametrize("patience", [(0.9, 0.9), (0.5, 0.8), (0.8, 0.5)])
@pytest.mark.parametrize("rounds", [1, 2, 5, 40])
def test_backward_induction_on_a_fine_grid_is_the_closed_form(patience: tuple[float, float], rounds: int) -> None:
    c = BargainConfig(units=4000, worth=1, rounds=rounds, patience=patience)
    plan = oracles.backward_induction(np.array([[1], [1]]), 4000, np.array(c.discounts))
    told = oracles.finite_share(*patience, rounds)
    assert plan.value[0] / 4000 == pytest.approx(told, abs=2 * rounds / 4000)
    assert sum(plan.value) == 4000


def test_the_ultimatum_game_has_both_equilibria() -> None:
    values, whole = np.array([[1], [1]]), np.full((2, 1), oracles.SCALE)
    assert oracles.backward_induction(values, 100, whole).value == (100, 0)
    assert oracles.backward_induction(values, 100, whole, strict=True).value == (99, 1)
    assert oracles.backward_induction(values, 100, whole, first=1).value == (0, 100)


def searched(worth: Any, discounts: Any, r: int, first: int) -> tuple[int, int]:
    """The value of the game from round r on, by recursion over every offer, written again."""
    if r == discounts.shape[1]:
        return 0, 0
    later, p = searched(worth, discounts, r + 1, first), (first + r) % 2
    best = later
    found = []
    for offer in range(worth.shape[2]):
        got = [int(worth[p, i, offer]) * int(discounts[i, r]) // oracles.SCALE for i in range(2)]
        if got[1 - p] >= later[1 - p] and got[p] >= later[p]:
            found.append((got[p], got[1 - p], got))
    if found:
        best = tuple(max(found, key=lambda f: f[:2])[2])
    return best


@pytest.mark.parametrize("seed", range(8))
def test_backward_induction_equals_plain_recursion(seed: int) -> None:
    rng = random.Random(seed)
    units, issues, rounds = rng.randint(1, 3), rng.randint(1, 2), rng.randint(1, 4)
    values = np.array([[rng.randint(1, 9) for _ in range(issues)] for _ in range(2)])
    discounts = np.array([[int(oracles.SCALE * d**r) for r in range(rounds)] for d in (rng.random(), rng.random())])
    first = rng.randrange(2)
    plan = oracles.backward_induction(values, units, discounts, first)
    assert plan.value == searched(oracles.worths(values, units), discounts, 0, first)


@pytest.mark.parametrize("seed", range(6))
def test_the_nash_solution_is_the_best_product_of_all_splits(seed: int) -> None:
    rng = random.Random(seed)
    values = [[rng.randint(1, 9) for _ in range(2)] for _ in range(2)]
    best = 0
    for kept in itertools.product(range(5), repeat=2):
        a = sum(k * v for k, v in zip(kept, values[0], strict=True))
        b = sum((4 - k) * v for k, v in zip(kept, values[1], strict=True))
        best = max(best, a * b)
    offer, (a, b) = oracles.nash_solution(np.array(values), 4)
    assert a * b == best
    assert oracles.worths(np.array(values), 4)[0, :, offer].tolist() == [a, b]


def test_equals_share_equally() -> None:
    assert oracles.nash_solution(np.array([[3], [3]]), 10) == (5, (15, 15))


# --- the world -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(8))
def test_episodes_go_as_the_plain_twin_says(seed: int) -> None:
    rng = random.Random(seed)
    options: dict[str, Any] = {
        "game": rng.choice(("ultimatum", "rubinstein", "multi-issue")), "units": rng.randint(1, 6), "rounds": rng.randint(1, 4),
        "patience": (rng.random(), rng.random()), "worth": rng.choice((1, 77)), "max_steps": rng.choice((5, 30)),
    }  # fmt: skip
    batch = begun(ID, rows=12, seed=seed, **options)
    c, s = batch.simulator.config, batch.state
    assert isinstance(c, BargainConfig)
    plain = [PlainBargain(c, s.value[b].tolist(), s.order[b].tolist().index(0)) for b in range(12)]
    over = [False] * 12
    choices = max(c.offers, 2)
    while not batch.over.all():
        chosen = np.array(
            [[rng.randrange(choices) if rng.random() < 0.5 else rng.randrange(2) for _ in range(2)] for _ in range(12)]
        )
        batch.put(0, chosen)
        asked = batch.asked.copy()
        batch.step()
        for b, p in enumerate(plain):
            if over[b]:
                continue
            who = p.who
            assert asked[b].tolist() == [(1 + p.phase) * (i == who) for i in range(2)]
            reward, fault, ended = p.step(int(chosen[b, who]))
            assert batch.out.fault[b].tolist() == [int(fault and i == who) for i in range(2)]
            assert batch.out.reward[b].tolist() == reward
            assert batch.out.terminated[b].all() == ended
            over[b] = ended or batch.t[b] >= c.max_steps
            assert batch.over[b] == over[b]
    sound(batch)


@pytest.mark.parametrize("game", ["ultimatum", "rubinstein", "multi-issue"])
def test_nothing_is_shared_out_twice_whatever_parties_do(game: str) -> None:
    assert conserve(ID, 60, 200, game=game, max_steps=15) == 24_000


# --- agents ----------------------------------------------------------------------------------------------------------
def test_the_equilibrium_is_played_as_solved_and_near_to_rubinstein() -> None:
    for patience in ((0.9, 0.9), (0.6, 0.9)):
        batch = play(
            ID, "equilibrium-negotiator", instance=FIRST, rounds=30, units=1000, patience=patience, max_steps=60
        )
        found = figures(batch)
        assert found["gap"] == 0
        assert found["rounds"] == 1
        assert found["first_gain"] / 100_000 == pytest.approx(oracles.finite_share(*patience, 30), abs=0.03)
    taken = figures(play(ID, "equilibrium-negotiator", game="ultimatum"))
    assert (taken["first_gain"], taken["second_gain"]) == (10_000, 0)
    assert figures(play(ID, "equilibrium-negotiator", 3, game="multi-issue"))["gap"] == 0


def test_no_deviation_from_the_equilibrium_pays_in_a_small_game() -> None:
    options: dict[str, Any] = {"units": 4, "rounds": 3, "worth": 100, "patience": (0.8, 0.7)}
    value = figures(play(ID, "equilibrium-negotiator", instance=FIRST, **options))["first_gain"]
    for offers in itertools.product(range(5), repeat=2):  # party 0 proposes in rounds 0 and 2, and answers in round 1
        for answer in range(2):
            batch = begun(ID, instance=FIRST, **options)
            plan = batch.simulator.solved(((100,), (100,)), (0, 1))[0]  # type: ignore[attr-defined]
            while not batch.over[0]:
                seen = batch.simulator.full(batch.state, 0)
                r, respond = seen["round"], seen["phase"]
                if batch.asked[0, 0]:
                    action = answer if respond else offers[r // 2]
                elif respond:
                    worth = (4 - seen["offer"]) * 100 * seen["discount"][1] // oracles.SCALE
                    action = int(worth >= plan.rounds[r].accept)
                else:
                    action = plan.rounds[r].offer
                batch.put(0, np.array([[action, action]]))
                batch.step()
            assert batch.state.gain[0, 0] <= value


def test_what_the_others_agree_on() -> None:
    for seed in range(5):
        assert figures(play(ID, "nash-negotiator", seed, game="multi-issue"))["nash_ratio"] == 1.0
        fair = figures(play(ID, "fair-negotiator", seed, game="multi-issue", private=True))
        assert fair["agreement"] == 1
        conceding = figures(play(ID, "conceding-negotiator", seed, game="multi-issue", private=True))
        assert conceding["agreement"] == 1
    slow, quick = (figures(play(ID, f"conceding-negotiator?begin={b}", 1, game="multi-issue")) for b in (1.0, 0.6))
    assert slow["rounds"] > quick["rounds"]
    split = figures(play(ID, "fair-negotiator", game="ultimatum"))
    assert split["first_gain"] == split["second_gain"] == 5000


# --- bad input -------------------------------------------------------------------------------------------------------
def test_bad_configs_and_instances_are_refused() -> None:
    with pytest.raises(RateRangeError, match=r"90 looks like a percentage: use 0\.9"):
        BargainConfig.of(patience=(90, 0.9))
    for options in ({"game": "dictator"}, {"units": 0}, {"issues": 9}, {"issues": 4, "units": 9}, {"rounds": 0},
                    {"patience": 0.9}, {"patience": (0.9,)}, {"private": 1},
                    {"worth": 10**6, "units": 4000}):  # fmt: skip
        with pytest.raises(ConfigError):
            BargainConfig.of(**options)
    for instance in (
        {"value": [[100], [100]], "order": [0, 0]},
        {"value": [[100], [200]], "order": [0, 1]},
        {"order": [0, 1]},
    ):
        with pytest.raises(InstanceError):
            begun(ID, instance=instance)


def test_an_answer_that_is_none_is_a_counted_no_op() -> None:
    batch = begun(ID, rows=2, instance=FIRST)
    batch.put(0, np.array([[60, 0]] * 2))
    batch.step()
    batch.put(0, np.array([[0, 2]] * 2))
    batch.step()
    assert batch.out.fault.tolist() == [[0, 1]] * 2
    assert batch.state.phase.tolist() == [1, 1]
    assert "0 refuses" in batch.simulator.explain(batch.state, 0, 1, 2, 1)
    batch.put(0, np.array([[0, 101]] * 2))
    with pytest.raises(ActionError):
        batch.step()


def test_words_mean_offers_and_answers() -> None:
    batch = begun(ID, game="multi-issue", instance={"value": [[100, 200, 300], [300, 200, 100]], "order": [0, 1]})
    action = parse(
        batch.simulator, batch.state, 0, 0, '{"name": "keep", "arguments": {"books": 0, "hats": 2, "balls": 5}}'
    )
    assert action == 2 * 6 + 5 * 36 == parse(batch.simulator, batch.state, 0, 0, "keep 0 books, 2 hats, 5 balls")
    batch.put(0, np.array([[action, 0]]))
    batch.step()
    told = batch.simulator.describe(batch.state, 0, 1)
    assert "you get 5 books, 3 hats, 0 balls, worth 2100" in told
    assert parse(batch.simulator, batch.state, 0, 1, "Accept.") == 1
    with pytest.raises(ActionError):
        parse(batch.simulator, batch.state, 0, 1, "keep all of it")
