"""The routes of sealed rounds: entering one, its record, and the seeds of a submission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from ludarium.envs.core.errors import RefusedError
from ludarium.leaderboards.board.context import Board
from ludarium.leaderboards.board.drawn import enter, record, seeds_of
from ludarium.leaderboards.board.refusals import Refusal, responses

__all__ = ["router"]


class EnterBody(BaseModel):
    """What an entrant is bound to."""

    model_config = ConfigDict(extra="forbid")
    commitment: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of a salt and of what will play")
    public_key: str = Field(pattern="^[0-9a-f]{64}$", description="the key that will sign the submission")


class TicketBody(BaseModel):
    """The seeds of a commitment: save it as a file for `ludarium run` and `ludarium submit --ticket`."""

    round: str
    track: dict[str, Any]
    commit: str
    public_key: str
    seeds: dict[str, list[int]]
    tier: str = "sealed"


Name = Annotated[str, Path(max_length=200, description="a track's name")]
RoundName = Annotated[str, Path(max_length=200, description="a round's name")]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


def router(board: Board) -> APIRouter:
    """The routes of rounds under `/api/v1`."""
    found = APIRouter(prefix="/api/v1", responses=responses(404, 422, 429, 503))

    @found.post("/tracks/{name}/rounds/{round_name}", tags=["rounds"], responses=responses(401, 403, 409),
                openapi_extra={"security": [{"bearer": []}]})  # fmt: skip
    async def commit(request: Request, name: Name, round_name: RoundName, body: EnterBody) -> TicketBody:
        """Commit, and get a ticket. An account has one attempt in a round; the same commitment again gives the same ticket."""
        access = await board.access(request, "submit")
        board.charge(board.uploads, access.account_id, "requests from this account")
        track = board.track(name)
        ticket = await board.write(
            enter, board.store, track, round_name, access.account_id, body.commitment, body.public_key
        )
        return TicketBody(**ticket.__dict__)

    @found.get("/tracks/{name}/rounds/{round_name}", tags=["rounds"])
    async def one_round(request: Request, name: Name, round_name: RoundName) -> dict[str, Any]:
        """The record of a round: `ludarium verify --round` with this address rechecks one that is over."""
        board.charge_read(request)
        track = board.track(name)
        found = await board.read(board.store.rounds.find, track.name, round_name)
        if found is None:
            raise Refusal(404, "no_such_round", "this track has no such round", "one of its rounds",
                          "look at /api/v1/tracks/NAME/rounds")  # fmt: skip
        return await board.read(record, board.store, track, found)

    @found.get("/submissions/{digest}/seeds", tags=["submissions"])
    async def seeds(request: Request, digest: Digest) -> dict[str, Any]:
        """The seeds that were drawn for a submission (null: those of the track), and its ticket's other fields."""
        board.charge_read(request)
        return await board.read(_ticket_of, board, digest)

    return found


def _ticket_of(board: Board, digest: str) -> dict[str, Any]:
    """What is needed to judge a submission anew, as a ticket's fields."""
    try:
        entry = board.store.submissions.get(digest)
    except RefusedError:
        raise Refusal(404, "no_such_submission", "this board has no such submission") from None
    track = board.track(entry.track)
    named: Mapping[str, Any] = entry.manifest.get("sealed", {})
    return {
        "round": named.get("round"), "track": track.reference, "commit": named.get("commit"), "tier": entry.tier,
        "public_key": entry.manifest.get("public_key"), "seeds": seeds_of(board.store, entry, track),
    }  # fmt: skip
