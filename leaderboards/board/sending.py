"""How a page that is ready goes out: compressed for those who take that, and not at all to those who have it."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from ludarium.leaderboards.board.pagecache import Ready

__all__ = ["knows", "sent"]


def knows(request: Request, tag: str) -> bool:
    """Whether the reader has what this tag stands for."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or tag in [each.strip().removeprefix("W/") for each in given.split(",")]


def sent(request: Request, found: Ready) -> Response:
    """A page, or 304 if the reader has these bytes."""
    packed = found.packed is not None and "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{found.etag}{"-gz" if packed else ""}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if knows(request, tag):
        return Response(status_code=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.packed if packed else found.body, media_type=found.type, headers=headers)
