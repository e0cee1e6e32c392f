"""The PettingZoo adapters: parallel and AEC, over the same batch of one row, with the same digests."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import seat_of
from ludarium.envs.core.errors import ActionError, ConfigError, LudariumError, NotClaimedError, did_you_mean
from ludarium.envs.core.language import AnyText
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.spaces import own
from ludarium.envs.core.trace import Trace

__all__ = ["ZooAec", "ZooParallel"]

_MODES = ["rgb_array", "human", "ansi", "svg"]


class _Zoo:
    """What both adapters share: one row, seats by name, spaces that are the same objects at every call."""

    def _make(self, world: str, render_mode: str | None, illegal: str, record: bool, options: dict[str, Any]) -> None:
        if render_mode is not None and render_mode not in _MODES:
            raise ConfigError(f"render_mode = {render_mode!r}{did_you_mean(render_mode, _MODES)}")
        self.simulator = make_simulator(world, **options)
        self.batch = Batch(self.simulator, 1, world, record=record, illegal=illegal)
        self.render_mode = render_mode
        self.possible_agents = list(self.simulator.seats)
        self.agents: list[str] = []
        self._place: dict[str, tuple[int, int, int]] = {}
        self._spaces: dict[str, tuple[spaces.Space[Any], spaces.Space[Any]]] = {}
        for s, seat in enumerate(self.simulator.seats):
            r = int(np.searchsorted(self.simulator.offsets, s, side="right")) - 1
            role = self.simulator.roles[r]
            seen = own(role.observation_space)
            shown = spaces.Dict({"text": seen}) if isinstance(seen, AnyText) else seen
            self._place[seat] = (r, s - self.simulator.offsets[r], s)
            self._spaces[seat] = (shown, own(role.action_space))
        self._one = np.ones(1, np.bool_)
        self._rng = np.random.default_rng()
        self._started = False

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The space of what a seat sees."""
        return self._spaces[agent][0]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The space of a seat's actions."""
        return self._spaces[agent][1]

    def _begin(self, seed: int | None, options: dict[str, Any] | None) -> None:
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        if seed is not None or not self._started:
            self.batch.seed(self._one, [int(seed) if seed is not None else int(self._rng.integers(0, 2**53))])
        instance = (options or {}).get("instance")
        self.batch.reset(self._one, None if instance is None else {0: instance})
        self._started = True
        self.agents = list(self.possible_agents)

    def _observe(self, agent: str) -> Any:
        r, i, _ = self._place[agent]
        seen = seat_of(self.batch.observed[r], 0, i)
        return {"text": seen} if isinstance(self.simulator.roles[r].observation_space, AnyText) else seen

    def _info(self, agent: str) -> dict[str, Any]:
        r, i, s = self._place[agent]
        info: dict[str, Any] = {
            "asked": int(self.batch.asked[0, s]),
            "fault": int(self.batch.out.fault[0, s]),
        }
        mask = self.batch.masks[r]
        if mask is not None:
            info["action_mask"] = mask[0, i].copy()
        return info

    def _put(self, agent: str, action: Any) -> None:
        r, i, _ = self._place[agent]
        buffer = self.batch.actions[r]
        if isinstance(buffer, list):
            buffer[0][i] = action
            return
        given = np.asarray(action)
        target = buffer[0, i]
        if given.shape != target.shape or given.dtype.kind not in ("iu" if target.dtype.kind in "iu" else "iuf"):
            raise ActionError(f"{agent}: an action of {self._spaces[agent][1]} expected; got {action!r:.200}")
        buffer[0, i] = given

    def render(self) -> Any:
        """The picture in the render mode."""
        from ludarium.envs.core.render import render

        if self.render_mode is None:
            return None
        scene = self.simulator.scene(self.batch.state, 0)
        if self.render_mode == "human":
            print(render(scene, "ansi"))
            return None
        return render(scene, self.render_mode)

    def state(self) -> Any:
        """All that all seats see, for centralised training: one array where observations are arrays of one shape."""
        seen = self.batch.observed
        if any(isinstance(part, list | dict) for part in seen):
            raise NotClaimedError("state() stacks arrays; this world's observations are none")
        return np.concatenate([part[0].reshape(-1).astype(np.float32) for part in seen])

    @property
    def unwrapped(self) -> Any:
        """The adapter itself."""
        return self

    def close(self) -> None:
        """Nothing to close."""

    def digest(self) -> str:
        """The digest of the episode so far, 16 hex digits."""
        return f"{self.batch.digest():016x}"

    def trace(self) -> Trace:
        """The episode so far as data."""
        return self.batch.trace()


class ZooParallel(_Zoo, ParallelEnv):
    """`ludarium.parallel_env(id, **config)`: keys are the live seats; `info["asked"]` says for whom the world waits."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": _MODES, "name": "ludarium"}

    def __init__(
        self,
        world: str,
        *,
        render_mode: str | None = None,
        illegal: str = "count",
        record: bool = True,
        **options: Any,
    ) -> None:
        self._make(world, render_mode, illegal, record, options)
        self.metadata = {**type(self).metadata, "name": world}  # type: ignore[misc]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin the episode of this seed."""
        self._begin(seed, options)
        return {a: self._observe(a) for a in self.agents}, {a: self._info(a) for a in self.agents}

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Advance by one step; seats that are asked must have an action."""
        if not self.agents:
            raise LudariumError("no seat is live; call reset first")
        unknown = [agent for agent in actions if agent not in self._place]
        if unknown:
            raise ActionError(f"no seat {unknown[0]!r}{did_you_mean(str(unknown[0]), self.possible_agents)}")
        for agent in self.agents:
            if agent in actions:
                self._put(agent, actions[agent])
            elif self.batch.asked[0, self._place[agent][2]]:
                raise ActionError(f"{agent} is asked, but has no action")
        self.batch.step()
        before, batch = self.agents, self.batch
        over = bool(batch.over[0])
        ended = {a: bool(batch.out.terminated[0, self._place[a][2]]) for a in before}
        cut = {a: over and not ended[a] for a in before}
        observations = {a: self._observe(a) for a in before}
        rewards = {a: float(batch.out.reward[0, self._place[a][2]]) for a in before}
        infos = {a: self._info(a) for a in before}
        self.agents = [a for a in before if not ended[a] and not cut[a]]
        return observations, rewards, ended, cut, infos

    def snapshot(self) -> dict[str, Any]:
        """Everything needed to go on from here."""
        return {"batch": self.batch.snapshot(), "agents": list(self.agents)}

    def restore(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        """Go back to a snapshot; returns the observations there."""
        self.batch.restore(snapshot["batch"])
        self.agents, self._started = list(snapshot["agents"]), True
        return {a: self._observe(a) for a in self.agents}


class ZooAec(_Zoo, AECEnv):
    """`ludarium.aec_env(id, **config)`: asks the asked and live seats in order, and steps the world after the last."""

    metadata: ClassVar[dict[str, Any]] = {
        "render_modes": _MODES,
        "name": "ludarium",
        "is_parallelizable": True,
    }

    def __init__(
        self,
        world: str,
        *,
        render_mode: str | None = None,
        illegal: str = "count",
        record: bool = True,
        **options: Any,
    ) -> None:
        AECEnv.__init__(self)
        self._make(world, render_mode, illegal, record, options)
        self.metadata = {**type(self).metadata, "name": world}  # type: ignore[misc]

    _TABLES = ("rewards", "_cumulative_rewards", "terminations", "truncations", "infos")

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin the episode of this seed."""
        self._begin(seed, options)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {a: self._info(a) for a in self.agents}
        self._ask()

    def _ask(self) -> None:
        """Line up those for whom the world waits."""
        self._queue = [a for a in self.agents if self.batch.asked[0, self._place[a][2]] and not self._over(a)]
        if self._queue:
            self.agent_selection = self._queue[0]

    def _over(self, agent: str) -> bool:
        return self.terminations[agent] or self.truncations[agent]

    def observe(self, agent: str) -> Any:
        """What a seat sees now."""
        return self._observe(agent)

    def step(self, action: Any) -> None:
        """Take the action of the seat in turn; the last one of a step moves the world."""
        if not self._started or not self.agents:
            raise LudariumError("no seat is live; call reset first")
        agent = self.agent_selection
        if self._over(agent):
            self._was_dead_step(action)
            if self.agents and not any(self._over(a) for a in self.agents):
                self._ask()
            return
        if not self._spaces[agent][1].contains(action):
            raise ActionError(f"{agent}: an action of {self._spaces[agent][1]} expected; got {action!r:.200}")
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._put(agent, action)
        self._queue.pop(0)
        if self._queue:
            self.agent_selection = self._queue[0]
            return
        self._advance()

    def _advance(self) -> None:
        batch = self.batch
        batch.step()
        over = bool(batch.over[0])
        for a in self.agents:
            s = self._place[a][2]
            self.rewards[a] = float(batch.out.reward[0, s])
            self.terminations[a] = bool(batch.out.terminated[0, s])
            self.truncations[a] = over and not self.terminations[a]
            self.infos[a] = self._info(a)
        self._accumulate_rewards()
        ended = [a for a in self.agents if self._over(a)]
        if ended:
            self.agent_selection = ended[0]
        else:
            self._ask()

    def _was_dead_step(self, action: Any) -> None:
        """Remove a seat that has ended; its only action is None."""
        if action is not None:
            raise ActionError(f"{self.agent_selection} has ended; its only action is None")
        gone = self.agent_selection
        for name in self._TABLES:
            getattr(self, name).pop(gone)
        self.agents.remove(gone)
        left = [a for a in self.agents if self._over(a)]
        if left:
            self.agent_selection = left[0]
        self._clear_rewards()

    def snapshot(self) -> dict[str, Any]:
        """Everything needed to go on from here, actions that were given in this step included."""
        tables = {name: dict(getattr(self, name)) for name in self._TABLES}
        turn = (list(self.agents), list(self._queue), self.agent_selection)
        return {
            "batch": self.batch.snapshot(),
            "given": copy.deepcopy(self.batch.actions),
            "turn": turn,
            "tables": tables,
        }

    def restore(self, snapshot: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        self.batch.restore(snapshot["batch"])
        self.batch.put_all(snapshot["given"])
        agents, queue, self.agent_selection = snapshot["turn"]
        self.agents, self._queue, self._started = list(agents), list(queue), True
        for name, table in snapshot["tables"].items():
            setattr(self, name, dict(table))
