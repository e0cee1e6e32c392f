"""Uploads: a submission's bytes go to the disk as they come, are looked at as data, and are acknowledged once they last."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from ludarium.envs.core.errors import RefusedError, StoreError, SubmissionError, did_you_mean
from ludarium.leaderboards.board.context import Board
from ludarium.leaderboards.board.drawn import admit
from ludarium.leaderboards.board.refusals import Refusal
from ludarium.leaderboards.store import Entry
from ludarium.leaderboards.store.blobs import Writer
from ludarium.leaderboards.store.records import Access
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import Track

__all__ = ["upload"]

_CHUNK = 1 << 20
_CLOSE = {"Connection": "close"}
_LINGER_BYTES, _LINGER_SECONDS = 4 << 20, 2.0
_BY_UPLOAD = ("replayed", "sealed")


async def upload(board: Board, request: Request) -> tuple[Entry, bool]:
    """Take a submission; what is on record of it, and whether it is new. `Refusal` for whatever is not taken."""
    outcome = "failed"
    try:
        access = await board.access(request, "submit")
        board.charge(board.uploads, access.account_id, "uploads from this account")
        entry, new = await _received(board, request, access)
        outcome = "new" if new else "again"
        board.pages.look()
        return entry, new
    except Refusal as refusal:
        outcome = str(refusal.body["error"])
        raise
    finally:
        board.metrics.uploads.labels(outcome).inc()


async def _received(board: Board, request: Request, access: Access) -> tuple[Entry, bool]:
    limit = board.settings.limits.packed
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        await _linger(request.stream())
        raise _too_large(limit)
    if board.under_way >= board.settings.together:
        what = "too many uploads are under way"
        raise Refusal(503, "busy", what, "fewer", "try again in some seconds", {**_CLOSE, "Retry-After": "5"})
    board.under_way += 1
    try:
        writer = await board.write(board.store.blobs.writer)
        try:
            await _stream(board, request, writer, limit)
        except BaseException:
            with contextlib.suppress(RuntimeError):  # the server is closing; the rest is swept up one day
                await asyncio.shield(board.write(writer.__exit__, None, None, None))
            raise
        finally:
            board.metrics.upload_bytes.inc(writer.size)
        return await asyncio.shield(board.open(_kept, board, writer, access))
    finally:
        board.under_way -= 1


async def _stream(board: Board, request: Request, writer: Writer, limit: int) -> None:
    """Write the body as it comes: never more than `limit` bytes, and never waiting long for the next ones."""
    pending, size, stream = bytearray(), 0, request.stream()
    try:
        async with asyncio.timeout(board.settings.upload_s):
            async for chunk in _timed(stream, board.settings.pause_s):
                size += len(chunk)
                if size > limit:
                    await _linger(stream)
                    raise _too_large(limit)
                pending += chunk
                if len(pending) >= _CHUNK:
                    await board.write(writer.write, bytes(pending))
                    pending.clear()
            await board.write(writer.write, bytes(pending))
    except TimeoutError:
        what, expected = "the file did not arrive in time", f"all of it within {board.settings.upload_s:g} seconds"
        raise Refusal(408, "too_slow", what, expected, "send it again", _CLOSE) from None
    except ClientDisconnect:
        raise Refusal(400, "cut", "the file was cut", "all of it", "send it again", _CLOSE) from None


async def _timed(stream: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        yield chunk


async def _linger(stream: AsyncIterator[bytes]) -> None:
    """Take a little more and drop it: who is cut in the middle of a word does not hear why."""
    left = _LINGER_BYTES
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_LINGER_SECONDS):
            async for chunk in stream:
                left -= len(chunk)
                if left < 0:
                    return


def _too_large(limit: int) -> Refusal:
    what, do = "the file is too large", "leave out transcripts (`ludarium submit --no-transcripts`)"
    return Refusal(413, "too_large", what, f"at most {limit} bytes", do, _CLOSE)


# --- in a thread -------------------------------------------------------------------------------------------------------
def _kept(board: Board, writer: Writer, access: Access) -> tuple[Entry, bool]:
    """Look at the file as data, keep it, and queue it."""
    with writer:
        try:
            submission = Submission(writer.content(), "the file", board.settings.limits)
        except SubmissionError as error:
            do = "pack the run by `ludarium submit`"
            raise Refusal(422, "no_submission", str(error), "a file that `ludarium submit` made", do) from None
        known = _known(board, submission.hash)
        if known is not None and known.account_id == access.account_id and known.erased_at is None:
            return known, False
        track = _track(board, submission)
        try:
            round_id = admit(board.store, submission, track, access.account_id)
            writer.finish()
            return _add(board, submission, track, access, round_id), True
        except RefusedError as error:
            raise Refusal(409, "refused", str(error), "a submission that this board can take", "mend it") from None


def _known(board: Board, digest: str) -> Entry | None:
    try:
        return board.store.submissions.get(digest)
    except RefusedError:
        return None


def _track(board: Board, submission: Submission) -> Track:
    """The board's track that a submission is for, if it may enter it."""
    said = submission.manifest
    name = str(said.track["name"])
    track = board.tracks.get(name)
    if track is None:
        hint = did_you_mean(name[:100], board.tracks)
        raise Refusal(422, "no_such_track", f"this board has no track {name!r:.100}{hint}",
                      "a track of /api/v1/tracks", "play a track of this board")  # fmt: skip
    if said.track != track.reference:
        what = f"the file is for another state of track {track.name!r} (version {said.track['version']})"
        expected = f"version {track.version} with hash {track.hash}"
        raise Refusal(422, "other_track", what, expected, "update ludarium, play the track again")
    if said.kind not in track.classes:
        what, expected = f"class {said.kind!r} may not enter track {track.name!r}", ", ".join(track.classes)
        raise Refusal(422, "class_not_allowed", what, expected, "submit to another track")
    if said.tier not in _BY_UPLOAD or said.tier not in track.tiers:
        what = f"tier {said.tier!r} of track {track.name!r} takes no uploads"
        expected = ", ".join(tier for tier in _BY_UPLOAD if tier in track.tiers) or "none"
        raise Refusal(422, "tier_not_allowed", what, expected, "submit in another way")
    return track


def _add(board: Board, submission: Submission, track: Track, access: Access, round_id: int | None) -> Entry:
    said = submission.manifest
    manifest: dict[str, Any] = json.loads(said.encode())
    try:
        return board.store.submissions.add(
            submission.hash, manifest, account=access.account_id, track=track.name, version=track.version,
            kind=said.kind, tier=said.tier, round_id=round_id,
        )  # fmt: skip
    except RefusedError:
        raise
    except StoreError:
        raise Refusal(503, "unavailable", "the board's store cannot be reached just now", "an answer",
                      "send the file again", {"Retry-After": "10"}) from None  # fmt: skip
