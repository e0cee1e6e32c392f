"""Agents beside each other: probability of improvement, performance profiles, and ranges of ranks.

Sources: Agarwal et al. (2021, see `resampling`) for the first two; Mogstad, Romano, Shaikh, Wilhelm, "Inference for Ranks
with Applications to Mobility across Neighbourhoods and Academic Achievement across Countries" (2024) for the third.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards.stats.resampling import (
    LEVEL,
    RESAMPLES,
    SEED,
    Floats,
    Interval,
    Statistic,
    drawn_counts,
    drawn_places,
    mean,
    percentiles,
    values_of,
)

__all__ = ["Profile", "RankRange", "performance_profile", "probability_of_improvement", "rank_ranges"]

NOTHING = 1e-12
"""Differences smaller than this part of the largest score are rounding."""


class Profile(NamedTuple):
    """The part of episodes whose score reaches each threshold, with a pointwise band; arrays `[thresholds]`."""

    thresholds: Floats
    value: Floats
    low: Floats
    high: Floats


class RankRange(NamedTuple):
    """An agent's place among others, 1 the best, and the places that the episodes cannot tell apart from it."""

    rank: int
    """By the estimate alone; equal estimates share the better place."""
    best: int
    worst: int

    def __str__(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}\N{EN DASH}{self.worst}"


def _line(values: ArrayLike) -> Floats:
    array = values_of(values)
    if array.ndim != 1:
        raise StatisticsError(f"values of shape {array.shape}; expected one axis")
    return array


def probability_of_improvement(
    values: ArrayLike,
    baseline: ArrayLike,
    strata: Sequence[object] | None = None,
    baseline_strata: Sequence[object] | None = None,
    *,
    paired: bool = True,
    higher_is_better: bool = True,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """The chance that an episode of one agent scores above an episode of another in the same stratum; ties count half.

    In a stratum this is the Mann-Whitney statistic U / (n m); strata (the cases) count by their episodes of `values`.
    With `paired` both lists are of the same episodes in the same order, which are resampled together; otherwise
    (episodes with seeds of their own) each list is resampled for itself, and `baseline_strata` names the strata of the
    second. `StatisticsError` for lists that do not fit, or a stratum that one of them lacks.
    """
    above, below = (_line(v) if higher_is_better else -_line(v) for v in (values, baseline))
    own = [None] * len(above) if strata is None else list(strata)
    other = own if paired else [None] * len(below) if baseline_strata is None else list(baseline_strata)
    if len(own) != len(above) or len(other) != len(below):
        raise StatisticsError(f"{len(own)} and {len(other)} strata for {len(above)} and {len(below)} values")
    if set(own) != set(other):
        raise StatisticsError("the two agents' episodes are not of the same strata")
    first = drawn_counts(len(above), own, resamples, seed, collapse=paired)
    second = first if paired else drawn_counts(len(below), other, resamples, seed + 1, collapse=False)
    value, found = 0.0, np.zeros(resamples)
    for stratum in dict.fromkeys(own):
        rows = np.array([place for place, name in enumerate(own) if name == stratum])
        columns = np.array([place for place, name in enumerate(other) if name == stratum])
        wins = (np.sign(above[rows][:, None] - below[columns]) + 1) / 2
        value += float(wins.mean()) * len(rows)
        left, right = first[rows], second[columns]
        total = ((wins.T @ left) * right).sum(0)
        # of a stratum that was collapsed with others, more or fewer episodes may be drawn than it has, or none
        found += total / np.maximum(right.sum(0), 1.0)
    return Interval.around(value / len(above), found / len(above), level)


def performance_profile(
    values: ArrayLike,
    thresholds: ArrayLike,
    strata: Sequence[object] | None = None,
    *,
    higher_is_better: bool = True,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Profile:
    """The part of an agent's episodes that score at least each threshold (at most it, where lower is better).

    The band is pointwise: a percentile-bootstrap interval at each threshold, of episodes resampled within strata.
    """
    scores, limits = _line(values), _line(thresholds)
    reached = scores[:, None] >= limits if higher_is_better else scores[:, None] <= limits
    counts = drawn_counts(len(scores), strata, resamples, seed)
    found = reached.T.astype(np.float64) @ counts / len(scores)
    return Profile(limits, reached.mean(0), *percentiles(found, level))


def beyond(ahead: Floats, margin: Floats) -> tuple[int, int]:
    """How many differences are above their margin, and how many below minus it.

    Few episodes make ties of the two, which rounding would decide: ties are within the margin.
    """
    wider = margin * (1.0 + NOTHING)
    return int((ahead > wider).sum()), int((-ahead > wider).sum())


def rank_ranges(
    values: ArrayLike,
    strata: Sequence[object] | None = None,
    statistic: Statistic = mean,
    *,
    higher_is_better: bool = True,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[RankRange]:
    """For each agent the ranks that agree with the episodes: `values` `[agents, episodes]`, the same episodes for all.

    An agent is counted above another where their difference exceeds what paired resampling of the episodes explains:
    for each agent the largest of the studentised differences to all others is bootstrapped, so that its range holds its
    true rank in `level` of the cases, however many others there are. Ranks are not bootstrapped themselves, which
    fails where agents are nearly equal. `StatisticsError` for no agents or no episodes.
    """
    table = values_of(values)
    if table.ndim != 2 or not len(table):
        raise StatisticsError(f"values of shape {table.shape}; expected [agents, episodes]")
    if not 0 < level < 1:
        raise StatisticsError(f"level = {level}; expected a number between 0 and 1, such as 0.95")
    table = table if higher_is_better else -table
    places = drawn_places(table.shape[1], strata, resamples, seed)
    estimate = statistic(table)
    drawn = np.stack([statistic(row[places]) for row in table])
    nothing = NOTHING * max(1e-300, float(np.abs(table).max()))
    ranges = []
    for own in range(len(table)):
        ahead = np.delete(estimate - estimate[own], own)
        ahead[np.abs(ahead) <= nothing] = 0.0
        noise = np.delete(drawn - drawn[own], own, axis=0) - ahead[:, None]
        spread = noise.std(1)
        spread[spread <= nothing] = 0.0
        varies = spread > 0
        largest = (np.abs(noise[varies]) / spread[varies, None]).max(0) if varies.any() else np.zeros(1)
        margin = float(np.quantile(largest, level)) * spread
        better, worse = beyond(ahead, margin)
        ranges.append(RankRange(1 + int((ahead > 0).sum()), 1 + better, len(table) - worse))
    return ranges
