"""Relations between episodes that a family declares: what must come of the twin of an episode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Episode", "Outcome", "Relation"]

Episode = dict[str, Any]
"""`config` (options), `seed`, `options` of the reset (`{"instance": data}` where the world has instances) and `actions`:
one plain item a step, a dict by seat where several act."""
Outcome = dict[str, Any]
"""`steps`: a list of `rewards`, `terminated` and `truncated` by seat; `metrics`: name -> number."""


class Relation(NamedTuple):
    """A metamorphic relation, such as "a mirrored map".

    `twin` makes the other episode of one (a copy that may be changed; None where the relation does not apply);
    `expected` makes the outcome that the twin must have of the outcome of the first. Floats are held at 1e-9 relative.
    """

    name: str
    twin: Callable[[Episode], Episode | None]
    expected: Callable[[Outcome], Outcome] = lambda outcome: outcome
