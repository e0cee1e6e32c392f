"""The commons equals the plain reference, step by step, over random configs and hostile actions.

`LUDARIUM_EPISODES=10000` plays as many.
"""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np
import pytest
from econ.plain_commons import PlainCommons

from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.simulator import Out
from ludarium.envs.econ.commons.config import CommonsConfig
from ludarium.envs.econ.commons.dynamics import PHASES
from ludarium.envs.econ.commons.simulator import Commons

EPISODES = int(os.environ.get("LUDARIUM_EPISODES", "60" if DISABLED else "1500"))
ROWS = 10
VOTES = ("plurality", "approval", "ranked", "condorcet", "score", "random_dictator")


def options(rng: random.Random) -> dict[str, Any]:
    """Everything at once, half of the time each."""
    cap, n = rng.choice((3, 10, 30, 60)), rng.randint(1, 5)
    rounds = rng.randint(1, 8)
    chance = lambda p, value, other: value if rng.random() < p else other  # noqa: E731
    utterances = chance(0.5, rng.randint(1, 7), 0)
    return {
        "rounds": rounds, "num_harvesters": n, "cap": cap, "threshold": rng.randint(1, max(1, cap // 8)),
        "scenario": rng.choice(("fishery", "irrigation")), "growth": rng.choice((None, "doubling", "logistic", "power")),
        "growth_rate": rng.choice((0.3, 1.0, 1.7)), "exponent": rng.choice((0.5, 0.33)),
        "start": rng.choice(("full", "drawn")), "shock": chance(0.3, 0.4, 0.0), "shock_size": rng.choice((0.25, 1.0)),
        "lottery": rng.random() < 0.3, "reveal": rng.choice(("all", "own", "aggregate")), "pledges": rng.random() < 0.4,
        "utterances": utterances, "words": chance(0.5, 5, 0) if utterances else 0, "talk_cost": chance(0.4, 150, 0),
        "voting": chance(0.4, rng.choice(VOTES), "none"), "punishment": rng.random() < 0.4,
        "punish_cost": rng.choice((0, 100)), "punish_fine": rng.choice((0, 350)), "governor": rng.random() < 0.3,
        "quota": chance(0.4, rng.randint(0, cap), None), "fee": rng.choice((0, 33, 100)),
        "fine": rng.choice((0, 70, 400)), "audit": rng.choice((0.0, 0.5, 1.0)), "rebate": rng.random() < 0.3,
        "newcomer": rng.randint(0, rounds) if n > 1 else 0, "max_steps": rng.choice((7, 256)),
    }  # fmt: skip


def choice(rng: random.Random, phase: str, config: CommonsConfig, stock: int) -> int:
    """Mostly what the phase has, harvests mostly small, now and then any number of the space."""
    if rng.random() < 0.1:
        return rng.randrange(config.actions)
    if phase == "harvest":
        return rng.randint(0, max(1, stock // (config.num_harvesters + 1))) if rng.random() < 0.9 else config.cap
    most = {
        "pledge": config.cap + 2, "vote": config.ballots, "punish": 1 + config.num_harvesters,
        "talk": 1 + 2 * (config.cap + 1) + config.num_harvesters,
    }.get(phase, 1)  # fmt: skip
    return 0 if phase == "talk" and rng.random() < 0.3 else rng.randrange(min(most, config.actions))


def compare(seed: int) -> set[str]:
    """Play ROWS episodes of one config; the faults that occurred."""
    rng = random.Random(seed)
    simulator = Commons(CommonsConfig.of(**options(rng)))
    config, n, seats = simulator.config, simulator.config.num_harvesters, len(simulator.seats)
    state, seen = simulator.new(ROWS), set()
    seeds = np.arange(seed * ROWS, (seed + 1) * ROWS)
    names = list(range(n))
    rng.shuffle(names)
    slots = np.full(ROWS, -1, np.int32)
    simulator.load(state, 0, {"stock": rng.randint(config.threshold, config.cap), "names": names})
    slots[0] = -2
    simulator.reset(state, np.ones(ROWS, np.bool_), seeds, slots)
    out = Out(
        np.zeros((ROWS, seats)), np.zeros((ROWS, seats), np.bool_), np.zeros(ROWS, np.bool_),
        np.zeros((ROWS, seats), np.int16),
    )  # fmt: skip
    plain = [PlainCommons(config, int(seeds[b]), int(state.stock[b]), state.name[b].tolist()) for b in range(ROWS)]
    asked = np.zeros((ROWS, seats), np.int8)
    while not state.over.all():
        simulator.asked(state, asked)
        act = np.zeros((ROWS, n, 1 + config.words), np.int64)
        rule = np.array(
            [[rng.randrange(k) if rng.random() < 0.5 else 0 for k in (config.cap + 3, 11, 11, 12)] for _ in range(ROWS)]
        )
        was_over = state.over.copy()
        for b in range(ROWS):
            if was_over[b]:
                continue
            assert np.flatnonzero(asked[b]).tolist() == plain[b].asked()
            for i in np.flatnonzero(asked[b, :n]):
                act[b, i, 0] = choice(rng, plain[b].phase, config, plain[b].stock)
                if config.words and rng.random() < 0.5:
                    act[b, i, 1:] = [rng.choice((0, 65, 255)) for _ in range(config.words)]
        given = (act if config.words else act[:, :, 0].copy(),) + ((rule[:, None].copy(),) if config.governor else ())
        simulator.step(state, given, out)
        for b in np.flatnonzero(~was_over):
            one = plain[b]
            texts = [bytes(row[1:].tolist()) for row in act[b]]
            rewards, faults, flag = one.step(act[b, :, 0].tolist(), texts, rule[b].tolist())
            seen.update(faults)
            assert [simulator.faults[code] for code in out.fault[b]] == faults
            assert out.reward[b].tolist() == pytest.approx(rewards, rel=1e-12, abs=1e-12)
            assert (bool(out.terminated[b].all()), bool(out.truncated[b])) == (flag == "lost", flag == "done")
            assert (state.stock[b], state.quota[b], state.treasury[b]) == (one.stock, one.quota, one.treasury)
            assert state.cash[b].tolist() == one.cash
            assert (state.got[b].tolist(), state.pledge[b].tolist()) == (one.got, one.pledge)
            assert (state.limit[b].tolist(), state.accused[b].tolist()) == (one.limit, one.accused)
            if not flag:
                assert (PHASES[state.phase[b]], state.round[b]) == (one.phase, one.round)
            if config.words:
                assert [bytes(row.tolist()).rstrip(b"\0") for row in state.spoken[b]] == [
                    x.rstrip(b"\0") for x in one.spoken
                ]
        for sentence, holds in simulator.invariants(state).items():
            assert holds.all(), sentence
    assert state.total.sum(1).tolist() == [one.harvested for one in plain]
    assert state.pledged.tolist() == [[one.promised, one.kept] for one in plain]
    return seen


@pytest.mark.parametrize("share", range(2))
def test_the_commons_plays_as_the_reference_does(share: int) -> None:
    seen = set()
    for seed in range(share, EPISODES // ROWS, 2):
        seen |= compare(seed)
    assert DISABLED or seen == set(Commons.faults)
