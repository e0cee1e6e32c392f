"""The search of LaCAM*, compiled: configurations, their lazily listed constraints, and rewiring.

A node is a configuration (the cells of all robots). Its successors are asked for one at a time: constrained
PIBT completes the moves that a growing list of constraints dictates, so that in the end every successor is
listed and the search is complete. All nodes, edges and the hash table live in arrays that the caller
enlarges when they are full. Sources: Okumura, "LaCAM" (AAAI 2023) and "Improving LaCAM for Scalable
Eventually Optimal Multi-Agent Pathfinding" (IJCAI 2023).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.mapf.pibt import PibtWork, next_order, pibt_step
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.rng import below, draw, mix64

__all__ = [
    "BUDGET",
    "EXHAUSTED",
    "FACTS",
    "FOUND",
    "FULL",
    "GOAL",
    "ITERATIONS",
    "NODES",
    "Problem",
    "Tree",
    "enlarge",
    "new_tree",
    "search",
    "start_tree",
]

FOUND, EXHAUSTED, BUDGET, FULL = 1, 2, 3, 4  # why `search` came back
ITERATIONS, NODES, EDGES, TOP, GOAL = 0, 1, 2, 3, 4  # places in `Tree.facts`
FACTS = 5
_STREAM_TIES, _STREAM_RESTART = 111, 112
_NOT_OPEN = -2
_CELL = np.uint64(0x9E3779B97F4A7C15)


class Problem(NamedTuple):
    """What is to be solved, and scratch."""

    table: NDArray[np.int32]
    """int32[H * W, 5] of `grid.neighbours`"""
    distance: NDArray[np.int32]
    """int32[S, H * W] of `Guides.table`"""
    rows: NDArray[np.int32]
    """int32[N]"""
    goal: NDArray[np.int32]
    """int32[N] cells"""
    rank: NDArray[np.int32]
    """int32[N]: robots in the order of their initial priority"""
    work: PibtWork
    ties: NDArray[np.uint64]
    """uint64[N] scratch"""
    planned: NDArray[np.int32]
    """int32[N] scratch"""
    best: NDArray[np.int32]
    """int32[N] scratch"""
    where: NDArray[np.int32]
    """int32[N] scratch: cells that the constraints dictate to the first robots of the order"""
    arrived: NDArray[np.bool_]
    """bool[N] scratch"""


class Tree(NamedTuple):
    """The nodes found so far; capacity C nodes, E edges."""

    config: NDArray[np.int32]
    """int32[C, N] cells"""
    order: NDArray[np.int32]
    """int32[C, N] robots, highest priority first"""
    digit: NDArray[np.int8]
    """int8[C, N]: the last constraint listed, an action for each of the first `depth` robots of the order"""
    depth: NDArray[np.int32]
    """int32[C]: how many robots that constraint binds; -1 before the first, N + 1 after the last"""
    hash: NDArray[np.uint64]
    parent: NDArray[np.int32]
    cost: NDArray[np.int64]
    """int64[C]: the cheapest known way from the start"""
    ahead: NDArray[np.int64]
    """int64[C]: lower bound of the way to the goal"""
    above: NDArray[np.int32]
    """int32[C]: the neighbour in the stack of open nodes, -1 at the top, -2 when not open"""
    below: NDArray[np.int32]
    edge: NDArray[np.int32]
    """int32[C]: the first edge out of the node, -1 for none"""
    queue: NDArray[np.int32]
    """int32[C] scratch of rewiring"""
    queued: NDArray[np.bool_]
    edge_to: NDArray[np.int32]
    edge_next: NDArray[np.int32]
    edge_cost: NDArray[np.int32]
    slot: NDArray[np.int32]
    """int32[2**k]: node by hash of its configuration, -1 for free"""
    edge_slot: NDArray[np.int32]
    """int32[2**k]: edge by hash of its two ends, -1 for free"""
    edge_from: NDArray[np.int32]
    facts: NDArray[np.int64]


def new_tree(robots: int, nodes: int) -> Tree:
    """Allocate room for so many nodes, a power of two."""
    edges = 2 * nodes
    return Tree(
        config=np.empty((nodes, robots), np.int32),
        order=np.empty((nodes, robots), np.int32),
        digit=np.empty((nodes, robots), np.int8),
        depth=np.full(nodes, -1, np.int32),
        hash=np.empty(nodes, np.uint64),
        parent=np.full(nodes, -1, np.int32),
        cost=np.zeros(nodes, np.int64),
        ahead=np.zeros(nodes, np.int64),
        above=np.full(nodes, _NOT_OPEN, np.int32),
        below=np.full(nodes, -1, np.int32),
        edge=np.full(nodes, -1, np.int32),
        queue=np.empty(nodes, np.int32),
        queued=np.zeros(nodes, np.bool_),
        edge_to=np.empty(edges, np.int32),
        edge_next=np.empty(edges, np.int32),
        edge_cost=np.empty(edges, np.int32),
        slot=np.full(4 * nodes, -1, np.int32),
        edge_slot=np.full(4 * edges, -1, np.int32),
        edge_from=np.empty(edges, np.int32),
        facts=np.array([0, 0, 0, -1, -1], np.int64),
    )


def enlarge(tree: Tree) -> Tree:
    """Return a tree of the same content with twice the room."""
    nodes, robots = tree.config.shape
    bigger = new_tree(robots, 2 * nodes)
    for name in Tree._fields:
        if name in ("slot", "edge_slot"):
            continue
        old = getattr(tree, name)
        getattr(bigger, name)[: len(old)] = old
    _refill(bigger)
    return bigger


@kernel
def _refill(tree: Tree) -> None:
    """Enter all nodes and edges into the empty hash tables."""
    for node in range(tree.facts[NODES]):
        tree.slot[_free_slot(tree, node)] = node
    for edge in range(tree.facts[EDGES]):
        place, _ = _edge_place(tree, int(tree.edge_from[edge]), int(tree.edge_to[edge]))
        tree.edge_slot[place] = edge


@kernel
def _hash(config: NDArray[np.int32]) -> np.uint64:
    total = np.uint64(0)
    for robot in range(config.shape[0]):
        total += mix64(np.uint64(config[robot]) + _CELL * np.uint64(robot + 1))
    return np.uint64(total)


@kernel
def _free_slot(tree: Tree, node: int) -> int:
    mask = np.uint64(tree.slot.shape[0] - 1)
    place = tree.hash[node] & mask
    while tree.slot[place] >= 0:
        place = (place + np.uint64(1)) & mask
    return int(np.int64(place))


@kernel
def _find(tree: Tree, config: NDArray[np.int32], code: np.uint64) -> int:
    """Return the node with this configuration, or -1."""
    mask = np.uint64(tree.slot.shape[0] - 1)
    place = np.uint64(code) & mask
    while tree.slot[place] >= 0:
        node = int(tree.slot[place])
        if tree.hash[node] == code:
            same = True
            for robot in range(config.shape[0]):
                if tree.config[node, robot] != config[robot]:
                    same = False
                    break
            if same:
                return node
        place = (place + np.uint64(1)) & mask
    return -1


@kernel
def _edge_place(tree: Tree, source: int, target: int) -> tuple[int, int]:
    """Return the place of the edge in its hash table, or where it would be, and its number (-1: new)."""
    mask = np.uint64(tree.edge_slot.shape[0] - 1)
    place = mix64((np.uint64(source) << np.uint64(32)) | np.uint64(target)) & mask
    while tree.edge_slot[place] >= 0:
        edge = int(tree.edge_slot[place])
        if tree.edge_from[edge] == source and tree.edge_to[edge] == target:
            return int(np.int64(place)), edge
        place = (place + np.uint64(1)) & mask
    return int(np.int64(place)), -1


@kernel
def _step_cost(goal: NDArray[np.int32], before: NDArray[np.int32], after: NDArray[np.int32]) -> int:
    """How many robots do not stay on their goals."""
    cost = 0
    for robot in range(goal.shape[0]):
        cost += before[robot] != goal[robot] or after[robot] != goal[robot]
    return cost


@kernel
def _distance_ahead(problem: Problem, config: NDArray[np.int32]) -> int:
    total = 0
    for robot in range(config.shape[0]):
        total += int(problem.distance[problem.rows[robot], config[robot]])
    return total


@kernel
def _close(tree: Tree, node: int) -> None:
    """Take a node out of the stack of open nodes."""
    above, under = int(tree.above[node]), int(tree.below[node])
    if above == _NOT_OPEN:
        return
    if above >= 0:
        tree.below[above] = under
    else:
        tree.facts[TOP] = under
    if under >= 0:
        tree.above[under] = above
    tree.above[node] = _NOT_OPEN


@kernel
def _open(tree: Tree, node: int) -> None:
    """Put a node on top of the stack of open nodes, unless all its successors are known."""
    if tree.depth[node] > tree.config.shape[1]:
        return
    _close(tree, node)
    top = int(tree.facts[TOP])
    tree.above[node] = -1
    tree.below[node] = top
    if top >= 0:
        tree.above[top] = node
    tree.facts[TOP] = node


@kernel
def _connect(tree: Tree, source: int, target: int, cost: int) -> None:
    """Note an edge, once."""
    place, edge = _edge_place(tree, source, target)
    if edge >= 0:
        return
    edge = int(tree.facts[EDGES])
    tree.facts[EDGES] += 1
    tree.edge_slot[place] = edge
    tree.edge_from[edge] = source
    tree.edge_to[edge] = target
    tree.edge_cost[edge] = cost
    tree.edge_next[edge] = tree.edge[source]
    tree.edge[source] = edge


@kernel
def _insert(problem: Problem, tree: Tree, config: NDArray[np.int32], code: np.uint64, ahead: int) -> int:
    """Make a node of a new configuration and open it; return its number."""
    node = int(tree.facts[NODES])
    tree.facts[NODES] += 1
    tree.config[node] = config
    tree.hash[node] = code
    tree.slot[_free_slot(tree, node)] = node
    tree.ahead[node] = ahead
    _open(tree, node)
    return node


@kernel
def start_tree(problem: Problem, tree: Tree, start: NDArray[np.int32]) -> None:
    """Enter the start configuration into an empty tree."""
    node = _insert(problem, tree, start, _hash(start), _distance_ahead(problem, start))
    tree.order[node] = problem.rank


@kernel
def _rewire(tree: Tree, source: int) -> None:
    """Pass cheaper ways on from `source` along known edges; open what may now lead to a better plan."""
    size = tree.queue.shape[0]
    tree.queue[0] = source
    tree.queued[source] = True
    head, count = 0, 1
    while count > 0:
        node = int(tree.queue[head])
        head = (head + 1) % size
        count -= 1
        tree.queued[node] = False
        edge = int(tree.edge[node])
        while edge >= 0:
            target = int(tree.edge_to[edge])
            cost = int(tree.cost[node]) + int(tree.edge_cost[edge])
            if cost < tree.cost[target]:
                tree.cost[target] = cost
                tree.parent[target] = node
                if not tree.queued[target]:
                    tree.queue[(head + count) % size] = target
                    tree.queued[target] = True
                    count += 1
                goal = int(tree.facts[GOAL])
                if goal >= 0 and cost + tree.ahead[target] < tree.cost[goal]:
                    _open(tree, target)
            edge = int(tree.edge_next[edge])


@kernel
def _clashes(problem: Problem, tree: Tree, node: int, k: int, cell: int) -> bool:
    """Whether the k-th robot of the order may not go to `cell`, given where the robots before it go."""
    here = tree.config[node, tree.order[node, k]]
    for j in range(k):
        if problem.where[j] == cell:
            return True
        if problem.where[j] == here and tree.config[node, tree.order[node, j]] == cell:
            return True
    return False


@kernel
def _place(problem: Problem, tree: Tree, node: int, k: int) -> int:
    """The cell that the k-th constraint means, -1 for none; every node begins with another action."""
    turn = int(np.int64((tree.hash[node] >> np.uint64(k % 57)) & np.uint64(63)))
    action = (int(tree.digit[node, k]) + turn) % 5
    return int(problem.table[tree.config[node, tree.order[node, k]], action])


@kernel
def _next_constraint(problem: Problem, tree: Tree, node: int) -> bool:
    """List the node's next constraint: none, then all for one robot, for two, and so on, breadth first.

    Combinations that collide in themselves are passed over with all that would follow from them.
    """
    robots = tree.config.shape[1]
    depth = int(tree.depth[node])
    if depth < 0:
        tree.depth[node] = 0
        return True
    digit = tree.digit[node]
    for j in range(depth - 1):
        problem.where[j] = _place(problem, tree, node, j)
    k = depth - 1
    while True:
        if k < 0:
            depth += 1
            tree.depth[node] = depth
            if depth > robots:
                return False
            k = 0
            digit[0] = -1
        digit[k] += 1
        if digit[k] >= 5:
            k -= 1
            continue
        cell = _place(problem, tree, node, k)
        if cell < 0 or _clashes(problem, tree, node, k, cell):
            continue
        problem.where[k] = cell
        if k == depth - 1:
            return True
        k += 1
        digit[k] = -1


@kernel
def _successor(problem: Problem, tree: Tree, node: int, key: np.uint64, swap: bool, samples: int) -> bool:
    """Complete the constraint to a configuration in `problem.best`, the most promising of so many tries."""
    robots = tree.config.shape[1]
    config, order = tree.config[node], tree.order[node]
    iteration, depth = int(tree.facts[ITERATIONS]), int(tree.depth[node])
    lowest = -1
    for sample in range(samples):
        for robot in range(robots):
            problem.ties[robot] = draw(key, _STREAM_TIES, iteration, robot, sample)
            problem.planned[robot] = -1
        for k in range(depth):
            problem.planned[order[k]] = problem.where[k]
        if not pibt_step(
            problem.table,
            problem.distance,
            problem.rows,
            config,
            problem.goal,
            order,
            problem.ties,
            swap,
            problem.work,
            problem.planned,
        ):
            continue
        value = 0
        if samples > 1:
            value = _step_cost(problem.goal, config, problem.planned)
            value += _distance_ahead(problem, problem.planned)
        if lowest < 0 or value < lowest:
            lowest = value
            problem.best[:] = problem.planned
        if depth == robots:
            break
    return lowest >= 0


@kernel
def _enter(problem: Problem, tree: Tree, node: int, key: np.uint64) -> None:
    """Enter the successor in `problem.best`: a new node on top, or a rewired known one."""
    robots = tree.config.shape[1]
    cost = _step_cost(problem.goal, tree.config[node], problem.best)
    code = _hash(problem.best)
    known = _find(tree, problem.best, code)
    if known >= 0:
        _connect(tree, node, known, cost)
        _rewire(tree, node)
        chance = draw(key, _STREAM_RESTART, int(tree.facts[ITERATIONS]), 1, 0)
        _open(tree, known if below(chance, 10) > 0 else 0)
        return
    fresh = _insert(problem, tree, problem.best, code, _distance_ahead(problem, problem.best))
    tree.parent[fresh] = node
    tree.cost[fresh] = tree.cost[node] + cost
    for robot in range(robots):
        problem.arrived[robot] = problem.best[robot] == problem.goal[robot]
    next_order(tree.order[node], problem.rank, problem.arrived, tree.order[fresh])
    _connect(tree, node, fresh, cost)


@kernel
def search(problem: Problem, tree: Tree, key: np.uint64, limit: int, swap: bool, samples: int) -> int:
    """Go on searching until `facts[ITERATIONS]` is `limit`; return why it stopped.

    FOUND: the first time that the goal is reached (`facts[GOAL]`; call again to improve it). EXHAUSTED:
    nothing is left that could be new or better. BUDGET: the limit. FULL: enlarge the tree, then call again.
    """
    facts = tree.facts
    while facts[TOP] >= 0:
        if facts[ITERATIONS] >= limit:
            return BUDGET
        if facts[NODES] == tree.config.shape[0] or facts[EDGES] == tree.edge_to.shape[0]:
            return FULL
        facts[ITERATIONS] += 1
        node, goal = int(facts[TOP]), int(facts[GOAL])
        if goal < 0 and tree.ahead[node] == 0:
            facts[GOAL] = node
            return FOUND
        if goal >= 0:
            chance = draw(key, _STREAM_RESTART, int(facts[ITERATIONS]), 0, 0)
            if below(chance, 100) == 0:  # go on from anywhere, so that not only the end of the plan improves
                chance = draw(key, _STREAM_RESTART, int(facts[ITERATIONS]), 0, 1)
                node = below(chance, int(facts[NODES]))
            if tree.cost[node] + tree.ahead[node] >= tree.cost[goal]:
                _close(tree, node)
                continue
        if tree.depth[node] > tree.config.shape[1] or not _next_constraint(problem, tree, node):
            _close(tree, node)
            continue
        if _successor(problem, tree, node, key, swap, samples):
            _enter(problem, tree, node, key)
    return EXHAUSTED
