"""Trials of the same episode: how often all of k succeed (pass^k), and how often at least one does (pass@k).

Sources: Chen et al., "Evaluating Large Language Models Trained on Code" (2021) for pass@k; Yao, Shinn, Razavi,
Narasimhan, "tau-bench" (2024) for pass^k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ludarium.envs.core.errors import StatisticsError
from ludarium.leaderboards.stats.resampling import RESAMPLES, Interval, bootstrap, mean

__all__ = ["Pass", "pass_at_k", "pass_hat_k", "passes"]


class Pass(NamedTuple):
    """What k trials of an episode do, over episodes, with 95 % intervals."""

    k: int
    every: Interval
    """pass^k: all of k trials succeed."""
    some: Interval
    """pass@k: at least one of k trials succeeds."""


def _check(trials: int, successes: int, k: int) -> None:
    if not (0 <= successes <= trials and 1 <= k <= trials):
        raise StatisticsError(
            f"{successes} successes in {trials} trials, k = {k}; expected 0 <= c <= n and 1 <= k <= n"
        )


def pass_at_k(trials: int, successes: int, k: int) -> float:
    """The chance that at least one of k trials succeeds, unbiased: 1 - C(n - c, k) / C(n, k) (Chen et al. 2021)."""
    _check(trials, successes, k)
    return 1.0 - math.comb(trials - successes, k) / math.comb(trials, k)


def pass_hat_k(trials: int, successes: int, k: int) -> float:
    """The chance that all of k trials succeed (pass^k), unbiased: C(c, k) / C(n, k) (Yao et al. 2024)."""
    _check(trials, successes, k)
    return math.comb(successes, k) / math.comb(trials, k)


def passes(
    counts: Sequence[tuple[int, int]], strata: Sequence[object] | None = None, *, resamples: int = RESAMPLES
) -> list[Pass]:
    """pass^k and pass@k for k from 1 to the trials of an episode, over episodes `(trials, successes)`.

    Where episodes have unequal trials k ends at the fewest. The intervals resample episodes within strata (cases), never
    trials: those of one episode depend on each other. `StatisticsError` for no episodes or impossible counts.
    """
    most = min((trials for trials, _ in counts), default=0)
    found = []
    for k in range(1, most + 1):
        every = [pass_hat_k(trials, successes, k) for trials, successes in counts]
        some = [pass_at_k(trials, successes, k) for trials, successes in counts]
        found.append(Pass(k, *(bootstrap(chances, mean, strata, resamples=resamples) for chances in (every, some))))
    if not found:
        raise StatisticsError("pass^k needs episodes with at least one trial each")
    return found
