"""Background verification: take a job, play its submission again in a guarded process, record the verdict.

A verifier that is killed loses its lease after a while, and another takes the job; one that is told to stop gives the job
back. Failures that are not the submission's are tried again later, by anybody, and at last wait for the operator (`stuck`).
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable

from ludarium.envs.core.errors import (
    LeaseLostError,
    LudariumError,
    RefusedError,
    RunError,
    StoreError,
    SubmissionError,
    TrackError,
    VerdictConflictError,
)
from ludarium.leaderboards.archive import Limits
from ludarium.leaderboards.board import drawn
from ludarium.leaderboards.confine import Guard
from ludarium.leaderboards.judge import GUARD, judge
from ludarium.leaderboards.store import Entry, Lease, Store
from ludarium.leaderboards.store.queue import MAX_TRIES
from ludarium.leaderboards.submission import LIMITS, Submission
from ludarium.leaderboards.track import Track
from ludarium.leaderboards.verdict import Verdict, rejected

__all__ = ["PRESENCE_SECONDS", "Verifier", "track_of"]

PRESENCE_SECONDS = 20.0
"""How often a verifier says that it is there."""
_PAUSE, _LONGEST_PAUSE = 30.0, 900.0
_AT_ONCE = 1e-6
_NAMED = 60


def track_of(store: Store, tracks: dict[str, Track], entry: Entry) -> Track:
    """What a submission is judged on: the board's track, on the seeds that were drawn for it if it is sealed or hosted.

    `TrackError` if this board has the track no more, or in another version.
    """
    track = tracks.get(entry.track)
    if track is None or track.version != entry.version:
        raise TrackError(f"this board has no track {entry.track!r:.100} of version {entry.version}")
    try:
        return drawn.track_of(store, entry, track)
    except RefusedError as error:
        raise TrackError(str(error)) from error


class _FailedError(Exception):
    """A job could not be done, and the submission is not to blame; the sentence may be shown to anybody."""


class Verifier:
    """One worker. `say` is told, in a line each, what it does; nothing of it is shown on the board."""

    def __init__(
        self,
        store: Store,
        tracks: Iterable[Track],
        *,
        name: str | None = None,
        lease_s: float = 60.0,
        max_tries: int = MAX_TRIES,
        idle_s: float = 1.0,
        guard: Guard = GUARD,
        judging: Callable[..., Verdict] = judge,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.store, self.tracks = store, {track.name: track for track in tracks}
        self.name = name or f"{socket.gethostname()[:_NAMED]}-{os.getpid()}-{secrets.token_hex(3)}"
        self._lease_s, self._max_tries, self._idle_s = lease_s, max_tries, idle_s
        self._guard, self._judge, self._say = guard, judging, say

    def run(self, stop: threading.Event, *, until_empty: bool = False) -> int:
        """Work until told to stop, or until nothing waits; return how many verdicts it recorded.

        A `KeyboardInterrupt` (SIGTERM of the command) ends it at once: the job that it has goes back to the queue.
        """
        done, away = 0, threading.Event()
        present = threading.Thread(target=self._present, args=(away,), name="presence", daemon=True)
        present.start()
        try:
            while not stop.is_set():
                try:
                    lease = self.store.queue.take(self.name, self._lease_s, self._max_tries)
                except StoreError as error:  # the database is away for a moment
                    self._say(f"cannot take a job: {error}")
                    stop.wait(self._idle_s)
                    continue
                if lease is not None:
                    done += self._work(lease)
                elif until_empty:
                    break
                else:
                    stop.wait(self._idle_s)
        finally:
            away.set()
            present.join()
        return done

    def _present(self, away: threading.Event) -> None:
        while True:
            try:
                self.store.workers.seen(self.name)
            except StoreError as error:
                self._say(f"cannot say that it is there: {error}")
            if away.wait(PRESENCE_SECONDS):
                break
        try:
            self.store.workers.gone(self.name)
        except StoreError as error:
            self._say(f"cannot say that it is gone: {error}")

    # --- one job -------------------------------------------------------------------------------------------------------
    def _work(self, lease: Lease) -> bool:
        """Judge one submission; whether its verdict was recorded."""
        try:
            with self.store.queue.hold(lease, self._lease_s):
                verdict = self._verdict(lease)
                self.store.queue.finish(lease, verdict)
            self._say(f"{lease.digest}: {'accepted' if verdict['ok'] else 'rejected'} in {verdict['wall_s']} s")
            return True
        except _FailedError as failure:
            self._say(f"{lease.digest}: try {lease.tries}: {failure}: {failure.__cause__}")
            self._release(lease, str(failure))
        except LeaseLostError:
            self._say(f"{lease.digest}: another has the job by now; dropped")
        except VerdictConflictError as error:
            self._say(str(error))
        except StoreError as error:
            self._say(f"{lease.digest}: cannot record: {error}")
            self._release(lease, "the verdict could not be recorded")
        except KeyboardInterrupt:
            self._release(lease, "the worker was stopped", stopped=True)
            raise
        return False

    def _verdict(self, lease: Lease) -> dict[str, object]:
        """What judging finds, or `_FailedError`."""
        began = time.monotonic()
        try:
            entry = self.store.submissions.get(lease.digest)
            data = self.store.blobs.get(lease.digest)
            track = track_of(self.store, self.tracks, entry)
            limits = LIMITS._replace(packed=max(LIMITS.packed, len(data)))  # the server's own limit let it in
            found = self._judged(Submission(data, "submission", limits), track, limits)
        except SubmissionError as error:  # it was opened when it came: an older ludarium may have taken more
            found = rejected(str(error), "submission", lease.digest, {"name": "", "version": 0, "hash": ""})
        except RefusedError as error:
            raise _FailedError("the submission is not there any more") from error
        except StoreError as error:
            raise _FailedError("its file is missing or damaged, or the store is away") from error
        except TrackError as error:
            raise _FailedError("the board has not, or not any more, the track that this is for") from error
        except RunError as error:
            raise _FailedError("the judging process failed before it looked at the submission") from error
        except (LudariumError, OSError, MemoryError) as error:
            raise _FailedError(f"the verifier failed ({type(error).__name__})") from error
        except Exception as error:  # a mistake of ours costs one job a try, not the worker
            traceback.print_exc(file=sys.stderr)
            raise _FailedError(f"the verifier failed ({type(error).__name__})") from error
        return {**found.as_dict(), "wall_s": round(time.monotonic() - began, 3)}

    def _judged(self, submission: Submission, track: Track, limits: Limits) -> Verdict:
        """The verdict. A judging process that ended without one (`guard` is empty) may have been killed: it is asked twice."""
        found = self._judge(submission, track, guard=self._guard, limits=limits)
        if not found.ok and not found.guard:
            self._say(f"{submission.hash}: {found.problems[0].what}; once more")
            found = self._judge(submission, track, guard=self._guard, limits=limits)
        return found

    def _release(self, lease: Lease, public: str, stopped: bool = False) -> None:
        """Give a job back. `public` may be shown to anybody: details are in the worker's own log."""
        pause = _AT_ONCE if stopped else min(_PAUSE * 2 ** (lease.tries - 1), _LONGEST_PAUSE)
        try:
            self.store.queue.release(lease, public, pause, counted=not stopped)
        except StoreError as error:  # then the lease runs out
            self._say(f"{lease.digest}: cannot give it back: {error}")
