"""Who works: incomes at forty hours a week, by quantile, stratified or sampled, from closed-form distributions.

Every population is one inverse distribution function of places in (0, 1): (i + 1/2) / N under `quantile`, (i + draw) / N
under `stratified`, a draw alone under `sampled`. All floats come from `floats`, and a wage is an integer in the end.

Source of the GB2 form and of its parameters: `specs/econ.md`, 2.1 (fitted to the American Community Survey 2023).
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner, kernel, special
from ludarium.envs.core.rng import draw, unit
from ludarium.envs.econ.floats import exp_of, log_gamma, log_of, power
from ludarium.envs.econ.tax.kinds import DRAWN, GB2, KINDS, MAX_WAGE

__all__ = [
    "DRAWN", "FITTED", "GB2", "KINDS", "MAX_WAGE", "Table", "draw_wages", "gb2_table", "income_at", "normal_quantile", "place_of",
]  # fmt: skip

FITTED = "gb2"
"""The variant of tables for GB2 populations: the other distributions are not compiled for them."""
STREAM_INCOME = 1
_HALF_GAP = 2.0**-54


class Table(NamedTuple):
    """Knots of the GB2 inverse: logit of the place, logit of v, and the slope dv/dp, float64[M] each."""

    y: NDArray[np.float64]
    u: NDArray[np.float64]
    slope: NDArray[np.float64]


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    h = d
    for m in range(1, 400):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + term / c
            c = c if abs(c) > tiny else tiny
            h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return h


def _beta_parts(u: float, a: float, b: float, log_beta: float) -> tuple[float, float]:
    """I_v(a, b) and 1 - I_v(a, b) at v = 1 / (1 + exp(-u)), each to its own relative precision."""
    low = u <= log_of(a / b)  # left of the mean the first fraction is the quick one
    log_v = -log_of(1.0 + exp_of(-u)) if u > -700.0 else u
    log_w = -u + log_v
    head = exp_of(a * log_v + b * log_w - log_beta)
    if low:
        p = head * _fraction(a, b, exp_of(log_v)) / a
        return p, 1.0 - p
    q = head * _fraction(b, a, exp_of(log_w)) / b
    return 1.0 - q, q


@functools.lru_cache(maxsize=8)
def gb2_table(nu: float, tau: float, knots: int = 4096) -> Table:
    """Knots of the inverse of I_v(nu, tau) in logits, in which it is nearly straight: cubic between them, 1e-9."""
    log_beta = log_gamma(nu) + log_gamma(tau) - log_gamma(nu + tau)
    grid = np.linspace(-40.0 / nu - 5.0, 40.0 / tau + 5.0, knots)
    y, slope = np.empty(knots), np.empty(knots)
    for n, u in enumerate(grid):
        p, q = _beta_parts(float(u), nu, tau, log_beta)
        log_v = -log_of(1.0 + exp_of(-float(u)))
        density = exp_of(nu * log_v + tau * (log_v - float(u)) - log_beta)
        y[n] = log_of(p) - log_of(q)
        slope[n] = p * q / density if density > 0.0 else 0.0
    return Table(y, grid.copy(), slope)


@inner
def _gb2_log_ratio(place: float, table: Table) -> float:
    """log(v / (1 - v)) at a place, by Hermite's cubic between the knots."""
    y = log_of(place) - log_of(1.0 - place)
    low, high = 0, table.y.shape[0] - 1
    if y <= table.y[low]:
        return table.u[low]
    if y >= table.y[high]:
        return table.u[high]
    while high - low > 1:
        middle = (low + high) // 2
        if table.y[middle] <= y:
            low = middle
        else:
            high = middle
    h = table.y[high] - table.y[low]
    s = (y - table.y[low]) / h
    r = 1.0 - s
    value = (1.0 + 2.0 * s) * r * r * table.u[low] + s * s * (3.0 - 2.0 * s) * table.u[high]
    return value + h * s * r * (r * table.slope[low] - s * table.slope[high])


@kernel
def normal_quantile(p: float) -> float:
    """The standard normal quantile (Wichura 1988, algorithm AS 241, PPND16: relative error 1e-16)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        top = 2.5090809287301226727e3 * r + 3.3430575583588128105e4
        top = ((top * r + 6.7265770927008700853e4) * r + 4.5921953931549871457e4) * r + 1.3731693765509461125e4
        top = ((top * r + 1.9715909503065514427e3) * r + 1.3314166789178437745e2) * r + 3.3871328727963666080e0
        low = 5.2264952788528545610e3 * r + 2.8729085735721942674e4
        low = ((low * r + 3.9307895800092710610e4) * r + 2.1213794301586595867e4) * r + 5.3941960214247511077e3
        low = ((low * r + 6.8718700749205790830e2) * r + 4.2313330701600911252e1) * r + 1.0
        return q * top / low
    r = math.sqrt(-log_of(p if q < 0.0 else 1.0 - p))
    if r <= 5.0:
        r -= 1.6
        top = 7.74545014278341407640e-4 * r + 2.27238449892691845833e-2
        top = ((top * r + 2.41780725177450611770e-1) * r + 1.27045825245236838258e0) * r + 3.64784832476320460504e0
        top = ((top * r + 5.76949722146069140550e0) * r + 4.63033784615654529590e0) * r + 1.42343711074968357734e0
        low = 1.05075007164441684324e-9 * r + 5.47593808499534494600e-4
        low = ((low * r + 1.51986665636164571966e-2) * r + 1.48103976427480074590e-1) * r + 6.89767334985100004550e-1
        low = ((low * r + 1.67638483018380384940e0) * r + 2.05319162663775882187e0) * r + 1.0
    else:
        r -= 5.0
        top = 2.01033439929228813265e-7 * r + 2.71155556874348757815e-5
        top = ((top * r + 1.24266094738807843860e-3) * r + 2.65321895265761230930e-2) * r + 2.96560571828504891230e-1
        top = ((top * r + 1.78482653991729133580e0) * r + 5.46378491116411436990e0) * r + 6.65790464350110377720e0
        low = 2.04426310338993978564e-15 * r + 1.42151175831644588870e-7
        low = ((low * r + 1.84631831751005468180e-5) * r + 7.86869131145613259100e-4) * r + 1.48753612908506148525e-2
        low = ((low * r + 1.36929880922735805310e-1) * r + 5.99832206555887937690e-1) * r + 1.0
    return -top / low if q < 0.0 else top / low


@kernel
def income_at(kind: int, a: float, b: float, place: float, table: Table) -> float:
    """The income at a place in (0, 1) of a distribution (a number of `KINDS`) with parameters a and b.

    gb2: scale a, 1 / sigma b; pareto: least income a, index b; lognormal: median a, sigma b; uniform: from a to b.
    """
    if kind == 0:
        return a * exp_of(b * _gb2_log_ratio(place, table))
    if kind == 1:
        return a * power(1.0 - place, -1.0 / b)
    if kind == 2:
        return a * exp_of(b * normal_quantile(place))
    return a + (b - a) * place


@special(income_at, FITTED)
def _gb2_income(kind: int, a: float, b: float, place: float, table: Table) -> float:
    return a * exp_of(b * _gb2_log_ratio(place, table))


@kernel
def place_of(key: np.uint64, drawn: int, i: int, count: int) -> float:
    """The place of worker i of `count` in (0, 1), by a number of `DRAWN`."""
    if drawn == 0:
        return (i + 0.5) / count
    chance = unit(draw(key, STREAM_INCOME, i, 0, 0)) + _HALF_GAP
    return chance if drawn == 2 else (i + chance) / count


@kernel
def draw_wages(
    key: np.uint64, kind: int, drawn: int, a: float, b: float, cents: float, table: Table, out: NDArray[np.int64]
) -> None:
    """Write wages int64[N] in cents a year for each weekly hour: the income times `cents`, rounded, from 1 to MAX_WAGE."""
    count = out.shape[0]
    for i in range(count):
        wage = income_at(kind, a, b, place_of(key, drawn, i, count), table) * cents
        out[i] = 1_000_000_000 if wage >= 1e9 else max(np.int64(math.floor(wage + 0.5)), np.int64(1))
