"""The scores of several agents over the same episodes: what every comparison starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from ludarium.envs.core.errors import StatisticsError, did_you_mean
from ludarium.leaderboards.stats.resampling import Floats

__all__ = ["Scores"]


class Scores(NamedTuple):
    """One metric of agents over episodes, in an order that does not depend on who played first."""

    agents: tuple[str, ...]
    cases: tuple[str, ...]
    """Of each episode: the strata."""
    seeds: tuple[int, ...]
    """Of each episode."""
    values: Floats
    """`[agents, episodes]`; an episode's score is the mean over its trials, which share a seed."""

    @classmethod
    def of(
        cls,
        rows: Iterable[dict[str, Any]],
        value: Callable[[dict[str, Any]], float],
        agents: Sequence[str] | None = None,
    ) -> Self:
        """The scores in rows of a run (`agent`, `case`, `seed` and what `value` reads), episodes by case and seed.

        Agents stand in the given order, or that of their first row. `StatisticsError` if there are no rows, or an agent
        lacks an episode that another has: give a missing episode the worst score first.
        """
        found: dict[str, dict[tuple[str, int], list[float]]] = {name: {} for name in agents or ()}
        for row in rows:
            if agents is None or row["agent"] in found:
                own = found.setdefault(row["agent"], {})
                own.setdefault((row["case"], row["seed"]), []).append(float(value(row)))
        units = sorted({unit for own in found.values() for unit in own})
        if not units:
            raise StatisticsError("there are no episodes to compare")
        for name, own in found.items():
            missing = next((unit for unit in units if unit not in own), None)
            if missing is not None:
                case, seed = missing
                raise StatisticsError(f"agent {name!r} has no episode of case {case!r}, seed {seed}, which others have")
        # sorted before they are summed: equal trials give equal means, in whatever order they ended
        table = [[np.mean(sorted(own[unit])) for unit in units] for own in found.values()]
        cases, seeds = zip(*units, strict=True)
        return cls(tuple(found), cases, seeds, np.array(table, np.float64))

    def agent(self, name: str) -> Floats:
        """The scores `[episodes]` of one agent; `StatisticsError` with the nearest name otherwise."""
        if name not in self.agents:
            raise StatisticsError(f"no scores of agent {name!r}{did_you_mean(name, self.agents)}")
        return np.asarray(self.values[self.agents.index(name)])
