"""Instances of the commons: the first stock, and the names by which luck is drawn."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import InstanceError
from ludarium.envs.econ.commons.dynamics import Scalars, State, begin

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.config import CommonsConfig

__all__ = ["LOADED", "Instance", "reset"]

LOADED = -2


def reset(s: State, c: Scalars, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
    """Begin episodes in the rows of `which`: drawn from the seed (slot -1), or where `load` put them (slot -2)."""
    begin(s, c, which, seeds, slots, LOADED)


@dataclasses.dataclass(frozen=True)
class Instance:
    """The first stock, and by harvester the number under which his luck is drawn."""

    stock: int
    names: tuple[int, ...]

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data()).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {"stock": self.stock, "names": list(self.names)}

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            return cls(int(data["stock"]), tuple(int(n) for n in data["names"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InstanceError(f"an instance has a stock and a list of names; got {data!r:.200}") from error

    def validate(self, config: CommonsConfig) -> None:
        """Raise `InstanceError` unless it fits the config."""
        if not config.threshold <= self.stock <= config.cap:
            raise InstanceError(f"stock = {self.stock}; expected {config.threshold} to {config.cap}")
        if sorted(self.names) != list(range(config.num_harvesters)):
            raise InstanceError(f"names = {self.names}; expected 0 to {config.num_harvesters - 1} in some order")
