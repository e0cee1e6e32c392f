"""The way to a model: a driver behind retries, limits of pace, budgets, a recording and a ledger.

All calls of a process run on one background event loop, so that episodes in threads share limits and budgets. Answers
come back in the order of the questions, whatever the order in which they arrive.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ludarium.agents.llm import background
from ludarium.agents.llm.budget import Budget, Cost, Limits, Prices, reserve
from ludarium.agents.llm.cassette import Cassette
from ludarium.agents.llm.client import Completion, Driver, Request, Usage, canonical
from ludarium.agents.llm.ledger import Charges, Ledger
from ludarium.agents.llm.limits import Limiter
from ludarium.agents.llm.redact import Redactor
from ludarium.agents.llm.retry import Clock, RetryPolicy, retried
from ludarium.agents.llm.tokens import TokenCounter, count_tokens, prompt_tokens
from ludarium.envs.core.errors import ConfigError, EndpointError, LLMError

__all__ = ["Account", "Gateway"]

_QUESTIONS = itertools.count()


@dataclasses.dataclass
class Account:
    """On whose account a call is made: one side of one episode. Use one object for all its calls."""

    episode: str = ""
    side: str = "agent"
    """`agent`, or `user` for a simulated user that a model plays; the ledger adds both up."""
    seat: str = ""
    budget: Budget | None = None
    """The episode's; sides may share one."""
    ledger: Ledger | None = None
    """The episode's own, beside the gateway's; with a path it is the episode's transcript."""
    step: int = 0
    """Where the episode is, for transcripts; whoever plays sets it."""
    last_call: int = 0
    """Number of the latest call in `ledger` (or the gateway's where there is none), for `Ledger.note`."""
    asked: Counter[str] = dataclasses.field(default_factory=Counter)
    """How often each request was made, by key."""

    @property
    def session(self) -> str:
        """The name under which requests without a session of their own are made."""
        return "/".join(part for part in (self.episode, self.side, self.seat) if part)


class Gateway:
    """Asks a model. `complete` and `complete_all` are awaited, `call` and `call_all` wait; all four may be mixed.

    Without a driver it can only replay. `max_tokens` is what requests get that name no limit of their own: a budget can
    hold only what is bounded. Errors are `LLMError`s: `EndpointError` (after the last try), `BudgetExceededError`,
    `CassetteMissError`.
    """

    def __init__(
        self,
        driver: Driver | None,
        *,
        retry: RetryPolicy | None = None,
        limiter: Limiter | None = None,
        budget: Budget | None = None,
        per_call: Limits | None = None,
        prices: Prices | None = None,
        ledger: Ledger | None = None,
        cassette: Cassette | None = None,
        max_tokens: int = 1024,
        count: TokenCounter = count_tokens,
        clock: Clock | None = None,
        uniform: Callable[[], float] | None = None,
    ) -> None:
        if driver is None and (cassette is None or cassette.mode != "replay"):
            raise ConfigError("a gateway without a driver can only replay: give a driver, or a cassette in mode replay")
        if max_tokens < 1:
            raise ConfigError(f"max_tokens = {max_tokens!r}: expected at least 1")
        self.driver, self.cassette, self.max_tokens = driver, cassette, max_tokens
        self.budget = budget or Budget(scope="run")
        self.ledger = ledger or Ledger()
        self.limiter = limiter or Limiter(clock=clock)
        self.redactor = Redactor(driver.secrets if driver is not None else ())
        self.sent = 0
        """Tries that went to the driver."""
        self._retry, self._per_call, self._prices = retry or RetryPolicy(), per_call, prices or Prices()
        self._count, self._clock = count, clock or Clock()
        self._uniform = uniform or random.Random().random  # jitter must differ from process to process

    @property
    def mode(self) -> str:
        """`live`, `record` or `replay`."""
        return "live" if self.cassette is None else self.cassette.mode

    async def complete(self, request: Request, account: Account | None = None) -> Completion:
        """Return the model's answer."""
        work = self._complete(request, account or Account())
        return await (work if background.is_here() else asyncio.wrap_future(background.submit(work)))

    async def complete_all(
        self, requests: Sequence[Request], accounts: Sequence[Account] | None = None
    ) -> list[Completion | LLMError]:
        """Return the answers in the order of the requests; a request that failed has its error in its place."""
        work = self._complete_all(requests, accounts)
        return await (work if background.is_here() else asyncio.wrap_future(background.submit(work)))

    def call(self, request: Request, account: Account | None = None) -> Completion:
        """`complete`, for callers that wait."""
        return background.run(self._complete(request, account or Account()))

    def call_all(
        self, requests: Sequence[Request], accounts: Sequence[Account] | None = None
    ) -> list[Completion | LLMError]:
        """`complete_all`, for callers that wait."""
        return background.run(self._complete_all(requests, accounts))

    def close(self) -> None:
        """Give back connections and files."""
        if self.driver is not None:
            background.run(self.driver.close())
        if self.cassette is not None:
            self.cassette.close()
        self.ledger.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _complete_all(
        self, requests: Sequence[Request], accounts: Sequence[Account] | None
    ) -> list[Completion | LLMError]:
        given = accounts if accounts is not None else [Account() for _ in requests]
        work = [self._complete(request, account) for request, account in zip(requests, given, strict=True)]
        found: list[Completion | LLMError] = []
        for outcome in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(outcome, LLMError):
                raise outcome
            found.append(outcome)
        return found

    async def _complete(self, request: Request, account: Account) -> Completion:
        """One request from beginning to end: answered, recorded, entered in the ledger."""
        request = dataclasses.replace(
            request,
            session=request.session or account.session,
            max_tokens=self.max_tokens if request.max_tokens is None else request.max_tokens,
            call=next(_QUESTIONS),
        )
        n = account.asked[request.key]
        account.asked[request.key] += 1
        charges = Charges()
        if self.cassette is not None and self.cassette.mode == "replay":
            outcome = self.cassette.find(request, request.session, n)
            charges = _recorded(outcome)
        else:
            outcome = await self._outcome(request, account, charges)
            if self.cassette is not None:
                self.cassette.put(request, request.session, n, outcome, self.redactor)
        self._enter(request, outcome, charges, account)
        if isinstance(outcome, LLMError):
            raise outcome
        return outcome

    async def _outcome(self, request: Request, account: Account, charges: Charges) -> Completion | LLMError:
        """Ask until there is an answer or no hope of one."""
        prompt = prompt_tokens(request, self._count)
        async with self.limiter.slot():  # held while waiting for another try: an endpoint that is overloaded gets less
            await self.limiter.pace(prompt + (request.max_tokens or 0))
            began = self._clock.now()
            try:
                completion = await retried(
                    lambda number, seconds: self._try(request, account, charges, prompt, number, seconds),
                    self._retry,
                    self._clock,
                    self._uniform,
                )
            except LLMError as error:
                error.charges = charges
                return error
            return dataclasses.replace(
                completion,
                text=self.redactor.text(completion.text),
                tool_calls=tuple(self.redactor.value(list(completion.tool_calls))),
                attempts=charges.calls,
                latency_s=self._clock.now() - began,
                charged=charges.usage,
                micro_dollars=None if charges.unpriced else charges.micro_dollars,
            )

    async def _try(
        self, request: Request, account: Account, charges: Charges, prompt: int, number: int, seconds: float
    ) -> Completion:
        """One try, its cost reserved before it and settled after it."""
        assert self.driver is not None
        if number:
            await self.limiter.pace(prompt + (request.max_tokens or 0))
        budgets = [b for b in (self._of_call(charges), account.budget, self.budget) if b is not None]
        most = Usage(prompt, request.max_tokens or 0, estimated=True)
        reservation = await reserve(budgets, self._cost(request, most))
        used = most  # what an interrupted try may have cost
        try:
            self.sent += 1
            async with asyncio.timeout(seconds):
                completion = await self.driver.complete(request)
            used = completion.usage or Usage(prompt, self._said(completion), estimated=True)
            return dataclasses.replace(completion, usage=used)
        except EndpointError as error:
            used = Usage() if error.kind == "status" else most
            charges.failures.append({"kind": error.kind, "status": error.status, "message": str(error)})
            raise
        except TimeoutError:
            message = f"no answer within {seconds:.3g} s"
            charges.failures.append({"kind": "timeout", "status": None, "message": message})
            raise EndpointError(message, kind="timeout", retryable=True) from None
        finally:
            cost = self._cost(request, used)
            reservation.settle(cost)
            charges.add(cost, used)

    def _of_call(self, charges: Charges) -> Budget | None:
        """The budget of one call, from which its earlier tries are gone."""
        if self._per_call is None:
            return None
        budget = Budget(self._per_call, "call")
        budget.spent = {
            "calls": charges.calls,
            "tokens": charges.usage.total,
            "micro_dollars": charges.micro_dollars,
        }
        return budget

    def _cost(self, request: Request, usage: Usage) -> Cost:
        """The cost of a try; one that used nothing costs nothing, whatever the price."""
        return Cost(1, usage.total, self._prices.cost(request.model, usage) if usage.total else 0)

    def _said(self, completion: Completion) -> int:
        calls = canonical(completion.tool_calls) if completion.tool_calls else ""
        return self._count(completion.text) + self._count(calls)

    def _enter(self, request: Request, outcome: Completion | LLMError, charges: Charges, account: Account) -> None:
        who: dict[str, Any] = {
            "episode": account.episode,
            "side": account.side,
            "seat": account.seat,
            "step": account.step,
            "mode": self.mode,
            "redactor": self.redactor,
        }
        account.last_call = self.ledger.record(request, outcome, charges, **who)
        if account.ledger is not None:
            account.last_call = account.ledger.record(request, outcome, charges, **who)


def _recorded(outcome: Completion | LLMError) -> Charges:
    """What a replayed request took when it was recorded."""
    if isinstance(outcome, LLMError):
        return outcome.charges or Charges()
    unpriced = outcome.attempts if outcome.micro_dollars is None else 0
    return Charges(outcome.attempts, outcome.charged, outcome.micro_dollars or 0, unpriced)
