"""The picture of the desk: the conversation on the left, the rows that changed on the right."""

from __future__ import annotations

import json
import textwrap
from typing import Any

from ludarium.envs.core.scene import Label, Rect, Scene, Shape
from ludarium.envs.text.desk.dynamics import AGENT, Game
from ludarium.envs.text.desk.tables import Tables

__all__ = ["scene"]

_WIDTH, _HEIGHT, _LINE = 44.0, 26.0, 1.0
_CHARACTERS, _COLUMN, _RESULT = 45, 26, 130


def scene(game: Game, steps: int, most: int) -> Scene:
    """The last messages, newest below; and each changed row with its changed columns."""
    background = (
        Rect(0.3, 1.5, 27.4, _HEIGHT - 2.0, "floor"),
        Rect(28.0, 1.5, 15.7, _HEIGHT - 2.0, "floor"),
        Label(0.6, 1.0, f"Conversation ({game.domain.name})", 1.0, "start"),
        Label(28.3, 1.0, "Rows that changed", 1.0, "start"),
    )
    values = {"messages": float(len(game.log)), "writes": float(game.counts["writes"])}
    ended = f", {game.ended.replace('_', ' ')}" if game.ended else ""
    words = [line for line, _ in _lines(game)] + ["Rows that changed:", *_changed(game)]
    caption = f"Step {steps} of {most}{ended}"
    shapes = (*_talk(game), *_rows(game))
    return Scene(_WIDTH, _HEIGHT, background, shapes, caption, values, "\n".join(words))


def _lines(game: Game) -> list[tuple[str, str]]:
    """The last messages in lines, with the style of each."""
    lines: list[tuple[str, str]] = []
    for entry in game.log[-40:]:
        who = "agent" if entry.seat == AGENT else "user"
        words = f"{who}: {entry.text}"
        if entry.kind == "call":
            words = f"  {who} calls {entry.name}({_shown(entry.text, '=')})"
        elif entry.kind in ("result", "fault"):
            words = f"  {'=' if entry.kind == 'result' else '!'} {_cut(_shown(entry.text))}"
        style = "text" if entry.kind == "text" else "wall"
        lines += [(part, style) for part in textwrap.wrap(words, _CHARACTERS, subsequent_indent="    ") or [""]]
    return lines


def _shown(text: str, joint: str = ": ") -> str:
    """JSON in words that every font has."""
    value = json.loads(text)
    return (
        ", ".join(f"{key}{joint}{_short(part)}" for key, part in value.items())
        if isinstance(value, dict)
        else str(value)
    )


def _cut(text: str) -> str:
    return text if len(text) <= _RESULT else text[: text.rfind(" ", 0, _RESULT)] + " ..."


def _talk(game: Game) -> list[Shape]:
    lines, room = _lines(game), int((_HEIGHT - 3.5) / _LINE)
    return [
        Label(0.6, 2.7 + _LINE * n, text, 0.8, "start", style) for n, (text, style) in enumerate(lines[-room:])
    ]  # fmt: skip


def _changed(game: Game) -> list[str]:
    pairs = ((game.start[0], game.desk.db), (game.start[1], game.desk.user_db))
    return [line for start, now in pairs for line in _changes(start, now)]


def _rows(game: Game) -> list[Shape]:
    lines = _changed(game)
    room = int((_HEIGHT - 3.5) / _LINE)
    return [Label(28.3, 2.7 + _LINE * n, text, 0.8, "start") for n, text in enumerate(lines[:room])]


def _changes(start: Tables, now: Tables) -> list[str]:
    lines: list[str] = []
    for table, key in sorted({**start.changed, **now.changed}):
        old, row = start.get(table, key), now.get(table, key)
        if old == row:
            continue
        lines.append(f"{table} {key}" + ("" if old else " (new)") + (" (gone)" if row is None else ""))
        volatile = now.base.volatile.get(table, frozenset())
        for name, value in (row or {}).items():
            if name not in volatile and (old is None or old.get(name) != value):
                words = f"   {name}: {_short(old.get(name)) + ' to ' if old else ''}{_short(value)}"
                lines += textwrap.wrap(words.strip(), _COLUMN, initial_indent="   ", subsequent_indent="      ")
    return lines


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return f"({', '.join(f'{key} {_short(part)}' for key, part in value.items())})"
    if isinstance(value, list):
        return " and ".join(map(_short, value)) or "none"
    return value or "none" if isinstance(value, str) else json.dumps(value)
