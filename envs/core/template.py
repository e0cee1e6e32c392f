"""Starting a new family: copies a template world into the repository, or into a package of its own."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

from ludarium.envs.core.errors import ConfigError, did_you_mean

__all__ = ["KINDS", "new_family"]

KINDS = ("array", "object")
"""Compiled kernels over arrays, or Python objects with logs."""
TEMPLATE = Path(__file__).resolve().parents[1] / "_template"
ROOT = TEMPLATE.parents[1]
"""The repository, if this is a checkout."""
_TAKEN = ("core", "ludarium", "test", "tests", "envs")
_FAMILY = re.compile(r"^from ludarium\.envs import (\w+) as _\1\b.*$", re.M)


def new_family(name: str, into: str | Path | None = None, force: bool = False, kind: str = "array") -> list[Path]:
    """Make a new family `name` of a template's `kind` and return the files written.

    Without `into` the family becomes `envs/NAME` and `tests/NAME` of this checkout and is registered in the suite; with
    `into` that folder becomes a package of its own, whose environment is `gym.make("NAME:NAME-v0")` when installed.
    Nothing is ever overwritten: files that exist are an error, or are left as they are under `force`. Raises
    `ConfigError` before anything is written.
    """
    if kind not in KINDS:
        raise ConfigError(f"kind = {kind!r}{did_you_mean(str(kind), KINDS)}")
    _check_name(name, alone=into is not None)
    files = _in_checkout(name, kind) if into is None else _package(name, kind, Path(into))
    there = [path for path in files if path.exists()]
    if there and not force:
        raise ConfigError(
            f"{there[0]} exists already, and nothing is overwritten; choose another name or folder, "
            "or pass force to add only the files that are missing"
        )
    suite = None if into is not None else _registered(name)
    written = [path for path in files if not path.exists()]
    for path in written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    if suite is not None and suite != (ROOT / "envs" / "_suite.py").read_text(encoding="utf-8"):
        (ROOT / "envs" / "_suite.py").write_text(suite, encoding="utf-8")
        written.append(ROOT / "envs" / "_suite.py")
    return written


def _check_name(name: str, alone: bool) -> None:
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or len(name) > 40:
        better = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_0123456789")[:40]
        hint = f"; did you mean {better!r}?" if better and better != name else ""
        raise ConfigError(
            f"{name!r} is no name for a family: lower-case letters and digits, parts joined by single '_', "
            f"at most 40 characters{hint}"
        )
    if keyword.iskeyword(name) or name in _TAKEN or (alone and name in sys.stdlib_module_names):
        raise ConfigError(f"{name!r} is a word that Python or the suite uses already; choose another name")
    from ludarium.envs.core.registry import WORLDS

    identity = f"{name.replace('_', '-')}-v0"
    if identity in WORLDS:
        raise ConfigError(f"the environment {identity!r} exists already; choose another name")


def _renamed(text: str, name: str, kind: str, package: str) -> str:
    """A template's text under a new name: its modules, its id, and the names of its classes."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    for old, new in (
        (f"ludarium.envs._template.{kind}", package),
        (f"template-{kind}", name.replace("_", "-")),
        (f"template_{kind}", name),
        (f"Template{kind.capitalize()}", camel),
        (f"The template of {kind} worlds: `ludarium new-family NAME` copies it. ", ""),
        (f"The template of {kind} worlds: `ludarium new-family NAME --kind {kind}` copies it. ", ""),
        (f" The template of {kind} worlds.", ""),
    ):
        text = text.replace(old, new)
    return text


def _module_files(kind: str) -> list[Path]:
    found = sorted((TEMPLATE / kind).iterdir())
    return [path for path in found if path.suffix in (".py", ".md")]


def _tests(name: str, kind: str, package: str) -> str:
    text = (TEMPLATE / "test_family.py.txt").read_text(encoding="utf-8")
    text = text.replace("_template.array", f"_template.{kind}").replace("template-array", f"template-{kind}")
    return _renamed(text, name, kind, package)


def _in_checkout(name: str, kind: str) -> dict[Path, str]:
    if not (ROOT / "pyproject.toml").is_file() or not (ROOT / "tests").is_dir():
        raise ConfigError(
            "this is an installed copy of ludarium, not a checkout; name a folder for a package of your own: --into DIR"
        )
    package = f"ludarium.envs.{name}"
    files = {
        ROOT / "envs" / name / path.name: _renamed(path.read_text(encoding="utf-8"), name, kind, package)
        for path in _module_files(kind)
    }
    return {**files, ROOT / "tests" / name / f"test_{name}.py": _tests(name, kind, package)}


def _registered(name: str) -> str:
    """The suite's module with the family among those that it imports, in order."""
    text = (ROOT / "envs" / "_suite.py").read_text(encoding="utf-8")
    lines = [match.group(0) for match in _FAMILY.finditer(text)]
    if not lines:
        raise ConfigError("envs/_suite.py has no line 'from ludarium.envs import FAMILY as _FAMILY' to stand beside")
    line = f"from ludarium.envs import {name} as _{name}  # noqa: F401"
    known = [match.group(1) for match in _FAMILY.finditer(text)]
    if name in known:
        return text
    after = [old for old, other in zip(lines, known, strict=True) if other < name]
    if after:
        return text.replace(after[-1], f"{after[-1]}\n{line}", 1)
    return text.replace(lines[0], f"{line}\n{lines[0]}", 1)


def _package(name: str, kind: str, folder: Path) -> dict[Path, str]:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file; expected a folder for the package")
    files = {
        folder / name / path.name: _renamed(path.read_text(encoding="utf-8"), name, kind, name)
        for path in _module_files(kind)
    }
    files[folder / name / "py.typed"] = ""
    files[folder / "tests" / f"test_{name}.py"] = _tests(name, kind, name)
    for target, source in (("pyproject.toml", "pyproject.toml.txt"), ("README.md", "package.md.txt")):
        files[folder / target] = _renamed((TEMPLATE / source).read_text(encoding="utf-8"), name, "array", name)
    return files
