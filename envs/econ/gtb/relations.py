"""What the rules promise of twins: a world seen in a mirror, or with rows for columns, is the same world."""

from __future__ import annotations

import functools
from typing import Any

from ludarium.envs.core.laws.relations import Episode, Outcome, Relation
from ludarium.envs.econ.gtb.config import GtbConfig

__all__ = ["relations"]

_MIRROR = {3: 4, 4: 3}
_TURN = {1: 3, 2: 4, 3: 1, 4: 2}


def relations(config: GtbConfig) -> tuple[Relation, ...]:
    """Both hold for every config: nothing but maps and places knows directions."""
    return (
        Relation("left and right exchanged", functools.partial(_mirrored, config), _same),
        Relation("rows and columns exchanged", functools.partial(_turned, config), _same),
    )


def _same(outcome: Outcome) -> Outcome:
    return outcome


def _act(action: Any, moves: dict[int, int]) -> Any:
    """A worker's action with another direction; the planner's list of rates as it is."""
    return moves.get(int(action), int(action)) if not hasattr(action, "__len__") else action


def _redirected(episode: Episode, moves: dict[int, int]) -> None:
    episode["actions"] = [
        {seat: _act(action, moves) for seat, action in step.items()} if isinstance(step, dict) else _act(step, moves)
        for step in episode["actions"]
    ]


def _mirrored(config: GtbConfig, episode: Episode) -> Episode | None:
    given = _instance(episode)
    if given is None:
        return None
    given["rows"] = [row[::-1] for row in given["rows"]]
    given["places"] = [[y, config.width - 1 - x] for y, x in given["places"]]
    episode["options"] = {"instance": given}
    _redirected(episode, _MIRROR)
    return episode


def _turned(config: GtbConfig, episode: Episode) -> Episode | None:
    given = _instance(episode)
    if given is None:
        return None
    given["rows"] = ["".join(column) for column in zip(*given["rows"], strict=True)]
    given["places"] = [[x, y] for y, x in given["places"]]
    episode["config"].update(height=config.width, width=config.height)
    episode["options"] = {"instance": given}
    _redirected(episode, _TURN)
    return episode


def _instance(episode: Episode) -> dict[str, Any] | None:
    return dict(episode["options"]["instance"]) if episode["options"] else None
