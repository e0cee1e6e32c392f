"""Workers of the tax economy: the exact best response, and three who are less than perfect (logit, habit, satisficer).

All stand for the flat rate that they like best, and vote sincerely by what the candidates' flat rates would bring them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.agents.econ.tax_model import best_choices, flat_values, preferred_rates, utilities
from ludarium.envs.core.errors import AgentError
from ludarium.envs.core.rng import draw, unit
from ludarium.envs.econ.voting import ranking_number

__all__ = ["BestResponse", "Habit", "Logit", "Satisficer", "ballots_of"]

Ints = NDArray[np.int64]


def ballots_of(values: NDArray[np.float64], standing: NDArray[np.bool_], rule: str, levels: int) -> Ints:
    """Sincere ballots int[n] for values float[n, C] of the candidates; those who do not stand come last."""
    worth = np.where(standing, values, -np.inf)
    if rule in ("plurality", "random_dictator"):
        return np.asarray(worth.argmax(1), np.int64)
    if rule == "approval":
        liked = standing & (values >= values[:, standing].mean(1, keepdims=True))
        return np.asarray((liked << np.arange(values.shape[1])).sum(1), np.int64)
    if rule == "score":
        low, high = values[:, standing].min(1, keepdims=True), values[:, standing].max(1, keepdims=True)
        spread = np.where(high > low, high - low, 1.0)
        points = np.where(standing, np.rint((values - low) / spread * (levels - 1)), 0.0)
        return np.asarray(points @ levels ** np.arange(values.shape[1], dtype=np.float64), np.int64)
    orders = np.argsort(-worth, axis=1, kind="stable")
    return np.array([ranking_number(tuple(order)) for order in orders.tolist()], np.int64)


class _Worker(Agent):
    """Decides for all its seats from one full view; subclasses choose the hours."""

    view = "state"
    information = "global"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the key of the draws."""
        self._key = np.uint64(seed)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """One decision of each seat; a grouped seat decides for all workers at once."""
        turn = next(iter(turns.values()))
        seen = turn.observation
        if not isinstance(seen, dict) or "wage" not in seen or any(not seat.startswith("worker") for seat in turns):
            raise AgentError(f"{type(self).__name__} works in econ-tax-v0 only, in the seats of workers")
        grouped = "workers_0" in turns
        who = np.arange(len(seen["wage"])) if grouped else np.array([int(seat.split("_")[1]) for seat in turns])
        if seen["phase"] == "stand":
            chosen = 1 + np.rint(preferred_rates(seen)[who] * 20).astype(np.int64)
        elif seen["phase"] == "vote":
            chosen = self._vote(seen, who)
        else:
            chosen = self.hours(seen, who, turn.step)
        return {"workers_0": chosen} if grouped else dict(zip(turns, chosen.tolist(), strict=True))

    def _vote(self, seen: dict[str, Any], who: Ints) -> Ints:
        standing = seen["slate"] >= 0
        if not standing.any():
            return np.zeros(len(who), np.int64)
        liked = preferred_rates(seen)
        promised = np.where(seen["platform"] >= 0, seen["platform"] / 20.0, liked[np.maximum(seen["slate"], 0)])
        return ballots_of(flat_values(seen, promised)[who], standing, seen["rule"], seen["score_levels"])

    def hours(self, seen: dict[str, Any], who: Ints, step: int) -> Ints:
        """The choices of hours int[n] of workers int[n]."""
        raise NotImplementedError(f"{type(self).__name__} must define hours")


class BestResponse(_Worker):
    """Works the hours of highest utility, taking the rebate as given; exact, regressive schedules included."""

    def hours(self, seen: dict[str, Any], who: Ints, step: int) -> Ints:
        """The best choices."""
        return best_choices(seen, who)


class Logit(_Worker):
    """Chooses hours with probabilities that rise with utility (McKelvey and Palfrey 1995); rational as temperature falls.

    `temperature` is in units of the median untaxed income.
    """

    def __init__(self, temperature: float = 0.02) -> None:
        if not temperature > 0:
            raise AgentError(f"temperature = {temperature}; expected a number above 0")
        self.temperature = float(temperature)

    def hours(self, seen: dict[str, Any], who: Ints, step: int) -> Ints:
        """One draw a worker and step."""
        choices = np.arange(seen["hours_max"] * seen["hour_parts"] + 1)
        found = np.empty(len(who), np.int64)
        for n, part in enumerate(who):  # one by one: a million workers by all choices would fill the memory
            value = utilities(seen, who[n : n + 1], choices)[0] / self.temperature
            ends = np.cumsum(np.exp(value - value.max()))
            chance = unit(np.uint64(draw(self._key, 0, step, int(part), 0)))
            found[n] = min(int(np.searchsorted(ends, chance * ends[-1], side="right")), len(choices) - 1)
        return found


class Habit(_Worker):
    """Moves a share of the way from its last hours to the best ones; the first time it works the best ones."""

    def __init__(self, share: float = 0.25) -> None:
        if not 0 < share <= 1:
            raise AgentError(f"share = {share}; expected a number above 0, at most 1")
        self.share = float(share)

    def hours(self, seen: dict[str, Any], who: Ints, step: int) -> Ints:
        """At least one part of an hour towards the best choices."""
        best, last = best_choices(seen, who), seen["hours"][who]
        if not seen["worked"]:
            return best
        way = (best - last) * self.share
        return last + np.where(way > 0, np.ceil(way), np.floor(way)).astype(np.int64)


class Satisficer(_Worker):
    """Keeps its hours while they bring nearly the best utility (Simon 1955), else takes the best ones.

    `slack` is what it forgoes, in units of the median untaxed income.
    """

    def __init__(self, slack: float = 0.02) -> None:
        if not slack >= 0:
            raise AgentError(f"slack = {slack}; expected a number of at least 0")
        self.slack = float(slack)

    def hours(self, seen: dict[str, Any], who: Ints, step: int) -> Ints:
        """The last choices where they are good enough."""
        best, last = best_choices(seen, who), seen["hours"][who]
        both = utilities(seen, who, np.stack([last, best], 1))
        return np.where(seen["worked"] & (both[:, 0] >= both[:, 1] - self.slack), last, best)
