"""What some tests need from the machine: `need("chromium")` returns where it is, or skips the test by name.

The environment variable LUDARIUM_REQUIRE lists (by commas, or "all") what must be there: absence then fails.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest


def _chromium() -> str | None:
    if importlib.util.find_spec("playwright") is None:
        return None
    named = os.environ.get("LUDARIUM_CHROMIUM")
    names = [named] if named else ["chromium", "chromium-browser", "google-chrome", "chrome"]
    return next((path for path in map(shutil.which, names) if path), None)


def _node() -> str | None:
    return shutil.which("node") if shutil.which("npm") else None


def _postgres() -> str | None:
    """Return where `initdb` is: distributions keep it off the path."""
    found = shutil.which("initdb")
    if found:
        return found
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    return str(places[-1]) if places else None


def _bubblewrap() -> str | None:
    """Return where `bwrap` is, if it may do its work: some containers forbid it."""
    found = shutil.which("bwrap")
    tried = found and subprocess.run(
        [found, "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, check=False
    )
    return found if tried and tried.returncode == 0 else None


def _textworld() -> str | None:
    found = importlib.util.find_spec("textworld")
    return found.origin if found else None


def _openenv() -> str | None:
    """Return OpenEnv's command in its environment among the benchmarks' peers."""
    found = Path(__file__).parents[1] / ".venvs/openenv/bin/openenv"
    return str(found) if found.exists() else None


def _transformers() -> str | None:
    found = [importlib.util.find_spec(name) for name in ("torch", "transformers")]
    return found[1].origin if all(found) and found[1] is not None else None


KNOWN = {
    "bubblewrap": (_bubblewrap, "the package `bubblewrap`, and the right to make namespaces"),
    "chromium": (_chromium, "pip install playwright, and the package `chromium` (or LUDARIUM_CHROMIUM=path)"),
    "node": (_node, "the packages `nodejs` and `npm`"),
    "postgres": (_postgres, "the package `postgresql`"),
    "openenv": (_openenv, "python benchmarks/peers/setup.py openenv"),
    "transformers": (
        _transformers,
        "`make test-local`, or pip install 'ludarium[local]' with torch as constraints.txt has it",
    ),
    "textworld": (_textworld, "pip install 'ludarium[textworld]'"),
}


def required(name: str) -> bool:
    """Return whether LUDARIUM_REQUIRE says that `name` must be there."""
    listed = [part.strip() for part in os.environ.get("LUDARIUM_REQUIRE", "").split(",")]
    return name in listed or "all" in listed


def need(name: str) -> str:
    """Return the path of `name`; without it skip the test, or fail it where it is required."""
    find, how = KNOWN[name]
    found = find()
    if found is None:
        give_up(name, f"needs {name}: {how}")
    return found


def give_up(name: str, reason: str) -> None:
    """Skip the test with `reason`, or fail it where `name` is required."""
    if required(name):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
