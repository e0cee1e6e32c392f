"""Playing a trace again: no agent is called; the recorded actions of all seats drive the world."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import MARK
from ludarium.envs.core.errors import ActionError, LudariumError, TraceError
from ludarium.envs.core.language import text_of
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.scene import Exchange, Movie, Scene
from ludarium.envs.core.simulator import Simulator
from ludarium.envs.core.trace import Trace

__all__ = ["Divergence", "Html", "Replay", "Replayer", "first_divergence", "movie", "playing", "replay"]

FLOAT_TOLERANCE = 1e-9
_FEW_SEATS = 8
"""Worlds with at most so many seats are shown in words too."""
_MOST_WORDS = 1 << 20
"""Characters."""
_ROWS = 32
"""Episodes that are replayed together: what is made anew for each batch is small beside them."""


class Divergence(NamedTuple):
    """Where a replay first differs from its trace."""

    step: int
    field: str
    recorded: Any
    replayed: Any

    def __str__(self) -> str:
        return f"step {self.step}: {self.field} recorded as {self.recorded}, replayed as {self.replayed}"


class Replay(NamedTuple):
    """What came of playing a trace again."""

    steps: int
    digest: str
    result: dict[str, Any]
    divergence: Divergence | None

    @property
    def ok(self) -> bool:
        """Whether the replay equals the trace."""
        return self.divergence is None


class Html(str):
    """Text that a notebook shows as HTML."""

    def _repr_html_(self) -> str:
        return str(self)


def _batch(trace: Trace, observation: bool, rows: int = 1) -> Batch:
    """A batch of the trace's world."""
    try:
        simulator = make_simulator(trace.id, **dict(trace.header["config"]))
        if not observation:
            simulator = simulator.without_observations()
    except LudariumError:
        raise
    except (TypeError, ValueError) as error:
        raise TraceError(f"the trace's config does not fit {trace.id}: {error}") from error
    return Batch(simulator, rows, trace.id, unseen=not observation)


def _begin(batch: Batch, traces: Sequence[Trace]) -> None:
    """Put the first rows of the batch at the beginning of the episodes of traces of one world and one slot."""
    headers = [trace.header for trace in traces]
    which = np.arange(batch.rows) < len(traces)
    batch.seed(which, [header["seed"] for header in headers])
    slot = headers[0].get("slot")
    given = {b: header["instance"] for b, header in enumerate(headers) if header.get("instance") is not None}
    batch.reset(which, given, -1 if slot is None else int(slot))
    for b, header in enumerate(headers):
        batch.seeds[b] = header["seed"]


def _check_begun(batch: Batch, trace: Trace, b: int) -> None:
    """`TraceError` if row b does not play the trace's instance, or the seats of its world are others."""
    header, simulator = trace.header, batch.simulator
    if header.get("instance_hash", "") != "":
        found = simulator.instance_hash(batch.state, b)
        if header["instance_hash"] != found:
            raise TraceError(f"the instance has hash {found}; the trace was made on {header['instance_hash']}")
    roles = [(role.name, role.count) for role in simulator.roles]
    if [(role["name"], role["count"]) for role in header["roles"]] != roles:
        raise TraceError(f"the trace's roles are {header['roles']}; this world's are {roles}")


def playing(trace: Trace, observation: bool = True) -> Iterator[Batch]:
    """The batch at the beginning and after every step of a replay."""
    batch = _batch(trace, observation)
    _begin(batch, [trace])
    _check_begun(batch, trace, 0)
    return _playing(batch, trace)


def _playing(batch: Batch, trace: Trace) -> Iterator[Batch]:
    yield batch
    for step in range(trace.steps):
        if batch.over[0]:
            raise TraceError(f"the episode is over after {step} steps; the trace has {trace.steps}")
        for r, actions in enumerate(trace.actions):
            if isinstance(actions, np.ndarray):
                target = batch.actions[r][0]
                if actions[step].shape != target.shape:
                    raise TraceError(f"actions of shape {actions[step].shape}; this world's have {target.shape}")
                if actions.dtype.kind == "f" and target.dtype.kind != "f":
                    raise TraceError(f"actions of type {actions.dtype}; this world's are {target.dtype}")
                target[...] = actions[step]
        try:
            for r, actions in enumerate(trace.actions):
                if not isinstance(actions, np.ndarray):
                    batch.put_recorded(r, actions[step], 0)
            batch.step()
        except ActionError as error:
            raise TraceError(f"the trace cannot be played at step {step}: {error}") from error
        yield batch


def replay(trace: Trace, on_step: Callable[[Batch], None] | None = None, observation: bool = False) -> Replay:
    """Play a trace again and compare digests, length and metrics; the first difference is named, not raised.

    `on_step` is called with the batch at the beginning and after each step. `TraceError` if the trace cannot be played.
    """
    if on_step is None and not observation:
        return Replayer().replay(trace)
    return _slowly(playing(trace, observation), trace, on_step)


def _slowly(batches: Iterator[Batch], trace: Trace, on_step: Callable[[Batch], None] | None) -> Replay:
    marks = dict(trace.digests)
    divergence = None
    batch = None
    for batch in batches:
        if on_step is not None:
            on_step(batch)
        divergence = divergence or _at_mark(batch, trace, marks)
    assert batch is not None
    return _ended(batch, trace, divergence)


def _counts(step: int, trace: Trace) -> bool:
    """Whether digests are compared at this step."""
    return step % MARK == 0 or step == trace.steps


def _at_mark(batch: Batch, trace: Trace, marks: dict[int, int]) -> Divergence | None:
    """The difference between the digest now and the trace's mark at this step, if it has one that must be there."""
    step = int(batch.t[0])
    if step in marks and _counts(step, trace):
        found = batch.digest()
        if found != marks[step]:
            return Divergence(step, "digest", f"{marks[step]:016x}", f"{found:016x}")
    return None


def _ended(
    batch: Batch, trace: Trace, divergence: Divergence | None, row: int = 0, result: dict[str, Any] | None = None
) -> Replay:
    result = batch.result(row) if result is None else result
    digest = f"{batch.digest(row):016x}"
    if divergence is None:
        if not trace.digests or trace.digests[-1][0] != trace.steps:
            divergence = Divergence(trace.steps, "digest", None, digest)
        else:
            divergence = _compare(trace, result)
    return Replay(int(batch.t[row]), digest, result, divergence)


class Replayer:
    """Plays many traces again in one thread, keeping the batches of the worlds that come again."""

    def __init__(self, worlds: int = 32) -> None:
        self._batches: dict[Any, Batch] = {}
        self._worlds = worlds

    def _batch(self, trace: Trace, rows: int) -> Batch:
        key = *_world(trace), rows
        if key not in self._batches:
            while len(self._batches) >= self._worlds:
                self._batches.pop(next(iter(self._batches)))
            self._batches[key] = _batch(trace, False, rows)
        return self._batches[key]

    def replay(self, trace: Trace) -> Replay:
        """As the function `replay`; worlds with a compiled way through recorded steps take it."""
        (found,) = self.replay_all([trace])
        if isinstance(found, LudariumError):
            raise found
        return found

    def replay_all(self, traces: Sequence[Trace]) -> list[Replay | LudariumError]:
        """The replay of each trace, or the error that it raises; episodes of one world are played as a batch."""
        found: dict[int, Replay | LudariumError] = {}
        alike: dict[Any, list[int]] = {}
        for n, trace in enumerate(traces):
            shapes = tuple((*a.shape[1:], a.dtype.str) if isinstance(a, np.ndarray) else () for a in trace.actions)
            if all(shapes):
                alike.setdefault((*_world(trace), shapes), []).append(n)
        for own in alike.values():
            for first in range(0, len(own), _ROWS):
                some = own[first : first + _ROWS]
                done = self._together([traces[n] for n in some], min(len(own), _ROWS))
                found |= dict(zip(some, done or (), strict=done is not None))
        return [found[n] if n in found else self._alone(trace) for n, trace in enumerate(traces)]

    def _alone(self, trace: Trace) -> Replay | LudariumError:
        try:
            batch = self._batch(trace, 1)
            _begin(batch, [trace])
            _check_begun(batch, trace, 0)
            return _slowly(_playing(batch, trace), trace, None)
        except LudariumError as error:
            return error
        except (ValueError, IndexError, TypeError, KeyError, OverflowError) as error:  # data that no check foresaw
            return TraceError(f"the trace cannot be played: {type(error).__name__}: {error}")

    def _together(self, traces: list[Trace], rows: int) -> list[Replay | LudariumError] | None:
        """Traces of one world in the rows of one batch; None if they cannot even begin so, or the world has no such way."""
        try:
            batch = self._batch(traces[0], rows)
            if type(batch.simulator).play_through is Simulator.play_through:
                return None
            _begin(batch, traces)
        except (LudariumError, ValueError, IndexError, TypeError, KeyError, OverflowError):
            return None  # one by one they tell whose fault it is
        lengths = np.zeros(rows, np.int32)
        lengths[: len(traces)] = [trace.steps for trace in traces]
        recorded = []
        for r, actions in enumerate(traces[0].actions):
            assert isinstance(actions, np.ndarray)
            padded = np.zeros((rows, int(lengths.max()), *actions.shape[1:]), actions.dtype)
            for b, trace in enumerate(traces):
                padded[b, : trace.steps] = trace.actions[r]
            recorded.append(padded)
        step, last = 0, int(lengths.max())
        while step < last:
            step = min(last, step + MARK)
            if not batch.simulator.play_through(
                batch.state, recorded, np.minimum(lengths, step), batch.actions, batch.out
            ):
                return None
            batch.mark()
        results = batch.results()
        return [_judged(batch, trace, b, results[b]) for b, trace in enumerate(traces)]


def _world(trace: Trace) -> tuple[str, str]:
    """What tells the world of a trace from others."""
    return trace.id, json.dumps([trace.header["config"], trace.header.get("slot")], sort_keys=True)


def _judged(batch: Batch, trace: Trace, b: int, result: dict[str, Any]) -> Replay | LudariumError:
    """What came of a trace that was played in row b, as far as it could be."""
    try:
        _check_begun(batch, trace, b)
    except LudariumError as error:
        return error
    marks = dict(trace.digests)
    divergence = None
    for step, digest in batch.marks[b]:
        if divergence is None and digest != marks.get(step, digest) and _counts(step, trace):
            divergence = Divergence(step, "digest", f"{marks[step]:016x}", f"{digest:016x}")
    if divergence is None and batch.t[b] < trace.steps:
        what = "the episode is over" if batch.over[b] else "an action is outside its space"
        return TraceError(f"the trace cannot be played at step {batch.t[b]} of {trace.steps}: {what}")
    if divergence is None and marks.get(trace.steps, -1) not in (-1, batch.digest(b)):
        divergence = Divergence(trace.steps, "digest", f"{marks[trace.steps]:016x}", f"{batch.digest(b):016x}")
    return _ended(batch, trace, divergence, b, result)


def _compare(trace: Trace, result: dict[str, Any]) -> Divergence | None:
    """The first figure of the result that differs: integers exactly, floats at 1e-9 relative."""
    recorded = trace.result
    for name in ("steps", "over"):
        if recorded.get(name) != result[name]:
            return Divergence(trace.steps, name, recorded.get(name), result[name])
    given = recorded.get("metrics", {})
    for name in sorted(set(given) | set(result["metrics"])):
        a, b = given.get(name), result["metrics"].get(name)
        close = isinstance(a, float) and isinstance(b, float) and abs(a - b) <= FLOAT_TOLERANCE * max(abs(a), abs(b))
        if a != b and not close and not (a != a and b != b):
            return Divergence(trace.steps, f"metrics.{name}", a, b)
    return None


def first_divergence(trace: Trace, other: Trace) -> Divergence | None:
    """Where two traces of the same episode first differ: header, actions, then digests and result."""
    for name in sorted(set(trace.header) | set(other.header)):
        if trace.header.get(name) != other.header.get(name):
            return Divergence(0, name, trace.header.get(name), other.header.get(name))
    for r, role in enumerate(trace.header["roles"]):
        for step in range(min(trace.steps, other.steps)):
            a, b = trace.actions[r][step], other.actions[r][step]
            if not np.array_equal(a, b):
                return Divergence(step, f"actions of {role['name']}", _short(a), _short(b))
    if trace.steps != other.steps:
        return Divergence(min(trace.steps, other.steps), "steps", trace.steps, other.steps)
    for (step, a), (_, b) in zip(trace.digests, other.digests, strict=False):
        if a != b:
            return Divergence(step, "digest", f"{a:016x}", f"{b:016x}")
    return _compare(trace, other.result) if other.result else None


def _short(value: Any) -> str:
    return repr(value.tolist() if hasattr(value, "tolist") else value)[:200]


def movie(trace: Trace, look: Callable[[Batch, Scene], None] | None = None) -> Movie:
    """The pictures of a whole episode, by playing it again, and its words where it has few seats.

    `look` is called with the batch and its scene at the beginning and after each step.
    """
    meta = {"environment": trace.id, "seed": trace.header["seed"], "steps": trace.steps, "digest": trace.digest}
    made = Movie(trace.id, (), meta=meta, metrics=trace.result.get("metrics", {}))

    def scenes() -> Iterator[Scene]:
        room = _MOST_WORDS
        for batch in playing(trace, observation=False):
            scene = _pictured(batch)
            if look is not None:
                look(batch, scene)
            if len(batch.simulator.seats) <= _FEW_SEATS and room > 0:
                now = _exchanges(batch, trace)
                room -= sum(len(exchange.told) + len(exchange.did) for exchange in now)
                made.words += now
                if room <= 0:
                    made.meta["words"] = f"only those up to step {int(batch.t[0])}: there are too many for a page"
            yield scene

    made.scenes = scenes()
    return made


def _pictured(batch: Batch) -> Scene:
    """The scene of a batch of one; an empty one where the world has no picture."""
    if "picture" in batch.simulator.views:
        return batch.simulator.scene(batch.state, 0)
    return Scene(1.0, 1.0, caption=f"Step {int(batch.t[0])}")


def _exchanges(batch: Batch, trace: Trace) -> list[Exchange]:
    """What the seats that act now are told, and what they do next; at the end, what all are told."""
    simulator, state, step = batch.simulator, batch.state, int(batch.t[0])
    if step >= trace.steps:
        return [Exchange(step, who, simulator.describe(state, 0, seat)) for seat, who in enumerate(simulator.seats)]
    asked = np.zeros((1, len(simulator.seats)), np.int8)
    simulator.asked(state, asked)
    found = []
    for seat in np.flatnonzero(asked[0]):
        role = int(np.searchsorted(simulator.offsets, seat, side="right")) - 1
        action = trace.actions[role][step][seat - simulator.offsets[role]]
        did = action if isinstance(action, str) else text_of(simulator, state, 0, int(seat), action)
        found.append(Exchange(step, simulator.seats[seat], simulator.describe(state, 0, int(seat)), did))
    return found
