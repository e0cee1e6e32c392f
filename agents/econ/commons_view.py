"""What the agents of the commons make of an observation, and how they speak, vote and punish: by their own numbers alone."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ludarium.agents.contract import Agent, Task, Turn
from ludarium.agents.econ.tax_workers import ballots_of
from ludarium.envs.core.errors import AgentError
from ludarium.envs.econ.commons.config import CANDIDATES, SCORE_LEVELS, UNIT, CommonsConfig
from ludarium.envs.econ.commons.dynamics import HARVEST, PLEDGE, PUNISH, TALK, VOTE
from ludarium.envs.econ.commons.observe import names
from ludarium.envs.econ.commons.speech import code_of
from ludarium.envs.econ.commons.talk import ACCUSE, LIMIT, PROMISE

__all__ = ["Commoner", "Sight"]


class Sight:
    """An observation by the names of its numbers."""

    def __init__(self, config: CommonsConfig, own: bool, observation: Any) -> None:
        self.config = config
        self._seen = np.asarray(observation)
        self._at = places(config, own)
        if self._seen.shape != (len(self._at),):
            raise AgentError(f"{len(self._at)} numbers of econ-commons-v0 expected; got {self._seen.shape}")

    def __getitem__(self, name: str) -> int:
        return round(float(self._seen[self._at[name]]))

    def each(self, name: str) -> list[int]:
        """A number of each harvester."""
        return [self[f"{name}_{i}"] for i in range(self.config.num_harvesters)]

    @property
    def stock(self) -> int:
        """The stock of the next harvest."""
        return self["stock"] if self["phase"] <= HARVEST else self.config.grow[self["stock"]]

    @property
    def heads(self) -> int:
        """Who takes part in the next harvest."""
        ahead = 1 if self["phase"] <= HARVEST else 2
        return self.config.num_harvesters - (self["rounds_played"] + ahead < self.config.newcomer)

    @property
    def fair(self) -> int:
        """An equal part of what can be taken in the next harvest so that it comes back."""
        return self.config.sustainable[self.stock] // self.heads

    @property
    def greediest(self) -> int:
        """The other harvester who took most above a fair part in the last harvest, as far as is told; -1: nobody."""
        if self["rounds_played"] == 0 and self["phase"] <= HARVEST:
            return -1
        fair, got = self.last_fair, self.each("got")
        others = [(x, -i) for i, x in enumerate(got) if i != self["seat"] and x > fair]
        return -max(others)[1] if others else -1

    @property
    def last_fair(self) -> int:
        """A fair part of the stock before the last harvest, units that cannot be parted included."""
        return -(-self.config.sustainable[self["last_stock"]] // self.last_heads)

    @property
    def last_heads(self) -> int:
        """Who took part in the last harvest."""
        rounds = self["rounds_played"] + (self["phase"] > HARVEST)
        return self.config.num_harvesters - (rounds < self.config.newcomer)

    @property
    def binding(self) -> bool:
        """Whether taking more than the quota costs more than it brings, on average."""
        if not self.config.governed or self["quota"] < 0:
            return False
        return self["fine"] * self["audit"] >= UNIT * 100 - self["fee"] * 100


@functools.lru_cache(maxsize=64)
def places(config: CommonsConfig, own: bool) -> dict[str, int]:
    """Where each number of an observation is."""
    return {name: i for i, name in enumerate(names(config, own))}


class Commoner(Agent):
    """Base of the agents of the commons; subclasses say how much they take.

    It pledges and promises what it would take, names the sustainable part as the limit, accuses and punishes nobody, votes
    for the quota nearest to the sustainable part, and governs nothing.
    """

    view = "array"
    information = "local"

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Note the config."""
        if "harvester_0" not in task.seats:
            raise AgentError(f"{type(self).__name__} plays in econ-commons-v0 only, not in {task.id}")
        self.config = CommonsConfig.of(**task.config)

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Each seat by itself."""
        return {seat: self._act(seat, turn) for seat, turn in turns.items()}

    def _act(self, seat: str, turn: Turn) -> Any:
        own = seat.startswith("harvester")
        sight = Sight(self.config, own, turn.observation)
        if not own:
            return np.array(self.govern(sight), np.int64)
        code = self._choose(seat, sight)
        if turn.mask is not None and not turn.mask[code]:
            code = 0
        return np.array([code, *[0] * self.config.words], np.int64) if self.config.words else code

    def _choose(self, seat: str, sight: Sight) -> int:
        phase = sight["phase"]
        if phase == HARVEST:
            return min(max(self.take(seat, sight), 0), self.config.cap)
        if phase == PLEDGE:
            return min(max(self.pledge(seat, sight), 0), self.config.cap + 1)
        if phase == TALK:
            return self.say(seat, sight)
        if phase == VOTE:
            return self.vote(sight)
        return 1 + self.punish(seat, sight) if phase == PUNISH else 0

    def take(self, seat: str, sight: Sight) -> int:
        """How much to want."""
        raise NotImplementedError(f"{type(self).__name__} must define take")

    def pledge(self, seat: str, sight: Sight) -> int:
        """What to pledge."""
        return sight.fair

    def say(self, seat: str, sight: Sight) -> int:
        """First a limit for all, then a promise, then whom it accuses; then silence."""
        number, cap = sight["seat"], self.config.cap
        if sight[f"limit_{number}"] < 0:
            return code_of(cap, LIMIT, min(sight.fair, cap))
        if sight[f"pledge_{number}"] < 0 and self.pledge(seat, sight) <= cap:
            return code_of(cap, PROMISE, self.pledge(seat, sight))
        whom = self.accused(seat, sight)
        return code_of(cap, ACCUSE, whom) if whom >= 0 and sight[f"accused_{whom}"] == 0 else 0

    def accused(self, seat: str, sight: Sight) -> int:
        """Whom to accuse, -1: nobody."""
        return -1

    def punish(self, seat: str, sight: Sight) -> int:
        """Whom to punish, -1: nobody."""
        return -1

    def vote(self, sight: Sight) -> int:
        """A sincere ballot."""
        worth = np.array([[self.worth(quota, sight) for quota in self._slate(sight)]])
        standing = np.ones(CANDIDATES, np.bool_)
        return int(ballots_of(worth, standing, self.config.voting, SCORE_LEVELS)[0])

    @staticmethod
    def _slate(sight: Sight) -> list[int]:
        return [sight[f"slate_{k}"] for k in range(CANDIDATES)]

    def worth(self, quota: int, sight: Sight) -> float:
        """How good a quota is (-1: none)."""
        return -abs((quota if quota >= 0 else self.config.cap) - sight.fair)

    def govern(self, sight: Sight) -> list[int] | NDArray[np.int64]:
        """What a governor does."""
        return [0, 0, 0, 0]
