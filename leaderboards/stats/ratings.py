"""Ratings of agents that meet in matches, by openskill's Plackett-Luce model.

Source: Weng and Lin, "A Bayesian Approximation Method for Online Ranking" (2011), as the package `openskill` computes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.errors import MissingExtraError, StatisticsError, did_you_mean
from ludarium.leaderboards.stats.resampling import SEED

__all__ = ["ORDERS", "Match", "Rated", "ratings"]

ORDERS = ("average", "key", "given")
SHUFFLES = 32
"""Orders over which `order="average"` takes the mean."""


class Match(NamedTuple):
    """One meeting of agents."""

    key: tuple[Any, ...]
    """What tells it from every other match, such as (case, seed, trial); matches are sorted by it."""
    teams: tuple[tuple[str, ...], ...]
    """The agents of each team; a team of one where everybody plays alone."""
    scores: tuple[float, ...]
    """Of each team, higher is better; equal scores are a draw."""


class Rated(NamedTuple):
    """What is known of an agent's skill: a normal distribution."""

    agent: str
    mu: float
    sigma: float
    matches: int

    @property
    def ordinal(self) -> float:
        """What the skill is above with near certainty, mu - 3 sigma; boards sort by it."""
        return self.mu - 3 * self.sigma


def ratings(
    matches: Sequence[Match], order: str = "average", *, shuffles: int = SHUFFLES, seed: int = SEED
) -> list[Rated]:
    """The ratings of all agents in the matches, the highest ordinal first.

    The model learns match by match, so the order has a say. `order` is "key" (once, sorted by key), "given" (once, as
    they stand: for matches that have a history) or "average": the mean of mu and sigma over `shuffles` orders, drawn
    with a fixed seed from the sorted ones. But for "given", the order in which matches stand changes nothing.
    `StatisticsError` for matches that are none; `MissingExtraError` without openskill.
    """
    if order not in ORDERS:
        raise StatisticsError(f"order = {order!r}{did_you_mean(order, ORDERS)}")
    if shuffles < 1:
        raise StatisticsError(f"{shuffles} shuffles; expected at least 1")
    _check(matches)
    known = list(matches) if order == "given" else sorted(matches, key=lambda match: match.key)
    generator = np.random.Generator(np.random.PCG64(seed))
    orders = [generator.permutation(len(known)) for _ in range(shuffles)] if order == "average" else [range(len(known))]
    model = _model()
    runs = [_once(model, [known[place] for place in places]) for places in orders]
    counts: dict[str, int] = {}
    for match in known:
        for agent in (name for team in match.teams for name in team):
            counts[agent] = counts.get(agent, 0) + 1
    found = [
        Rated(
            agent,
            float(np.mean([run[agent].mu for run in runs])),
            float(np.mean([run[agent].sigma for run in runs])),
            count,
        )
        for agent, count in counts.items()
    ]
    return sorted(found, key=lambda rated: (-rated.ordinal, rated.agent))


def _check(matches: Sequence[Match]) -> None:
    keys = set()
    for match in matches:
        agents = [name for team in match.teams for name in team]
        if match.key in keys:
            raise StatisticsError(f"two matches have the key {match.key!r}; keys tell matches apart")
        keys.add(match.key)
        if len(match.teams) < 2 or not all(match.teams) or len(match.scores) != len(match.teams):
            raise StatisticsError(f"match {match.key!r}: expected two teams or more, none empty, and a score for each")
        if not np.isfinite(match.scores).all():
            raise StatisticsError(f"match {match.key!r}: scores {match.scores}; expected finite numbers")
        if len(set(agents)) != len(agents):
            raise StatisticsError(
                f"match {match.key!r}: an agent meets itself, of which nothing is learned; where one agent has several "
                "seats, give one team with their mean score"
            )


def _model() -> Any:
    try:
        from openskill.models import PlackettLuce
    except ImportError:
        raise MissingExtraError("openskill", "stats") from None
    return PlackettLuce()


def _once(model: Any, matches: Sequence[Match]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for match in matches:
        teams = [[known.setdefault(name, model.rating()) for name in team] for team in match.teams]
        rated = model.rate(teams, scores=list(match.scores))
        for names, after in zip(match.teams, rated, strict=True):
            known.update(zip(names, after, strict=True))
    return known
