"""Sealed rounds: the seeds of an entrant follow from a secret of the board and from what the entrant committed to before.

1. The board opens a round: it keeps a secret and publishes its SHA-256.
2. An entrant commits: SHA-256 of a salt and of what will play (an archive, or the name of an endpoint). One commitment for
   each key and round, and one key for each commitment.
3. The board answers with a ticket: the seeds HMAC(secret, round, commit, case, n). The entrant plays them and submits, once.
4. At the end the board reveals the secret, and anybody can recheck all tickets and verdicts.

So seeds cannot be chosen, and runs on other seeds cannot be shown. That the agent played alone and without the simulator
it does not prove.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ludarium.envs.core.errors import SubmissionError
from ludarium.envs.core.files import write_whole
from ludarium.leaderboards.folder import canonical, read_rows
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import Track
from ludarium.scenarios.reseed import save_reseeded

__all__ = ["FIRST_SEED", "Round", "SealedRound", "Ticket", "commitment", "recheck", "sealed_seeds"]

FIRST_SEED = 1 << 52
"""Sealed seeds are from here to 2**53 - 1, where no scenario of the suite has any."""
_SALT = 16
_SECRET = 32


def commitment(salt: bytes, what: bytes) -> str:
    """What an entrant commits to: SHA-256 (64 hex digits) of a salt of at least 16 bytes and of the archive or endpoint."""
    if len(salt) < _SALT:
        raise SubmissionError(f"a salt of {len(salt)} bytes; expected at least {_SALT}")
    return hashlib.sha256(len(salt).to_bytes(8, "big") + salt + what).hexdigest()


def sealed_seeds(secret: bytes, name: str, commit: str, track: Track, episodes: int) -> dict[str, tuple[int, ...]]:
    """The seeds of one commitment: `episodes` distinct ones for each case of a track."""
    found: dict[str, tuple[int, ...]] = {}
    for case in track.world.cases:
        own: dict[int, None] = {}
        n = 0
        while len(own) < episodes:
            message = canonical([name, commit, case.name, n]).encode()
            drawn = int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big")
            own[FIRST_SEED + (drawn >> 12)] = None
            n += 1
        found[case.name] = tuple(own)
    return found


@dataclass(frozen=True)
class Round:
    """What the board publishes when a round opens."""

    name: str
    track: dict[str, Any]
    episodes: int
    """How many seeds each case has."""
    secret_hash: str
    """SHA-256 of the secret."""


@dataclass(frozen=True)
class Ticket:
    """What an entrant gets for a commitment."""

    round: str
    track: dict[str, Any]
    commit: str
    public_key: str
    seeds: dict[str, list[int]]

    @property
    def named(self) -> dict[str, str]:
        """What the manifest of the submission says of it."""
        return {"round": self.round, "commit": self.commit}

    def apply(self, track: Track) -> Track:
        """The track on the ticket's seeds; `SubmissionError` if the ticket is for another track."""
        if track.reference != self.track:
            raise SubmissionError(
                f"the ticket of round {self.round!r} is for track {self.track}, not {track.reference}"
            )
        return track.with_seeds({case: tuple(seeds) for case, seeds in self.seeds.items()})

    def check(self, submission: Submission) -> None:
        """`SubmissionError` if a submission is not this ticket's."""
        said = submission.manifest
        if said.tier != "sealed" or said.sealed != self.named:
            raise SubmissionError(
                f"{submission.where}: is for {said.sealed or said.tier}, not for the ticket {self.named}"
            )
        if said.public_key != self.public_key:
            raise SubmissionError(f"{submission.where}: is signed by another key than the ticket's")

    def scenario(self, track: Track, folder: Path) -> Path:
        """Write the scenario that is to be played into a folder; return its file, for `ludarium run`."""
        sealed = self.apply(track)
        return save_reseeded(track.world, track.split, dict(sealed.sealed), folder)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the ticket as JSON."""
        write_whole(Path(path), (json.dumps(asdict(self), indent=1) + "\n").encode())
        return Path(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a ticket; `SubmissionError` if it is none."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(**data)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise SubmissionError(f"{path}: no ticket of a sealed round: {error}") from error


class SealedRound:
    """The board's side of a round: a folder with `round.json`, `secret` and the log `entries.jsonl`, which only grows.

    One process at a time may write it.
    """

    def __init__(self, folder: Path, opened: Round) -> None:
        self.folder, self.round = folder, opened

    @classmethod
    def create(cls, folder: str | os.PathLike[str], track: Track, name: str, *, episodes: int | None = None) -> Self:
        """Begin a round with a secret of 32 random bytes; `episodes` a case (None: as many as the track has)."""
        if "sealed" not in track.tiers:
            raise SubmissionError(f"track {track.name!r} has no sealed tier")
        root = Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        secret = secrets.token_bytes(_SECRET)
        count = episodes or max(len(seeds) for seeds in track.seeds.values())
        opened = Round(name, track.reference, count, hashlib.sha256(secret).hexdigest())
        with os.fdopen(os.open(root / "secret", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secret.hex() + "\n")
        write_whole(root / "round.json", (json.dumps(asdict(opened), indent=1) + "\n").encode())
        return cls(root, opened)

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Go on with a round."""
        root = Path(folder)
        try:
            return cls(root, Round(**json.loads((root / "round.json").read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError) as error:
            raise SubmissionError(f"{root}: no sealed round: {error}") from error

    def entries(self) -> list[dict[str, Any]]:
        """The log: commitments, attempts and the revealed secret, in order."""
        return read_rows(self.folder / "entries.jsonl")[0]

    def _append(self, entry: dict[str, Any]) -> None:
        with (self.folder / "entries.jsonl").open("ab") as file:
            file.write(canonical(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _of(self, kind: str, **wanted: str) -> list[dict[str, Any]]:
        return [e for e in self.entries() if e["kind"] == kind and all(e[n] == value for n, value in wanted.items())]

    def commit(self, commit: str, public_key: str, track: Track) -> Ticket:
        """Enter a commitment and give its ticket; the same one again gives the same ticket, another one nothing."""
        if len(commit) != 64 or set(commit) - set("0123456789abcdef"):
            raise SubmissionError(f"commit = {commit!r:.80}; expected a SHA-256 in hexadecimal digits")
        if self._of("reveal"):
            raise SubmissionError(f"round {self.round.name!r} is over: its secret is known")
        if track.reference != self.round.track:
            raise SubmissionError(f"round {self.round.name!r} is of track {self.round.track}, not {track.reference}")
        known = {(e["commit"], e["public_key"]) for e in self._of("commit")}
        if (commit, public_key) not in known:
            if any(commit == other or public_key == key for other, key in known):
                raise SubmissionError(
                    f"round {self.round.name!r}: one attempt; this key or this commitment has entered"
                )
            self._append({"kind": "commit", "commit": commit, "public_key": public_key})
        secret = bytes.fromhex((self.folder / "secret").read_text(encoding="ascii").strip())
        seeds = sealed_seeds(secret, self.round.name, commit, track, self.round.episodes)
        return Ticket(self.round.name, self.round.track, commit, public_key, {n: list(own) for n, own in seeds.items()})

    def attempt(self, submission: Submission, track: Track) -> Track:
        """Take the one attempt of a commitment; return the track to judge it on. `SubmissionError` for a second one."""
        said = submission.manifest
        commit = said.sealed.get("commit", "")
        if not self._of("commit", commit=commit, public_key=said.public_key):
            raise SubmissionError(
                f"{submission.where}: nobody committed to this in round {self.round.name!r} under its key"
            )
        ticket = self.commit(commit, said.public_key, track)
        ticket.check(submission)
        taken = self._of("attempt", commit=commit)
        if taken and taken[0]["submission"] != submission.hash:
            raise SubmissionError(f"{submission.where}: round {self.round.name!r}: one attempt, and it was taken")
        if not taken:
            self._append({"kind": "attempt", "commit": commit, "submission": submission.hash})
        return ticket.apply(track)

    def reveal(self) -> str:
        """End the round: log the secret, 64 hex digits, for all to see, and return it."""
        found = self._of("reveal")
        if found:
            return str(found[0]["secret"])
        secret = (self.folder / "secret").read_text(encoding="ascii").strip()
        self._append({"kind": "reveal", "secret": secret})
        return secret


def recheck(opened: Round, entries: list[dict[str, Any]], tickets: list[Ticket], track: Track) -> list[str]:
    """What is wrong with a round that is over, for anybody who has what was published and some tickets; empty: nothing."""
    revealed = [e["secret"] for e in entries if e["kind"] == "reveal"]
    if not revealed:
        return ["the secret is not revealed yet"]
    wrong = []
    secret = bytes.fromhex(revealed[0])
    if hashlib.sha256(secret).hexdigest() != opened.secret_hash:
        wrong.append("the secret is not the one whose hash was published")
    commits = [(e["commit"], e["public_key"]) for e in entries if e["kind"] == "commit"]
    attempts = [e["commit"] for e in entries if e["kind"] == "attempt"]
    for what, names in (
        ("commitment", [c for c, _ in commits]),
        ("key", [k for _, k in commits]),
        ("attempt", attempts),
    ):
        if len(set(names)) != len(names):
            wrong.append(f"a {what} stands twice")
    if not set(attempts) <= {commit for commit, _ in commits}:
        wrong.append("an attempt has no commitment")
    for ticket in tickets:
        if (ticket.commit, ticket.public_key) not in commits:
            wrong.append(f"the ticket of {ticket.commit} is not in the log")
        seeds = sealed_seeds(secret, opened.name, ticket.commit, track, opened.episodes)
        if {name: tuple(own) for name, own in ticket.seeds.items()} != seeds:
            wrong.append(f"the ticket of {ticket.commit} has other seeds than its secret gives")
    return wrong
