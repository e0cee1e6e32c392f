"""Hosted attempts: the board draws the seeds, plays the world, keeps the traces, and makes the submission itself.

An attempt is in the store's log before its first episode, with the digest of the secret from which its seeds follow. Episodes
that are finished lie on the disk at once: whatever ends an attempt (its last episode, the player, silence, a crash of the
server), a submission is made of them, signed by the board's own key, and verified like all others. Episodes that are missing
count as the track says: as worst.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import hmac
import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ludarium
from ludarium.envs.core.compile import kernel_hash
from ludarium.envs.core.errors import ConfigError, LudariumError, RefusedError, StoreError, SubmissionError
from ludarium.envs.core.files import write_whole
from ludarium.envs.core.trace import encode
from ludarium.leaderboards import keys
from ludarium.leaderboards.board.drawn import hosted_name, hosted_seeds, terms_of
from ludarium.leaderboards.board.playing import WALL_S, Look, Play, look_of, mark_of
from ludarium.leaderboards.folder import canonical, read_rows
from ludarium.leaderboards.manifest import REPORTED, Manifest
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.leaderboards.store import Hosted, Store
from ludarium.leaderboards.submission import seal
from ludarium.leaderboards.track import Track

__all__ = ["Hosting", "Rules"]

FIGURES = "figures.jsonl"


@dataclass(frozen=True)
class Rules:
    """What a board permits its players."""

    open_each: int = 2
    """Open attempts of one account."""
    open_all: int = 32
    """Open attempts of this process."""
    together: int = 16
    """Open episodes of one attempt."""
    idle_s: float = 900.0
    """An attempt that hears nothing for so long is ended, unless an episode waits for its answer: that has a time of its own."""
    lease_s: float = 120.0
    """An attempt whose server says nothing for so long is ended by another server."""
    clock: Callable[[], float] = time.monotonic


@dataclass
class _Attempt:
    record: Hosted
    track: Track
    """On the seeds of the attempt."""
    look: Look
    agent: str
    key_digest: bytes
    secret: bytes
    folder: Path
    since: float
    heard: float
    plays: dict[int, Play] = field(default_factory=dict)
    """Episodes that have begun and are not on the disk yet."""
    done: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    """How the finished ones ended, and the answer that ended them, for who did not hear it."""
    asks: dict[str, int] = field(default_factory=dict)
    begun: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    ended: bool = False
    socket: object = None
    """The connection that holds it: no other one is answered."""


class Hosting:
    """All hosted attempts of one process; threads may share it."""

    def __init__(self, store: Store, tracks: Mapping[str, Track], rules: Rules = Rules()) -> None:
        self.store, self.tracks, self.rules = store, tracks, rules
        self.owner = secrets.token_hex(16)
        self.root = store.blobs.root / "hosted"
        self._open: dict[int, _Attempt] = {}
        self._lock = threading.Lock()

    @functools.cached_property
    def key(self) -> Any:
        """The board's own key, made the first time."""
        with self._lock:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            return keys.load_key(self.root / "key")

    # --- an attempt ------------------------------------------------------------------------------------------------
    def open(self, account: int, track: Track, wanted: Mapping[str, Any]) -> tuple[Hosted, str]:
        """Begin an attempt; return it and the key with which its messages come. `RefusedError` if it may not be."""
        if not self.rules.open_all:
            raise RefusedError("this server plays no hosted attempts")
        if "hosted" not in track.tiers:
            raise RefusedError(f"track {track.name!r} has no hosted tier")
        _ = self.key  # a board that cannot sign promises nothing
        try:
            look = look_of(
                track, wanted.get("view", "text"), wanted.get("information", "full"), wanted.get("arrays", "base64")
            )
            entrant = self._entrant(track, wanted)
            Play(
                track, track.units()[0], 0, look, 0, self.rules.clock
            )  # what cannot be played is found before the record
        except (ConfigError, SubmissionError) as error:
            raise RefusedError(str(error)) from error
        with self._lock:
            if len(self._open) >= self.rules.open_all:
                raise ServeError("CAPACITY_REACHED", f"{self.rules.open_all} attempts are open; try again later")
            record = self.store.hosting.open(
                account, track.name, terms_of(track), entrant, self.owner, seconds=self.rules.lease_s,
                most=self.rules.open_each,
            )  # fmt: skip
            seeds = hosted_seeds(self.store, record, track)
            drawn = track.with_seeds({case: tuple(own) for case, own in seeds.items()})
            folder = self.root / str(record.id)
            folder.mkdir(mode=0o700, parents=True)
            key = secrets.token_urlsafe(32)
            secret = bytes.fromhex(self.store.hosting.private(record.id)[0])
            self._open[record.id] = _Attempt(
                record, drawn, look, entrant["agent"], hashlib.sha256(key.encode()).digest(), secret, folder,
                self.rules.clock(), self.rules.clock(),
            )  # fmt: skip
        return record, key

    def _entrant(self, track: Track, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What the manifest will say of the player, checked as any manifest is."""
        manifest = Manifest(
            track.reference, wanted.get("agent", ""), wanted.get("name", ""), wanted.get("class", ""), "0" * 64, "0",
            authors=tuple(wanted.get("authors", ())), links=dict(wanted.get("links", {})),
        )  # fmt: skip
        found = Manifest.decode(manifest.encode(), "this attempt")
        if found.kind not in track.classes:
            raise RefusedError(
                f"class {found.kind!r} may not enter {track.name!r}; expected {', '.join(track.classes)}"
            )
        return {"agent": found.agent, "name": found.name, "class": found.kind, "authors": list(found.authors),
                "links": found.links}  # fmt: skip

    def attach(self, attempt: _Attempt, socket: object) -> None:
        """A connection of its own holds the attempt from now on; `ServeError` if another one does."""
        with attempt.lock:
            if attempt.socket is not None:
                raise ServeError("BUSY", "another connection plays this attempt")
            attempt.socket = socket

    def detach(self, attempt: _Attempt) -> None:
        """That connection is gone."""
        with attempt.lock:
            attempt.socket = None

    def find(self, attempt: int, key: str) -> _Attempt:
        """An open attempt by its key; `ServeError` if there is none with it."""
        found = self._open.get(attempt)
        given = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        if found is None or not hmac.compare_digest(given, found.key_digest):
            raise ServeError("SESSION_ERROR", "there is no open attempt of this number and key on this server")
        return found

    def message(self, attempt: _Attempt, given: Any, socket: object = None) -> bytes:
        """Answer one message of a player: `begin`, `look`, an answer (`act`, `error`), or `end`."""
        if attempt.socket is not socket:
            raise ServeError("BUSY", "another connection plays this attempt")
        if not isinstance(given, dict):
            raise ServeError("VALIDATION_ERROR", "a message is an object")
        attempt.heard = self.rules.clock()
        kind = given.get("type")
        if kind == "begin":
            return self._begin(attempt, given.get("ask"))
        if kind == "end":
            self.end(attempt.record.id, "ended by the player")
            return canonical({"type": "ended"}).encode()
        if kind not in ("look", "act", "error"):
            raise ServeError("UNKNOWN_TYPE", f"type = {kind!r:.40}; expected begin, look, act, error or end")
        number, play = self._play(attempt, given)
        if play is None:
            return attempt.done[number][0]
        told = play.again() if kind == "look" else play.answer(given)
        if play.over:
            self._finished(attempt, number, play)
        return told

    def _play(self, attempt: _Attempt, given: dict[str, Any]) -> tuple[int, Play | None]:
        """The episode that a message names: one that is open, or None for one that has just ended and is asked for again."""
        name = given.get("episode")
        number = int(name) if isinstance(name, str) and name.isascii() and name.isdigit() and len(name) < 10 else -1
        with attempt.lock:
            play = attempt.plays.get(number)
            if play is not None:
                return number, play
            if number not in attempt.done:
                raise ServeError("SESSION_ERROR", f"no episode {name!r:.40} of this attempt is open")
            if given.get("type") == "look" or attempt.done[number][1] == mark_of(given):
                return number, None
            raise ServeError("EPISODE_OVER", "the episode is over; begin another")

    def _begin(self, attempt: _Attempt, ask: Any) -> bytes:
        """Begin the next episode. `ask` is any word of the player's: the same again is the same episode."""
        if not isinstance(ask, str) or len(ask) > 64:
            raise ServeError("VALIDATION_ERROR", f"ask = {ask!r:.40}; expected a word of at most 64 characters")
        with attempt.lock:
            known = attempt.asks.get(ask)
            if known is not None and known in attempt.plays:
                return attempt.plays[known].begin()
            if known is not None:
                raise ServeError("EPISODE_OVER", "the episode that you asked for is over; begin another")
            units = attempt.track.units()
            if attempt.ended or attempt.begun >= len(units):
                raise ServeError("NO_TASKS_LEFT", "all episodes of this attempt have begun")
            if len(attempt.plays) >= self.rules.together:
                raise ServeError("BUSY", f"{self.rules.together} episodes of this attempt are open: finish one first")
            number = attempt.begun
            attempt.begun += 1
            attempt.asks[ask] = number
            play = Play(
                attempt.track, units[number], number, attempt.look, self._own_seed(attempt, number), self.rules.clock
            )
            attempt.plays[number] = play
        told = play.begin()
        if play.over:  # nothing was ever asked
            self._finished(attempt, number, play)
        return told

    def _own_seed(self, attempt: _Attempt, number: int) -> int:
        """The player's own seed (53 bits): from the secret, since that of a local run would lead to the episode's."""
        data = canonical(["agent", number]).encode()
        return int.from_bytes(hmac.new(attempt.secret, data, hashlib.sha256).digest()[:8], "big") >> 11

    def _finished(self, attempt: _Attempt, number: int, play: Play) -> None:
        """Put a finished episode on the disk; with the last one the attempt ends."""
        with attempt.lock:
            if attempt.plays.get(number) is not play:
                return
            if not play.beyond:
                write_whole(attempt.folder / f"{number:04d}.trace", encode(play.trace(attempt.agent)))
            with (attempt.folder / FIGURES).open("ab") as file:
                file.write(canonical(play.figures()).encode() + b"\n")
            attempt.done[number] = play.again(), play.accepted
            del attempt.plays[number]
            done = attempt.begun == len(attempt.track.units()) and not attempt.plays
        if done:
            self.end(attempt.record.id, "finished")

    # --- the end ---------------------------------------------------------------------------------------------------
    def end(self, number: int, why: str) -> None:
        """End an attempt: open episodes are lost from here on, and what is there becomes the submission."""
        with self._lock:
            attempt = self._open.pop(number, None)
        if attempt is None:
            return
        with attempt.lock:
            attempt.ended = True
            plays = list(attempt.plays.items())
        if why != "finished":
            for episode, play in plays:
                play.leave()
                self._finished(attempt, episode, play)
        self._conclude(attempt.record, why)

    def _conclude(self, record: Hosted, why: str) -> None:
        """Make the submission of what lies on the disk, queue it, and close the record. Doing it again changes nothing."""
        folder = self.root / str(record.id)
        figures = read_rows(folder / FIGURES)[0] if (folder / FIGURES).exists() else []
        played = sorted(int(path.stem) for path in folder.glob("*.trace"))
        digest = None
        try:
            digest = self._submit(record, folder, played, figures)
        except (RefusedError, SubmissionError) as error:
            why = f"{why}; no submission: {error}"[:300]
        answers, seconds = sum(f["answers"] for f in figures), sum(f["wall_s"] for f in figures)
        measured = {
            "answers": answers, "wall_s": round(seconds, 3), "mean_s": round(seconds / answers, 6) if answers else 0.0,
            "max_s": max((f["max_s"] for f in figures), default=0.0), "refused": sum(f["refused"] for f in figures),
        }  # fmt: skip
        outcome = {"why": why, "played": len(played), "submission": digest, "measured": measured}
        if self.store.hosting.end(record.id, self.owner, outcome):
            shutil.rmtree(folder, ignore_errors=True)

    def _submit(self, record: Hosted, folder: Path, played: list[int], figures: list[dict[str, Any]]) -> str | None:
        entrant = self.store.hosting.private(record.id)[1]
        track = self.tracks.get(record.track)
        if not played:
            return None
        if entrant is None or track is None:
            raise RefusedError("its account or its track is gone")
        drawn = track.with_seeds({c: tuple(own) for c, own in hosted_seeds(self.store, record, track).items()})
        total, key = len(drawn.units()), self.key
        module = _module(drawn)
        manifest = Manifest(
            track.reference, entrant["agent"], entrant["name"], entrant["class"], keys.public_key(key), ludarium.__version__,
            {module: kernel_hash(module)}, tuple(entrant["authors"]), dict(entrant["links"]), "hosted",
            {"round": hosted_name(record), "commit": record.secret_digest}, _reported(figures, total),
        )  # fmt: skip
        members = {f"episodes/{n:04d}.trace": (folder / f"{n:04d}.trace").read_bytes() for n in played}
        data = seal(manifest, members, key)
        entry = self.store.submissions.add(
            data, json.loads(manifest.encode()), account=record.account_id, track=track.name, version=track.version,
            kind=manifest.kind, tier="hosted",
        )  # fmt: skip
        return entry.digest

    # --- from time to time -----------------------------------------------------------------------------------------
    def tick(self) -> None:
        """Say that this process is there; end what is silent or late; take over what other processes left behind."""
        with self._lock:
            here = list(self._open.values())
        failed = []
        for attempt in here:
            try:
                self._look_after(attempt, self.rules.clock())
            except (LudariumError, OSError) as error:  # the next round tries again; the others must not wait for it
                failed.append(error)
        with self._lock:
            ids = list(self._open)
        mine = self.store.hosting.alive(ids, self.owner, seconds=self.rules.lease_s) if ids else set()
        for lost in set(ids) - mine:
            with self._lock:
                self._open.pop(lost, None)
        for left in self.store.hosting.take_over(self.owner, seconds=self.rules.lease_s):
            try:
                self._conclude(self.store.hosting.get(left), "its server was gone")
            except (LudariumError, OSError) as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _look_after(self, attempt: _Attempt, now: float) -> None:
        with attempt.lock:
            late = [(n, play) for n, play in attempt.plays.items() if play.look_at_clock()]
        for number, play in late:
            self._finished(attempt, number, play)
        if not attempt.plays and now - attempt.heard > self.rules.idle_s:
            self.end(attempt.record.id, f"said nothing for {self.rules.idle_s:g} seconds")
        elif now - attempt.since > self.longest(attempt):
            self.end(attempt.record.id, "took longer than all its episodes may together")

    def longest(self, attempt: _Attempt) -> float:
        """Seconds that an attempt may take in all."""
        each = float(attempt.track.budgets.get("wall_s", WALL_S))
        return each * len(attempt.track.units()) + self.rules.idle_s

    def progress(self, number: int) -> dict[str, int]:
        """How many episodes of an open attempt have begun and ended; empty for one that is not played here."""
        attempt = self._open.get(number)
        if attempt is None:
            return {}
        return {"begun": attempt.begun, "done": len(attempt.done)}

    def close(self) -> None:
        """The server stops: end all attempts with what was played."""
        with self._lock:
            here = list(self._open)
        for number in here:
            with contextlib.suppress(StoreError):
                self.end(number, "the server stopped")


def _module(track: Track) -> str:
    from ludarium.envs.core.registry import make_simulator

    return type(make_simulator(track.world.environment, **track.world.cases[0].config)).__module__


def _reported(figures: list[dict[str, Any]], total: int) -> dict[str, list[float | None]]:
    """Seconds as the board measured them, and what the player says that it used."""
    found: dict[str, list[float | None]] = {}
    for figure in figures:
        told = {**{n: v for n, v in figure["used"].items() if n in REPORTED}, "wall_s": figure["wall_s"]}
        for name, value in told.items():
            found.setdefault(name, [None] * total)[figure["episode"]] = value
    return found
