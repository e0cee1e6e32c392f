"""Limits of pace: calls at once, requests and tokens a minute."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ludarium.agents.llm.retry import Clock
from ludarium.envs.core.errors import ConfigError

__all__ = ["Limiter", "PerMinute"]

WINDOW_S = 60.0


class PerMinute:
    """At most `limit` units within any 60 seconds, first come first served."""

    def __init__(self, limit: int, clock: Clock) -> None:
        if limit < 1:
            raise ConfigError(f"{limit!r} a minute: expected at least 1, or None for no limit")
        self.limit, self._clock = limit, clock
        self._used = 0
        self._log: deque[tuple[float, int]] = deque()  # when an amount falls out of the window, and the amount
        self._turn = asyncio.Lock()

    async def take(self, amount: int) -> None:
        """Wait until `amount` more fit; a single call above the whole limit counts as the limit."""
        amount = min(amount, self.limit)
        async with (
            self._turn
        ):  # a lock is first come first served: a large call is not overtaken for ever by small ones
            while True:
                now = self._clock.now()
                while self._log and self._log[0][0] <= now:
                    self._used -= self._log.popleft()[1]
                if self._used + amount <= self.limit:
                    self._log.append((now + WINDOW_S, amount))
                    self._used += amount
                    return
                await self._clock.sleep(self._log[0][0] - now)


class Limiter:
    """Holds back calls until the endpoint's limits allow them."""

    def __init__(
        self,
        concurrency: int = 16,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        if concurrency < 1:
            raise ConfigError(f"concurrency = {concurrency!r}: expected at least 1 call at once")
        clock = clock or Clock()
        self._slots = asyncio.Semaphore(concurrency)
        self._requests = None if requests_per_minute is None else PerMinute(requests_per_minute, clock)
        self._tokens = None if tokens_per_minute is None else PerMinute(tokens_per_minute, clock)
        self.in_flight = 0
        self.peak = 0
        """The most calls that were under way at once."""

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """One of the places for calls under way."""
        async with self._slots:
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            try:
                yield
            finally:
                self.in_flight -= 1

    async def pace(self, tokens: int) -> None:
        """Wait until a request of that many tokens may be sent."""
        if self._requests is not None:
            await self._requests.take(1)
        if self._tokens is not None:
            await self._tokens.take(tokens)
