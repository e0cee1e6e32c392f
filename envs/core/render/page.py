"""The replay page: an episode in one HTML file that needs no network, no server and no further file.

The page is `page.html`, two styles and the scripts beside this module, put together here with the movie's
data. Its Content-Security-Policy names the hashes of exactly this style and this script, so nothing that a
title or a caption says can ever run.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ludarium.envs.core.render.browser import record
from ludarium.envs.core.render.forms import plain_text
from ludarium.envs.core.scene import Movie

__all__ = ["notebook_html", "page_html", "player_script", "player_style", "write_page"]

PLAYER = ("page_data.js", "page_draw.js", "page_parts.js", "page_talk.js", "page_view.js", "page_player.js")
"""The scripts of the player, which other pages may use too."""


def page_html(movie: Movie) -> str:
    """Return the replay of `movie` as one HTML document; raise `ConfigError` as `browser.encode` does."""
    header, blob = record(movie)
    style = player_style() + _source("page.css")
    script = f"{player_script()}\n{_source('page.js')}"
    parts = {
        "title": _escape(movie.title),
        "summary": _escape(movie.summary or _summary(header)),
        "metrics": _rows(movie.metrics, "<tr><th scope=row>{}</th><td>{}</td></tr>"),
        "meta": _rows(movie.meta, "<div><dt>{}</dt><dd>{}</dd></div>"),
        "no_metrics": "" if movie.metrics else "hidden",
        "no_meta": "" if movie.meta else "hidden",
        "last": str(header["steps"] - 1),
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "movie": base64.b64encode(blob).decode(),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _source("page.html"))


def write_page(path: str | Path, movie: Movie) -> Path:
    """Write the replay of `movie` to `path` (its folder must exist) and return the path."""
    path = Path(path)
    path.write_text(page_html(movie), encoding="utf-8")
    return path


def notebook_html(movie: Movie, height: int = 640) -> str:
    """Return the replay as an isolated frame, `height` pixels high, for a notebook cell."""
    page = html.escape(page_html(movie), quote=True)
    return (
        f'<iframe srcdoc="{page}" title="{_escape(movie.title)}" sandbox="allow-scripts" '
        f'width="100%" height="{height}" style="border:0"></iframe>'
    )


def player_script() -> str:
    """The player as one script; a page has elements of the ids and `data-part`s that `page.html` has."""
    return "\n".join(map(_source, PLAYER))


def player_style() -> str:
    """The style of what stands in an element of the class `player`."""
    return _source("page_player.css")


@lru_cache(maxsize=16)
def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy admits an inline script or style."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _escape(text: Any) -> str:
    return html.escape(plain_text(str(text)), quote=True)


def _rows(table: dict[str, Any], row: str) -> str:
    return "\n".join(row.format(_escape(_words(name)), _escape(_value(value))) for name, value in table.items())


def _words(name: str) -> str:
    """Write a metric's name for people: sum_of_costs as "sum of costs"."""
    return str(name).replace("_", " ")


def _value(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _summary(header: dict[str, Any]) -> str:
    """Say in a sentence what can be seen, for those who cannot see it."""
    counts = [_count(head["count"], head["title"] or head["name"]) for head in header["sprites"] if not head["of"]]
    steps = header["steps"] - 1
    return f"An episode of {_count(steps, 'step')}" + (f" with {' and '.join(counts)}." if counts else ".")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
