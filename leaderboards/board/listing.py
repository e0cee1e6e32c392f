"""Pages that the server makes itself: the list of the API's addresses, and what is shown where there is nothing."""

from __future__ import annotations

import re
from html import escape
from typing import Any

__all__ = ["missing", "page"]

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/board.css"><script src="/static/theme.js"></script></head>
<body><main><h1>{title}</h1>
{body}
</main></body></html>
"""


def _words(text: str) -> str:
    """Text as HTML; what stands in backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def page(described: dict[str, Any]) -> str:
    """All addresses of an OpenAPI description."""
    rows = []
    for path, methods in described["paths"].items():
        for method, about in methods.items():
            words = about.get("description") or about.get("summary", "")
            cells = (method.upper(), f"<code>{escape(path)}</code>", escape(words))
            rows.append(f"<tr>{''.join(_cell(cell) for cell in cells)}</tr>")
    intro = f"<p>{_words(described['info'].get('description', ''))}</p>"
    link = '<p><a href="/api/openapi.json">Machine-readable description (OpenAPI)</a> · <a href="/">The board</a></p>'
    heads = "".join(f'<th scope="col" class="text">{head}</th>' for head in ("Method", "Address", "What it gives"))
    head = f"<thead><tr>{heads}</tr></thead>"
    table = f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"
    wide = f'<div class="wide" tabindex="0" role="region" aria-label="All addresses">{table}</div>'
    return _FRAME.format(title="API of this board", body=f"{intro}{link}{wide}")


def _cell(content: str) -> str:
    return f'<td class="text">{content}</td>'


def missing() -> str:
    """Nothing is here."""
    body = '<p>There is no such page on this board, or not yet. <a href="/">All tracks</a></p>'
    return _FRAME.format(title="Not found", body=body)
