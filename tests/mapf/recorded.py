"""The recorded POGEMA episodes: how to read them, and the digests that they are held against.

`benchmarks/record_pogema.py` says what the digests are over.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

GOLDEN = Path(__file__).parent / "golden"
MODES = {"finish": "vanish", "nothing": "stay", "restart": "restart"}
METRICS = {
    "ISR": "isr",
    "CSR": "csr",
    "ep_length": "ep_length",
    "SoC": "sum_of_costs",
    "makespan": "makespan",
    "avg_throughput": "throughput",
    "avg_agents_density": "density",
}
_DIGITS = 6


def read(name: str) -> list[dict[str, Any]]:
    """The content of one golden file."""
    return json.loads(lzma.decompress((GOLDEN / f"pogema-{name}.json.xz").read_bytes()))["content"]


def digest(*arrays: np.ndarray) -> str:
    """3 bytes of BLAKE2b over the arrays' bytes, in hex."""
    h = hashlib.blake2b(digest_size=_DIGITS // 2)
    for array in arrays:
        h.update(np.ascontiguousarray(array).tobytes())
    return h.hexdigest()


def split(digests: str) -> list[str]:
    """The digests of the steps."""
    return [digests[i : i + _DIGITS] for i in range(0, len(digests), _DIGITS)]


def actions(episode: dict[str, Any]) -> np.ndarray:
    """int64[T, N]."""
    flat = np.frombuffer(episode["actions"].encode(), np.uint8) - ord("0")
    return flat.reshape(-1, episode["config"]["num_agents"]).astype(np.int64)


def given_map(config: dict[str, Any]) -> np.ndarray | None:
    """The map that a config names, uint8[H, W], if it does."""
    if "map" not in config:
        return None
    return np.array([[c == "#" for c in line] for line in config["map"]], np.uint8)


def outcome(goals: Any, reward: Any, terminated: Any, truncated: bool, active: Any) -> str:
    """The digest of what a step reports."""
    flags = [np.asarray(flag).astype("u1") for flag in (terminated, [truncated] * len(active), active)]
    return digest(np.asarray(goals).astype("<i4"), np.asarray(reward).astype("<f8"), *flags)


def seen(kind: str, observation: Any) -> str:
    """The digest of all robots' observations: an array, or a dict of arrays, `[N, ...]`."""
    if kind == "default":
        return digest(observation.astype("<f4"))
    parts = [observation[name].astype("<f4") for name in ("obstacles", "agents")]
    parts += [observation[name].astype("<i4") for name in ("xy", "target_xy")]
    if kind == "MAPF":
        parts.append(observation["global_obstacles"][0].astype("u1"))
        parts += [observation[name].astype("<i4") for name in ("global_xy", "global_target_xy")]
    return digest(*parts)


def first_difference(got: list[str], expected: str) -> str:
    """Where two lists of digests part, for a message; empty if they do not."""
    wanted = split(expected)
    if got == wanted:
        return ""
    if len(got) != len(wanted):
        return f"{len(got)} steps, POGEMA {len(wanted)}"
    return f"from item {next(k for k, pair in enumerate(zip(got, wanted, strict=True)) if pair[0] != pair[1])}"


def metric_differences(episode: dict[str, Any], figures: dict[str, float]) -> Iterator[str]:
    """The metrics that are not POGEMA's."""
    for name, value in episode["metrics"].items():
        ours = float(figures[METRICS[name]])
        if abs(ours - value) > 1e-9 * abs(value):
            yield f"{name}: {ours}, POGEMA {value}"
