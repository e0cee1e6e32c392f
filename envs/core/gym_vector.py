"""The native Gymnasium vector adapter: one batch, no Python loop, all three autoreset modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array
from numpy.typing import NDArray

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import is_numeric
from ludarium.envs.core.errors import ActionError, ConfigError, LudariumError, did_you_mean
from ludarium.envs.core.forms import form_of
from ludarium.envs.core.registry import make_simulator

__all__ = ["GymVectorEnv"]

_OPTIONS = ("reset_mask", "instances", "slot")


class GymVectorEnv(VectorEnv):
    """`gym.make_vec(id, num_envs=N, **config)`: N episodes in one batch.

    Row i starts from `seed + i` (or the i-th of a list of seeds) and equals the single environment with that seed, bit
    for bit. `autoreset_mode` is `next_step`, `same_step` or `disabled` (or the enum). With `copy=False` observations
    and infos are views that the next step overwrites. `record` keeps the actions of all rows for `trace(row)`.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 8}  # type: ignore[misc]

    def __init__(
        self,
        world: str,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        record: bool = False,
        illegal: str = "count",
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        self.autoreset_mode = _mode(autoreset_mode)
        if not isinstance(num_envs, int) or num_envs < 1:
            raise ConfigError(f"num_envs = {num_envs!r}; expected an integer of at least 1")
        if max_episode_steps is not None:
            options["max_steps"] = max_episode_steps
        self.simulator = make_simulator(world, **options)
        self.batch = Batch(self.simulator, num_envs, world, record=record, illegal=illegal)
        self.form = form_of(self.simulator)
        self.num_envs, self.copy, self.render_mode = num_envs, copy, render_mode
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}  # type: ignore[misc]
        self.single_observation_space = self.form.observation_space
        self.single_action_space = self.form.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._rows = np.arange(num_envs)
        self._every = np.ones(num_envs, np.bool_)
        self._seat = np.zeros(num_envs, np.int64)
        self._ended = np.zeros(num_envs, np.bool_)
        self._started = False

    # --- reset -----------------------------------------------------------------------------------------------------
    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes in all rows, or in those of `options["reset_mask"]`; `instances` maps rows to instances."""
        options = options or {}
        for name in options:
            if name not in _OPTIONS:
                raise ConfigError(f"unknown reset option {name!r}{did_you_mean(name, _OPTIONS)}")
        which = self._which(options.get("reset_mask"))
        super().reset(seed=seed if isinstance(seed, int) else None)
        if seed is not None or not self._started:
            self._seed(which, seed)
        self.batch.reset(which, options.get("instances"), int(options.get("slot", -1)))
        self._ended[which] = False
        self._started = True
        self._focus()
        return self._observe(), self._info()

    def _which(self, mask: Any) -> NDArray[np.bool_]:
        if mask is None:
            return self._every.copy()
        which = np.asarray(mask)
        if which.dtype != np.bool_ or which.shape != (self.num_envs,) or not which.any():
            raise ConfigError(f"reset_mask: bool[{self.num_envs}] with at least one True expected; got {mask!r:.100}")
        if not self._started and not which.all():
            raise LudariumError("the first reset begins all rows; leave out reset_mask")
        return which

    def _seed(self, which: NDArray[np.bool_], seed: int | Sequence[int | None] | None) -> None:
        if seed is None:
            bases = [int(n) for n in self.np_random.integers(0, 2**53, self.num_envs)]
        elif isinstance(seed, int | np.integer):
            bases = [int(seed) + i for i in range(self.num_envs)]
        else:
            if len(seed) != self.num_envs:
                raise ConfigError(f"{len(seed)} seeds for {self.num_envs} rows")
            bases = [int(self.np_random.integers(0, 2**53)) if s is None else int(s) for s in seed]
        self.batch.seed(which, [bases[b] for b in np.flatnonzero(which)])

    # --- step ------------------------------------------------------------------------------------------------------
    def step(
        self, actions: Any
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Advance all rows; rows that ended before are reset, or not, as the autoreset mode says."""
        if not self._started:
            raise LudariumError("call reset before step")
        batch, before = self.batch, self._ended.copy()
        if self.autoreset_mode is AutoresetMode.DISABLED and before.any():
            raise LudariumError(f"row {int(np.argmax(before))} is over; reset it with options={{'reset_mask': ...}}")
        self._put(actions)
        batch.step()
        total = batch.summary[:, 0]
        rewards = total / self.form.shares
        truncated = batch.out.truncated.copy()
        terminated = batch.over & ~truncated
        now = batch.over & ~before
        extra = self._metrics(now) if now.any() else {}
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and before.any():
            batch.reset(before)
            rewards[before], terminated[before], truncated[before] = 0.0, False, False
        elif self.autoreset_mode is AutoresetMode.SAME_STEP and now.any():
            extra |= self._finals(now, extra)
            batch.reset(now)
        self._ended = batch.over.copy()
        self._focus()
        return self._observe(), rewards, terminated, truncated, {**self._info(), **extra}

    def _put(self, actions: Any) -> None:
        batch, name = self.batch, self.form.name
        if name == "roles":
            for r, role in enumerate(self.simulator.roles):
                if not isinstance(actions, dict) or role.name not in actions:
                    raise ActionError(f"a dict with the actions of {role.name} and all other roles expected")
                batch.put(r, actions[role.name])
        elif name == "joint":
            batch.put(0, actions)
        else:
            if len(actions) != self.num_envs:
                raise ActionError(f"{len(actions)} actions for {self.num_envs} rows")
            if len(batch.actions) > 1:  # the seats in turn are of several roles
                for b, action in enumerate(actions):
                    self.form.turn_to(int(self._seat[b]))
                    self.form.put(batch, action, b)
                return
            buffer = batch.actions[self.form.role]
            if isinstance(buffer, list):
                for b, action in enumerate(actions):
                    buffer[b][self._seat[b]] = action
                return
            target = buffer[self._rows, self._seat]
            try:
                given = np.asarray(actions)
            except ValueError as error:
                raise ActionError(
                    f"{target.dtype} actions of shape {target.shape} expected; got {actions!r:.200}"
                ) from error
            if given.shape != target.shape or given.dtype.kind not in ("iu" if target.dtype.kind in "iu" else "iuf"):
                raise ActionError(
                    f"{target.dtype} actions of shape {target.shape} expected; got {given.dtype} {given.shape}"
                )
            buffer[self._rows, self._seat] = given

    def _focus(self) -> None:
        if self.form.name == "asked":
            waiting = (self.batch.asked != 0).any(1)
            self._seat[waiting] = np.argmax(self.batch.asked[waiting] != 0, axis=1)

    # --- what is shown ---------------------------------------------------------------------------------------------
    def _own(self, buffer: Any) -> Any:
        if isinstance(buffer, list):
            return tuple(tuple(row) if self.form.name in ("joint", "roles") else row[self._seat[b]]
                         for b, row in enumerate(buffer))  # fmt: skip
        if isinstance(buffer, dict):
            return {name: self._own(part) for name, part in buffer.items()}
        if self.form.name in ("joint", "roles"):
            return buffer.copy() if self.copy else buffer
        return buffer[self._rows, self._seat]

    def _observe(self) -> Any:
        if self.form.name == "roles":
            roles = self.simulator.roles
            return {role.name: self._own(self.batch.observed[r]) for r, role in enumerate(roles)}
        if len(self.batch.observed) > 1:
            return self._of_several_roles()
        return self._own(self.batch.observed[self.form.role])

    def _of_several_roles(self) -> Any:
        """What the seats in turn see, where they are of several roles with equal spaces."""
        seen = []
        for b in range(self.num_envs):
            self.form.turn_to(int(self._seat[b]))
            seen.append(self.form.observe(self.batch, b))
        space = self.single_observation_space
        if not is_numeric(space):
            return tuple(seen)
        room: Any = create_empty_array(space, self.num_envs)
        return concatenate(space, seen, room)

    def _info(self) -> dict[str, Any]:
        batch = self.batch
        arrays: dict[str, Any] = {
            "rewards": batch.out.reward,
            "asked": batch.asked,
            "live": batch.live,
            "faults": batch.out.fault,
            **self.simulator.extras(batch.state),
        }
        info: dict[str, Any] = {}
        for name, array in arrays.items():
            info[name] = array.copy() if self.copy else array
            info[f"_{name}"] = self._every.copy() if self.copy else self._every
        masks = {r.name: batch.masks[i] for i, r in enumerate(self.simulator.roles) if batch.masks[i] is not None}
        if masks:
            own = {name: self._own(mask) for name, mask in masks.items()}
            info["action_mask"] = own if len(self.simulator.roles) > 1 else next(iter(own.values()))
            info["_action_mask"] = self._every.copy()
        return info

    def _metrics(self, now: NDArray[np.bool_]) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        for name, values in self.simulator.metrics(self.batch.state).items():
            figures[name] = np.where(now, values, np.zeros((), values.dtype))
            figures[f"_{name}"] = now.copy()
        return {"metrics": figures, "_metrics": now.copy()}

    def _finals(self, now: NDArray[np.bool_], extra: dict[str, Any]) -> dict[str, Any]:
        finals = np.full(self.num_envs, None, object)
        for b in np.flatnonzero(now):
            self.form.turn_to(int(self._seat[b]))
            finals[b] = self.form.observe(self.batch, int(b))
        info = {name: value for name, value in self._info().items() if not name.startswith("_")}
        final_info: dict[str, Any] = {**extra}
        for name, value in info.items():
            final_info[name] = {k: v.copy() for k, v in value.items()} if isinstance(value, dict) else value.copy()
            final_info[f"_{name}"] = now.copy()
        return {
            "final_obs": finals,
            "_final_obs": now.copy(),
            "final_info": final_info,
            "_final_info": now.copy(),
        }

    def render(self) -> Any:
        """One picture a row."""
        from ludarium.envs.core.render import render

        if self.render_mode is None:
            return None
        return tuple(render(self.simulator.scene(self.batch.state, b), "rgb_array") for b in range(self.num_envs))

    def digest(self, row: int) -> str:
        """The digest of a row's episode so far; needs `record=True`."""
        return f"{self.batch.digest(row):016x}"

    def trace(self, row: int) -> Any:
        """A row's episode so far as data; needs `record=True`."""
        return self.batch.trace(row)

    def snapshot(self) -> dict[str, Any]:
        """Everything needed to go on from here."""
        return {"batch": self.batch.snapshot(), "ended": self._ended.copy()}

    def restore(self, snapshot: dict[str, Any]) -> Any:
        """Go back to a snapshot; returns the observations there."""
        self.batch.restore(snapshot["batch"])
        self._ended, self._started = snapshot["ended"].copy(), True
        self._focus()
        return self._observe()


def _mode(given: str | AutoresetMode) -> AutoresetMode:
    if isinstance(given, AutoresetMode):
        return given
    names = {mode.name.lower(): mode for mode in AutoresetMode}
    key = str(given).lower().replace("-", "_").removesuffix("step").rstrip("_")
    for name, mode in names.items():
        if key in (name, name.removesuffix("_step")):
            return mode
    raise ConfigError(f"autoreset_mode = {given!r}{did_you_mean(str(given), names)}")
