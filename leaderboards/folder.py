"""The folder of a run, which survives a crash at any moment.

`manifest.json` says what is played, `scenario/` holds the scenario itself, `episodes.jsonl` one row for every finished
episode, `traces/` what was done in it. All these must repeat. `timing.jsonl` (clocks, host) cannot, and is in no
digest. An episode is finished when its row is on disk; its trace is there before. A line that was torn by a crash is
dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from ludarium.envs.core.errors import RunError, did_you_mean
from ludarium.envs.core.files import write_whole
from ludarium.leaderboards.episode import Unit
from ludarium.scenarios.loader import Scenario, load

try:
    import fcntl
except ImportError:  # Windows: nothing warns of a second process
    fcntl = None  # type: ignore[assignment]

__all__ = ["FORMAT", "RunFolder", "canonical", "folder_names", "read_rows", "run_digest", "units_of"]

FORMAT = 1
MANIFEST, EPISODES, TIMING, RESULT, LOCK = "manifest.json", "episodes.jsonl", "timing.jsonl", "result.json", "lock"


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def folder_names(agents: Iterable[str]) -> dict[str, str]:
    """A distinct and harmless folder name for each agent's name."""
    found = {}
    for name in agents:
        slug = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:60]
        if slug != name:
            slug += "-" + hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
        found[name] = slug
    return found


def units_of(scenario: Scenario, manifest: dict[str, Any]) -> list[Unit]:
    """All episodes of a run, in the order of its final rows."""
    folders = folder_names(manifest["agents"])
    chosen = manifest["cases"]
    return [
        Unit(agent, folders[agent], case.name, seed, trial)
        for agent in manifest["agents"]
        for case in scenario.cases
        if chosen is None or case.name in chosen
        for seed in case.splits[manifest["split"]][: manifest["episodes"]]
        for trial in range(scenario.trials)
    ]


def run_digest(manifest: dict[str, Any], rows: Iterable[dict[str, Any]]) -> str:
    """BLAKE2b (32 hex digits) of all that must repeat: manifest and rows, which hold the hashes of the traces."""
    lines = sorted(canonical(row) for row in rows)
    text = "\n".join([canonical(manifest), *lines])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def read_rows(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The rows of a JSON-lines file and how many of its bytes are whole lines; `RunError` names a damaged line."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise RunError(f"{path}: cannot read: {error.strerror or error}") from error
    whole = data.rfind(b"\n") + 1
    rows = []
    for number, line in enumerate(data[:whole].split(b"\n")[:-1], 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise RunError(f"{path}:{number}: damaged: {error}; restore the file or start a new run") from error
        if not isinstance(row, dict):
            raise RunError(f"{path}:{number}: damaged: expected a JSON object; restore the file or start a new run")
        rows.append(row)
    return rows, whole


class RunFolder:
    """One run on disk. Open it with `create` or `open`; writing needs the lock, which ends with the process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest: dict[str, Any] = {}
        self._lock: Any = None
        self._episodes: Any = None
        self._timing: Any = None

    # --- opening ---------------------------------------------------------------------------------------------------
    @classmethod
    def open(cls, root: str | os.PathLike[str]) -> Self:
        """A run to read; `RunError` if the folder holds none."""
        run = cls(Path(root))
        path = run.root / MANIFEST
        if not run.root.is_dir():
            near = [str(p.parent) for p in run.root.parent.glob(f"*/{MANIFEST}")] if run.root.parent.is_dir() else []
            raise RunError(f"{root}: no such run folder{did_you_mean(str(root), near) if near else ''}")
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{root}: no {MANIFEST}; this is no run folder, or its run never began") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: damaged: {error}") from error
        needed = {
            "agents": list,
            "cases": (list, type(None)),
            "episodes": (int, type(None)),
            "scenario": dict,
            "split": str,
        }
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            found = manifest.get("format") if isinstance(manifest, dict) else None
            raise RunError(f"{path}: run format {found!r}; this version of ludarium reads format {FORMAT}")
        for key, kind in needed.items():
            if not isinstance(manifest.get(key, ...), kind):  # type: ignore[arg-type]
                raise RunError(f"{path}: damaged: {key!r} is missing or of the wrong type")
        run.manifest = manifest
        return run

    @classmethod
    def create(cls, root: str | os.PathLike[str], manifest: dict[str, Any], scenario: Scenario, resume: bool) -> Self:
        """Begin a run, or go on with it under `resume`; `RunError` if that cannot be, or somebody else writes it."""
        run = cls(Path(root))
        try:
            run.root.mkdir(parents=True, exist_ok=True)
            run.lock()
            if (run.root / MANIFEST).exists():
                if not resume:
                    raise RunError(f"{root} holds a run already; go on with it by --resume, or choose another --out")
                run._must_match(cls.open(root).manifest, manifest)
            elif any(p.name != LOCK for p in run.root.iterdir()) and not (run.root / "scenario").is_dir():
                raise RunError(f"{root} is not empty and holds no run; choose another --out")
            else:
                run._copy_scenario(scenario)
                run.write(MANIFEST, json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        except OSError as error:
            run.close()
            raise RunError(f"{root}: cannot write the run: {error.strerror or error}") from error
        except RunError:
            run.close()
            raise
        run.manifest = manifest
        return run

    def _must_match(self, found: dict[str, Any], wanted: dict[str, Any]) -> None:
        for key in sorted(set(found) | set(wanted)):
            if found.get(key) != wanted.get(key):
                raise RunError(
                    f"{self.root} was begun with {key} = {canonical(found.get(key))}, not {canonical(wanted.get(key))}; "
                    "resume it with the same, or begin a new run"
                )

    def _copy_scenario(self, scenario: Scenario) -> None:
        target = self.root / "scenario"
        target.mkdir(exist_ok=True)
        shutil.copyfile(scenario.path, target / "scenario.toml")
        for name in scenario.files:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(scenario.path.parent / name, target / name)

    def scenario(self) -> Scenario:
        """The scenario as it was when the run began."""
        return load(self.root / "scenario" / "scenario.toml", allow_code=True)

    def lock(self) -> None:
        """Keep every other process from writing this folder; the lock ends with the process, however it ends."""
        file = (self.root / LOCK).open("a+")
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                file.seek(0)
                pid = file.read().strip() or "?"
                file.close()
                raise RunError(f"{self.root} is being written by process {pid}; wait for it, or stop it") from None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    # --- writing ---------------------------------------------------------------------------------------------------
    def begin(self, host: dict[str, Any]) -> list[dict[str, Any]]:
        """Make ready to append; return the rows that are there. What a crash left unfinished is removed."""
        for part in self.root.glob("**/*.part"):
            part.unlink()
        rows, whole = read_rows(self.root / EPISODES)
        timings, timed = self._whole(TIMING)
        self._episodes = self._appending(EPISODES, whole)
        self._timing = self._appending(TIMING, timed)
        self.timing({"host": host, "resumed": bool(rows or timings)})
        return rows

    def _whole(self, name: str) -> tuple[int, int]:
        path = self.root / name
        data = path.read_bytes() if path.exists() else b""
        return data.count(b"\n"), data.rfind(b"\n") + 1

    def _appending(self, name: str, whole: int) -> Any:
        file = (self.root / name).open("ab", buffering=0)
        file.truncate(whole)
        return file

    def append(self, row: dict[str, Any]) -> None:
        """Put a row on disk before this returns, or take back what was written of it and raise `RunError`."""
        file = self._episodes
        before = file.seek(0, os.SEEK_END)
        line = canonical(row).encode() + b"\n"
        try:
            if file.write(line) != len(line):
                raise OSError("the disk took only a part of the row")
            os.fsync(file.fileno())
        except OSError as error:
            file.truncate(before)
            raise RunError(
                f"{self.root / EPISODES}: cannot write: {error.strerror or error}; finished episodes are safe: make room, "
                "then go on with --resume"
            ) from error

    def timing(self, line: dict[str, Any]) -> None:
        """Note what cannot repeat; a full disk loses these lines only."""
        data = canonical(line).encode() + b"\n"
        before = self._timing.seek(0, os.SEEK_END)
        try:
            if self._timing.write(data) != len(data):
                self._timing.truncate(before)
        except OSError:
            self._timing.truncate(before)

    def write(self, name: str, text: str) -> Path:
        """Write a file whole or not at all; `RunError` if the disk refuses."""
        path = self.root / name
        try:
            write_whole(path, text.encode())
        except OSError as error:
            raise RunError(f"{path}: cannot write: {error.strerror or error}") from error
        return path

    def finish(self, rows: list[dict[str, Any]]) -> str:
        """Write the rows in order and the digest; return the digest."""
        self.write(EPISODES, "".join(canonical(row) + "\n" for row in rows))
        digest = run_digest(self.manifest, rows)
        lost = sum(row["turns_lost"] for row in rows)
        self.write(RESULT, canonical({"digest": digest, "episodes": len(rows), "turns_lost": lost}) + "\n")
        return digest

    def close(self) -> None:
        """Close all files and give the lock back."""
        for file in (self._episodes, self._timing, self._lock):
            if file is not None:
                file.close()
        self._episodes = self._timing = self._lock = None

    # --- reading ---------------------------------------------------------------------------------------------------
    def rows(self) -> list[dict[str, Any]]:
        """The rows of all finished episodes."""
        return read_rows(self.root / EPISODES)[0]

    def result(self) -> dict[str, Any] | None:
        """What `finish` wrote, None for a run that is not finished."""
        try:
            found = json.loads((self.root / RESULT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.root / RESULT}: damaged: {error}") from error
        if not isinstance(found, dict):
            raise RunError(f"{self.root / RESULT}: damaged: expected a JSON object")
        return found
