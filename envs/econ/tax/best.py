"""Workers' best answers on the world's own grid of hours, as kernels: for a million of them at once.

The best income of a quasi-linear worker is in closed form in each bracket. In the world he chooses whole parts of an hour
and pays whole cents: the best choice is one of the two beside each candidate, the bracket's own optimum and its ends.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel
from ludarium.envs.econ.taxes import cumulate, tax_of

__all__ = ["answer_all", "powers"]


@kernel
def powers(
    wage: NDArray[np.int64],
    k: float,
    tastes: NDArray[np.float64],
    taste: NDArray[np.uint8],
    d: float,
    out: NDArray[np.float64],
) -> None:
    """Write untaxed hours (w / (k d)) ** e, e = 1 / (d - 1), float64[N]; `k` in cents, `taste` uint8[N], or [1]: of all."""
    e = 1.0 / (d - 1.0)
    for i in range(wage.shape[0]):
        own = tastes[np.int64(taste[i] if taste.shape[0] > 1 else taste[0])]
        out[i] = (wage[i] / (k * own * d)) ** e


@inner
def _value(
    h: int, wage: int, cost: NDArray[np.int64], p: int, parts: int,
    edges: NDArray[np.int64], rates: NDArray[np.int64], base: NDArray[np.int64],
) -> int:  # fmt: skip
    z = wage * h if parts == 1 else wage * h // parts
    return z - tax_of(z, edges, rates, base) - cost[p, h]


@inner
def _best(
    wage: int, free: float, cost: NDArray[np.int64], p: int, parts: int, kept: NDArray[np.float64],
    edges: NDArray[np.int64], rates: NDArray[np.int64], base: NDArray[np.int64],
) -> int:  # fmt: skip
    """The best choice under any schedule, the lowest where he is indifferent."""
    most = cost.shape[1] - 1
    best, value = 0, 0
    count = edges.shape[0]
    per_part = np.float64(wage) / parts
    for j in range(count):
        low = edges[j] / per_part
        if low > most:
            break
        high = min(edges[j + 1] / per_part if j + 1 < count else np.float64(most), np.float64(most))
        h = np.int64(min(max(free * kept[j] * parts, low), high))
        for there in range(h, min(h + 2, most + 1)):
            found = _value(there, wage, cost, p, parts, edges, rates, base)
            if found > value:
                best, value = there, found
    return best


@kernel
def answer_all(
    wage: NDArray[np.int64],
    free: NDArray[np.float64],
    cost: NDArray[np.int64],
    taste: NDArray[np.uint8],
    parts: int,
    e: float,
    edges: NDArray[np.int64],
    rates: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Write every worker's best choice int64[N].

    `free` float64[N] is from `powers`, `cost` int64[P, A] the disutility in cents by taste and choice, `taste` uint8[N], or
    uint8[1] for all.
    """
    count, most = edges.shape[0], cost.shape[1] - 1
    base = np.empty(count, np.int64)
    cumulate(edges, rates, base)
    kept = np.empty(count, np.float64)
    rising = True
    for j in range(count):
        kept[j] = max(1.0 - rates[j] / 10_000.0, 0.0) ** e
        rising = rising and (j == 0 or rates[j] >= rates[j - 1])
    for i in range(wage.shape[0]):
        p = np.int64(taste[i] if taste.shape[0] > 1 else taste[0])
        if not rising:
            out[i] = _best(wage[i], free[i], cost, p, parts, kept, edges, rates, base)
            continue
        # no rate is below the one before: the objective is concave, and its peak is where the brackets' optima cross
        per_part = np.float64(wage[i]) / parts
        own = free[i] * parts
        at = own * kept[0]
        for j in range(1, count):
            if at * per_part <= edges[j]:
                break
            at = max(own * kept[j], edges[j] / per_part)
        h = np.int64(min(at, np.float64(most)))
        if h < most:  # of the two whole choices beside it the better one
            low = _value(h, wage[i], cost, p, parts, edges, rates, base)
            if _value(h + 1, wage[i], cost, p, parts, edges, rates, base) > low:
                h += 1
        out[i] = h
