"""What the household's generator draws, beside real ALFWorld games, and how the reference agents do on it.

    python benchmarks/text_household_quality.py [--games 200] [--alfworld FOLDER] [--splits train seen unseen]

By task type: commands of a shortest plan, admissible commands along a random walk, and the share of games that the
oracle, the text-only expert and random play win within the step limit. FOLDER is a user's `json_2.1.1` (or any
folder of games): its games are listed beside ours. At the end the time of a plan and of a game, in CPU-seconds, and the
quartiles of the difficulty, which are the bounds of the levels.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from ludarium.agents.crew import Crew
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.text.household.config import HouseholdConfig
from ludarium.envs.text.household.difficulty import BOUNDS
from ludarium.envs.text.household.generate import generate_game
from ludarium.envs.text.household.instance import House
from ludarium.envs.text.household.plans import Planner, beginning, situation

ID = "text-household-v0"
AGENTS = ("household-oracle", "household-expert", "random")
PLANNER_STEP = 0.4  # CPU-seconds of a step of ALFWorld's planner expert, as measured in the suite's survey


def play(batch: Batch, agent: str, seeds: range, house: House | None = None) -> Iterator[dict[str, Any]]:
    """An agent's episodes: their metrics and the admissible counts along them."""
    crew, one = Crew(batch, [(make_agent(agent), batch.simulator.seats)]), np.ones(1, np.bool_)
    for seed in seeds:
        batch.seed(one, [seed])
        batch.reset(one, None if house is None else {0: house})
        crew.start(seed)
        counts = []
        while not batch.over[0]:
            counts.append(int(batch.masks[0][0, 0].sum()))
            crew.act()
            batch.step()
        yield {**batch.result()["metrics"], "admissible": counts}


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(values):g} ({min(values):g}-{max(values):g})"


def report(name: str, options: dict[str, Any], seeds: range, house: House | None = None) -> None:
    """One row of the table."""
    batch = Batch(make_simulator(ID, **options), 1, ID)
    rows = {agent: list(play(batch, agent, seeds, house)) for agent in AGENTS}
    plans = [row["shortest"] for row in rows["household-oracle"]]
    walked = [count for row in rows["random"] for count in row["admissible"]]
    wins = "  ".join(f"{100 * np.mean([row['success'] for row in rows[agent]]):6.1f} %" for agent in AGENTS)
    steps = spread([row["steps"] for row in rows["household-expert"]])
    print(f"{name:26} {len(plans):5}  {spread(plans):12} {spread(walked):12} {wins}  {steps}", flush=True)


def real_games(folder: str) -> None:
    """The games of an ALFWorld folder, each by itself."""
    from ludarium.envs.text.household.formats import config_for, load_alfworld

    for where, house in load_alfworld(folder).houses:
        options = {**config_for([house]).as_dict(), "n_agents": 1}
        name = house.task if len(str(where)) > 24 else f"{house.task} {where}"
        report(f"ALFWorld: {name}", options, range(20), house)


def times(games: int) -> None:
    """CPU time of drawing a game and of planning from any state of a walk, and the difficulty's quartiles."""
    config = HouseholdConfig()
    generate_game(config, 0)
    began = time.process_time()
    found = [generate_game(config, seed) for seed in range(games)]
    drawn = (time.process_time() - began) / games
    planners = [(Planner(game.house), beginning(game.house)) for game in found]
    began = time.process_time()
    for planner, start in planners:
        planner.plan(start)
    planned = (time.process_time() - began) / games
    print(f"\na game is drawn in {1e3 * drawn:.2f} ms, a shortest plan found in {1e3 * planned:.3f} ms: ", end="")
    print(f"{PLANNER_STEP / planned:,.0f} times as fast as the planner expert's {PLANNER_STEP} s")
    worst = max(_walk(game.house, seed) for seed, game in enumerate(found[:40]))
    print(f"the slowest of 40 walks took {1e3 * worst:.3f} ms a plan")
    totals = sorted(game.difficulty.total for game in found)
    quartiles = [totals[len(totals) * n // 4] for n in (1, 2, 3)]
    print(f"difficulty: quartiles {quartiles} (bounds of the levels {list(BOUNDS)}), largest {totals[-1]:.1f}")


def _walk(house: House, seed: int) -> float:
    """Mean CPU-seconds of a plan along a random walk."""
    simulator = make_simulator(ID)
    batch, one, planner = Batch(simulator, 1, ID), np.ones(1, np.bool_), Planner(house)
    batch.seed(one, [seed])
    batch.reset(one, {0: house})
    rng, spent, count = np.random.default_rng(seed), 0.0, 0
    while not batch.over[0]:
        now = situation(house, simulator.full(batch.state, 0))
        began = time.process_time()
        planner.plan(now)
        spent, count = spent + time.process_time() - began, count + 1
        batch.actions[0][0, 0] = rng.choice(np.flatnonzero(batch.masks[0][0, 0]))
        batch.step()
    return spent / count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=200, help="games a row")
    parser.add_argument("--alfworld", help="a folder of ALFWorld games")
    parser.add_argument("--splits", nargs="*", default=["train", "unseen"])
    given = parser.parse_args()
    print(f"{'':26} games  {'plan':12} {'admissible':12} {'oracle':>8}  {'expert':>8}  {'random':>8}  expert's steps")
    for split in given.splits:
        for task in ("pick", "look", "clean", "heat", "cool", "pick_two"):
            report(f"{split}: {task}", {"task": task, "split": split}, range(given.games))
    large = {"n_receptacles": 40, "n_objects": 100, "hidden_depth": 1.0, "same_class_decoys": 0}
    for name, options in (
        ("large, all hidden", large), ("sliced", {"sliced": True}), ("two states", {"two_step": True}),
        ("three of a class", {"count": 3}), ("two goals", {"conjuncts": 2}), ("something in hand", {"preheld": True}),
        ("level easy", {"level": "easy"}), ("level expert", {"level": "expert"}),
    ):  # fmt: skip
        report(name, options, range(given.games))
    if given.alfworld:
        real_games(given.alfworld)
    times(max(given.games, 200))


if __name__ == "__main__":
    main()
