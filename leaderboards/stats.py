"""The statistics of results, here once: means, interquartile means, bootstrap intervals, paired ratios, pass@k and pass^k.

Sources: Agarwal, Schwarzer, Castro, Courville, Bellemare, "Deep Reinforcement Learning at the Edge of the Statistical
Precipice" (2021) for the interquartile mean and the stratified bootstrap; Efron and Tibshirani, "An Introduction to the
Bootstrap" (1993), chapter 13, for percentile intervals; Chen et al., "Evaluating Large Language Models Trained on Code"
(2021) for pass@k; Yao, Shinn, Razavi, Narasimhan, "tau-bench" (2024) for pass^k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Interval", "Summary", "bootstrap", "iqm", "mean", "paired_ratio", "pass_at_k", "pass_hat_k", "summary"]

LEVEL = 0.95
RESAMPLES = 2000
SEED = 20_110_711
"""Of the resampling; fixed, so that equal results give equal intervals."""

_Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate with the ends of its interval."""

    value: float
    low: float
    high: float


class Summary(NamedTuple):
    """A metric over some episodes."""

    n: int
    mean: float
    iqm: float
    low: float
    high: float
    """The ends of the 95 % interval of the mean."""


def _values(values: ArrayLike) -> _Floats:
    array = np.asarray(values, np.float64)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise ValueError("statistics need at least one value")
    return array


def mean(values: ArrayLike) -> _Floats:
    """The mean over the last axis."""
    return np.asarray(_values(values).mean(-1))


def iqm(values: ArrayLike) -> _Floats:
    """The interquartile mean over the last axis: the mean of the middle half of the sorted values.

    Where n is no multiple of 4, the two values that the quartiles cut count by the part that is inside, so that the
    weights always sum to n / 2 (rliable rounds down instead and keeps more of the tails).
    """
    ordered = np.sort(_values(values), -1)
    n = ordered.shape[-1]
    ranks = np.arange(n)
    inside = np.minimum(ranks + 1, 0.75 * n) - np.maximum(ranks, 0.25 * n)
    weights = np.clip(inside, 0.0, 1.0)
    return np.asarray((ordered * weights).sum(-1) / weights.sum())


def _groups(count: int, strata: Sequence[object] | None) -> list[NDArray[np.int64]]:
    """The places of each stratum's values, strata in the order of their first value."""
    if strata is None:
        return [np.arange(count)]
    if len(strata) != count:
        raise ValueError(f"{len(strata)} strata for {count} values")
    places: dict[object, list[int]] = {}
    for place, stratum in enumerate(strata):
        places.setdefault(stratum, []).append(place)
    return [np.array(found) for found in places.values()]


def _resampled(groups: list[NDArray[np.int64]], resamples: int, seed: int) -> NDArray[np.int64]:
    """Places drawn with replacement inside each stratum, `[resamples, n]`."""
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = [group[generator.integers(0, len(group), (resamples, len(group)))] for group in groups]
    return np.concatenate(drawn, axis=1)


def _percentiles(found: _Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap(
    values: ArrayLike,
    statistic: Callable[[_Floats], _Floats] = mean,
    strata: Sequence[object] | None = None,
    *,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """A percentile bootstrap interval of a statistic of values `[n]`, resampled within strata (the cases of a scenario).

    `statistic` reduces the last axis. `ValueError` for no values, or strata of another length.
    """
    array = _values(values)
    if array.ndim != 1:
        raise ValueError(f"values of shape {array.shape}; expected one axis")
    places = _resampled(_groups(len(array), strata), resamples, seed)
    return Interval(float(statistic(array)), *_percentiles(statistic(array[places]), level))


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
    `ValueError` if their lengths differ or the baseline's mean is 0.
    """
    above, below = _values(values), _values(baseline)
    if above.ndim != 1 or above.shape != below.shape:
        raise ValueError(f"pairs need two lists of one length; got shapes {above.shape} and {below.shape}")
    places = _resampled(_groups(len(above), strata), resamples, seed)
    bottom = below[places].mean(-1)
    if below.mean() == 0 or not bottom.all():
        raise ValueError("the baseline's mean is 0; there is no ratio to it")
    found = above[places].mean(-1) / bottom
    return Interval(float(above.mean() / below.mean()), *_percentiles(found, level))


def _trials(trials: int, successes: int, k: int) -> None:
    if not (0 <= successes <= trials and 1 <= k <= trials):
        raise ValueError(f"{successes} successes in {trials} trials, k = {k}; expected 0 <= c <= n and 1 <= k <= n")


def pass_at_k(trials: int, successes: int, k: int) -> float:
    """The chance that at least one of k trials succeeds, unbiased: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021)."""
    _trials(trials, successes, k)
    return 1.0 - math.comb(trials - successes, k) / math.comb(trials, k)


def pass_hat_k(trials: int, successes: int, k: int) -> float:
    """The chance that all of k trials succeed (pass^k), unbiased: C(c, k) / C(n, k) (Yao et al. 2024)."""
    _trials(trials, successes, k)
    return math.comb(successes, k) / math.comb(trials, k)


def summary(values: ArrayLike, strata: Sequence[object] | None = None) -> Summary:
    """Count, mean, interquartile mean and the 95 % bootstrap interval of the mean of values `[n]`."""
    array = _values(values)
    interval = bootstrap(array, mean, strata)
    return Summary(len(array), interval.value, float(iqm(array)), interval.low, interval.high)
