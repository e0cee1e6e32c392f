"""The small economic games: steps a CPU-second beside plain Python twins and Mesa, and money conserved over many steps.

    python benchmarks/econ_games.py speed [--rows 4096] [--seconds 2]
    python benchmarks/econ_games.py conserve [--steps 10000000]

`speed` steps a batch with all observations, masks and action checks, but no recording, and reports the best of five
measurements; a twin plays the same rules with lists, one game, without looking at anything. `conserve` plays uniform
actions, masks ignored, and checks every invariant along the way; it counts steps of seats.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks" / "peers")]

from econ.games_kit import conserve  # noqa: E402
from econ.plain_games import PlainBargain, PlainExchange, PlainOligopoly, PlainPublicGoods, sold  # noqa: E402
from setup import python_of  # noqa: E402

from ludarium.envs.core.batch import Batch  # noqa: E402
from ludarium.envs.core.registry import make_simulator  # noqa: E402

Twin = Callable[[Any, list[list[int]]], Callable[[int], None]]
ROUNDS = 5


# --- plain twins: a function that plays so many steps ----------------------------------------------------------------
def oligopoly(config: Any, actions: list[list[int]]) -> Callable[[int], None]:
    """Firms."""
    game = PlainOligopoly(config, [config.cost] * config.firms)

    def play(steps: int) -> None:
        for n in range(steps):
            game.step(actions[n % len(actions)])

    return play


def publicgoods(config: Any, actions: list[list[int]]) -> Callable[[int], None]:
    """Members."""
    game = PlainPublicGoods(config, [config.endowment] * config.members)

    def play(steps: int) -> None:
        for n in range(steps):
            game.step(actions[n % len(actions)])

    return play


def auction(config: Any, actions: list[list[int]]) -> Callable[[int], None]:
    """Bidders, values and lots drawn in each auction."""
    rng, top, n = random.Random(0), config.top, config.bidders

    def play(steps: int) -> None:
        for k in range(steps):
            values = [rng.randrange(top + 1) for _ in range(n)]
            bids = [level * config.step for level in actions[k % len(actions)]]
            winner, paid = sold(config, bids, [rng.random() for _ in range(n)])  # type: ignore[misc]
            _ = [(v if i == winner else 0) - p for i, (v, p) in enumerate(zip(values, paid, strict=True))]

    return play


def bargain(config: Any, actions: list[list[int]]) -> Callable[[int], None]:
    """Two parties, who begin again when they are done."""
    units = config.shape.issues

    def play(steps: int) -> None:
        game = PlainBargain(config, [[config.worth] * units] * 2, 0)
        for n in range(steps):
            if game.step(actions[n % len(actions)][0])[2]:
                game = PlainBargain(config, [[config.worth] * units] * 2, n % 2)

    return play


def exchange(config: Any, actions: list[list[int]]) -> Callable[[int], None]:
    """Traders, pairs and coins drawn in each step."""
    n, rng = config.traders, random.Random(0)
    risk = [config.step * rng.randint(1, config.risk_high) if config.kind == "cara" else 0 for _ in range(n)]
    game = PlainExchange(config, [config.purse] * n, [rng.randint(0, config.units) for _ in range(n)], risk)
    order = list(range(n))

    def play(steps: int) -> None:
        for k in range(steps):
            rng.shuffle(order)
            game.step(actions[k % len(actions)], order, lambda pair: rng.getrandbits(1))

    return play


CASES: tuple[tuple[str, str, dict[str, Any], Twin], ...] = (
    ("oligopoly, logit", "econ-oligopoly-v0", {}, oligopoly),
    ("oligopoly, Cournot", "econ-oligopoly-v0", {"game": "cournot"}, oligopoly),
    ("oligopoly, Bertrand", "econ-oligopoly-v0", {"game": "bertrand"}, oligopoly),
    ("public goods", "econ-publicgoods-v0", {}, publicgoods),
    ("public goods, punishment", "econ-publicgoods-v0", {"punishment": True}, publicgoods),
    ("auction, first price", "econ-auction-v0", {}, auction),
    ("bargaining, Rubinstein", "econ-bargain-v0", {}, bargain),
    ("exchange, Boltzmann", "econ-exchange-v0", {}, exchange),
    ("exchange, CARA", "econ-exchange-v0", {"kind": "cara"}, exchange),
)


# --- speed -----------------------------------------------------------------------------------------------------------
def best_rate(play: Callable[[int], None], each: float, seconds: float) -> float:
    """Units a CPU-second of `play(k)`, which does k rounds of `each` units: the best of some measurements."""
    play(2)
    rounds, best = 2, 0.0
    while True:
        start = time.process_time()
        play(rounds)
        spent = time.process_time() - start
        if spent >= seconds / ROUNDS:
            break
        rounds *= 2
    for _ in range(ROUNDS):
        start = time.process_time()
        play(rounds)
        best = max(best, each * rounds / (time.process_time() - start))
    return best


def ours(world: str, options: dict[str, Any], rows: int, seconds: float) -> float:
    """Steps of environments a CPU-second; rows that are over begin again, which counts."""
    batch = Batch(make_simulator(world, **options), rows, world, record=False)
    every = np.ones(rows, np.bool_)
    batch.seed(every, list(range(rows)))
    batch.reset(every)
    drawn = np.random.default_rng(0)
    actions = [drawn.integers(0, batch.simulator.roles[0].action_space.n, batch.actions[0].shape) for _ in range(8)]  # type: ignore[attr-defined]

    def play(rounds: int) -> None:
        for n in range(rounds):
            batch.actions[0][...] = actions[n % 8]
            batch.step()
            if batch.over.any():
                batch.reset(batch.over.copy())

    return best_rate(play, rows, seconds)


def twin_of(world: str, options: dict[str, Any], twin: Twin, seconds: float) -> float:
    """Steps of the plain twin a CPU-second."""
    simulator = make_simulator(world, **options)
    role, rng = simulator.roles[0], random.Random(0)
    choices = int(role.action_space.n)  # type: ignore[attr-defined]
    actions = [[rng.randrange(choices) for _ in range(role.count)] for _ in range(997)]
    return best_rate(twin(simulator.config, actions), 1, seconds / 2)


def mesa(agents: int, grid: bool, seconds: float) -> float | None:
    """Mesa's agent-steps a CPU-second, or None where it is not set up."""
    python = python_of("mesa")
    if python is None:
        return None
    given = json.dumps({"agents": agents, "grid": grid, "seconds": seconds})
    script = ROOT / "benchmarks" / "peers" / "bench_mesa.py"
    done = subprocess.run([str(python), str(script), given], capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["cpu"])


def speed(rows: int, seconds: float) -> None:
    """The table."""
    print(f"{'':26} {'steps a CPU-second':>20} {'plain twin':>12} {'ratio':>7}")
    for name, world, options, twin in CASES:
        own, plain = ours(world, options, rows, seconds), twin_of(world, options, twin, seconds)
        print(f"{name:26} {own:20,.0f} {plain:12,.0f} {own / plain:7.0f}", flush=True)
    for agents in (1000, 10_000):
        own = agents * ours("econ-exchange-v0", {"traders": agents, "money": 1, "max_stake": 1}, 4, seconds)
        for grid, what in ((False, "rule alone"), (True, "its own model")):
            told = mesa(agents, grid, seconds)
            against = (
                f"Mesa, {what}: {told:,.0f}, ratio {own / told:.0f}" if told else "Mesa is not set up (`make peers`)"
            )
            print(f"Boltzmann of {agents:,}: {own:,.0f} agent-steps a CPU-second; {against}", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "conserve"))
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--steps", type=int, default=10**7)
    given = parser.parse_args()
    if given.what == "speed":
        return speed(given.rows, given.seconds)
    cases = [*((w, o) for _, w, o, _ in CASES), ("econ-auction-v0", {"form": "water", "step": 500})]
    for world, options in cases:
        seats = make_simulator(world, **options).roles[0].count
        steps = -(-given.steps // (len(cases) * given.rows * seats))
        played = conserve(world, steps, given.rows, **options)
        print(f"{world} {options}: {played:,} steps of seats, every invariant held", flush=True)


if __name__ == "__main__":
    main()
