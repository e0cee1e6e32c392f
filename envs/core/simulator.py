"""The simulator contract: what a family implements, and all that the core needs from it.

A simulator holds nothing that changes during an episode; it advances batches of episodes whose state the caller owns.
Two kinds keep the contract: `ArraySimulator` (compiled kernels over a named tuple of arrays) and `ObjectSimulator`
(one Python object an episode, looped over by the base class).
"""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ludarium.envs.core.buffers import row_sums
from ludarium.envs.core.config import Config
from ludarium.envs.core.errors import NotClaimedError
from ludarium.envs.core.scene import Scene
from ludarium.envs.core.state import Field, Layout, allocate, block, digest_rows, layout

if TYPE_CHECKING:
    from ludarium.envs.core.laws.relations import Relation
    from ludarium.envs.core.trace import Trace

__all__ = [
    "ArraySimulator",
    "Buffers",
    "Choice",
    "ObjectSimulator",
    "Out",
    "Role",
    "Simulator",
    "Turner",
    "every_seat",
    "seat_names",
]


class Role(NamedTuple):
    """Seats with equal spaces; seat ids are `f"{name}_{i}"`."""

    name: str
    count: int  # type: ignore[assignment]  # the field's word, though tuples have a method of this name
    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]
    members: int = 0
    decisions: tuple[str, ...] = ("act",)


class Out(NamedTuple):
    """What a step reports, owned by the caller; every cell of a row that is not over is written by `step`."""

    reward: NDArray[np.float64]
    """float64[B, S]"""
    terminated: NDArray[np.bool_]
    """bool[B, S], latched until reset"""
    truncated: NDArray[np.bool_]
    """bool[B]"""
    fault: NDArray[np.int16]
    """int16[B, S]: 0, or a code of the family's faults"""


class Buffers(NamedTuple):
    """All that a batch owns and its simulator writes or reads, one item a role where it says so."""

    actions: tuple[Any, ...]
    """by role: int64 or float arrays `[B, count, ...]`, or nested lists"""
    out: Out
    observed: tuple[Any, ...]
    """by role: arrays `[B, count, ...]`, dicts of them, or nested lists"""
    masks: tuple[NDArray[np.int8] | None, ...]
    """by role: int8[B, count, actions], or None; for actions of several numbers, those of each one after the other"""
    summary: NDArray[np.float64]
    """float64[B, 3]: the sum of the seats' rewards from left to right, over, truncated"""
    logs: tuple[Any, ...]
    """by role: the actions of each step, `[B, T, count, ...]` in the narrowest type, or lists; T = 0: not recorded"""


class Turner(NamedTuple):
    """Turns of a state, bound to its buffers."""

    step: Callable[[], int]
    """advance, then look at all seats"""
    look: Callable[[tuple[NDArray[np.int32], ...]], object]
    """observe and mask the seats `int32[B, count]` of each role (-1: skip), and write the summary"""


def every_seat(roles: tuple[Role, ...], rows: int) -> tuple[NDArray[np.int32], ...]:
    """The seats of each role in each row, `int32[rows, count]`."""
    return tuple(np.tile(np.arange(role.count, dtype=np.int32), (rows, 1)) for role in roles)


class Choice(NamedTuple):
    """One legal choice of a seat, in words: what `menu` lists."""

    action: Any
    text: str
    verb: str
    arguments: dict[str, Any]


def seat_names(roles: tuple[Role, ...]) -> tuple[str, ...]:
    """The ids of all seats, role by role."""
    return tuple(f"{role.name}_{i}" for role in roles for i in range(role.count))


class Simulator(ABC):
    """Advances a batch of episodes of one config; knows nothing of Gymnasium or PettingZoo."""

    config: Config
    roles: tuple[Role, ...]
    turns: ClassVar[str] = "all"
    """Who acts in a step: `all` seats that live, `one` seat, or `some` of them."""
    faults: ClassVar[tuple[str, ...]] = ("none",)
    """The names of the fault codes, by number."""
    masked_faults: ClassVar[tuple[str, ...] | None] = None
    """The faults that no action has which the mask allows, whatever the other seats do; None: all of them."""
    costs: ClassVar[tuple[str, ...]] = ()
    """Metrics that are better when lower: their `bounds` are lower bounds, of episodes with `csr` or `success` 1."""
    views: ClassVar[tuple[str, ...]] = ("array", "text", "tools", "state", "picture")
    """The views that this world can honestly give."""
    others: ClassVar[dict[str, str]] = {}
    """Roles that belong to the task (a simulated user): role -> the agent that fills its seats unless others are named.

    Whoever is measured fills the seats of the other roles.
    """
    reproducible: ClassVar[bool] = True
    """False if it talks to something that is not a pure function of its inputs; no verified board takes it then."""
    masked: bool = True
    """False if the config asks for no action masks."""
    masked_choices: tuple[str, ...] = ()
    """Roles whose actions of several numbers have masks too: what each number may be, one number after the other."""
    named_actions: bool = False
    """True if the numbers of actions are places in a list that changes: traces then hold what they mean (`named`)."""
    whole_turns: bool = False
    """True if the function that `turner` makes also checks the range of actions and keeps them in the logs."""
    instances_in_python: bool = False
    """True if a reset by seed needs `instance(seed)` and `load` first, for worlds whose kernels cannot draw it."""

    @functools.cached_property
    def seats(self) -> tuple[str, ...]:
        """The ids of all seats."""
        return seat_names(self.roles)

    @functools.cached_property
    def offsets(self) -> tuple[int, ...]:
        """The number of the first seat of each role, and of all seats at the end."""
        return tuple(np.cumsum([0, *(role.count for role in self.roles)]).tolist())

    @abstractmethod
    def new(self, rows: int) -> Any:
        """Allocate a state of `rows` episodes, all over until they are reset."""

    def named(self, state: Any, row: int, role: int, actions: Any) -> list[Any]:
        """What a role's actions mean now, as JSON values, seat by seat; for worlds with `named_actions`."""
        raise NotClaimedError(f"{type(self).__name__} does not name its actions")

    def numbered(self, state: Any, row: int, role: int, named: list[Any]) -> list[Any]:
        """The actions that `named` gave these meanings, in the state as it is now; `ActionError` if there is none."""
        raise NotClaimedError(f"{type(self).__name__} does not name its actions")

    def instance(self, seed: int) -> Any:
        """The instance that this seed draws, as a datum; for worlds whose instances can be named or stored."""
        raise NotClaimedError(f"{type(self).__name__} has no instances apart from its seeds")

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Put an instance into a row, to be taken by the next reset of that row with slot -2."""
        raise NotClaimedError(f"{type(self).__name__} takes no instances; choose an episode by its seed")

    def instance_hash(self, state: Any, row: int) -> str:
        """A BLAKE2b digest (32 hex digits) of the instance that the row is playing; empty if the seed says all."""
        return ""

    @abstractmethod
    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin new episodes in the rows of `which`, in place.

        Slot -1: the instance follows from the seed; -2: it was loaded; others: that slot of the config's own pool.
        """

    @abstractmethod
    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Advance all rows that are not over by one step; actions come one item a role."""

    @abstractmethod
    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Write what the listed seats (`int32[B, n]`, -1: skip) of a role see into the caller's buffers."""

    def without_observations(self) -> Simulator:
        """A simulator of the same episodes and digests that looks at nothing, if the family has one: replays are faster."""
        return self

    def play_through(
        self, state: Any, recorded: list[Any], stop: NDArray[np.int32], actions: tuple[Any, ...], out: Out
    ) -> bool:
        """Play each row from its step t to `stop[row]` (int32[B]) by what was recorded, if the family has a compiled way.

        `recorded` holds one array `[B, T, seats, ...]` a role. A row stops early, and stays at its t, if its episode ended
        or an action is none. False where there is no such way. It must equal as many calls of `step`.
        """
        return False

    def check(self, state: Any, actions: tuple[Any, ...], fault: NDArray[np.int16]) -> None:
        """Find the faults that `step` would find for these actions (`fault` int16[B, S]), changing nothing."""
        raise NotClaimedError(f"{type(self).__name__} cannot check actions before it takes them")

    def action_mask(self, state: Any, role: int, seats: NDArray[np.int32], out: NDArray[np.int8]) -> None:
        """Write int8 masks of the listed seats (`[B, n, actions]`); by default all actions are allowed."""
        out[...] = 1

    @abstractmethod
    def metrics(self, state: Any) -> dict[str, NDArray[Any]]:
        """The episode's figures so far, one array `[B]` a name, under the field's names."""

    def summary(self, state: Any, row: int) -> dict[str, Any]:
        """The metrics of one row as plain numbers, with those that are too dear for every step of a batch."""
        return {name: values[row].item() for name, values in self.metrics(state).items()}

    def summaries(self, state: Any) -> list[dict[str, Any]]:
        """The `summary` of every row."""
        rows = range(len(self.flags(state)[0]))
        if type(self).summary is not Simulator.summary:
            return [self.summary(state, row) for row in rows]
        named = {name: values.tolist() for name, values in self.metrics(state).items()}
        return [{name: values[row] for name, values in named.items()} for row in rows]

    def bounds(self, state: Any, row: int) -> dict[str, float]:
        """What no play of this instance can pass, by the name of the metric it bounds: sought once an episode, and slowly."""
        return {}

    def review(self, trace: Trace) -> dict[str, float]:
        """Figures of an episode that need each of its steps again: found by playing the trace, for the rows of runs."""
        return {}

    def invariants(self, state: Any) -> dict[str, NDArray[np.bool_]]:
        """What must always hold, one array `bool[B]` a sentence."""
        return {}

    def relations(self) -> tuple[Relation, ...]:
        """Relations between an episode and its twins (a mirrored map, relabelled seats) that the rules promise.

        Their episodes and outcomes are those of the parallel form; see `ludarium.envs.core.laws.relations`.
        """
        return ()

    def extras(self, state: Any) -> dict[str, NDArray[Any]]:
        """Further arrays `[B, ...]` for `info`: fields of the state, or views of them, which live as long as it does."""
        return {}

    def full(self, state: Any, row: int, information: str = "full") -> Any:
        """The `state` view: all (or, under "global", all but what the future holds) that a planner may know."""
        raise NotClaimedError(f"{type(self).__name__} does not offer the view 'state'")

    def describe(self, state: Any, row: int, seat: int) -> str:
        """The situation of a seat in words."""
        raise NotClaimedError(f"{type(self).__name__} does not offer the view 'text'")

    def menu(self, state: Any, row: int, seat: int) -> list[Choice] | None:
        """The legal choices of a seat now, or None where they cannot be listed."""
        return None

    def in_words(self, state: Any, row: int, seat: int, action: Any) -> str:
        """An action that no menu lists (a message, say), for people who watch; empty: its numbers are shown."""
        return ""

    def verbs(self) -> dict[str, tuple[str, ...]] | None:
        """The verbs of all menus that this config can have, each with the names of its arguments; None: not known."""
        return None

    def tools(self, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...] | None:
        """The seat's tools (name, description, JSON-Schema parameters), where the world has its own; None: from the menu."""
        return None

    def tool_action(self, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
        """The action that a call of one of the world's own tools means, whether or not it is a right one."""
        raise NotClaimedError(f"{type(self).__name__} has no tools of its own")

    def explain(self, state: Any, row: int, seat: int, action: Any, code: int) -> str:
        """A sentence for a fault."""
        return f"{self.seats[seat]}: the action {action!r} had no effect ({self.faults[code]})"

    def why_not(self, state: Any, row: int, seat: int, text: str) -> str:
        """A sentence on why a text is no command now, telling nothing that the seat cannot know; empty: none is said."""
        return ""

    def rules(self) -> str:
        """The rules in words, for people and language models."""
        return (type(self).__doc__ or "").strip()

    def scene(self, state: Any, row: int) -> Scene:
        """The picture of a row as shapes."""
        raise NotClaimedError(f"{type(self).__name__} does not offer the view 'picture'")

    def __reduce__(self) -> Any:
        """A simulator follows from its config: pickles hold no more."""
        return type(self), (self.config,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Simulator:
        """Simulators keep nothing of an episode, so copies share one."""
        return self

    # --- what the core needs from either kind of state -------------------------------------------------------------
    @abstractmethod
    def flags(self, state: Any) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.bool_]]:
        """Views `t int32[B]`, `over bool[B]`, `live bool[B, S]` of a state."""

    @abstractmethod
    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """Write who decides now, and what kind of decision (`int8[B, S]`, 0: nobody waits for this seat)."""

    @abstractmethod
    def digest(self, state: Any, out: Out, which: NDArray[np.bool_], chain: NDArray[np.uint64]) -> None:
        """Advance the digest chains of the rows in `which` by state, reward and flags."""

    @abstractmethod
    def snapshot(self, state: Any) -> Any:
        """Everything needed to go on from here, as an immutable copy."""

    @abstractmethod
    def restore(self, state: Any, snapshot: Any) -> None:
        """Bring a state of the same batch size back to a snapshot."""

    def turner(self, state: Any, io: Buffers) -> Turner:
        """What steps and looks, bound to these buffers; its `step` returns -1.

        A family whose kernels do all of a step in one call overrides this; if they also check the actions and log them
        at place t - 1 of their rows, it says so by `whole_turns`, and `step` returns the flat place of the first action
        out of range, having moved nobody, or `DUE` when a row that took this step is at a mark (t a multiple of `MARK`)
        or over.
        """
        _, over, _ = self.flags(state)
        every = every_seat(self.roles, len(over))

        def look(seats: tuple[NDArray[np.int32], ...]) -> None:
            for r, buffers in enumerate(io.observed):
                self.observe(state, r, seats[r], buffers)
                mask = io.masks[r]
                if mask is not None:
                    self.action_mask(state, r, seats[r], mask)
            row_sums(io.out.reward, io.summary)
            io.summary[:, 1] = over
            io.summary[:, 2] = io.out.truncated

        def step() -> int:
            self.step(state, io.actions, io.out)
            look(every)
            return -1

        return Turner(step, look)


class ArraySimulator(Simulator):
    """A simulator whose state is a named tuple of arrays and whose rules are kernels."""

    State: ClassVar[type]

    @abstractmethod
    def fields(self) -> tuple[Field, ...]:
        """The layout of the state; it begins with `COMMON(seats)`."""

    def new(self, rows: int) -> Any:
        """Allocate a zeroed state in one block, all rows over."""
        state: Any = allocate(self.State, self.fields(), rows)
        state.over[:] = True
        return state

    def _layout(self, rows: int) -> Layout:
        """Where the fields of a batch of this size lie; kept, since every digest asks."""
        if rows not in self._layouts:
            self._layouts[rows] = layout(self.fields(), rows)
        return self._layouts[rows]

    @functools.cached_property
    def _layouts(self) -> dict[int, Layout]:
        return {}

    def flags(self, state: Any) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.bool_]]:
        """Views of the common fields."""
        return state.t, state.over, state.live

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """All living seats, when all act at once; other worlds override this."""
        out[...] = state.live & ~state.over[:, None]

    def digest(self, state: Any, out: Out, which: NDArray[np.bool_], chain: NDArray[np.uint64]) -> None:
        """One generic kernel over the dynamic fields, reward and flags."""
        where = self._layout(len(which))
        memory = block(state, where)
        reward = out.reward.view(np.uint8)
        digest_rows(
            memory,
            where.offset,
            where.width,
            where.digested,
            reward,
            out.terminated,
            out.truncated,
            which,
            chain,
        )

    def snapshot(self, state: Any) -> bytes:
        """The block's bytes."""
        return block(state, self._layout(len(state.over))).tobytes()

    def restore(self, state: Any, snapshot: bytes) -> None:
        """Copy the bytes back."""
        block(state, self._layout(len(state.over)))[:] = np.frombuffer(snapshot, np.uint8)


class ObjectState:
    """A batch of Python objects with the common arrays beside them."""

    def __init__(self, rows: int, seats: int) -> None:
        self.key = np.zeros(rows, np.uint64)
        self.t = np.zeros(rows, np.int32)
        self.over = np.ones(rows, np.bool_)
        self.live = np.zeros((rows, seats), np.bool_)
        self.inst = np.full(rows, -1, np.int32)
        self.games: list[Any] = [None] * rows
        self.loaded: list[Any] = [None] * rows


class ObjectSimulator(Simulator):
    """A simulator whose episodes are Python objects; the base class loops over the batch.

    A family gives `begin`, `play`, `see`, `waiting`, `fingerprint`, `save` and `revive` for one episode.
    """

    takes_instances: ClassVar[bool] = False
    """True if `begin` takes instances; `load` is the place to check them."""

    @abstractmethod
    def begin(self, seed: int, slot: int, instance: Any = None) -> Any:
        """A new game: of the instance that was loaded, else as the seed draws it."""

    @abstractmethod
    def play(self, game: Any, actions: list[list[Any]]) -> tuple[list[float], list[bool], list[int]]:
        """Advance a game by the actions of each role's seats; return reward, terminated and fault by seat."""

    @abstractmethod
    def see(self, game: Any, seat: int) -> Any:
        """What a seat sees: an element of its role's observation space."""

    @abstractmethod
    def fingerprint(self, game: Any) -> bytes:
        """Bytes that are equal exactly when the dynamic state is; an incremental hash will do."""

    @abstractmethod
    def save(self, game: Any) -> Any:
        """An immutable copy of a game."""

    @abstractmethod
    def revive(self, saved: Any) -> Any:
        """A game that goes on from a saved copy."""

    def waiting(self, game: Any, live: NDArray[np.bool_]) -> NDArray[np.int8]:
        """Who decides now (`int8[S]`)."""
        return live.astype(np.int8)

    def new(self, rows: int) -> ObjectState:
        """An empty batch."""
        return ObjectState(rows, len(self.seats))

    def load(self, state: Any, row: int, instance: Any) -> None:
        """Keep an instance for the next reset of the row."""
        if not self.takes_instances:
            super().load(state, row, instance)
        state.loaded[row] = instance

    def reset(self, state: Any, which: NDArray[np.bool_], seeds: NDArray[np.int64], slots: NDArray[np.int32]) -> None:
        """Begin the games of the rows in `which`."""
        from ludarium.envs.core.rng import episode_key

        for b in np.flatnonzero(which):
            state.games[b] = self.begin(int(seeds[b]), int(slots[b]), state.loaded[b] if slots[b] == -2 else None)
            state.key[b] = np.uint64(episode_key(int(seeds[b])))
            state.t[b], state.over[b], state.inst[b] = 0, False, slots[b]
            state.live[b] = True

    def step(self, state: Any, actions: tuple[Any, ...], out: Out) -> None:
        """Play each row that is not over."""
        for b in np.flatnonzero(~state.over):
            reward, terminated, fault = self.play(state.games[b], [list(role[b]) for role in actions])
            state.t[b] += 1
            out.reward[b], out.terminated[b], out.fault[b] = reward, terminated, fault
            out.truncated[b] = not all(terminated) and state.t[b] >= self.config.max_steps
            state.live[b] &= ~out.terminated[b]
            if out.truncated[b] or not state.live[b].any():
                state.over[b], state.live[b] = True, False

    def observe(self, state: Any, role: int, seats: NDArray[np.int32], out: Any) -> None:
        """Ask each game; `out` is a list of rows, each a list of what the seats see."""
        first = self.offsets[role]
        for b, row in enumerate(seats):
            for n, s in enumerate(row):
                if s >= 0:
                    out[b][n] = self.see(state.games[b], first + int(s))

    def flags(self, state: Any) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.bool_]]:
        """Views of the common arrays."""
        return state.t, state.over, state.live

    def asked(self, state: Any, out: NDArray[np.int8]) -> None:
        """Ask each game that is not over."""
        for b in range(len(state.games)):
            out[b] = 0 if state.over[b] else self.waiting(state.games[b], state.live[b])

    def digest(self, state: Any, out: Out, which: NDArray[np.bool_], chain: NDArray[np.uint64]) -> None:
        """Fold each game's fingerprint, clock, reward and flags."""
        import hashlib

        for b in np.flatnonzero(which):
            h = hashlib.blake2b(int(chain[b]).to_bytes(8, "little"), digest_size=8)
            h.update(self.fingerprint(state.games[b]))
            for part in (
                state.key[b],
                state.t[b],
                state.over[b],
                state.live[b],
                out.reward[b],
                out.terminated[b],
            ):
                h.update(np.ascontiguousarray(part).tobytes())
            h.update(bytes([bool(out.truncated[b])]))
            chain[b] = np.uint64(int.from_bytes(h.digest(), "little"))

    def snapshot(self, state: Any) -> Any:
        """The common arrays and each game's own copy."""
        games = tuple(None if game is None else self.save(game) for game in state.games)
        return (
            state.key.copy(),
            state.t.copy(),
            state.over.copy(),
            state.live.copy(),
            state.inst.copy(),
            games,
        )

    def restore(self, state: Any, snapshot: Any) -> None:
        """Bring all rows back."""
        for array, saved in zip((state.key, state.t, state.over, state.live, state.inst), snapshot[:5], strict=True):
            array[...] = saved
        state.games = [None if saved is None else self.revive(saved) for saved in snapshot[5]]
