"""Seeds that a board draws: rounds, their tickets and records, which submissions are taken, and on what they are judged.

The store keeps rounds and attempts and rules over them; the seeds and the recheck are those of `leaderboards/rounds.py`.
"""

from __future__ import annotations

import re
from typing import Any

from ludarium.envs.core.errors import RefusedError
from ludarium.leaderboards.rounds import Ticket, sealed_seeds
from ludarium.leaderboards.store import Attempt, Entry, Hosted, Round, Store
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import Track

__all__ = [
    "admit",
    "enter",
    "hosted_name",
    "hosted_seeds",
    "open_round",
    "record",
    "rotate_round",
    "seeds_of",
    "terms_of",
]
__all__ += ["track_of"]

MOST_EPISODES = 10_000
_HEX = re.compile(r"[0-9a-f]{64}", re.A)
_HOSTED = re.compile(r"hosted-([0-9]{1,15})", re.A)


# --- for the operator --------------------------------------------------------------------------------------------------
def terms_of(track: Track, episodes: int | None = None) -> dict[str, Any]:
    """What is played of a track on drawn seeds: `episodes` a case, or as many as the track has."""
    count = episodes if episodes is not None else max(len(seeds) for seeds in track.seeds.values())
    if not 1 <= count * len(track.world.cases) * track.world.trials <= MOST_EPISODES:
        raise RefusedError(f"episodes = {count} a case; expected 1 or more, and at most {MOST_EPISODES} in all")
    return {"version": track.version, "hash": track.hash, "episodes": count}


def open_round(
    store: Store, track: Track, name: str, seconds: float | None = None, episodes: int | None = None
) -> Round:
    """Open a round of a track."""
    _is_sealed(track)
    return store.rounds.open(track.name, _round_name(name), seconds, terms_of(track, episodes))


def rotate_round(
    store: Store, track: Track, name: str, seconds: float | None = None, episodes: int | None = None
) -> tuple[Round, Round]:
    """Close the open round of a track, whose secret is public from now on, and open the next."""
    _is_sealed(track)
    return store.rounds.rotate(track.name, _round_name(name), seconds, terms_of(track, episodes))


def _is_sealed(track: Track) -> None:
    if "sealed" not in track.tiers:
        raise RefusedError(f"track {track.name!r} has no sealed tier")


def _round_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name, re.A) or _HOSTED.fullmatch(name):
        raise RefusedError(f"round {name!r:.80}; expected letters, digits, dots and hyphens, and not hosted-NUMBER")
    return name


# --- entering ----------------------------------------------------------------------------------------------------------
def enter(store: Store, track: Track, name: str, account: int, commit: str, public_key: str) -> Ticket:
    """Enter a commitment and give its ticket; the same one again gives the same ticket, another one nothing."""
    for what, given in (("commitment", commit), ("public_key", public_key)):
        if not _HEX.fullmatch(given):
            raise RefusedError(f"{what} = {given!r:.80}; expected 64 hexadecimal digits in lower case")
    found = store.rounds.find(track.name, name)
    if found is None:
        raise RefusedError(f"track {track.name!r} has no round {name!r:.100}")
    _same_state(found.terms, track, f"round {name!r}")
    return _ticket(store, track, found, store.rounds.enter(found.id, account, commit, public_key))


def _same_state(terms: dict[str, Any] | None, track: Track, what: str) -> dict[str, Any]:
    if terms is None or (terms["version"], terms["hash"]) != (track.version, track.hash):
        was = "no state of a track that it names" if terms is None else f"version {terms['version']}, {terms['hash']}"
        raise RefusedError(
            f"{what} is of {was}; this board has version {track.version} of {track.name!r}, {track.hash}"
        )
    return terms


def _ticket(store: Store, track: Track, found: Round, attempt: Attempt) -> Ticket:
    terms = _same_state(found.terms, track, f"round {found.name!r}")
    seeds = sealed_seeds(
        bytes.fromhex(store.rounds.secret(found.id)), found.name, attempt.commitment, track, terms["episodes"]
    )
    told = {case: list(own) for case, own in seeds.items()}
    return Ticket(found.name, track.reference, attempt.commitment, attempt.public_key or "", told)


def admit(store: Store, submission: Submission, track: Track, account: int) -> int | None:
    """The number of the round that an upload is for, None for one on public seeds; `RefusedError` if it may not be taken.

    Whether the round is open, and the attempt not yet taken, is the store's to say when it adds the submission.
    """
    said = submission.manifest
    if said.tier == "hosted":
        raise RefusedError("hosted submissions are made by the board itself: ludarium run --hosted")
    if said.tier != "sealed":
        return None
    found = store.rounds.find(track.name, said.sealed["round"])
    if found is None:
        raise RefusedError(f"track {track.name!r} has no round {said.sealed['round']!r:.100}")
    own = [attempt for attempt in store.rounds.attempts(found.id) if attempt.account_id == account]
    if [attempt.commitment for attempt in own] != [said.sealed["commit"]]:
        raise RefusedError(f"your account did not commit to this in round {found.name!r}")
    if own[0].public_key != said.public_key:
        raise RefusedError(f"signed by another key than the one that entered round {found.name!r}")
    return found.id


# --- judging -----------------------------------------------------------------------------------------------------------
def hosted_name(attempt: Hosted) -> str:
    """What a manifest calls a hosted attempt."""
    return f"hosted-{attempt.id}"


def track_of(store: Store, entry: Entry, track: Track) -> Track:
    """The track on which a submission of a board is judged: on the seeds of its ticket, if it is of a drawn tier."""
    seeds = seeds_of(store, entry, track)
    return track if seeds is None else track.with_seeds({case: tuple(own) for case, own in seeds.items()})


def seeds_of(store: Store, entry: Entry, track: Track) -> dict[str, list[int]] | None:
    """The seeds that the board drew for a submission; None on public seeds. `RefusedError` if its records have none."""
    if entry.tier == "sealed":
        found = None if entry.round is None else store.rounds.find(entry.track, entry.round)
        own = [] if found is None else [a for a in store.rounds.attempts(found.id) if a.account_id == entry.account_id]
        if found is None or not own:
            raise RefusedError(f"{entry.digest}: its account has no attempt in its round")
        return _ticket(store, track, found, own[0]).seeds
    if entry.tier == "hosted":
        named = _HOSTED.fullmatch(str(entry.manifest.get("sealed", {}).get("round", "")))
        if named is None:
            raise RefusedError(f"{entry.digest}: names no hosted attempt")
        return hosted_seeds(store, store.hosting.get(int(named[1])), track)
    return None


def hosted_seeds(store: Store, attempt: Hosted, track: Track) -> dict[str, list[int]]:
    """The seeds of a hosted attempt: those of a round of its own, in which the board committed to the secret's hash."""
    terms = _same_state(attempt.terms, track, hosted_name(attempt))
    secret = bytes.fromhex(store.hosting.private(attempt.id)[0])
    seeds = sealed_seeds(secret, hosted_name(attempt), attempt.secret_digest, track, terms["episodes"])
    return {case: list(own) for case, own in seeds.items()}


# --- the record --------------------------------------------------------------------------------------------------------
def record(store: Store, track: Track, found: Round) -> dict[str, Any]:
    """All that is public of a round: while it is open who committed to what, when it is over also secret and seeds."""
    attempts = store.rounds.attempts(found.id)
    entries = {entry.account_id: entry for entry in _of_round(store, found)}
    subjects = [f"round/{found.id}", *(f"attempt/{attempt.id}" for attempt in attempts)]
    subjects += [entry.digest for entry in entries.values()]
    kinds = ("round-opened", "round-closed", "committed", "submitted")
    links = [link for subject in subjects for link in store.log.links(subject=subject) if link.kind in kinds]
    told = {n: getattr(found, n) for n in ("id", "track", "name", "terms", "secret_digest", "secret", "opened_at",
                                           "closes_at", "closed_at")}  # fmt: skip
    rows = [_row(store, track, found, attempt, entries.get(attempt.account_id)) for attempt in attempts]
    return {**told, "entries": rows, "links": [dict(link.__dict__) for link in sorted(links, key=lambda x: x.number)]}


def _of_round(store: Store, found: Round) -> list[Entry]:
    after, entries = 0, []
    while page := store.submissions.all(track=found.track, after=after):
        entries += [entry for entry in page if entry.round == found.name]
        after = page[-1].id
    return entries


def _row(store: Store, track: Track, found: Round, attempt: Attempt, entry: Entry | None) -> dict[str, Any]:
    own = {n: getattr(attempt, n) for n in ("id", "account_id", "commitment", "public_key", "key_digest", "created_at")}
    verdict = None if entry is None or entry.verdict is None else entry.verdict
    submission = None if entry is None else {
        "digest": entry.digest, "state": entry.state, "erased": entry.erased_at is not None,
        "retracted": entry.reason, "disagreements": entry.disagreements,
        "verdict": None if verdict is None else {n: verdict.get(n) for n in ("ok", "score", "digest")},
    }  # fmt: skip
    seeds = None if found.secret is None else _ticket(store, track, found, attempt).seeds
    return {**own, "submission": submission, "seeds": seeds}
