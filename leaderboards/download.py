"""A file from an address, with a limit on its size."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request

from ludarium.envs.core.errors import SubmissionError

__all__ = ["download", "is_address"]

_SECONDS = 60.0
_CHUNK = 1 << 20


class _Same(urllib.request.HTTPRedirectHandler):
    """Redirections lead to HTTP only, never to files of this machine."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if not is_address(newurl):
            raise SubmissionError(f"{req.full_url}: leads to {newurl!r:.200}; expected http:// or https://")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_address(text: str) -> bool:
    """Whether a text is an HTTP address."""
    return text.startswith(("http://", "https://"))


def download(address: str, limit: int) -> bytes:
    """The bytes at an HTTP address; `SubmissionError` if there are more than `limit`, or none to be had."""
    if not is_address(address):
        raise SubmissionError(f"{address}: expected an address that begins with http:// or https://")
    opener = urllib.request.build_opener(_Same)
    data = bytearray()
    try:
        with opener.open(address, timeout=_SECONDS) as answer:
            while chunk := answer.read(_CHUNK):
                data += chunk
                if len(data) > limit:
                    raise SubmissionError(f"{address}: more than {limit} bytes")
    except (OSError, ValueError) as error:
        if isinstance(error, SubmissionError):
            raise
        raise SubmissionError(f"{address}: cannot be read: {error}") from error
    return bytes(data)
