"""What a player knows beforehand, in the five levels of TextGym (Xi et al. 2024), over every world with a text view.

1: the description alone. 2: and how a random player fared. 3: and the player's own earlier trials, with how they ended.
4: and how an expert plays. 5: and advice in writing. All examples follow from seeds, which no scenario uses; they are
played once a process and kept by the hash of all that they follow from.
"""

from __future__ import annotations

import functools
import hashlib
import json
import threading
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from ludarium.agents.contract import Agent
from ludarium.agents.crew import shared_out
from ludarium.agents.llm.tokens import count_tokens
from ludarium.agents.registry import make_agent
from ludarium.envs.core.batch import Batch
from ludarium.envs.core.buffers import seat_of
from ludarium.envs.core.compile import kernel_hash
from ludarium.envs.core.errors import ConfigError, NotClaimedError, did_you_mean
from ludarium.envs.core.language import text_of
from ludarium.envs.core.registry import config_class, make_simulator, world
from ludarium.envs.core.simulator import Simulator
from ludarium.wrappers.language import repeats

__all__ = ["EXPERTS", "LEVELS", "Line", "PriorKnowledge", "Trial", "examples", "guidance", "play_trial",
           "practice_seed", "practised", "prior_knowledge"]  # fmt: skip

LEVELS = {
    1: "the description alone",
    2: "and trajectories of a random player",
    3: "and one's own earlier trials with feedback",
    4: "and trajectories of an expert",
    5: "and written guidance",
}
EXPERTS = {
    "mapf-v0": "lacam",
    "mapf-lifelong-v0": "pibt",
    "text-household-v0": "household-expert",
    "text-coin-v0": "coin-oracle",
    "text-cooking-v0": "cooking-oracle",
    "text-desk-v0": "desk-expert",
}
"""Who plays the expert's trajectories; add a row for a world of your own."""
_GUIDANCE = Path(__file__).with_name("guidance.toml")
_TRIES = 8
"""Practice episodes among which those are chosen that are not the one to be played."""


class Line(NamedTuple):
    """One turn of a trial: what was told, what was done, what it brought."""

    told: str
    done: str
    reward: float


class Trial(NamedTuple):
    """An episode of one seat in words."""

    title: str
    lines: tuple[Line, ...]
    metrics: dict[str, float]

    @property
    def opening(self) -> str:
        """The first thing that was told."""
        return self.lines[0].told if self.lines else ""

    def text(self, tokens: int, count: Callable[[str], int] = count_tokens) -> str:
        """The trial as text of at most so many tokens: the beginning and the end, if all is too long."""
        turns = [_turn_text(line, before.told if before else "") for before, line in _pairs(self.lines)]
        figures = ", ".join(f"{name} {value:g}" for name, value in list(self.metrics.items())[:8])
        head, tail = f"{self.title}:", f"The end: {figures}."
        for kept in range(len(turns), -1, -1):
            first = (2 * kept + 2) // 3
            gap = [f"[... {len(turns) - kept} turns left out ...]"] if kept < len(turns) else []
            found = "\n".join([head, *turns[:first], *gap, *turns[len(turns) - (kept - first) :], tail])
            if count(found) <= tokens:
                return found
        return ""


def _pairs(lines: Sequence[Line]) -> list[tuple[Line | None, Line]]:
    return list(zip([None, *lines[:-1]], lines, strict=True))


def _turn_text(line: Line, before: str) -> str:
    told = line.told
    if repeats(before, told):
        told = "\n".join(told.split("\n")[len(before.split("\n")) - 1 :])
    reward = f"\n(reward {line.reward:g})" if line.reward else ""
    return f"Told: {told}\nDone: {line.done}{reward}"


# --- playing -----------------------------------------------------------------------------------------------------------
def practice_seed(name: str, n: int) -> int:
    """The seed of the n-th practice episode of a world: 53 bits, which scenarios do not come near."""
    digest = hashlib.blake2b(f"practice/{name}/{n}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 11


def _practice_config(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The config of practice: in worlds with splits, the training split."""
    if "split" not in getattr(config_class(name), "__dataclass_fields__", {}):
        return config
    try:
        make_simulator(name, **{**config, "split": "train"})
    except ConfigError:
        return config
    return {**config, "split": "train"}


def play_trial(
    name: str, config: dict[str, Any], agent: Agent, seat: str, seed: int, title: str, most: int | None = None
) -> Trial:
    """Play an episode and tell it from one seat; roles that belong to the task have their own agents.

    `most` steps at most are told (and played, since what comes after is not told). Works in every world with a text view.
    """
    from ludarium.leaderboards.guarded import Guarded

    simulator = make_simulator(name, **config)
    if "text" not in simulator.views:
        raise NotClaimedError(f"{name} does not offer the view 'text', in which examples are told")
    batch = _begun(simulator, name, seed)
    crew = [
        (make_agent(label) if label else agent, seats) for label, seats in shared_out(simulator, "", simulator.seats)
    ]
    told = Guarded(batch, crew, default=_idle(simulator))
    told.start(seed)
    lines: list[Line] = []
    s = simulator.seats.index(seat)
    while not batch.over[0] and (most is None or len(lines) < most):
        asked = bool(batch.asked[0, s])
        now = simulator.describe(batch.state, 0, s) if asked else ""
        told.act()
        done = action_text(batch, s) if asked else ""
        batch.step()
        if asked:
            lines.append(Line(now, done, float(batch.out.reward[0, s])))
    figures = {k: float(v) for k, v in batch.result()["metrics"].items() if isinstance(v, int | float)}
    told.finish(batch.result())
    return Trial(title, tuple(lines), figures)


def _idle(simulator: Simulator) -> Any:
    """Default actions by role: for those that speak an empty text, which their worlds count as nothing said."""
    return {role.name: "" if role.action_space.contains("") else None for role in simulator.roles}


def _begun(simulator: Simulator, name: str, seed: int) -> Batch:
    batch = Batch(simulator, 1, name, record=False)
    one = np.ones(1, np.bool_)
    batch.seed(one, [seed])
    batch.reset(one)
    return batch


def action_text(batch: Batch, seat: int) -> str:
    """The action in the buffer of a seat that is asked, in words, before the step is taken."""
    offsets = batch.simulator.offsets
    r = int(np.searchsorted(offsets, seat, side="right")) - 1
    action = seat_of(batch.actions[r], 0, seat - offsets[r])
    return action if isinstance(action, str) else text_of(batch.simulator, batch.state, 0, seat, action)


_kept: dict[str, tuple[Trial, ...]] = {}
_lock = threading.Lock()


def examples(
    name: str,
    config: dict[str, Any],
    player: str,
    seat: str,
    *,
    count: int = 1,
    besides: str = "",
    most: int | None = 60,
) -> tuple[Trial, ...]:
    """Trials of a named player at practice seeds; those that begin as `besides` (the episode to be played) are left out.

    Played once a process for equal arguments.
    """
    config = _practice_config(name, config)
    module = world(name).simulator.split(":")[0]
    role = seat.rsplit("_", 1)[0]
    what = json.dumps([name, config, player, role, most, kernel_hash(module)], sort_keys=True, default=str)
    key = hashlib.blake2b(what.encode(), digest_size=16).hexdigest()
    with _lock:
        trials = list(_kept.get(key, ()))
        n = 0
        found: list[Trial] = []
        while len(found) < count and n < count + _TRIES:
            if n == len(trials):
                title = f"Example {n + 1}, played by {'a random player' if player == 'random' else 'an expert'}"
                trials.append(
                    play_trial(name, config, make_agent(player), f"{role}_0", practice_seed(name, n), title, most)
                )
                _kept[key] = tuple(trials)
            if not besides or trials[n].opening != besides:
                found.append(trials[n])
            n += 1
    return tuple(found)


def practised(name: str, config: dict[str, Any], agent: Agent, seat: str, n: int, most: int | None = None) -> Trial:
    """The n-th practice episode, played by an agent itself: one of its own earlier trials, for level 3."""
    role = seat.rsplit("_", 1)[0]
    title = f"Your own earlier trial {n + 1}"
    # other seeds than the examples': an expert's solution of the same episode would be no trial of one's own
    seed = practice_seed(f"{name}/own", n)
    return play_trial(name, _practice_config(name, config), agent, f"{role}_0", seed, title, most)


# --- telling -----------------------------------------------------------------------------------------------------------
@functools.cache
def _written() -> dict[str, str]:
    return {name: str(entry["text"]).strip() for name, entry in tomllib.loads(_GUIDANCE.read_text("utf-8")).items()}


def guidance(name: str) -> str:
    """The written guidance of a world; `NotClaimedError` if there is none."""
    if name not in _written():
        raise NotClaimedError(f"there is no written guidance for {name}; levels 1 to 4 need none")
    return _written()[name]


def prior_knowledge(
    name: str,
    config: dict[str, Any],
    level: int,
    seat: str,
    *,
    own: Sequence[Trial] = (),
    count: int = 1,
    opening: str = "",
    tokens: int = 1500,
    counter: Callable[[str], int] = count_tokens,
) -> str:
    """What a seat knows beforehand at a level, beyond the rules: empty at level 1.

    `own` are its earlier trials (level 3 and above), `count` the examples of each kind, `opening` the first text of the
    episode to be played, which no example may be. Each trial takes at most `tokens`. `NotClaimedError` where a world has
    no expert or no guidance.
    """
    if level not in LEVELS:
        raise ConfigError(f"level = {level!r}; expected 1 to 5: " + "; ".join(f"{n} {s}" for n, s in LEVELS.items()))
    name = name.split(":")[-1]
    parts: list[str] = []

    def add(heading: str, trials: Sequence[Trial]) -> None:
        told = [trial.text(tokens, counter) for trial in trials]
        if any(told):
            parts.append(f"## {heading}\n" + "\n\n".join(text for text in told if text))

    if level >= 2:
        add("How a random player fares", examples(name, config, "random", seat, count=count, besides=opening))
    if level >= 3:
        add("Your own earlier trials", own)
    if level >= 4:
        if name not in EXPERTS:
            raise NotClaimedError(
                f"no expert is known for {name}{did_you_mean(name, EXPERTS)}; levels 1 to 3 need none"
            )
        add("How an expert plays", examples(name, config, EXPERTS[name], seat, count=count, besides=opening))
    if level >= 5:
        parts.append(f"## Guidance\n{guidance(name)}")
    return "\n\n".join(parts)


class PriorKnowledge(gym.Wrapper):
    """Puts `info["prior_knowledge"]` into each reset's info: what the player knows beforehand, in words.

    From level 3 on it remembers the episodes that were played through it, the last `memory` of them, and how they ended.
    """

    def __init__(
        self, env: gym.Env[Any, Any], level: int, *, count: int = 1, tokens: int = 1500, memory: int = 2
    ) -> None:
        super().__init__(env)
        if level not in LEVELS:
            raise ConfigError(f"level = {level!r}; expected 1 to 5")
        self.level, self._count, self._tokens, self._memory = level, count, tokens, memory
        self.trials: list[Trial] = []
        self._lines: list[Line] = []

    @property
    def _world(self) -> Any:
        """The adapter beneath, with its batch and form."""
        return self.unwrapped

    @property
    def _seat(self) -> int:
        return max(0, int(getattr(self._world.form, "seat", 0)))

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """Begin an episode, and say what is known beforehand."""
        self._keep()
        observation, info = self.env.reset(**options)
        batch: Batch = self._world.batch
        simulator = batch.simulator
        info["prior_knowledge"] = prior_knowledge(
            batch.world,
            simulator.config.as_dict(),
            self.level,
            simulator.seats[self._seat],
            own=self.trials[-self._memory :] if self._memory else (),
            count=self._count,
            opening=simulator.describe(batch.state, 0, self._seat),
            tokens=self._tokens,
        )
        return observation, info

    def step(self, action: Any) -> Any:
        """Take a step; from level 3 on it is remembered in words."""
        if self.level < 3:
            return self.env.step(action)
        batch: Batch = self._world.batch
        seat, simulator = self._seat, batch.simulator
        told = simulator.describe(batch.state, 0, seat)
        choices = {repr(choice.action): choice.text for choice in simulator.menu(batch.state, 0, seat) or ()}
        found = self.env.step(action)
        r = int(np.searchsorted(simulator.offsets, seat, side="right")) - 1
        taken = seat_of(batch.actions[r], 0, seat - simulator.offsets[r])
        plain = taken.tolist() if hasattr(taken, "tolist") else taken
        self._lines.append(Line(told, choices.get(repr(plain), str(plain)), float(found[1])))
        return found

    def _keep(self) -> None:
        if self._lines:
            figures = self._world.batch.result()["metrics"]
            metrics = {name: float(value) for name, value in figures.items() if isinstance(value, int | float)}
            title = f"Your own earlier trial {len(self.trials) + 1}"
            self.trials.append(Trial(title, tuple(self._lines), metrics))
        self._lines = []
