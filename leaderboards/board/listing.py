"""Pages that the server makes itself: the list of the API's addresses, and what is shown where there is nothing."""

from __future__ import annotations

from html import escape
from typing import Any

__all__ = ["missing", "page"]

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="stylesheet" href="/static/board.css"></head>
<body><main><h1>{title}</h1>
{body}
</main></body></html>
"""


def page(described: dict[str, Any]) -> str:
    """All addresses of an OpenAPI description."""
    rows = []
    for path, methods in described["paths"].items():
        for method, about in methods.items():
            words = about.get("description") or about.get("summary", "")
            rows.append(
                f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td><td>{escape(words)}</td></tr>"
            )
    intro = f"<p>{escape(described['info'].get('description', ''))}</p>"
    link = '<p><a href="/api/openapi.json">Machine-readable description (OpenAPI)</a> · <a href="/">The board</a></p>'
    head = "<thead><tr><th>Method</th><th>Address</th><th>What it gives</th></tr></thead>"
    return _FRAME.format(
        title="API of this board", body=f"{intro}{link}<table>{head}<tbody>{''.join(rows)}</tbody></table>"
    )


def missing() -> str:
    """Nothing is here."""
    body = '<p>There is no such page on this board, or not yet. <a href="/">All tracks</a></p>'
    return _FRAME.format(title="Not found", body=body)
