"""What the store hands out: frozen records, which stay valid when the database is closed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Access", "Account", "Attempt", "Entry", "Hosted", "Lease", "Link", "Round"]


@dataclass(frozen=True)
class Account:
    """Who submits; `name` and `contact` are None once erased."""

    id: int
    name: str | None
    contact: str | None
    created_at: int
    erased_at: int | None


@dataclass(frozen=True)
class Access:
    """What a token allows."""

    account_id: int
    token_id: int
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """A submission as the board has it."""

    id: int
    digest: str
    size: int
    account_id: int
    account: str | None
    """The account's name, None once erased."""
    track: str
    version: int
    kind: str
    tier: str
    round: str | None
    manifest: dict[str, Any]
    """As it came, or what is left of it after erasure."""
    received_at: int
    state: str
    """Of its job: waiting, leased, done or stuck."""
    verdict: dict[str, Any] | None
    """Without its rows: `Submissions.episodes`."""
    measured: dict[str, Any]
    retracted_at: int | None
    reason: str | None
    erased_at: int | None
    disagreements: int
    """How many other verdicts were found for the same bytes; more than 0 is shown beside the score."""


@dataclass(frozen=True)
class Lease:
    """A worker's right to a job until `until` (microseconds)."""

    job_id: int
    submission_id: int
    digest: str
    secret: str = field(repr=False)
    worker: str
    until: int
    tries: int


@dataclass(frozen=True)
class Round:
    """A sealed round; `secret` is None until it is closed, `secret_digest` is public from the first."""

    id: int
    track: str
    name: str
    secret_digest: str
    secret: str | None
    opened_at: int
    closes_at: int | None
    closed_at: int | None
    terms: dict[str, Any] | None = None
    """What is played: the track's `version` and `hash`, and the `episodes` of each case."""


@dataclass(frozen=True)
class Attempt:
    """An account's one attempt in a round."""

    id: int
    round_id: int
    account_id: int
    commitment: str
    created_at: int
    public_key: str | None = None
    """Whose signature the submission must have; None once erased."""
    key_digest: str | None = None
    """What the log has of the key."""


@dataclass(frozen=True)
class Hosted:
    """A hosted attempt; `secret` is None until it has ended, `secret_digest` is public from the first."""

    id: int
    account_id: int
    account: str | None
    track: str
    terms: dict[str, Any]
    secret_digest: str
    secret: str | None
    opened_at: int
    ended_at: int | None
    outcome: dict[str, Any] | None
    """Of an ended attempt: `why`, `played` (episodes), `submission` (its digest, or null) and `measured`."""
    count: int
    """The how manieth of its account on the track it is."""


@dataclass(frozen=True)
class Link:
    """A link of the log's chain."""

    number: int
    at: int
    kind: str
    subject: str
    digest: str
    previous: str
    hash: str
