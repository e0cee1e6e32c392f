"""The routes of hosted attempts: beginning one, its messages, and what anybody may know of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from ludarium.envs.core.errors import LudariumError, RefusedError, StoreError
from ludarium.leaderboards import keys
from ludarium.leaderboards.board.context import Board, every
from ludarium.leaderboards.board.drawn import hosted_name, hosted_seeds
from ludarium.leaderboards.board.hosting import Hosting
from ludarium.leaderboards.board.refusals import Refusal, responses
from ludarium.leaderboards.serve.messages import ServeError, read_json
from ludarium.leaderboards.store import Hosted

__all__ = ["router"]

THREADS = 8
TICK_SECONDS = 5.0
Number = Annotated[int, Path(ge=1, lt=2**62, description="an attempt's number")]
_DO = {"STALE": "ask for the question that waits (type look)", "NO_TASKS_LEFT": "the attempt ends by itself"}


class OpenBody(BaseModel):
    """Who plays what, and how it wants to be told."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    track: str = Field(max_length=200)
    name: str = Field(max_length=100, description="what the board shows")
    class_: str = Field(alias="class", max_length=20, description="planner, learned, llm or human")
    agent: str = Field(default="hosted", max_length=300, description="what plays, in your words: a label")
    authors: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=50)
    links: dict[str, str] = Field(default={}, max_length=4)
    view: str = Field(default="text", description="array, text, tools or state")
    information: str = Field(default="full", description="local, global or full: never more than the track permits")
    arrays: str = Field(default="base64", description="base64 or lists")


class AttemptBody(BaseModel):
    """What anybody may know of an attempt."""

    id: int
    name: str = Field(description="what the submission's manifest calls it")
    account: str | None
    track: dict[str, Any]
    count: int = Field(description="the how manieth attempt of its account on this track it is")
    state: str = Field(description="open or ended")
    episodes: int
    begun: int | None = Field(description="null on another server, and after the end")
    done: int | None
    secret_digest: str = Field(description="SHA-256 of the secret, on record before the first episode")
    secret: str | None = Field(description="null until the attempt has ended")
    seeds: dict[str, list[int]] | None = Field(description="as they follow from the secret")
    opened_at: int
    ended_at: int | None
    outcome: dict[str, Any] | None = Field(
        description="`why`, `played`, `submission`, `measured` (seconds of the board's clock)"
    )


class Opened(AttemptBody):
    """An attempt that has just begun."""

    key: str = Field(description="send it with every message: Authorization: Bearer KEY. It is not shown again")
    messages: str = Field(description="where messages go")


def router(board: Board) -> APIRouter:
    """The routes under `/api/v1/hosted`, and the thread that looks after attempts."""
    rooms = Hosting(board.store, board.tracks, board.settings.hosted)
    pool = ThreadPoolExecutor(THREADS, "board-hosted")

    async def do(function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(pool, _told, function, *arguments)

    async def tick() -> None:
        await asyncio.get_running_loop().run_in_executor(pool, rooms.tick)

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        keeper = asyncio.create_task(every(TICK_SECONDS, tick))
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.to_thread(rooms.close)
            pool.shutdown(wait=True, cancel_futures=True)

    found = APIRouter(prefix="/api/v1/hosted", tags=["hosted"], lifespan=lifespan, responses=responses(422, 429, 503))
    bearer: dict[str, Any] = {"security": [{"bearer": []}]}

    @found.get("/key")
    async def key_of_the_board(request: Request) -> dict[str, str]:
        """The public key that signs hosted submissions."""
        board.charge_read(request)
        return {"public_key": await do(lambda: keys.public_key(rooms.key))}

    @found.get("")
    async def all_attempts(
        request: Request,
        track: Annotated[str | None, Query(max_length=200)] = None,
        after: Annotated[int, Query(ge=0, lt=2**62)] = 0,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> list[AttemptBody]:
        """Attempts in order, whatever became of them."""
        board.charge_read(request)
        rows = await board.read(board.store.hosting.all, track=track, after=after, limit=limit)
        return [await do(_public, board, rooms, row) for row in rows if row.track in board.tracks]

    @found.get("/{number}", responses=responses(404))
    async def one_attempt(request: Request, number: Number) -> AttemptBody:
        """An attempt."""
        board.charge_read(request)
        return await do(_public, board, rooms, await _known(board, number))

    @found.post("", status_code=201, responses=responses(401, 403, 404, 409), openapi_extra=bearer)
    async def open_attempt(request: Request, body: OpenBody) -> Opened:
        """Begin an attempt. It counts from now on, whatever becomes of it."""
        access = await board.access(request, "submit")
        board.charge(board.uploads, access.account_id, "requests from this account")
        track = board.track(body.track)
        record, key = await do(rooms.open, access.account_id, track, body.model_dump(by_alias=True))
        public = await do(_public, board, rooms, record)
        return Opened(**public.model_dump(), key=key, messages=f"/api/v1/hosted/{record.id}/messages")

    @found.post("/{number}/messages", responses=responses(400, 403, 404, 409, 410, 413), openapi_extra=bearer,
                response_class=Response)  # fmt: skip
    async def message(request: Request, number: Number) -> Response:
        """Say `begin`, answer questions (`agents/protocol.json`), `look` at the one that waits, or `end` the attempt."""
        told = await do(_answer, rooms, number, _key_of(request.headers), await request.body())
        return Response(told, media_type="application/json")

    @found.websocket("/{number}/socket")
    async def socket(connection: WebSocket, number: Number) -> None:
        await _talk(do, rooms, connection, number)

    return found


async def _talk(do: Any, rooms: Hosting, connection: WebSocket, number: int) -> None:
    """The messages over one connection, each answered in turn. It is refused to pages, and while another one is there."""
    try:
        if "origin" in connection.headers:
            raise Refusal(403, "refused", "pages do not play")
        attempt = await do(rooms.find, number, _key_of(connection.headers))
        await do(rooms.attach, attempt, connection)
    except Refusal:
        await connection.close(1008)  # before it is accepted: the handshake ends in 403
        return
    try:
        await connection.accept()
        while True:
            try:
                told = await do(_heard, rooms, attempt, await connection.receive_text(), connection)
            except Refusal as refusal:
                told = json.dumps({"type": "error", **refusal.body}).encode()
            await connection.send_text(told.decode())
    except (WebSocketDisconnect, KeyError, RuntimeError):  # gone, or bytes in place of text
        pass
    finally:
        rooms.detach(attempt)
        with contextlib.suppress(RuntimeError):
            await connection.close(1003)


def _key_of(headers: Mapping[str, str]) -> str:
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else ""


def _answer(rooms: Hosting, number: int, key: str, given: bytes) -> bytes:
    attempt = rooms.find(number, key)
    return rooms.message(attempt, read_json(given))


def _heard(rooms: Hosting, attempt: Any, given: str, socket: object) -> bytes:
    return rooms.message(attempt, read_json(given), socket)


def _told(function: Any, *arguments: Any) -> Any:
    """Call it; what goes wrong is the client's to hear of."""
    try:
        return function(*arguments)
    except ServeError as error:
        code = error.code.lower()
        raise Refusal(error.status, code, str(error), "a message as agents/protocol.json has them",
                      _DO.get(error.code, "mend the message")) from None  # fmt: skip
    except RefusedError as error:
        raise Refusal(409, "refused", str(error), "what the board can take", "mend the request") from None
    except StoreError:
        raise
    except LudariumError as error:
        raise Refusal(500, "execution_error", f"the world failed: {type(error).__name__}: {error}"[:500], "an answer",
                      "begin another episode") from error  # fmt: skip


async def _known(board: Board, number: int) -> Hosted:
    try:
        return await board.read(board.store.hosting.get, number)
    except RefusedError:
        raise Refusal(404, "no_such_attempt", "this board has no such attempt", "an attempt's number",
                      "look at /api/v1/hosted") from None  # fmt: skip


def _public(board: Board, rooms: Hosting, row: Hosted) -> AttemptBody:
    track = board.track(row.track)
    cases, trials = len(track.world.cases), track.world.trials
    progress = rooms.progress(row.id)
    seeds = None
    if row.secret is not None:
        with contextlib.suppress(RefusedError):  # the track is another one by now
            seeds = hosted_seeds(board.store, row, track)
    return AttemptBody(
        id=row.id, name=hosted_name(row), account=row.account,
        track={"name": row.track, "version": row.terms["version"], "hash": row.terms["hash"]}, count=row.count,
        state="open" if row.ended_at is None else "ended", episodes=int(row.terms["episodes"]) * cases * trials,
        begun=progress.get("begun"), done=progress.get("done"), secret_digest=row.secret_digest, secret=row.secret,
        seeds=seeds, opened_at=row.opened_at, ended_at=row.ended_at, outcome=row.outcome,
    )  # fmt: skip
