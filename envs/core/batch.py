"""A batch of episodes being played: buffers, action checks, recording, digests, snapshots. Every adapter drives one."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.buffers import DUE, MARK, canonical, is_numeric, make_buffer, narrowest
from ludarium.envs.core.compile import kernel_hash
from ludarium.envs.core.errors import (
    ActionError,
    ConfigError,
    IllegalActionError,
    InstanceError,
    LudariumError,
)
from ludarium.envs.core.seeding import episode_seeds
from ludarium.envs.core.simulator import Buffers, Out, Role, Simulator, Turner, every_seat
from ludarium.envs.core.trace import Trace

__all__ = ["MAX_SEED", "Batch"]

MAX_SEED = 2**63 - 1


def _data(instance: Any) -> Any:
    """An instance as plain JSON values."""
    return instance.as_data() if hasattr(instance, "as_data") else instance


def _base(space: spaces.Space[Any]) -> int:
    """Actions of a space are below this number, 0 where it is not so: traces pack small ones into a byte."""
    if not isinstance(space, spaces.Discrete) or int(space.start) < 0:
        return 0
    return int(space.start) + int(space.n)


class Batch:
    """`rows` episodes of one simulator, stepped together.

    `world` is the registered id (for traces). With `record`, the actions of every row are kept until its next reset.
    Under `unseen` nobody looks after a reset: observations, masks and summary are there from the first `step` on.
    """

    def __init__(
        self,
        simulator: Simulator,
        rows: int,
        world: str,
        *,
        record: bool = True,
        illegal: str = "count",
        unseen: bool = False,
    ) -> None:
        if illegal not in ("count", "raise"):
            raise ConfigError(f"illegal = {illegal!r}; expected 'count' (a counted no-op) or 'raise'")
        self.simulator, self.rows, self.world, self.record, self.illegal = (
            simulator,
            rows,
            world,
            record,
            illegal,
        )
        self.unseen = unseen
        seats = len(simulator.seats)
        self.state = simulator.new(rows)
        self.out = Out(
            np.zeros((rows, seats)), np.zeros((rows, seats), np.bool_),
            np.zeros(rows, np.bool_), np.zeros((rows, seats), np.int16),
        )  # fmt: skip
        self.actions = tuple(make_buffer(r.action_space, rows, r.count, wide=True) for r in simulator.roles)
        self.observed = tuple(make_buffer(r.observation_space, rows, r.count) for r in simulator.roles)
        self.masks = tuple(self._new_mask(role) for role in simulator.roles)
        self.every = every_seat(simulator.roles, rows)
        self.t, self.over, self.live = simulator.flags(self.state)
        self._all_act = simulator.turns == "all" and isinstance(self.live, np.ndarray)
        self.asked = self.live.view(np.int8) if self._all_act else np.zeros((rows, seats), np.int8)
        self.chain = np.zeros(rows, np.uint64)
        self.base = np.zeros(rows, np.int64)
        self.episode = np.full(rows, -1, np.int64)
        self.seeds = np.zeros(rows, np.int64)
        self.marks: list[list[tuple[int, int]]] = [[] for _ in range(rows)]
        self._marked = np.full(rows, -1, np.int64)
        self.events: list[list[dict[str, Any]]] = [[] for _ in range(rows)]
        self.instances: list[Any] = [None] * rows
        self._logs: list[Any] = [self._new_log(r) for r in range(len(simulator.roles))]
        self._names: dict[tuple[int, int], list[Any]] = {}
        self._slots = np.full(rows, -1, np.int32)
        self.bound: Turner | None = None
        self._whole = simulator.whole_turns
        self.simple = self._whole and self._all_act and illegal == "count"
        self.summary = np.zeros((rows, 3))

    def _new_mask(self, role: Role) -> NDArray[np.int8] | None:
        space, count = role.action_space, 0
        if isinstance(space, spaces.Discrete):
            count = int(space.n)
        elif isinstance(space, spaces.MultiDiscrete) and role.name in self.simulator.masked_choices:
            count = int(space.nvec.sum())
        return np.ones((self.rows, role.count, count), np.int8) if count and self.simulator.masked else None

    # --- reset -----------------------------------------------------------------------------------------------------
    def seed(self, which: NDArray[np.bool_], seeds: Sequence[int]) -> None:
        """Give the rows in `which` new base seeds, so that their next episode is their first."""
        for b, seed in zip(np.flatnonzero(which), seeds, strict=True):
            if not 0 <= int(seed) <= MAX_SEED:
                raise ConfigError(f"seed = {seed}; expected 0..2**63 - 1")
            self.base[b], self.episode[b] = int(seed), -1

    def reset(self, which: NDArray[np.bool_], instances: dict[int, Any] | None = None, slot: int = -1) -> None:
        """Begin the next episode of each row in `which`: its seed follows from the row's base seed and its count."""
        simulator = self.simulator
        slots = np.full(self.rows, slot, np.int32)
        rows = np.flatnonzero(which)
        self.episode[rows] += 1
        self.seeds[rows] = episode_seeds(self.base[rows], self.episode[rows])
        drawn, given = simulator.instances_in_python and slot == -1, instances or {}
        for b in rows.tolist():
            self.marks[b], self.events[b] = [], []
            instance = self.instances[b] = given.get(b)
            if instance is None and drawn:
                instance = simulator.instance(int(self.seeds[b]))
            if instance is not None:
                simulator.load(self.state, b, instance)
                slots[b] = -2
        simulator.reset(self.state, which, self.seeds, slots)
        self._slots[which] = slots[which]
        for array in self.out:
            array[which] = 0
        self.chain[which] = 0
        self._mark(which)
        self._refresh(which)

    def turner(self) -> Turner:
        """What steps this batch; `bound` is None until it is made, and again where a buffer was replaced."""
        if self.bound is None:
            io = Buffers(self.actions, self.out, self.observed, self.masks, self.summary, tuple(self._logs))
            self.bound = self.simulator.turner(self.state, io)
        return self.bound

    def _refresh(self, which: NDArray[np.bool_]) -> None:
        """Bring who is asked, the summary, observations and masks of the rows in `which` up to date."""
        if not self._all_act:
            self.simulator.asked(self.state, self.asked)
        if not self.unseen:
            self.turner().look(tuple(np.where(which[:, None], every, np.int32(-1)) for every in self.every))

    def put_recorded(self, role: int, actions: list[Any], row: int) -> None:
        """Put what a log holds of a role's actions into its buffer; `ActionError` if it cannot be."""
        if self.simulator.named_actions and not isinstance(self.actions[role], list):
            actions = self.simulator.numbered(self.state, row, role, actions)
        self.put(role, actions, row)

    # --- step ------------------------------------------------------------------------------------------------------
    def put(self, role: int, actions: Any, row: int | None = None) -> None:
        """Copy a role's actions into its buffer (`row` None: of all rows); `ActionError` if they cannot be."""
        buffer = self.actions[role]
        given: Any = actions
        if isinstance(buffer, list):
            if row is None:
                for b in range(self.rows):
                    buffer[b] = list(given[b])
            else:
                buffer[row] = list(given)
            return
        target = buffer if row is None else buffer[row]
        if type(given) is np.ndarray and given.dtype == target.dtype and given.shape == target.shape:
            target[...] = given
            return
        if not isinstance(given, np.ndarray):
            try:
                given = np.asarray(given)
            except ValueError as error:
                raise ActionError(f"actions of shape {target.shape} expected; got {actions!r:.200}") from error
        if given.dtype.kind not in ("iu" if target.dtype.kind in "iu" else "iuf"):
            raise ActionError(f"{target.dtype} actions expected; got {given.dtype}: {actions!r:.200}")
        if given.shape != target.shape:
            raise ActionError(f"actions of shape {target.shape} expected; got shape {given.shape}: {actions!r:.200}")
        target[...] = given

    def step(self) -> None:
        """Check the actions in the buffers, then advance all rows that are not over, observe and record."""
        if self.simple:
            found = (self.bound or self.turner()).step()
            if found != -1:
                self.attend(found)
            return
        self._check()
        if self.illegal == "raise":
            self._raise_illegal()
        stepped = ~self.over
        self._names = self._named(stepped)
        self.attend((self.bound or self.turner()).step())
        if not self._all_act:
            self.simulator.asked(self.state, self.asked)
        if self.record and not self._whole:
            self._log(stepped)
            self._mark_due()

    def attend(self, found: int) -> None:
        """See to what a whole turn found: an action out of range, or digests that are due."""
        if found >= 0:
            self._outside(0, *divmod(found, self.simulator.roles[0].count))
        if found == DUE and self.record:
            self._mark_due()

    def _mark_due(self) -> None:
        """Digest the rows that have come to a mark or to their end, and make room for what follows."""
        self.mark()
        if self._whole and not self.over.all() and self._logs[0].shape[1] <= int(self.t.max()):
            self._grow(0)

    def _check(self) -> None:
        for r, role in enumerate(self.simulator.roles):
            space, first = role.action_space, self.simulator.offsets[r]
            if isinstance(space, spaces.Discrete):
                low = int(space.start)
                bad = canonical(self.actions[r], self.asked, first, low, low + int(space.n) - 1)
                if bad >= 0:
                    self._outside(r, *divmod(int(bad), role.count))
                continue
            if isinstance(space, spaces.MultiDiscrete) and space.nvec.ndim == 1:
                self._check_many(r, space, first)
                continue
            for b in range(self.rows):
                for i in range(role.count):
                    self._check_one(r, b, i, space, first)

    def _check_many(self, r: int, space: spaces.MultiDiscrete, first: int) -> None:
        """What `canonical` does, for actions of several numbers."""
        buffer = self.actions[r]
        here = self.asked[:, first : first + buffer.shape[1]] != 0
        wrong = ((buffer < space.start) | (buffer >= space.start + space.nvec)).any(2) & here
        if wrong.any():
            b, i = np.argwhere(wrong)[0]
            self._outside(r, int(b), int(i))
        buffer[~here] = space.start

    def _check_one(self, r: int, b: int, i: int, space: spaces.Space[Any], first: int) -> None:
        buffer = self.actions[r]
        if not self.asked[b, first + i]:
            buffer[b][i] = getattr(space, "start", 0) if is_numeric(space) else None
        elif not self._inside(buffer[b][i], space):
            self._outside(r, b, i)

    @staticmethod
    def _inside(action: Any, space: spaces.Space[Any]) -> bool:
        """Whether an action (an int64 array of the buffer, or a value) is in its space."""
        if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
            return bool(space.contains(action))
        low = np.asarray(getattr(space, "start", 0))
        if isinstance(space, spaces.Discrete):
            count = np.asarray(space.n)
        else:
            count = np.asarray(space.nvec) if isinstance(space, spaces.MultiDiscrete) else np.asarray(2)
        return bool(((action >= low) & (action < low + count)).all())

    def check_seat(self, seat: int, row: int = 0) -> None:
        """Raise `ActionError` if the action in the buffer of a seat that is asked is outside its space."""
        offsets = self.simulator.offsets
        r = int(np.searchsorted(offsets, seat, side="right")) - 1
        if self.asked[row, seat]:
            self._check_one(r, row, seat - offsets[r], self.simulator.roles[r].action_space, offsets[r])

    def _outside(self, r: int, b: int, i: int) -> None:
        role, action = self.simulator.roles[r], self.actions[r][b][i]
        row = f" in row {b}" if self.rows > 1 else ""
        given = action.tolist() if hasattr(action, "tolist") else action
        raise ActionError(
            f"{role.name}_{i}{row}: action {given!r:.200} is outside the space; expected {role.action_space}"
        )

    def _raise_illegal(self) -> None:
        fault = np.zeros_like(self.out.fault)
        self.simulator.check(self.state, self.actions, fault)
        for b, s in np.argwhere((fault != 0) & (self.asked != 0)):
            r = int(np.searchsorted(self.simulator.offsets, s, side="right")) - 1
            action = self.actions[r][b][s - self.simulator.offsets[r]]
            raise IllegalActionError(self.simulator.explain(self.state, int(b), int(s), action, int(fault[b, s])))

    # --- recording -------------------------------------------------------------------------------------------------
    def _new_log(self, r: int) -> Any:
        role = self.simulator.roles[r]
        if not is_numeric(role.action_space) or self.simulator.named_actions:
            return [[] for _ in range(self.rows)]
        steps = min(self.simulator.config.max_steps, MARK) if self.record else 0
        shape = role.action_space.shape or ()
        return np.zeros((self.rows, steps, role.count, *shape), narrowest(role.action_space))

    def _log(self, stepped: NDArray[np.bool_]) -> None:
        """Keep the actions of the rows that took the step just made."""
        for r, log in enumerate(self._logs):
            if isinstance(log, list):
                for b in np.flatnonzero(stepped):
                    del log[b][int(self.t[b]) - 1 :]
                    log[b].append(self._names.get((r, int(b))) or list(self.actions[r][b]))
                continue
            need = int(self.t.max())
            if need > log.shape[1]:
                log = self._grow(r)
            rows = np.flatnonzero(stepped)
            log[rows, self.t[rows] - 1] = self.actions[r][rows]

    def _named(self, stepped: NDArray[np.bool_]) -> dict[tuple[int, int], list[Any]]:
        """What is to be kept of actions whose numbers mean nothing by themselves, while it can still be told."""
        simulator = self.simulator
        if not (self.record and simulator.named_actions):
            return {}
        rows, roles = np.flatnonzero(stepped), range(len(simulator.roles))
        return {(r, int(b)): simulator.named(self.state, int(b), r, self.actions[r][b]) for r in roles for b in rows}

    def mark(self) -> None:
        """Note the digests that are due now; steps that were played past `step` need it where `step` would mark."""
        due = (self.over | (self.t % MARK == 0)) & (self.t != self._marked)
        if due.any():
            self._mark(due)

    def _grow(self, r: int) -> NDArray[Any]:
        """Double the room for a role's actions."""
        log = self._logs[r]
        room = np.zeros((self.rows, max(MARK, log.shape[1]), *log.shape[2:]), log.dtype)
        self._logs[r] = np.concatenate([log, room], axis=1)
        self.bound = None  # whose kernels hold the log that was
        return self._logs[r]

    def _mark(self, which: NDArray[np.bool_]) -> None:
        if not self.record:
            return
        self.simulator.digest(self.state, self.out, which, self.chain)
        self._marked[which] = self.t[which]
        for b in np.flatnonzero(which):
            self.marks[b].append((int(self.t[b]), int(self.chain[b])))

    def digest(self, row: int = 0) -> int:
        """The digest of a row now; at a mark it is the mark's, in between it is a look that leaves no trace."""
        if not self.record:
            raise LudariumError("this batch does not record; make it with record=True to have digests and traces")
        if self.marks[row] and self.marks[row][-1][0] == self.t[row]:
            return self.marks[row][-1][1]
        chain = self.chain.copy()
        which = np.zeros(self.rows, np.bool_)
        which[row] = True
        self.simulator.digest(self.state, self.out, which, chain)
        return int(chain[row])

    def trace(self, row: int = 0) -> Trace:
        """The episode of a row so far, as data."""
        steps = int(self.t[row])
        now = self.digest(row)
        marks = list(self.marks[row])
        if not marks or marks[-1][0] != steps:
            marks.append((steps, now))
        simulator = self.simulator
        actions = [
            [list(step) for step in log[row][:steps]] if isinstance(log, list) else log[row, :steps].copy()
            for log in self._logs
        ]
        header = {
            "id": self.world,
            "config": simulator.config.as_dict(),
            "seed": int(self.seeds[row]),
            "slot": int(self._slots[row]) if self._slots[row] >= 0 else None,
            "instance": _data(self.instances[row]),
            "instance_hash": simulator.instance_hash(self.state, row),
            "roles": self.recorded_roles(),
            "kernels": kernel_hash(type(simulator).__module__),
        }
        return Trace(header, actions, marks, list(self.events[row]), self.result(row))

    def recorded_roles(self) -> list[dict[str, Any]]:
        """The roles as the header of a trace has them: name, seats, and type and base of the actions."""
        roles = []
        for role, log in zip(self.simulator.roles, self._logs, strict=True):
            kind = log.dtype.str if isinstance(log, np.ndarray) else "json"
            roles.append({"name": role.name, "count": role.count, "type": kind, "base": _base(role.action_space)})
        return roles

    def result(self, row: int = 0) -> dict[str, Any]:
        """Length, ends and metrics of a row, as plain JSON values."""
        metrics = self.simulator.summary(self.state, row)
        return {"steps": int(self.t[row]), "over": bool(self.over[row]), "metrics": metrics}

    def results(self) -> list[dict[str, Any]]:
        """The `result` of every row."""
        metrics = self.simulator.summaries(self.state)
        return [
            {"steps": int(t), "over": bool(o), "metrics": m} for t, o, m in zip(self.t, self.over, metrics, strict=True)
        ]

    # --- snapshots -------------------------------------------------------------------------------------------------
    def snapshot(self) -> dict[str, Any]:
        """Everything needed to go on from here, base seeds and episode numbers included."""
        return {
            "of": (self.world, self.simulator.config, self.rows),
            "state": self.simulator.snapshot(self.state),
            "out": tuple(array.copy() for array in self.out),
            "arrays": tuple(a.copy() for a in (self.chain, self.base, self.episode, self.seeds, self._slots)),
            "marks": [list(marks) for marks in self.marks],
            "events": [list(events) for events in self.events],
            "instances": list(self.instances),
            "logs": [[list(steps) for steps in log] if isinstance(log, list) else log.copy() for log in self._logs],
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot of a batch of the same world, config and size; the trace is cut back with it."""
        if snapshot["of"] != (self.world, self.simulator.config, self.rows):
            raise InstanceError("the snapshot is of another world, config or number of rows")
        self.simulator.restore(self.state, snapshot["state"])
        reported: tuple[Any, ...] = self.out
        for array, saved in zip(reported, snapshot["out"], strict=True):
            array[...] = saved
        self._slots = snapshot["arrays"][4].copy()
        for array, saved in zip((self.chain, self.base, self.episode, self.seeds), snapshot["arrays"][:4], strict=True):
            array[...] = saved
        self.marks = [list(marks) for marks in snapshot["marks"]]
        self.events = [list(events) for events in snapshot["events"]]
        self.instances = list(snapshot["instances"])
        logs = snapshot["logs"]
        self._logs = [[list(steps) for steps in log] if isinstance(log, list) else log.copy() for log in logs]
        self.bound = None
        self._marked[:] = [marks[-1][0] if marks else -1 for marks in self.marks]
        self._refresh(self.episode >= 0)

    def put_all(self, actions: tuple[Any, ...]) -> None:
        """Copy all action buffers from others of the same layout, as they stand."""
        for buffer, given in zip(self.actions, actions, strict=True):
            if isinstance(buffer, dict):
                for name, part in buffer.items():
                    part[...] = given[name]
            else:
                buffer[:] = copy.deepcopy(given)

    def __reduce__(self) -> Any:
        """Pickles and copies hold the snapshot; buffers and bindings are made anew around it."""
        arguments = (self.simulator, self.rows, self.world, self.record, self.illegal)
        return _revived, (*arguments, self.snapshot(), tuple(copy.deepcopy(self.actions)))


def _revived(
    simulator: Simulator, rows: int, world: str, record: bool, illegal: str, snapshot: Any, actions: Any
) -> Batch:
    batch = Batch(simulator, rows, world, record=record, illegal=illegal)
    batch.restore(snapshot)
    batch.put_all(actions)
    return batch
