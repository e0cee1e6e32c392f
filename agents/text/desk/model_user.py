"""A user that a language model plays: behind an endpoint, or any function from chat messages to text.

In a scenario file, with `--allow-code`, since it reaches out of the suite:

    [seats]
    user = "ludarium.agents.text.desk.model_user:ModelUser?model=MODEL&base_url=http://localhost:8000/v1"
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from ludarium.agents.contract import Agent, Decision, Task, Turn
from ludarium.agents.llm.budget import Budget, Limits
from ludarium.agents.llm.client import Completion, Request, canonical
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.gateways import GatewaySettings, gateway_for
from ludarium.agents.llm.ledger import Ledger
from ludarium.envs.core.errors import AgentError, BudgetExceededError, ConfigError, EndpointError

__all__ = ["ModelUser"]

Complete = Callable[[list[dict[str, Any]]], str]
_COUNTED = ("calls", "prompt", "completion", "micro_dollars", "unpriced")


class ModelUser(Agent):
    """Plays `user_0` by asking a model once a turn; what it answers is in the trace, so replays need no model.

    The scenario in words is the system's message, the conversation so far the user's; the tools on the customer's own
    device are offered as functions. `options` are those of the gateway, as for `llm:` (`base_url`, `mode`, `cassette`,
    `prices`, ...); tokens and money are counted on the user's side of the episode. With `complete`, a function from chat
    messages to the user's next words (or a call as JSON), nothing is counted.
    """

    view = "tools"
    waits = True

    def __init__(
        self,
        complete: Complete | None = None,
        *,
        model: str = "",
        temperature: float | None = None,
        max_calls: int | None = None,
        gateway: Gateway | None = None,
        **options: Any,
    ) -> None:
        if (complete is None) == (not model) or not (complete is None or callable(complete)):
            raise AgentError("a model that plays the user is named by model=MODEL, or is a Python function, not both")
        self._complete, self._model, self._temperature, self._given = complete, str(model), temperature, gateway
        try:
            self._settings = GatewaySettings(self._model, **options) if model else None
            self._limits = Limits(max_calls)
        except (ConfigError, TypeError) as error:
            raise AgentError(f"the model {model!r} that plays the user: {error}") from error

    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Begin an episode: a new budget, a new transcript."""
        if task.id.split(":")[-1] != "text-desk-v0":
            raise AgentError(f"{type(self).__name__} is a user of text-desk-v0, not of {task.id}")
        self._seed = seed
        name = canonical([task.id, task.config, list(seats), seed, self._model])
        self._rows = Ledger(keep=True)
        self._account = Account(
            hashlib.blake2b(name.encode(), digest_size=8).hexdigest(), "user", seats[0],
            budget=Budget(self._limits, "episode"), ledger=self._rows,
        )  # fmt: skip

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Ask the model once a turn."""
        return {seat: self._answer(turn) for seat, turn in turns.items()}

    def transcript(self) -> list[dict[str, Any]]:
        """All calls of the episode."""
        return list(self._rows.rows)

    def _answer(self, turn: Turn) -> Decision:
        own = [tool for tool in turn.tools or () if tool["name"] != "say"]
        instructions, _, talk = str(turn.observation).partition("\n\n")
        talk = talk or "Begin."
        if self._complete is not None:
            told = "" if not own else "\nYour tools, called as JSON with name and arguments:\n" + json.dumps(own)
            said = self._complete(_messages(instructions + told, talk))
            return Decision(said, raw=said)
        return self._asked(_messages(instructions, talk), own, turn.step)

    def _asked(self, messages: list[dict[str, Any]], own: list[dict[str, Any]], step: int) -> Decision:
        """The model's answer as a decision with its cost; a fallback where there is none."""
        assert self._settings is not None
        gateway = self._given or gateway_for(self._settings)
        warm = self._temperature is not None and self._temperature > 0
        request = Request(
            self._model, tuple(messages), tuple({"type": "function", "function": tool} for tool in own),
            temperature=self._temperature, seed=self._seed % 2**31 if warm else None,
        )  # fmt: skip
        before, self._account.step = self._rows.totals.as_dict(), step
        why, message, action = "", "", ""
        try:
            action = _action(gateway.call(request, self._account))
        except BudgetExceededError as error:
            why, message = "budget", str(error)
        except EndpointError as error:
            why, message = "endpoint", str(error)
        after = self._rows.totals.as_dict()
        usage = {name: after[name] - before[name] for name in _COUNTED if after[name] > before[name]}
        if why:
            return Decision(None, "", "fallback", usage=usage, why=why, message=message)
        return Decision(action, raw=action, usage=usage)


def _messages(system: str, user: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


def _action(answer: Completion) -> str:
    """Words, or the calls of the customer's tools; the desk says what is wrong with them, if anything is."""
    if not answer.tool_calls:
        return answer.text
    calls = [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in answer.tool_calls
    ]
    return json.dumps({"role": "assistant", "content": None, "tool_calls": calls})
