"""Pace: never more in any minute than the limit, first come first served."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_doubles import FakeClock, ask

from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.limits import WINDOW_S, Limiter, PerMinute
from ludarium.agents.llm.scripted import Scripted
from ludarium.errors import ConfigError


@given(st.integers(1, 50), st.lists(st.tuples(st.integers(0, 80), st.floats(0, 30)), max_size=40))
def test_no_minute_holds_more_than_the_limit(limit, asked):
    clock = FakeClock()
    taken = []

    async def run():
        pace = PerMinute(limit, clock)
        for amount, pause in asked:
            clock.time += pause
            await pace.take(amount)
            taken.append((clock.now(), min(amount, limit)))

    asyncio.run(run())
    assert len(taken) == len(asked)
    for start, _ in taken:
        inside = [amount for at, amount in taken if start <= at < start + WINDOW_S - 1e-6]
        assert sum(inside) <= limit


def test_a_large_call_is_not_overtaken_for_ever():
    clock, order = FakeClock(), []

    async def take(pace, name, amount):
        await pace.take(amount)
        order.append(name)

    async def run():
        pace = PerMinute(10, clock)
        await asyncio.gather(take(pace, "a", 6), take(pace, "large", 10), *(take(pace, n, 1) for n in "bcde"))

    asyncio.run(run())
    assert order == ["a", "large", "b", "c", "d", "e"]


def test_requests_and_tokens_a_minute_hold_the_gateway_back():
    for limiter in ({"requests_per_minute": 3}, {"tokens_per_minute": 3 * (10 + 7 + 8 + 3)}):
        clock = FakeClock()
        with Gateway(
            Scripted(lambda request: "ok"), clock=clock, limiter=Limiter(clock=clock, **limiter), max_tokens=10
        ) as way:
            way.call_all([ask("a b c")] * 9)
            assert clock.now() == pytest.approx(120, abs=1e-6)


@pytest.mark.parametrize("bad", [{"concurrency": 0}, {"requests_per_minute": 0}, {"tokens_per_minute": -1}])
def test_bad_limits_are_refused_when_they_are_made(bad):
    with pytest.raises(ConfigError):
        Limiter(**bad)
