"""TextWorld's PDDL engine as a program: JSON lines in, JSON lines out. Runs in `.venvs/textworld`.

`{"load": PATH}` reads a game and resets it, `{"reset": true}` resets it, `{"step": COMMAND}` plays. Each is answered
with intro or feedback, sorted admissible commands, won, score, and the CPU seconds that the call took. Names of things
are those that ALFWorld's demangler gives, found here in our own way.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

from textworld.core import EnvInfos
from textworld.envs.pddl import PddlEnv


class NamedEnv(PddlEnv):
    """The engine with the names that ALFWorld shows."""

    def load(self, path: str) -> None:
        """Read a game, and name its things: classes from ids, numbers from the highest down in the ids' order."""
        super().load(path)
        infos = self._entity_infos
        shown = {}
        for name in infos:
            kind, bar, _ = name.partition("_bar_")
            if bar:
                shown[name] = kind + "basin" if "basin" in name else kind
        left = Counter(shown.values())
        for name in sorted(shown):
            infos[name].name = f"{shown[name]} {left[shown[name]]}"
            left[shown[name]] -= 1


def answer(state: Any, seconds: float) -> dict[str, Any]:
    """What is told of a state."""
    return {
        "text": state.feedback,
        "admissible": list(state["admissible_commands"]),
        "won": bool(state["won"]),
        "score": state.get("score", 0) or 0,
        "seconds": seconds,
    }


def main() -> None:
    """Answer until the input ends."""
    env = NamedEnv(EnvInfos(admissible_commands=True, won=True))
    for line in sys.stdin:
        asked = json.loads(line)
        start = time.process_time()
        if "load" in asked:
            env.load(asked["load"])
            loaded = time.process_time() - start
            start = time.process_time()
            told = answer(env.reset(), time.process_time() - start)
            told["seconds"], told["load_seconds"] = time.process_time() - start, loaded
        elif "reset" in asked:
            state = env.reset()
            told = answer(state, time.process_time() - start)
        else:
            state, _, _ = env.step(asked["step"])
            told = answer(state, time.process_time() - start)
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
