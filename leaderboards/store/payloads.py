"""What the log's links hold the digest of. Nothing personal: all of it must still be there after an erasure."""

from __future__ import annotations

from typing import Any

from ludarium.leaderboards.store.models import AttemptRow, HostedRow, RoundRow, SubmissionRow
from ludarium.leaderboards.store.values import canonical, digest

__all__ = [
    "IMPERSONAL",
    "MEASURED",
    "closed",
    "committed",
    "confirmed",
    "episode_digest",
    "erased",
    "hosted_ended",
    "hosted_opened",
    "impersonal",
    "key_digest",
    "manifest_digest",
    "opened",
    "repeatable",
    "retracted",
    "secret_digest",
    "submitted",
    "verdict",
]

IMPERSONAL = ("class", "format", "kernels", "reported", "suite", "tier", "track")
"""What an erasure leaves of a manifest; names, authors, links, labels and keys may lead to a person."""
MEASURED = ("cpu_s", "guard", "wall_s")
"""What a verdict says of its own making, which another machine does not repeat: kept, but neither compared nor chained."""


def impersonal(manifest: dict[str, Any]) -> dict[str, Any]:
    """A manifest without all that may be personal."""
    return {key: manifest[key] for key in IMPERSONAL if key in manifest}


def manifest_digest(salt: str, manifest: dict[str, Any]) -> str:
    """A digest that tells nothing of the manifest once the salt is gone."""
    return digest((salt + canonical(manifest)).encode("ascii"))


def submitted(row: SubmissionRow) -> Any:
    """A submission, as it was received."""
    return {
        "id": row.id,
        "digest": row.digest,
        "size": row.size,
        "account": row.account_id,
        "track": row.track,
        "version": row.version,
        "class": row.kind,
        "tier": row.tier,
        "round": row.round_id,
        "manifest": row.manifest_digest,
        "received_at": row.received_at,
    }


def episode_digest(row: dict[str, Any]) -> str | None:
    """The digest of a verdict's row, by which it is found; None if it has none."""
    found = row.get("digest")
    return found if isinstance(found, str) else None


def verdict(found: dict[str, Any], rows: list[dict[str, Any]]) -> Any:
    """A verdict with its rows."""
    return {"verdict": found, "rows": rows}


def repeatable(payload: Any) -> Any:
    """What a second run of the same bytes must find too: flags may come with a newer version that judges."""
    return {**payload, "verdict": {key: value for key, value in payload["verdict"].items() if key != "flags"}}


def confirmed(verdict_digest: str) -> Any:
    """A second look that found the same."""
    return {"verdict": verdict_digest}


def retracted(reason: str | None) -> Any:
    """A retraction and its public reason."""
    return {"reason": reason}


def erased() -> Any:
    """An erasure: that it happened, nothing else."""
    return {}


def secret_digest(secret: str) -> str:
    """What a round publishes of its secret: SHA-256 of the bytes that the hexadecimal digits mean."""
    try:
        return digest(bytes.fromhex(secret))
    except ValueError:  # somebody changed it
        return digest(secret.encode("utf-8", "surrogatepass"))


def opened(row: RoundRow) -> Any:
    """A round, and what its secret is bound by before it is known."""
    return {
        "track": row.track,
        "name": row.name,
        "secret": secret_digest(row.secret),
        "opened_at": row.opened_at,
        "closes_at": row.closes_at,
        **({} if row.terms is None else {"terms": row.terms}),
    }


def closed(row: RoundRow) -> Any:
    """A round's end, when its secret becomes known."""
    return {"secret": row.secret, "closed_at": row.closed_at}


def committed(row: AttemptRow) -> Any:
    """An attempt, before its seeds were known."""
    return {
        "round": row.round_id,
        "account": row.account_id,
        "commitment": row.commitment,
        "created_at": row.created_at,
        **({} if row.key_digest is None else {"key": row.key_digest}),
    }


def key_digest(salt: str, public_key: str) -> str:
    """A digest that tells nothing of the key once the salt is gone."""
    return digest((salt + public_key).encode("utf-8", "surrogatepass"))


def hosted_opened(row: HostedRow) -> Any:
    """A hosted attempt, before its first episode."""
    return {
        "id": row.id,
        "account": row.account_id,
        "track": row.track,
        "terms": row.terms,
        "secret": secret_digest(row.secret),
        "opened_at": row.opened_at,
    }


def hosted_ended(row: HostedRow) -> Any:
    """What became of it."""
    return {"secret": row.secret, "ended_at": row.ended_at, "outcome": row.outcome}
