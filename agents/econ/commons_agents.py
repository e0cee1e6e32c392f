"""Harvesters of the commons, from greedy to grim, and a governor whose quotas are optimal."""

from __future__ import annotations

from ludarium.agents.contract import Task
from ludarium.agents.econ.commons_view import Commoner, Sight
from ludarium.envs.econ.commons.figures import chance_of, loss_of
from ludarium.envs.econ.commons.oracles import best_harvest, best_quota, optimal_totals, quota_totals

__all__ = ["Breaker", "Governor", "Greedy", "Grim", "Lawful", "Optimal", "Sustainable", "TitForTat"]

_FINE, _AUDIT = 10, 11
"""The governor's hardest choices: nine units for each unit above the quota, and everybody is audited."""


class Greedy(Commoner):
    """Wants all there is, whatever the rules; says nothing, and votes for the highest quota."""

    def take(self, seat: str, sight: Sight) -> int:
        """All."""
        return self.config.cap

    def pledge(self, seat: str, sight: Sight) -> int:
        """Nothing."""
        return self.config.cap + 1

    def say(self, seat: str, sight: Sight) -> int:
        """Nothing."""
        return 0

    def worth(self, quota: int, sight: Sight) -> float:
        """The more the better."""
        return float(quota if quota >= 0 else self.config.cap + 1)


class Lawful(Greedy):
    """Wants all there is, but not more than the quota where that costs more than it brings."""

    def take(self, seat: str, sight: Sight) -> int:
        """The quota, or all."""
        return sight["quota"] if sight.binding else self.config.cap


class Sustainable(Commoner):
    """Takes an equal part of what comes back, names it as the limit, promises it and keeps to it."""

    def take(self, seat: str, sight: Sight) -> int:
        """A fair part."""
        return sight.fair


class Breaker(Sustainable):
    """Says what the sustainable ones say, and takes all."""

    def take(self, seat: str, sight: Sight) -> int:
        """All."""
        return self.config.cap


class Optimal(Commoner):
    """Takes its part of what is best for all together until the last round: backwards over stocks, exact without shocks."""

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Find what every stock is worth."""
        super().start(task, seats, seed)
        c = self.config
        self._values = optimal_totals(c.grow, c.threshold, c.rounds, chance_of(c) / (1 << 32), loss_of(c))

    def take(self, seat: str, sight: Sight) -> int:
        """An equal part; the first seats take the units that cannot be parted."""
        c, number = self.config, int(seat.rsplit("_", 1)[1])
        total = best_harvest(
            self._values, c.grow, c.threshold, sight["rounds_left"], sight.stock, chance_of(c) / (1 << 32), loss_of(c)
        )
        return total // sight.heads + (number < total % sight.heads)


class Grim(Sustainable):
    """Takes a fair part until somebody took more, then all for ever; accuses and punishes who did."""

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget."""
        super().start(task, seats, seed)
        self._angry: set[str] = set()

    def offended(self, sight: Sight) -> bool:
        """Whether more than the sustainable part was taken in the last harvest, by one or, if no more is told, by all."""
        if sight["rounds_played"] == 0:
            return False
        if self.config.reveal == "all":
            return sight.greediest >= 0
        return sight["last_harvest"] > self.config.sustainable[sight["last_stock"]]

    def take(self, seat: str, sight: Sight) -> int:
        """A fair part, or all."""
        if self.offended(sight):
            self._angry.add(seat)
        return self.config.cap if seat in self._angry else sight.fair

    def accused(self, seat: str, sight: Sight) -> int:
        """Who took most above a fair part."""
        return sight.greediest

    def punish(self, seat: str, sight: Sight) -> int:
        """The same."""
        return sight.greediest


class TitForTat(Grim):
    """Takes as much as the greediest other did in the last round, but never less than a fair part."""

    def take(self, seat: str, sight: Sight) -> int:
        """A fair part, or what was taken last time."""
        if not self.offended(sight):
            return sight.fair
        if self.config.reveal == "all":
            return max(sight[f"got_{sight.greediest}"], sight.fair)
        return max(-(-sight["last_harvest"] // sight.last_heads), sight.fair)


class Governor(Lawful):
    """Sets the quota that is best until the last round if all take as much as it allows, with the hardest sanctions.

    In the seats of harvesters it takes what the law allows.
    """

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Find what every stock is worth."""
        super().start(task, seats, seed)
        c = self.config
        self._values = quota_totals(c.grow, c.threshold, c.rounds, c.num_harvesters)

    def govern(self, sight: Sight) -> list[int]:
        """Quota, no fee, the highest fine, and everybody is audited."""
        c = self.config
        quota = best_quota(self._values, c.grow, c.threshold, sight["rounds_left"], sight.stock, sight.heads)
        return [2 + min(quota, c.cap), 1, _FINE, _AUDIT]
