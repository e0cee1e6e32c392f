"""Bugs in PettingZoo parallel environments: who lives, who is told what, and whose move counts."""

from __future__ import annotations

import copy
import random
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from laws.zoo.planted import Planted
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from ludarium.testing import Episode, Outcome, Relation

STAY, BACK, ON, LEAVE = range(4)
RING, SKATERS, STEPS = 6, 3, 12
GONE = RING


class Rink(ParallelEnv[str, Any, int]):
    """Three skaters on a ring of six places, without a bug. A flower falls on a place drawn anew each step.

    All move at once; who would meet on a place or cross stays (and so do those behind). Who leaves is gone for good.
    Observation: one's own place, the others' (6: gone), the flower's, the time. Reward: 1 for a flower, 0.1 for a move.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "rink", "render_modes": ["ansi"], "max_steps": STEPS}
    order: tuple[int, ...] = (0, 1, 2)

    def __init__(self, clean: bool = False, render_mode: str | None = None, order: Any = (0, 1, 2)) -> None:
        self.planted, self.render_mode, self.order = not clean, render_mode, tuple(order)
        self.possible_agents = [f"skater_{i}" for i in range(SKATERS)]
        self.agents: list[str] = []
        high = np.array([RING] * (SKATERS + 1) + [STEPS])
        self._seen = {a: spaces.Box(0, high, dtype=np.int64) for a in self.possible_agents}
        self._acts = {a: spaces.Discrete(4) for a in self.possible_agents}

    def observation_space(self, agent: str) -> Any:
        return self._seen[agent]

    def action_space(self, agent: str) -> Any:
        return self._acts[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        if seed is not None or not hasattr(self, "random"):
            self.random = np.random.default_rng(seed)
        self.agents = list(self.possible_agents)
        self.t, self.total = 0, 0.0
        self.place = {a: 2 * self.order[i] for i, a in enumerate(self.agents)}
        self.before = dict(self.place)
        self.begin()
        self.flower = int(self.random.integers(RING))
        return {a: self.seen(a) for a in self.agents}, {a: self.info(a) for a in self.agents}

    def step(self, actions: dict[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        self.t += 1
        live, self.before = list(self.agents), dict(self.place)
        leaving = [a for a in live if int(actions[a]) == LEAVE]
        for a in leaving:
            self.place[a] = GONE
        self.move({a: int(actions[a]) for a in live if a not in leaving})
        rewards = {a: self.reward(a) for a in live}
        self.total += sum(rewards.values())
        self.flower = int(self.random.integers(RING))
        cut = self.t >= STEPS
        ended = {a: a in leaving for a in live}
        shortened = {a: cut and a not in leaving for a in live}
        self.agents = [] if cut else [a for a in live if a not in leaving]
        return self.told(live, rewards, ended, shortened)

    def told(self, live: list[str], rewards: Any, ended: Any, cut: Any) -> tuple[Any, Any, Any, Any, Any]:
        return {a: self.seen(a) for a in live}, rewards, ended, cut, {a: self.info(a) for a in live}

    # --- the rules ---
    def begin(self) -> None:
        """What else a reset sets."""

    def move(self, actions: dict[str, int]) -> None:
        want = {a: (self.place[a] + (0, -1, 1)[act]) % RING for a, act in actions.items()}
        while True:
            stuck = [a for a in want if want[a] != self.place[a] and self.stopped(a, want)]
            if not stuck:
                break
            for a in stuck:
                want[a] = self.place[a]
        self.place.update(want)

    def stopped(self, a: str, want: dict[str, int]) -> bool:
        others = [b for b in want if b != a]
        return any(want[b] == want[a] or self.crosses(a, b, want) for b in others)

    def crosses(self, a: str, b: str, want: dict[str, int]) -> bool:
        return want[b] == self.place[a] and want[a] == self.place[b]

    def reward(self, a: str) -> float:
        if self.place[a] == GONE:
            return 0.0
        return (1.0 if self.place[a] == self.flower else 0.0) + (0.1 if self.place[a] != self.before[a] else 0.0)

    def seen(self, a: str) -> NDArray[np.int64]:
        others = [self.place[b] for b in self.possible_agents if b != a]
        return np.array([self.place[a], *others, self.flower, self.t], np.int64)

    def info(self, a: str) -> Any:
        return {"moved": self.place[a] != self.before[a]}

    # --- what it claims beside ---
    def render(self) -> str:
        at = {place: a[-1] for a, place in self.place.items()}
        return "".join(at.get(place, "*" if place == self.flower else ".") for place in range(RING))

    def state(self) -> NDArray[np.int64]:
        return np.array([*self.place.values(), self.flower, self.t], np.int64)

    def invariants(self) -> dict[str, bool]:
        there = [a for a in self.possible_agents if self.place[a] != GONE]
        places = [self.place[a] for a in there]
        crossed = any(
            self.place[a] == self.before[b] and self.place[b] == self.before[a] and self.place[a] != self.before[a]
            for a in there for b in there if a < b
        )  # fmt: skip
        return {"no two skaters in a place": len(set(places)) == len(places), "no two skaters cross": not crossed}

    def metrics(self) -> dict[str, float]:
        return {"total": self.total}

    def recount(self, steps: list[dict[str, Any]]) -> dict[str, float]:
        return {"total": sum(sum(s["rewards"].values()) for s in steps)}

    def bounds(self) -> dict[str, tuple[float, float]]:
        return {"total": (0.0, STEPS * (1 + 0.1 * SKATERS))}

    def relations(self) -> list[Relation]:
        return [Relation("skaters renamed", _renamed, _renamed_outcome)]


def _next(a: str) -> str:
    return f"skater_{(int(a[-1]) + 1) % SKATERS}"


def _renamed(episode: Episode) -> Episode | None:
    """The episode in which each skater has the name of the next, and the place of its own."""
    config, order = dict(episode["config"]), tuple(episode["config"].get("order", (0, 1, 2)))
    twin = copy.deepcopy(episode)
    twin["config"] = {**config, "order": [order[(i - 1) % SKATERS] for i in range(SKATERS)]}
    twin["actions"] = [{_next(a): act for a, act in item.items()} for item in episode["actions"]]
    return twin


def _renamed_outcome(outcome: Outcome) -> Outcome:
    steps = [{part: {_next(a): v for a, v in told.items()} for part, told in step.items()} for step in outcome["steps"]]
    return {"steps": steps, "metrics": outcome["metrics"]}


class BackFromTheDead(Rink):
    """Who left is back two steps later."""

    bug = Planted("live_seats", ("symmetry",), shortest=3)

    def begin(self) -> None:
        self.left: dict[str, int] = {}

    def told(self, live: list[str], rewards: Any, ended: Any, cut: Any) -> tuple[Any, Any, Any, Any, Any]:
        back = [a for a, t in self.left.items() if t == self.t - 2 and self.agents and self.planted]
        free = [p for p in range(RING) if p not in self.place.values()]
        for a, place in zip(back, free, strict=False):
            self.place[a] = self.before[a] = place
            self.agents.append(a)
        self.left.update({a: self.t for a in live if ended[a]})
        return super().told(live, rewards, ended, cut)


class LastObservationLacks(Rink):
    """Who has just left is not in the dicts any more: its last reward and its end are told to nobody."""

    bug = Planted("live_seats", ("symmetry",), shortest=1)

    def told(self, live: list[str], rewards: Any, ended: Any, cut: Any) -> tuple[Any, Any, Any, Any, Any]:
        back = super().told(live, rewards, ended, cut)
        if any(ended.values()) and self.planted:
            return tuple({a: part[a] for a in live if not ended[a]} for part in back)  # type: ignore[return-value]
        return back


class EndedGoesOn(Rink):
    """Who leaves in the same step as another is flagged as ended and stays among the live."""

    bug = Planted("live_seats", ("symmetry",), shortest=1)

    def told(self, live: list[str], rewards: Any, ended: Any, cut: Any) -> tuple[Any, Any, Any, Any, Any]:
        gone = [a for a in live if ended[a]]
        if len(gone) == 2 and self.agents and self.planted:
            self.agents.append(gone[0])
        return super().told(live, rewards, ended, cut)


class MeanOfNobody(Rink):
    """A bonus for company: the mean distance to the others, of whom there may be none."""

    bug = Planted("reward_and_flags", shortest=1)

    def reward(self, a: str) -> float:
        others = [p for b, p in self.place.items() if b != a and p != GONE]
        if others or not self.planted:
            return super().reward(a)
        with np.errstate(all="ignore"):
            return super().reward(a) + float(np.float64(0.0) / np.float64(len(others)))


class BothFlags(Rink):
    """Who leaves after the third step has come to an end twice: terminated, and truncated."""

    bug = Planted("ends", shortest=4)

    def told(self, live: list[str], rewards: Any, ended: Any, cut: Any) -> tuple[Any, Any, Any, Any, Any]:
        late = self.t >= 4 and self.planted
        return super().told(live, rewards, ended, {a: cut[a] or (late and ended[a]) for a in live})


class OneStepMore(Rink):
    """The episode is one step longer than its documented limit."""

    bug = Planted("ends", shortest=STEPS - 1)

    def __init__(self, clean: bool = False, render_mode: str | None = None, order: Any = (0, 1, 2)) -> None:
        super().__init__(clean, render_mode, order)
        self.metadata = {**self.metadata, "max_steps": STEPS - 1 if self.planted else STEPS}


class CrossesLate(Rink):
    """Who crosses whom is looked at from one side only, once the ice is worn (from the fifth step on).

    Nobody leaves this rink.
    """

    bug = Planted("invariants", shortest=5)

    def step(self, actions: dict[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        return super().step({a: STAY if int(act) == LEAVE else act for a, act in actions.items()})

    def crosses(self, a: str, b: str, want: dict[str, int]) -> bool:
        return super().crosses(a, b, want) and not (self.t >= 5 and self.planted)


class FirstNameFirst(Rink):
    """Where two skaters meet, the one that is listed first gets the place."""

    bug = Planted("symmetry", shortest=1, cases=24)

    def stopped(self, a: str, want: dict[str, int]) -> bool:
        if not self.planted:
            return super().stopped(a, want)
        meet = [b for b in want if b != a and want[b] == want[a]]
        first = all(a < b and want[b] != self.place[b] for b in meet)
        return any(self.crosses(a, b, want) for b in want if b != a) or not first


class NewSpaces(Rink):
    """`action_space` makes a space at every call: seeding the one that was asked for does nothing."""

    bug = Planted("observation_in_space", shortest=0)

    def action_space(self, agent: str) -> Any:
        return spaces.Discrete(4) if self.planted else super().action_space(agent)


class StateStirs(Rink):
    """`state()` lets a new flower fall, for it shares its code with the step."""

    bug = Planted("looking", shortest=1)

    def state(self) -> NDArray[np.int64]:
        if self.planted:
            self.flower = int(self.random.integers(RING))
        return super().state()


class NoInfo(Rink):
    """Who has left has None for an info."""

    bug = Planted("info", shortest=1)

    def info(self, a: str) -> Any:
        return None if self.place[a] == GONE and self.planted else super().info(a)


class PushedByChance(Rink):
    """A skater that stays three times running is drawn a push by Python's global generator."""

    bug = Planted("global_random", ("unseeded_reset",), shortest=3)

    def begin(self) -> None:
        self.still = dict.fromkeys(self.possible_agents, 0)

    def reward(self, a: str) -> float:
        self.still[a] = self.still[a] + 1 if self.place[a] == self.before[a] != GONE else 0
        push = 1e-6 * random.random() if self.still[a] >= 3 and self.planted else 0.0
        return super().reward(a) + push
