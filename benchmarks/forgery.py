"""Thousands of forged submissions: each must be rejected, or scored exactly as the actions in it deserve.

    python benchmarks/forgery.py --count 12000

Two honest submissions (PIBT and random) to a small track are changed in every way of tests/leaderboards/forgeries.py: bytes
and regions of the file, members, headers, seeds, actions, order, length, splices of two runs, digests, results, events,
manifests; with the old signature and signed anew by the forger. What a forgery deserves is found apart from the judge, by
stepping its actions one by one. A sample goes through the guarded process as well, which must find the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "leaderboards"), str(HERE.parent / "tests")]

from conftest import TINY  # noqa: E402
from forgeries import Forger, Truth, judge_forgery  # noqa: E402

from ludarium.envs.core.errors import LudariumError  # noqa: E402
from ludarium.leaderboards import keys  # noqa: E402
from ludarium.leaderboards.examine import Examiner  # noqa: E402
from ludarium.leaderboards.judge import judge  # noqa: E402
from ludarium.leaderboards.runner import run  # noqa: E402
from ludarium.leaderboards.submission import Submission, pack  # noqa: E402
from ludarium.leaderboards.track import Track, load_track  # noqa: E402
from ludarium.scenarios.loader import load  # noqa: E402

TRACK = """name = "tiny-track"
version = 3
title = "Tiny"
scenario = "tiny.toml"
scenario_hash = "{hash}"
split = "test"
metric = "throughput"
higher_is_better = true
worst = 0.0
"""


def prepare(folder: Path) -> tuple[Track, bytes, bytes]:
    """A track and two honest submissions to it."""
    (folder / "tiny.toml").write_text(TINY)
    (folder / "track.toml").write_text(TRACK.format(hash=load(folder / "tiny.toml").hash))
    played = run(str(folder / "tiny.toml"), ["random", "pibt"], folder / "run", jobs=0)
    track, key = load_track(folder / "track.toml"), keys.new_key()
    files = [pack(played.root, track, name=agent, agent=agent, key=key, to=folder) for agent in ("pibt", "random")]
    return track, files[0].read_bytes(), files[1].read_bytes()


def guarded(data: bytes, track: Track) -> object:
    """What the guarded process finds: the digest of its verdict, or None where the file is refused before."""
    try:
        return judge(Submission(data), track).digest
    except LudariumError:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guarded", type=int, default=20, help="how many go through the guarded process too")
    parser.add_argument("--out", type=Path, default=HERE / "out" / "forgery.json")
    options = parser.parse_args()
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        track, honest, other = prepare(Path(folder))
        examiner, truth, forger = Examiner(track), Truth(track), Forger(honest, other, options.seed)
        made: Counter[str] = Counter()
        accepted: Counter[str] = Counter()
        wrong: list[str] = []
        every = max(1, options.count // max(1, options.guarded))
        for n in range(options.count):
            kind, data = forger.make(n)
            made[kind] += 1
            verdict = judge_forgery(examiner, data)
            ok = getattr(verdict, "ok", False)
            accepted[kind] += ok
            if ok and not truth.holds(data, verdict):
                wrong.append(f"{kind} {n}: accepted with another score than it deserves")
            if n % every == every - 1 and guarded(data, track) != getattr(verdict, "digest", None):
                wrong.append(f"{kind} {n}: the guarded process finds something else")
    rows = {kind: {"made": made[kind], "scored_as_deserved": accepted[kind]} for kind in sorted(made)}
    for kind, row in rows.items():
        print(f"{kind:18} {row['made']:6} made, {row['made'] - row['scored_as_deserved']:6} rejected, "
              f"{row['scored_as_deserved']:6} scored as they deserve")  # fmt: skip
    spent = time.process_time() - began
    print(f"{sum(made.values())} forgeries, {len(wrong)} wrong, {spent:.0f} CPU-seconds")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(
        json.dumps({"kinds": rows, "wrong": wrong, "seed": options.seed, "cpu_s": round(spent)}, indent=1)
    )
    if wrong:
        print("\n".join(wrong[:20]))
        sys.exit(1)


if __name__ == "__main__":
    main()
