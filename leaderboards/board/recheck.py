"""What anybody can check of a board from outside: a submission by its address, and a sealed round that is over.

The files are fetched and judged here, on tracks of this machine; what the board says of them is only compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ludarium.envs.core.errors import SubmissionError
from ludarium.leaderboards.board.client import BoardClient, BoardError
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.rounds import MAX_RECORD, Ticket, recheck, sealed_seeds, tickets
from ludarium.leaderboards.submission import LIMITS, SUFFIX, Submission
from ludarium.leaderboards.track import Track
from ludarium.leaderboards.verdict import Verdict

__all__ = ["Checked", "board_address", "check_round", "fetch_submission", "judge_there", "round_address"]

_SUBMISSION = re.compile(r"(?P<board>https?://[^?#]*?)(/api/v1)?/submissions/(?P<digest>[0-9a-f]{64})(/|/file)?", re.A)
_ROUND = re.compile(r"(?P<board>https?://[^?#]*?)(?P<path>/api/v1/tracks/[^/?#]{1,200}/rounds/[^/?#]{1,200})", re.A)
_KEYS = ("round", "track", "commit", "public_key", "seeds", "tier")


class Checked(NamedTuple):
    """A submission of a board, fetched but not yet judged."""

    submission: Submission
    ticket: Ticket | None
    recorded: dict[str, Any]
    """What the board says of it."""


def board_address(address: str) -> tuple[str, str] | None:
    """The board and the digest of a submission's address (its page, its API, its file); None for another address."""
    found = _SUBMISSION.fullmatch(address)
    return None if found is None else (found["board"], found["digest"])


def round_address(address: str) -> tuple[str, str] | None:
    """The board and the path of a round's record; None for another address."""
    found = _ROUND.fullmatch(address)
    return None if found is None else (found["board"], found["path"])


def fetch_submission(board: str, digest: str) -> Checked:
    """A board's submission with the ticket that it was judged on; `SubmissionError` if the bytes are not those of the digest."""
    client = BoardClient(board)
    try:
        recorded = client.get(f"/api/v1/submissions/{digest}")
        submission = _file(client, digest)
        return Checked(submission, _ticket(client, digest, submission), recorded)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BoardError(f"{client.address}: its answer has not the form of a board's: {error!s:.200}") from error
    finally:
        client.close()


def _file(client: BoardClient, digest: str) -> Submission:
    data = client.data(f"/api/v1/submissions/{digest}/file", LIMITS.packed)
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise SubmissionError(f"{client.address}: submission {digest}: the file is another one ({found})")
    return Submission(data, "submission")


def _ticket(client: BoardClient, digest: str, submission: Submission) -> Ticket | None:
    """The ticket of a drawn tier."""
    if submission.manifest.tier == "replayed":
        return None
    told = client.get(f"/api/v1/submissions/{digest}/seeds")
    ticket = Ticket(**{key: told[key] for key in _KEYS})
    ticket.check(submission)
    return ticket


def _hosted(client: BoardClient, digest: str, ticket: Ticket, track: Track) -> str:
    """Why a hosted attempt is not this submission's, or its seeds not those of its secret, if they are not."""
    attempt = client.get(f"/api/v1/hosted/{int(ticket.round.removeprefix('hosted-'))}")
    if attempt["outcome"]["submission"] != digest:
        return "the board did not make this submission of the attempt that it names"
    secret = bytes.fromhex(attempt["secret"])
    if hashlib.sha256(secret).hexdigest() != ticket.commit or attempt["secret_digest"] != ticket.commit:
        return "the attempt's secret is not the one that the submission was bound to"
    episodes = max(len(seeds) for seeds in ticket.seeds.values())
    seeds = sealed_seeds(secret, ticket.round, ticket.commit, track, episodes)
    if {case: list(own) for case, own in seeds.items()} != ticket.seeds:
        return "the seeds are not those that follow from the attempt's secret"
    return ""


def judge_there(board: str, found: Checked, track: Track) -> dict[str, Any]:
    """Judge a board's submission here; the verdict, `ok` only if the board says the same, and under `board` what it says."""
    on = track if found.ticket is None else found.ticket.apply(track)
    verdict = judge(found.submission, on)
    told = verdict.as_dict()
    problems = [*told["problems"]]
    if found.ticket is not None and found.ticket.tier == "hosted":
        client = BoardClient(board)
        try:
            wrong = _hosted(client, found.submission.hash, found.ticket, track)
        except (KeyError, TypeError, ValueError) as error:  # BoardError too
            wrong = f"the board does not show the attempt: {error!s:.200}"
        finally:
            client.close()
        problems += [{"where": board, "what": wrong}] if wrong else []
    recorded = found.recorded.get("verdict")
    other = _differs(verdict, recorded) if isinstance(recorded, dict) else ""
    problems += [{"where": board, "what": other}] if other else []
    says = {n: found.recorded.get(n) for n in ("state", "retracted_at", "reason", "disagreements")}
    return {**told, "ok": verdict.ok and not problems, "problems": problems, "board": {**says, "verdict": recorded}}


def _differs(found: Verdict, recorded: dict[str, Any]) -> str:
    for name, value in (("ok", found.ok), ("score", found.score), ("digest", found.digest)):
        if recorded.get(name) != value:
            return f"the board says {name} = {recorded.get(name)!r:.80}; judged here it is {value!r}"
    return ""


# --- rounds ------------------------------------------------------------------------------------------------------------
def check_round(
    where: str, load: Callable[[str], Track], *, progress: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """Recheck a round by its record, at an address or in a file: tickets, the log's links, and every verdict anew.

    Submissions are fetched from the board, or lie beside the file. Returns `ok`, `problems` (sentences), `notes`, `entries`,
    `judged` and the `tickets`.
    """
    at = round_address(where)
    client = None if at is None else BoardClient(at[0])
    try:
        record = client.get(at[1], MAX_RECORD) if client and at else _local(where)
        if not isinstance(record, dict) or not isinstance(record.get("track"), str):
            raise SubmissionError(f"{where}: no record of a sealed round")
        track = load(record["track"])
        problems, notes, judged = recheck(record, track), [], 0
        own = tickets(record, track) if not problems else []
        for entry, ticket in zip(record["entries"], own, strict=False):
            if not entry["submission"]:
                notes.append(f"attempt {entry['id']}: nothing was submitted")
                continue
            said = entry["submission"]
            if said["erased"]:
                notes.append(f"{said['digest']}: erased; nobody can judge it again")
                continue
            judged += 1
            for wrong in _entry(client, where, said, ticket, track):
                problems.append(f"{said['digest']}: {wrong}")
            progress(f"{said['digest']}: judged")
    except (KeyError, TypeError, AttributeError) as error:
        raise SubmissionError(
            f"{where}: no record of a sealed round: {type(error).__name__}: {error!s:.200}"
        ) from error
    finally:
        if client is not None:
            client.close()
    return {"ok": not problems, "round": record.get("name"), "track": track.reference, "problems": problems, "notes": notes,
            "entries": len(record["entries"]), "judged": judged, "tickets": [asdict(each) for each in own]}  # fmt: skip


def _entry(client: BoardClient | None, where: str, said: dict[str, Any], ticket: Ticket, track: Track) -> Iterator[str]:
    try:
        submission = _file(client, said["digest"]) if client else _beside(Path(where).parent, said["digest"])
        if ticket.public_key:
            ticket.check(submission)
        verdict = judge(submission, ticket.apply(track))
    except SubmissionError as error:
        yield str(error)
        return
    if said["verdict"] is None:
        yield f"has no verdict ({said['state']})"
    elif other := _differs(verdict, said["verdict"]):
        yield other


def _local(where: str) -> Any:
    path = Path(where)
    try:
        if path.stat().st_size > MAX_RECORD:
            raise SubmissionError(f"{where}: more than {MAX_RECORD} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        known = urlsplit(where).scheme in ("http", "https")
        form = "; the address of a round is BOARD/api/v1/tracks/TRACK/rounds/ROUND" if known else ""
        raise SubmissionError(f"{where}: no record of a sealed round: {error!s:.200}{form}") from error


def _beside(folder: Path, digest: str) -> Submission:
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if path.stat().st_size <= LIMITS.packed:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                return Submission(data, "submission")
    raise SubmissionError(f"its file is not in {folder}")
