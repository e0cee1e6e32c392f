"""Build hook: the top-level folders are the subpackages of one import package, `ludarium`.

A wheel gets copies under `ludarium/`; an editable install gets links under `build/dev/ludarium/`, which is the only
folder that its path file names. Nothing else ever becomes importable but the pytest plugin, `pytest_ludarium`.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = {
    "__init__.py": "envs/_suite.py",
    "errors.py": "envs/_errors.py",
    "py.typed": "envs/py.typed",
    "testing.py": "envs/_testing.py",
    "envs": "envs",
    "agents": "agents",
    "wrappers": "wrappers",
    "scenarios": "scenarios",
    "leaderboards": "leaderboards",
}

NOT_SHIPPED = ("leaderboards/boards",)
"""Folders inside those of `PACKAGE` that are for readers of the repository: boards are megabytes that nobody imports."""

BESIDE = {"pytest_ludarium.py": "envs/core/laws/plugin.py"}
"""Modules beside the package: pytest loads its plugins at every start, and importing `ludarium` imports Gymnasium."""


class CustomBuildHook(BuildHookInterface):
    """Fills the wheel, or lays the links of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Map every row of `PACKAGE` to its place under `ludarium/`."""
        if version == "editable":
            self._link()
            return
        for inside, outside in PACKAGE.items():  # by folder: a file that is in two places is one key otherwise
            for path, below in self._shipped(outside):
                build_data["force_include"][str(path)] = f"ludarium/{inside}{below}"
        self._copy_beside(build_data)

    def _shipped(self, outside: str) -> list[tuple[Path, str]]:
        """A row's path, or what is in its folder if not all of that is shipped, each with its place below the row's."""
        root, kept_back = Path(self.root), [name for name in NOT_SHIPPED if name.startswith(f"{outside}/")]
        if not kept_back:
            return [(root / outside, "")]
        inside = sorted(path for path in (root / outside).iterdir() if path.name != "__pycache__")
        return [(path, f"/{path.name}") for path in inside if f"{outside}/{path.name}" not in kept_back]

    def _copy_beside(self, build_data: dict[str, Any]) -> None:
        """Add the modules beside the package as copies: a file that is in two places is one key otherwise."""
        folder = Path(self.root) / "build" / "beside"
        folder.mkdir(parents=True, exist_ok=True)
        for inside, outside in BESIDE.items():
            (folder / inside).write_bytes((Path(self.root) / outside).read_bytes())
            build_data["force_include"][str(folder / inside)] = inside

    def _link(self) -> None:
        dev = Path(self.root) / "build" / "dev"
        (dev / "ludarium").mkdir(parents=True, exist_ok=True)
        rows = {f"ludarium/{inside}": outside for inside, outside in PACKAGE.items()} | BESIDE
        for inside, outside in rows.items():
            link, target = dev / inside, Path(self.root) / outside
            if link.is_symlink() or link.exists():
                continue
            if os.name == "nt" and target.is_dir():  # a junction needs no privilege
                subprocess.run(["cmd", "/c", "mklink", "/J", str(link), str(target)], check=True)
            else:
                link.symlink_to(os.path.relpath(target, link.parent))
