"""Boards with made-up verdicts: what pages show, without anything being played."""

import dataclasses
import hashlib

from ludarium.leaderboards.board.entries import Disagreement, Listed
from ludarium.leaderboards.store import Link
from ludarium.leaderboards.verdict import Flag, Verdict
from ludarium.leaderboards.verify import Problem

TIME = 1_790_000_000_000_000


def digest_of(text):
    return hashlib.sha256(text.encode()).hexdigest()


def listed(
    track, name, scores, *, key="a", number=0, tier="replayed", kind="planner", places=None, problems=(), **more
):
    """A verified submission with these scores (None: a missing episode); rejected if it has problems."""
    places = track.units() if places is None else places
    digest = digest_of(f"{track.name} {name} {key} {number} {tier} {more.get('round')}")
    rows = [
        {"episode": n, "case": case, "seed": seed, "trial": trial, "status": "ok", "score": float(score), "steps": 10 + n,
         "digest": f"{n:016x}", "metrics": {}, "bounds": {}, "actions": digest_of(f"{digest} {n}")[:32], "lost": {}}
        if score is not None else
        {"episode": n, "case": case, "seed": seed, "trial": trial, "status": "missing", "score": track.worst}
        for n, ((case, seed, trial), score) in enumerate(zip(places, scores, strict=True))
    ]  # fmt: skip
    mean = sum(row["score"] for row in rows) / len(rows)
    problems = tuple(Problem("episodes/0001.trace", what) for what in problems)
    verdict = Verdict(
        not problems, tier, () if problems else tuple(rows), problems, None if problems else mean, 0.1, more.pop("flags", ()),
        1000, digest, track.reference, {"network": "none", "user": "nobody"},
    )  # fmt: skip
    entry = Listed(
        digest, track.name, track.version, name, kind, tier, digest_of(key), "done", agent="any", suite="0.1", size=1234,
        received_at=TIME + number, verified_at=TIME + number + 60_000_000, verdict=verdict, **more,
    )  # fmt: skip
    return entry if problems else entry.with_rows(rows)


def waiting(track, name, state="waiting", **more):
    """A submission without a verdict."""
    return Listed(
        digest_of(f"{name} {state}"),
        track.name,
        track.version,
        name,
        "planner",
        "replayed",
        digest_of("w"),
        state,
        **more,
    )


class MadeSource:
    """A source of such entries; `changed()` makes another head."""

    def __init__(self, tracks, entries):
        self._tracks, self._entries, self.refused, self._head, self.asked = list(tracks), list(entries), [], 0, 0

    def changed(self, *entries):
        self._entries += entries
        self._head += 1

    def head(self):
        return f"{self._head:064x}"

    def tracks(self):
        return list(self._tracks)

    def other_tracks(self):
        return sorted({e.track for e in self._entries} - {t.name for t in self._tracks})

    def entries(self, track):
        self.asked += 1
        bare = [dataclasses.replace(e, verdict=e.verdict and e.verdict._replace(rows=())) for e in self._entries]
        return [e for e in bare if e.track == track]

    def get(self, digest):
        return next((e for e in self._entries if e.digest == digest), None)

    def submission(self, digest):
        return None

    def others(self, digest):
        entry = self.get(digest)
        return [Disagreement(TIME, False, None, "episodes/0: <b>other</b>")] * entry.disagreements

    def history(self, digest):
        return [Link(7, TIME, "submitted", digest, digest_of("x"), "0" * 64, digest_of("y"))]


HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }} {% include 'x' %}",
    "evil \u202egnp.exe \u200b\u2066",
    "W" * 200,
    "Z" + "\u0301" * 60,
    "'; DROP TABLE agents; --",
    "javascript:alert(1)",
    "../../etc/passwd",
)  # fmt: skip
"""Labels that do harm where they are not shown as mere text."""
FLAG = Flag("version", "played with ludarium <b>0</b>; this is 1")
