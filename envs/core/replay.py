"""Playing a trace again: no agent is called; the recorded actions of all seats drive the world."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import MARK
from ludarium.envs.core.errors import ActionError, LudariumError, TraceError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.scene import Movie, Scene
from ludarium.envs.core.trace import Trace

__all__ = ["Divergence", "Html", "Replay", "Replayer", "first_divergence", "movie", "playing", "replay"]

FLOAT_TOLERANCE = 1e-9


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


def _batch(trace: Trace, observation: bool) -> Batch:
    """A batch of one row of the trace's world."""
    try:
        simulator = make_simulator(trace.id, **dict(trace.header["config"]))
        if not observation:
            simulator = simulator.without_observations()
    except LudariumError:
        raise
    except (TypeError, ValueError) as error:
        raise TraceError(f"the trace's config does not fit {trace.id}: {error}") from error
    return Batch(simulator, 1, trace.id)


def _begin(batch: Batch, trace: Trace) -> Batch:
    """The batch at the beginning of the trace's episode."""
    header, simulator = trace.header, batch.simulator
    one = np.ones(1, np.bool_)
    batch.seed(one, [header["seed"]])
    slot = header.get("slot")
    instance = header.get("instance")
    batch.reset(one, None if instance is None else {0: instance}, -1 if slot is None else int(slot))
    batch.seeds[0] = header["seed"]
    found = simulator.instance_hash(batch.state, 0)
    if header.get("instance_hash", "") not in ("", found):
        raise TraceError(f"the instance has hash {found}; the trace was made on {header['instance_hash']}")
    roles = [(role.name, role.count) for role in simulator.roles]
    if [(role["name"], role["count"]) for role in header["roles"]] != roles:
        raise TraceError(f"the trace's roles are {header['roles']}; this world's are {roles}")
    return batch


def playing(trace: Trace, observation: bool = True) -> Iterator[Batch]:
    """The batch at the beginning and after every step of a replay."""
    return _playing(_begin(_batch(trace, observation), trace), trace)


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
            else:
                batch.put(r, actions[step], 0)
        try:
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


def _at_mark(batch: Batch, trace: Trace, marks: dict[int, int]) -> Divergence | None:
    """The difference between the digest now and the trace's mark at this step, if it has one that must be there."""
    step = int(batch.t[0])
    if step in marks and (step % MARK == 0 or step == trace.steps):
        found = batch.digest()
        if found != marks[step]:
            return Divergence(step, "digest", f"{marks[step]:016x}", f"{found:016x}")
    return None


def _ended(batch: Batch, trace: Trace, divergence: Divergence | None) -> Replay:
    result = batch.result()
    if divergence is None:
        if not trace.digests or trace.digests[-1][0] != trace.steps:
            divergence = Divergence(trace.steps, "digest", None, f"{batch.digest():016x}")
        else:
            divergence = _compare(trace, result)
    return Replay(trace.steps, f"{batch.digest():016x}", result, divergence)


class Replayer:
    """Plays many traces again in one thread, keeping the batches of the worlds that come again."""

    def __init__(self, worlds: int = 32) -> None:
        self._batches: dict[str, Batch] = {}
        self._worlds = worlds

    def _batch(self, trace: Trace) -> Batch:
        key = json.dumps([trace.id, trace.header["config"]], sort_keys=True)
        if key not in self._batches:
            while len(self._batches) >= self._worlds:
                self._batches.pop(next(iter(self._batches)))
            self._batches[key] = _batch(trace, observation=False)
        return self._batches[key]

    def replay(self, trace: Trace) -> Replay:
        """As the function `replay`; worlds with a compiled way through recorded steps take it, mark by mark."""
        batch = _begin(self._batch(trace), trace)
        marks = dict(trace.digests)
        divergence, step = _at_mark(batch, trace, marks), 0
        while step < trace.steps:
            upto = min(trace.steps, (step // MARK + 1) * MARK)
            played = self._through(batch, trace, step, upto)
            if played is None:
                return _slowly(_playing(batch, trace), trace, None)
            step += played
            if batch.over[0] or step % MARK == 0:
                batch.mark()
            if step < upto:
                what = "the episode is over" if batch.over[0] else "an action is outside its space"
                raise TraceError(f"the trace cannot be played at step {step} of {trace.steps}: {what}")
            divergence = divergence or _at_mark(batch, trace, marks)
        return _ended(batch, trace, divergence)

    def _through(self, batch: Batch, trace: Trace, first: int, last: int) -> int | None:
        if not all(isinstance(actions, np.ndarray) for actions in trace.actions):
            return None
        return batch.simulator.play_through(batch.state, trace.actions, first, last, batch.actions, batch.out)


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


def movie(trace: Trace) -> Movie:
    """The pictures of a whole episode, by playing it again."""

    def scenes() -> Iterator[Scene]:
        for batch in playing(trace, observation=False):
            yield batch.simulator.scene(batch.state, 0)

    metrics = trace.result.get("metrics", {})
    meta = {
        "environment": trace.id,
        "seed": trace.header["seed"],
        "steps": trace.steps,
        "digest": trace.digest,
    }
    return Movie(trace.id, scenes(), meta=meta, metrics=metrics)
