"""The guarded process of `judge.judge`: it confines itself, rehearses on trusted data, gives up what it has, then judges."""

from __future__ import annotations

import json
from typing import Any

from ludarium.leaderboards.child import answer

__all__ = ["main", "ordered_track"]


def main() -> None:
    """Judge one submission."""
    answer(_ready, _judged)


def ordered_track(order: dict[str, Any]) -> Any:
    """The track that an order names, with the seeds of a sealed round; `ValueError` if its file is another now."""
    from ludarium.leaderboards.track import load_track

    track = load_track(order["track"])
    if order["seeds"]:
        track = track.with_seeds({name: tuple(seeds) for name, seeds in order["seeds"]})
    if track.hash != order["hash"]:
        raise ValueError(f"{order['track']} was changed in the meantime")
    return track


def _ready(order: dict[str, Any]) -> tuple[Any, Any]:
    """Confined, with all that judging takes made and compiled from the track alone."""
    from ludarium.leaderboards.confine import Confinement, Guard, drop_user, leave_network, limit

    limit(Guard(*order["guard"]))
    network = leave_network()
    from ludarium.leaderboards.examine import Examiner

    examiner = Examiner(ordered_track(order))
    examiner.rehearse()
    return examiner, Confinement(network, drop_user())


def _judged(ready: tuple[Any, Any], order: dict[str, Any], data: bytes) -> bytes:
    from ludarium.envs.core.errors import LudariumError
    from ludarium.leaderboards.archive import Limits
    from ludarium.leaderboards.submission import Submission
    from ludarium.leaderboards.verdict import rejected

    examiner, confinement = ready
    where = order["where"]
    try:
        verdict = examiner.examine(Submission(data, where, Limits(*order["limits"])))
    except LudariumError as error:
        verdict = rejected(str(error).removeprefix(f"{where}: "), where, order["sha256"], examiner.track.reference)
    except MemoryError:
        verdict = rejected("takes more memory than it may", where, order["sha256"], examiner.track.reference)
    return json.dumps(verdict._replace(guard=confinement._asdict()).as_dict()).encode()
