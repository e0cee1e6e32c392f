"""Forged submissions are rejected, or scored exactly as what is in them deserves. benchmarks/forgery.py makes thousands."""

from collections import Counter

from forgeries import Forger, Truth, judge_forgery

from ludarium.leaderboards.examine import Examiner
from ludarium.leaderboards.submission import Submission

EACH = 12


def test_forgeries_are_rejected_or_scored_as_they_deserve(packed, tiny_track):
    honest, other = packed["pibt"].read_bytes(), packed["random"].read_bytes()
    examiner, truth, forger = Examiner(tiny_track), Truth(tiny_track), Forger(honest, other)
    accepted = Counter()
    for n in range(EACH * len(forger.kinds)):
        kind, data = forger.make(n)
        verdict = judge_forgery(examiner, data)
        if getattr(verdict, "ok", False):
            accepted[kind] += 1
            assert truth.holds(data, verdict), (n, kind)
    assert accepted["whole_replay"] == EACH
    assert accepted["events"] == EACH
    assert accepted["member"] > 0  # whole episodes of another run, and missing ones
    for kind in ("cut", "shuffle", "unsigned_member", "seed", "result", "length"):
        assert not accepted[kind], kind
    assert examiner.examine(Submission(honest)).ok


def test_every_byte_counts(packed, tiny_track):
    """A changed byte anywhere is refused, or is one of those of the zip file's form that say nothing."""
    honest = packed["pibt"].read_bytes()
    examiner = Examiner(tiny_track)
    truth = examiner.examine(Submission(honest))
    for place in range(0, len(honest), 41):
        verdict = judge_forgery(examiner, honest[:place] + bytes([honest[place] ^ 0x55]) + honest[place + 1 :])
        assert not getattr(verdict, "ok", False) or (verdict.rows, verdict.score) == (truth.rows, truth.score), place
