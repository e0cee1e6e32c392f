"""Make the virtual environments in which the peers run: `python benchmarks/peers/setup.py [NAME ...]`.

Each peer has its own `.venvs/NAME` with the exact pins of `benchmarks/peers/NAME.txt`, since no two of them
agree on Gymnasium and NumPy. An environment whose pins have not changed is left alone. A peer that cannot
be installed is reported, and the others go on: the speed table leaves its rows empty.

The pins are for Python 3.11; `PEER_PYTHON` names another interpreter. Two peers are on no package index:
POGEMA 2.0.0a and pypibt. Who has them names the interpreter that imports the first in
`LUDARIUM_POGEMA2_PYTHON`, and a checkout of the second in `LUDARIUM_PYPIBT`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
VENVS = HERE.parents[1] / ".venvs"
OUTSIDE = {"pogema2": "LUDARIUM_POGEMA2_PYTHON"}


def names() -> list[str]:
    """The peers that a package index has."""
    return sorted(path.stem for path in HERE.glob("*.txt"))


def python_of(name: str) -> Path | None:
    """The interpreter that can import a peer, or None if it is not set up."""
    if name in OUTSIDE:
        given = os.environ.get(OUTSIDE[name])
        return Path(given) if given and Path(given).exists() else None
    python = VENVS / name / "bin" / "python"
    return python if python.exists() and _stamp(name).exists() else None


def _stamp(name: str) -> Path:
    digest = hashlib.blake2b((HERE / f"{name}.txt").read_bytes(), digest_size=8).hexdigest()
    return VENVS / name / f"pins-{digest}"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "WARNING" not in line]
        raise RuntimeError("\n".join(said[-8:]) or f"{command[0]} ended with {done.returncode}")


def install(name: str) -> None:
    """Make the environment of one peer anew; raises RuntimeError with the installer's last words."""
    folder = VENVS / name
    shutil.rmtree(folder, ignore_errors=True)
    base = os.environ.get("PEER_PYTHON") or shutil.which("python3.11") or sys.executable
    _run(base, "-m", "venv", str(folder))
    _run(
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-q",
        "--no-compile",
        "-r",
        str(HERE / f"{name}.txt"),
    )
    _stamp(name).touch()


def main(asked: list[str]) -> int:
    """Install what is missing; return how many peers failed."""
    unknown = [name for name in asked if name not in names()]
    if unknown:
        print(f"unknown peer {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    failed = 0
    for name in asked or names():
        if python_of(name) is not None:
            print(f"{name}: ready")
            continue
        print(f"{name}: installing", flush=True)
        try:
            install(name)
            print(f"{name}: ready")
        except (RuntimeError, OSError) as error:
            failed += 1
            print(f"{name}: cannot be installed, its rows stay empty\n{error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
