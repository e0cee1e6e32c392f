"""How houses and states of a household lie in memory: one field an array, whose shapes follow from the config."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ludarium.envs.core.state import COMMON, Field
from ludarium.envs.text.household.dynamics import HEAD, TABLES

__all__ = ["Sizes", "fields", "table_fields"]


class Sizes(NamedTuple):
    """What the layouts of houses and states depend on."""

    receptacles: int
    objects: int
    locations: int
    agents: int
    goal: int
    bytes: int
    talks: bool
    split: bool

    @property
    def known(self) -> int:
        """Bytes of an observation before those of receptacles and objects: the goal, who is where, who said what."""
        return HEAD + self.agents * (4 if self.talks else 1)


def table_fields(z: Sizes) -> tuple[Field, ...]:
    """The layout of what a house is."""
    receptacles, objects, locations, agents, goal, size = z[:6]
    words = (objects + 63) // 64
    shapes: tuple[tuple[type, tuple[int, ...]], ...] = (
        (np.int16, (3,)), (np.int16, (receptacles,)), (np.int16, (locations,)), (np.int16, (receptacles,)),
        (np.uint8, (receptacles,)), (np.uint8, (receptacles,)), (np.uint64, (7, words)), (np.uint64, (receptacles, words)),
        (np.uint64, (words,)), (np.uint8, (receptacles,)), (np.int32, (goal,)), (np.int64, (1,)), (np.uint8, (HEAD,)),
        (np.uint8, (agents * z.split, HEAD)), (np.uint8, (receptacles,)), (np.uint8, (objects,)),
        (np.int16, (1 + agents,)), (np.uint8, (receptacles,)),
        (np.uint64, (receptacles, words)), (np.uint64, (locations, words)), (np.uint64, (5, words)), (np.uint8, (16,)),
        (np.uint8, (size,)),
    )  # fmt: skip
    return tuple(Field(name, kind, shape, "derived") for name, (kind, shape) in zip(TABLES, shapes, strict=True))


def fields(z: Sizes) -> tuple[Field, ...]:
    """The layout of a state; what is empty is in no digest."""
    receptacles, objects, locations, agents = z[:4]
    words = (objects + 63) // 64
    own, said = ("state" if z.split else "derived"), ("state" if z.talks else "derived")
    speakers = agents * z.talks
    return (
        *COMMON(agents),
        Field("loc", np.int16, (agents,)),
        Field("hold", np.int16, (agents,)),
        Field("opened", np.uint8, (receptacles,)),
        Field("content", np.uint64, (receptacles, words)),
        Field("around", np.uint64, (locations, words)),
        Field("left", np.uint64, (receptacles, words)),
        Field("flags", np.uint64, (5, words)),
        Field("verb", np.int8, (agents,)),
        Field("object", np.int16, (agents,)),
        Field("receptacle", np.int16, (agents,)),
        Field("reason", np.int16, (agents,)),
        Field("seen", np.uint8, (agents, z.known + 3 * receptacles + 3 * objects)),
        Field("subgoals", np.uint8),
        Field("won", np.bool_),
        Field("facts", np.int16, (2,)),
        Field("progress", np.float64),
        Field("own", np.float64, (agents * z.split,), own),
        Field("budget", np.int16, (speakers,), said),
        Field("told", np.uint64, (speakers, words), said),
        Field("shut", np.uint8, (speakers,), said),
        Field("moves", np.int32),
        Field("faults", np.int32),
        *table_fields(z),
        Field("early", np.int16, (agents,), "scratch"),
        Field("was", np.float64, (agents,), "scratch"),
        Field("counts", np.int16, (receptacles,), "scratch"),
    )
