"""Instances of the aisle: where the crates and the workers are, drawn from a seed or given as a datum."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import kernel
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.rng import below, draw

__all__ = ["Instance", "draw_crates", "draw_places"]

STREAM_CRATES = 1
STREAM_PLACES = 2


@kernel
def draw_crates(key: np.uint64, crates: int, out: NDArray[np.uint8]) -> None:
    """Put `crates` crates into the cells uint8[L], every choice equally likely (selection sampling, Knuth 3.4.2 S)."""
    left = crates
    for cell in range(out.shape[0]):
        taken = below(draw(key, STREAM_CRATES, cell, 0, 0), out.shape[0] - cell) < left
        out[cell] = taken
        left -= taken


@kernel
def draw_places(key: np.uint64, length: int, out: NDArray[np.int16]) -> None:
    """Put each worker int16[W] into a cell of its own draw; workers may share one."""
    for i in range(out.shape[0]):
        out[i] = below(draw(key, STREAM_PLACES, i, 0, 0), length)


@dataclasses.dataclass(frozen=True)
class Instance:
    """The cells of the crates, and the cell of each worker."""

    crates: tuple[int, ...]
    workers: tuple[int, ...]

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data()).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {"crates": list(self.crates), "workers": list(self.workers)}

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            return cls(tuple(sorted(int(n) for n in data["crates"])), tuple(int(n) for n in data["workers"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InstanceError(f"an instance has crates and workers, lists of cells; got {data!r:.200}") from error

    def validate(self, length: int, crates: int, workers: int) -> None:
        """Raise `InstanceError` unless it fits an aisle of these numbers."""
        if len(self.crates) != crates or len(self.workers) != workers:
            raise InstanceError(
                f"{len(self.crates)} crates and {len(self.workers)} workers; expected {crates} and {workers}"
            )
        for cell in (*self.crates, *self.workers):
            if not 0 <= cell < length:
                raise InstanceError(f"cell {cell} is not in the aisle of {length} cells")
        if len(set(self.crates)) != crates:
            raise InstanceError(f"crates {self.crates} share a cell; at most one a cell")
