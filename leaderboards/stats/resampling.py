"""Means, interquartile means, and stratified percentile-bootstrap intervals.

Sources: Agarwal, Schwarzer, Castro, Courville, Bellemare, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice" (2021) for the interquartile mean and the stratified bootstrap; Efron and Tibshirani, "An Introduction to the
Bootstrap" (1993), chapter 13, for percentile intervals; Cochran, "Sampling Techniques" (1977), section 5A.12, for
strata of one unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ludarium.envs.core.errors import StatisticsError

__all__ = ["Floats", "Interval", "Statistic", "Summary", "bootstrap", "drawn_counts", "drawn_places", "iqm", "mean",
           "paired_ratio", "percentiles", "summary", "values_of"]  # fmt: skip

LEVEL = 0.95
RESAMPLES = 5000
SEED = 20_110_711
"""Of the resampling; fixed, so that equal results give equal intervals."""

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Reduces the last axis."""


class Interval(NamedTuple):
    """An estimate with the ends of its interval."""

    value: float
    low: float
    high: float

    @classmethod
    def around(cls, value: float, found: Floats, level: float) -> Self:
        """The estimate with the percentile interval of its resamples `[n]`."""
        low, high = percentiles(found, level)
        return cls(value, float(low), float(high))


class Summary(NamedTuple):
    """A metric over some episodes."""

    n: int
    mean: float
    iqm: float
    low: float
    high: float
    """The ends of the 95 % interval of the mean."""


def values_of(values: ArrayLike) -> Floats:
    """The values as an array; `StatisticsError` where there are none, or one is no finite number."""
    array = np.asarray(values, np.float64)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise StatisticsError("statistics need at least one value")
    if not np.isfinite(array).all():
        raise StatisticsError("a value is infinite or no number; statistics need finite ones")
    return array


def mean(values: ArrayLike) -> Floats:
    """The mean over the last axis."""
    return np.asarray(values_of(values).mean(-1))


def iqm(values: ArrayLike) -> Floats:
    """The interquartile mean over the last axis: the mean of the middle half of the sorted values.

    Where n is no multiple of 4, the two values that the quartiles cut count by the part that is inside, so that the
    weights always sum to n / 2 (rliable rounds down instead and keeps more of the tails).
    """
    ordered = np.sort(values_of(values), -1)
    n = ordered.shape[-1]
    ranks = np.arange(n)
    inside = np.minimum(ranks + 1, 0.75 * n) - np.maximum(ranks, 0.25 * n)
    weights = np.clip(inside, 0.0, 1.0)
    return np.asarray((ordered * weights).sum(-1) / weights.sum())


def _groups(count: int, strata: Sequence[object] | None, collapse: bool = True) -> list[NDArray[np.int64]]:
    """The places of each stratum's values, strata in the order of their first value.

    Inside a stratum of one unit nothing can vary, which would make its interval a point: such strata are collapsed into
    one; a single one joins the smallest other.
    """
    if strata is None:
        return [np.arange(count)]
    if len(strata) != count:
        raise StatisticsError(f"{len(strata)} strata for {count} values")
    places: dict[object, list[int]] = {}
    for place, stratum in enumerate(strata):
        places.setdefault(stratum, []).append(place)
    groups = [found for found in places.values() if len(found) > 1 or not collapse]
    lone = [found[0] for found in places.values() if len(found) == 1 and collapse]
    if len(lone) == 1 and groups:
        min(groups, key=len).append(lone[0])
    elif lone:
        groups.append(lone)
    return [np.array(found) for found in groups]


def drawn_places(
    count: int, strata: Sequence[object] | None, resamples: int, seed: int, *, collapse: bool = True
) -> NDArray[np.int64]:
    """Places drawn with replacement inside each stratum, `[resamples, count]`; `StatisticsError` for none to draw."""
    if resamples < 1:
        raise StatisticsError(f"{resamples} resamples; expected at least 1")
    generator = np.random.Generator(np.random.PCG64(seed))
    groups = _groups(count, strata, collapse)
    drawn = [group[generator.integers(0, len(group), (resamples, len(group)))] for group in groups]
    return np.concatenate(drawn, axis=1)


def drawn_counts(
    count: int, strata: Sequence[object] | None, resamples: int, seed: int, *, collapse: bool = True
) -> Floats:
    """How often each place is in each of the resamples of `drawn_places`, `[count, resamples]`; not to be written to."""
    return _counts(count, None if strata is None else tuple(strata), resamples, seed, collapse)


@lru_cache(maxsize=4)  # every pair of agents on a board asks for the same
def _counts(count: int, strata: tuple[object, ...] | None, resamples: int, seed: int, collapse: bool) -> Floats:
    places = drawn_places(count, strata, resamples, seed, collapse=collapse)
    flat = (places * resamples + np.arange(resamples)[:, None]).ravel()
    counts = np.bincount(flat, minlength=resamples * count).reshape(count, resamples).astype(np.float64)
    counts.flags.writeable = False
    return counts


def percentiles(found: Floats, level: float) -> tuple[Floats, Floats]:
    """The ends of the central interval that holds `level` of the values, over the last axis."""
    if not 0 < level < 1:
        raise StatisticsError(f"level = {level}; expected a number between 0 and 1, such as 0.95")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return low, high


def bootstrap(
    values: ArrayLike,
    statistic: Statistic = mean,
    strata: Sequence[object] | None = None,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """A percentile bootstrap interval of a statistic of values `[n]`, resampled within strata (the cases of a scenario).

    `statistic` reduces the last axis. `StatisticsError` for no values, or strata of another length.
    """
    array = values_of(values)
    if array.ndim != 1:
        raise StatisticsError(f"values of shape {array.shape}; expected one axis")
    places = drawn_places(len(array), strata, resamples, seed)
    return Interval.around(float(statistic(array)), statistic(array[places]), level)


def paired_ratio(
    values: ArrayLike,
    baseline: ArrayLike,
    strata: Sequence[object] | None = None,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """The ratio of two agents' means over the same episodes, with a percentile interval that resamples pairs.

    `values` and `baseline` `[n]` are of the same episodes in the same order; what makes an episode hard cancels.
    `StatisticsError` if their lengths differ or the baseline's mean is 0.
    """
    above, below = values_of(values), values_of(baseline)
    if above.ndim != 1 or above.shape != below.shape:
        raise StatisticsError(f"pairs need two lists of one length; got shapes {above.shape} and {below.shape}")
    places = drawn_places(len(above), strata, resamples, seed)
    bottom = below[places].mean(-1)
    if below.mean() == 0 or not bottom.all():
        raise StatisticsError("the baseline's mean is 0; there is no ratio to it")
    found = above[places].mean(-1) / bottom
    return Interval.around(float(above.mean() / below.mean()), found, level)


def summary(values: ArrayLike, strata: Sequence[object] | None = None) -> Summary:
    """Count, mean, interquartile mean and the 95 % bootstrap interval of the mean of values `[n]`."""
    array = values_of(values)
    interval = bootstrap(array, mean, strata)
    return Summary(len(array), interval.value, float(iqm(array)), interval.low, interval.high)
