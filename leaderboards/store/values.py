"""Values that every database keeps alike: canonical JSON, digests, and text that no database refuses."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from typing import Any

from ludarium.envs.core.errors import RefusedError

__all__ = ["DIGEST", "MAX_SECONDS", "canonical", "digest", "digest_of", "duration", "look_alike", "text"]

DIGEST = re.compile(r"[0-9a-f]{64}", re.A)
"""SHA-256 in hexadecimal digits."""
MAX_SECONDS = 10 * 366 * 86_400


def canonical(value: Any) -> str:
    """JSON in ASCII with sorted keys: equal values give equal text. `RefusedError` for what JSON cannot hold."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise RefusedError(f"cannot keep this value: {error}; expected plain JSON data, without NaN") from error


def digest(data: bytes) -> str:
    """SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return digest(canonical(value).encode("ascii"))


def text(what: str, given: Any, longest: int) -> str:
    """Text of 1 to `longest` characters in normal form C; `RefusedError` for control characters and lone surrogates."""
    if not isinstance(given, str):
        raise RefusedError(f"{what} = {given!r:.80}; expected text")
    found = unicodedata.normalize("NFC", given)
    if not 0 < len(found) <= longest or found.isspace():
        raise RefusedError(f"{what}: {len(found)} characters; expected 1 to {longest}")
    odd = next((c for c in found if unicodedata.category(c) in ("Cc", "Cs")), None)
    if odd is not None:
        raise RefusedError(f"{what} has the character {odd!a}, which no name or sentence needs")
    return found


def look_alike(name: str) -> str:
    """A name's form under which others count as the same: compatible letters, case and invisible characters aside."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


def duration(what: str, seconds: float) -> int:
    """Seconds as microseconds; `RefusedError` for what is no time to wait."""
    if not 0 < seconds <= MAX_SECONDS:
        raise RefusedError(f"{what} = {seconds!r:.40}; expected more than 0 and at most {MAX_SECONDS} seconds")
    return max(1, round(seconds * 1_000_000))
