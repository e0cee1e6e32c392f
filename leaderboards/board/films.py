"""The route of movies: each is made when it is first asked for, by guarded processes, and kept."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import Response

from ludarium.envs.core.errors import LudariumError, MovieBusyError, MovieError, NoMovieError
from ludarium.leaderboards.board.context import Board
from ludarium.leaderboards.board.refusals import Refusal
from ludarium.leaderboards.board.replays import Movies
from ludarium.leaderboards.board.sending import knows

__all__ = ["router"]

Digest = Annotated[str, InPath(pattern="^[0-9a-f]{64}$")]
Number = Annotated[str, InPath(pattern="^[0-9]{4,6}$")]


def router(board: Board) -> APIRouter:
    """The route `/movies/DIGEST/NNNN.js`."""
    settings, blobs = board.settings, board.store.blobs.root
    movies = Movies(settings.movies or Path(f"{blobs}.movies"), most_bytes=settings.movie_bytes)
    found = APIRouter()

    @found.get("/movies/{digest}/{number}.js", include_in_schema=False)
    async def movie(request: Request, digest: Digest, number: Number) -> Response:
        board.charge_read(request)
        try:
            script = await board.film(movies.script, board.source, digest, int(number))
        except NoMovieError as error:
            raise Refusal(404, "no_movie", str(error), "an episode of a verified submission", "choose one") from None
        except MovieBusyError as error:
            raise Refusal(503, "busy", str(error), "", "ask again", {"Retry-After": "5"}) from None
        except MovieError as error:
            raise Refusal(404, "cannot_be_shown", str(error), "", "download the file and replay it") from None
        except LudariumError:
            raise Refusal(503, "unavailable", "the movie could not be made just now", "", "ask again") from None
        tag = f'"{hashlib.sha256(script).hexdigest()[:32]}"'
        headers = {"ETag": tag, "Cache-Control": "public, max-age=600"}
        if knows(request, tag):
            return Response(status_code=304, headers=headers)
        return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)

    return found
