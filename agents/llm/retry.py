"""Trying again: full-jitter exponential backoff, the endpoint's own retry-after, and a deadline over all tries.

The backoff is "full jitter" (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015): before retry k
wait a uniform time below min(cap, base * 2^k).
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ludarium.envs.core.errors import ConfigError, EndpointError

__all__ = ["Clock", "RetryPolicy", "retried"]

T = TypeVar("T")


class Clock:
    """Time and waiting; tests put their own in its place."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclasses.dataclass(frozen=True)
class RetryPolicy:
    """How often and how long; all times in seconds."""

    tries: int = 6
    base_s: float = 0.5
    cap_s: float = 20.0
    timeout_s: float = 60.0
    """Of one try, from the request to the last byte of the answer."""
    deadline_s: float = 300.0
    """Of all tries and the waits between them."""

    def __post_init__(self) -> None:
        if self.tries < 1:
            raise ConfigError(f"tries = {self.tries!r}: expected at least 1")
        for name in ("base_s", "cap_s", "timeout_s", "deadline_s"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} = {getattr(self, name)!r}: expected seconds, at least 0")

    def wait(self, retry: int, retry_after: float | None, uniform: Callable[[], float]) -> float:
        """Seconds before retry number `retry` (from 0): never sooner than the endpoint asked."""
        backoff = uniform() * min(self.cap_s, self.base_s * 2.0 ** min(retry, 60))
        return max(backoff, retry_after or 0.0)


async def retried(
    attempt: Callable[[int, float], Awaitable[T]],
    policy: RetryPolicy,
    clock: Clock | None = None,
    uniform: Callable[[], float] = random.random,
) -> T:
    """Call `attempt(number from 0, seconds that it may take)` until it succeeds.

    `EndpointError`s that are retryable are tried again while tries and time last; the last one is raised. An endpoint
    that asks to wait beyond the deadline is not waited for.
    """
    clock = clock or Clock()
    end = clock.now() + policy.deadline_s
    for number in range(policy.tries):
        try:
            return await attempt(number, min(policy.timeout_s, end - clock.now()))
        except EndpointError as error:
            if not error.retryable or number + 1 == policy.tries:
                raise
            wait = policy.wait(number, error.retry_after, uniform)
            if clock.now() + wait >= end:
                raise EndpointError(
                    f"no answer within {policy.deadline_s:g} s ({number + 1} tries); the last said: {error}",
                    kind="deadline",
                    status=error.status,
                ) from error
        await clock.sleep(wait)
    raise AssertionError("unreachable: the last try returns or raises")
