"""A folder of movies that were made before, bounded in size: the ones not asked for the longest go first.

A file is whole or not there: it is written beside its place and moved into it, and begins with a digest of the rest.
Several processes may share a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from os import PathLike
from pathlib import Path

from ludarium.envs.core.errors import MovieError
from ludarium.leaderboards.board.cache import code_hash
from ludarium.leaderboards.track import Track

__all__ = ["Reels"]

_SUFFIX, _PART = ".reel", ".part"
_SEAL = 16
_ABANDONED = 600.0
"""Seconds after which what a killed process left half written is removed."""
_REFUSED = 3600.0
"""Seconds for which a refusal is believed: its reason may have been a busy machine."""


class Reels:
    """Movies (base64) and refusals by key."""

    def __init__(self, folder: str | PathLike[str], most_bytes: int = 1 << 30) -> None:
        self.folder, self.most_bytes = Path(folder), most_bytes
        self._lock = threading.Lock()

    @staticmethod
    def key(digest: str, number: int, track: Track) -> str:
        """What a movie follows from: the submission's bytes, the episode, the track, and the suite's own sources."""
        content = [code_hash(), track.hash, str(track.version), repr(track.sealed), digest, str(number)]
        return hashlib.sha256("\n".join(content).encode()).hexdigest()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def get(self, key: str) -> str | MovieError | None:
        """What is kept under a key; None if nothing is, or it is damaged."""
        path = self._path(key)
        try:
            data, written = path.read_bytes(), path.stat().st_mtime
            seal, body = data[:_SEAL], data[_SEAL:]
            if not body or hashlib.blake2b(body, digest_size=_SEAL).digest() != seal:
                return None
            if body[:1] == b"+":
                os.utime(path)
                return body[1:].decode()
        except OSError:
            return None
        return None if time.time() - written > _REFUSED else MovieError(body[1:].decode())

    def put(self, key: str, found: str | MovieError) -> None:
        """Keep a movie, or why there is none, and make room; where the disk refuses, it is made again the next time."""
        body = (b"-" if isinstance(found, MovieError) else b"+") + str(found).encode()
        with contextlib.suppress(OSError), self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f"{key}-{os.getpid()}{_PART}"
            part.write_bytes(hashlib.blake2b(body, digest_size=_SEAL).digest() + body)
            os.replace(part, self._path(key))
            self._make_room()

    def _make_room(self) -> None:
        kept, left = [], self.most_bytes
        for entry in os.scandir(self.folder):
            with contextlib.suppress(OSError):
                found = entry.stat()
                if entry.name.endswith(_SUFFIX):
                    kept.append((found.st_mtime_ns, found.st_size, entry.path))
                elif entry.name.endswith(_PART):
                    left -= found.st_size
                    if time.time() - found.st_mtime > _ABANDONED:
                        os.unlink(entry.path)
        for _, size, path in sorted(kept, reverse=True):
            left -= size
            if left < 0:
                with contextlib.suppress(OSError):
                    os.unlink(path)
