"""The picture of the oligopoly: the firms' prices or quantities beside those of competition and monopoly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.scene import Scene
from ludarium.envs.econ.games import chart

if TYPE_CHECKING:
    from ludarium.envs.econ.oligopoly.simulator import Oligopoly

__all__ = ["scene"]


def scene(simulator: Oligopoly, state: Any, row: int) -> Scene:
    """A bar a firm; lines where the static equilibrium and the cartel are (of equal costs)."""
    c, what = simulator.config, "quantity" if simulator.config.game == "cournot" else "price"
    chosen = [simulator.value(k) if k >= 0 else 0 for k in state.level[row].tolist()]
    profit = int(state.profit[row].sum())
    return chart(
        [(f"firm {i}", float(value), f"accent.{i % 8 + 1}") for i, value in enumerate(chosen)],
        most=float(simulator.value(c.levels - 1)),
        lines=(("competition", c.equilibrium().actions[0]), ("monopoly", c.joint().actions[0])),
        caption=f"Step {int(state.t[row])} of {c.max_steps}: {what} by firm, joint profit {profit}",
        values={"profit": float(profit), what: sum(chosen) / len(chosen)},
    )
