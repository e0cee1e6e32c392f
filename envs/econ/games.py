"""What small games share: one role, numbers that are drawn as instances, a twin with seats relabelled, a chart for a picture.

A game's simulator names its modules (`dynamics` as `kernels`, `language` as `words`, `scene` as `picture`) and says what is
its own: config, spaces, metrics, invariants. Its kernels have the names and arguments that `Game` calls them by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.compile import inner
from ludarium.envs.core.errors import InstanceError
from ludarium.envs.core.laws.relations import Episode, Outcome, Relation
from ludarium.envs.core.rng import episode_key
from ludarium.envs.core.scene import Label, Rect, Scene, Shape
from ludarium.envs.core.simulator import ArraySimulator, Choice, Out
from ludarium.envs.core.state import Field

__all__ = ["LOADED", "Datum", "Game", "begin", "chart", "conclude", "is_loaded", "mean"]

LOADED = -2


# --- kernels ---------------------------------------------------------------------------------------------------------
@inner
def begin(s: Any, b: int, seed: int, slot: int) -> None:
    """The fields that every state has, at the beginning of an episode."""
    s.key[b] = episode_key(seed)
    s.inst[b] = slot
    s.t[b] = 0
    s.over[b] = False
    for seat in range(s.live.shape[1]):
        s.live[b, seat] = True


@inner
def conclude(
    s: Any, b: int, max_steps: int, finished: bool, terminated: NDArray[np.bool_], truncated: NDArray[np.bool_]
) -> None:
    """Count the step of row b, and end its episode for all seats where it is `finished`, or has no steps left."""
    s.t[b] += 1
    truncated[b] = not finished and s.t[b] >= max_steps
    over = finished or truncated[b]
    s.over[b] = over
    for seat in range(terminated.shape[1]):
        terminated[b, seat] = finished
        s.live[b, seat] = not over


# --- instances -------------------------------------------------------------------------------------------------------
class Datum:
    """The numbers that an episode begins with, by name: lists of whole numbers, a row a seat."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self.parts = parts

    @property
    def hash(self) -> str:
        """A BLAKE2b digest (32 hex digits) of the numbers."""
        return hashlib.blake2b(json.dumps(self.parts, sort_keys=True).encode(), digest_size=16).hexdigest()

    def as_data(self) -> dict[str, Any]:
        """Plain JSON values."""
        return dict(self.parts)


def is_loaded(state: Any, row: int) -> bool:
    """Whether a row plays an instance that was given to it."""
    return bool(state.inst[row] == LOADED)


def _whole(name: str, value: Any, like: NDArray[Any], low: int, high: int) -> NDArray[np.int64]:
    """Numbers for a field, or `InstanceError`."""
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise InstanceError(f"{name} = {value!r:.200}; expected {like.shape} whole numbers") from error
    if given.shape != like.shape or given.dtype.kind not in "iu":
        raise InstanceError(f"{name} = {value!r:.200}; expected whole numbers of shape {list(like.shape)}")
    if given.size and (given.min() < low or given.max() > high):
        raise InstanceError(f"{name} has numbers from {given.min()} to {given.max()}; expected {low} to {high}")
    return given.astype(np.int64)


def mean(total: Any, count: Any) -> NDArray[np.float64]:
    """`total / count`, 0 where there is nothing to count."""
    count = np.asarray(count, np.float64)
    return np.where(count != 0, np.asarray(total, np.float64) / np.where(count != 0, count, 1.0), 0.0)


# --- the simulator ---------------------------------------------------------------------------------------------------
class Game(ArraySimulator):
    """Base of small games whose seats have one role."""

    kernels: Any
    words: Any
    picture: Any
    data: dict[str, tuple[int, int]]
    """The fields of the state that an instance holds, each with the least and the largest number in it."""
    symmetric: ClassVar[bool] = True
    """Whether the same game comes of it when seats change places with all that is theirs."""
    scalars: Any

    def fields(self) -> tuple[Field, ...]:
        """The layout of the state."""
        found: tuple[Field, ...] = self.kernels.fields(self.scalars)
        return found

    # --- instances -------------------------------------------------------------------------------------------------
    def instance(self, seed: int) -> Datum:
        """The numbers that a seed draws."""
        state = self.new(1)
        self.reset(state, np.ones(1, np.bool_), np.array([seed], np.int64), np.full(1, -1, np.int32))
        return self._datum(state, 0)

    def _datum(self, state: Any, row: int) -> Datum:
        return Datum({name: getattr(state, name)[row].tolist() for name in self.data})

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Put a `Datum` (or its JSON form) into a row; `InstanceError` says what is wrong with it."""
        given = instance.parts if isinstance(instance, Datum) else instance
        if not isinstance(given, dict) or set(given) != set(self.data):
            raise InstanceError(f"an instance has {' and '.join(self.data) or 'nothing'}; got {given!r:.200}")
        numbers = {
            name: _whole(name, given[name], getattr(state, name)[row], low, high)
            for name, (low, high) in self.data.items()
        }
        self.fits(numbers)
        for name, value in numbers.items():
            getattr(state, name)[row] = value

    def fits(self, numbers: dict[str, NDArray[np.int64]]) -> None:
        """Raise `InstanceError` where the numbers of an instance do not go together."""

    def instance_hash(self, state: Any, row: int) -> str:
        """The hash of an instance that was loaded; the seed says all of the others."""
        return self._datum(state, row).hash if is_loaded(state, row) else ""

    # --- reset, step and views -------------------------------------------------------------------------------------
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin episodes in the rows of `which`."""
        self.kernels.reset(state, self.scalars, which, seeds, slots)

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the actions without effect."""
        self.kernels.check(state, self.scalars, actions[0], fault)

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance every row."""
        self.kernels.step(state, self.scalars, actions[0], *out)

    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats see."""
        self.kernels.see(state, self.scalars, seats, out)

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write the actions that have an effect."""
        self.kernels.masks(state, self.scalars, seats, out)

    # --- twins -----------------------------------------------------------------------------------------------------
    def relations(self) -> tuple[Relation, ...]:
        """The seats in the opposite order, each with what is its own."""
        if not self.symmetric or len(self.seats) < 2:
            return ()
        return (Relation("seats relabelled", self._relabelled, self._relabelled_outcome),)

    def relabelled_action(self, action: Any, step: int) -> Any:
        """What an action of a step is called when all seats have their numbers from the other end."""
        return action

    def _other(self, seat: str) -> str:
        role, number = seat.rsplit("_", 1)
        return f"{role}_{len(self.seats) - 1 - int(number)}"

    def _relabelled(self, episode: Episode) -> Episode | None:
        if "instance" not in (episode["options"] or {}):
            return None
        given = episode["options"]["instance"]
        episode["options"] = {"instance": {name: list(reversed(rows)) for name, rows in given.items()}}
        episode["actions"] = [
            {self._other(seat): self.relabelled_action(a, n) for seat, a in step.items()}
            if isinstance(step, dict)
            else step
            for n, step in enumerate(episode["actions"])
        ]
        return episode

    def _others(self, told: Any) -> Any:
        return {self._other(seat): v for seat, v in told.items()} if isinstance(told, dict) else told

    def _relabelled_outcome(self, outcome: Outcome) -> Outcome:
        steps = [{part: self._others(seats) for part, seats in step.items()} for step in outcome["steps"]]
        return {"steps": steps, "metrics": outcome["metrics"]}

    # --- language and picture --------------------------------------------------------------------------------------
    def rules(self) -> str:
        """The rules in words."""
        return str(self.words.rules(self))

    def describe(self, state: Any, row: int, seat: int) -> str:
        """What a seat sees, in words."""
        return str(self.words.describe(self, state, row, seat))

    def menu(self, state: Any, row: int, seat: int) -> list[Choice] | None:
        """The actions that have an effect."""
        found: list[Choice] | None = self.words.menu(self, state, row, seat)
        return found

    def verbs(self) -> dict[str, tuple[str, ...]]:
        """The verbs of all menus that this config can have, with the names of their arguments."""
        found: dict[str, tuple[str, ...]] = self.words.verbs(self)
        return found

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """Why an action had no effect."""
        return str(self.words.explain(self, state, row, seat, action, code))

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row."""
        found: Scene = self.picture.scene(self, state, row)
        return found


# --- the picture -----------------------------------------------------------------------------------------------------
_HEIGHT, _GAP = 6.0, 0.6


def chart(
    bars: Sequence[tuple[str, float, str]],
    *,
    most: float,
    caption: str,
    values: dict[str, float],
    lines: Sequence[tuple[str, float]] = (),
    unit: str = "",
) -> Scene:
    """Upright bars (name, height, style) on one scale from 0 to `most`, with named levels drawn across.

    A bar below 0 hangs from the ground in the style `bad`; heights are written beside the names.
    """
    wide = max(2.0, min(4.0, 24.0 / max(len(bars), 1)))
    width = max(12.0, len(bars) * (wide + _GAP) + _GAP)
    most = max(most, 1e-9)
    shapes: list[Shape] = []
    for n, (name, height, style) in enumerate(bars):
        x, tall = _GAP + n * (wide + _GAP), _HEIGHT * min(abs(height) / most, 1.0)
        title = f"{name}: {height:g}{unit}"
        shapes.append(Rect(x, 1 + _HEIGHT - tall, wide, tall, style if height >= 0 else "bad", title=title))
        shapes.append(Label(x + wide / 2, 1.8 + _HEIGHT, name, 0.5))
        shapes.append(Label(x + wide / 2, 2.5 + _HEIGHT, f"{height:g}{unit}", 0.5, style="text.muted"))
    for name, level in lines:
        y = 1 + _HEIGHT * (1 - min(max(level / most, 0.0), 1.0))
        shapes.append(Rect(0.0, y - 0.03, width, 0.06, "text.muted", title=f"{name}: {level:g}{unit}"))
        shapes.append(Label(width - 0.1, y - 0.12, name, 0.42, "end", "text.muted"))
    ground = (Rect(0.0, 1.0, width, _HEIGHT, "floor"),)
    told = ", ".join(f"{name} {height:g}{unit}" for name, height, _ in bars)
    return Scene(width, _HEIGHT + 3.2, ground, tuple(shapes), caption, values, words=f"{caption}\n{told}")
