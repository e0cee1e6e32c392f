"""The laws held against environments of others, each suite in a virtual environment of its own.

    python benchmarks/laws_in_the_wild.py --setup         # makes .venvs/wild, .venvs/arcle and .venvs/jss; needs an index
    python benchmarks/laws_in_the_wild.py [SUITE ...]      # prints a line an environment; keeps failures in failures/wild

What it finds is a lead, not a verdict: `docs/laws-in-the-wild.md` lists what was reproduced by hand.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ludarium.testing import CheckError, check

ROOT = Path(__file__).parents[1]
VENVS = {
    "wild": ["pettingzoo[classic,butterfly]==1.27.0", "gymnasium[classic-control,toy-text]==1.4.0"],
    "arcle": ["arcle"],
    "jss": ["JSSEnv"],
    "rware": ["rware==2.0.0"],
    "pogema": ["pogema==1.4.0"],
}
SUITES = {
    "gymnasium": (
        "wild",
        [
            "Acrobot-v1", "CartPole-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1", "Blackjack-v1",
            "CliffWalking-v1", "FrozenLake-v1", "FrozenLake8x8-v1", "Taxi-v4",
        ],
    ),
    "classic": (
        "wild",
        [f"pettingzoo.classic.{name}:env" for name in (
            "chess_v6", "connect_four_v3", "hanabi_v5", "leduc_holdem_v4", "rps_v2", "texas_holdem_v4",
            "texas_holdem_no_limit_v6", "tictactoe_v3", "go_v5",
        )],
    ),
    "butterfly": (
        "wild",
        [f"pettingzoo.butterfly.{name}:parallel_env" for name in (
            "cooperative_pong_v6", "knights_archers_zombies_v11", "pistonball_v6",
        )],
    ),
    "rware": ("rware", ["rware:rware-tiny-2ag-v2", "rware:rware-small-4ag-easy-v2"]),
    "pogema": ("pogema", ["pogema:Pogema-v0"]),
    "jss": ("jss", ["JSSEnv:jss-v1"]),
    "arcle": ("arcle", ["arcle:ARCLE/O2ARCv2Env-v0"]),
}  # fmt: skip


def setup() -> None:
    """Make the virtual environments that are missing."""
    for name, packages in VENVS.items():
        folder = ROOT / ".venvs" / name
        if not (folder / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *packages], check=True)


def main() -> None:
    """Check the suites named, or all."""
    if sys.argv[1:2] == ["--setup"]:
        setup()
        return
    for suite in sys.argv[1:] or SUITES:
        venv, names = SUITES[suite]
        python = ROOT / ".venvs" / venv / "bin" / "python"
        for name in names:
            try:
                report = check(name, python=str(python), folder=ROOT / "failures" / "wild", limit=60.0)
            except CheckError as error:
                print(f"{name}: cannot be checked: {error}", flush=True)
                continue
            kept = sum(row.verdict == "kept" for row in report.rows)
            print(f"{name}: {kept} laws kept, broken: {', '.join(report.broken) or 'none'}", flush=True)
            for row in report.rows:
                if row.failure is not None:
                    print("\n".join(f"    {line}" for line in row.failure.story), flush=True)


if __name__ == "__main__":
    main()
