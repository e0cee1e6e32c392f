"""What the tests of the language model client share: requests, a clock of their own, gateways over scripts."""

import asyncio

from ludarium.agents.llm.client import Request
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.retry import Clock, RetryPolicy
from ludarium.agents.llm.scripted import Scripted

QUICK = RetryPolicy(base_s=0.001, cap_s=0.002, timeout_s=20, deadline_s=60)


class FakeClock(Clock):
    """Time passes only by sleeping."""

    def __init__(self):
        self.time = 0.0
        self.slept = []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


def ask(text="where is the mug?", **fields):
    return Request("tiny", ({"role": "system", "content": "You play."}, {"role": "user", "content": text}), **fields)


def scripted(script, **options):
    """A gateway over a script, whose time is not the world's."""
    return Gateway(Scripted(script), **{"clock": FakeClock(), **options})
