"""Files that scaffolds read: those of the user, and those that are shipped."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ludarium.envs.core.errors import ConfigError, FileFormatError

__all__ = ["read_toml", "shipped"]

_MOST_BYTES = 1 << 20


def shipped(folder: str, world: str, otherwise: str = "") -> Path:
    """The file of a world that is shipped in a folder here, by the middle of its id; else the one named `otherwise`."""
    here = Path(__file__).parent / folder
    parts = world.split(":")[-1].split("-")
    for name in (*parts, otherwise):
        if name and (here / f"{name}.toml").is_file():
            return here / f"{name}.toml"
    known = ", ".join(sorted(path.stem for path in here.glob("*.toml")))
    raise ConfigError(f"no {folder} are shipped for {world} (there are: {known}); name a TOML file of your own")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of at most 1 MiB; `FileFormatError` says what is wrong with it."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise FileFormatError(path, f"has more than {_MOST_BYTES} bytes")
        return tomllib.loads(data.decode())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, FileFormatError):
            raise
        raise FileFormatError(path, f"cannot be read as TOML: {error}") from error
