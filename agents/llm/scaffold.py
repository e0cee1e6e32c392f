"""What all scaffolds share: a conversation in a window, one repair message, and no guess after that.

A scaffold plays one seat of one episode. Its `turn` is a generator: it yields an `Ask`, is sent the `Completion`, and
returns a `Decision`. So it reads as if it called the model itself, while the agent asks for all its seats together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import Any, ClassVar, NamedTuple, TypeVar

from ludarium.agents.contract import Decision, Task, Turn
from ludarium.agents.llm.client import Completion
from ludarium.agents.llm.control import ControlState
from ludarium.agents.llm.parse import Reading, ReplyError, read_action
from ludarium.agents.llm.prompts import lay_out, repair, system_prompt
from ludarium.agents.llm.tokens import TokenCounter, count_tokens
from ludarium.envs.core.errors import AgentError
from ludarium.wrappers.language import Exchange, clipped, repeats, window

__all__ = ["Ask", "Scaffold", "Script", "Setting", "Settled", "UnusableReplyError"]

T = TypeVar("T")
_CLIPPED = 400
"""Tokens of a reply that could not be used, when it is shown to its model again."""


class Ask(NamedTuple):
    """One question to the model."""

    messages: tuple[dict[str, Any], ...]
    tools: tuple[dict[str, Any], ...] = ()


Script = Generator[Ask, Completion, T]
"""Something that asks, is sent the answers, and returns a value."""


class UnusableReplyError(AgentError):
    """The reply, and the reply to the repair message, are no action."""

    def __init__(self, message: str, raw: str) -> None:
        super().__init__(message)
        self.raw = raw


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a scaffold is told about its seat and its limits."""

    task: Task
    seat: str
    prior: str = ""
    """What is known beforehand, for the level of prior knowledge."""
    commands: bool = True
    """Whether the model is shown the admissible commands."""
    history: int | None = None
    """Turns of the conversation that are sent again; None: all."""
    window_tokens: int | None = None
    count: TokenCounter = count_tokens
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The scaffold's own."""
    memory: dict[str, Any] = dataclasses.field(default_factory=dict)
    """What outlives the episode, where the same agent plays the same task again."""


class Settled(NamedTuple):
    """A reply that was understood."""

    value: Any
    raw: str
    status: str
    """`ok`, or `repaired` where it took a fuzzy match or the repair message."""
    message: dict[str, Any]
    """The reply as a message of the conversation."""


class Scaffold:
    """Base of all scaffolds; `form` says how the model is to answer."""

    view: ClassVar[str] = "text"
    form: ClassVar[str] = ""
    options: ClassVar[frozenset[str]] = frozenset()
    """Options of its own in the agent string."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.control = ControlState()
        self.earlier: list[Exchange] = []
        self.opening = ""
        self.notes: list[str] = []
        """What the next prompt says before the observation; then it is cleared."""

    def turn(self, turn: Turn) -> Script[Decision]:
        """Decide what to do."""
        raise NotImplementedError(f"{type(self).__name__} must define turn")
        yield

    def lost(self, turn: Turn, why: str) -> None:
        """The turn ended with a fallback: say so next time, and keep the control state as it is, a turn older."""
        self.control = self.control.older() if self.control.kind else self.control
        self.notes.append(f"(Your last reply could not be used; a default action was taken instead. {why[:200]})")

    def finish(self, result: dict[str, Any]) -> None:
        """The episode is over."""

    # --- helpers ---
    def system(self, form: str | None = None, more: str = "") -> str:
        """The system's message; `more` stands before how to answer."""
        s = self.setting
        prior = "\n\n".join(part for part in (s.prior, more) if part)
        return system_prompt(s.task, s.seat, self.form if form is None else form, prior, self._opening())

    def _opening(self) -> str:
        """What the world told first (the task, in many), once that has left the window."""
        history = self.setting.history
        gone = history is not None and len(self.earlier) > history
        return self.opening if gone or self._cut else ""

    _cut = False

    def prompt(self, turn: Turn, *notes: str) -> str:
        """The turn as a prompt."""
        if not self.opening:
            self.opening = str(turn.observation)
        waiting, self.notes = self.notes, []
        s = self.setting
        return lay_out(s.task, s.seat, turn, [*waiting, *notes], commands=s.commands)

    def ask(
        self,
        prompt: str,
        read: Callable[[Completion], Reading],
        turn: Turn | None = None,
        *,
        form: str | None = None,
        more: str = "",
        tools: tuple[dict[str, Any], ...] = (),
        history: bool = True,
    ) -> Script[Settled]:
        """Ask once, and once more if the reply cannot be read; `UnusableReplyError` after that."""
        form = self.form if form is None else form
        said = str(turn.observation) if turn is not None else ""
        messages = self._window(form, more, self.earlier if history else [], prompt, said, tools)
        answer = yield Ask(messages, tools)
        try:
            reading = read(answer)
            return Settled(reading.value, answer.text, "repaired" if reading.mended else "ok", message_of(answer))
        except ReplyError as error:
            shown = turn.commands if turn is not None and self.setting.commands else None
            again = repair(str(error), form, shown)
        bad = {"role": "assistant", "content": clipped(answer.text, _CLIPPED, self.setting.count) or "(nothing)"}
        messages = self._window(form, more, [Exchange(prompt, (bad,))], again, "", tools)
        answer = yield Ask(messages, tools)
        try:
            reading = read(answer)
        except ReplyError as error:
            raise UnusableReplyError(str(error), answer.text) from error
        return Settled(reading.value, answer.text, "repaired", message_of(answer))

    def _window(
        self, form: str, more: str, earlier: list[Exchange], prompt: str, said: str, tools: tuple[dict[str, Any], ...]
    ) -> tuple[dict[str, Any], ...]:
        s = self.setting

        def made() -> tuple[dict[str, Any], ...]:
            return window(
                self.system(form, more), earlier, prompt,
                now=said, history=s.history, tokens=s.window_tokens, tools=tools, count=s.count,
            )  # fmt: skip

        messages = made()
        asked = sum(message["role"] == "user" for message in messages) - 1
        if not self._cut and s.window_tokens is not None and earlier is self.earlier and asked < len(earlier):
            self._cut = bool(self.opening) and not repeats(self.opening, said)
            messages = made()
        return messages

    def act(self, turn: Turn, *notes: str, more: str = "") -> Script[Settled]:
        """Ask for the action of a turn in this scaffold's form, and remember the exchange."""
        prompt = self.prompt(turn, *notes)
        settled = yield from self.ask(prompt, lambda answer: read_action(answer, turn.commands), turn, more=more)
        self.remember(prompt, settled, turn)
        return settled

    def remember(self, prompt: str, settled: Settled, turn: Turn, *more: dict[str, Any]) -> None:
        """Add an exchange to the conversation."""
        self.earlier.append(Exchange(prompt, (settled.message, *more), str(turn.observation)))

    def decided(self, settled: Settled, action: Any = None) -> Decision:
        """What was settled, as a decision under the control state of now."""
        return Decision(
            settled.value if action is None else action,
            raw=settled.raw,
            status=settled.status,
            subgoal=self.control.goal,
            control=self.control.as_text(),
        )


def message_of(answer: Completion) -> dict[str, Any]:
    """A reply as a message of the conversation."""
    if not answer.tool_calls:
        return {"role": "assistant", "content": answer.text}
    first = answer.tool_calls[0]
    function = {"name": first["name"], "arguments": first["arguments"]}
    return {
        "role": "assistant",
        "content": answer.text or None,
        "tool_calls": [{"id": first["id"], "type": "function", "function": function}],
    }
