"""How a board's pages are written: templates that escape everything, links that are relative, and words for numbers.

What strangers wrote is shown as text whatever it is: escaped, without characters that turn the direction of writing, that
have no width, or that pile up over their line.
"""

from __future__ import annotations

import datetime
import functools
import posixpath
import re
import unicodedata
from typing import Any

from ludarium.envs.core.errors import MissingExtraError
from ludarium.leaderboards.stats import Interval
from ludarium.leaderboards.table import number

__all__ = ["Html", "figure", "plain", "relative", "when"]

_PILE = 3
"""Combining marks on one letter."""


def plain(text: str) -> str:
    """A text without what is no printable character, and with at most three marks on a letter."""
    found, marks = [], 0
    for c in text:
        marks = marks + 1 if unicodedata.combining(c) or unicodedata.category(c) == "Me" else 0
        if marks <= _PILE:
            found.append(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}")
    return "".join(found)


def relative(path: str, to: str, index: str = "") -> str:
    """The link from one page of the board to another; `index` is added where a folder is meant.

    Both are from the root, a folder ending in "/"; `to` may have a query and a fragment.
    """
    target, mark, rest = re.fullmatch(r"([^?#]*)([?#]?)(.*)", to, re.S).groups()  # type: ignore[union-attr]
    here = posixpath.dirname(path) or "."
    found = posixpath.relpath(target or ".", here)
    if target.endswith("/") or not target:
        found = f"{found}/{index}"
    return f"{found}{mark}{rest}"


def figure(found: Interval | None, digits: int = 3) -> str:
    """An estimate with its interval."""
    if found is None:
        return "\N{EN DASH}"
    return f"{number(found.value, digits)} ({number(found.low, digits)} to {number(found.high, digits)})"


def when(micros: int | None) -> str:
    """A time (microseconds since 1970) to the minute, in UTC."""
    if micros is None:
        return "not recorded"
    moment = datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _moment(micros: int) -> str:
    return f"{datetime.datetime.fromtimestamp(micros / 1e6, datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _shown(value: Any) -> Any:
    """What stands for an expression of a template."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return plain(value)
    return value


def _address(url: str) -> str:
    """An address that may be a link; "#" for any other."""
    return url if url.startswith(("https://", "http://")) else "#"


@functools.cache
def _environment() -> Any:
    """Jinja's environment, which keeps compiled templates; `MissingExtraError` without it."""
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError("jinja2", "board") from None
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("ludarium.leaderboards.board"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_shown, auto_reload=False,
    )  # fmt: skip
    made.filters |= {"figure": figure, "number": number, "when": when, "moment": _moment, "address": _address}
    made.globals["short"] = lambda digest: digest[:10]
    return made


class Html:
    """The templates of the board. With `index`, links to folders name the file in it: a page from a disk needs that."""

    def __init__(self, index: str = "") -> None:
        self.index = index

    def page(self, template: str, path: str, **values: Any) -> bytes:
        """A page at `path` (from the root of the board): templates get `to(path)`, which makes a relative link, and `served`."""
        values["to"] = functools.partial(relative, path, index=self.index)
        values["path"], values["served"] = path, not self.index
        text: str = _environment().get_template(template).render(values)
        return text.encode("utf-8", "replace")
