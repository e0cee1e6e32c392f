"""The server: API, pages, health and figures of one board, as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

import ludarium
from ludarium.envs.core.errors import StoreError
from ludarium.leaderboards.board import api, films, hosted, listing, sealed
from ludarium.leaderboards.board.context import Board, every
from ludarium.leaderboards.board.gate import Gate
from ludarium.leaderboards.board.metrics import SEEN_SECONDS
from ludarium.leaderboards.board.refusals import Refusal, handle_errors
from ludarium.leaderboards.board.sending import sent
from ludarium.leaderboards.board.settings import Settings
from ludarium.leaderboards.store import Store

__all__ = ["create_app"]

_WATCH_SECONDS = 1.0
_SWEEP_SECONDS = 3600.0
_ABOUT = """The board's data, for anybody to read. Errors are `{error, what, expected, do}`. Uploads need a token
(`Authorization: Bearer TOKEN`); everything else does not."""


def create_app(store: Store, settings: Settings | None = None) -> FastAPI:
    """The application on a store, which the caller closes after it."""
    board = Board(store, settings or Settings())

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        chores = ((_WATCH_SECONDS, _watch), (_SWEEP_SECONDS, _sweep))
        tasks = [asyncio.create_task(every(s, functools.partial(chore, board))) for s, chore in chores]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.to_thread(board.close)

    app = FastAPI(
        title="Ludarium board", description=_ABOUT, version=ludarium.__version__,
        openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False,
    )  # fmt: skip
    app.state.board = board
    handle_errors(app)
    _health(app, board)
    app.include_router(api.router(board))
    app.include_router(films.router(board))
    app.include_router(sealed.router(board))
    app.include_router(hosted.router(board))
    _describe(app)
    _pages(app, board)  # last: it takes every address that is left
    app.add_middleware(Gate, board=board)
    return app


async def _watch(board: Board) -> None:
    """Notice what other processes did: pages are made anew before they are asked for, verdicts are counted."""
    await board.pages.look()
    await board.read(board.metrics.watch)


async def _sweep(board: Board) -> None:
    """Remove what uploads left that were cut or refused."""
    await board.write(board.store.sweep)


# --- health ------------------------------------------------------------------------------------------------------------
def _health(app: FastAPI, board: Board) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def alive() -> Any:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def is_ready() -> Response:
        found: dict[str, Any] = {"database": True, "workers": 0}
        try:
            await board.read(board.store.check_ready)
            found["workers"] = await board.read(board.store.workers.count, SEEN_SECONDS)
        except StoreError:
            found["database"] = False
        well = found["database"] and (found["workers"] > 0 or not board.settings.expects_workers)
        return JSONResponse({"ready": well, **found}, 200 if well else 503)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(await board.read(board.metrics.text), media_type="text/plain; version=0.0.4; charset=utf-8")


def _describe(app: FastAPI) -> None:
    """Name the kind of token in the API's description, and list all addresses on a plain page."""
    made = app.openapi

    def described() -> dict[str, Any]:
        found = made()
        schemes = found.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
        return found

    app.openapi = described  # type: ignore[method-assign]

    @app.get("/api/", include_in_schema=False)
    async def addresses() -> Response:
        return Response(listing.page(app.openapi()), media_type="text/html; charset=utf-8")


# --- pages -------------------------------------------------------------------------------------------------------------
def _pages(app: FastAPI, board: Board) -> None:
    @app.get("/{path:path}", include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        if path.startswith("api/"):
            raise Refusal(404, "not_found", "there is nothing here", "an address of this board", "see /api/")
        if not board.pages.has(path):
            board.charge_read(request)
        found = await board.pages.get(path)
        if found is None and not path.endswith("/") and await board.pages.get(f"{path}/") is not None:
            return Response(status_code=308, headers={"Location": f"{path.rpartition('/')[2]}/"})
        return _missing() if found is None else sent(request, found)


def _missing() -> Response:
    return Response(listing.missing(), 404, media_type="text/html; charset=utf-8")
