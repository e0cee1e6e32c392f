"""What the probe asks of the suite's own worlds, in whatever process they run."""

from __future__ import annotations

import base64
from typing import Any

from ludarium.envs.core.trace import encode

__all__ = ["passed_bounds", "recounted", "trace_of"]

_LONG = 2000
"""Steps that an episode is played on, to come to its end."""


def recounted(world: Any) -> str:
    """What differs when the episode is played again from its trace; empty if nothing does."""
    trace = world.base.trace()
    again = trace.replay()
    if again.divergence is not None:
        return f"the replay of the trace differs: {again.divergence}"
    if world.kind == "single" and world.over:
        told = world.infos[""].get("metrics", {})
        for name, value in told.items():
            if trace.result["metrics"].get(name) != value:
                return f"info says {name} = {value}; the trace's result is {trace.result['metrics'].get(name)}"
    return ""


def passed_bounds(world: Any) -> str | None:
    """Which bound this episode passes when it is played to its end without moving on; None where there are none."""
    batch, simulator = world.batch, world.simulator
    bounds = simulator.bounds(batch.state, 0)
    if not bounds:
        return None
    for _ in range(_LONG):
        if batch.over[0]:
            break
        batch.step()
    if not batch.over[0]:
        return ""
    figures = simulator.summary(batch.state, 0)
    reached = figures.get("csr", figures.get("success", 1)) == 1
    for name, limit in bounds.items():
        value, slack = float(figures[name]), 1e-9 * max(1.0, abs(limit))
        if name in simulator.costs:
            if reached and value < limit - slack:
                return f"{name} is {value}, below its lower bound of {limit}"
        elif value > limit + slack:
            return f"{name} is {value}, above its upper bound of {limit}"
    return ""


def trace_of(world: Any, events: list[dict[str, Any]]) -> str:
    """The episode so far as the bytes of a trace file, in base 64, with further events."""
    trace = world.base.trace() if world.kind != "vector" else world.base.trace(0)
    trace.events.extend(events)
    return base64.b64encode(encode(trace)).decode()
