"""The simulator of the auctions: the contract over the kernels of `dynamics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.simulator import Role
from ludarium.envs.econ.auction import dynamics, language, oracles, scene
from ludarium.envs.econ.auction.config import FORMS, INCOMES, NEEDS, AuctionConfig
from ludarium.envs.econ.games import Game, mean

__all__ = ["Auction"]


class Auction(Game):
    """Bidders name sealed bids at once, in one auction after the other; afterwards all bids are told."""

    State = dynamics.State
    kernels = dynamics
    words = language
    picture = scene
    faults = dynamics.FAULTS

    def __init__(self, config: AuctionConfig) -> None:
        self.config: AuctionConfig = config
        c = config
        seen = spaces.Box(-np.inf, np.inf, (dynamics.OWN + 2 * (c.bidders - 1),), np.float32)
        self.roles = (Role("bidder", c.bidders, seen, spaces.Discrete(c.levels), decisions=("bid",)),)
        self.data = {"name": (0, c.bidders - 1)}
        values = range(c.top + 1) if c.form != "water" else range(1)
        bids = [round(self.equilibrium_bid(v)) for v in values]
        self.scalars = freeze(
            dynamics.Scalars(
                form=FORMS.index(c.form), bidders=c.bidders, levels=c.levels, step=c.step, reserve=c.reserve,
                budget=int(c.budget), supply_low=c.supply_low, supply_high=c.supply_high, max_steps=c.max_steps,
                bid_of=np.array(bids, np.int64), needs=np.array(NEEDS), incomes=np.array(INCOMES),
            )
        )  # fmt: skip

    def equilibrium_bid(self, value: int) -> float:
        """The equilibrium bid at a value, in money (without budgets; 0 for water)."""
        c = self.config
        if c.form == "water":
            return 0.0
        return c.top * oracles.equilibrium_bid(c.form, c.bidders, value / c.top, c.reserve / c.top)

    def fits(self, numbers: dict[str, NDArray[np.int64]]) -> None:
        """Names are all different."""
        if len(set(numbers["name"].tolist())) != self.config.bidders:
            raise InstanceError(
                f"name = {numbers['name'].tolist()}; expected each of 0 to {self.config.bidders - 1} once"
            )

    # --- figures ---------------------------------------------------------------------------------------------------
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far; money in minor units."""
        c, t = self.config, state.t
        found = {
            "revenue": mean(state.revenue, t), "sold": mean(state.sold, t),
            "payoff": mean(state.worth.sum(1) - state.revenue, c.bidders * t), "faults": state.faults.astype(np.int64),
        }  # fmt: skip
        if c.form == "water":
            return found | {
                "payoff": mean(state.days.sum(1), c.bidders * t),
                "survival": mean(state.days.sum(1), c.bidders * t),
                "survivors": (state.health > 0).sum(1).astype(np.int64),
                "served": mean(state.worth.sum(1), c.bidders * t),
            }  # fmt: skip
        entry = oracles.entry_value(c.form, c.bidders, c.reserve / c.top)
        return found | {
            "efficiency": mean(state.worth.sum(1), state.most),
            "expected_revenue": np.full(len(t), c.top * oracles.expected_revenue(c.bidders, entry)),
            "gap": mean(state.off, c.bidders * c.top * t),
        }

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """Nobody gains more than the highest values; nobody survives more days than there are."""
        return {"survival": 1.0} if self.config.form == "water" else {"efficiency": 1.0}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        c = self.config
        limited = c.form == "water" or c.budget > 0
        served = np.where(state.won, state.value, 0).sum(1)
        return {
            "no money appears or gets lost": state.cash.sum(1) + state.treasury == state.minted,
            "nobody spends what it has not": (state.cash >= 0).all(1) | (not limited),
            "one good goes to one bidder at most": (state.won.sum(1) <= 1) | (c.form == "water"),
            "no more water is sold than there may be": (served <= c.supply_high) | (c.form != "water"),
            "the dead have no money": (state.cash * (state.health <= 0) == 0).all(1),
            "health is from 0 to its most": ((state.health >= 0) & (state.health <= dynamics.HEALTHY)).all(1),
        }

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All that is the case, all values included."""
        names = ("value", "bid", "won", "paid", "cash", "worth", "health", "thirst", "days")
        found = {name: getattr(state, name)[row].tolist() for name in names}
        equilibrium = [self.equilibrium_bid(v) for v in found["value"]]
        return {"t": int(state.t[row]), "supply": int(state.supply[row]), "equilibrium": equilibrium, **found}
