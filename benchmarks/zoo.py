"""The whole claim of the zoo: each planted bug is found in 99 of 100 seeds, each clean twin keeps all laws in 100 of 100.

    python benchmarks/zoo.py                          # profile ci, 100 seeds: hours
    python benchmarks/zoo.py --seeds 3 --worlds turns,Cornered --no-shrinks
    python benchmarks/zoo.py --primary-only           # 100 seeds of the planted bugs alone, half an hour

Found means: the primary law is the first that is reported, and no law is broken that the world does not declare. With
shortening, the table also says how far the longest story is from the shortest that there is.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from laws.zoo.planted import World, zoo

from ludarium.envs.core.laws.cases import PROFILES
from ludarium.testing import CheckError, Report, check


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


def row(world: World, profile: str, seeds: range, shrinks: bool, primary_only: bool) -> tuple[int, int, int]:
    """In how many seeds the bug was found, in how many the twin was clean, and by how much the worst story was too long."""
    found, clean, worst = 0, 0, 0
    for seed in seeds:
        report = held(world, profile, seed, shrinks, [world.bug.primary] if primary_only else None)
        broken = report.broken if report is not None else []
        if report is not None and broken[:1] == [world.bug.primary]:
            found += set(broken) <= {world.bug.primary, *world.bug.may_fall}
            failure = report[world.bug.primary].failure
            if shrinks and failure is not None:
                worst = max(worst, failure.steps - world.bug.shortest)
        if primary_only:
            clean += 1  # not asked
            continue
        twin = held(world, profile, seed, False, clean=True)
        clean += twin is not None and twin.ok
    return found, clean, worst


def main() -> int:
    """Print the table; the exit status is 0 if the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--profile", default="ci", choices=sorted(PROFILES))
    parser.add_argument("--worlds", default="", help="names of worlds or of modules of the zoo, with commas")
    parser.add_argument("--no-shrinks", action="store_true")
    parser.add_argument("--primary-only", action="store_true", help="only the primary law, and no twins")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    names = set(filter(None, given.worlds.split(",")))
    worlds = [w for w in zoo() if not names or names & {w.name, w.path.split(":")[0].split(".")[-1]}]
    seeds, holds = range(given.first, given.first + given.seeds), True
    print(
        f"{'world':28} {'primary':22} {'found':>9} {'clean':>9} {'too long':>8} {'CPU s':>7}   profile {given.profile}"
    )
    for world in worlds:
        began = time.process_time()
        found, clean, worst = row(world, given.profile, seeds, not given.no_shrinks, given.primary_only)
        good = found >= 0.99 * len(seeds) and clean == len(seeds) and worst <= 1
        holds = holds and good
        twins = "        -" if given.primary_only else f"{clean:4}/{len(seeds):<4}"
        told = f"{found:4}/{len(seeds):<4} {twins} {'-' if given.no_shrinks else worst:>8}"
        print(
            f"{world.name:28} {world.bug.primary:22} {told} {time.process_time() - began:7.1f}{'' if good else '   !'}",
            flush=True,
        )
    return 0 if holds else 1


if __name__ == "__main__":
    raise SystemExit(main())
