"""A worker process: plays one episode after another as it is told by JSON lines, and keeps nothing between them.

The runner's side is `workers.py`. What agents print goes to standard error, so that it cannot mix with the messages.
When the runner ends, however it ends, its end of the pipe closes and the worker ends too, even in the middle of an
episode.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

__all__ = ["main"]


def _end_with_parent(parent: int) -> None:
    """End this process as soon as its parent is gone: nobody would take the result."""
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(0.2)
    os._exit(1)


def _serve(root: Path, messages: Any, answer: Any) -> None:
    from ludarium.envs.core.errors import LudariumError
    from ludarium.leaderboards.episode import Unit, play, save
    from ludarium.scenarios.loader import load

    scenario = load(root / "scenario" / "scenario.toml", allow_code=True)
    for line in messages:
        order = json.loads(line)
        unit = Unit(*order["unit"])
        answer({"began": True})
        try:
            played = play(scenario, unit, order["broken"])
            row = save(played, unit, root)
        except LudariumError as error:
            answer({"error": f"{' '.join(map(str, unit.key))}: {error}"})
            continue
        answer({"row": row, "timing": {**played.timing, "pid": os.getpid()}})


def main() -> None:
    """Read the first message (`root`, `path`, `parent`), then one order a line; answer each when it begins and when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the runner's to handle
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    first = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, args=(first["parent"],), daemon=True).start()
    sys.path[:] = first["path"]
    messages, sys.stdin = sys.stdin, open(os.devnull)  # noqa: SIM115  (an agent that reads input gets none)

    def answer(message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[out.write(data) :]

    _serve(Path(first["root"]), messages, answer)


if __name__ == "__main__":
    main()
