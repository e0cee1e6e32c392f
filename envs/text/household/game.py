"""The household as a text game: commands in, text and the sorted admissible commands out, as fast as may be.

The same episodes and digests as `gym.make("text-household-v0")`; only the form differs. Strings are made once a house,
and the lists of commands and the views of receptacles are kept by what they depend on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import ActionError, ConfigError, InstanceError, LudariumError
from ludarium.envs.core.language import AnyText, parse_tool
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import Trace
from ludarium.envs.text.household import dynamics as d
from ludarium.envs.text.household.dynamics import FAULTS
from ludarium.envs.text.household.language import NOTHING_HAPPENS, REASONS, Words, feedback, parse, resolve
from ludarium.envs.text.household.reasons import reason_of

__all__ = ["ACTION_MODES", "WORLD", "HouseholdText"]

WORLD = "text-household-v0"
ACTION_MODES = ("text", "index", "template", "tool")
_KEPT = 1_000
"""Lists and views kept for a house: about a megabyte."""
_ONE = np.ones(1, np.bool_)

Admissible = tuple[tuple[str, ...], dict[str, int]]


class HouseholdText(gym.Env[dict[str, Any], Any]):
    """One agent in a house, in words.

    Observations are dicts of `text`, `task`, `admissible` (a sorted tuple of commands) and `step`. `action_mode` says what
    an action is: a `text`, an `index` into the admissible commands, a `template` (`("take", "apple 1", "fridge 1")`), or
    a `tool` call (a dict of `name` and `arguments`). Text is stripped, put into lower case, and inner spaces are joined,
    unless `strict`: then a command must be as it is listed, as TextWorld has it. What is no admissible command changes
    nothing and costs a step; `info["reason"]` is its code. Further options are the fields of the config.
    """

    metadata = {"render_modes": ["ansi"]}  # noqa: RUF012  (Gymnasium's own form)

    def __init__(self, *, action_mode: str = "text", strict: bool = False, record: bool = True, **options: Any) -> None:
        if action_mode not in ACTION_MODES:
            raise ConfigError(f"action_mode = {action_mode!r}; expected one of {', '.join(ACTION_MODES)}")
        self.simulator = make_simulator(WORLD, **options)
        if len(self.simulator.seats) != 1:
            raise ConfigError("HouseholdText is for n_agents = 1; more agents play through ludarium.parallel_env")
        self.batch = Batch(self.simulator, 1, WORLD, record=record)
        self.action_mode, self.strict = action_mode, strict
        text = AnyText()
        self.action_space = gym.spaces.Discrete(self.simulator.actions) if action_mode == "index" else text
        self.observation_space = gym.spaces.Dict({"text": text, "task": text, "step": gym.spaces.Discrete(2**31 - 1)})
        self.render_mode = "ansi"
        self._started = False
        self._nothing = self.simulator.actions - 1
        self._helpful = self.simulator.config.error_style == "helpful"
        self._text = ""

    # --- reset and step ---
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin the episode of this seed; `options` may hold `instance` (a `House` or its JSON form) or `slot`."""
        super().reset(seed=seed)
        options = options or {}
        if set(options) - {"instance", "slot"}:
            raise ConfigError(f"unknown reset options {sorted(options)}; known: instance, slot")
        if seed is not None or not self._started:
            self.batch.seed(_ONE, [int(seed) if seed is not None else int(self.np_random.integers(0, 2**53))])
        instance, slot = options.get("instance"), options.get("slot", -1)
        if slot >= 0 and instance is not None:
            raise InstanceError("an instance and a slot: give one of them")
        self.batch.reset(_ONE, None if instance is None else {0: instance}, slot)
        self._started = True
        self._words: Words = self.simulator.words(self.batch.state, 0)
        self._mask = self._own_mask()
        self._text = self._words.intro
        self._admissible = self._find_admissible()
        return self._observation(), {**self._info("none"), "difficulty": self._difficulty()}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Say a command; what cannot be done is answered with `Nothing happens.` or, if asked for, with the reason."""
        batch, state = self.batch, self.batch.state
        if not self._started or batch.over[0]:
            raise LudariumError("the episode is over; call reset" if self._started else "call reset before step")
        number, reason = self._understand(action)
        batch.actions[0][0, 0] = number
        if batch.simple:
            found = (batch.bound or batch.turner()).step()
            if found != -1:
                batch.attend(found)
        else:
            batch.step()
        if reason != "none":
            self._text = REASONS[reason] if self._helpful else NOTHING_HAPPENS
        else:
            self._text = self._feedback(state)
            self._admissible = self._find_admissible()
        over = batch.summary.item(0, 1) != 0.0
        truncated = over and bool(batch.out.truncated[0])
        return self._observation(), batch.summary.item(0, 0), over and not truncated, truncated, self._info(reason)

    def _understand(self, action: Any) -> tuple[int, str]:
        """The number of an action, and why it is none."""
        if self.action_mode == "text":
            if type(action) is str and action in self._admissible[1]:
                return self._admissible[1][action], "none"
            if not isinstance(action, str) or not action.strip():
                raise ActionError(f"a command is a text that is not empty; got {action!r:.120}")
            text = parse(action, self.strict)
            number = self._admissible[1].get(text)
            if number is not None:
                return number, "none"
            return self._nothing, reason_of(self._words, self.batch.state, 0, 0, text, self.simulator.config.quirks)
        if self.action_mode == "index":
            commands = self._admissible[0]
            if isinstance(action, bool) or not hasattr(action, "__index__") or not 0 <= int(action) < len(commands):
                raise ActionError(f"an index is 0 to {len(commands) - 1} now; got {action!r:.80}")
            return self._admissible[1][commands[int(action)]], "none"
        if self.action_mode == "tool":
            if not isinstance(action, Mapping) or "name" not in action:
                raise ActionError(f"a tool call has a name and arguments; got {action!r:.120}")
            arguments = action.get("arguments", {})
            return int(parse_tool(self.simulator, self.batch.state, 0, 0, action["name"], arguments)), "none"
        return self._template(action), "none"

    def _template(self, action: Any) -> int:
        if isinstance(action, str) or not isinstance(action, Sequence) or not all(isinstance(a, str) for a in action):
            raise ActionError(f"a template is a verb and names, ('take', 'apple 1', 'fridge 1'); got {action!r:.120}")
        for choice in self.simulator.menu(self.batch.state, 0, 0):
            if [choice.verb, *choice.arguments.values()] == list(action):
                return int(choice.action)
        raise ActionError(f"{tuple(action)!r:.200} is no template that is admissible now")

    def _own_mask(self) -> Any:
        assert self.batch.masks[0] is not None
        return self.batch.masks[0][0, 0]

    # --- text ---
    def _feedback(self, state: Any) -> str:
        """What the last action is answered with, from what was said before where it is the same."""
        words, verb = self._words, state.verb.item(0, 0)
        if verb == d.GO:
            r = state.receptacle.item(0, 0)
            return words.arrive[r] + self._view(state, r)
        if verb == d.EXAMINE:
            return self._view(state, state.receptacle.item(0, 0))
        return feedback(words, state, 0, 0)

    def _view(self, state: Any, r: int) -> str:
        """A receptacle and what is in it."""
        key = (r, state.opened.item(0, r), state.content[0, r].tobytes())
        found = self._words.views.get(key)
        if found is None:
            found = self._words.views[key] = self._words.look_at(state, 0, r)
            if len(self._words.views) > _KEPT:
                self._words.views.clear()
        return found

    def _find_admissible(self) -> Admissible:
        """The sorted admissible commands with their numbers."""
        state, words = self.batch.state, self._words
        held, location = state.hold.item(0, 0), state.loc.item(0, 0)
        here = words.here.get(location, ())
        lies: tuple[tuple[int, bytes], ...] = ()
        if len(here) > 1:  # whence a thing is taken is not in the mask then
            lies = tuple((state.opened.item(0, r), state.content[0, r].tobytes()) for r in here)
        key = (held, location, self._mask.tobytes(), lies)
        found = words.admissible.get(key)
        if found is None:
            found = words.admissible[key] = self._make_admissible(state, held)
            if len(words.admissible) > _KEPT:
                words.admissible.clear()
        return found

    def _make_admissible(self, state: Any, held: int) -> Admissible:
        """The commands that lead elsewhere, which hang on the place alone, among those for what is here."""
        words, wide = self._words, self.simulator.config.receptacles
        location = state.loc.item(0, 0)
        go = words.ways.get(location)
        if go is None:
            numbers = {text: r for r, text in enumerate(words.go) if state.place[0, r] != location}
            go = words.ways[location] = (tuple(sorted(numbers)), numbers)
        here = {}
        for action in self._mask[wide:].nonzero()[0].tolist():
            parts = resolve(self.simulator, state, 0, 0, action + wide)
            here[words.command(*parts)] = action + wide
        listed = sorted(here)
        middle = bisect_left(listed, "go to")
        return (*listed[:middle], *go[0], *listed[middle:]), {**here, **go[1]}

    def _observation(self) -> dict[str, Any]:
        return {
            "text": self._text,
            "task": self._words.task,
            "admissible": self._admissible[0],
            "step": self.batch.state.t.item(0),
        }

    def _difficulty(self) -> dict[str, Any] | None:
        """What the house's shortest plan and search say of it, found once; None for goals that the planner does not know."""
        if "difficulty" not in self._words.found:
            self._words.found["difficulty"] = self.simulator.difficulty(self._words.house)
        known = self._words.found["difficulty"]
        return None if known is None else {**known._asdict(), "total": known.total}

    def plan_left(self) -> int | None:
        """Commands to the goal at least, -1 if it is out of reach; it is told when asked for only, never observed."""
        return self.simulator.plan_left(self.batch.state, 0)

    def _info(self, reason: str) -> dict[str, Any]:
        state = self.batch.state
        return {
            "reason": reason,
            "won": state.won.item(0),
            "progress": state.progress.item(0),
            "subgoals": state.subgoals.item(0),
        }

    # --- what all environments have ---
    def render(self) -> str:
        """The last text."""
        return self._text

    def snapshot(self) -> tuple[dict[str, Any], str]:
        """Everything needed to go on from here."""
        return self.batch.snapshot(), self._text

    def restore(self, snapshot: tuple[dict[str, Any], str]) -> dict[str, Any]:
        """Go back to a snapshot; returns the observation there."""
        self.batch.restore(snapshot[0])
        self._started = True
        self._words = self.simulator.words(self.batch.state, 0)
        self._mask = self._own_mask()
        self._text = snapshot[1]
        self._admissible = self._find_admissible()
        return self._observation()

    def digest(self) -> str:
        """The digest of the episode so far, 16 hex digits."""
        return f"{self.batch.digest():016x}"

    def trace(self) -> Trace:
        """The episode so far as data."""
        return self.batch.trace()


assert len(FAULTS) == len(REASONS) + 1
