"""`llm:MODEL?scaffold=react&...`: a language model as an agent, in one seat or in several."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any

from ludarium.agents.contract import Agent, Decision, Task, Turn
from ludarium.agents.llm.budget import Budget, Limits
from ludarium.agents.llm.client import Completion, Request, canonical
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.gateways import GatewaySettings, gateway_for, whole_number
from ludarium.agents.llm.ledger import Charges, Ledger
from ludarium.agents.llm.parse import MAX_REPLY
from ludarium.agents.llm.scaffold import Ask, Scaffold, Script, Setting, UnusableReplyError
from ludarium.agents.llm.scaffolds import scaffold_named
from ludarium.agents.llm.tokens import count_tokens
from ludarium.envs.core.errors import (
    AgentError,
    BudgetExceededError,
    CassetteMissError,
    ConfigError,
    EndpointError,
    LLMError,
    MissingKeyError,
    did_you_mean,
)
from ludarium.wrappers.language import MIN_WINDOW
from ludarium.wrappers.levels import LEVELS, Trial, practised, prior_knowledge

__all__ = ["LLMAgent"]

_HOPELESS = (401, 403, 404)
"""Status of an endpoint that will answer no question: the address or the key is wrong."""


class LLMAgent(Agent):
    """Plays its seats by asking a model; every seat has a conversation of its own.

    Limits of the run (`usd`, `rpm`, `tpm`, `concurrency`) hold for all episodes of the process, `max_calls` and
    `max_tokens` for an episode, `reply_tokens` for one answer, `window_tokens` and `history` (turns) for a prompt.
    `commands=hidden` keeps the admissible commands from the model. `level` 1 to 5 is what it knows beforehand. Further
    options are the scaffold's own. A `gateway` takes the place of all that says how the model is reached.
    """

    waits = True
    view = "text"

    def __init__(
        self,
        model: str,
        scaffold: str = "react",
        *,
        temperature: float | None = None,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        history: int | None = None,
        window_tokens: int | None = 16_000,
        commands: str = "shown",
        level: int = 1,
        examples: int = 1,
        trials: int = 1,
        gateway: Gateway | None = None,
        **options: Any,
    ) -> None:
        kind = scaffold_named(scaffold)
        of_gateway = {f.name for f in dataclasses.fields(GatewaySettings)} - {"model"}
        own = {name: value for name, value in options.items() if name not in of_gateway}
        for name in own:
            if name not in kind.options:
                raise AgentError(f"llm:{model}: unknown option {name!r}{did_you_mean(name, _known(kind))}")
        if commands not in ("shown", "hidden"):
            raise AgentError(f"commands = {commands!r}; expected shown or hidden")
        if level not in LEVELS:
            raise AgentError(f"level = {level!r}; expected 1 to 5")
        try:
            for name, value, least in (("max_calls", max_calls, 1), ("max_tokens", max_tokens, 1), ("history", history, 0),
                                       ("window_tokens", window_tokens, MIN_WINDOW)):  # fmt: skip
                whole_number(name, value, least, optional=True)
            for name, value in (("examples", examples), ("trials", trials)):
                whole_number(name, value, 0)
        except ConfigError as error:
            raise AgentError(f"llm:{model}: {error}") from error
        if temperature is not None and (isinstance(temperature, bool) or not isinstance(temperature, int | float)):
            raise AgentError(f"temperature = {temperature!r}; expected a number")
        if gateway is not None and not isinstance(gateway, Gateway):
            raise AgentError("gateway is an object of Python, not an option of an agent string")
        self.model, self.scaffold, self.view = model, scaffold, kind.view
        try:
            texts = {name: options[name] for name in options if name in of_gateway}
            self._settings = GatewaySettings(str(model), **texts)
            self._limits = Limits(max_calls, max_tokens)
        except ConfigError as error:
            raise AgentError(f"llm:{model}: {error}") from error
        if self._settings.driver == "local" and kind.view == "tools":
            raise AgentError(f"llm:{model}: a local model has no native tool calls; choose another scaffold")
        self._kind, self._own, self._given = kind, own, gateway
        self._temperature, self._commands, self._level = temperature, commands == "shown", level
        self._history, self._window = history, window_tokens
        self._examples, self._trials = examples, trials
        self._memory: dict[str, dict[str, Any]] = {}
        self._lent: tuple[Budget, Ledger, Counter[str]] | None = None

    # --- the episode -----------------------------------------------------------------------------------------------
    def start(self, task: Task, seats: tuple[str, ...], seed: int) -> None:
        """Begin an episode: new conversations, a new budget."""
        self._task, self._seed = task, seed
        who = [task.id, task.config, list(seats), seed, self.model, self.scaffold, self._level, self._commands]
        self._episode = hashlib.blake2b(canonical(who).encode(), digest_size=8).hexdigest()
        self._budget = self._lent[0] if self._lent else Budget(self._limits, "episode")
        self._rows = self._lent[1] if self._lent else Ledger(keep=True)
        self._accounts = {
            seat: Account(self._episode, "agent", seat, budget=self._budget, ledger=self._rows) for seat in seats
        }
        self._scaffolds: dict[str, Scaffold] = {}
        self._practised: dict[str, list[Trial]] = {}
        self._before: Counter[str] = Counter()

    def act(self, turns: dict[str, Turn]) -> dict[str, Any]:
        """Ask for all seats together, round by round, until each has decided."""
        gateway = self._given or gateway_for(self._settings)
        self._prepare(turns)
        spent = {seat: Counter[str]() for seat in turns}
        decided: dict[str, Decision] = {}
        waiting: dict[str, tuple[Script[Decision], Ask]] = {}

        def go_on(seat: str, script: Script[Decision], step: Callable[[], Ask]) -> None:
            try:
                waiting[seat] = script, step()
            except StopIteration as end:
                decided[seat] = end.value
            except UnusableReplyError as error:
                decided[seat] = self._fallback(seat, turns[seat], "reply", str(error), error.raw)

        for seat, turn in turns.items():
            script = self._scaffolds[seat].turn(turn)
            self._accounts[seat].step = turn.step
            go_on(seat, script, lambda s=script: next(s))  # type: ignore[misc]
        while waiting:
            asked, waiting = waiting, {}
            requests = [self._request(seat, ask) for seat, (_, ask) in asked.items()]
            outcomes = gateway.call_all(requests, [self._accounts[seat] for seat in asked])
            for (seat, (script, _)), outcome in zip(asked.items(), outcomes, strict=True):
                _charge(spent[seat], outcome)
                if isinstance(outcome, LLMError):
                    script.close()
                    decided[seat] = self._given_up(seat, turns[seat], outcome, gateway)
                else:
                    go_on(seat, script, lambda s=script, a=outcome: s.send(a))  # type: ignore[misc]
        spent[next(iter(turns))].update(self._before)
        self._before.clear()
        return {seat: self._noted(seat, decided[seat], spent[seat], gateway) for seat in turns}

    def finish(self, result: dict[str, Any]) -> None:
        """Tell the scaffolds, some of which learn from it."""
        for scaffold in self._scaffolds.values():
            scaffold.finish(result)

    def transcript(self) -> list[dict[str, Any]]:
        """All calls of the episode, and what was made of each."""
        return list(self._rows.rows)

    # --- parts -----------------------------------------------------------------------------------------------------
    def _prepare(self, turns: dict[str, Turn]) -> None:
        """Make the scaffold of each seat that is asked for the first time."""
        for seat, turn in turns.items():
            if seat in self._scaffolds:
                continue
            opening = str(turn.observation)
            key = canonical([self._task.id, self._task.config, seat, opening])
            setting = Setting(
                self._task,
                seat,
                self._prior(seat, opening),
                self._commands,
                self._history,
                self._window,
                count_tokens,
                self._own,
                self._memory.setdefault(key, {}),
            )
            self._scaffolds[seat] = self._kind(setting)

    def _prior(self, seat: str, opening: str) -> str:
        """What the seat knows beforehand; at level 3 and above the agent first plays trials, on this episode's account."""
        role = seat.rsplit("_", 1)[0]
        if self._level >= 3 and role not in self._practised:
            self._practised[role] = [self._practice(seat, n) for n in range(self._trials)]
        tokens = (self._window or 16_000) // 12
        return prior_knowledge(
            self._task.id, self._task.config, self._level, seat,
            own=self._practised.get(role, ()), count=self._examples, opening=opening, tokens=tokens,
        )  # fmt: skip

    def _practice(self, seat: str, n: int) -> Trial:
        """A trial of an agent of the same settings without trials of its own, on this one's account."""
        twin = LLMAgent.__new__(LLMAgent)
        twin.__dict__.update(self.__dict__)
        twin._level, twin._memory = 1, {}
        twin._lent = (self._budget, self._rows, self._before)
        return practised(self._task.id.split(":")[-1], self._task.config, twin, seat, n)

    def _request(self, seat: str, ask: Ask) -> Request:
        warm = self._temperature is not None and self._temperature > 0
        return Request(
            str(self.model),
            ask.messages,
            ask.tools,
            temperature=self._temperature,
            seed=self._seed % 2**31 if warm else None,
            session=f"{self._episode}/{seat}",
        )

    def _given_up(self, seat: str, turn: Turn, error: LLMError, gateway: Gateway) -> Decision:
        """The model was not asked, or did not answer. What no other turn can mend is raised."""
        if isinstance(error, CassetteMissError | MissingKeyError):
            raise error
        so_far = gateway.ledger.totals
        unreached = isinstance(error, EndpointError) and error.kind == "connection" and so_far.failed == so_far.turns
        if unreached or (isinstance(error, EndpointError) and error.status in _HOPELESS):
            raise ConfigError(f"the endpoint of {self.model} cannot be used: {error}") from error
        why = "budget" if isinstance(error, BudgetExceededError) else "endpoint"
        return self._fallback(seat, turn, why, str(error), "")

    def _fallback(self, seat: str, turn: Turn, why: str, message: str, raw: str) -> Decision:
        scaffold = self._scaffolds[seat]
        scaffold.lost(turn, message)
        control = scaffold.control
        return Decision(None, raw[:MAX_REPLY], "fallback", control.goal, control.as_text(), why=why, message=message)

    def _noted(self, seat: str, decision: Decision, spent: Counter[str], gateway: Gateway) -> Decision:
        """The decision with what it cost, written into the transcript."""
        if self._lent:
            self._lent[2].update(spent)
        self._rows.note(
            self._accounts[seat].last_call,
            gateway.redactor,
            episode=self._episode, seat=seat, step=self._accounts[seat].step, status=decision.status, why=decision.why,
            action=decision.action, subgoal=decision.subgoal, control=decision.control,
        )  # fmt: skip
        return dataclasses.replace(decision, usage={name: n for name, n in spent.items() if n})


def _charge(spent: Counter[str], outcome: Completion | LLMError) -> None:
    """Add what a request took, its failed tries included."""
    charges = outcome.charges or Charges() if isinstance(outcome, LLMError) else None
    usage = charges.usage if charges is not None else outcome.charged  # type: ignore[union-attr]
    calls = charges.calls if charges is not None else outcome.attempts  # type: ignore[union-attr]
    money = charges.micro_dollars if charges is not None else outcome.micro_dollars  # type: ignore[union-attr]
    unpriced = charges.unpriced if charges is not None else calls if money is None else 0
    spent.update(
        prompt=usage.prompt, completion=usage.completion, calls=calls, micro_dollars=money or 0, unpriced=unpriced
    )


def _known(kind: type[Scaffold]) -> list[str]:
    own = set(inspect.signature(LLMAgent).parameters) - {"model", "gateway", "options"}
    return [*own, *(f.name for f in dataclasses.fields(GatewaySettings)), *kind.options]
