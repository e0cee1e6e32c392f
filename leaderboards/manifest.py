"""The manifest of a submission: who enters which track. It has no field for a score, and unknown keys are refused."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

from ludarium.envs.core.errors import SubmissionError, did_you_mean
from ludarium.leaderboards.folder import canonical
from ludarium.leaderboards.track import CLASSES, TIERS

__all__ = ["DRAWN", "FORMAT", "LINKS", "MAX_MANIFEST", "REPORTED", "Manifest", "plain_json"]

DRAWN = ("sealed", "hosted")
"""The tiers whose seeds the board draws."""
FORMAT = 1
MAX_MANIFEST = 1 << 20
MAX_EPISODES = 10_000
LINKS = ("code", "model", "paper", "site")
REPORTED = ("wall_s", "calls", "tokens", "micro_dollars")
"""What an entrant may report of each episode, and no replay can check."""
_TEXT = {"agent": 300, "name": 100, "suite": 40}
_KEYS = ("agent", "authors", "class", "format", "kernels", "links", "name", "public_key", "reported", "sealed", "suite",
         "tier", "track")  # fmt: skip
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~!$&()*+,;=:@%/?#-]*)?")
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True)
class Manifest:
    """Who made a submission, and what for. All texts are labels: none of them is ever resolved or run."""

    track: dict[str, Any]
    """`name`, `version`, `hash`"""
    agent: str
    """What played, in the entrant's words: one of the strings that name agents, or any other."""
    name: str
    """What the board shows."""
    kind: str
    """The class: one of `CLASSES`."""
    public_key: str
    suite: str = ""
    """The version of ludarium that played."""
    kernels: dict[str, str] = field(default_factory=dict)
    """The hashes of the kernels that played, by module."""
    authors: tuple[str, ...] = ()
    links: dict[str, str] = field(default_factory=dict)
    tier: str = "replayed"
    sealed: dict[str, str] = field(default_factory=dict)
    """In the tiers whose seeds the board draws: `round` and `commit` (of a hosted attempt: its name, its secret's SHA-256)."""
    reported: dict[str, list[float | None]] = field(default_factory=dict)
    """Costs as the entrant reports them: a list over the track's episodes for each of `REPORTED`."""

    def encode(self) -> bytes:
        """Canonical JSON."""
        content = {**self.__dict__, "class": self.kind, "authors": list(self.authors), "format": FORMAT}
        del content["kind"]
        return canonical(content).encode()

    @classmethod
    def decode(cls, data: bytes, where: str) -> Manifest:
        """Read and check; `SubmissionError` names the key that is wrong."""
        top = plain_json(data, where, MAX_MANIFEST)
        check = _Check(where)
        check.keys(top, _KEYS, _KEYS)
        if top["format"] != FORMAT or isinstance(top["format"], bool):
            raise check.fail("format", top["format"], f"{FORMAT}: this version of ludarium reads no other")
        track = check.keys(top["track"], ("hash", "name", "version"), ("hash", "name", "version"), "track")
        check.text("track.name", track["name"], 100)
        check.text("track.hash", track["hash"], 64)
        if type(track["version"]) is not int:
            raise check.fail("track.version", track["version"], "a number")
        for key, longest in _TEXT.items():
            check.text(key, top[key], longest)
        check.choice("class", top["class"], CLASSES)
        check.choice("tier", top["tier"], TIERS)
        if len(check.hexadecimal("public_key", top["public_key"])) != 64:
            raise check.fail("public_key", top["public_key"], "64 hexadecimal digits")
        if not isinstance(top["authors"], list) or len(top["authors"]) > 50:
            raise check.fail("authors", top["authors"], "a list of at most 50 names")
        for author in top["authors"]:
            check.text("authors", author, 100)
        return cls(
            track, top["agent"], top["name"], top["class"], top["public_key"], top["suite"], check.kernels(top["kernels"]),
            tuple(top["authors"]), check.links(top["links"]), top["tier"], check.sealed(top["sealed"], top["tier"]),
            check.reported(top["reported"]),
        )  # fmt: skip


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def plain_json(data: bytes, where: str, limit: int) -> dict[str, Any]:
    """A JSON object without twin keys and without NaN; `SubmissionError` for anything else, however deep or long."""
    if len(data) > limit:
        raise SubmissionError(f"{where}: {len(data)} bytes; expected at most {limit}")
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else error
        raise SubmissionError(f"{where}: no JSON that can be read: {reason}") from error
    if not isinstance(found, dict):
        raise SubmissionError(f"{where}: expected a JSON object")
    return found


class _Check:
    def __init__(self, where: str) -> None:
        self.where = where

    def fail(self, key: str, given: Any, expected: str) -> SubmissionError:
        return SubmissionError(f"{self.where}: {key} = {given!r:.80}; expected {expected}")

    def keys(self, table: Any, known: tuple[str, ...], needed: tuple[str, ...], what: str = "") -> dict[str, Any]:
        if not isinstance(table, dict):
            raise self.fail(what, table, "an object")
        for key in table:
            if key not in known:
                inside = f" in {what}" if what else ""
                raise SubmissionError(f"{self.where}: unknown key {key!r:.80}{inside}{did_you_mean(key[:80], known)}")
        missing = [key for key in needed if key not in table]
        if missing:
            raise SubmissionError(f"{self.where}: {missing[0]!r} is missing")
        return table

    def text(self, key: str, given: Any, longest: int) -> str:
        """Printable characters on one line: no control characters, nothing that turns the direction of writing."""
        if (
            not isinstance(given, str)
            or not 0 < len(given) <= longest
            or not given.isprintable()
            or given != given.strip()
        ):
            raise self.fail(key, given, f"1 to {longest} printable characters on one line")
        return given

    def choice(self, key: str, given: Any, known: tuple[str, ...]) -> None:
        if not isinstance(given, str) or given not in known:
            raise self.fail(key, given, f"one of {', '.join(known)}")

    def hexadecimal(self, key: str, given: Any) -> str:
        if not isinstance(given, str) or len(given) > 64 or not _HEX.fullmatch(given):
            raise self.fail(key, given, "up to 64 hexadecimal digits in lower case")
        return given

    def kernels(self, given: Any) -> dict[str, str]:
        if not isinstance(given, dict) or len(given) > 100:
            raise self.fail("kernels", given, "an object of at most 100 modules")
        for module, digest in given.items():
            self.text("kernels", module, 200)
            self.hexadecimal("kernels", digest)
        return given

    def links(self, given: Any) -> dict[str, str]:
        for key, url in self.keys(given, LINKS, (), "links").items():
            if not isinstance(url, str) or len(url) > 300 or not _URL.fullmatch(url):
                raise self.fail(f"links.{key}", url, "an address that begins with http:// or https://")
        return dict(given)

    def sealed(self, given: Any, tier: str) -> dict[str, str]:
        wanted = ("commit", "round") if tier in DRAWN else ()
        found = self.keys(given, wanted, wanted, "sealed")
        if found:
            self.text("sealed.round", found["round"], 100)
            self.hexadecimal("sealed.commit", found["commit"])
        return found

    def reported(self, given: Any) -> dict[str, list[float | None]]:
        for key, values in self.keys(given, REPORTED, (), "reported").items():
            if not isinstance(values, list) or len(values) > MAX_EPISODES:
                raise self.fail(f"reported.{key}", values, f"a list of at most {MAX_EPISODES} numbers")
            for value in values:
                number = isinstance(value, int | float) and not isinstance(value, bool)
                if value is not None and not (number and 0 <= value < 1e15 and math.isfinite(value)):
                    raise self.fail(f"reported.{key}", value, "a number from 0 to 1e15, or null")
        return dict(given)
