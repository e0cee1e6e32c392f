"""The order book: messages a CPU-second beside a plain C twin and the naive Python reference, and the whole fuzz run.

python benchmarks/econ_book.py speed [--messages 1000000] [--repeats 5]
python benchmarks/econ_book.py fuzz [--logs 12000]
python benchmarks/econ_book.py world [--repeats 5]
python benchmarks/econ_book.py conserve [--messages 10000000]
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from econ.book_logs import differ, new_book, tell  # noqa: E402
from econ.plain_book import PlainBook  # noqa: E402

from ludarium.envs.core.frozen import freeze  # noqa: E402
from ludarium.envs.econ import book  # noqa: E402

RULES = book.Rules(64, 16, 256, 100, 1, 0)
MONEY, GOODS = 10**9, 10**6


def flow(count: int, seed: int) -> NDArray[np.int64]:
    """Messages of 64 accounts around a wandering price: 35 % cancels, 5 % market orders, 5 % changes, the rest limits."""
    rng = random.Random(seed)
    middle, log = 128.0, []
    for _ in range(count):
        middle = min(max(middle + rng.gauss(0, 0.2), 40), 216)
        chance, side = rng.random(), rng.randrange(2)
        kind = (
            book.CANCEL
            if chance < 0.35
            else book.MARKET
            if chance < 0.4
            else book.MODIFY
            if chance < 0.45
            else book.LIMIT
        )
        away = round(rng.expovariate(0.2)) - 2
        level = min(max(int(middle) + (away if side else -away), 0), RULES.levels - 1)
        log.append((kind, rng.randrange(64), side, level, rng.randint(1, 10), rng.randrange(8), book.NEVER, 0))
    return np.array(log, np.int64)


def timed(play: Callable[[], object]) -> float:
    """CPU seconds of a call."""
    return clocked(play)[0]


def clocked(play: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of a call."""
    cpu, wall = time.process_time(), time.perf_counter()
    play()
    return time.process_time() - cpu, time.perf_counter() - wall


def opened() -> book.Book:
    """A book where everybody has plenty."""
    s = new_book(RULES, fills=64)
    s.cash[0], s.stock[0, 0] = MONEY, GOODS
    return s


def twin() -> ctypes.CDLL:
    """The C twin, compiled with gcc -O3."""
    target = Path(tempfile.mkdtemp()) / "book.so"
    subprocess.run(
        ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", str(target), str(ROOT / "benchmarks/twin/book.c")],
        check=True,
    )
    return ctypes.CDLL(str(target))


def speed(messages: int, repeats: int) -> None:
    """Print messages a CPU-second of ours, the C twin and the reference; all must end with the same money and trades."""
    log, codes, r = flow(messages, 1), np.zeros(messages, np.int16), freeze(RULES)
    book.play(freeze(opened()), r, 0, 0, log[:10], True, codes[:10])
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    library = twin()
    for _ in range(repeats):
        s = opened()
        ours.append(clocked(lambda s=s: book.play(freeze(s), r, 0, 0, log, True, codes)))  # type: ignore[misc]
        cash, stock = np.full(64, MONEY, np.int64), np.full(64, GOODS, np.int64)
        done = np.zeros(messages, np.int16)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (log, done, cash, stock)]
        theirs.append(clocked(lambda p=pointers: library.play(ctypes.c_long(messages), *p)))  # type: ignore[misc]
        assert (done == codes).all(), f"the twin differs at message {int(np.flatnonzero(done != codes)[0])}"
        assert (cash == s.cash[0]).all()
        assert (stock == s.stock[0, 0]).all()
    few = log[:3000]
    plain = PlainBook([MONEY] * 64, [GOODS] * 64, RULES.slots, RULES.low, RULES.tick, "newest")
    slow = clocked(lambda: [tell(plain, tuple(m), True) for m in few.tolist()])
    share = {name: float((codes == n).mean()) for n, name in enumerate(book.FAULTS) if (codes == n).any()}
    print("codes: " + ", ".join(f"{name} {100 * part:.1f} %" for name, part in share.items()))
    print(f"{int(s.trades[0, 0])} trades, {int(s.order_quantity[0, 0].astype(bool).sum())} orders open at the end")
    rows = [("ours", messages, ours), ("C twin", messages, theirs), ("plain Python", len(few), [slow])]
    for name, count, spent in [*rows, *abides(log[:20_000])]:
        cpu, wall = (statistics.median(part) for part in zip(*spent, strict=True))
        print(f"{name:13} {count / cpu:14,.0f} messages/CPU-second {count / wall:14,.0f} messages/second")


def abides(log: NDArray[np.int64]) -> list[tuple[str, int, list[tuple[float, float]]]]:
    """ABIDES' own book under what ours accepts of a log; nothing without its checkout and an interpreter that has pandas.

    It has no rule against trading with oneself, so a few of its trades differ.
    """
    checkout, python = (os.environ.get(f"LUDARIUM_ABIDES{more}") for more in ("", "_PYTHON"))
    if not checkout or not python:
        print("ABIDES: LUDARIUM_ABIDES and LUDARIUM_ABIDES_PYTHON name no checkout and interpreter")
        return []
    s, r, code, told = opened(), freeze(RULES), np.zeros(1, np.int16), []
    for n in range(len(log)):
        kind, account, side, level, quantity, j = log[n, :6].tolist()
        place = (side * RULES.accounts + account) * RULES.slots + j
        number = int(s.order_id[0, 0, place]) if kind in (book.CANCEL, book.MODIFY) else int(s.issued[0, 0])
        book.play(freeze(s), r, 0, 0, log[n : n + 1], True, code)
        if code[0] == 0:
            told.append((kind, number, side, RULES.low + level * RULES.tick, quantity))
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/log.npy", np.array(told, np.int64))
        path = os.pathsep.join(f"{checkout}/abides-{part}" for part in ("core", "markets"))
        command = [python, str(ROOT / "benchmarks/peers/abides_book.py"), f"{folder}/log.npy"]
        answer = subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": path})
    found = json.loads(answer.stdout)
    print(f"ABIDES: {found['trades']} trades of {found['messages']} messages, ours {int(s.trades[0, 0])}")
    return [("ABIDES", found["messages"], [(found["cpu_s"], found["wall_s"])])]


def fuzz(logs: int) -> None:
    """Play random logs in the engine and in the reference."""
    begun = time.process_time()
    for seed in range(logs):
        found = differ(seed)
        if found:
            sys.exit(f"seed {seed}: {found}")
    print(f"{logs} logs end as in the reference ({time.process_time() - begun:.0f} CPU-seconds)")


def steps(batch: Any, actions: list[NDArray[np.int64]], looking: bool) -> None:
    """A hundred steps, by the batch with all observations and checks, or by the simulator alone."""
    for n in range(100):
        if looking:
            batch.put(0, actions[n % 20])
            batch.step()
        else:
            batch.simulator.step(batch.state, (actions[n % 20],), batch.out)


def world(repeats: int) -> None:
    """Print steps and messages a CPU-second of `econ-market-v0` under random actions, with and without looking."""
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.econ.market.config import MarketConfig
    from ludarium.envs.econ.market.simulator import Market

    for preset, rows in (
        ("gode-sunder", 256),
        ("ssw-bubble", 256),
        ("poisson-flow", 256),
        ("kyle", 1024),
        ("gode-sunder", 1),
    ):
        batch = Batch(Market(MarketConfig.of(preset=preset, max_steps=200)), rows, "econ-market-v0", record=False)
        every, rng, role = np.ones(rows, np.bool_), np.random.default_rng(0), batch.simulator.roles[0]
        counts = np.asarray(role.action_space.nvec)  # type: ignore[attr-defined]
        actions = [(rng.random((rows, role.count, len(counts))) * counts).astype(np.int64) for _ in range(20)]
        rates = []
        for looking in (False, True):
            found = []
            for _ in range(repeats):
                batch.seed(every, list(range(rows)))
                batch.reset(every)
                found.append(100 * rows / timed(functools.partial(steps, batch, actions, looking)))
            rates.append(statistics.median(found))
        told = f"{rates[0]:12,.0f} steps, {rates[0] * role.count:12,.0f} messages; with observations {rates[1]:10,.0f} steps"
        print(f"{preset:13} x {rows:<4} {told} a CPU-second")


def hostile(role: Any, rows: int, rng: np.random.Generator) -> NDArray[Any]:
    """Uniform actions for all seats of a role, whatever a mask says."""
    shape = (rows, role.count, role.action_space.shape[0])
    if hasattr(role.action_space, "nvec"):
        return (rng.random(shape) * role.action_space.nvec).astype(np.int64)
    return rng.uniform(-1, 1, shape).astype(np.float32)


def conserve(messages: int) -> None:
    """Play so many random actions, most of them illegal, in all presets and roles; every invariant must hold all along."""
    from ludarium.envs.core.batch import Batch
    from ludarium.envs.econ.market.config import PRESETS, MarketConfig
    from ludarium.envs.econ.market.simulator import Market

    more = {"market_maker": True, "regulator": True, "fee": 37, "collar": 25, "lifetime": 7, "auction": "both"}
    late = {**more, "latency": 3, "mode": "events", "auction": "none"}
    played, seed, rng = 0, 0, np.random.default_rng(0)
    while played < messages or seed < 8:
        for preset in PRESETS:
            options: dict[str, Any] = {
                "self_match": book.SELF_MATCH[seed % 3],
                "actions": ("levels", "offsets")[seed // 4 % 2],
            }
            if preset != "kyle":
                options |= (late, {}, more, {})[seed % 4]
            simulator = Market(MarketConfig.of(preset=preset, max_steps=300, **options))
            batch = Batch(simulator, 256, "econ-market-v0", record=False)
            every = np.ones(256, np.bool_)
            batch.seed(every, list(range(seed * 256, seed * 256 + 256)))
            batch.reset(every)
            while not batch.over.all():
                simulator.step(batch.state, tuple(hostile(role, 256, rng) for role in simulator.roles), batch.out)
                played += 256 * (len(simulator.seats) if simulator.turns == "all" else 1)
                if batch.t.max() % 10 == 0:
                    broken = [name for name, holds in simulator.invariants(batch.state).items() if not holds.all()]
                    if broken:
                        sys.exit(f"{preset}, {options}, seed {seed}: broken: {'; '.join(broken)}")
        seed += 1
    print(f"{played:,} actions in {seed} rounds of all presets: nothing minted or lost, every invariant held")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "fuzz", "world", "conserve"))
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--logs", type=int, default=12_000)
    given = parser.parse_args()
    if given.what == "speed":
        speed(given.messages, given.repeats)
    elif given.what == "fuzz":
        fuzz(given.logs)
    elif given.what == "conserve":
        conserve(given.messages)
    else:
        world(given.repeats)


if __name__ == "__main__":
    main()
