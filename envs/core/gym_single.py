"""The Gymnasium adapter: one episode at a time of any world."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ConfigError, InstanceError, LudariumError, did_you_mean
from ludarium.envs.core.forms import form_of
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import Trace

__all__ = ["GymEnv"]

_RESET_OPTIONS = ("instance", "slot")


class GymEnv(gym.Env):
    """`gym.make(id, **config)`: the world `world` in the form that fits it.

    `seat` makes one seat the user's; `others` names the agent that fills the other seats (default: the role's own,
    such as a scripted user, else `random`). `illegal` is
    `count` (an illegal action is a counted no-op) or `raise`. Further options are the fields of the world's config.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["rgb_array", "human", "ansi", "svg"],
        "render_fps": 8,
    }

    def __init__(
        self,
        world: str,
        *,
        seat: str | None = None,
        others: str | None = None,
        render_mode: str | None = None,
        illegal: str = "count",
        record: bool = True,
        **options: Any,
    ) -> None:
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ConfigError(
                f"render_mode = {render_mode!r}{did_you_mean(render_mode, self.metadata['render_modes'])}"
            )
        if others is not None and seat is None:
            raise ConfigError(f"others = {others!r} fills the seats beside yours; name yours with seat=")
        self.simulator = make_simulator(world, **options)
        self.batch = Batch(self.simulator, 1, world, record=record, illegal=illegal)
        self.form = form_of(self.simulator, seat)
        self.observation_space, self.action_space = self.form.observation_space, self.form.action_space
        self.render_mode = render_mode
        self._one = np.ones(1, np.bool_)
        self._started = False
        self._crew: Any = None if seat is None else self._others(seat, others)

    def _others(self, seat: str, name: str | None) -> Any:
        from ludarium.agents.crew import Crew, shared_out
        from ludarium.agents.registry import make_agent

        rest = tuple(other for other in self.simulator.seats if other != seat)
        named = [(name, rest)] if name else shared_out(self.simulator, "random", rest)
        return Crew(self.batch, [(make_agent(agent), seats) for agent, seats in named if seats])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the episode of this seed; without one, the next episode of the last seed (or a drawn one at first).

        `options` may hold `instance` (a datum of the world) or `slot` (a number of the config's pool).
        """
        super().reset(seed=seed)
        options = options or {}
        for name in options:
            if name not in _RESET_OPTIONS:
                raise ConfigError(f"unknown reset option {name!r}{did_you_mean(name, _RESET_OPTIONS)}")
        if seed is not None or not self._started:
            base = int(seed) if seed is not None else int(self.np_random.integers(0, 2**53))
            self.batch.seed(self._one, [base])
        instance = options.get("instance")
        slot = options.get("slot", -1)
        if not isinstance(slot, int) or slot < -1 or (slot >= 0 and instance is not None):
            raise InstanceError(f"slot = {slot!r}; expected a number of the pool, and no instance beside it")
        self.batch.reset(self._one, None if instance is None else {0: instance}, slot)
        self._started = True
        if self._crew is not None:
            self._crew.start(int(self.batch.seeds[0]))
            self._play_until_asked()
        self.form.focus(self.batch)
        return self.form.observe(self.batch), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by one step (under `seat`: until the seat is asked again); an action outside its space raises."""
        if self._quick is not None:
            return self._quick(action)
        batch, form = self.batch, self.form
        if batch.over[0] or not self._started:
            self._refuse()
        form.put(batch, action)
        if self._crew is not None:
            batch.check_seat(form.seat)  # before the others are asked: they would be asked again for the same step
            self._crew.act()
        batch.step()
        reward = form.reward(batch)
        if self._crew is not None:
            reward += self._play_until_asked()
        elif form.name == "asked":
            form.focus(batch)
        return form.observe(batch), reward, *self._ends(), self._last_info()

    @functools.cached_property
    def _quick(self) -> Callable[[Any], Any] | None:
        """`step` for the commonest worlds, all seats acting in whole turns, with all it needs at hand; else None."""
        batch, form = self.batch, self.form
        seen, target = batch.observed[0], batch.actions[0]
        if form.name != "joint" or not batch.simple or isinstance(seen, list):
            return None
        parts = {name: part[0] for name, part in seen.items()} if isinstance(seen, dict) else None
        look = seen[0].copy if parts is None else lambda: {name: part.copy() for name, part in parts.items()}
        target, watched = target[0], self._watched
        kind, shape, figure, seats = target.dtype, target.shape, batch.summary.item, form.shares

        def quick(action: Any) -> Any:
            if figure(0, 1) or not self._started:
                self._refuse()
            if type(action) is np.ndarray and action.dtype is kind and action.shape == shape:
                target[...] = action
            else:
                form.put(batch, action)
            found = (batch.bound or batch.turner()).step()
            if found != -1:
                batch.attend(found)
                if figure(0, 1):
                    return look(), figure(0, 0) / seats, *self._ends(), self._last_info()
            return look(), figure(0, 0) / seats, False, False, {name: view.copy() for name, view in watched}

        return quick

    def _refuse(self) -> None:
        if not self._started:
            raise LudariumError("call reset before step")
        raise LudariumError("the episode is over; call reset before the next step")

    def _ends(self) -> tuple[bool, bool]:
        terminated = self.form.terminated(self.batch)
        return terminated, bool(self.batch.out.truncated[0]) and not terminated

    def _last_info(self) -> dict[str, Any]:
        """The info of a step that may be the last one: then it has the metrics."""
        info = self._info()
        if self.batch.over[0]:
            figures = self.simulator.metrics(self.batch.state)
            info["metrics"] = {name: values[0].item() for name, values in figures.items()}
            if self._crew is not None:
                self._crew.finish(info["metrics"])
        return info

    def _play_until_asked(self) -> float:
        """Let the others play while the world does not wait for the user's seat; return the seat's reward meanwhile."""
        batch, seat, reward = self.batch, self.form.seat, 0.0
        while not batch.over[0] and not batch.asked[0, seat] and not batch.out.terminated[0, seat]:
            self._crew.act()
            batch.step()
            reward += float(batch.out.reward[0, seat])
        return reward

    def _info(self) -> dict[str, Any]:
        batch = self.batch
        info: dict[str, Any] = {name: view.copy() for name, view in self._watched}
        if self._own_mask:  # whose mask it is changes from step to step, or there are several
            mask = self.form.mask(batch)
            if mask is not None:
                info["action_mask"] = mask
        return info

    @functools.cached_property
    def _own_mask(self) -> bool:
        """Whether the mask is found anew for each info."""
        return self.form.name in ("asked", "roles")

    @functools.cached_property
    def _watched(self) -> tuple[tuple[str, NDArray[Any]], ...]:
        """The arrays behind `info`: views of the row's buffers, which never move."""
        batch, form = self.batch, self.form
        views = {
            "rewards": batch.out.reward[0],
            "asked": batch.asked[0],
            "live": batch.live[0],
            "faults": batch.out.fault[0],
        }
        mask = batch.masks[form.role]
        if form.name == "joint" and mask is not None:
            views["action_mask"] = mask[0]
        elif form.name in ("solo", "seat") and mask is not None:
            views["action_mask"] = mask[0, form.seat - self.simulator.offsets[form.role]]
        views |= {name: values[0, ...] for name, values in self.simulator.extras(batch.state).items()}
        return tuple(views.items())

    def __getstate__(self) -> dict[str, Any]:
        """Copies make their own views of their own buffers."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_watched", "_quick")}

    def action_masks(self) -> Any:
        """The legal actions now, in the form of the action space (int8)."""
        return self.form.mask(self.batch)

    def render(self) -> Any:
        """The picture in the render mode; `human` prints it, or shows it in a notebook."""
        from ludarium.envs.core.render import render

        if self.render_mode is None:
            gym.logger.warn("render_mode is None; name one in make, as in gym.make(id, render_mode='ansi')")
            return None
        scene = self.simulator.scene(self.batch.state, 0)
        if self.render_mode != "human":
            return render(scene, self.render_mode)
        print(render(scene, "ansi"))
        return None

    def _repr_svg_(self) -> str:
        """The picture, for notebooks."""
        from ludarium.envs.core.render import render

        return str(render(self.simulator.scene(self.batch.state, 0), "svg"))

    def describe(self) -> str:
        """The rules in words."""
        return str(self.simulator.rules())

    def snapshot(self) -> dict[str, Any]:
        """Everything needed to go on from here."""
        return self.batch.snapshot()

    def restore(self, snapshot: dict[str, Any]) -> Any:
        """Go back to a snapshot; the trace is cut back with it. Returns the observation there."""
        self.batch.restore(snapshot)
        self._started = True
        self.form.focus(self.batch)
        return self.form.observe(self.batch)

    def digest(self) -> str:
        """The digest of the episode so far, 16 hex digits."""
        return f"{self.batch.digest():016x}"

    def trace(self) -> Trace:
        """The episode so far as data."""
        return self.batch.trace()
