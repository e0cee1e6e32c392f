"""Instances of the tax economy: the workers' wages and personas, drawn from a seed or given as a datum."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from ludarium.envs.core.config import is_integer
from ludarium.envs.core.errors import InstanceError, PopulationError
from ludarium.envs.econ.tax.personas import AGES, OCCUPATIONS
from ludarium.envs.econ.tax.population import MAX_WAGE

__all__ = ["Instance", "check_total"]


def check_total(wages: Any, hours_max: int, steps: int) -> None:
    """Raise `PopulationError` where all that could ever be produced would not fit the accounts."""
    if float(sum(wages)) * hours_max * steps >= 2.0**62:
        raise PopulationError(
            f"{len(wages)} workers could produce more than 2**62 cents in {steps} steps; use lower wages, fewer workers or "
            "a smaller max_steps"
        )


@dataclasses.dataclass(frozen=True)
class Instance:
    """Wages in cents (a period's income for each hour), and the persona codes of each worker, if there are personas."""

    wages: tuple[int, ...]
    people: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the datum."""
        return hashlib.blake2b(json.dumps(self.as_data()).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values; `from_data` is the inverse."""
        return {"wages": list(self.wages), "people": [list(codes) for codes in self.people]}

    @classmethod
    def from_data(cls, data: Any) -> Instance:
        """Read `as_data`'s form; `InstanceError` says what is wrong."""
        try:
            people = tuple(tuple(int(c) for c in codes) for codes in data.get("people", ()))
            if not all(is_integer(wage) for wage in data["wages"]) or any(len(codes) != 4 for codes in people):
                raise ValueError
            return cls(tuple(int(wage) for wage in data["wages"]), people)  # type: ignore[arg-type]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InstanceError(
                f"an instance has wages, whole cents, and people, lists of four codes; got {data!r:.200}"
            ) from error

    def validate(self, workers: int, tastes: int, personas: bool) -> None:
        """Raise `InstanceError` or `PopulationError` unless it fits a config of these numbers."""
        if len(self.wages) != workers:
            raise InstanceError(f"{len(self.wages)} wages; expected {workers}, the config's n_workers")
        for i, wage in enumerate(self.wages):
            if not 1 <= wage <= MAX_WAGE:
                raise PopulationError(f"wage {i} is {wage} cents; expected 1 to {MAX_WAGE}")
        if len(self.people) != (workers if personas else 0):
            raise InstanceError(f"{len(self.people)} people; expected {workers if personas else 0}")
        for i, codes in enumerate(self.people):
            for code, below in zip(codes, (len(OCCUPATIONS), 2, len(AGES), tastes), strict=True):
                if not 0 <= code < below:
                    raise InstanceError(f"person {i} has the codes {codes}; {code} should be below {below}")
