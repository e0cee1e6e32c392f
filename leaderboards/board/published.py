"""Sealed rounds that are over, from the records that boards publish of them: what a static site judges submissions on.

A record (`/api/v1/tracks/NAME/rounds/ROUND` of the board that held the round, as a `.json` file) holds the secret, every
commitment and the log's links; it is rechecked whole before anything in it is believed. Whose records are taken is the
choice of whoever builds the site: they must not come from the entrants.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import RunError, SubmissionError
from ludarium.leaderboards.rounds import MAX_RECORD, Ticket, recheck, tickets
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import Track

__all__ = ["PublishedRounds"]


class PublishedRounds:
    """The records in a folder; `RunError` names one that is broken, or of no track that there is."""

    def __init__(self, folder: str | PathLike[str] | None, tracks: list[Track]) -> None:
        known = {track.name: track for track in tracks}
        self._tickets: dict[tuple[str, str], dict[str, Ticket]] = {}
        self._attempts: dict[tuple[str, str, str], str] = {}
        if folder is not None and not Path(folder).is_dir():
            raise RunError(f"{folder}: no folder of records")
        for path in sorted(Path(folder).glob("*.json")) if folder is not None else ():
            record = _read(path)
            track = known.get(str(record.get("track")))
            if track is None:
                raise RunError(f"{path}: is of a track {record.get('track')!r:.100}, which this board does not have")
            try:
                wrong = recheck(record, track)
                given = {ticket.commit: ticket for ticket in tickets(record, track)} if not wrong else {}
            except SubmissionError as error:
                raise RunError(f"{path}: {error}") from error
            if wrong:
                raise RunError(f"{path}: the record does not hold: {wrong[0]}")
            place = track.name, str(record["name"])
            if place in self._tickets:
                raise RunError(f"{path}: a second record of round {record['name']!r:.100} of track {track.name!r}")
            self._tickets[place] = given
            for entry in record["entries"]:
                if entry["submission"]:
                    self._attempts[(*place, entry["commitment"])] = entry["submission"]["digest"]

    def track_of(self, submission: Submission, track: Track) -> Track:
        """The track on the seeds that were drawn for a sealed submission; `SubmissionError` if it was no attempt of the round."""
        said = submission.manifest.sealed
        name, commit = said.get("round", ""), said.get("commit", "")
        ticket = self._tickets.get((track.name, name), {}).get(commit)
        if (track.name, name) not in self._tickets:
            raise SubmissionError(f"is of the sealed round {name!r:.100}, of which there is no record here")
        if ticket is None:
            raise SubmissionError(f"nobody committed to {commit} in round {name!r:.100}")
        ticket.check(submission)
        if self._attempts.get((track.name, name, commit)) != submission.hash:
            raise SubmissionError(f"is not the submission that the log of round {name!r:.100} has for its commitment")
        return ticket.apply(track)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_RECORD:
            raise RunError(f"{path}: more than {MAX_RECORD} bytes; no record of a round")
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: no record of a round: {error}") from error
    if not isinstance(record, dict):
        raise RunError(f"{path}: no record of a round; expected a JSON object")
    return record
