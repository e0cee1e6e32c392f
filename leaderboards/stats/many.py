"""The same statistics for many agents at once: boards have hundreds, and rank them while somebody waits.

Draws are those of `resampling`, as counts: how often each episode is in a resample. Means are then one product of
matrices, and interquartile means need each agent's scores sorted once. Intervals and ranges are those of `bootstrap` and
`rank_ranges` (tests compare them) but for the order in which floats are added.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards.stats.comparing import NOTHING, RankRange, beyond
from ludarium.leaderboards.stats.resampling import (
    LEVEL,
    RESAMPLES,
    SEED,
    Floats,
    Interval,
    drawn_counts,
    iqm,
    percentiles,
    values_of,
)

__all__ = ["Many"]

_BLOCK = 512


class Many:
    """Scores of many agents `[agents, episodes]`, with episodes of the same strata in the same order.

    `paired`: the episodes are the same for all (the same seeds) and are resampled together; otherwise each agent's are
    resampled for themselves. `StatisticsError` for no agents or no episodes.
    """

    def __init__(
        self,
        values: ArrayLike,
        strata: Sequence[object] | None = None,
        *,
        paired: bool = True,
        higher_is_better: bool = True,
        resamples: int = RESAMPLES,
        seed: int = SEED,
    ) -> None:
        self.values = values_of(values)
        if self.values.ndim != 2 or not len(self.values):
            raise StatisticsError(f"values of shape {self.values.shape}; expected [agents, episodes]")
        self.sign = 1.0 if higher_is_better else -1.0
        self.paired, self.resamples, self._seed = paired, resamples, seed
        self._strata = None if strata is None else tuple(strata)
        self.estimates = self.values.mean(1)
        self._means = np.stack([self._mean_draws(agent) for agent in range(len(self.values))]) if not paired else (
            self.values @ self._counts(0) / self.values.shape[1]
        )  # fmt: skip

        self._room = np.empty_like(self._means)  # new memory for each agent would cost more than the sums

    def _counts(self, agent: int) -> Floats:
        """How often each episode is drawn, `[episodes, resamples]`."""
        seed = self._seed if self.paired else self._seed + agent
        return drawn_counts(self.values.shape[1], self._strata, self.resamples, seed)

    def _mean_draws(self, agent: int) -> Floats:
        return np.asarray(self.values[agent] @ self._counts(agent) / self.values.shape[1])

    def order(self) -> list[int]:
        """The agents, the best estimate first; equal ones as they were given."""
        return [int(place) for place in np.argsort(-self.sign * self.estimates, kind="stable")]

    def means(self, level: float = LEVEL) -> list[Interval]:
        """Each agent's mean."""
        low, high = percentiles(self._means, level)
        return [Interval(*map(float, found)) for found in zip(self.estimates, low, high, strict=True)]

    def iqm(self, agent: int, level: float = LEVEL) -> Interval:
        """One agent's interquartile mean."""
        own, n = self.values[agent], self.values.shape[1]
        order = np.argsort(own, kind="stable")
        counts, drawn = self._counts(agent), np.empty(self.resamples)
        for first in range(0, self.resamples, _BLOCK):  # the resamples that stay in a processor's cache
            upto = np.cumsum(counts[order, first : first + _BLOCK], axis=0)
            weights = np.diff(np.clip(upto, 0.25 * n, 0.75 * n), axis=0, prepend=0.25 * n)
            drawn[first : first + _BLOCK] = own[order] @ weights / (0.5 * n)
        return Interval.around(float(iqm(own)), drawn, level)

    def rank_range(self, own: int, level: float = LEVEL) -> RankRange:
        """One agent's rank among all, and the ranks that the episodes cannot tell apart from it."""
        if not 0 < level < 1:
            raise StatisticsError(f"level = {level}; expected a number between 0 and 1, such as 0.95")
        nothing = NOTHING * max(1e-300, float(np.abs(self.values).max()))
        ahead = self.sign * (self.estimates - self.estimates[own])
        ahead[np.abs(ahead) <= nothing] = 0.0
        noise = np.subtract(self._means, self._means[own], out=self._room)
        noise -= (self.sign * ahead)[:, None]
        centre, high, low = noise.mean(1), noise.max(1), noise.min(1)
        spread = np.sqrt(np.maximum(np.einsum("ij,ij->i", noise, noise) / self.resamples - centre * centre, 0.0))
        near = np.flatnonzero(
            spread < 1e-6 * np.maximum(high, -low).max()
        )  # where rounding is as large as what is sought
        spread[near] = noise[near].std(1)
        spread[spread <= nothing] = 0.0
        noise *= np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)[:, None]
        largest = np.maximum(noise.max(0), -noise.min(0))
        margin = float(np.quantile(largest, level)) * spread
        better, worse = beyond(ahead, margin)
        return RankRange(1 + int((ahead > 0).sum()), 1 + better, len(self.values) - worse)
