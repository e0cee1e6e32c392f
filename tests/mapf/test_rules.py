"""Who moves: the rules as statements about all joint actions on tiny maps, held against the reference and the kernels.

The statements are written a third time here, over arrays of whole families of joint actions `[M, N]`: `soft` by the
greatest of all subsets of robots that may move together, `priority` as an equation that the result must satisfy.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mapf.reference import Reference

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.compile import DISABLED
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.simulator import Out

MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
RULES = ("soft", "block_both", "priority", "strict")
MAPS = {
    "1x3": ("...",),
    "2x2": ("..", ".."),
    "2x3": ("...", "..."),
    "bend": (".#.", "...", "#.."),
    "ring": ("...", ".#.", "..."),
    "3x3": ("...", "...", "..."),
}
NONE, OBSTACLE, VERTEX, SWAP, BLOCKED = range(5)


def grid_of(name: str) -> np.ndarray:
    return np.array([[c == "#" for c in line] for line in MAPS[name]], np.uint8)


def joint_actions(robots: int) -> np.ndarray:
    return np.array(list(itertools.product(range(5), repeat=robots)))


def placements(grid: np.ndarray, robots: int) -> np.ndarray:
    """Cells [P, N, 2]: all ordered placements; for `3x3` and `ring` one of each class under the square's symmetries."""
    cells = [tuple(cell) for cell in np.argwhere(grid == 0).tolist()]
    every = itertools.permutations(cells, robots)
    if grid.shape != (3, 3) or not (grid == grid[::-1]).all():
        return np.array(list(every))

    def images(place: tuple[tuple[int, int], ...]) -> list[tuple[tuple[int, int], ...]]:
        turned = [place]
        for _ in range(3):
            turned.append(tuple((c, 2 - r) for r, c in turned[-1]))
        return turned + [tuple((r, 2 - c) for r, c in each) for each in turned]

    return np.array([place for place in every if place == min(images(place))])


def wants(grid: np.ndarray, at: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where robots at `at` [M, N, 2] want to be, as cells, and whether an obstacle is in the way; both [M, N]."""
    walls = np.pad(grid, 1, constant_values=1)
    there = at + MOVES[actions]
    stopped = walls[there[..., 0] + 1, there[..., 1] + 1] == 1
    there = np.where(stopped[..., None], at, there)
    return there[..., 0] * grid.shape[1] + there[..., 1], stopped & (actions > 0)


def swaps(at: np.ndarray, want: np.ndarray) -> np.ndarray:
    """[M, N]: whether the robot on the cell that a robot wants, wants its cell."""
    both = (want[:, :, None] == at[:, None, :]) & (at[:, :, None] == want[:, None, :])
    return both.any(2) & (want != at)


def soft(at: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Who moves [M, N], and the faults: the union of all subsets whose members may move together."""
    robots = at.shape[1]
    swap = swaps(at, want)
    free = (want != at) & ~swap
    rival = (want[:, :, None] == want[:, None, :]) & free[:, None, :] & np.tri(robots, k=-1, dtype=bool)
    beaten = free & rival.any(2)
    claimant = free & ~beaten
    bit = 1 << np.arange(robots)
    allowed = (claimant * bit).sum(1)
    holder = ((want[:, :, None] == at[:, None, :]) * bit).sum(2)
    together = np.zeros(len(at), np.int64)
    for members in range(1 << robots):
        needed = np.bitwise_or.reduce(np.where(bit & members, holder, 0), axis=1)
        together |= np.where((needed | members) & ~(allowed & members) == 0, members, 0)
    moves = (together[:, None] & bit) > 0
    fault = np.select([swap, beaten, claimant & ~moves], [SWAP, VERTEX, BLOCKED], NONE)
    return moves, fault


def block_both(at: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mover = want != at
    occupied = (want[:, :, None] == at[:, None, :]).any(2)
    shared = ((want[:, :, None] == want[:, None, :]) & mover[:, None, :]).sum(2) > 1
    moves = mover & ~occupied & ~shared
    return moves, np.select([swaps(at, want), mover & ~moves], [SWAP, VERTEX], NONE)


def priority(at: np.ndarray, want: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A robot moves iff no earlier robot ends, and no later one starts, where it wants to be."""
    moves = np.zeros(at.shape, bool)
    fault = np.zeros(at.shape, int)
    for i in range(at.shape[1]):
        now = np.where(moves, want, at)
        mover = want[:, i] != at[:, i]
        held = now == want[:, i : i + 1]
        facing = (held & ~moves & (want == at[:, i : i + 1])).any(1)
        moves[:, i] = mover & ~held.any(1)
        fault[:, i] = np.select([mover & facing, mover & held.any(1)], [SWAP, VERTEX], NONE)
    return moves, fault


def stated(rule: str, grid: np.ndarray, at: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells afterwards and faults, both [M, N], by the statements."""
    here = at[..., 0] * grid.shape[1] + at[..., 1]
    want, stopped = wants(grid, at, actions)
    moves, fault = {"soft": soft, "strict": soft, "block_both": block_both, "priority": priority}[rule](here, want)
    fault = np.where(stopped, OBSTACLE, fault)
    if rule == "strict":
        moves = moves & ~fault.any(1, keepdims=True)
    return np.where(moves, want, here), fault


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("name", "most"), [("1x3", 3), ("2x2", 4), ("2x3", 3), ("bend", 3), ("ring", 2), ("3x3", 2)])
def test_the_reference_keeps_the_statements(name: str, most: int, rule: str) -> None:
    grid = grid_of(name)
    for robots in range(1, most + 1):
        actions = joint_actions(robots)
        for place in placements(grid, robots):
            after, fault = stated(rule, grid, np.broadcast_to(place, (len(actions), *place.shape)), actions)
            world = Reference(grid, [tuple(c) for c in place.tolist()], [[(0, 0)]] * robots, collision=rule)
            for k, joint in enumerate(actions.tolist()):
                cells, codes = world.resolve(joint)
                assert [r * grid.shape[1] + c for r, c in cells] == after[k].tolist(), (place, joint)
                assert codes == fault[k].tolist(), (place, joint)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", MAPS)
def test_the_kernels_keep_the_statements(name: str, rule: str) -> None:
    """All joint actions of up to four robots in all placements; of two without the compiler, which is slow."""
    grid = grid_of(name)
    for robots in range(1, min(2 if DISABLED else 4, int((grid == 0).sum())) + 1):
        actions = np.ascontiguousarray(joint_actions(robots), np.int64)
        rows = len(actions)
        options = {"map": "\n".join(MAPS[name]) + "\n", "num_robots": robots, "collision": rule, "observation": "none"}
        simulator = make_simulator("mapf-v0", **options)
        state = simulator.new(rows)
        for b in range(rows):
            simulator.load(state, b, some_instance(grid, robots))
        zeros = np.zeros((rows, robots))
        out = Out(zeros, zeros.astype(bool), np.zeros(rows, bool), zeros.astype(np.int16))
        every, loaded = np.ones(rows, bool), np.full(rows, -2, np.int32)
        for place in placements(grid, robots):
            state.starts[:] = place[:, 0] * grid.shape[1] + place[:, 1]
            simulator.reset(state, every, np.zeros(rows, np.int64), loaded)
            out.terminated[:] = False
            simulator.step(state, (actions,), out)
            after, fault = stated(rule, grid, np.broadcast_to(place, (rows, *place.shape)), actions)
            assert np.array_equal(state.pos[..., 0] * grid.shape[1] + state.pos[..., 1], after), place
            assert np.array_equal(out.fault, fault), place
        assert all(held.all() for held in simulator.invariants(state).values())


def some_instance(grid: np.ndarray, robots: int) -> object:
    """Any instance on a map, by the simulator's own form in JSON."""
    cells = np.argwhere(grid == 0)[:robots].tolist()
    rows = ["".join(".#"[cell] for cell in row) for row in grid]
    return {"name": "", "map": rows, "starts": cells, "goals": cells}


def test_a_rotation_passes_under_soft_alone() -> None:
    for rule, moved in (("soft", True), ("strict", True), ("block_both", False), ("priority", False)):
        world = Reference(np.zeros((2, 2)), [(0, 0), (0, 1), (1, 1), (1, 0)], [[(0, 0)]] * 4, collision=rule)
        world.step([4, 2, 3, 1])
        assert (world.pos == [(0, 1), (1, 1), (1, 0), (0, 0)]) == moved, rule


def test_a_chain_follows_its_head() -> None:
    """Soft: all move or all stay; priority: only those whose next in line has the lower number."""
    row = [(0, c) for c in range(5)]
    for order, moved in ((row, 1), (row[::-1], 5)):
        for rule, expected in (("soft", 5), ("priority", moved), ("block_both", 1)):
            world = Reference(np.zeros((1, 6)), order, [[(0, 0)]] * 5, collision=rule)
            assert sum(a != 0 for a in world.step([4] * 5).executed) == expected, (rule, order)
    blocked = Reference(np.zeros((1, 5)), row, [[(0, 0)]] * 5)
    assert blocked.step([4] * 5).fault == [BLOCKED] * 4 + [OBSTACLE]


@pytest.mark.parametrize("world", ["mapf-v0", "mapf-lifelong-v0"])
def test_on_one_map_every_seed_places_and_sends_the_robots_elsewhere(world):
    """Of 40 seeds on 64 free cells no two agree in four starts and goals (by chance: once in a thousand million)."""
    batch = Batch(make_simulator(world, map="\n".join(["." * 8] * 8), num_robots=4), 40, world)
    every = np.ones(40, np.bool_)
    batch.seed(every, range(40))
    batch.reset(every)
    assert (
        len({(pos.tobytes(), goal.tobytes()) for pos, goal in zip(batch.state.pos, batch.state.goal, strict=True)})
        == 40
    )
