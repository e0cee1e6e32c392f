"""What the tax agents reckon with: the economy of a `state` view, best answers in it, and flat rates in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.econ.tax import oracles
from ludarium.envs.econ.tax.best import answer_all, powers
from ludarium.envs.econ.taxes import Schedule

__all__ = ["best_choices", "economy", "flat_values", "preferred_rates", "untaxed", "utilities"]

Floats = NDArray[np.float64]


def economy(seen: dict[str, Any]) -> oracles.Economy:
    """The quasi-linear economy of a view, in units of money."""
    return oracles.Economy(
        seen["wage"] / 100.0, seen["k"] / 100.0 * seen["taste"], seen["d"], float(seen["hours_max"]),
        tuple((seen["edges"] / 100.0).tolist()), seen["weight"],
    )  # fmt: skip


def untaxed(seen: dict[str, Any]) -> Floats:
    """Everybody's untaxed income in cents, at no corner, by the view's own utility."""
    eta = {"quasilinear": 0.0, "log": 1.0}.get(seen["utility"], seen["eta"])
    d, k = seen["d"], seen["k"] * seen["taste"]
    pay = seen["wage"] if eta == 0.0 else (seen["wage"] / seen["unit"]) ** (1.0 - eta)
    hours = (pay / (k * d)) ** (1.0 / (d - 1.0 + eta))
    return np.asarray(seen["wage"] * np.minimum(hours, seen["hours_max"]), np.float64)


def utilities(seen: dict[str, Any], who: NDArray[np.int64], choices: NDArray[np.int64]) -> Floats:
    """Utilities float[n, m] of workers int[n] at choices of hours int[m] or int[n, m], in units of the median income or as is.

    Each takes the last rebate as given.
    """
    grid = np.broadcast_to(choices, (len(who), choices.shape[-1]))
    z = seen["wage"][who, None] * grid // seen["hour_parts"]
    schedule = Schedule.of((seen["edges"] / 100.0).tolist(), seen["rates"] / 10_000.0)
    money = (z - schedule.tax(z.reshape(-1)).reshape(z.shape) + seen["rebate"]).astype(np.float64)
    strain = seen["k"] * seen["taste"][who, None] * (grid / seen["hour_parts"]) ** seen["d"]
    if seen["utility"] == "quasilinear":
        return (money - strain) / seen["unit"]
    share = np.maximum(money, 1.0) / seen["unit"]
    if seen["utility"] == "log":
        return np.log(share) - strain
    return (share ** (1.0 - seen["eta"]) - 1.0) / (1.0 - seen["eta"]) - strain


def best_choices(seen: dict[str, Any], who: NDArray[np.int64]) -> NDArray[np.int64]:
    """The best choice of hours of each worker int[n], the lowest where he is indifferent."""
    if seen["utility"] == "quasilinear":
        out = np.empty(len(who), np.int64)
        free = np.empty(len(who), np.float64)
        wage, taste = seen["wage"][who], seen["persona"][who]
        powers(wage, seen["k"], seen["tastes"], taste, seen["d"], free)
        answer_all(wage, free, seen["cost"], taste, seen["hour_parts"], oracles.elasticity(seen["d"]), seen["edges"],
                   seen["rates"], out)  # fmt: skip
        return out
    choices = np.arange(seen["hours_max"] * seen["hour_parts"] + 1)
    return np.concatenate(
        [utilities(seen, part, choices).argmax(1) for part in np.array_split(who, max(1, len(who) // 4096))]
    )


def preferred_rates(seen: dict[str, Any]) -> Floats:
    """The flat rate that each worker likes best."""
    z = untaxed(seen)
    return oracles.preferred_flat(z / z.mean(), oracles.elasticity(seen["d"]))


def flat_values(seen: dict[str, Any], rates: Floats) -> Floats:
    """Utilities in money float[N, m] of all workers under flat rates float[m], when everybody answers best."""
    z, e = untaxed(seen), oracles.elasticity(seen["d"])
    kept = np.maximum(1.0 - np.asarray(rates, np.float64), 0.0)
    own = z[:, None] * kept ** (1.0 + e) * (1.0 - 1.0 / seen["d"])
    return own + (1.0 - kept) * kept**e * z.mean()
