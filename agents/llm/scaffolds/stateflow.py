"""StateFlow (Wu et al., COLM 2024): a state machine whose states own their prompts, read from TOML.

Before each turn the first rule of the state that fits what was just told moves the machine; where none fits the model
may name the next state, of those that the state offers. A short memory is enough: a move forgets all but the last turns.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.control import ControlState
from ludarium.agents.llm.parse import Reading, ReplyError, checked, read_action, read_tag
from ludarium.agents.llm.scaffold import Scaffold, Script, Setting
from ludarium.agents.llm.scaffolds.files import read_toml, shipped
from ludarium.envs.core.errors import FileFormatError, did_you_mean
from ludarium.wrappers.language import repeats

__all__ = ["Machine", "Rule", "State", "Stateflow", "read_machine"]

_KEPT = 2
"""Turns that are still known after a move."""
_CONDITIONS = ("task", "told", "did", "can")


class Rule(NamedTuple):
    """All conditions that are given must be found: in the first text, the new text, the last action, any command."""

    to: str
    task: re.Pattern[str] | None = None
    told: re.Pattern[str] | None = None
    did: re.Pattern[str] | None = None
    can: re.Pattern[str] | None = None


class State(NamedTuple):
    """One state: its prompt, its rules in order, and the states that the model may choose."""

    prompt: str
    rules: tuple[Rule, ...]
    choices: tuple[str, ...]


class Machine(NamedTuple):
    """A state machine; a text that `stay` is found in moves nothing."""

    start: str
    states: dict[str, State]
    stay: re.Pattern[str] | None

    def move(self, state: str, task: str, told: str, did: str, commands: tuple[str, ...]) -> str:
        """The state after what was just told."""
        if self.stay is not None and self.stay.search(told):
            return state
        for rule in self.states[state].rules:
            texts = ((rule.task, (task,)), (rule.told, (told,)), (rule.did, (did,)), (rule.can, commands))
            if all(pattern is None or any(pattern.search(text) for text in found) for pattern, found in texts):
                return rule.to
        return state


class Stateflow(Scaffold):
    """One call a turn."""

    form = "Reply in exactly this form, with one action:\n<action>the action</action>"
    options = frozenset({"machine"})

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        given = setting.options.get("machine")
        self.machine = read_machine(Path(str(given)) if given else shipped("machines", setting.task.id))
        self.state = ""
        self.chosen = ""
        self.told = self.did = ""

    def turn(self, turn: Turn) -> Script[Decision]:
        """Move the machine, then ask with the prompt of its state."""
        self._move(turn)
        state = self.machine.states[self.state]
        form = self.form
        if state.choices:
            form += "\nIf the next turn should be another state's, add <state>name</state>: " + ", ".join(state.choices)
        prompt = self.prompt(turn)
        settled = yield from self.ask(
            prompt, lambda a: self._read(a, turn, state), turn, form=form, more=f"Now: {self.state}\n{state.prompt}"
        )
        self.remember(prompt, settled, turn)
        action, self.chosen = settled.value
        self.did = action if isinstance(action, str) else json.dumps(action)
        return self.decided(settled, action)

    def _move(self, turn: Turn) -> None:
        now = str(turn.observation)
        new = now
        if repeats(self.told, now):
            new = "\n".join(now.split("\n")[len(self.told.split("\n")) - 1 :])
        self.told = now
        before = self.state
        if not before:
            self.state = self.machine.start
        else:
            self.state = self.machine.move(before, self.opening, new, self.did, turn.commands or ())
            if self.state == before and self.chosen:
                self.state = self.chosen
        self.chosen = ""
        if self.state != before:
            self._cut = self._cut or len(self.earlier) > _KEPT
            self.earlier = self.earlier[-_KEPT:]
        self.control = self.control.then(ControlState.of_state(self.state))

    def _read(self, answer: Completion, turn: Turn, state: State) -> Reading:
        action = read_action(answer, turn.commands)
        wanted = (read_tag(checked(answer), "state", True) or "").strip().lower()
        if wanted in (self.state, ""):
            wanted = ""
        elif wanted not in state.choices:
            raise ReplyError("illegal", f"{wanted!r:.80} is no state that can be chosen here{_among(state)}.")
        return Reading((action.value, wanted), action.mended)


def _among(state: State) -> str:
    return f"; there are {', '.join(state.choices)}" if state.choices else "; leave <state> out"


def read_machine(path: Path) -> Machine:
    """Read a machine; `FileFormatError` names the state or the pattern that is wrong."""
    given = read_toml(path)
    states = given.get("states")
    if not isinstance(states, dict) or not states or set(given) - {"start", "stay", "states"}:
        raise FileFormatError(path, "a machine has start, stay (optional) and tables [states.NAME]")
    if given.get("start") not in states:
        raise FileFormatError(path, f"start = {given.get('start')!r}{did_you_mean(str(given.get('start')), states)}")
    made = {name: _state(path, name, entry, states) for name, entry in states.items()}
    return Machine(given["start"], made, _pattern(path, "stay", given.get("stay")))


def _state(path: Path, name: str, entry: Any, states: dict[str, Any]) -> State:
    if not isinstance(entry, dict) or set(entry) - {"prompt", "next", "choices"} or not isinstance(
        entry.get("prompt"), str
    ):  # fmt: skip
        raise FileFormatError(path, f"state {name!r}: expected prompt (a text), next (rules) and choices (names)")
    rules, choices = entry.get("next", []), entry.get("choices", [])
    if not isinstance(rules, list) or not isinstance(choices, list):
        raise FileFormatError(path, f"state {name!r}: next and choices are lists")
    made = []
    for rule in rules:
        if not isinstance(rule, dict) or set(rule) - {"to", *_CONDITIONS}:
            raise FileFormatError(path, f"state {name!r}: a rule has `to` and some of {', '.join(_CONDITIONS)}")
        made.append(Rule(str(rule.get("to")), *(_pattern(path, name, rule.get(c)) for c in _CONDITIONS)))
    for target in [*(rule.to for rule in made), *choices]:
        if target not in states:
            raise FileFormatError(path, f"state {name!r} leads to {target!r}{did_you_mean(str(target), states)}")
    return State(entry["prompt"], tuple(made), tuple(choices))


def _pattern(path: Path, where: str, text: Any) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text, re.I | re.M)
    except (re.error, TypeError) as error:
        raise FileFormatError(path, f"{where}: {text!r:.80} is no regular expression: {error}") from error
