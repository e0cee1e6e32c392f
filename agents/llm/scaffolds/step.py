"""SteP (Sodhi et al., COLM 2024): a stack of policies that call one another.

The policy on top acts, or calls another one with an objective, or stops and answers its caller. The stack has at most
`MAX_DEPTH` frames, and a step of the world at most `MAX_CALLS` calls and stops; after these the model must act. Policies
come from a TOML file: a table each with `about`, `prompt` and `calls` (the policies that it may call); the first is the
root.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, NamedTuple

from ludarium.agents.contract import Decision, Turn
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.control import MAX_DEPTH, ControlState
from ludarium.agents.llm.parse import Reading, ReplyError, checked, read_action, read_tag
from ludarium.agents.llm.scaffold import Scaffold, Script, Setting
from ludarium.agents.llm.scaffolds.files import read_toml, shipped
from ludarium.envs.core.errors import FileFormatError, did_you_mean

__all__ = ["MAX_CALLS", "Policy", "Step", "read_policies"]

MAX_CALLS = 6
"""Calls and stops in one step of the world."""


class Policy(NamedTuple):
    """One policy of the library."""

    about: str
    prompt: str
    calls: tuple[str, ...]


class Step(Scaffold):
    """One call a turn, and one more for each policy that is called or stops."""

    form = (
        "You are the policy on top of the stack. Think briefly if you must, then reply with exactly one of these:\n"
        "<action>an action in the world</action>\n"
        "<call>policy: objective</call>  to have another policy reach something for you\n"
        "<stop>answer</stop>  when your objective is reached or cannot be; the answer goes to your caller"
    )
    options = frozenset({"policies"})

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        given = setting.options.get("policies")
        path = Path(str(given)) if given else shipped("policies", setting.task.id, "general")
        self.policies = read_policies(path)

    def turn(self, turn: Turn) -> Script[Decision]:
        """Run the stack until its top acts."""
        before = self.control
        if not before.kind:
            self.control = ControlState.of_stack((next(iter(self.policies)), ""))
        for n in range(MAX_CALLS + 1):
            must_act = n == MAX_CALLS
            prompt = self.prompt(turn, *(["You have called enough: act now."] if must_act else []))
            read = functools.partial(self._read, turn=turn, must_act=must_act)
            settled = yield from self.ask(prompt, read, turn, more=self._shown())
            self.remember(prompt, settled, turn)
            kind, value = settled.value
            if kind == "action":
                break
            if kind == "call":
                self.control = self.control.pushed(*value)
            else:
                policy, objective = self.control.stack[-1]
                self.control = self.control.popped()
                self.notes.append(f"Policy {policy} ({objective}) has stopped and answers: {value[:500]}")
        if before.kind:
            self.control = before.then(self.control)
        return self.decided(settled, value)

    def _shown(self) -> str:
        """The stack and what its top may do."""
        lines = [f"{'  ' * n}{policy}: {objective}" for n, (policy, objective) in enumerate(self.control.stack)]
        top = self.policies[self.control.stack[-1][0]]
        known = [f"- {name}: {self.policies[name].about}" for name in top.calls]
        calls = "\nPolicies that you may call:\n" + "\n".join(known) if known else "\nYou may call no other policy."
        return "The stack of policies (the last one is you):\n" + "\n".join(lines) + f"\n\n{top.prompt}{calls}"

    def _read(self, answer: Completion, turn: Turn, must_act: bool) -> Reading:
        text, cut = checked(answer), answer.finish == "length"
        wanted = {name: read_tag(text, name, True) for name in ("action", "call", "stop")}
        given = [name for name, value in wanted.items() if value is not None]
        if len(given) > 1:
            raise ReplyError("ambiguous", f"Your reply has {' and '.join(f'<{name}>' for name in given)}; give one.")
        if given == ["call"] and not must_act:
            return self._call(str(wanted["call"]))
        if given == ["stop"] and not must_act:
            if len(self.control.stack) == 1:
                raise ReplyError("no_action", "The root policy cannot stop while the episode goes on.")
            return Reading(("stop", wanted["stop"]))
        if given in (["call"], ["stop"]):
            raise ReplyError("no_action", "There were calls enough in this step; now comes an action.")
        if not given and not cut and "<stop" in text:  # an answer may be empty
            return Reading(("stop", "done")) if len(self.control.stack) > 1 and not must_act else _none()
        action = read_action(answer, turn.commands)
        return Reading(("action", action.value), action.mended)

    def _call(self, text: str) -> Reading:
        found = re.match(r"\s*(\w+)\s*(?::|\s|\(|\[|$)\s*(.*?)[)\]]?\s*\Z", text, re.S)
        name, objective = (found[1].lower(), found[2]) if found else ("", "")
        allowed = self.policies[self.control.stack[-1][0]].calls
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise ReplyError("illegal", f"There is no policy {text[:80]!r} that you may call; there are: {known}.")
        if len(self.control.stack) == MAX_DEPTH:
            raise ReplyError("illegal", f"The stack is {MAX_DEPTH} deep; act, or stop.")
        return Reading(("call", (name, objective or "(none)")))


def _none() -> Reading:
    raise ReplyError("no_action", "Your reply has no <action>...</action>.")


def read_policies(path: Path) -> dict[str, Policy]:
    """Read a library of policies; `FileFormatError` for one that is none."""
    found: dict[str, Policy] = {}
    given = read_toml(path)
    for name, entry in given.items():
        if not re.fullmatch(r"[a-z_]\w*", name) or not isinstance(entry, dict) or set(entry) - set(Policy._fields):
            raise FileFormatError(path, f"policy {name!r}: expected a table with about, prompt and calls")
        calls: Any = entry.get("calls", [])
        texts = (entry.get("about", ""), entry.get("prompt", ""))
        if not all(isinstance(t, str) for t in texts) or not isinstance(calls, list) or not texts[1]:
            raise FileFormatError(path, f"policy {name!r}: about and prompt are texts, calls is a list")
        for other in calls:
            if other not in given:
                raise FileFormatError(path, f"policy {name!r} calls {other!r}{did_you_mean(str(other), given)}")
        found[name] = Policy(*texts, tuple(calls))
    if not found:
        raise FileFormatError(path, "has no policies")
    return found
