"""Firms of the oligopoly: competition, cartel, grim trigger, the best reply, and Calvano's Q-learner."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.envs.core.errors import AgentError
from ludarium.envs.core.rng import draw, draw_below, unit
from ludarium.envs.econ.oligopoly.config import OligopolyConfig
from ludarium.envs.econ.oligopoly.dynamics import OWN
from ludarium.envs.econ.oligopoly.oracles import logit_shares

__all__ = ["CartelFirm", "Firm", "GrimFirm", "NashFirm", "QFirm", "ReplyFirm", "static_profits"]


def static_profits(c: OligopolyConfig, cost: float, others: Sequence[int]) -> NDArray[np.float64]:
    """What a firm earns in a step at each of its levels float[levels] while the others are at theirs."""
    own = c.grid.low + c.grid.step * np.arange(c.levels, dtype=np.float64)
    theirs = [c.grid.low + c.grid.step * k for k in others]
    if c.game == "cournot":
        return np.asarray((np.maximum(c.demand - c.slope * (own + sum(theirs)), 0.0) - cost) * own, np.float64)
    if c.game == "bertrand":
        lowest = min(theirs, default=np.inf)
        rivals = 1 + sum(p == lowest for p in theirs) * (own == lowest)
        units = np.where(own <= lowest, np.maximum(c.demand - own, 0.0) / c.slope / rivals, 0.0)
        return np.asarray((own - cost) * units, np.float64)
    sold = [logit_shares([p, *theirs], c.demand, c.outside, c.differentiation)[0] for p in own.tolist()]
    return np.asarray((own - cost) * c.consumers * np.array(sold), np.float64)


class Firm(Agent):
    """Base: a level from what a firm sees. A firm knows its own cost, and takes the others' to be the usual one."""

    view = "array"
    information = "local"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config."""
        if task.id.partition("-v")[0].rpartition("-")[2] != "oligopoly":
            raise AgentError(f"{type(self).__name__} is a firm of econ-oligopoly-v0, not of {task.id}")
        self.config = OligopolyConfig.of(**task.config)
        self.key = np.uint64(seed)
        self.agreed = self.nearest(self.config.joint().actions[0])
        self.rivalry = functools.lru_cache(maxsize=1024)(self._rivalry)

    def _rivalry(self, cost: int) -> int:
        """The level of the static equilibrium at this cost."""
        return self.nearest(self.config.equilibrium(self.costs(cost)).actions[0])

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself, on its own observation."""
        return {seat: self._within(turn, self.level(seat, self._read(turn), turn)) for seat, turn in turns.items()}

    def _read(self, turn: Turn) -> list[int]:
        return [int(x) for x in np.asarray(turn.observation).tolist()]

    def _within(self, turn: Turn, level: int) -> int:
        """The nearest level that the mask allows."""
        allowed = np.flatnonzero(turn.mask)
        return int(allowed[np.abs(allowed - level).argmin()])

    def nearest(self, value: float) -> int:
        """The level of this price or quantity."""
        return int(np.clip(round((value - self.config.grid.low) / self.config.grid.step), 0, self.config.levels - 1))

    def costs(self, own: int) -> tuple[int, ...]:
        """One's own cost, then the others' as one takes them to be."""
        return (own, *(self.config.cost for _ in range(self.config.firms - 1)))

    def level(self, seat: str, seen: list[int], turn: Turn) -> int:
        """The level to choose."""
        raise NotImplementedError(f"{type(self).__name__} must define level")


class NashFirm(Firm):
    """The static equilibrium, whatever the others do."""

    def level(self, seat: str, seen: list[int], turn: Turn) -> int:
        """The level nearest to it."""
        return self.rivalry(seen[1])


class CartelFirm(Firm):
    """What would earn equal firms together the most, whatever the others do."""

    def level(self, seat: str, seen: list[int], turn: Turn) -> int:
        """The level nearest to it."""
        return self.agreed


class GrimFirm(CartelFirm):
    """Keeps to the cartel until somebody has undercut it, then competes for ever (Friedman 1971)."""

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Trust everybody."""
        super().start(task, seats, seed)
        self._betrayed: set[str] = set()

    def level(self, seat: str, seen: list[int], turn: Turn) -> int:
        """The cartel's level, or the equilibrium's."""
        agreed, others = super().level(seat, seen, turn), [k for k in seen[OWN:] if k >= 0]
        cheats = (
            max(others, default=agreed) > agreed
            if self.config.game == "cournot"
            else min(others, default=agreed) < agreed
        )
        if cheats:
            self._betrayed.add(seat)
        if seat in self._betrayed:
            return self.nearest(self.config.equilibrium(self.costs(seen[1])).actions[0])
        return agreed


class ReplyFirm(Firm):
    """The best reply to what the others chose last (Cournot 1838); the cartel's level in the first step."""

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Forget the replies to another config."""
        super().start(task, seats, seed)
        self._reply = functools.lru_cache(maxsize=4096)(self._best)

    def _best(self, cost: int, others: tuple[int, ...]) -> int:
        return int(static_profits(self.config, cost, others).argmax())

    def level(self, seat: str, seen: list[int], turn: Turn) -> int:
        """The lowest of the best levels."""
        others = tuple(seen[OWN:])
        if seen[2] < 0:
            return self.agreed
        return self._reply(seen[1], tuple(sorted(others)))


class QFirm(Firm):
    """Q-learning with one step of memory, as in Calvano, Calzolari, Denicolò and Pastorello (2020).

    `rate` is that of learning, `discount` that of the future; exploration falls as exp(-decay * step), where `decay` 0
    stands for 8 over the length of the episode. Each seat learns by itself, from nothing in each episode.
    """

    def __init__(self, rate: float = 0.15, discount: float = 0.95, decay: float = 0.0) -> None:
        if not 0 < rate <= 1 or not 0 <= discount < 1 or not decay >= 0:
            raise AgentError(f"rate = {rate}, discount = {discount}, decay = {decay}; expected 0 < rate <= 1, "
                             "0 <= discount < 1 and decay >= 0")  # fmt: skip
        self.rate, self.discount, self.decay = float(rate), float(discount), float(decay)

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Know nothing."""
        super().start(task, seats, seed)
        self._fall = self.decay or 8.0 / self.config.max_steps
        self._values: dict[str, dict[tuple[int, ...], NDArray[np.float64]]] = {seat: {} for seat in seats}
        self._last: dict[str, tuple[tuple[int, ...], int]] = {}
        self._first: dict[int, NDArray[np.float64]] = {}

    def _start_of(self, cost: int) -> NDArray[np.float64]:
        """The value of each level against others who choose at random, for ever: where learning begins."""
        if cost not in self._first:
            levels, others = self.config.levels, self.config.firms - 1
            draws = [[draw_below(self.key, 9, n, j, 0, levels) for j in range(others)] for n in range(24)]
            profits = np.mean([static_profits(self.config, cost, row) for row in draws], axis=0)
            self._first[cost] = profits / (1.0 - self.discount)
        return self._first[cost].copy()

    def level(self, seat: str, seen: list[int], turn: Turn) -> int:
        """Learn from the last step, then explore or take what is worth the most."""
        table, place = self._values.setdefault(seat, {}), tuple(seen[2:3] + seen[OWN:])
        if place not in table:
            table[place] = self._start_of(seen[1])
        if seat in self._last:
            before, chosen = self._last[seat]
            target = seen[4] + self.discount * table[place].max()
            table[before][chosen] += self.rate * (target - table[before][chosen])
        number = int(seat.rsplit("_", 1)[1])
        if unit(np.uint64(draw(self.key, 7, turn.step, number, 0))) < np.exp(-self._fall * turn.step):
            level = draw_below(self.key, 8, turn.step, number, 0, self.config.levels)
        else:
            level = int(table[place].argmax())
        self._last[seat] = place, level
        return level
