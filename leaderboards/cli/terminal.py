"""A terminal as the place where a person plays: keys where the world has directions, typed commands elsewhere."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import Any

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import NotClaimedError

__all__ = ["Terminal", "command_of_key"]

_DIRECTIONS = {
    "\x1b[A": "up", "\x1b[B": "down", "\x1b[D": "left", "\x1b[C": "right",
    "\x1bOA": "up", "\x1bOB": "down", "\x1bOD": "left", "\x1bOC": "right",
    "w": "up", "s": "down", "a": "left", "d": "right", " ": "wait", ".": "wait",
}  # fmt: skip
_HELP = "arrows or wasd move, space waits, : types a command, q ends"
_PAUSE = 0.15
"""Seconds between two pictures when nobody plays."""


def command_of_key(key: str, commands: tuple[str, ...] | None) -> str | None:
    """The command that a key means now, if there is exactly one that ends in its direction."""
    direction = _DIRECTIONS.get(key)
    found = [text for text in commands or () if direction is not None and text.split()[-1:] == [direction]]
    return found[0] if len(found) == 1 else None


def _has_directions(commands: tuple[str, ...] | None) -> bool:
    last = {text.split()[-1] for text in commands or () if text.split()}
    return len(last & {"up", "down", "left", "right"}) >= 1


@contextlib.contextmanager
def _raw() -> Iterator[None]:
    """Keys arrive one by one; Ctrl-C still interrupts."""
    import termios
    import tty

    fd = sys.stdin.fileno()
    before = termios.tcgetattr(fd)
    tty.setcbreak(fd, termios.TCSADRAIN)  # by default it would drop the keys that were typed meanwhile
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _key() -> str | None:
    """One key, escape sequences whole; None at the end of input."""
    fd = sys.stdin.fileno()
    data = os.read(fd, 1)
    if not data:
        return None
    if data == b"\x1b" and select.select([fd], [], [], 0.05)[0]:
        data += os.read(fd, 2)
    return data.decode(errors="replace")


class Terminal:
    """Shows pictures or words; reads keys on a terminal and lines from a pipe."""

    def __init__(self, quiet: bool = False, words: bool = False) -> None:
        self._quiet, self._words = quiet, words
        self._rules = words
        self._told_before: list[str] = []
        self._left = False
        self._keys = not (quiet or words) and sys.stdin.isatty() and sys.stdout.isatty() and _can_raw()

    def show(self, batch: Batch, seat: int | None) -> None:
        """The picture, and beside it what the seat is told in words; by words alone, all that it is told."""
        if self._quiet:
            return
        picture = self._picture(batch)
        if picture is not None and sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J")
        if self._rules:
            print(batch.simulator.rules(), end="\n\n")
            self._rules = False
        told = self._told(batch, seat, picture)
        print(told if picture is not None else self._news(told))
        if seat is None and sys.stdout.isatty():
            import time

            time.sleep(_PAUSE)

    @staticmethod
    def _told(batch: Batch, seat: int | None, picture: str | None) -> str:
        """The picture with the first lines of what the seat is told; without one, all of that (or what the first seat is)."""
        if picture is not None and seat is None:
            return picture
        words = batch.simulator.describe(batch.state, 0, seat or 0)
        return words if picture is None else "\n".join([picture, *words.splitlines()[:3]])

    def _news(self, told: str) -> str:
        """What a story that only grows has more than when it was last told; all of any other text."""
        lines, before = told.split("\n"), self._told_before
        self._told_before = lines[:-1]  # the last line says who is next
        grown = len(lines) > len(before) + 1 or self._left
        known = len(before) if len(before) > 1 and grown and lines[: len(before)] == before else 0
        return "\n".join(lines[known:])

    def _picture(self, batch: Batch) -> str | None:
        from ludarium.envs.core.render import render

        if self._words or "picture" not in batch.simulator.views:
            return None
        try:
            scene: Any = batch.simulator.scene(batch.state, 0)
        except NotClaimedError:
            return None
        return None if scene.words else str(render(scene, "ansi"))  # words are for whoever may see all

    def ask(self, commands: tuple[str, ...] | None) -> str | None:
        """A command by key, or as a line."""
        if self._keys and _has_directions(commands):
            with _raw():
                print(_HELP)
                while True:
                    key = _key()
                    if key in (None, "q", "\x04"):
                        return None
                    if key == ":":
                        break
                    command = command_of_key(key or "", commands)
                    if command is not None:
                        return command
                    print("that does nothing now;", _HELP)
        if not self._quiet:
            if commands is not None:
                print("commands:", ", ".join(commands[:40]))
            print("> ", end="", flush=True)
        line = sys.stdin.readline()
        if not (self._quiet or sys.stdin.isatty()):
            print(line.rstrip("\n"))  # as if it had been typed
        self._left = not line or line.strip() in ("q", "quit")
        return None if self._left else line.strip()

    def say(self, text: str) -> None:
        """A sentence."""
        if not self._quiet:
            print(text)


def _can_raw() -> bool:
    try:
        import termios  # noqa: F401
    except ImportError:  # Windows: typed commands
        return False
    return True
