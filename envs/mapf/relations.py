"""What the rules of path finding promise of twins: the map mirrored or transposed, and the robots relabelled."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from ludarium.envs.core.laws.relations import Episode, Outcome, Relation
from ludarium.envs.mapf.config import MapfConfig

__all__ = ["relations"]

_RANKLESS = ("block_both", "strict")
"""Collision rules under which the robots' numbers do not matter; elsewhere the lower number wins a contested cell."""
Place = tuple[int, int]
Move = Callable[[int, int, int, int], Place]


@dataclasses.dataclass(frozen=True)
class _Turn:
    """A way to lay a map on itself: where a cell of a map of height and width goes, and what each move becomes."""

    place: Move
    moves: tuple[int, ...]
    transposed: bool = False


_TURNS = {
    "left and right mirrored": _Turn(lambda r, c, h, w: (r, w - 1 - c), (0, 1, 2, 4, 3)),
    "up and down mirrored": _Turn(lambda r, c, h, w: (h - 1 - r, c), (0, 2, 1, 3, 4)),
    "rows and columns exchanged": _Turn(lambda r, c, h, w: (c, r), (0, 3, 4, 1, 2), True),
}


def relations(config: MapfConfig) -> tuple[Relation, ...]:
    """The relations that hold under a config; none where further goals are drawn, or come from another suite's stream.

    (A draw follows from cells and robots' numbers, so that a twin gets other goals.)
    """
    if config.compat is not None or config.on_goal == "restart" or not config.generated:
        return ()
    found = [Relation(name, functools.partial(_turned, turn)) for name, turn in _TURNS.items()]
    if config.collision in _RANKLESS and config.num_robots > 1:
        found.append(Relation("robots relabelled", _relabelled, _relabelled_outcome))
    return tuple(found)


def _instance(episode: Episode) -> dict[str, Any] | None:
    """The instance that an episode begins with, if one was given."""
    return dict(episode["options"]["instance"]) if episode["options"] else None


def _turned(turn: _Turn, episode: Episode) -> Episode | None:
    instance = _instance(episode)
    if instance is None:
        return None
    rows = instance["map"]
    height, width = len(rows), len(rows[0])

    def place(cell: Any) -> Place:
        return turn.place(int(cell[0]), int(cell[1]), height, width)

    laid = {place((r, c)): rows[r][c] for r in range(height) for c in range(width)}
    tall, wide = (width, height) if turn.transposed else (height, width)
    instance["map"] = ["".join(laid[r, c] for c in range(wide)) for r in range(tall)]
    instance["starts"] = [place(cell) for cell in instance["starts"]]
    instance["goals"] = [[place(cell) for cell in goals] for goals in instance["goals"]]
    if turn.transposed:
        sides = {"height": episode["config"].get("height", 32), "width": episode["config"].get("width", 32)}
        episode["config"].update(height=sides["width"], width=sides["height"])
    episode["actions"] = [{seat: turn.moves[int(a)] for seat, a in step.items()} for step in episode["actions"]]
    episode["options"] = {"instance": instance}
    return episode


def _other(seat: str, count: int) -> str:
    """The name of a robot when all are counted from the other end."""
    return f"robot_{count - 1 - int(seat.rsplit('_', 1)[1])}"


def _relabelled(episode: Episode) -> Episode | None:
    instance = _instance(episode)
    if instance is None:
        return None
    count = len(instance["starts"])
    instance["starts"] = list(reversed(instance["starts"]))
    instance["goals"] = list(reversed(instance["goals"]))
    episode["actions"] = [{_other(seat, count): a for seat, a in step.items()} for step in episode["actions"]]
    episode["options"] = {"instance": instance}
    return episode


def _relabelled_outcome(outcome: Outcome) -> Outcome:
    steps = []
    count = max((int(seat.rsplit("_", 1)[1]) + 1 for step in outcome["steps"] for seat in step["rewards"]), default=0)
    for step in outcome["steps"]:
        steps.append({part: {_other(seat, count): v for seat, v in seats.items()} for part, seats in step.items()})
    # which robot of a conflict is told which fault follows the order in which they are looked at
    metrics = {name: value for name, value in outcome["metrics"].items() if not name.startswith("conflicts_")}
    return {"steps": steps, "metrics": metrics}
