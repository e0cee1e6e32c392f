"""A worker's step of the tax economy in plain Python and NumPy: the twins, and what Mesa's agents do. Needs NumPy alone.

Exact best responses under a schedule of marginal rates, tax, an equal rebate, utilities and weighted welfare, in floats.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np


class Economy:
    """Wages float64[N], k, d, hours at most, lower edges and rates of the brackets, welfare weights float64[N]."""

    def __init__(self, path: str) -> None:
        with np.load(path) as data:
            self.wage, self.weight = data["wage"], data["weight"]
            self.edges, self.rates = data["edges"].tolist(), data["rates"].tolist()
            self.k, self.d, self.hours = (float(x) for x in data["scalars"])
        self.tops = [*self.edges[1:], float("inf")]
        self.base = [0.0]
        for low, high, rate in zip(self.edges, self.edges[1:], self.rates, strict=False):
            self.base.append(self.base[-1] + (high - low) * rate)

    def tax(self, z: float) -> float:
        """What an income owes."""
        j = len(self.edges) - 1
        while z < self.edges[j]:
            j -= 1
        return self.base[j] + (z - self.edges[j]) * self.rates[j]

    def best(self, wage: float) -> float:
        """The best income of a worker of this wage: the best of the brackets' own optima."""
        found, value, e = 0.0, 0.0, 1.0 / (self.d - 1.0)
        for j, (low, high) in enumerate(zip(self.edges, self.tops, strict=True)):
            if low > wage * self.hours:
                break
            z = wage * (wage * (1.0 - self.rates[j]) / (self.k * self.d)) ** e
            z = min(max(z, low), high, wage * self.hours)
            u = z - self.base[j] - (z - low) * self.rates[j] - self.k * (z / wage) ** self.d
            if u > value:
                found, value = z, u
        return found


def step_arrays(economy: Economy) -> dict[str, float]:
    """A step of all workers by NumPy: one pass an array and bracket."""
    w, k, d = economy.wage, economy.k, economy.d
    best, value = np.zeros_like(w), np.zeros_like(w)
    for low, high, rate, base in zip(economy.edges, economy.tops, economy.rates, economy.base, strict=True):
        z = w * (w * (1.0 - rate) / (k * d)) ** (1.0 / (d - 1.0))
        z = np.minimum(np.clip(z, low, high), w * economy.hours)
        u = z - base - (z - low) * rate - k * (z / w) ** d
        better = (u > value) & (w * economy.hours >= low)
        best, value = np.where(better, z, best), np.where(better, u, value)
    j = np.searchsorted(economy.edges, best, side="right") - 1
    tax = np.array(economy.base)[j] + (best - np.array(economy.edges)[j]) * np.array(economy.rates)[j]
    utility = best - tax + tax.mean() - k * (best / w) ** d
    return {"income": float(best.mean()), "tax": float(tax.mean()), "welfare": float((economy.weight * utility).mean())}


class Worker:
    """A worker as an object, as LLM Economist has them: decides, is taxed, is paid the rebate."""

    def __init__(self, economy: Economy, wage: float, weight: float) -> None:
        self.economy, self.wage, self.weight = economy, wage, weight
        self.income = self.tax = self.utility = 0.0

    def work(self) -> None:
        """Choose the best income."""
        self.income = self.economy.best(self.wage)
        self.tax = self.economy.tax(self.income)

    def receive(self, rebate: float) -> None:
        """Enjoy what is left."""
        strain = self.economy.k * (self.income / self.wage) ** self.economy.d
        self.utility = self.income - self.tax + rebate - strain


def step_objects(workers: list[Worker]) -> dict[str, float]:
    """A step of workers one by one."""
    for worker in workers:
        worker.work()
    rebate = sum(worker.tax for worker in workers) / len(workers)
    for worker in workers:
        worker.receive(rebate)
    return summed(workers)


def summed(workers: Any) -> dict[str, float]:
    """Means over workers that are objects."""
    count = len(workers)
    return {
        "income": sum(x.income for x in workers) / count, "tax": sum(x.tax for x in workers) / count,
        "welfare": sum(x.weight * x.utility for x in workers) / count,
    }  # fmt: skip


def main() -> None:
    """The twins: `kind` arrays or objects."""
    from clock import measure

    spec = json.loads(sys.argv[1])
    economy = Economy(spec["economy"])
    if spec["kind"] == "arrays":
        step = lambda: step_arrays(economy)  # noqa: E731
    else:
        workers = [Worker(economy, w, g) for w, g in zip(economy.wage.tolist(), economy.weight.tolist(), strict=True)]
        step = lambda: step_objects(workers)  # noqa: E731
    print(json.dumps(step()))
    measure(lambda rounds: [step() for _ in range(rounds)] and None, len(economy.wage), spec["seconds"])


if __name__ == "__main__":
    main()
