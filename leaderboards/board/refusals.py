"""What the server says when it does not do what was asked: JSON with `error`, `what`, `expected`, `do`, and never a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ludarium.envs.core.errors import RefusedError, StoreError

__all__ = ["ErrorBody", "Refusal", "handle_errors", "responses"]


class ErrorBody(BaseModel):
    """Every answer with a status of 400 or more."""

    error: str = Field(description="a code that programs can compare, such as `too_large`")
    what: str = Field(description="what is wrong with this request")
    expected: str = Field(description="what would have been right")
    do: str = Field(description="what to do now")


class Refusal(Exception):
    """Ends a request with a status and an `ErrorBody`."""

    def __init__(
        self,
        status: int,
        error: str,
        what: str,
        expected: str = "",
        do: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.status, self.headers = status, dict(headers or {})
        self.body = {"error": error, "what": what, "expected": expected, "do": do}

    @property
    def response(self) -> Response:
        """The answer."""
        return JSONResponse(self.body, self.status, self.headers)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route's documentation says of its errors."""
    return {status: {"model": ErrorBody} for status in statuses}


_COMMON = {
    404: ("not_found", "there is nothing here", "an address of this board", "see /api/ for all addresses"),
    405: ("method_not_allowed", "this address does not take that method", "GET", "see /api/ for all addresses"),
    413: ("too_large", "the request's body is too large", "a smaller one", "send less"),
}


def handle_errors(app: FastAPI) -> None:
    """Let every error of an application end in an `ErrorBody`."""

    async def refused(request: Request, error: Exception) -> Response:
        return error.response if isinstance(error, Refusal) else _failed()

    async def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = _COMMON.get(status, ("refused", "the request cannot be served", "another one", "see /api/"))
        headers = dict(getattr(error, "headers", None) or {})
        return Refusal(status, *said, headers=headers).response

    async def invalid(request: Request, error: Exception) -> Response:
        first: Any = next(iter(error.errors()), {}) if isinstance(error, RequestValidationError) else {}
        where = " ".join(str(part)[:80] for part in first.get("loc", ())) or "the request"
        what = f"{where}: {str(first.get('msg', 'is wrong'))[:200]}"
        return Refusal(422, "invalid", what, "parameters as /api/openapi.json has them", "mend the request").response

    async def stored(request: Request, error: Exception) -> Response:
        if isinstance(error, RefusedError):
            return Refusal(409, "refused", str(error), "what the board can take", "mend the request").response
        return _failed(503, "unavailable", "the board's store cannot be reached just now", {"Retry-After": "10"})

    async def broken(request: Request, error: Exception) -> Response:
        return _failed()

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(StoreError, stored)
    app.add_exception_handler(Exception, broken)


def _failed(
    status: int = 500,
    error: str = "internal",
    what: str = "the server failed; what happened is in its own log",
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Refusal(status, error, what, "an answer", "try again later", headers).response
