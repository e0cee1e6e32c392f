"""How long a loop takes, in CPU and wall seconds. Runs in every peer's interpreter: standard library only."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def spec() -> dict[str, Any]:
    """The row's parameters: one JSON object on the command line."""
    return json.loads(sys.argv[1])


def _report(units: float, cpu: float, wall: float) -> None:
    print(json.dumps({"cpu": units / cpu, "wall": units / wall, "units": units}))


def measure(play: Callable[[int], None], each: float, seconds: float) -> None:
    """Time `play(k)`, which does k rounds worth `each` units; print units a CPU-second and a wall-second as JSON.

    Two rounds warm up, then k doubles until a measurement takes half of `seconds` of CPU time; the last one counts.
    """
    play(2)
    rounds = 2
    while True:
        wall, cpu = time.perf_counter(), time.process_time()
        play(rounds)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if cpu >= seconds / 2:
            _report(each * rounds, cpu, wall)
            return
        rounds *= 2


def measure_passes(prepare: Callable[[], None], play: Callable[[], None], each: float, seconds: float) -> None:
    """The same for a pass that must begin anew each time: `prepare` is not timed, `play` is worth `each` units."""
    prepare()
    play()
    cpu = wall = units = 0.0
    while cpu < seconds / 2:
        prepare()
        wall0, cpu0 = time.perf_counter(), time.process_time()
        play()
        cpu, wall = cpu + time.process_time() - cpu0, wall + time.perf_counter() - wall0
        units += each
    _report(units, cpu, wall)
