"""The maps that come with the suite (`scenarios/maps`), made from fixed seeds.

`python -m ludarium.envs.mapf.shipped scenarios/maps` writes them; a test holds the files against this module.
"""

from __future__ import annotations

import sys
from os import PathLike
from pathlib import Path

import numpy as np

from ludarium.envs.mapf.generate import generate_grid
from ludarium.envs.mapf.grid import components, neighbours
from ludarium.envs.mapf.maps import GridMap, write_map

__all__ = ["SHIPPED", "shipped_maps", "write_shipped"]

SHIPPED: dict[str, tuple[str, int, int, int, dict[str, float]]] = {
    "ludarium-empty-16x16": ("random", 16, 16, 0, {"density": 0.0}),
    "ludarium-random-20x20": ("random", 20, 20, 2, {"density": 0.2}),
    "ludarium-random-32x32-10": ("random", 32, 32, 10, {"density": 0.1}),
    "ludarium-random-32x32-20": ("random", 32, 32, 20, {"density": 0.2}),
    "ludarium-maze-21x21": ("maze", 21, 21, 1, {"loops": 0.2}),
    "ludarium-maze-32x32-2": ("maze", 32, 32, 2, {"corridor": 2, "loops": 0.1}),
    "ludarium-maze-65x65": ("maze", 65, 65, 3, {"loops": 0.15}),
    "ludarium-room-32x32-4": ("room", 32, 32, 4, {"room": 4, "loops": 0.5}),
    "ludarium-room-64x64-8": ("room", 64, 64, 8, {"room": 8, "loops": 0.6}),
    "ludarium-warehouse-33x46": ("warehouse", 33, 46, 0, {}),
    "ludarium-warehouse-63x161": ("warehouse", 63, 161, 0, {"depth": 2, "aisle": 1, "margin": 25}),
    "ludarium-city-64x64": ("city", 64, 64, 64, {"block": 10}),
    "ludarium-city-128x128": ("city", 128, 128, 128, {"block": 16, "street": 4, "avenues": 2}),
}
"""What `generate_grid` made the maps of the suite from: kind, height, width, seed, parameters."""


def _puzzles(count: int = 16) -> list[GridMap]:
    """Small crowded maps: the first random 5x5 maps that are connected and have 9 to 15 free cells.

    No turn or mirror makes two of them equal.
    """
    puzzles: list[GridMap] = []
    seen: set[bytes] = set()
    seed = 0
    while len(puzzles) < count:
        grid = generate_grid("random", 5, 5, seed, density=0.45)
        seed += 1
        turned = [np.rot90(face, k).tobytes() for face in (grid, grid.T) for k in range(4)]
        label = components(neighbours(grid))
        if label.max() == 0 and 9 <= (grid == 0).sum() <= 15 and seen.isdisjoint(turned):
            seen.update(turned)
            puzzles.append(GridMap(f"ludarium-puzzle-{len(puzzles):02d}", grid))
    return puzzles


def shipped_maps() -> list[GridMap]:
    """Make the maps that come with the suite anew, from their seeds."""
    made = [GridMap(name, generate_grid(kind, h, w, seed, **p)) for name, (kind, h, w, seed, p) in SHIPPED.items()]
    return made + _puzzles()


def write_shipped(folder: str | PathLike[str]) -> None:
    """Write the `.map` files that come with the suite (`scenarios/maps` in the repository) into a folder."""
    for grid_map in shipped_maps():
        write_map(Path(folder) / f"{grid_map.name}.map", grid_map)


if __name__ == "__main__":
    write_shipped(sys.argv[1])
