"""The simulator of the public goods game: the contract over the kernels of `dynamics`."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.simulator import Role
from ludarium.envs.econ.games import Game, mean
from ludarium.envs.econ.publicgoods import dynamics, language, scene
from ludarium.envs.econ.publicgoods.config import PARTS, PublicGoodsConfig

__all__ = ["PublicGoods"]


class PublicGoods(Game):
    """Members give tokens to a pot that grows and is shared evenly; who gives nothing has the same share."""

    State = dynamics.State
    kernels = dynamics
    words = language
    picture = scene
    faults = dynamics.FAULTS

    def __init__(self, config: PublicGoodsConfig) -> None:
        self.config: PublicGoodsConfig = config
        c = config
        if c.punishment:
            self.__dict__["turns"] = "some"  # two kinds of decision
        most = c.endowment + c.endowment_spread
        choices = max(most + 1, 1 + c.members * c.points if c.punishment else 0)
        seen = spaces.Box(-np.inf, np.inf, (dynamics.OWN + c.members - 1,), np.float32)
        decisions = ("give", "punish") if c.punishment else ("give",)
        self.roles = (Role("member", c.members, seen, spaces.Discrete(choices), decisions=decisions),)
        self.data = {"endowment": (c.endowment - c.endowment_spread, most)}
        self.scalars = freeze(
            dynamics.Scalars(
                members=c.members, endowment=c.endowment, spread=c.endowment_spread, token=c.token, parts=c.parts, whole=PARTS,
                punishment=c.punishment, points=c.points, cost=c.point_cost, fine=c.point_fine, choices=choices,
                max_steps=c.max_steps,
            )
        )  # fmt: skip

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """All members, to give or to punish."""
        dynamics.asked(state, self.scalars, out)

    # --- figures ---------------------------------------------------------------------------------------------------
    def _welfare(self, endowments: NDArray[np.int64], full: bool) -> NDArray[np.float64]:
        """Money of a member in a round when all give everything, or nothing."""
        tokens = endowments.sum(1) * (self.config.parts * self.config.members / PARTS if full else 1.0)
        return np.asarray(tokens * self.config.token / self.config.members, np.float64)

    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far; money in minor units, a member and round."""
        c, kept = self.config, self._welfare(state.endowment, False)
        given = self._welfare(state.endowment, True)
        selfish, best = (given if c.mpcr > 1 else kept), np.maximum(given, kept)
        welfare = mean(state.cash.sum(1), c.members * state.rounds)
        return {
            "contribution_rate": mean(state.tokens.sum(1), state.endowment.sum(1) * state.rounds),
            "welfare": welfare, "nash_welfare": selfish, "optimum_welfare": best, "efficiency": mean(welfare, best),
            "gap": np.where((state.rounds > 0) & (best > 0), 1 - mean(welfare, best), 0.0),
            "free_riding": mean(state.nothing, (state.endowment > 0).sum(1) * state.rounds),
            "points": mean(state.sanctions, state.rounds),
            "inequality": mean(state.cash.max(1) - state.cash.min(1), state.rounds),
            "treasury": state.treasury.copy(), "faults": state.faults.astype(np.int64),
        }  # fmt: skip

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """No play has more than the optimum."""
        kept, given = (float(self._welfare(state.endowment[row : row + 1], full)[0]) for full in (False, True))
        return {"welfare": max(kept, given), "contribution_rate": 1.0}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        had = state.endowment * state.rounds[:, None]
        return {
            "no money appears or gets lost": state.cash.sum(1) + state.treasury == state.minted,
            "nobody owes anything": (state.cash >= 0).all(1) & (state.treasury >= 0),
            "nobody gives more than there is": (state.tokens <= had).all(1) & (state.tokens >= 0).all(1),
            "without punishment nobody is punished": (state.sanctions == 0) | self.config.punishment,
        }

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is: nothing is drawn later."""
        names = ("endowment", "given", "received", "earned", "cash", "tokens")
        return {
            "t": int(state.t[row]), "phase": self.roles[0].decisions[int(state.phase[row])],
            **{name: getattr(state, name)[row].tolist() for name in names}, "treasury": int(state.treasury[row]),
        }  # fmt: skip

    def relabelled_action(self, action: Any, step: int) -> Any:
        """Every other step is one of punishment, where actions name members."""
        c, given = self.config, int(action)
        if not c.punishment or step % 2 == 0 or not 0 < given <= c.members * c.points:
            return action
        target, points = divmod(given - 1, c.points)
        return 1 + (c.members - 1 - target) * c.points + points
