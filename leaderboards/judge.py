"""Judging a submission in a guarded process: memory, time and output are limited, there is no network, and it is not root.

What the machine does not permit (a container without namespaces) is told in the verdict's `guard` and as a flag.
"""

from __future__ import annotations

import json
from typing import Any

from ludarium.leaderboards import child
from ludarium.leaderboards.archive import Limits
from ludarium.leaderboards.confine import Guard
from ludarium.leaderboards.submission import LIMITS, Submission
from ludarium.leaderboards.track import Track
from ludarium.leaderboards.verdict import Flag, Verdict, rejected

__all__ = ["GUARD", "judge"]

GUARD = Guard()


def judge(submission: Submission, track: Track, *, guard: Guard = GUARD, limits: Limits = LIMITS) -> Verdict:
    """The verdict on a submission, found by a fresh process; `RunError` if that process fails and the submission is not to blame.

    A submission that takes more than `guard` permits is rejected.
    """
    order = {
        "track": str(track.path), "hash": track.hash, "seeds": list(track.sealed), "limits": list(limits),
        "where": submission.where, "sha256": submission.hash,
    }  # fmt: skip
    ended = child.ask("ludarium.leaderboards.judging", order, submission.data, guard)
    if ended.failure:
        reason = f"the judging process {ended.failure}"
        return rejected(reason, submission.where, submission.hash, track.reference, tier=submission.manifest.tier)
    verdict = Verdict.from_dict(json.loads(ended.answer))
    return verdict._replace(flags=(*verdict.flags, *_unguarded(verdict.guard)))


def _unguarded(guard: dict[str, Any]) -> list[Flag]:
    words = []
    if guard["network"] != "none":
        words.append(f"the judging process had a network ({guard['network']})")
    if guard["user"].startswith("root"):
        words.append(f"the judging process was root ({guard['user']})")
    return [Flag("guard", word) for word in words]
