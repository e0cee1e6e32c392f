"""Verdicts that were found before: believed for the same bytes, track and sources of the suite, and for nothing else."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.resources
import json
import os
import sys
from os import PathLike
from pathlib import Path

from ludarium.envs.core.files import write_whole
from ludarium.leaderboards.track import Track
from ludarium.leaderboards.verdict import Verdict

__all__ = ["VerdictCache", "code_hash"]

_FOLDERS = ("agents", "envs", "leaderboards", "scenarios", "wrappers")


@functools.cache
def code_hash() -> str:
    """SHA-256 of the suite's Python sources, kernels among them, and of the interpreter's version."""
    digest = hashlib.sha256(sys.version.encode())
    for folder in _FOLDERS:
        root = Path(str(importlib.resources.files(f"ludarium.{folder}")))
        for path in sorted(root.rglob("*.py")):
            digest.update(f"{folder}/{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


class VerdictCache:
    """A folder of verdicts, a file each; by default `ludarium/verdicts` in the user's cache folder.

    Several processes may share it. What cannot be read, or is not the verdict that it says, counts as not there.
    """

    def __init__(self, folder: str | PathLike[str] | None = None) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.folder = Path(home, "ludarium", "verdicts") if folder is None else Path(folder)

    def _path(self, digest: str, track: Track) -> Path:
        key = [code_hash(), track.hash, str(track.version), repr(track.sealed), digest]
        return self.folder / f"{hashlib.sha256(chr(10).join(key).encode()).hexdigest()}.json"

    def get(self, digest: str, track: Track) -> Verdict | None:
        """The verdict on a file of this SHA-256, None if it is not known."""
        try:
            data = json.loads(self._path(digest, track).read_text(encoding="utf-8"))
            found = Verdict.from_dict(data)
            same = found.digest == data["digest"] and found.submission == digest and found.track == track.reference
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return found if same else None

    def put(self, digest: str, track: Track, verdict: Verdict) -> None:
        """Keep a verdict; where the disk refuses, it is found again the next time."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(digest, track), json.dumps(verdict.as_dict()).encode())
