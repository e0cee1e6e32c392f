"""The public goods game: closed forms, every deviation tried, a plain twin, conservation, and what its agents do."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from econ.games_kit import begun, conserve, figures, play, sound
from econ.plain_games import PlainPublicGoods

from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError, RateRangeError
from ludarium.envs.core.language import parse
from ludarium.envs.econ.publicgoods import oracles
from ludarium.envs.econ.publicgoods.config import PublicGoodsConfig

ID = "econ-publicgoods-v0"


def once(given: tuple[int, ...], **options: Any) -> list[float]:
    """What members earn in one round of the world."""
    batch = begun(ID, members=len(given), **options)
    batch.put(0, np.array([given], np.int64))
    batch.step()
    found: list[float] = batch.out.reward[0].tolist()
    return found


# --- oracles ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("members", "mpcr"), [(2, 0.75), (3, 0.4), (3, 0.2), (2, 1.25)])
def test_equilibrium_and_optimum_are_what_trying_everything_finds(members: int, mpcr: float) -> None:
    endowment = 3
    profiles = list(itertools.product(range(endowment + 1), repeat=members))
    paid = {p: once(p, endowment=endowment, mpcr=mpcr) for p in profiles}
    stable = [
        p for p in profiles
        if all(paid[(*p[:i], k, *p[i + 1 :])][i] <= paid[p][i] for i in range(members) for k in range(endowment + 1))
    ]  # fmt: skip
    assert stable == [tuple(int(x) for x in oracles.equilibrium([endowment] * members, mpcr))]
    best = max(profiles, key=lambda p: sum(paid[p]))
    assert best == tuple(int(x) for x in oracles.efficient([endowment] * members, mpcr))


@pytest.mark.parametrize("mpcr", [0.0, 0.25, 0.4, 1.0, 1.5])
def test_the_world_pays_what_the_closed_form_says(mpcr: float) -> None:
    given = (20, 0, 7, 13)
    told = oracles.payoffs([20] * 4, given, mpcr)
    assert once(given, mpcr=mpcr) == pytest.approx([100 * x for x in told], abs=1e-9)


def test_a_group_that_gives_all_has_the_gain_ratio() -> None:
    full, none = sum(once((20,) * 5, mpcr=0.3)), sum(once((0,) * 5, mpcr=0.3))
    assert full / none == pytest.approx(oracles.gain_ratio(5, 0.3), abs=1e-9) == 1.5


def test_points_to_deter_make_keeping_not_pay_and_one_less_would() -> None:
    for kept, fine in itertools.product((1, 7, 20), (100, 300)):
        points = oracles.points_to_deter(0.4, 100, fine, kept)
        assert points * fine >= 0.6 * 100 * kept > (points - 1) * fine


# --- a plain twin ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(10))
def test_the_world_plays_as_the_plain_twin_does(seed: int) -> None:
    rng = random.Random(seed)
    options: dict[str, Any] = {
        "members": rng.randint(1, 5), "endowment": rng.randint(1, 12), "endowment_spread": 1 - seed % 2,
        "token": rng.choice((1, 7, 100)),
        "mpcr": rng.choice((0.0, 0.3333, 0.4, 1.2)), "punishment": rng.random() < 0.7, "points": rng.randint(1, 4),
        "point_cost": rng.choice((0, 30, 100)), "point_fine": rng.choice((0, 77, 300)), "max_steps": 20,
    }  # fmt: skip
    batch = begun(ID, rows=6, seed=seed, **options)
    c = batch.simulator.config
    assert isinstance(c, PublicGoodsConfig)
    plain = [PlainPublicGoods(c, batch.state.endowment[b].tolist()) for b in range(6)]
    choices = int(batch.simulator.roles[0].action_space.n)  # type: ignore[attr-defined]
    while not batch.over.all():
        chosen = [[rng.randrange(choices) for _ in range(c.members)] for _ in range(6)]
        batch.put(0, np.array(chosen))
        batch.step()
        for b in range(6):
            earned, faults = plain[b].step(chosen[b])
            assert batch.out.reward[b].tolist() == earned
            assert batch.out.fault[b].tolist() == faults
            assert batch.state.cash[b].tolist() == plain[b].cash
            assert batch.state.treasury[b] == plain[b].treasury
    sound(batch)


@pytest.mark.parametrize("punishment", [False, True])
def test_money_is_conserved_whatever_members_do(punishment: bool) -> None:
    played = conserve(
        ID, 60, 200, members=3, punishment=punishment, mpcr=0.3333, token=7, endowment_spread=4, max_steps=25
    )
    assert played == 36_000


# --- agents ----------------------------------------------------------------------------------------------------------
def test_oracle_players_reach_equilibrium_and_optimum() -> None:
    rider, giver = figures(play(ID, "free-rider")), figures(play(ID, "full-giver"))
    assert (rider["welfare"], rider["contribution_rate"], rider["free_riding"]) == (rider["nash_welfare"], 0.0, 1.0)
    assert (giver["welfare"], giver["gap"]) == (giver["optimum_welfare"], 0.0)
    for mpcr in (0.2, 1.5):  # no dilemma: both do the same
        assert (
            figures(play(ID, "free-rider", mpcr=mpcr))["gap"] == figures(play(ID, "full-giver", mpcr=mpcr))["gap"] == 0
        )


def test_one_free_rider_unravels_conditional_cooperation_and_punishment_keeps_it() -> None:
    crew = ["free-rider", *["conditional-cooperator"] * 3]
    batch = play(ID, crew)
    assert batch.state.given[0].max() <= 2
    assert batch.state.cash[0, 0] == batch.state.cash[0].max()
    punished = play(ID, ["free-rider", *["strong-reciprocator"] * 3], punishment=True)
    assert punished.state.cash[0, 0] == punished.state.cash[0].min()
    assert figures(play(ID, "strong-reciprocator", punishment=True))["gap"] == 0.0


# --- bad input -------------------------------------------------------------------------------------------------------
def test_bad_configs_are_refused() -> None:
    with pytest.raises(RateRangeError, match=r"40 looks like a percentage: use 0.4"):
        PublicGoodsConfig.of(mpcr=40)
    for options in ({"mpcr": -0.1}, {"mpcr": float("nan")}, {"mpcr": True}):
        with pytest.raises(RateRangeError):
            PublicGoodsConfig.of(**options)
    for options in (
        {"members": 0},
        {"endowment": 0},
        {"endowment_spread": 21},
        {"points": 0},
        {"punishment": 2},
        {"token": 0},
        {"token": 10**6, "members": 64, "endowment": 1000, "max_steps": 2**31 - 1},
    ):
        with pytest.raises(ConfigError):
            PublicGoodsConfig.of(**options)
    with pytest.raises(InstanceError, match="endowment"):
        begun(ID, instance={"endowment": [20, 20, 20, 21]})


def test_faults_give_nothing_and_are_told() -> None:
    batch = begun(
        ID,
        rows=2,
        instance={"endowment": [3, 5, 4, 5]},
        endowment=4,
        endowment_spread=1,
        punishment=True,
        point_cost=900,
    )
    batch.put(0, np.array([[4, 5, 4, 0]] * 2))
    batch.step()
    assert batch.out.fault.tolist() == [[1, 0, 0, 0]] * 2
    assert batch.state.given.tolist() == [[0, 5, 4, 0]] * 2
    batch.put(0, np.array([[1, 20, 2, 7]] * 2))
    batch.step()
    assert batch.out.fault.tolist() == [[3, 4, 4, 4]] * 2
    told = [batch.simulator.explain(batch.state, 0, i, a, f) for i, (a, f) in enumerate(((4, 1), (20, 4), (25, 2)))]
    assert all(word in text for word, text in zip(("it has 3", "cost", "no choice"), told, strict=True))
    batch.put(0, np.array([[-1, 0, 0, 0]] * 2))
    with pytest.raises(ActionError):
        batch.step()


def test_words_mean_what_they_say() -> None:
    batch = begun(ID, punishment=True)
    assert parse(batch.simulator, batch.state, 0, 2, "give 7") == 7
    with pytest.raises(ActionError, match="give"):
        parse(batch.simulator, batch.state, 0, 2, "give all of it")
    batch.put(0, np.array([[20, 20, 20, 0]]))
    batch.step()
    call = '{"name": "punish", "arguments": {"member": 3, "points": 2}}'
    assert parse(batch.simulator, batch.state, 0, 2, call) == 1 + 3 * 5 + 1
    assert parse(batch.simulator, batch.state, 0, 2, "punish nobody") == 0
