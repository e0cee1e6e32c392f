"""Bugs in PettingZoo AEC environments: a game in which one moves after the other."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from laws.zoo.planted import Planted
from pettingzoo import AECEnv

PILE, RESIGN = 9, 3


class Stones(AECEnv[str, Any, Any]):
    """Three players take one to three stones in turn, without a bug; who takes the last one wins; one may resign.

    Observation: stones, whose turn, stones taken by each, and a mask: nobody takes more than there are. Other actions
    raise.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "stones",
        "illegal_actions": "raise",
        "malformed_actions": "raise",
        "is_parallelizable": False,
    }

    def __init__(self, clean: bool = False, render_mode: str | None = None) -> None:
        super().__init__()
        self.planted, self.render_mode = not clean, render_mode
        self.possible_agents = ["ann", "bob", "cid"]
        mask = spaces.Box(0, 1, (4,), np.int8)
        inner = spaces.Dict({"stones": spaces.Box(0, 99, (5,), np.int64), "action_mask": mask})
        self.observation_spaces = dict.fromkeys(self.possible_agents, inner)
        self.action_spaces = {a: spaces.Discrete(4) for a in self.possible_agents}

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        if seed is not None or not hasattr(self, "random"):
            self.random = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.pile = self.stones()
        self.taken = dict.fromkeys(self.agents, 0)
        self.rewards: dict[str, Any] = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, Any] = {a: {} for a in self.agents}
        self.begin()
        self.agent_selection = self.agents[int(self.random.integers(3))]

    def begin(self) -> None:
        """What else a reset sets."""

    def stones(self) -> int:
        return PILE

    def observe(self, agent: str) -> Any:
        turn = self.possible_agents.index(agent)
        stones = np.array([self.pile, turn, *self.taken.values()], np.int64)
        return {"stones": stones, "action_mask": self.mask(agent)}

    def mask(self, agent: str) -> Any:
        return np.array([*(take <= self.pile for take in (1, 2, 3)), 1], np.int8)

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self.validate(agent, action)
        action = int(action)
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        following = self.following(agent)
        if action == RESIGN:
            self.resign(agent)
        else:
            self.take(agent, action + 1)
        self.agent_selection = following
        self._accumulate_rewards()
        self._deads_step_first()

    def validate(self, agent: str, action: Any) -> None:
        if not self.action_space(agent).contains(action):
            raise ValueError(f"{action!r} is no action; expected an integer from 0 to 3")
        if action != RESIGN and action + 1 > self.pile:
            raise ValueError(f"{agent} takes {action + 1} of {self.pile} stones")

    def following(self, agent: str) -> str:
        return self.agents[(self.agents.index(agent) + 1) % len(self.agents)]

    def take(self, agent: str, count: int) -> None:
        self.pile -= count
        self.taken[agent] += count
        if self.pile == 0:
            self.rewards[agent] = 1.0
            self.terminations = dict.fromkeys(self.agents, True)

    def resign(self, agent: str) -> None:
        self.rewards[agent] = -1.0
        self.terminations[agent] = True
        if sum(not ended for ended in self.terminations.values()) == 1:
            self.terminations = dict.fromkeys(self.agents, True)

    def invariants(self) -> dict[str, bool]:
        return {"no stone is lost": self.pile + sum(self.taken.values()) == self.stones()}


class LeavesUntold(Stones):
    """Who resigns is struck off the list at once, before it is told of its end."""

    bug = Planted("live_seats", shortest=1)

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        super().step(action)
        if self.agents and self.terminations.get(agent) and self.planted and not all(self.terminations.values()):
            self.agents.remove(agent)
            for table in (self.terminations, self.truncations, self.rewards, self._cumulative_rewards, self.infos):
                table.pop(agent)
            if self.agent_selection == agent:
                self.agent_selection = self._skip_agent_selection or self.agents[0]
            self._skip_agent_selection = None


class MaskOfThePast(Stones):
    """The mask is that of the player's own last turn: it may allow to take more than is left."""

    bug = Planted("mask_sound", shortest=2)

    def stones(self) -> int:
        return 4

    def begin(self) -> None:
        self.piles = [self.pile]

    def take(self, agent: str, count: int) -> None:
        self.piles.append(self.pile)
        super().take(agent, count)

    def mask(self, agent: str) -> Any:
        pile = self.piles[-1] if self.planted and len(self.piles) > 1 else self.pile
        return np.array([*(take <= pile for take in (1, 2, 3)), 1], np.int8)


class ScoreStays(Stones):
    """The stones that a winner took are still beside its name when the next game begins."""

    bug = Planted("reset_forgets", shortest=1)
    wins = 0

    def stones(self) -> int:
        return 3

    def begin(self) -> None:
        if not self.planted:
            self.wins = 0

    def take(self, agent: str, count: int) -> None:
        super().take(agent, count)
        self.wins += self.pile == 0

    def observe(self, agent: str) -> Any:
        seen = super().observe(agent)
        seen["stones"][1] += 10 * self.wins
        return seen


class StonesOfTheDead(Stones):
    """The stones of who resigns go back on the pile twice."""

    bug = Planted("invariants", shortest=4)

    def resign(self, agent: str) -> None:
        super().resign(agent)
        if not all(self.terminations.values()):
            self.pile += self.taken[agent] * (2 if self.planted else 1)
            self.taken[agent] = 0


class OneMaskForAll(Stones):
    """All observations hold the same mask, which is written anew in each turn."""

    bug = Planted("nothing_aliased", shortest=3)

    def mask(self, agent: str) -> Any:
        if not hasattr(self, "kept"):
            self.kept = np.ones(4, np.int8)
        self.kept[:] = super().mask(agent)
        return self.kept if self.planted else self.kept.copy()


class WhoBeginsIsDrawnAnywhere(Stones):
    """Who begins is drawn from NumPy's global generator."""

    bug = Planted("global_random", shortest=0)

    def begin(self) -> None:
        self.agents = list(self.possible_agents)
        first = int(np.random.randint(3)) if self.planted else 0
        self.taken = dict.fromkeys(self.possible_agents, 0)
        self.first = first

    def observe(self, agent: str) -> Any:
        seen = super().observe(agent)
        seen["stones"][1] += 10 * self.first
        return seen
