"""The simulator of exchange in pairs: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.simulator import Role
from ludarium.envs.econ.exchange import dynamics, language, oracles, scene
from ludarium.envs.econ.exchange.config import KINDS, MOST, ExchangeConfig
from ludarium.envs.econ.games import Game, mean

__all__ = ["Exchange"]

EXACT = 2000
"""Up to so much money in all the Gini of the long run is summed exactly; with more it is that of exponential money."""


class Exchange(Game):
    """Traders meet in pairs, drawn anew in each step: money changes hands, or goods for money."""

    State = dynamics.State
    kernels = dynamics
    words = language
    picture = scene
    faults = dynamics.FAULTS

    def __init__(self, config: ExchangeConfig) -> None:
        self.config: ExchangeConfig = config
        c = config
        choices = c.max_stake + 1 if c.kind == "boltzmann" else c.levels
        seen = spaces.Box(-np.inf, np.inf, (dynamics.SEEN,), np.float32)
        decision = "stake" if c.kind == "boltzmann" else "price"
        self.roles = (Role("trader", c.traders, seen, spaces.Discrete(choices), decisions=(decision,)),)
        goods = (0, c.units) if c.kind == "cara" else (0, 0)
        risk = (1, c.risk_high * c.step) if c.kind == "cara" else (0, 0)
        self.data = {
            "money": (0, min(10**12, MOST // c.traders**2)),
            "goods": goods,
            "risk": risk,
            "name": (0, c.traders - 1),
        }
        self.scalars = freeze(
            dynamics.Scalars(
                kind=KINDS.index(c.kind), traders=c.traders, money=c.purse, choices=choices, units=c.units, mean=c.mean,
                risk_high=c.risk_high, step=c.step, max_steps=c.max_steps,
            )
        )  # fmt: skip

    def fits(self, numbers: dict[str, NDArray[np.int64]]) -> None:
        """Names are all different."""
        if len(set(numbers["name"].tolist())) != self.config.traders:
            raise InstanceError(
                f"name = {numbers['name'].tolist()}; expected each of 0 to {self.config.traders - 1} once"
            )

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        n = self.config.traders
        ordered, total = np.sort(state.cash, axis=1), state.cash.sum(1)
        ranks = 2 * np.arange(1, n + 1) - n - 1
        found = {
            "gini": mean((ordered * ranks).sum(1), n * total), "top_share": mean(ordered[:, -1], total),
            "trades": mean(state.trades, state.t), "turnover": mean(state.turnover, state.t),
            "faults": state.faults.astype(np.int64),
        }  # fmt: skip
        if self.config.kind == "boltzmann":
            return found | {"poor": mean((state.cash == 0).sum(1), n)}
        return found | {"mean_price": mean(state.turnover, state.trades)}

    def summary(self, state: Any, row: int) -> dict[str, Any]:
        """The metrics, and how far all is from what theory says of the long run."""
        found = super().summary(state, row)
        if self.config.kind == "boltzmann":
            found["boltzmann_gini"] = self._long_run(self.config.traders, int(state.cash[row].sum()))
            found["gap"] = abs(found["gini"] - found["boltzmann_gini"])
            return found
        risks, goods = tuple(state.risk[row].tolist()), tuple(state.goods[row].tolist())
        price, best = self._best(risks, sum(goods))
        begun, now = (self._worth(risks, units) for units in (goods, state.units[row].tolist()))
        found["equilibrium_price"] = price
        found["efficiency"] = (now - begun) / (best - begun) if best > begun else 1.0
        found["gap"] = 1 - found["efficiency"]
        return found

    @staticmethod
    @functools.lru_cache(maxsize=256)
    def _long_run(traders: int, money: int) -> float:
        small = money <= EXACT
        return oracles.boltzmann_gini(traders, money) if small else oracles.exponential_gini() * (1 - 1 / traders)

    @functools.lru_cache(maxsize=1024)  # noqa: B019  (a simulator keeps nothing of an episode, and lives long)
    def _best(self, risks: tuple[int, ...], total: int) -> tuple[float, float]:
        """The equilibrium price of divisible goods, and the largest sum of worths of whole ones."""
        mean_worth = self.config.mean
        return oracles.cara_equilibrium(mean_worth, risks, total).price, oracles.cara_optimum(mean_worth, risks, total)[
            1
        ]

    def _worth(self, risks: Any, units: Any) -> float:
        return sum(oracles.cara_worth(self.config.mean, r, x) for r, x in zip(risks, units, strict=True))

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """No sharing is better than the optimum; nobody has more than all there is."""
        n = self.config.traders
        return {"gini": 1 - 1 / n} if self.config.kind == "boltzmann" else {"efficiency": 1.0}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        return {
            "no money appears or gets lost": state.cash.sum(1) == state.money.sum(1),
            "no goods appear or get lost": state.units.sum(1) == state.goods.sum(1),
            "nobody has less than nothing": ((state.cash >= 0) & (state.units >= 0)).all(1),
            "what some lose others gain, where money alone is handed over": (state.change.sum(1) == 0)
            | (self.config.kind == "cara"),
        }

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All that is the case; whom one will meet is drawn later."""
        names = ("cash", "units", "risk", "choice", "price")
        return {"t": int(state.t[row]), **{name: getattr(state, name)[row].tolist() for name in names}}
