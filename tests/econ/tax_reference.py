"""The tax economy in plain Python, written from the specification: slow, and sharing nothing with the kernels."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any


class ReferenceTax:
    """One episode without chance: quasi-linear workers, or `crra` and `log`; votes come with their ties resolved outside."""

    def __init__(
        self, wages: list[int], tastes: list[int], options: dict[str, Any], edges: list[int], scales: list[float]
    ) -> None:
        self.wages, self.taste, self.o, self.edges, self.scales = wages, tastes, options, edges, scales
        self.n = len(wages)
        ordered = sorted(wages)
        self.median_wage = (ordered[(self.n - 1) // 2] + ordered[self.n // 2]) // 2
        self.unit = 40.0 * self.median_wage
        d = options["d"]
        if options["k"] == "median_40h":
            money = options["utility"] == "quasilinear"
            self.k = (self.median_wage if money else 1.0 / 40.0) / (d * 40.0 ** (d - 1))
        else:
            self.k = options["k"] * (100.0 if options["utility"] == "quasilinear" else 1.0)
        start = 5000 if options["rate_mode"] == "delta" else 0
        self.rates = [start] * len(edges)
        self.hours = [0] * self.n
        self.phase, self.t, self.day, self.year = "rates", 0, 0, 0
        self.treasury = self.taxed = self.shared = self.produced = self.rebate = 0
        self.faults = 0
        self.earned, self.toil = [0] * self.n, [0] * self.n
        self.welfare = 0.0
        self.welfare_sum, self.settled = 0.0, 0
        self.weights = self._weights()

    def owed(self, z: int) -> int:
        total = Fraction(0)
        for low, high, rate in zip(self.edges, [*self.edges[1:], None], self.rates, strict=True):
            total += max(0, (z if high is None else min(z, high)) - low) * Fraction(rate, 10_000)
        return math.floor(total)

    def _strain(self, i: int, parts: int) -> float:
        return self.k * self.scales[self.taste[i]] * (parts / self.o["hour_parts"]) ** self.o["d"]

    def _reference(self, i: int) -> int:
        k, d, w = self.k * self.scales[self.taste[i]], self.o["d"], float(self.wages[i])
        if self.o["utility"] == "quasilinear":
            hours = (w / (k * d)) ** (1 / (d - 1))
        else:
            eta = 1.0 if self.o["utility"] == "log" else self.o["eta"]
            hours = ((w / self.unit) ** (1 - eta) / (k * d)) ** (1 / (d - 1 + eta))
        return math.floor(w * min(hours, self.o["hours_max"]) + 0.5) + 1

    def _weights(self) -> list[float]:
        z = [self._reference(i) for i in range(self.n)]
        if self.o["swf"] == "inverse":
            floor = sorted(z)[math.ceil(self.n / 20) - 1]
            raw = [1.0 / max(x, floor) for x in z]
            return [x * self.n / sum(raw) for x in raw]
        if self.o["swf"] == "rank":
            return [2.0 * (1.0 - (sum(y < x for y in z) + sum(y <= x for y in z)) / 2 / self.n) for x in z]
        return [1.0] * self.n

    def _felt(self, money: int, i: int, parts: int) -> float:
        if self.o["utility"] == "quasilinear":
            return money - math.floor(self._strain(i, parts) + 0.5)
        share = max(money, 1) / self.unit
        if self.o["utility"] == "log":
            return math.log(share) - self._strain(i, parts)
        return (share ** (1 - self.o["eta"]) - 1) / (1 - self.o["eta"]) - self._strain(i, parts)

    def step(self, plan: list[int], actions: list[int]) -> tuple[list[float], list[int]]:
        """Rewards (planner first) and faults by seat."""
        self.t += 1
        if self.phase == "rates":
            for j, level in enumerate(plan):
                if self.o["rate_mode"] == "delta":
                    self.rates[j] = min(max(self.rates[j] + (level - 2) * 1000, 0), 10_000)
                else:
                    self.rates[j] = level * round(self.o["rate_step"] * 10_000)
            self.phase, self.day = "work", 0
            return [0.0] * (1 + self.n), [0] * (1 + self.n)
        return self._work(actions)

    def _work(self, actions: list[int]) -> tuple[list[float], list[int]]:
        limit = self.o["hours_max"] * self.o["hour_parts"]
        fault = [0, *[int(a > limit) for a in actions]]
        self.faults += sum(fault)
        self.hours = [a if a <= limit else h for a, h in zip(actions, self.hours, strict=True)]
        z = [w * h // self.o["hour_parts"] for w, h in zip(self.wages, self.hours, strict=True)]
        self.produced += sum(z)
        self.day += 1
        last, yearly = self.day == self.o["steps_per_year"], self.o["settle"] == "year"
        tax = [0] * self.n
        if not yearly:
            tax = [self.owed(x) for x in z]
        self.earned = [a + b for a, b in zip(self.earned, z, strict=True)]
        if yearly and last:
            tax = [self.owed(total // self.day) * self.day for total in self.earned]
        settles, rebate = last or not yearly, 0
        if settles:
            pot = sum(tax) + self.treasury
            rebate, self.treasury = pot // self.n, pot % self.n
            self.rebate = rebate
            self.taxed += sum(tax)
            self.shared += rebate * self.n
        u = [self._felt(x - t + rebate, i, h) for i, (x, t, h) in enumerate(zip(z, tax, self.hours, strict=True))]
        money = self.o["utility"] == "quasilinear"
        rewards = [0.0, *[x / self.unit if money else x for x in u]]
        self.toil = (
            [a + x - (b - t + rebate) for a, x, b, t in zip(self.toil, u, z, tax, strict=True)] if money else self.toil
        )
        if settles:
            days = self.day if yearly else 1
            if yearly:
                u = [(e - t + rebate + s) / days for e, t, s in zip(self.earned, tax, self.toil, strict=True)]
            before, self.welfare = self.welfare, self._social(u, z, days)
            self.welfare_sum += self.welfare
            self.settled += 1
            size = self.unit if money and self.o["swf"] != "legacy" else 1.0
            rewards[0] = (self.welfare - (before if self.o["planner_reward"] == "change" else 0.0)) / size
        if last:
            self.phase, self.year = "rates", self.year + 1
        if last or not yearly:
            self.earned, self.toil = [0] * self.n, [0] * self.n
        return rewards, fault

    def _social(self, u: list[float], z: list[int], days: int) -> float:
        swf, n = self.o["swf"], self.n
        if swf == "rawls":
            return min(u)
        if swf == "legacy":
            return sum(x / max(income, 100) for x, income in zip(u, z, strict=True))
        if swf == "crra":
            power = 1 - self.o["eta"]
            return self.unit * (sum((max(x, 1.0) / self.unit) ** power for x in u) / n) ** (1 / power)
        if swf == "equality_productivity":
            net = [math.floor(max(x, 0.0)) for x in u]
            apart = sum(abs(a - b) for a, b in itertools.combinations(net, 2))
            equality = 1.0 - apart / (sum(net) * (n - 1)) if sum(net) > 0 and n > 1 else 1.0
            return equality * sum(self.earned if self.o["settle"] == "year" else z) / (n * days)
        return sum(g * x for g, x in zip(self.weights, u, strict=True)) / n
