"""Speed of pypibt: decisions a CPU-second on the instance of a JSON spec; `LUDARIUM_PYPIBT` is its checkout."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
from clock import measure_passes, spec

sys.path.insert(0, os.environ["LUDARIUM_PYPIBT"])
from pypibt import PIBT


def main() -> None:
    """Solve the same instance again and again; the first pass, untimed, fills the distance tables."""
    s = spec()
    instance = json.loads(Path(s["instance"]).read_text())
    grid = np.array([[cell == "." for cell in row] for row in instance["map"]])
    starts = [tuple(cell) for cell in instance["starts"]]
    goals = [tuple(own[0]) for own in instance["goals"]]
    planner = PIBT(grid, starts, goals, seed=0)
    steps = len(planner.run()) - 1
    played = []

    def play() -> None:
        played.append(len(planner.run(steps)) - 1)

    measure_passes(lambda: None, play, len(starts) * steps, s["seconds"])
    assert max(played) <= steps


if __name__ == "__main__":
    main()
