"""The simulator of bargaining: the contract over the kernels of `dynamics`."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.frozen import freeze
from ludarium.envs.core.simulator import Role
from ludarium.envs.econ.bargain import dynamics, language, scene
from ludarium.envs.econ.bargain.config import BargainConfig
from ludarium.envs.econ.bargain.oracles import SCALE, Plan, backward_induction, nash_solution
from ludarium.envs.econ.games import Game, mean

__all__ = ["Bargain"]


class Bargain(Game):
    """Two parties make offers in turn until one is accepted, or none is left; waiting makes all worth less."""

    State = dynamics.State
    kernels = dynamics
    words = language
    picture = scene
    faults = dynamics.FAULTS
    turns = "one"

    def __init__(self, config: BargainConfig) -> None:
        self.config: BargainConfig = config
        c, shape = config, config.shape
        seen = spaces.Box(-np.inf, np.inf, (dynamics.OWN + 3 * shape.issues,), np.float32)
        choices = max(c.offers, 2)
        self.roles = (Role("party", 2, seen, spaces.Discrete(choices), decisions=("propose", "respond")),)
        high = c.value_high if c.game == "multi-issue" else 1
        self.data = {"value": (c.worth, c.worth * high), "order": (0, 1)}
        self.scalars = freeze(
            dynamics.Scalars(
                issues=shape.issues, units=shape.units, offers=c.offers, rounds=shape.rounds, worth=c.worth, high=high,
                private=c.private, choices=choices, max_steps=c.max_steps, scale=SCALE,
                discount=np.array(c.discounts, np.int64),
            )
        )  # fmt: skip

    def fits(self, numbers: dict[str, NDArray[np.int64]]) -> None:
        """One party is first, the other second."""
        if sorted(numbers["order"].tolist()) != [0, 1]:
            raise InstanceError(
                f"order = {numbers['order'].tolist()}; expected 0 for who proposes first, 1 for the other"
            )

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """Who proposes, or who responds."""
        dynamics.asked(state, out)

    # --- oracles ---------------------------------------------------------------------------------------------------
    @functools.lru_cache(maxsize=4096)  # noqa: B019  (a simulator keeps nothing of an episode, and lives long)
    def solved(self, values: tuple[tuple[int, ...], ...], order: tuple[int, ...]) -> tuple[Plan, tuple[int, int]]:
        """The equilibrium under complete information, and both worths of the Nash solution, by party."""
        given = np.array(values, np.int64)
        discounts = np.array([self.config.discounts[k] for k in order], np.int64)
        plan = backward_induction(given, self.config.shape.units, discounts, order.index(0))
        return plan, nash_solution(given, self.config.shape.units)[1]

    def _solved(self, state: Any, row: int) -> tuple[Plan, tuple[int, int]]:
        return self.solved(tuple(map(tuple, state.value[row].tolist())), tuple(state.order[row].tolist()))

    # --- figures ---------------------------------------------------------------------------------------------------
    def _most(self, state: Any) -> NDArray[np.int64]:
        """The largest sum of worths that there is."""
        return np.asarray(self.config.shape.units * state.value.max(1).sum(1), np.int64)

    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """Figures of the episode so far."""
        rows = np.arange(len(state.t))
        first = state.order.argmin(1)
        return {
            "agreement": state.agreed.astype(np.int64), "rounds": state.round.astype(np.int64) + state.agreed,
            "first_gain": state.gain[rows, first], "second_gain": state.gain[rows, 1 - first],
            "efficiency": mean(state.gain.sum(1), self._most(state)), "faults": state.faults.astype(np.int64),
        }  # fmt: skip

    def summary(self, state: Any, row: int) -> dict[str, Any]:
        """The metrics, and what needs a search over all offers."""
        found = super().summary(state, row)
        plan, nash = self._solved(state, row)
        gain, most = state.gain[row].tolist(), float(self._most(state)[row])
        found["nash_ratio"] = gain[0] * gain[1] / (nash[0] * nash[1]) if nash[0] * nash[1] else 0.0
        first = int(state.order[row].argmin())
        found["equilibrium_first_gain"], found["equilibrium_second_gain"] = plan.value[first], plan.value[1 - first]
        found["gap"] = sum(abs(g - told) for g, told in zip(gain, plan.value, strict=True)) / most
        return found

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """No agreement has a larger product than Nash's, or a larger sum than giving all to whom it is worth most."""
        return {"nash_ratio": 1.0, "efficiency": 1.0}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What no step may break."""
        c = self.config
        return {
            "who has no agreement has nothing": state.agreed | (state.gain == 0).all(1),
            "no more is shared out than there is": state.gain.sum(1) <= self._most(state),
            "offers are offers": (state.offer >= -1) & (state.offer < c.offers),
            "no more offers are refused than there are": (state.round >= 0) & (state.round <= c.shape.rounds),
            "an answer follows an offer": (state.phase == dynamics.PROPOSE) | (state.offer >= 0),
        }

    def full(self, state: Any, row: int, information: str = "full") -> dict[str, Any]:
        """All there is, with the equilibrium and the Nash solution."""
        plan, nash = self._solved(state, row)
        r = min(int(state.round[row]), self.config.shape.rounds - 1)
        return {
            "t": int(state.t[row]), "round": int(state.round[row]), "phase": int(state.phase[row]),
            "offer": int(state.offer[row]), "maker": int(state.maker[row]), "value": state.value[row].tolist(),
            "order": state.order[row].tolist(), "gain": state.gain[row].tolist(), "nash": list(nash),
            "equilibrium_offer": plan.rounds[r].offer, "equilibrium_accept": plan.rounds[r].accept,
            "discount": [self.config.discounts[k][r] for k in state.order[row].tolist()],
        }  # fmt: skip
