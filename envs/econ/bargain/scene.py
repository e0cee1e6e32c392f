"""The picture of bargaining: what the last offer is worth to both, beside the Nash solution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.scene import Scene
from ludarium.envs.econ.bargain.oracles import worths
from ludarium.envs.econ.games import chart

if TYPE_CHECKING:
    from ludarium.envs.econ.bargain.simulator import Bargain

__all__ = ["scene"]


def scene(simulator: Bargain, state: Any, row: int) -> Scene:
    """A bar a party; green once they agree."""
    values, units = np.asarray(state.value[row]), simulator.config.shape.units
    offer, maker, agreed = int(state.offer[row]), int(state.maker[row]), bool(state.agreed[row])
    worth = worths(values, units)[maker, :, offer].tolist() if offer >= 0 else [0, 0]
    nash = simulator.full(state, row)["nash"]
    told = "agreed" if agreed else "no agreement" if state.over[row] else f"{int(state.round[row])} offers refused"
    return chart(
        [(f"party {i}", float(w), "good" if agreed else f"accent.{i + 1}") for i, w in enumerate(worth)],
        most=float(units * values.sum(1).max()),
        lines=[(f"Nash, party {i}", float(w)) for i, w in enumerate(nash)],
        caption=f"Step {int(state.t[row])} of {simulator.config.max_steps}: {told}",
        values={f"party {i}": float(w) for i, w in enumerate(worth)},
    )
