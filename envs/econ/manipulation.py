"""How much voters could gain by a ballot that is not the one they cast: Gibbard and Satterthwaite's point, in money."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.econ.voting import DICTATOR, ballots, decide

__all__ = ["manipulation_regret"]


def manipulation_regret(
    rule: int,
    cast: NDArray[np.int64],
    worth: NDArray[np.float64],
    standing: NDArray[np.bool_],
    ties: NDArray[np.int64],
    levels: int = 3,
    dictator: int = 0,
) -> NDArray[np.float64]:
    """What each voter could gain by another ballot, all others as they are: float64[N], 0 where nothing is better.

    `cast` int64[N] are the ballots, `worth` float64[N, C] is what each candidate's victory is worth to each voter; the
    rest is as in `voting.decide`. Voters with equal ballots have equal powers, except where chance picks the dictator.
    """
    count, tally = len(ties), np.zeros(len(ties), np.int64)

    def winner(given: NDArray[np.int64]) -> int:
        return int(decide(rule, given, standing, levels, ties, dictator, tally)[0])

    elected = winner(cast)
    regret = np.zeros(len(cast))
    if elected < 0:
        return regret
    groups = np.arange(len(cast)) if rule == DICTATOR else np.unique(cast, return_inverse=True)[1]
    for group in range(int(groups.max()) + 1):
        members = np.flatnonzero(groups == group)
        changed = cast.copy()
        for ballot in range(ballots(rule, count, levels) + 1):  # the last abstains
            changed[members[0]] = ballot
            other = winner(changed)
            gain = worth[members, other] - worth[members, elected]
            regret[members] = np.maximum(regret[members], gain)
    return regret
