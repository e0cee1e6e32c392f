"""The plain C twin beside the kernels: equal states first, then speed. `python benchmarks/twin/twin.py [JSON spec]`.

The twin (`twin.c`, gcc -O3 -march=native, restrict, constant radius) runs the same algorithm on the same memory layout.
`check` plays both on the same actions and compares every array of the state and all outputs, bit for bit.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator

HERE = Path(__file__).parent
OUT = HERE.parent / "out"
_NUMBERS = ("rows", "robots", "height", "width", "pad", "max_steps")
_STATE = (
    "key", "t", "over", "live", "active", "pos", "goal", "reached", "arrived", "conflicts", "size", "executed",
    "on_goal", "busy", "walls", "occ", "label", "cells", "first", "claim", "at", "target",
)  # fmt: skip
_BUFFERS = ("actions", "reward", "terminated", "truncated", "fault", "seen", "mask")


class World(ctypes.Structure):
    """The struct of twin.c."""

    _fields_ = [(name, ctypes.c_int64) for name in _NUMBERS] + [
        (name, ctypes.c_void_p) for name in (*_STATE, *_BUFFERS)
    ]


def compiler() -> str | None:
    """The C compiler, if there is one."""
    return shutil.which("gcc")


def build() -> ctypes.CDLL:
    """Compile twin.c, once for each content."""
    source = (HERE / "twin.c").read_bytes()
    library = OUT / f"twin-{hashlib.blake2b(source, digest_size=8).hexdigest()}.so"
    if not library.exists():
        OUT.mkdir(exist_ok=True)
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run(["gcc", *flags, str(HERE / "twin.c"), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))


def batch_of(s: dict[str, Any]) -> Batch:
    """A lifelong batch under `soft` with radius 5."""
    kind = {"none": {"observation": "none"}}.get(s["dtype"], {"observation": "grid", "dtype": s["dtype"]})
    simulator = make_simulator(
        "mapf-lifelong-v0", height=s["height"], width=s["width"], density=0.3, num_robots=s["robots"],
        max_steps=s.get("max_steps", 10**6), **kind,
    )  # fmt: skip
    batch = Batch(simulator, s["rows"], "mapf-lifelong-v0", record=False)
    every = np.ones(s["rows"], np.bool_)
    batch.seed(every, range(s["rows"]))
    batch.reset(every)
    return batch


def world_of(batch: Batch) -> World:
    """The struct over a batch's own buffers."""
    simulator, state = batch.simulator, batch.state
    c = simulator.scalars
    numbers = (batch.rows, c.robots, simulator.height, simulator.width, c.pad, c.max_steps)
    out = batch.out
    buffers = (
        batch.actions[0], out.reward, out.terminated, out.truncated, out.fault, batch.observed[0], batch.masks[0],
    )  # fmt: skip
    pointers = [getattr(state, name).ctypes.data for name in _STATE] + [array.ctypes.data for array in buffers]
    return World(*numbers, *pointers)


def turn_of(library: ctypes.CDLL, dtype: str) -> Any:
    """The twin's loop for this kind of observation."""
    turn = {"uint8": library.turn_bytes, "float32": library.turn_floats, "none": library.turn_blind}[dtype]
    turn.argtypes = (ctypes.POINTER(World), ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)
    turn.restype = None
    return turn


def check(s: dict[str, Any], steps: int = 200) -> None:
    """Raise AssertionError unless kernels and twin agree on everything after each of `steps` random steps."""
    kernels, twin = batch_of(s), batch_of(s)
    world, turn = world_of(twin), turn_of(build(), s["dtype"])
    rng = np.random.default_rng(1)
    for k in range(steps):
        joint = rng.integers(5, size=(1, s["rows"], s["robots"]))
        kernels.actions[0][...] = joint[0]
        kernels.step()
        turn(ctypes.byref(world), 1, joint.ctypes.data, 1)
        for name in _STATE[:-3]:
            same = np.array_equal(getattr(kernels.state, name), getattr(twin.state, name))
            assert same, f"step {k}: {name} differs"
        for name, one, other in zip(kernels.out._fields, kernels.out, twin.out, strict=True):
            assert np.array_equal(one, other), f"step {k}: {name} differs"
        assert np.array_equal(kernels.observed[0], twin.observed[0]), f"step {k}: observations differ"
        assert np.array_equal(kernels.masks[0], twin.masks[0]), f"step {k}: masks differ"


def measure(s: dict[str, Any]) -> dict[str, float]:
    """Agent-steps a CPU-second of both, in alternation: medians of five, each a fifth of `seconds`."""
    kernels, twin = batch_of(s), batch_of(s)
    world, turn = world_of(twin), turn_of(build(), s["dtype"])
    joint = np.random.default_rng(0).integers(5, size=(64, s["rows"], s["robots"]))
    bind, step = kernels.actions[0], kernels.step

    def play(rounds: int) -> None:
        for k in range(rounds):
            bind[...] = joint[k % 64]
            step()

    def play_twin(rounds: int) -> None:
        turn(ctypes.byref(world), rounds, joint.ctypes.data, 64)

    rates: dict[str, list[float]] = {"kernels": [], "twin": []}
    rounds = 64
    while _cpu(play_twin, rounds) < s["seconds"] / 10:
        rounds *= 2
    for _ in range(5):
        for name, player in (("kernels", play), ("twin", play_twin)):
            rates[name].append(rounds * s["rows"] * s["robots"] / _cpu(player, rounds))
    return {name: sorted(found)[2] for name, found in rates.items()}


def _cpu(player: Any, rounds: int) -> float:
    start = time.process_time()
    player(rounds)
    return time.process_time() - start


def main() -> None:
    """Check, measure, print."""
    if compiler() is None:
        sys.exit("there is no gcc on the path; the twin cannot be built")
    shape = {"rows": 64, "robots": 64, "height": 64, "width": 64, "seconds": 2.0}
    rows = (
        [json.loads(sys.argv[1])] if len(sys.argv) > 1 else [shape | {"dtype": d} for d in ("uint8", "float32", "none")]
    )
    for s in rows:
        check(s | {"rows": 3})
        print(json.dumps({"dtype": s["dtype"], "robots": s["robots"], **measure(s)}), flush=True)


if __name__ == "__main__":
    main()
