"""TextWorld's game files: checks of what the user names, and games made as `tw-make` makes them."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import functools
import hashlib
import importlib
import importlib.resources
import io
import json
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import ConfigError, FileFormatError, MissingExtraError, did_you_mean

__all__ = ["checked", "file_hash", "made", "textworld"]

MAX_BYTES = 64 << 20
KINDS = (".z8", ".ulx", ".tw-pddl")
_PDDL_KEYS = ("pddl_domain", "grammar", "pddl_problem")


def textworld(part: str = "") -> Any:
    """TextWorld's package, or a module of it; `MissingExtraError` says how to install it."""
    try:
        return importlib.import_module(f"textworld{part}")
    except ImportError as error:
        raise MissingExtraError("textworld", "textworld") from error


def checked(name: str) -> Path:
    """The path of a game file that TextWorld can be given; `FileFormatError` says what is wrong with it.

    A name without a suffix is that of a game that comes with the suite.
    """
    path = Path(name)
    if path.name == name and not path.suffix:
        shipped = Path(str(importlib.resources.files("ludarium.scenarios"))) / "games"
        path = shipped / f"{name}.tw-pddl"
        if not path.is_file():
            known = sorted(found.stem for found in shipped.glob("*.tw-pddl"))
            raise FileFormatError(name, f"no game of the suite has this name{did_you_mean(name, known)}")
    if path.suffix not in KINDS:
        raise FileFormatError(path, f"a game is a file that ends in {', '.join(KINDS)}")
    if not path.is_file():
        raise FileFormatError(path, "there is no such file")
    if path.stat().st_size > MAX_BYTES:
        raise FileFormatError(path, f"{path.stat().st_size} bytes; expected at most {MAX_BYTES}")
    if path.suffix == ".tw-pddl":
        _check_pddl(path)
    elif not path.with_suffix(".json").is_file():
        raise FileFormatError(path, f"needs {path.with_suffix('.json').name} beside it, which tw-make writes")
    elif path.suffix == ".ulx" and not _plays_glulx():
        raise FileFormatError(path, "this version of TextWorld plays no Glulx games; make the game again as .z8")
    return path


def _check_pddl(path: Path) -> None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(path, f"no JSON: {error}", getattr(error, "lineno", None)) from error
    missing = [key for key in _PDDL_KEYS if not isinstance(data, dict) or not isinstance(data.get(key), str)]
    if missing:
        raise FileFormatError(path, f"has no text {missing[0]!r}; a .tw-pddl file has {', '.join(_PDDL_KEYS)}")


def _plays_glulx() -> bool:
    return hasattr(textworld(".envs"), "GitGlulxEnv")


def file_hash(path: Path) -> str:
    """A BLAKE2b digest (32 hex digits) of a game file."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


@functools.cache
def _folder() -> Path:
    """Where made games lie until this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="ludarium-textworld-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _custom() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="custom")
    for name, default in (("--world-size", 1), ("--nb-objects", 10), ("--quest-length", 5), ("--quest-breadth", 3)):
        parser.add_argument(name, type=int, default=default)
    return parser


def settings_of(words: str) -> tuple[str, dict[str, Any]]:
    """The challenge and its settings that `make` names; `ConfigError` if TextWorld has no such challenge or option."""
    challenges = textworld(".challenges").CHALLENGES
    try:
        name, *rest = shlex.split(words)
    except ValueError as error:
        raise ConfigError(f"make = {words!r:.80}: {error}") from error
    if name not in challenges and name != "custom":
        raise ConfigError(f"make = {words!r:.80}: no challenge {name!r}{did_you_mean(name, [*challenges, 'custom'])}")
    parser = _custom() if name == "custom" else challenges[name][2]()
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            return name, vars(parser.parse_args(rest))
    except SystemExit:
        reason = said.getvalue().strip().splitlines() or ["its options are wrong"]
        raise ConfigError(f"make = {words!r:.80}: {reason[-1]}") from None


@functools.lru_cache(maxsize=1024)
def made(words: str, seed: int) -> Path:
    """A game made as `tw-make` makes it, compiled once in this process."""
    package = textworld()
    name, settings = settings_of(words)
    options = package.GameOptions()
    options.seeds = seed
    if name == "custom":
        options.nb_rooms, options.nb_objects = settings["world_size"], settings["nb_objects"]
        options.quest_length, options.quest_breadth = settings["quest_length"], settings["quest_breadth"]
        game = package.generator.make_game(options)
    else:
        game = package.challenges.CHALLENGES[name][1](settings, options)
    label = hashlib.blake2b(f"{words}\0{seed}".encode(), digest_size=8).hexdigest()
    options.path = str(_folder() / f"{label}.z8")
    return Path(package.generator.compile_game(game, options))
