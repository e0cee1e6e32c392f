"""The household beside TextWorld's own PDDL engine: differential play, recorded transcripts, speed.

    python benchmarks/text_household.py differential [GAMES] [STEPS]    every text, list and reward of both, step by step
    python benchmarks/text_household.py record                          the transcripts of tests/text/household/transcripts
    python benchmarks/text_household.py speed                           ratios, both sides in one run, CPU time

TextWorld runs in `.venvs/textworld` (`make peers`), or in the interpreter that LUDARIUM_TEXTWORLD_PYTHON names. A real
ALFWorld folder (LUDARIUM_ALFWORLD, or `../shared/data/text/alfworld`) is played too where there is one.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import ludarium  # noqa: F401  (registers the ids)
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import LudariumError
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.export import to_textworld
from ludarium.envs.text.household.formats import config_for, find_games, load_game
from ludarium.envs.text.household.game import HouseholdText
from ludarium.envs.text.household.generate import generate_game
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.plans import commands
from ludarium.envs.text.household.simulator import Household

ROOT = Path(__file__).parents[1]
TRANSCRIPTS = ROOT / "tests" / "text" / "household" / "transcripts"
WEIGHTS = {
    "go": 1.0, "look": 2.0, "inventory": 0.3, "help": 0.1, "take": 4.0, "move": 3.0, "put": 3.0, "slice": 6.0, "use": 6.0,
    "heat": 5.0, "cool": 5.0, "clean": 5.0, "open": 5.0, "close": 1.5, "examine": 1.5,
}  # fmt: skip
GAMES: tuple[dict[str, Any], ...] = (
    {"task": "heat"}, {"task": "cool", "dialect": "0.3"}, {"task": "clean"}, {"task": "look"}, {"task": "pick_two"},
    {"task": "pick", "sliced": True}, {"task": "look", "dialect": "0.3", "room": "bedroom"},
    {"task": "heat", "two_step": True}, {"task": "heat", "n_receptacles": 8, "n_objects": 10, "crowded": True},
    {"task": "pick_two", "n_receptacles": 8, "n_objects": 10, "crowded": True, "dialect": "0.3"},
    {"task": "clean", "room": "bathroom", "dialect": "0.3"},
    {"task": "pick", "preheld": True}, {"task": "cool", "n_receptacles": 20, "n_objects": 40, "max_bytes": 16384},
    {"task": "pick_two", "split": "unseen", "dialect": "0.3"},
)  # fmt: skip
"""What the games ask for that are played on both sides; `crowded` ones have two receptacles at a location."""


# --- the two sides ---------------------------------------------------------------------------------------------------
def textworld_python() -> Path | None:
    """The interpreter that has TextWorld, if there is one."""
    given = os.environ.get("LUDARIUM_TEXTWORLD_PYTHON")
    path = Path(given) if given else ROOT / ".venvs" / "textworld" / "bin" / "python"
    return path if path.exists() else None


def real_folder() -> Path | None:
    """A user's ALFWorld folder, if there is one."""
    path = Path(os.environ.get("LUDARIUM_ALFWORLD", ROOT.parent / "shared" / "data" / "text" / "alfworld"))
    return path if path.is_dir() else None


class Theirs:
    """TextWorld in its own interpreter."""

    def __init__(self, python: Path) -> None:
        program = Path(__file__).parent / "peers" / "textworld_household.py"
        self.process = subprocess.Popen(
            [str(python), str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **question: Any) -> dict[str, Any]:
        """One answer to one question; the time it took is in it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let it end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


class Ours:
    """Our engine, which goes on after the goal is reached, as TextWorld does when it is asked to."""

    def __init__(self, house: House, dialect: str) -> None:
        self.simulator = Household(config_for([house], dialect=dialect, max_steps=2**30))
        self.batch = Batch(self.simulator, 1, "text-household-v0", record=False)
        every = np.ones(1, np.bool_)
        self.batch.seed(every, [0])
        self.batch.reset(every, {0: house})

    def menu(self) -> dict[str, int]:
        """The admissible commands, sorted, with their numbers."""
        return {choice.text: int(choice.action) for choice in self.simulator.menu(self.batch.state, 0, 0)}

    def told(self) -> dict[str, Any]:
        """What a step is answered with."""
        state = self.batch.state
        won = bool(state.won[0])
        return {
            "text": self.simulator.describe(state, 0, 0),
            "admissible": list(self.menu()),
            "won": won,
            "score": int(won) if state.t[0] else 0,
        }

    def step(self, command: str) -> dict[str, Any]:
        """Say a command; what is none does nothing."""
        self.batch.actions[0][0, 0] = self.menu().get(command, self.simulator.actions - 1)
        self.batch.state.over[:] = False
        self.batch.state.live[:] = True
        self.batch.step()
        return self.told()


# --- differential play -----------------------------------------------------------------------------------------------
def chosen(rng: random.Random, listed: list[str]) -> str:
    """A command, those that change something more often; now and then one that is none."""
    if rng.random() < 0.03:
        return rng.choice(["dance", "go to nowhere 1", "take apple 1", "examine apple 9", "Look", "open fridge 7"])
    weights = [
        WEIGHTS[command.split()[0]] * (3.0 if command.startswith("take") and "knife" in command else 1.0)
        for command in listed
    ]
    return rng.choices(listed, weights)[0]


def episode(theirs: Theirs, path: Path, plan: tuple[str, ...], steps: int, seed: int) -> dict[str, Any]:
    """Play a game on both sides: in two of three the plan first, then random commands; say where they differ."""
    read = load_game(path)
    ours, rng = Ours(read.house, read.dialect), random.Random(seed)
    answer = theirs.ask(load=str(path))
    log: list[Any] = []
    differ: list[str] = []
    seconds = 0.0
    script = list(plan) if seed % 3 != 2 else []
    mine = ours.told()
    for n in range(steps + 1):
        keys = ("text", "admissible", "won", "score")
        if any(mine[key] != answer[key] for key in keys):
            differ += [f"step {n} {log[-1][3] if log else ''!r} {key}: {mine[key]!r} / {answer[key]!r}" for key in keys
                       if mine[key] != answer[key]]  # fmt: skip
        log.append([answer["text"], answer["admissible"], answer["won"]])
        if n == steps:
            break
        command = script.pop(0) if script else chosen(rng, mine["admissible"])
        mine, answer = ours.step(command), theirs.ask(step=command)
        log[-1].append(command)
        seconds += answer["seconds"]
    verbs = Counter(entry[3].split()[0] for entry in log[:-1])
    won = any(entry[2] for entry in log)
    return {"differ": differ, "log": log, "verbs": verbs, "won": won, "seconds": seconds, "dialect": read.dialect}


def crowded(house: House) -> House:
    """The house with two receptacles at each location, where ALFWorld's rules are at their oddest."""
    places = tuple(dataclasses.replace(place, location=n // 2) for n, place in enumerate(house.receptacles))
    count = (len(places) + 1) // 2 + 1
    return dataclasses.replace(
        house, receptacles=places, locations=count, start=count - 1, name=f"{house.name}-crowded"
    )


def games(folder: Path, count: int) -> list[tuple[Path, tuple[str, ...]]]:
    """Generated houses as TextWorld games, with plans; then the real ones, where there are any."""
    made = []
    for n in range(count):
        options = dict(GAMES[n % len(GAMES)])
        dialect = options.get("dialect", "0.4")
        crowd = options.pop("crowded", False)
        game = generate_game(HouseholdConfig.of(**options), n)
        house, plan = game.house, commands(game.house, game.plan, dialect)
        if crowd:
            house, plan = crowded(house), ()
        made.append((to_textworld(house, folder / f"game{n:03d}", dialect=dialect, plan=list(plan)), plan))
    real = real_folder()
    return made + [(path, ()) for path in (find_games(real)[0] if real else [])]


def differential(count: int, steps: int) -> int:
    """Play `count` games and print what was found; return the number of differences."""
    python = textworld_python()
    if python is None:
        print("TextWorld is not installed: run `make peers`, or set LUDARIUM_TEXTWORLD_PYTHON")
        return 0
    theirs, total, verbs, played = Theirs(python), 0, Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        for n, (path, plan) in enumerate(games(Path(folder), count)):
            found = episode(theirs, path, plan, steps, n)
            total += len(found["differ"])
            verbs += found["verbs"]
            played += steps
            name = path.parent.name
            print(f"{name}: {steps} steps, {len(found['differ'])} differences, dialect {found['dialect']}, "
                  f"won {found['won']}, TextWorld {steps / found['seconds']:.1f} steps/s", flush=True)  # fmt: skip
            for line in found["differ"][:3]:
                print("   ", line)
    theirs.close()
    print(f"{total} differences in {played} steps; commands: {dict(verbs.most_common())}")
    return total


def record() -> int:
    """Write small transcripts of our own games as TextWorld plays them, which the tests play again."""
    python = textworld_python()
    if python is None:
        print("TextWorld is not installed: run `make peers`")
        return 1
    theirs = Theirs(python)
    TRANSCRIPTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for n in range(len(GAMES[:10])):
            path, plan = games(Path(folder), n + 1)[n]
            steps = 250 if GAMES[n].get("crowded") else 100
            found = episode(theirs, path, plan, steps, 3 * n)
            if found["differ"]:
                print(found["differ"][:3])
                return 1
            house = load_game(path).house
            told = [
                {"text": e[0], "admissible": e[1], "won": e[2], "command": e[3] if len(e) > 3 else None}
                for e in found["log"]
            ]
            data = {"house": house.as_data(), "dialect": found["dialect"], "steps": told}
            target = TRANSCRIPTS / f"{n:02d}-{house.task}{'-crowded' if GAMES[n].get('crowded') else ''}.json.gz"
            target.write_bytes(gzip.compress(json.dumps(data).encode(), 9, mtime=0))
            print(target.name, target.stat().st_size, "bytes", dict(found["verbs"]))
    theirs.close()
    return 0


# --- speed -----------------------------------------------------------------------------------------------------------
@kernel
def pick(mask: Any, chance: Any, out: Any) -> None:
    """A legal action for each row, uniformly by `chance` float64[B]."""
    for b in range(mask.shape[0]):
        legal = 0
        for k in range(mask.shape[2]):
            legal += mask[b, 0, k]
        wanted = int(chance[b] * legal)
        for k in range(mask.shape[2]):
            if mask[b, 0, k]:
                if wanted == 0:
                    out[b, 0] = k
                    break
                wanted -= 1


def text_speed(house: House, steps: int) -> tuple[float, float]:
    """Steps a CPU second of the text game with its sorted list, random play, and seconds of a reset."""
    env = HouseholdText(**config_for([house]).as_dict())
    rng = random.Random(0)
    observation, _ = env.reset(seed=0, options={"instance": house})
    chance = [rng.random() for _ in range(steps)]
    resets, resetting = 0, 0.0
    start = time.process_time()
    for x in chance:
        listed = observation["admissible"]
        observation, _, terminated, truncated, _ = env.step(listed[int(x * len(listed))])
        if terminated or truncated:
            before = time.process_time()
            observation, _ = env.reset(options={"instance": house})
            resetting += time.process_time() - before
            resets += 1
    return steps / (time.process_time() - start - resetting), resetting / max(resets, 1)


def batch_speed(houses: list[House], rows: int, steps: int) -> tuple[float, float]:
    """Row-steps a CPU second of a batch with legal masks, observations and resets, random legal play; MB that it takes."""
    simulator = Household(config_for(houses))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    batch = Batch(simulator, rows, "text-household-v0", record=False)
    every = np.ones(rows, np.bool_)
    batch.seed(every, list(range(rows)))
    batch.reset(every, {b: houses[b % len(houses)] for b in range(rows)})
    rng, loaded = np.random.default_rng(0), np.full(rows, -2, np.int32)
    mask: Any = batch.masks[0]
    spent = 0.0
    for n in range(steps + 20):
        pick(mask, rng.random(rows), batch.actions[0])
        start = time.process_time()
        batch.step()
        if batch.over.any():
            which = batch.over.copy()
            simulator.reset(batch.state, which, batch.seeds, loaded)
            batch._refresh(which)
        spent += (time.process_time() - start) if n >= 20 else 0.0
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return rows * steps / spent, memory


def their_speed(theirs: Theirs, path: Path, steps: int) -> tuple[float, float, float]:
    """TextWorld: steps a CPU second with admissible commands, seconds of a reset, seconds of a load; random play."""
    rng = random.Random(0)
    first = theirs.ask(load=str(path))
    told, spent = first, 0.0
    for _ in range(steps):
        told = theirs.ask(step=rng.choice(told["admissible"]))
        spent += told["seconds"]
    resets = [theirs.ask(reset=True)["seconds"] for _ in range(3)]
    return steps / spent, statistics.median(resets), first["load_seconds"]


def speed(repeats: int = 3) -> int:
    """Print the ratios of the specification's table, medians of `repeats`."""
    python = textworld_python()
    with tempfile.TemporaryDirectory() as folder:
        listed = games(Path(folder), 4)
        path = listed[-1][0]  # the real game where there is one, else the last of ours
        house = load_game(path).house
        others = [load_game(one).house for one, _ in listed[:4]]
        theirs = Theirs(python) if python else None
        rows: list[tuple[float, ...]] = []
        for _ in range(repeats):
            a = their_speed(theirs, path, 60) if theirs else (float("nan"),) * 3
            text, reset = text_speed(house, 60_000)
            vector, memory = batch_speed([house, *others], 1024, 300)
            start = time.process_time()
            for _ in range(20):
                load_game(path)
            rows.append((*a, text, reset, vector, memory, (time.process_time() - start) / 20))
        if theirs:
            theirs.close()
    m = [statistics.median(column) for column in zip(*rows, strict=True)]
    steps, reset_s, load_s, text, reset, vector, memory, load = m
    memory = max(row[6] for row in rows)
    print(f"game {path.parent.name}: {len(house.receptacles)} receptacles, {len(house.objects)} objects")
    print(f"TextWorld: {steps:.1f} steps/s, reset {reset_s:.3f} s, load {load_s:.3f} s (CPU, medians of {repeats})")
    for name, value, unit, ratio, goal in (
        ("text steps with sorted list", text, "/s", text / steps, "3,000x and 60,000/s"),
        ("batch of 1,024 with mask", vector, "/s", vector / steps, "100,000x and 2,000,000/s"),
        ("reset of a loaded game", reset * 1e6, "us", reset_s / reset, "5,000x"),
        ("load of a game file", load * 1e3, "ms", load_s / load, "50x"),
        ("1,024 live games", memory, "MB", float("nan"), "at most 200 MB"),
    ):
        print(f"{name:30s} {value:14,.1f} {unit:3s} {ratio:12,.0f}x   (goal {goal})")
    return 0


def main(arguments: list[str]) -> int:
    """Run what is asked for."""
    what, numbers = (arguments or ["speed"])[0], [int(word) for word in arguments[1:]]
    try:
        if what == "differential":
            return min(differential(*(numbers + [24, 500][len(numbers) :])), 1)
        return {"record": record, "speed": speed}[what]()
    except KeyError:
        print(__doc__)
    except LudariumError as error:
        print(error, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
