"""Metamorphic relations of the tax economy: workers in another order, and every worker twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ludarium.envs.core.laws.relations import Episode, Outcome, Relation

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["Relation", "of"]


def of(simulator: Tax) -> tuple[Relation, ...]:
    """The relations that hold for this config: votes, audits and rings go by the workers' numbers, and know no twins."""
    config = simulator.config
    if config.voting != "none" or config.misreporting or config.collusion:
        return ()
    return (Relation("workers in reverse order", _reversed_workers, _reversed_outcome),)


def _turned(seat: str, count: int) -> str:
    return f"worker_{count - 1 - int(seat.split('_')[1])}" if seat.startswith("worker_") else seat


def _swap(by_seat: Any, count: int) -> Any:
    """A dict by seat with the workers in reverse order; the only action of one seat stays."""
    return {_turned(seat, count): value for seat, value in by_seat.items()} if isinstance(by_seat, dict) else by_seat


def _reversed_workers(episode: Episode) -> Episode:
    """Wages, personas and actions from the last worker to the first."""
    given = episode["options"]["instance"]
    episode["options"] = {"instance": {"wages": given["wages"][::-1], "people": given["people"][::-1]}}
    steps = []
    for step in episode["actions"]:
        turned = _swap(step, len(given["wages"]))
        if isinstance(turned, dict) and "workers_0" in turned:
            turned["workers_0"] = list(turned["workers_0"])[::-1]
        steps.append(turned)
    episode["actions"] = steps
    return episode


def _reversed_outcome(outcome: Outcome) -> Outcome:
    """Rewards and ends of the workers likewise; figures are the same."""
    for step in outcome["steps"]:
        for name in ("rewards", "terminated", "truncated"):
            count = sum(seat.startswith("worker_") for seat in step[name])
            step[name] = _swap(step[name], count)
    return outcome
