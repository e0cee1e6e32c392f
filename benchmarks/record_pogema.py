"""Record episodes of POGEMA 1.4.0 as golden files, so that the parity tests need no POGEMA.

Run inside the peer's environment: `.venvs/pogema/bin/python benchmarks/record_pogema.py`. Writes
`tests/mapf/golden/pogema-*.json.xz`, the same bytes every time. An episode holds its config, the instance
that POGEMA made from the seed, all actions (one digit a robot), and digests of every step:

    digest = BLAKE2b, 3 bytes, hex, over little-endian arrays in C order
    positions  int32[N, 2], without POGEMA's padding, inactive robots included
    outcome    int32[N, 2] goals, float64[N] rewards, uint8[N] terminated, uint8[N] truncated, uint8[N] active
    observed   `default`: float32[N, 3, s, s]; else float32[N, s, s] obstacles, float32[N, s, s] agents,
               int32[N, 2] xy, int32[N, 2] target_xy, and for `MAPF` uint8[H + 2r, W + 2r] global_obstacles,
               int32[N, 2] global_xy, int32[N, 2] global_target_xy

`observed` starts with the reset's observation. Half of the episodes play random moves, half mostly walk to
their goals (random moves alone reach few).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import lzma
import random
import sys
import warnings
from collections import deque
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

try:
    from pogema import GridConfig, pogema_v0
    from pogema.wrappers.metrics import AgentsDensityWrapper
except ImportError:
    sys.exit("run this inside POGEMA's environment: .venvs/pogema/bin/python benchmarks/record_pogema.py")

GOLDEN = Path(__file__).parents[1] / "tests" / "mapf" / "golden"
MOVES = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
MAPS = {
    "corridor": ["........"],
    "column": [".", ".", ".", ".", ".", "."],
    "room": ["....", "....", "....", "...."],
    "doors": [
        "....#....",
        "....#....",
        ".........",
        "....#....",
        "##.###.##",
        "....#....",
        ".........",
        "....#....",
    ],
    "islands": ["..#..", "..#..", "#####", "...#.", "...#."],
    "bottleneck": ["...#...", "...#...", ".......", "...#...", "...#..."],
    "maze": [
        "..........",
        ".########.",
        ".#......#.",
        ".#.####.#.",
        ".#.#..#.#.",
        ".#...##.#.",
        ".#####..#.",
        "........#.",
    ],
}


LARGE = {
    "height": 32, "width": 32, "density": 0.3, "num_agents": 64, "seed": 7, "obs_radius": 5,
    "observation_type": "default", "max_episode_steps": 64,
}  # fmt: skip


def digest(*arrays: np.ndarray) -> str:
    """3 bytes of BLAKE2b over the arrays' bytes, in hex."""
    h = hashlib.blake2b(digest_size=3)
    for array in arrays:
        h.update(np.ascontiguousarray(array).tobytes())
    return h.hexdigest()


def distances(free: np.ndarray, goal: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Steps to `goal` of every cell that can reach it."""
    found, queue = {goal: 0}, deque([goal])
    while queue:
        row, column = queue.popleft()
        for down, right in MOVES[1:]:
            cell = row + down, column + right
            inside = 0 <= cell[0] < free.shape[0] and 0 <= cell[1] < free.shape[1]
            if inside and free[cell] and cell not in found:
                found[cell] = found[row, column] + 1
                queue.append(cell)
    return found


class Walker:
    """Chooses actions: at random, or mostly one step nearer to the goal."""

    def __init__(self, rng: random.Random, grid: np.ndarray, seeking: bool) -> None:
        self.rng, self.free, self.seeking = rng, grid == 0, seeking
        self.known: dict[tuple[int, int], dict[tuple[int, int], int]] = {}

    def action(self, cell: tuple[int, int], goal: tuple[int, int]) -> int:
        """An action for a robot in `cell`."""
        if not self.seeking or self.rng.random() < 0.1:
            return self.rng.randrange(5)
        if goal not in self.known:
            self.known[goal] = distances(self.free, goal)
        far = self.known[goal]
        order = list(range(5))
        self.rng.shuffle(order)
        return min(order, key=lambda a: far.get((cell[0] + MOVES[a][0], cell[1] + MOVES[a][1]), 10**6))


def see(observations: list[Any], kind: str) -> str:
    """The digest of all robots' observations."""
    if kind == "default":
        return digest(np.stack(observations).astype("<f4"))

    def column(name: str, dtype: str) -> np.ndarray:
        return np.stack([np.asarray(own[name]) for own in observations]).astype(dtype)

    parts = [
        column("obstacles", "<f4"),
        column("agents", "<f4"),
        column("xy", "<i4"),
        column("target_xy", "<i4"),
    ]
    if kind == "MAPF":
        parts += [np.asarray(observations[0]["global_obstacles"]).astype("u1")]
        parts += [column("global_xy", "<i4"), column("global_target_xy", "<i4")]
    return digest(*parts)


def record(config: dict[str, Any], seeking: bool, name: str) -> dict[str, Any] | None:
    """Play one episode; None if POGEMA cannot place the robots."""
    given = {key: value for key, value in config.items() if key != "map"}
    if config.get("map"):
        given["map"] = [[int(c == "#") for c in line] for line in config["map"]]
    env: Any = pogema_v0(GridConfig(**given))
    if config["observation_type"] != "default":
        env = AgentsDensityWrapper(env)
    try:
        observations, _ = env.reset()
    except OverflowError:
        return None
    grid = env.grid.get_obstacles(ignore_borders=True).astype(np.uint8)
    starts, goals = places_of(env)
    walker = Walker(random.Random(name), grid, seeking)
    positions, outcome, observed, played = [], [], [see(observations, config["observation_type"])], []
    reward_sum, over, infos = 0.0, False, [{}]
    places, aims = starts, goals
    while not over:
        actions = [walker.action(tuple(p), tuple(g)) for p, g in zip(places.tolist(), aims.tolist(), strict=True)]
        played.append("".join(map(str, actions)))
        observations, rewards, terminated, truncated, infos = env.step(list(actions))
        places, aims = places_of(env)
        active = np.array([info["is_active"] for info in infos], "u1")
        flags = np.array(terminated, "u1"), np.array(truncated, "u1"), active
        positions.append(digest(places))
        outcome.append(digest(aims, np.array(rewards, "<f8"), *flags))
        observed.append(see(observations, config["observation_type"]))
        reward_sum += sum(rewards)
        over = all(terminated) or all(truncated)
    return {
        "config": config, "grid": digest(grid), "starts": starts.reshape(-1).tolist(), "goals":
        goals.reshape(-1).tolist(), "actions": "".join(played), "positions": "".join(positions), "outcome":
        "".join(outcome), "observed": "".join(observed), "last": places.reshape(-1).tolist(), "reward":
        reward_sum, "metrics": {key: float(value) for key, value in infos[0]["metrics"].items()},
    }  # fmt: skip


def drawn(rng: random.Random, mode: str, rule: str, number: int) -> dict[str, Any]:
    """A config whose map, starts and goals come from the seed."""
    height = rng.choice((4, 6, 8, 10, 16))
    width = rng.choice((height, height, 5, 9, 13))
    area = height * width
    config: dict[str, Any] = {
        "height": height, "width": width, "density": rng.choice((0.0, 0.1, 0.2, 0.3, 0.45)),
        "num_agents": max(1, rng.choice((3, area // 12, area // 8, area // 6, area // 5))),
        "seed": rng.choice((number, rng.randrange(2**31), rng.randrange(2**53))),
    }  # fmt: skip
    if number % 3 == 2:
        config["map"] = MAPS[rng.choice(sorted(MAPS))]
        free = sum(line.count(".") for line in config["map"])
        config["num_agents"] = rng.choice((1, 2, free // 5, free // 4, free // 3)) or 1
        del config["height"], config["width"], config["density"]
    return config | settings(rng, mode, rule)


def settings(rng: random.Random, mode: str, rule: str) -> dict[str, Any]:
    """What does not concern the instance."""
    return {
        "on_target": mode, "collision_system": rule, "obs_radius": rng.choice((1, 2, 3, 5, 5, 7)),
        "observation_type": rng.choice(("default", "default", "POMAPF", "MAPF")),
        "max_episode_steps": rng.choice((24, 40, 64)),
    }  # fmt: skip


def crowded(rng: random.Random, mode: str, rule: str) -> dict[str, Any]:
    """Given starts and goals on a map without room: rotations, long chains, goals on other robots' starts."""
    height, width = rng.choice(((1, 6), (2, 2), (2, 3), (3, 3), (3, 4), (4, 4)))
    cells = list(itertools.product(range(height), range(width)))
    number = rng.randint(max(1, len(cells) - 3), len(cells))
    starts, goals = rng.sample(cells, number), rng.sample(cells, number)
    config: dict[str, Any] = {
        "map": ["." * width] * height,
        "num_agents": number,
        "seed": rng.randrange(1000),
    }
    config["agents_xy"], config["targets_xy"] = [list(c) for c in starts], [list(c) for c in goals]
    if mode == "restart":
        config["targets_xy"] = [[list(goal)] for goal in goals]
        for own in config["targets_xy"]:
            while len(own) < rng.randint(2, 4) or own[-1] == own[0]:
                own.append(list(rng.choice([c for c in cells if list(c) != own[-1]])))
    return config | settings(rng, mode, rule)


def limit(rng: random.Random) -> dict[str, Any]:
    """A config and the most robots that POGEMA can place on its map, with their starts and goals."""
    config: dict[str, Any] = {
        "height": rng.randint(2, 7), "width": rng.randint(2, 7), "density": rng.choice((0.2, 0.4, 0.6)),
        "seed": rng.randrange(2**31),
    }  # fmt: skip
    most, starts, goals = 0, [], []
    while True:
        env: Any = pogema_v0(GridConfig(**config, num_agents=most + 1))
        try:
            env.reset()
        except OverflowError:
            return {"config": config, "most": most, "starts": starts, "goals": goals}
        most += 1
        starts, goals = (np.array(cells).reshape(-1).tolist() for cells in places_of(env))


def places_of(env: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions and goals of all robots, int32[N, 2], without POGEMA's padding."""
    starts, goals = env.get_agents_xy(ignore_borders=True), env.get_targets_xy(ignore_borders=True)
    return np.array(starts, "<i4"), np.array(goals, "<i4")


def main() -> None:
    """Write one file a mode, and one of the most robots that POGEMA can place."""
    warnings.simplefilter("ignore")
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for mode, count in (("finish", 24), ("nothing", 24), ("restart", 42)):
        episodes = []
        for rule in ("soft", "block_both", "priority"):
            rng = random.Random(f"{mode}/{rule}")
            for number in itertools.count():
                if sum(e["config"]["collision_system"] == rule for e in episodes) >= count:
                    break
                config = crowded(rng, mode, rule) if number % 4 == 3 else drawn(rng, mode, rule, number)
                episode = record(config, bool(number % 2), f"{mode}/{rule}/{number}")
                if episode:
                    episodes.append(episode)
        if mode == "restart":
            for rule in ("soft", "block_both", "priority"):
                config = LARGE | {"on_target": mode, "collision_system": rule}
                episodes.append(record(config, True, f"large/{rule}") or sys.exit("POGEMA refuses the large map"))
        store(f"pogema-{mode}", episodes)
    rng = random.Random("limits")
    store("pogema-limits", [limit(rng) for _ in range(40)])


def store(name: str, content: list[Any]) -> None:
    """Write one golden file."""
    text = json.dumps({"pogema": version("pogema"), "content": content}, separators=(",", ":"))
    path = GOLDEN / f"{name}.json.xz"
    path.write_bytes(lzma.compress(text.encode(), preset=9))
    print(f"{path.name}: {len(content)} entries, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
