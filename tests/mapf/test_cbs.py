"""Conflict-based search against exhaustive search, known optima, and its parts against enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from mapf.brute import optimal_sum_of_costs
from mapf.checker import check_plan, sum_of_costs
from mapf.worlds import DATA, SHARE, chance, free_cells, grid_of, play, random_grid, shuffled, view_of

from ludarium.agents.mapf.cbs import CBS, solve
from ludarium.agents.mapf.cbs_pairs import cover
from ludarium.agents.mapf.cbs_robots import Robots, Rules
from ludarium.agents.mapf.cbs_search import Tree
from ludarium.envs.core.errors import ConfigError, InstanceError
from ludarium.envs.mapf.formats import read_scen
from ludarium.envs.mapf.grid import neighbours
from ludarium.envs.mapf.maps import read_map

FOREVER = 2**30
MOVINGAI = DATA / "movingai"
needs_movingai = pytest.mark.skipif(
    not MOVINGAI.exists() or SHARE > 1, reason="needs the MovingAI files and the compiler"
)


def tiny(case, seed):
    """A map of at most 4x4 with 2 to 4 robots (four only up to 12 cells)."""
    robots = 2 + chance(3, seed, case, 1)
    height, width = 2 + chance(3, seed, case, 2), 3 + chance(2, seed, case, 3)
    grid = random_grid(min(height, 3) if robots == 4 else height, width, 25, seed, case)
    free = free_cells(grid)
    robots = min(robots, len(free))
    return grid, shuffled(free, seed, 2 * case)[:robots], shuffled(free, seed, 2 * case + 1)[:robots]


def bound_at_root(grid, starts, goals):
    """What the search knows of an instance before it branches."""
    tree = Tree(Robots(grid, np.array(starts, np.int32), np.array(goals, np.int32), 10**9))
    node = tree.root()
    return node.g + tree.bound(node)


# --- optimality ----------------------------------------------------------------------------------------------------
def test_it_costs_what_exhaustive_search_says():
    optimal = 0
    for case in range(0, 500, SHARE):
        grid, starts, goals = tiny(case, 41)
        best = optimal_sum_of_costs(grid, starts.tolist(), goals.tolist())
        found = solve(grid, starts, goals, max_nodes=100)
        if found.status == "optimal":
            check_plan(grid, starts, goals, found.plan)
            assert found.cost == found.lower_bound == sum_of_costs(found.plan, goals) == best
            optimal += 1
        elif found.status == "unsolvable":
            assert best is None
        else:
            assert found.plan is None
            assert best is None or found.lower_bound <= best
    assert optimal >= 300 // SHARE


def test_the_heuristic_is_admissible():
    raised = 0
    for case in range(0, 300, SHARE):
        grid, starts, goals = tiny(case, 42)
        best = optimal_sum_of_costs(grid, starts.tolist(), goals.tolist())
        if best is not None:
            bound = bound_at_root(grid, starts, goals)
            alone = sum(
                optimal_sum_of_costs(grid, [s], [g]) for s, g in zip(starts.tolist(), goals.tolist(), strict=True)
            )
            assert alone <= bound <= best
            raised += bound > alone
            if len(starts) == 2 and best - alone <= 8:
                assert bound == best, "a pair alone is priced exactly, up to the depth of the examination"
    assert raised >= 30 // SHARE


OPTIMA = [
    ("random-32-32-20", 10, 200),
    ("random-32-32-20", 20, 413),
    ("random-32-32-20", 30, 637),
    ("random-32-32-20", 40, 837),
    ("random-32-32-10", 10, 232),
    ("random-32-32-10", 30, 720),
    ("random-32-32-10", 50, 1118),
    ("random-32-32-10", 70, 1541),
    pytest.param("random-32-32-10", 90, 2126, marks=pytest.mark.slow),
]


@needs_movingai
@pytest.mark.parametrize(("name", "robots", "optimum"), OPTIMA)
def test_optima_of_the_movingai_scenarios(name, robots, optimum):
    """The optima are CBSH2-RTC's, on the first rows of each scenario."""
    grid_map = read_map(MOVINGAI / f"{name}.map")
    scen = read_scen(MOVINGAI / f"{name}-random-1.scen", grid_map)
    grid, starts, goals = grid_map.grid, scen.starts[:robots], scen.goals[:robots]
    found = solve(grid, starts, goals)
    assert (found.status, found.cost) == ("optimal", optimum)
    check_plan(grid, starts, goals, found.plan)
    assert sum_of_costs(found.plan, goals) == optimum


@pytest.mark.parametrize(
    ("text", "starts", "goals", "cost"),
    [
        ("...... ...... ...... ......", [6, 1], [16, 21], 11),  # a rectangle: they meet on all its cells
        (" ".join(["........"] * 8), [8, 1], [47, 61], 23),  # a larger one
        ("#.######. ......... #.######.", [9, 17], [16, 10], 23),  # a corridor with room at its ends
        ("#.#########. ............ #.#########.", [12, 23], [22, 13], 32),  # a longer one
        ("....... .#####. .#####. .......", [6, 13], [13, 6], 18),  # the way back is around the block
        ("##.#### ....... #######", [7, 9], [13, 9], 9),  # a goal in the way
    ],
)
def test_symmetries_cost_few_nodes(text, starts, goals, cost):
    """Without reasoning over pairs the tree grows exponentially with the size of these."""
    grid = grid_of(text)
    found = solve(grid, starts, goals)
    assert found.status == "optimal"
    assert found.cost == optimal_sum_of_costs(grid, starts, goals) == cost
    assert found.nodes <= 8


# --- limits --------------------------------------------------------------------------------------------------------
def test_unsolvable_instances_end():
    apart = solve(grid_of("..#.."), [0, 4], [1, 0])
    assert (apart.status, apart.plan, apart.cost) == ("unsolvable", None, None)
    blocked = solve(grid_of("...."), [0, 3], [3, 0], max_nodes=50)
    assert blocked.status in ("budget", "unsolvable")
    assert blocked.plan is None
    assert blocked.nodes <= 50


def test_budgets_end_the_search_with_a_lower_bound():
    grid = random_grid(12, 12, 15, 44, 0)
    cells = shuffled(free_cells(grid), 44, 1)
    starts, goals = cells[:16], shuffled(cells[:60], 44, 2)[:16]
    full = solve(grid, starts, goals)
    assert full.status == "optimal"
    assert full.nodes > 2
    for limits in (
        {"max_nodes": 0},
        {"max_nodes": 2},
        {"max_expansions": 500},
        {"max_expansions": full.expansions - 1},
    ):
        cut = solve(grid, starts, goals, **limits)
        assert (cut.status, cut.plan, cut.cost) == ("budget", None, None)
        assert 0 < cut.lower_bound <= full.cost
        assert cut.nodes <= limits.get("max_nodes", full.nodes)
    exact = solve(grid, starts, goals, max_nodes=full.nodes, max_expansions=full.expansions)
    assert exact.status == "optimal"


def test_the_same_instance_gives_the_same_plan():
    grid = random_grid(10, 10, 20, 45, 0)
    cells = shuffled(free_cells(grid), 45, 1)
    starts, goals = cells[:6], cells[6:12]
    runs = [solve(grid, starts, goals) for _ in range(2)]
    assert runs[0].status in ("optimal", "unsolvable")
    assert runs[0][1:] == runs[1][1:]
    assert (runs[0].plan == runs[1].plan).all()


def test_small_cases():
    grid = grid_of("... .#.")
    assert solve(grid, [], []).plan.shape == (1, 0)
    home = solve(grid, [0, 5], [0, 5])
    assert home.plan.tolist() == [[0, 5]]
    assert (home.cost, home.status) == (0, "optimal")
    for starts, goals in (([4], [0]), ([0], [6]), ([0, 0], [1, 2]), ([0, 1], [2, 2]), ([0, 1], [2])):
        with pytest.raises(InstanceError):
            solve(grid, starts, goals)


# --- parts against enumeration -------------------------------------------------------------------------------------
def constraints(grid, case, seed):
    """Up to five random constraints: cells for some steps or for ever, and moves."""
    table, free = neighbours(grid), free_cells(grid).tolist()
    rows = []
    for k in range(chance(6, seed, case, 50)):
        cell, step = free[chance(len(free), seed, case, 51 + k)], 1 + chance(6, seed, case, 61 + k)
        origin = int(table[cell, 1 + chance(4, seed, case, 71 + k)])
        kind = chance(5, seed, case, 81 + k)
        if kind < 2 and origin >= 0:
            rows.append((origin, cell, step, step))
        else:
            rows.append((-1, cell, step, FOREVER if kind == 4 else step + chance(3, seed, case, 91 + k)))
    return tuple(sorted(set(rows)))


def walks(grid, start, goal, rows, cost):
    """All paths of exactly this cost that keep the constraints, by enumeration."""
    table = neighbours(grid)
    closed = {(cell, t) for o, cell, first, last in rows if o < 0 for t in range(first, min(last, 60) + 1)}
    moves = {(o, cell, first) for o, cell, first, _ in rows if o >= 0}
    paths = [[start]]
    for t in range(1, cost + 1):
        paths = [
            [*path, int(cell)]
            for path in paths
            for cell in table[path[-1]].tolist()
            if cell >= 0 and (cell, t) not in closed and (path[-1], cell, t) not in moves
        ]
    rest = all((goal, t) not in closed for t in range(cost, 60))
    return sorted(path for path in paths if rest and path[-1] == goal and (cost == 0 or path[-2] != goal))


def paths_of(drawn):
    """All paths that an MDD holds."""
    found = [([int(drawn.cells[0])], 0)]
    for _ in range(len(drawn.levels) - 2):
        found = [
            ([*path, int(drawn.cells[kid])], kid)
            for path, node in found
            for kid in drawn.kids[node].tolist()
            if kid >= 0
        ]
    return sorted(path for path, _ in found)


def test_costs_and_diagrams_are_those_of_enumeration():
    seen = 0
    for case in range(0, 200, SHARE):
        grid = random_grid(2 + chance(2, 46, case, 1), 3, 20, 46, case)
        free = free_cells(grid)
        start, goal = shuffled(free, 46, case)[:2] if len(free) > 1 else (free[0], free[0])
        rows = constraints(grid, case, 46)
        low = chance(5, 46, case, 40)
        robots = Robots(grid, np.array([start], np.int32), np.array([goal], np.int32), 10**9)
        number = robots.number(Rules(0, rows, low, FOREVER))
        known = {cost: walks(grid, int(start), int(goal), rows, cost) for cost in range(low, 8)}
        least = next((cost for cost in sorted(known) if known[cost]), None)
        found = robots.cost(number)
        assert found == least or (least is None and (found < 0 or found > 7))
        for cost in known:
            drawn = robots.diagram(number, cost)
            assert (paths_of(drawn) if drawn else []) == known[cost]
            seen += drawn is not None
            assert drawn is None or all(drawn.holds(np.array(path, np.int32)) for path in known[cost])
            if drawn and cost == least:
                assert drawn.widths.tolist() == [len({p[t] for p in known[cost]}) for t in range(cost + 1)]
    assert seen >= 200 // SHARE


def test_a_robot_may_have_to_come_by_a_latest_step():
    robots = Robots(grid_of("... .#. ..."), np.array([0], np.int32), np.array([8], np.int32), 10**9)
    assert robots.cost(robots.number(Rules(0, ((-1, 2, 2, 2), (-1, 6, 2, 2)), 0, 5))) == 5
    assert robots.cost(robots.number(Rules(0, ((-1, 2, 2, 2), (-1, 6, 2, 2)), 0, 4))) < 0


def test_pairs_of_diagrams_are_compatible_when_two_of_their_paths_are():
    answers = set()
    for case in range(0, 150, SHARE):
        grid = random_grid(3, 3, 15, 47, case)
        cells = shuffled(free_cells(grid), 47, case)
        if len(cells) < 4:
            continue
        starts, goals = cells[:2].copy(), cells[2:4].copy()
        robots = Robots(grid, starts.astype(np.int32), goals.astype(np.int32), 10**9)
        one, two = (robots.number(Rules(robot, (), 0, FOREVER)) for robot in (0, 1))
        if robots.cost(one) < 0 or robots.cost(two) < 0:
            continue
        for rise_a, rise_b in product(range(3), repeat=2):
            a, b = robots.cost(one) + rise_a, robots.cost(two) + rise_b
            pairs = product(
                walks(grid, int(starts[0]), int(goals[0]), (), a), walks(grid, int(starts[1]), int(goals[1]), (), b)
            )
            expected = any(apart(first, second) for first, second in pairs)
            assert robots.fits(one, a, two, b) == expected
            answers.add(expected)
        rise_a, rise_b = robots.region(one, two)
        a, b = robots.cost(one), robots.cost(two)
        assert not any(robots.fits(one, a + i, two, b + j) for i in range(rise_a) for j in range(rise_b))
    assert answers == {True, False} or SHARE > 1


def apart(first, second):
    """Whether two paths, each resting at its end, share no cell and no edge."""
    steps = max(len(first), len(second))
    one, two = (path + path[-1:] * (steps - len(path)) for path in (first, second))
    return all(
        one[t] != two[t] and (t == 0 or not (one[t] == two[t - 1] and two[t] == one[t - 1])) for t in range(steps)
    )


def test_weighted_covers_are_minimal():
    for case in range(0, 200, SHARE):
        size = 2 + chance(4, 48, case, 0)
        weights = np.zeros((size, size), np.int64)
        for u in range(size):
            for v in range(u):
                weights[u, v] = weights[v, u] = max(0, chance(6, 48, case, 1 + u * 6 + v) - 2)
        least = min(
            sum(x)
            for x in product(range(4), repeat=size)
            if all(x[u] + x[v] >= weights[u, v] for u in range(size) for v in range(u))
        )
        assert cover(weights, 10**6) == least
        assert cover(weights, 0) <= least


# --- the agent -----------------------------------------------------------------------------------------------------
def test_the_agent_carries_out_an_optimal_plan():
    grid = grid_of("...... .#..#. ...... .#..#. ......")
    starts, goals = [0, 5, 24, 29], [29, 24, 5, 0]
    agent = CBS()
    trace = play(agent, grid, starts, goals, 100)
    check_plan(grid, starts, goals, trace)
    assert agent.solution.status == "optimal"
    assert sum_of_costs(trace, goals) == agent.solution.cost


def test_the_agent_goes_on_without_a_plan():
    grid = grid_of("...... .#..#. ...... .#..#. ......")
    starts, goals = [0, 5, 24, 29], [29, 24, 5, 0]
    agent = CBS(max_expansions=10)
    trace = play(agent, grid, starts, goals, 200)
    assert agent.solution.status == "budget"
    check_plan(grid, starts, goals, trace)


def test_the_agent_refuses_lifelong_worlds():
    with pytest.raises(ConfigError, match="one goal"):
        CBS().begin(view_of(grid_of("..."), [0], [2], lifelong=True), 0)
