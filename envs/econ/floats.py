"""Exponential, logarithm and power from + - * / alone, in a fixed order: the same bits on every machine.

Digests hold only such floats, and the C libraries' `exp`, `log` and `pow` differ in the last bit between machines.
"""

from __future__ import annotations

import math

from ludarium.envs.core.compile import kernel

__all__ = ["exp_of", "log_gamma", "log_of", "power"]

_LN2_HIGH = 6.93147180369123816490e-01  # whose last 32 bits are zero, so that small multiples are exact
_LN2_LOW = 1.90821492927058770002e-10
_ROOT_HALF = 0.70710678118654752440


@kernel
def log_of(x: float) -> float:
    """The natural logarithm of x > 0, to about one unit in the last place (0 and below: minus infinity)."""
    if not x > 0.0:
        return -math.inf
    m, e = math.frexp(x)
    if m < _ROOT_HALF:
        m *= 2.0
        e -= 1
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    series = 0.0
    for n in range(25, 1, -2):
        series = (series + 1.0 / n) * z
    return e * _LN2_HIGH + (2.0 * s * (1.0 + series) + e * _LN2_LOW)


@kernel
def exp_of(x: float) -> float:
    """Raise e to the power of x, to about one unit in the last place."""
    if x > 709.0:
        return math.inf
    if x < -740.0:
        return 0.0
    k = math.floor(x / (_LN2_HIGH + _LN2_LOW) + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    series = 1.0
    for n in range(17, 0, -1):
        series = 1.0 + series * r / n
    return math.ldexp(series, int(k))


@kernel
def power(x: float, p: float) -> float:
    """Raise x to the power of p, for x >= 0, to about |p log x| units in the last place."""
    if x == 0.0:
        return 1.0 if p == 0.0 else 0.0 if p > 0.0 else math.inf
    if 0.0 <= p <= 8.0 and 2.0 * p == math.floor(2.0 * p):  # by products, exact where they are
        found = math.sqrt(x) if p != math.floor(p) else 1.0
        for _ in range(int(p)):
            found *= x
        return found
    return exp_of(p * log_of(x))


_LANCZOS = (
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
    -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
)  # fmt: skip


def log_gamma(x: float) -> float:
    """The logarithm of the gamma function of x > 0 (Lanczos 1964, g = 7)."""
    if x < 0.5:  # by recurrence: no sine is needed
        return log_gamma(x + 1.0) - log_of(x)
    x -= 1.0
    series = _LANCZOS[0]
    for n, c in enumerate(_LANCZOS[1:], 1):
        series += c / (x + n)
    t = x + 7.5
    return 0.91893853320467274178 + (x + 0.5) * log_of(t) - t + log_of(series)
