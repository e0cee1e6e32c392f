"""Cooking and coin games beside TextWorld's: `python benchmarks/text_cooking_coin.py [differential|speed|record]`.

Needs `.venvs/textworld` (`python benchmarks/peers/setup.py textworld`).

`differential` plays games in both engines, by random choice and along our oracle's plans, and compares after every step
score, won, lost and the admissible commands, which are matched by verb and things: games that TextWorld's maker made, read into
our engine, by its logic engine and (`--compiled N`) by its compiled games; and coin games of ours, doors and all, built
with its classes. `speed` compares units a CPU-second, both sides in one run. `record` writes the transcripts that
`make test` holds our engine to, without TextWorld.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))
from setup import python_of  # noqa: E402
from text.cooking.peer import cooking_instance, words_of  # noqa: E402

from ludarium.envs.core.batch import Batch  # noqa: E402
from ludarium.envs.core.errors import InstanceError  # noqa: E402
from ludarium.envs.core.registry import make_simulator  # noqa: E402
from ludarium.envs.text.coin import dynamics as coin  # noqa: E402
from ludarium.envs.text.coin.plan import shortest_plan as coin_plan  # noqa: E402
from ludarium.envs.text.cooking import tables as t  # noqa: E402
from ludarium.envs.text.cooking.plan import shortest_plan as cooking_plan  # noqa: E402
from ludarium.envs.text.play import TextPlay  # noqa: E402

SIDES = ("east", "north", "south", "west")


class RefusedError(RuntimeError):
    """TextWorld's own maker fails on these parameters."""


class Peer:
    """TextWorld in its own interpreter."""

    def __init__(self) -> None:
        python = python_of("textworld")
        if python is None:
            sys.exit("needs TextWorld: python benchmarks/peers/setup.py textworld")
        command = [str(python), "-W", "ignore", str(ROOT / "benchmarks" / "peers" / "play_textworld.py")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def ask(self, **message: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"TextWorld ended at {json.dumps(message)[:300]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer


def begun(world: str, data: dict[str, Any], **options: Any) -> Batch:
    """One row of ours that plays a given game."""
    batch = Batch(make_simulator(world, max_steps=100_000, **options), 1, world)
    every = np.ones(1, np.bool_)
    batch.seed(every, [0])
    batch.reset(every, instances={0: data})
    return batch


def cooking_settings(chance: random.Random) -> dict[str, Any]:
    """Parameters of a cooking game, as tw-make takes them."""
    recipe = chance.randint(1, 5)
    flags = {name: chance.random() < 0.6 for name in ("open", "cook", "cut", "drop")}
    return {
        "recipe": recipe, "take": chance.randint(0, recipe), "go": chance.choice((1, 6, 9, 12)), **flags,
        "recipe_seed": 0, "split": chance.choice((None, "train", "valid", "test")),
    }  # fmt: skip


def compare_cooking(
    peer: Peer, settings: dict[str, Any], seed: int, steps: int, compiled: bool, kept: list[Any] | None = None
) -> tuple[int, list[str]]:
    """Play one cooking game in both; return the steps and what differed."""
    told = peer.ask(make="cooking", settings=settings, seed=seed, compile=compiled)
    data, names = cooking_instance(told["facts"])
    theirs = {ours: name for name, ours in names.items()}
    batch = begun("text-cooking-v0", data, go=12, split="all")
    simulator, chance = batch.simulator, random.Random(seed)
    plan = (cooking_plan(simulator.full(batch.state, 0)) or []) if seed % 2 else []
    record: dict[str, Any] = {"world": "text-cooking-v0", "game": data, "max_score": told["max_score"], "steps": []}
    wrong: list[str] = []
    if int(simulator.metrics(batch.state)["max_score"][0]) != told["max_score"]:
        wrong.append(f"max_score {told['max_score']}")
    for step in range(steps):
        ours = {t.COMMANDS[a] for a in np.flatnonzero(batch.masks[0][0, 0])}
        carried = {f"examine {t.ITEM_NAMES[i]}" for i in range(t.ITEMS) if batch.state.where[0, i] == 28}
        listed = {words_of(text, names) for text in told["admissible"]}
        ready = "prepare meal" in ours
        if ours - carried - {"prepare meal"} != listed - {"prepare meal"} - carried:
            wrong.append(f"step {step}: {sorted((ours - carried) ^ listed)[:6]}")
        if ready and "prepare meal" not in listed:
            wrong.append(f"step {step}: TextWorld does not list prepare meal")
        choices = sorted(ours & listed)
        dull = [text for text in choices if text.startswith(("look", "inventory", "examine"))]
        lively = sorted(set(choices) - set(dull))
        if plan and (chance.random() < 0.93 or step > steps // 2):
            command = plan.pop(0)
            if command not in choices:
                plan, command = [], chance.choice(choices)
        else:
            safe = [text for text in lively if not text.startswith(("eat", "cook", "slice", "dice", "chop", "drink"))]
            command = chance.choice((safe if safe and chance.random() < 0.8 else lively) or choices)
            if seed % 2:
                plan = []
        told = peer.ask(step=words_of(command, theirs))
        batch.actions[0][0, 0] = t.COMMANDS.index(command)
        batch.step()
        figures = simulator.metrics(batch.state)
        found = int(figures["score"][0]), bool(figures["success"][0]), bool(figures["lost"][0])
        if found != (told["score"], told["won"], told["lost"]):
            wrong.append(f"step {step}: {command}: ours {found}, theirs {told['score'], told['won'], told['lost']}")
        record["steps"].append([command, sorted(listed), told["score"], told["won"], told["lost"]])
        if wrong or batch.over[0]:
            break
        if seed % 2 and not plan:
            plan = cooking_plan(simulator.full(batch.state, 0)) or []
    if kept is not None:
        kept.append(record)
    return len(record["steps"]), wrong


def coin_data(facts: list[list[str]]) -> dict[str, Any]:
    """A coin game of TextWorld's as one of ours; rooms by their names."""
    rooms = sorted({name for fact in facts if fact[0].endswith("_of") for name in fact[1:]} | {
        fact[2] for fact in facts if fact[0] == "at"
    })  # fmt: skip
    number = {name: n for n, name in enumerate(rooms)}
    exits = [[-1] * 4 for _ in rooms]
    for predicate, *names in facts:
        side, _, of = predicate.partition("_")
        if of == "of" and side in SIDES:
            exits[number[names[1]]][SIDES.index(side)] = number[names[0]]
            exits[number[names[0]]][3 - SIDES.index(side)] = number[names[1]]
    at = {names[0]: names[1] for predicate, *names in facts if predicate == "at"}
    ways = [[int(other >= 0) for other in row] for row in exits]
    places = [[n, 0] for n in range(len(rooms))]
    return {"exits": exits, "ways": ways, "places": places, "start": number[at["P"]], "coin": number[at["coin"]]}


def compare_coin(
    peer: Peer, level: int, seed: int, steps: int, built: bool, compiled: bool, kept: list[Any] | None = None
) -> tuple[int, list[str]]:
    """Play one coin game in both: one of theirs read into our engine, or one of ours, doors and all, built in theirs."""
    if built:
        data = make_simulator("text-coin-v0", level=level, doors=True).instance(seed).as_data()
        told = peer.ask(build=data, compile=compiled)
    else:
        told = peer.ask(make="coin", settings={"level": level}, seed=seed, compile=compiled)
        data = coin_data(told["facts"])
    batch = begun("text-coin-v0", data, level=300)
    chance, simulator = random.Random(seed), batch.simulator
    record: dict[str, Any] = {"world": "text-coin-v0", "game": data, "max_score": told["max_score"], "steps": []}
    wrong: list[str] = []
    for step in range(steps):
        room = int(batch.state.room[0])
        doors = {}
        for side, other in zip(SIDES, data["exits"][room], strict=True):
            doors[f"door {min(room, other)} {max(room, other)}"] = f"door to {side}"
        theirs = {ours: name for name, ours in doors.items()}
        ours = {coin.COMMANDS[a] for a in np.flatnonzero(batch.masks[0][0, 0])}
        listed = {_swapped(text, doors) for text in told["admissible"]}
        listed = {text for text in listed if not text.startswith("examine door")}  # ours are not looked at
        if ours != listed:
            wrong.append(f"step {step}: {sorted(ours ^ listed)}")
            break
        full = simulator.full(batch.state, 0)
        plan = coin_plan(full["exits"], full["ways"], full["room"], full["coin"])
        if seed % 2:
            command = plan[0] if chance.random() < 0.7 else chance.choice(sorted(ours))
        else:
            command = chance.choice(sorted(ours - {"take coin"} if step < steps - 1 else ours))
        told = peer.ask(step=_swapped(command, theirs))
        batch.actions[0][0, 0] = coin.COMMANDS.index(command)
        batch.step()
        won = bool(batch.state.held[0])
        if (int(won), won) != (told["score"], told["won"]):
            wrong.append(f"step {step}: {command}: ours {won}, theirs {told['score'], told['won']}")
        record["steps"].append([command, sorted(listed), told["score"], told["won"], told["lost"]])
        if wrong or batch.over[0]:
            break
    if kept is not None:
        kept.append(record)
    return len(record["steps"]), wrong


def _swapped(text: str, names: dict[str, str]) -> str:
    verb, _, rest = text.partition(" ")
    return f"{verb} {names[rest]}" if rest in names else text


def _level(n: int) -> int:
    """Levels with at most 100 rooms, which is what TextWorld makes."""
    return (n * 7) % 100 + 1 if n % 2 else 101 + n % 50


def differential(games: int, steps: int, compiled: int) -> int:
    """All comparisons; the number of games that differed."""
    peer, chance, bad = Peer(), random.Random(1), 0
    totals: dict[str, list[int]] = {}
    for n in range(games + compiled):
        by_machine = n >= games
        settings = cooking_settings(chance)
        jobs: list[tuple[str, Any]] = [
            ("cooking", lambda s=settings, n=n, m=by_machine: compare_cooking(peer, s, n, steps, m)),
            ("coin", lambda n=n, m=by_machine: compare_coin(peer, _level(n), n, steps, False, m)),
            ("coin, ours", lambda n=n, m=by_machine: compare_coin(peer, (3, 12, 105, 107, 209)[n % 5], n, steps, True, m)),
        ]  # fmt: skip
        for name, job in jobs:
            name += ", compiled" if by_machine else ", logic"
            try:
                count, wrong = job()
            except RefusedError as error:
                count, wrong = 0, []
                print(f"  {name} {n}: not made by TextWorld: {str(error)[-160:]}")
            except InstanceError as error:  # its maker gives the player more than the player can carry
                count, wrong = 0, []
                print(f"  {name} {n}: TextWorld's game contradicts itself: {error}")
            total = totals.setdefault(name, [0, 0, 0])
            total[0] += count > 0
            total[1] += count
            total[2] += bool(wrong)
            if wrong:
                bad += 1
                print(f"  {name} {n} {settings if 'cooking' in name else ''}: {wrong[:3]}")
    for name, (played, taken, differed) in totals.items():
        print(f"{name}: {played} games, {taken} steps, {differed} differed")
    return bad


def _pace(play: TextPlay, seconds: float) -> float:
    """Steps a CPU-second of random admissible play in text, commands and all; resets are left out, as on their side."""
    chance, steps, spent, seed = random.Random(0), 0, 0.0, 0
    while spent < seconds:
        _, commands = play.reset(seed)
        seed += 1
        start, done = time.process_time(), False
        while not done:
            _, commands, _, done = play.step(chance.choice(commands))
            steps += 1
        spent += time.process_time() - start
    return steps / spent


def _creation(play: TextPlay, count: int = 300) -> float:
    """CPU-seconds to draw a new game and give its first text and commands."""
    start = time.process_time()
    for seed in range(count):
        play.reset(seed)
    return (time.process_time() - start) / count


def speed(repeats: int) -> None:
    """The rows of the spec's table: stepping with admissible commands, and game creation."""
    peer = Peer()
    cooking = {
        "recipe": 3, "take": 3, "go": 6, "open": True, "cook": True, "cut": True, "drop": False, "recipe_seed": 0,
        "split": "train",
    }  # fmt: skip
    rows = {
        "cooking": ("cooking", cooking, TextPlay("text-cooking-v0", **{**cooking, "max_steps": 100})),
        "coin": ("coin", {"level": 20}, TextPlay("text-coin-v0", level=20)),
    }
    for name, (kind, settings, play) in rows.items():
        _pace(play, 0.2)
        their_steps, our_steps, their_making, our_making = [], [], [], []
        for n in range(repeats):
            told = peer.ask(make=kind, settings=settings, seed=n + 1, compile=True)
            their_making.append(told["cpu"])
            our_making.append(_creation(play))
            their_steps.append(peer.ask(pace=2.0)["steps"])
            our_steps.append(_pace(play, 2.0))
        a, b, c, d = map(statistics.median, (our_steps, their_steps, our_making, their_making))
        print(f"{name}: text steps with admissible commands: ours {a:,.0f}/s, TextWorld {b:,.0f}/s: {a / b:,.0f} times")
        print(f"{name}: game creation: ours {c * 1e6:,.0f} us, TextWorld {d:.2f} s: {d / c:,.0f} times")


def record() -> None:
    """Small transcripts for the tests."""
    peer, chance = Peer(), random.Random(3)
    kept: list[Any] = []
    for n in range(8):
        settings = {**cooking_settings(chance), "go": (1, 6, 9, 12)[n % 4], "cook": n != 2, "cut": n != 4}
        compare_cooking(peer, settings, n, 40, n > 5, kept)
    for n in range(3):
        compare_coin(peer, (5, 106, 12)[n], n + 1, 25, False, False, kept)
        compare_coin(peer, (4, 105, 8)[n], n + 1, 25, True, False, kept)
    for kind in ("cooking", "coin"):
        path = ROOT / "tests" / "text" / kind / "golden" / "textworld.jsonl"
        path.parent.mkdir(exist_ok=True)
        lines = [json.dumps(row, separators=(",", ":")) for row in kept if row["world"] == f"text-{kind}-v0"]
        path.write_text("\n".join(lines) + "\n")
        print(f"{path.relative_to(ROOT)}: {len(lines)} games, {sum(len(json.loads(x)['steps']) for x in lines)} steps")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("differential", "speed", "record", "all"), default="all")
    parser.add_argument("--games", type=int, default=40)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--compiled", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    failed = 0
    if given.what in ("differential", "all"):
        failed = differential(given.games, given.steps, given.compiled)
    if given.what in ("speed", "all"):
        speed(given.repeats)
    if given.what == "record":
        record()
    sys.exit(bool(failed))
