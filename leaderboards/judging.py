"""The guarded process of `judge.judge`: it confines itself, rehearses on trusted data, gives up what it has, then judges.

Standard input is one JSON line (the order) and then the submission's bytes; standard output one JSON object. Nothing of the
submission is read before the last privilege is gone. Exit code 3: it failed before that, and the submission is not to blame.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

__all__ = ["NOT_TO_BLAME", "main"]

NOT_TO_BLAME = 3


def main() -> None:
    """Judge one submission."""
    line = sys.stdin.buffer.readline()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        order = json.loads(line)
        examiner, confinement = _ready(order)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(NOT_TO_BLAME)
    out.write(json.dumps(_judged(examiner, order, confinement)).encode())
    out.flush()
    os._exit(0)  # nothing that was made in here has a last word


def _ready(order: dict[str, Any]) -> tuple[Any, Any]:
    """Confined, with all that judging takes made and compiled from the track alone."""
    from ludarium.leaderboards.confine import Confinement, Guard, drop_user, leave_network, limit

    limit(Guard(*order["guard"]))
    network = leave_network()
    from ludarium.leaderboards.examine import Examiner
    from ludarium.leaderboards.track import load_track

    track = load_track(order["track"])
    if order["seeds"]:
        track = track.with_seeds({name: tuple(seeds) for name, seeds in order["seeds"]})
    if track.hash != order["hash"]:
        raise ValueError(f"{order['track']} was changed in the meantime")
    examiner = Examiner(track)
    examiner.rehearse()
    return examiner, Confinement(network, drop_user())


def _judged(examiner: Any, order: dict[str, Any], confinement: Any) -> dict[str, Any]:
    from ludarium.envs.core.errors import LudariumError
    from ludarium.leaderboards.archive import Limits
    from ludarium.leaderboards.submission import Submission
    from ludarium.leaderboards.verdict import rejected

    data = sys.stdin.buffer.read()
    where = order["where"]
    try:
        verdict = examiner.examine(Submission(data, where, Limits(*order["limits"])))
    except LudariumError as error:
        verdict = rejected(str(error).removeprefix(f"{where}: "), where, order["sha256"], examiner.track.reference)
    except MemoryError:
        verdict = rejected("takes more memory than it may", where, order["sha256"], examiner.track.reference)
    found: dict[str, Any] = verdict._replace(guard=confinement._asdict()).as_dict()
    return found
