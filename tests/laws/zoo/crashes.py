"""Bugs that would take the checker with them: hangs, ends of the process, memory without bounds, prints past Python."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from laws.zoo.orchard import LEFT, RIGHT, WAIT, Orchard
from laws.zoo.planted import Planted


class Hangs(Orchard):
    """Looking for a free place goes round for ever in the fourth step."""

    bug = Planted("ends", shortest=4, guarded=True, limit=1.0)

    def act(self, action: int) -> float:
        while self.t == 4 and self.planted:
            time.sleep(0.01)
        return super().act(action)


class HangsWhenTurned(Orchard):
    """Right, left, right: and two rules undo each other for ever."""

    bug = Planted("ends", shortest=3, guarded=True, limit=1.0)

    def act(self, action: int) -> float:
        while self.done[-3:] == [RIGHT, LEFT, RIGHT] and self.planted:
            time.sleep(0.01)
        return super().act(action)


class EndsTheProcess(Orchard):
    """A fatal error is handled by leaving the process, past all handlers."""

    bug = Planted("ends", shortest=3, guarded=True, limit=20.0)

    def act(self, action: int) -> float:
        if self.done[-3:] == [WAIT, LEFT, WAIT] and self.planted:
            os._exit(3)
        return super().act(action)


class Exits(Orchard):
    """The fifth step calls `sys.exit`, as scripts do that became modules."""

    bug = Planted("mask_sound", shortest=5)

    def act(self, action: int) -> float:
        if self.t == 5 and self.planted:
            raise SystemExit("done")
        return super().act(action)


class KilledBySignal(Orchard):
    """What a fault in native code does: the process is gone."""

    bug = Planted("ends", shortest=2, guarded=True, limit=20.0)

    def act(self, action: int) -> float:
        if self.t == 2 and self.planted:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().act(action)


class PictureKills(Orchard):
    """Rendering without a display ends the process."""

    bug = Planted("looking", shortest=1, guarded=True, limit=20.0)

    def render(self) -> Any:
        if self.t and self.planted:
            os._exit(1)
        return super().render()


class Hoards(Orchard):
    """Every step keeps a frame of four megabytes, for a film that nobody asked for."""

    bug = Planted("reset_forgets", shortest=16, guarded=True, limit=20.0, memory=64 << 20)

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        super().__init__(clean, render_mode)
        self.frames: list[bytes] = []

    def act(self, action: int) -> float:
        if self.planted:
            self.frames.append(os.urandom(1) * (4 << 20))
        return super().act(action)


class WritesPastPython(Orchard):
    """A library below writes to the process's standard output itself."""

    bug = Planted("info", shortest=1, guarded=True, limit=20.0)

    def act(self, action: int) -> float:
        if action == WAIT and self.planted:
            os.write(1, b"native library: waiting\n")
        return super().act(action)
