"""The guarded process that turns episodes of a submission into movies: whatever is shown was computed in here.

The order names the track and the numbers of episodes; the answer is one JSON line an episode, with `movie` (base64 of
what `envs/core/render/browser.py` writes) or `error`. Traces and transcripts are untrusted: a trace that does not replay
to its own digests is refused, and what the entrant's model said is shown as such, or not at all.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import math
import zlib
from typing import TYPE_CHECKING, Any

from ludarium.leaderboards.child import answer

if TYPE_CHECKING:
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.core.scene import Saying, Scene
    from ludarium.envs.core.trace import Trace
    from ludarium.leaderboards.examine import Examiner
    from ludarium.leaderboards.submission import Submission

__all__ = ["MOST_MOVES", "MOST_PACKED", "MOST_UNPACKED", "SCORE", "film", "main"]

MOST_MOVES = 2_000_000
"""Steps times seats: a phone unrolls each into some 20 bytes."""
MOST_PACKED = 4 << 20
"""Bytes of a movie."""
MOST_UNPACKED = 48 << 20
_MOST_SAID = 1 << 20
"""Characters of what models said."""
_LOW = (1 << 32) - 1
SCORE = "score so far"
_UNFORESEEN = (ValueError, IndexError, TypeError, KeyError, AttributeError, OverflowError, RecursionError, MemoryError)


def main() -> None:
    """Film some episodes of one submission."""
    answer(_ready, _filmed)


def _ready(order: dict[str, Any]) -> Any:
    """Confined, with all that filming takes made and compiled from the track alone."""
    from ludarium.leaderboards.confine import Guard, drop_user, leave_network, limit

    limit(Guard(*order["guard"]))
    leave_network()
    from ludarium.envs.core.errors import MovieError
    from ludarium.leaderboards.examine import Examiner
    from ludarium.leaderboards.judging import ordered_track
    from ludarium.leaderboards.submission import Submission

    examiner = Examiner(ordered_track(order))
    numbers = {examiner.units[n][0]: n for n in order["numbers"]}.values()
    rehearsal = Submission(examiner.rehearsal(numbers))
    for number in numbers:
        with contextlib.suppress(MovieError):
            _movie(examiner, rehearsal, number)
    drop_user()
    return examiner


def _filmed(examiner: Any, order: dict[str, Any], data: bytes) -> bytes:
    from ludarium.envs.core.errors import LudariumError
    from ludarium.leaderboards.archive import Limits
    from ludarium.leaderboards.submission import Submission

    lines = []
    submission = Submission(data, order["where"], Limits(*order["limits"]))
    for number in order["numbers"]:
        try:
            found = {"movie": base64.b64encode(_movie(examiner, submission, number)).decode()}
        except LudariumError as error:
            found = {"error": str(error)[:1000]}
        except _UNFORESEEN as error:
            found = {"error": f"cannot be played: {type(error).__name__}: {error}"[:1000]}
        lines.append(json.dumps({"number": number, **found}) + "\n")
    return "".join(lines).encode()


def _movie(examiner: Examiner, submission: Submission, number: int) -> bytes:
    from ludarium.envs.core.errors import MovieError

    if number not in submission.episodes:
        raise MovieError(f"episode {number} is missing in this submission")
    examiner.problems = []
    trace = examiner.trace(submission, number)
    if trace is None:
        raise MovieError(examiner.problems[0].what)
    moves = trace.steps * sum(role["count"] for role in trace.header["roles"])
    if moves > MOST_MOVES:
        raise MovieError(
            f"{moves} moves are too many for a page, which holds {MOST_MOVES}: play it by `ludarium replay`"
        )
    blob, wrong = film(examiner, trace, number, _talk(submission, number))
    if wrong:
        raise MovieError(wrong)
    return blob


def film(examiner: Examiner, trace: Trace, number: int, talk: list[Saying]) -> tuple[bytes, str]:
    """The movie of a trace, and why it may not be shown ("" if it may)."""
    from ludarium.envs.core.render.browser import record
    from ludarium.envs.core.replay import movie

    place, track = examiner.units[number], examiner.track
    bounds, digests, scores = examiner.bounds(place), [], []
    values: dict[str, list[float]] = {}
    ended: dict[str, Any] = {"over": False}

    def look(batch: Batch, scene: Scene) -> None:
        result = batch.result()
        digests.append(batch.digest())
        scores.append(track.score(dict(result["metrics"]), bounds))
        for name, value in scene.values.items():
            if name != track.metric:
                row = values.setdefault(name, [])
                row += [math.nan] * (len(scores) - 1 - len(row)) + [value]
        ended.update(result)

    made = movie(trace, look)
    made.series = {f"{SCORE} ({track.metric.replace('_', ' ')})": scores}
    scenes = made.scenes

    def gone_through() -> Any:
        yield from scenes
        made.series.update({name: row + [math.nan] * (len(scores) - len(row)) for name, row in values.items()})
        made.marks = [digest & _LOW for digest in digests]
        made.metrics = {"score": scores[-1], **ended["metrics"]}

    made.scenes, made.talk = gone_through(), talk
    made.meta = dict(zip(("case", "seed", "trial"), place, strict=True)) | made.meta
    header, blob = record(made)
    return blob, _wrong(trace, digests, ended["over"]) or _too_large(header, blob)


def _wrong(trace: Trace, digests: list[int], over: bool) -> str:
    """Why a trace is not what it says."""
    from ludarium.envs.core.buffers import MARK

    marks = dict(trace.digests)
    for step, digest in enumerate(digests):
        counts = step % MARK == 0 or step == trace.steps  # those that the judge compares
        if counts and step in marks and marks[step] != digest:
            return (
                f"the replay differs at step {step}: digest recorded as {marks[step]:016x}, replayed as {digest:016x}"
            )
    if marks.get(trace.steps) is None:
        return "the trace has no digest at its end"
    return "" if over else f"the episode is not over after {trace.steps} steps"


def _too_large(header: dict[str, Any], blob: bytes) -> str:
    unrolled = sum(20 * head["count"] * header["steps"] for head in header["sprites"])
    size = unrolled + len(zlib.decompress(blob))
    if len(blob) > MOST_PACKED or size > MOST_UNPACKED:
        return f"{len(blob)} bytes, {size} unpacked, are too many for a page: play it by `ludarium replay`"
    return ""


def _talk(submission: Submission, number: int) -> list[Saying]:
    """What the entrant's transcript says, as far as it can be read and fits."""
    from ludarium.agents.llm.ledger import parse_transcript
    from ludarium.envs.core.errors import LudariumError
    from ludarium.leaderboards.talk import sayings

    if number not in submission.transcripts:
        return []
    try:
        name = submission.transcripts[number]
        lines = io.StringIO(submission.read(name).decode("utf-8"))
        told = sayings(list(parse_transcript(lines, name)))
        room, fitting = _MOST_SAID, []
        for saying in told:
            room -= len(saying.said) + len(saying.asked)
            if room > 0:
                fitting.append(saying)
        return fitting
    except (LudariumError, *_UNFORESEEN):  # the episode can be shown without
        return []
