"""The whole claim of the zoo: each planted bug is found in 99 of 100 seeds, each clean twin keeps all laws in 100 of 100.

    python benchmarks/zoo.py --keep zoo.jsonl         # profile ci, 100 seeds: hours; go on with the same command
    python benchmarks/zoo.py --seeds 3 --worlds turns,Cornered --no-shrinks
    python benchmarks/zoo.py --primary-only           # 100 seeds of the planted bugs alone, twenty CPU-minutes
    python benchmarks/zoo.py --planted-only           # all laws, but not the twins: hours
    python benchmarks/zoo.py --twins-only             # 100 seeds of the clean twins alone, about two CPU-hours

Found means: the primary law is the first that is reported, and no law is broken that the world does not declare. With
shortening, the table also says how far the longest story is from the shortest that there is.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from laws.zoo.planted import World, zoo

from ludarium.envs.core.laws.cases import PROFILES
from ludarium.testing import CheckError, Report, check


class Trial(NamedTuple):
    """One world under one seed. None: not asked."""

    world: str
    seed: int
    found: bool | None
    clean: bool | None
    excess: int | None
    """Steps of the story beyond the shortest."""
    seconds: float


def held(
    world: World, profile: str, seed: int, shrinks: bool, laws: list[str] | None = None, **options: bool
) -> Report | None:
    """The report of one check; children are started only where the bug needs them. None where the checker gave up."""
    bug = world.bug
    wanted = PROFILES[profile]._replace(children=bug.children)
    try:
        return check(
            world.path, laws, wanted, seed=seed, guarded=bug.guarded, limit=bug.limit, memory=bug.memory,
            shrinks=shrinks, **options,
        )  # fmt: skip
    except CheckError as error:
        print(f"{world.name}, seed {seed}: {error}", file=sys.stderr)
        return None


def tried(world: World, seed: int, profile: str, shrinks: bool, only: str) -> Trial:
    """Check a planted world, and its clean twin; or `only` one of the two: "planted" ("primary": one law), "twins"."""
    began, found, clean, excess = time.process_time(), None, None, None
    if only != "twins":
        report = held(world, profile, seed, shrinks, [world.bug.primary] if only == "primary" else None)
        found = report is not None and report.broken[:1] == [world.bug.primary]
        if report is not None and found:
            found = set(report.broken) <= {world.bug.primary, *world.bug.may_fall}
            failure = report[world.bug.primary].failure
            excess = failure.steps - world.bug.shortest if shrinks and failure is not None else None
    if only in ("", "twins"):
        twin = held(world, profile, seed, False, clean=True)
        clean = twin is not None and twin.ok
    return Trial(world.name, seed, found, clean, excess, round(time.process_time() - began, 2))


def told(world: World, trials: list[Trial]) -> tuple[str, bool]:
    """The world's line of the table, and whether its claim holds."""
    found = [t.found for t in trials if t.found is not None]
    clean = [t.clean for t in trials if t.clean is not None]
    worst = max((t.excess for t in trials if t.excess is not None), default=None)
    good = sum(found) >= 0.99 * len(found) and all(clean) and (worst is None or worst <= 1)
    parts = [f"{sum(part):4}/{len(part):<4}" if part else f"{'-':>9}" for part in (found, clean)]
    line = f"{world.name:28} {world.bug.primary:22} {' '.join(parts)} {'-' if worst is None else worst:>8}"
    return f"{line} {sum(t.seconds for t in trials):7.1f}{'' if good else '   !'}", good


def main() -> int:
    """Print the table; the exit status is 0 if the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--profile", default="ci", choices=sorted(PROFILES))
    parser.add_argument("--worlds", default="", help="names of worlds or of modules of the zoo, with commas")
    parser.add_argument("--no-shrinks", action="store_true")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--primary-only", dest="only", action="store_const", const="primary", help="only the primary law")
    only.add_argument("--planted-only", dest="only", action="store_const", const="planted", help="without the twins")
    only.add_argument("--twins-only", dest="only", action="store_const", const="twins", help="only the clean twins")
    parser.add_argument("--keep", type=Path, help="a file of trials: each is added, and those that are there stand")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    names = set(filter(None, given.worlds.split(",")))
    worlds = [w for w in zoo() if not names or names & {w.name, w.path.split(":")[0].split(".")[-1]}]
    seeds = range(given.first, given.first + given.seeds)
    lines = given.keep.read_text().splitlines() if given.keep and given.keep.exists() else []
    trials = {(t.world, t.seed): t for t in (Trial(*json.loads(line)) for line in lines)}
    for seed in seeds:
        for world in worlds:
            if (world.name, seed) not in trials:
                trial = tried(world, seed, given.profile, not given.no_shrinks, given.only or "")
                trials[world.name, seed] = trial
                if given.keep:
                    with given.keep.open("a") as file:
                        file.write(json.dumps(trial) + "\n")
        print(f"seed {seed} is done", file=sys.stderr, flush=True)
    print(f"{'world':28} {'primary':22} {'found':>9} {'clean':>9} {'too long':>8} {'CPU s':>7}   {given.profile}")
    table = [told(world, [trials[world.name, seed] for seed in seeds]) for world in worlds]
    print("\n".join(line for line, _ in table))
    return 0 if all(good for _, good in table) else 1


if __name__ == "__main__":
    raise SystemExit(main())
