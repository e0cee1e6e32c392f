"""What the rules of the commons promise of twins: harvesters relabelled, and other words for the same things."""

from __future__ import annotations

import functools
from typing import Any

from ludarium.envs.core.laws.relations import Episode, Outcome, Relation
from ludarium.envs.econ.commons.config import CommonsConfig

__all__ = ["relations"]


def relations(config: CommonsConfig) -> tuple[Relation, ...]:
    """The relations that hold under a config."""
    found, n = [], config.num_harvesters
    numbered = config.utterances or config.punishment  # whose actions name harvesters, by phases that a twin cannot see
    if n > 1 and not config.newcomer and not numbered:
        told = functools.partial(_relabelled_outcome, n)
        found.append(Relation("harvesters relabelled", functools.partial(_relabelled, n), told))
    if config.words:
        found.append(Relation("other words", _reworded))
    return tuple(found)


def _other(seat: str, count: int) -> str:
    """The name of a harvester when all are counted from the other end."""
    role, number = seat.rsplit("_", 1)
    return f"{role}_{count - 1 - int(number)}" if role == "harvester" else seat


def _renamed(values: Any, count: int) -> Any:
    return {_other(seat, count): v for seat, v in values.items()} if isinstance(values, dict) else values


def _relabelled(count: int, episode: Episode) -> Episode | None:
    if not episode["options"]:
        return None
    given = dict(episode["options"]["instance"])
    given["names"] = list(reversed(given["names"]))
    episode["options"] = {"instance": given}
    episode["actions"] = [_renamed(step, count) for step in episode["actions"]]
    return episode


def _relabelled_outcome(count: int, outcome: Outcome) -> Outcome:
    steps = [{part: _renamed(seats, count) for part, seats in step.items()} for step in outcome["steps"]]
    return {"steps": steps, "metrics": outcome["metrics"]}


def _reword(action: Any) -> Any:
    """The same choice, with a letter for each byte of text that there was: no digest is like it, all else is."""
    given = [int(n) for n in action]
    return [given[0], *(120 if byte else 0 for byte in given[1:])] if len(given) > 4 else given


def _reworded(episode: Episode) -> Episode | None:
    episode["actions"] = [
        {seat: _reword(a) if seat.startswith("harvester") else a for seat, a in step.items()}
        if isinstance(step, dict)
        else _reword(step)
        for step in episode["actions"]
    ]
    return episode
