"""The simulator of the oligopoly: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.simulator import Role
from ludarium.envs.econ.floats import exp_of
from ludarium.envs.econ.games import Game, mean
from ludarium.envs.econ.oligopoly import dynamics, language, scene
from ludarium.envs.econ.oligopoly.config import GAMES, OligopolyConfig
from ludarium.envs.econ.oligopoly.oracles import collusion_index

__all__ = ["Oligopoly"]

HEAVIEST = 1 << 38
"""The weight of what consumers like best: times a million of them it still fits into 64 bits."""


class Oligopoly(Game):
    """Firms choose quantities or prices at once, in every step, and see what the others chose."""

    State = dynamics.State
    kernels = dynamics
    words = language
    picture = scene
    faults = dynamics.FAULTS

    def __init__(self, config: OligopolyConfig) -> None:
        self.config: OligopolyConfig = config
        c = config
        seen = spaces.Box(-np.inf, np.inf, (dynamics.OWN + c.firms - 1,), np.float32)
        choice = "produce" if c.game == "cournot" else "price"
        self.roles = (Role("firm", c.firms, seen, spaces.Discrete(c.levels), decisions=(choice,)),)
        self.data = {"cost": (c.cost - c.cost_spread, c.cost + c.cost_spread)}
        self.scalars = freeze(_scalars(c))

    def value(self, level: int) -> int:
        """The price or quantity of a level."""
        return self.config.grid.low + level * self.config.grid.step

    # --- figures ---------------------------------------------------------------------------------------------------
    @functools.lru_cache(maxsize=1024)  # noqa: B019  (a simulator keeps nothing of an episode, and lives long)
    def oracle(self, costs: tuple[int, ...]) -> tuple[float, float]:
        """The mean profit of a firm in a step in the static equilibrium, and under the largest joint profit."""
        nash, joint = self.config.equilibrium(costs), self.config.joint(costs)
        return sum(nash.profits) / len(costs), sum(joint.profits) / len(costs)

    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far; money in minor units."""
        firms = self.config.firms
        profit = mean(state.cash.sum(1), firms * state.t)
        known = np.array([self.oracle(tuple(row)) for row in state.cost.tolist()]).reshape(-1, 2)
        nash, joint = known[:, 0], known[:, 1]
        index = [collusion_index(*row) for row in zip(profit.tolist(), nash.tolist(), joint.tolist(), strict=True)]
        return {
            "profit": profit, "nash_profit": nash, "monopoly_profit": joint,
            "collusion_index": np.where(state.t > 0, index, 0.0), "gap": 1 - mean(profit, joint),
            "price": mean(state.paid, state.sold), "units": mean(state.sold, state.t),
            "spread": mean(state.cash.max(1) - state.cash.min(1), state.t), "faults": state.faults.astype(np.int64),
        }  # fmt: skip

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """No play earns more than the monopoly; under Bertrand and Cournot parts of a unit can only lose something."""
        joint = self.oracle(tuple(state.cost[row].tolist()))[1]
        return {"profit": joint * (1 + 1e-6) + self._rounding()}

    def _rounding(self) -> float:
        """Money that rounded weights may bring a firm in a step: less than a unit's price."""
        return float(self.value(self.config.levels - 1)) if self.config.game == "logit" else 0.0

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        c = self.config
        chosen = (state.level >= 0).all(1) & (state.level < c.levels).all(1)
        sold = state.units.sum(1)
        most = {"logit": c.consumers, "bertrand": max(0, c.demand - c.grid.low) // c.slope}.get(c.game)
        return {
            "no money appears or gets lost": state.cash.sum(1) == state.paid - state.spent,
            "levels are on the grid": chosen | ((state.t == 0) & (state.level == -1).all(1)),
            "no firm sells less than nothing": (state.units >= 0).all(1),
            "no more is sold than is wanted": np.full(len(sold), True) if most is None else sold <= most,
        }

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is: nothing is drawn later."""
        c, costs = self.config, tuple(state.cost[row].tolist())
        return {
            "t": int(state.t[row]), "game": c.game, "cost": list(costs), "level": state.level[row].tolist(),
            "units": state.units[row].tolist(), "profit": state.profit[row].tolist(), "cash": state.cash[row].tolist(),
            "values": [self.value(k) for k in range(c.levels)],
            "nash": list(c.equilibrium(costs).actions), "monopoly": list(c.joint(costs).actions),
        }  # fmt: skip


def _scalars(c: OligopolyConfig) -> dynamics.Scalars:
    """What the kernels read of a config."""
    weight, outside = np.zeros(c.levels, np.int64), 0
    if c.game == "logit":
        top = max(c.demand - c.grid.low, c.outside)

        def weigh(worth: int) -> int:
            return int(HEAVIEST * exp_of((worth - top) / c.differentiation))

        weight[:] = [weigh(c.demand - c.grid.low - k * c.grid.step) for k in range(c.levels)]
        outside = weigh(c.outside)
    return dynamics.Scalars(
        game=GAMES.index(c.game), firms=c.firms, levels=c.levels, low=c.grid.low, step=c.grid.step, cost=c.cost,
        spread=c.cost_spread, demand=c.demand, slope=c.slope, consumers=c.consumers, max_change=c.max_change,
        max_steps=c.max_steps, outside=outside, weight=weight,
    )  # fmt: skip
