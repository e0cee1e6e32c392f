"""Sealed rounds: the seeds of an entrant follow from a secret of the board and from what the entrant committed to before.

1. The board opens a round: it keeps a secret and publishes its SHA-256.
2. An entrant commits: SHA-256 of a salt and of what will play (an archive, or the name of an endpoint). One commitment for
   each account and key, and one key for each commitment.
3. The board answers with a ticket: the seeds HMAC(secret, round, commit, case, n). The entrant plays them and submits, once.
4. At the end the board reveals the secret, and anybody can recheck all tickets and verdicts.

So seeds cannot be chosen, and runs on other seeds cannot be shown. That the agent played alone and without the simulator
it does not prove; a hosted attempt does, whose seeds are drawn in the same way. The board keeps rounds in its store
(`board/sealed.py`); what it publishes of one, its *record*, is plain JSON that `recheck` reads.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from ludarium.envs.core.errors import SubmissionError, TrackError
from ludarium.envs.core.files import write_whole
from ludarium.leaderboards.folder import canonical
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import Track
from ludarium.scenarios.reseed import save_reseeded

__all__ = ["FIRST_SEED", "MAX_RECORD", "Ticket", "commitment", "recheck", "sealed_seeds", "tickets"]

FIRST_SEED = 1 << 52
"""Sealed seeds are from here to 2**53 - 1, where no scenario of the suite has any."""
MAX_RECORD = 64 << 20
"""Bytes of a round's record."""
_SALT = 16
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, TrackError)


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
class Ticket:
    """What an entrant gets for a commitment; of a hosted attempt what the board itself has played."""

    round: str
    track: dict[str, Any]
    commit: str
    public_key: str
    seeds: dict[str, list[int]]
    tier: str = "sealed"

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
        if said.tier != self.tier or said.sealed != self.named:
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


# --- what anybody can check of a round that is over --------------------------------------------------------------------
def tickets(record: dict[str, Any], track: Track) -> list[Ticket]:
    """The tickets of a round whose secret is public, by its record; `SubmissionError` if it is no such record."""
    try:
        secret, name, episodes = bytes.fromhex(record["secret"]), record["name"], int(record["terms"]["episodes"])
        found = []
        for entry in record["entries"]:
            seeds = sealed_seeds(secret, name, entry["commitment"], track, episodes)
            told = {case: list(own) for case, own in seeds.items()}
            key = entry["public_key"] or ""
            found.append(Ticket(name, track.reference, entry["commitment"], key, told))
        return found
    except _MALFORMED as error:
        raise SubmissionError(f"no record of a round that is over: {type(error).__name__}: {error!s:.200}") from error


def recheck(record: dict[str, Any], track: Track, own: Sequence[Ticket] = ()) -> list[str]:
    """What is wrong with a round that is over, for anybody who has what was published and some tickets; empty: nothing.

    It looks at the secret, at every commitment and its seeds, and at the log's links about all these and about submissions:
    that they hold what the record says, and come in the right order. The verdicts are found again by judging.
    """
    try:
        return _recheck(record, track, own)
    except _MALFORMED as error:
        raise SubmissionError(f"no record of a sealed round: {type(error).__name__}: {error!s:.200}") from error


def _recheck(record: dict[str, Any], track: Track, own: Sequence[Ticket]) -> list[str]:
    if record["secret"] is None:
        return ["the secret is not revealed yet"]
    wrong = []
    if hashlib.sha256(bytes.fromhex(record["secret"])).hexdigest() != record["secret_digest"]:
        wrong.append("the secret is not the one whose hash was published")
    terms = {"name": record["track"], "version": record["terms"]["version"], "hash": record["terms"]["hash"]}
    if terms != track.reference:
        return [*wrong, f"the round is of track {terms}, not {track.reference}"]
    entries = record["entries"]
    for what, key in (("commitment", "commitment"), ("key", "public_key"), ("account", "account_id")):
        names = [entry[key] for entry in entries if entry[key] is not None]
        if len(set(names)) != len(names):
            wrong.append(f"{'an' if what == 'account' else 'a'} {what} stands twice")
    submitted = [entry["submission"]["digest"] for entry in entries if entry["submission"]]
    if len(set(submitted)) != len(submitted):
        wrong.append("an attempt stands twice")
    given = {ticket.commit: ticket for ticket in tickets(record, track)}
    for entry in entries:
        if entry["seeds"] != given[entry["commitment"]].seeds:
            wrong.append(f"the ticket of {entry['commitment']} has other seeds than its secret gives")
    for ticket in own:
        known = given.get(ticket.commit)
        if known is None or known.public_key not in ("", ticket.public_key):
            wrong.append(f"the ticket of {ticket.commit} is not in the log")
        elif ticket.seeds != known.seeds:
            wrong.append(f"the ticket of {ticket.commit} has other seeds than its secret gives")
    return wrong + _links(record)


def _links(record: dict[str, Any]) -> list[str]:
    """The log's links about a round hold what the record says, each event in its time."""
    from ludarium.leaderboards.store import payloads
    from ludarium.leaderboards.store.log import link_hash
    from ludarium.leaderboards.store.values import digest_of

    wrong, at = [], {(link["kind"], link["subject"]): link for link in record["links"]}
    if len(at) != len(record["links"]):
        wrong.append("the log says something twice")
    for link in record["links"]:
        parts = (link["number"], link["at"], link["kind"], link["subject"], link["digest"], link["previous"])
        if link_hash(*parts) != link["hash"]:
            wrong.append(f"link {link['number']} of the log is not what its hash is of")

    def number(kind: str, subject: str, content: Any = None) -> float:
        link = at.pop((kind, subject), None)
        if link is None:
            wrong.append(f"the log has no link {kind!r} of {subject}")
            return float("nan")
        if content is not None and link["digest"] != digest_of(content):
            wrong.append(f"the log says something else about {subject} ({kind})")
        return float(link["number"])

    row: Any = SimpleNamespace(**{name: record[name] for name in ("track", "name", "secret", "terms", "opened_at",
                                                                  "closes_at", "closed_at")})  # fmt: skip
    subject = f"round/{record['id']}"
    opened = number("round-opened", subject, payloads.opened(row))
    closed = number("round-closed", subject, payloads.closed(row))
    for entry in record["entries"]:
        attempt: Any = SimpleNamespace(
            round_id=record["id"], account_id=entry["account_id"], commitment=entry["commitment"],
            created_at=entry["created_at"], key_digest=entry["key_digest"],
        )  # fmt: skip
        committed = number("committed", f"attempt/{entry['id']}", payloads.committed(attempt))
        order = [opened, committed]
        if entry["submission"]:
            order.append(number("submitted", entry["submission"]["digest"]))
        order.append(closed)
        if order != sorted(order):
            wrong.append(f"the log has the commitment {entry['commitment']} or its submission out of time")
    return wrong + [f"the record leaves out {subject} ({kind} in the log)" for kind, subject in at]
