"""A step is one phase of a round: rules, pledges, the harvest, a turn to speak, a vote, punishments; then the stock grows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel, special, tight
from ludarium.envs.core.rng import below, draw
from ludarium.envs.econ import voting
from ludarium.envs.econ.commons.config import CANDIDATES, UNIT
from ludarium.envs.econ.commons.dynamics import (
    GOVERN,
    HARVEST,
    NO_CHOICE,
    NO_MONEY,
    PLAIN,
    PLEDGE,
    PUNISH,
    SHOCK,
    STREAM_VOTE,
    TALK,
    VOTE,
    Scalars,
    State,
    heads_of,
    present,
)  # fmt: skip
from ludarium.envs.econ.commons.harvest import harvest
from ludarium.envs.econ.commons.talk import open_talk, speak, target_fault

__all__ = ["hold_votes", "step"]


# --- phases ----------------------------------------------------------------------------------------------------------
@inner
def _favourite(s: State, c: Scalars, b: int) -> int:
    """The limit that most have named, of equals the lowest; half of the sustainable share if there is none."""
    best, most = np.int64(-1), 0
    for i in range(c.harvesters):
        limit, count = np.int64(s.limit[b, i]), 0
        if limit < 0:
            continue
        for j in range(c.harvesters):
            count += s.limit[b, j] == limit
        if count > most or (count == most and limit < best):
            best, most = limit, count
    if best >= 0:
        return best
    return c.sustainable[c.grow[np.int64(s.stock[b])]] // (2 * heads_of(c, np.int64(s.round[b]) + 1))


@inner
def _open_vote(s: State, c: Scalars, b: int) -> None:
    """The rule in force, none, the sustainable share of what the stock will be, and what was named most often."""
    s.slate[b, 0] = s.quota[b]
    s.slate[b, 1] = -1
    s.slate[b, 2] = c.sustainable[c.grow[np.int64(s.stock[b])]] // heads_of(c, np.int64(s.round[b]) + 1)
    s.slate[b, 3] = _favourite(s, c, b)


@inner
def _share_out(s: State, c: Scalars, b: int, reward: NDArray[np.float64]) -> None:
    """The treasury in equal parts to all present; what is left over stays."""
    played = np.int64(s.round[b])
    share = np.int64(s.treasury[b]) // heads_of(c, played)
    if share == 0:
        return
    for i in range(c.harvesters):
        if present(c, i, played):
            s.cash[b, i] += share
            s.treasury[b] -= share
            reward[i] += np.float64(share) / np.float64(UNIT)


@inner
def _end_round(s: State, c: Scalars, b: int, reward: NDArray[np.float64], truncated: NDArray[np.bool_]) -> None:
    """Share out, grow back, and begin the next round if there is one."""
    if c.rebate:
        _share_out(s, c, b, reward)
    played = np.int64(s.round[b])
    stock = c.grow[np.int64(s.stock[b])]
    if c.shock > 0 and np.int64(draw(s.key[b], SHOCK, played, 0, 0) >> np.uint64(32)) < c.shock:
        stock -= stock * c.loss // 10_000
    s.stock[b] = stock
    s.round[b] = played + 1
    if played + 1 >= c.rounds:
        truncated[b] = True
    else:
        s.phase[b] = GOVERN if c.governor else PLEDGE if c.pledges else HARVEST


@inner
def _go_on(s: State, c: Scalars, b: int, reward: NDArray[np.float64], truncated: NDArray[np.bool_]) -> None:
    """Enter the phase that comes after this one; behind the last one the round ends.

    Nobody talks or votes after the last harvest.
    """
    phase, last = np.int64(s.phase[b]), np.int64(s.round[b]) + 1 >= c.rounds
    if phase == GOVERN and c.pledges:
        s.phase[b] = PLEDGE
    elif phase < HARVEST:
        s.phase[b] = HARVEST
    elif phase < TALK and c.utterances > 0 and not last:
        s.phase[b] = TALK
        open_talk(s, c, b)
    elif phase < VOTE and c.rule >= 0 and not last:
        s.phase[b] = VOTE
        _open_vote(s, c, b)
    elif phase < PUNISH and c.punishment:
        s.phase[b] = PUNISH
    else:
        _end_round(s, c, b, reward, truncated)


@special(_go_on, PLAIN)
def _go_on_plainly(s: State, c: Scalars, b: int, reward: NDArray[np.float64], truncated: NDArray[np.bool_]) -> None:
    """There is one phase."""
    _end_round(s, c, b, reward, truncated)


# --- the other phases ------------------------------------------------------------------------------------------------
@inner
def _govern(s: State, b: int, rule: NDArray[np.int64]) -> None:
    """Quota, fee, fine and audits: 0 as before; else what `govern` of the language says."""
    if rule[0] > 0:
        s.quota[b] = rule[0] - 2
    if rule[1] > 0:
        s.fee[b] = 10 * (rule[1] - 1)
    if rule[2] > 0:
        s.fine[b] = UNIT * (rule[2] - 1)
    if rule[3] > 0:
        s.audit[b] = 10 * (rule[3] - 1)


@inner
def _pledge(s: State, c: Scalars, b: int, act: NDArray[np.int64], fault: NDArray[np.int16]) -> None:
    """What each will take at most; the choice after the cap pledges nothing and leaves what was promised in talk."""
    for i in range(c.harvesters):
        if not present(c, i, np.int64(s.round[b])):
            continue
        if act[i, 0] > c.cap + 1:
            fault[i] = NO_CHOICE
        elif act[i, 0] <= c.cap:
            s.pledge[b, i] = act[i, 0]


@inner
def _punish(
    s: State, c: Scalars, b: int, act: NDArray[np.int64], reward: NDArray[np.float64], fault: NDArray[np.int16]
) -> None:
    """Each may pay to have another fined, all at once: first the costs, then the fines, as far as their money goes."""
    played = np.int64(s.round[b])
    for i in range(c.harvesters):
        s.fined[b, i] = 0
    for i in range(c.harvesters):
        choice = act[i, 0]
        if choice == 0 or not present(c, i, played):
            continue
        if choice > c.harvesters:
            fault[i] = NO_CHOICE
            continue
        fault[i] = target_fault(c, b, i, choice - 1, played)
        if fault[i] == 0 and np.int64(s.cash[b, i]) < c.punish_cost:
            fault[i] = NO_MONEY
        if fault[i] == 0:
            s.cash[b, i] -= c.punish_cost
            s.treasury[b] += c.punish_cost
            s.paid[b, 3] += c.punish_cost
            s.fined[b, choice - 1] += c.punish_fine
            reward[i] -= np.float64(c.punish_cost) / np.float64(UNIT)
    for i in range(c.harvesters):
        due = min(np.int64(s.fined[b, i]), np.int64(s.cash[b, i]))
        s.fined[b, i] = due
        s.cash[b, i] -= due
        s.treasury[b] += due
        s.paid[b, 2] += due
        reward[i] -= np.float64(due) / np.float64(UNIT)


# --- step ------------------------------------------------------------------------------------------------------------
@inner
def _play(
    s: State, c: Scalars, b: int, act: NDArray[np.int64], rule: NDArray[np.int64], reward: NDArray[np.float64],
    fault: NDArray[np.int16],
) -> bool:  # fmt: skip
    """One phase of a row; whether it is over."""
    phase = np.int64(s.phase[b])
    if phase == HARVEST:
        total = harvest(s, c, b, act, reward, fault)
        if c.governor:
            reward[c.harvesters] = np.float64(total)
    elif phase == GOVERN:
        _govern(s, b, rule[b, 0])
    elif phase == PLEDGE:
        _pledge(s, c, b, act, fault)
    elif phase == TALK:
        return speak(s, c, b, act, reward, fault)
    elif phase == PUNISH:
        _punish(s, c, b, act, reward, fault)
    else:
        for i in range(c.harvesters):
            fault[i] = NO_CHOICE if act[i, 0] >= c.ballots and present(c, i, np.int64(s.round[b])) else 0
    return True


@special(_play, PLAIN)
def _play_plainly(
    s: State, c: Scalars, b: int, act: NDArray[np.int64], rule: NDArray[np.int64], reward: NDArray[np.float64],
    fault: NDArray[np.int16],
) -> bool:  # fmt: skip
    """All harvest."""
    harvest(s, c, b, act, reward, fault)
    return True


@inner
def _close(
    s: State, c: Scalars, b: int, terminated: NDArray[np.bool_], truncated: NDArray[np.bool_], fault: NDArray[np.int16],
    lost: bool,
) -> None:  # fmt: skip
    """Clock, faults, and the end: by collapse, after the last round, or by the limit of steps."""
    s.t[b] += 1
    code, wrong = s.code[b], 0
    for seat in range(fault.shape[0]):
        code[seat] = fault[seat]
        wrong += fault[seat] != 0
        terminated[seat] = lost
    s.faults[b] += wrong
    if not lost and s.t[b] >= c.max_steps:
        truncated[b] = True
    if lost or truncated[b]:
        s.over[b] = True
        for seat in range(c.harvesters + c.governor):
            s.live[b, seat] = False


@tight
def step(
    s: State,
    c: Scalars,
    act: NDArray[np.int64],
    rule: NDArray[np.int64],
    reward: NDArray[np.float64],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    fault: NDArray[np.int16],
) -> None:
    """Advance every row that is not over; votes have been counted by `hold_votes`.

    `act` int64[B, N, 1 + W]; `rule` int64[B, 1, 4], or any without a governor.
    """
    for b in range(s.t.shape[0]):
        if s.over[b]:
            continue
        for seat in range(c.harvesters + c.governor):
            reward[b, seat] = 0.0
            fault[b, seat] = 0
        truncated[b] = False
        harvested = s.phase[b] == HARVEST
        done = _play(s, c, b, act[b], rule, reward[b], fault[b])
        lost = harvested and s.stock[b] < c.threshold
        if done and not lost:
            _go_on(s, c, b, reward[b], truncated)
        _close(s, c, b, terminated[b], truncated, fault[b], lost)


@kernel
def hold_votes(s: State, c: Scalars, act: NDArray[np.int64]) -> None:
    """Count the votes int64[B, N, 1 + W] on the quota of the next rounds in all rows that vote; their step comes after."""
    cast, ties, tally = np.zeros(c.harvesters, np.int64), np.arange(CANDIDATES), np.zeros(CANDIDATES, np.int64)
    standing = np.ones(CANDIDATES, np.bool_)
    for b in range(s.t.shape[0]):
        if s.over[b] or s.phase[b] != VOTE:
            continue
        played = np.int64(s.round[b])
        for i in range(c.harvesters):  # by name, so that lots do not depend on the seats' order
            cast[np.int64(s.name[b, i])] = act[b, i, 0] if present(c, i, played) else -1
        dictator = below(draw(s.key[b], STREAM_VOTE, played, 0, 0), c.harvesters)
        winner, circle = voting.decide(c.rule, cast, standing, c.score_levels, ties, dictator, tally)
        s.quota[b] = s.slate[b, winner]
        s.votes[b, 0] += 1
        s.votes[b, 1] += circle
