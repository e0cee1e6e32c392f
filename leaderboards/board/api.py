"""The API: everything that the board shows, as JSON that anybody may read, and the one address that takes submissions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

import ludarium
from ludarium.envs.core.errors import RefusedError
from ludarium.leaderboards.board.context import Board
from ludarium.leaderboards.board.models import (
    BoardBody,
    EpisodesBody,
    HeadBody,
    LinkBody,
    LogBody,
    Received,
    RoundBody,
    StandingsBody,
    SubmissionBody,
    SubmissionsBody,
    TrackBody,
)
from ludarium.leaderboards.board.pages import track_path
from ludarium.leaderboards.board.refusals import Refusal, responses
from ludarium.leaderboards.board.sending import sent
from ludarium.leaderboards.board.uploads import upload
from ludarium.leaderboards.store import Entry

__all__ = ["router"]

_MOST = 500
Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, 64 hexadecimal digits")]
Name = Annotated[str, Path(max_length=200, description="a track's name")]
After = Annotated[int, Query(ge=0, lt=2**62, description="the `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=_MOST)]
Class = Annotated[Literal["planner", "learned", "llm", "human"] | None, Query(alias="class")]
Tier = Annotated[Literal["replayed", "sealed", "hosted"] | None, Query()]


def router(board: Board) -> APIRouter:
    """The routes under `/api/v1`."""
    found = APIRouter(prefix="/api/v1", dependencies=[Depends(_counted(board))], responses=responses(422, 429, 503))
    _tracks(found, board)
    _submissions(found, board)
    _log(found, board)
    _rounds(found, board)
    return found


def _counted(board: Board) -> Callable[[Request], Awaitable[None]]:
    async def counted(request: Request) -> None:
        if request.method == "GET":
            board.charge_read(request)

    return counted


def _head(board: Board) -> HeadBody:
    number, last = board.store.log.head()
    return HeadBody(number=number, hash=last)


def _state(board: Board) -> BoardBody:
    queue = board.store.queue.counts()
    return BoardBody(ludarium=ludarium.__version__, head=_head(board), queue=queue, tracks=len(board.tracks))


def _tracks(found: APIRouter, board: Board) -> None:
    bodies: dict[str, TrackBody] = {}  # they never change

    def body(name: str) -> TrackBody:
        if name not in bodies:
            bodies[name] = TrackBody.of(board.tracks[name])
        return bodies[name]

    @found.get("/board", tags=["board"])
    async def state_of_the_board() -> BoardBody:
        """Version, head of the log, and the backlog of verification."""
        return await board.read(_state, board)

    @found.get("/tracks", tags=["tracks"])
    async def all_tracks() -> list[TrackBody]:
        """The tracks of this board, by name."""
        return await board.read(lambda: [body(name) for name in sorted(board.tracks)])

    @found.get("/tracks/{name}", tags=["tracks"], responses=responses(404))
    async def one_track(name: Name) -> TrackBody:
        """A track."""
        return await board.read(body, board.track(name).name)

    @found.get("/tracks/{name}/standings", tags=["tracks"], response_model=StandingsBody, responses=responses(404))
    async def standings(request: Request, name: Name, class_: Class = None, tier: Tier = None) -> Response:
        """The ranking of a track as its page shows it; 404 if nothing was submitted in a class or tier."""
        path = f"{track_path(board.track(name).name, class_, tier)}board.json"
        page = await board.pages.get(path)
        if page is None:
            what = "nothing was submitted in this class and tier"
            raise Refusal(404, "nothing_there", what, "another class or tier", "leave the filters out")
        return sent(request, page)


def _entry(board: Board, digest: str) -> Entry:
    try:
        return board.store.submissions.get(digest)
    except RefusedError:
        raise Refusal(404, "no_such_submission", "this board has no such submission",
                      "the SHA-256 of a file that was submitted", "look at /api/v1/submissions") from None  # fmt: skip


def _submissions(found: APIRouter, board: Board) -> None:
    @found.get("/submissions", tags=["submissions"], response_model=SubmissionsBody)
    async def all_submissions(
        request: Request,
        track: Annotated[str | None, Query(max_length=200)] = None,
        version: Annotated[int | None, Query(ge=0, lt=2**31, description="of the track")] = None,
        account: Annotated[str | None, Query(max_length=200, description="an account's name")] = None,
        after: After = 0,
        limit: Limit = 100,
    ) -> Response:
        """Submissions in the order in which they came, with their verdicts; what they report of each episode is not here."""
        wanted = (track, version, account, after, limit)
        found = await board.read(board.answers.get, wanted, lambda: _listed(board, *wanted))
        return sent(request, found)

    @found.get("/submissions/{digest}", tags=["submissions"], responses=responses(404))
    async def one_submission(digest: Digest) -> SubmissionBody:
        """A submission, the state of its verification, and the verdict once there is one."""
        return SubmissionBody.of(await board.read(_entry, board, digest))

    @found.get("/submissions/{digest}/episodes", tags=["submissions"], responses=responses(404))
    async def episodes(digest: Digest, after: After = 0, limit: Limit = 100) -> EpisodesBody:
        """The rows of a verdict: for each episode its score, metrics and digests as the replay found them."""
        await board.read(_entry, board, digest)
        rows = await board.read(board.store.submissions.episodes, digest)
        end = after + limit
        return EpisodesBody(items=rows[after:end], total=len(rows), next=end if end < len(rows) else None)

    @found.get("/submissions/{digest}/log", tags=["log"], responses=responses(404))
    async def history(digest: Digest) -> list[LinkBody]:
        """The links of the log that are about a submission."""
        await board.read(_entry, board, digest)
        return [LinkBody.of(link) for link in await board.read(board.store.log.links, subject=digest)]

    @found.get("/submissions/{digest}/file", tags=["submissions"], responses=responses(404, 410),
               response_class=FileResponse)  # fmt: skip
    async def file(digest: Digest) -> FileResponse:
        """The submitted file itself: `ludarium verify` with this address plays it again."""
        entry = await board.read(_entry, board, digest)
        if entry.erased_at is not None:
            raise Refusal(410, "erased", "this file was erased", "a submission that was not", "choose another one")
        name = f"{entry.track}-{digest[:8]}.ludarium.zip"
        headers = {"Cache-Control": "public, max-age=86400, immutable"}
        return FileResponse(
            board.store.blobs.path(digest), media_type="application/zip", filename=name, headers=headers
        )

    statuses = responses(400, 401, 403, 408, 409, 413)
    body = {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}, "required": True}
    extra = {"requestBody": body, "security": [{"bearer": []}]}

    @found.post("/submissions", tags=["submissions"], status_code=201, openapi_extra=extra,
                responses={**statuses, 200: {"model": Received, "description": "these bytes were here before"}})  # fmt: skip
    async def submit(request: Request) -> Received:
        """Send a file that `ludarium submit` made as the body. 201: it is on the disk and in the queue; 200: it was before."""
        entry, new = await upload(board, request)
        place = f"/api/v1/submissions/{entry.digest}"
        told = Received(
            digest=entry.digest, state=entry.state, track=entry.track, version=entry.version,
            received_at=entry.received_at, status=place, page=f"/submissions/{entry.digest}/",
        )  # fmt: skip
        return _json(told, 201 if new else 200, {"Location": place})  # type: ignore[return-value]


def _json(body: Received, status: int, headers: dict[str, str]) -> Response:
    return JSONResponse(body.model_dump(), status, headers)


def _listed(
    board: Board, track: str | None, version: int | None, account: str | None, after: int, limit: int
) -> SubmissionsBody:
    try:
        owner = None if account is None else board.store.accounts.find(account)
        if account is not None and owner is None:
            return SubmissionsBody(items=[], next=None)
        wanted = {"track": track, "version": version, "account": None if owner is None else owner.id}
        entries = board.store.submissions.all(**wanted, after=after, limit=limit + 1)  # type: ignore[arg-type]
    except RefusedError as error:
        raise Refusal(422, "invalid", str(error), "names as the board has them", "mend the request") from None
    more = len(entries) > limit
    entries = entries[:limit]
    return SubmissionsBody(items=[_brief(entry) for entry in entries], next=entries[-1].id if more else None)


def _brief(entry: Entry) -> SubmissionBody:
    found = SubmissionBody.of(entry)
    found.manifest = {key: value for key, value in found.manifest.items() if key != "reported"}
    return found


def _log(found: APIRouter, board: Board) -> None:
    @found.get("/log", tags=["log"])
    async def log(after: After = 0, limit: Limit = 100) -> LogBody:
        """The verification log: a chain of hashes that anybody can check from the first link to the head."""
        head = await board.read(_head, board)  # first: so that the links lead at least there
        links = await board.read(board.store.log.links, after, limit)
        last = links[-1].number if links else after
        return LogBody(items=[LinkBody.of(x) for x in links], next=last if last < head.number else None, head=head)

    @found.get("/log/head", tags=["log"])
    async def head_of_the_log() -> HeadBody:
        """Where the log ends."""
        return await board.read(_head, board)


def _rounds(found: APIRouter, board: Board) -> None:
    @found.get("/tracks/{name}/rounds", tags=["rounds"], responses=responses(404))
    async def rounds(name: Name) -> list[RoundBody]:
        """The sealed rounds of a track, in order, with who committed to what; secrets of those that are over."""
        board.track(name)
        return await board.read(_rounds_of, board, name)


def _rounds_of(board: Board, name: str) -> list[RoundBody]:
    rounds = board.store.rounds
    return [RoundBody.of(each, rounds.attempts(each.id)) for each in rounds.all(name)]
