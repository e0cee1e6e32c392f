"""Files by the digest of their bytes, in a folder: on the disk, names and all, before anybody is told so."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ludarium.envs.core.errors import StoreError
from ludarium.leaderboards.store.values import DIGEST

__all__ = ["Blobs", "Writer"]

_CHUNK = 1 << 20
_PART = ".part"


class Blobs:
    """The folder; made if it is not there. Only its owner may read it: files may hold personal data."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root)
        with _told(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(self.root.parent)

    def path(self, digest: str) -> Path:
        """Where the file with this digest lies or would lie."""
        if not DIGEST.fullmatch(digest):
            raise StoreError(f"digest = {digest!r:.80}; expected 64 hexadecimal digits in lower case")
        return self.root / digest[:2] / digest

    def writer(self, limit: int | None = None) -> Writer:
        """Take bytes as they come: `with blobs.writer(limit) as w: w.write(chunk); digest = w.finish()`."""
        return Writer(self, limit)

    def put(self, source: bytes | IO[bytes], limit: int | None = None) -> str:
        """Keep bytes or what a file holds; return their digest once they are on the disk."""
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with self.writer(limit) as writer:
            while chunk := file.read(_CHUNK):
                writer.write(chunk)
            return writer.finish()

    def get(self, digest: str) -> bytes:
        """The bytes with this digest; `StoreError` if they are not there, or are others by now."""
        path = self.path(digest)
        with _told(path):
            data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreError(f"{path}: damaged: the bytes have another digest")
        return data

    def size(self, digest: str) -> int | None:
        """The size of a file, None if it is not there."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def remove(self, digest: str) -> None:
        """Remove a file if it is there."""
        path = self.path(digest)
        with _told(path):
            path.unlink(missing_ok=True)
            if path.parent.exists():
                _sync_folder(path.parent)

    def __iter__(self) -> Iterator[str]:
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path.name for path in folder.iterdir() if DIGEST.fullmatch(path.name))

    def age(self, digest: str) -> float:
        """Seconds since a file was last put here."""
        return time.time() - self.path(digest).stat().st_mtime

    def sweep_parts(self, seconds: float) -> int:
        """Remove what writers left that were killed longer ago than this; return how many."""
        removed = 0
        for part in self.root.glob(f"*{_PART}"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > seconds:
                    part.unlink()
                    removed += 1
        return removed


class Writer:
    """One file on its way in. What is not finished leaves nothing."""

    def __init__(self, blobs: Blobs, limit: int | None) -> None:
        self._blobs, self._limit = blobs, limit
        self._part = blobs.root / f"{secrets.token_hex(16)}{_PART}"
        self._hash = hashlib.sha256()
        self.size = 0
        with _told(self._part):
            self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def write(self, chunk: bytes) -> None:
        """Add bytes; `StoreError` if the file grows over its limit or the disk is full."""
        self.size += len(chunk)
        if self._limit is not None and self.size > self._limit:
            raise StoreError(f"more than {self._limit} bytes; expected at most that")
        self._hash.update(chunk)
        with _told(self._part):
            self._file.write(chunk)

    def content(self) -> bytes:
        """All that was written so far, for a look at it before it is kept."""
        with _told(self._part):
            self._file.flush()
            return self._part.read_bytes()

    def finish(self) -> str:
        """Put the file in place, on the disk; return its digest."""
        digest = self._hash.hexdigest()
        path = self._blobs.path(digest)
        with _told(path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            path.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(self._part, path)  # also over a file of the same bytes, which may be damaged or not yet synced
            _sync_folder(path.parent)
            _sync_folder(self._blobs.root)
        return digest

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    if os.name == "nt":  # Windows opens no folders
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
