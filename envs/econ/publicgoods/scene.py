"""The picture of the public goods game: what each gave, of what it had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.scene import Scene
from ludarium.envs.econ.games import chart

if TYPE_CHECKING:
    from ludarium.envs.econ.publicgoods.simulator import PublicGoods

__all__ = ["scene"]


def scene(simulator: PublicGoods, state: Any, row: int) -> Scene:
    """A bar a member: red for one who was punished."""
    c, given = simulator.config, [max(g, 0) for g in state.given[row].tolist()]
    points = state.received[row].tolist()
    return chart(
        [
            (f"member {i}" + (f" ({p} points)" if p else ""), float(g), "bad" if p else f"accent.{i % 8 + 1}")
            for i, (g, p) in enumerate(zip(given, points, strict=True))
        ],
        most=float(c.endowment + c.endowment_spread),
        lines=(("mean", sum(given) / len(given)),),
        caption=f"Step {int(state.t[row])} of {c.max_steps}: {sum(given)} tokens in the pot",
        values={"given": float(sum(given)), "money": float(state.earned[row].sum())},
    )
