"""Backoff, retry-after and the deadline, on a clock of their own."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_doubles import FakeClock

from ludarium.agents.llm.retry import Clock, RetryPolicy, retried
from ludarium.errors import ConfigError, EndpointError, LLMError


def play(outcomes, policy=None, uniform=lambda: 1.0):
    """Run `retried` over outcomes (an error or an answer); returns the answer or error, the clock and the time limits given."""
    clock, given_s = FakeClock(), []
    left = iter(outcomes)

    async def attempt(number, seconds):
        given_s.append(seconds)
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def run():
        try:
            return await retried(attempt, policy or RetryPolicy(), clock, uniform)
        except LLMError as error:
            return error

    return asyncio.run(run()), clock, given_s


def lost(retry_after=None, **fields):
    return EndpointError("lost", **{"kind": "connection", "retryable": True, "retry_after": retry_after, **fields})


def test_the_backoff_doubles_from_half_a_second_to_twenty():
    answer, clock, _ = play([lost()] * 8 + ["answer"], RetryPolicy(tries=9))
    assert answer == "answer"
    assert clock.slept == [0.5, 1, 2, 4, 8, 16, 20, 20]


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=9, max_size=9))
def test_the_jitter_is_full(draws):
    left = iter(draws)
    _, clock, _ = play([lost()] * 9 + ["answer"], RetryPolicy(tries=10), lambda: next(left))
    bounds = [0.5, 1, 2, 4, 8, 16, 20, 20, 20]
    assert clock.slept == pytest.approx([draw * bound for draw, bound in zip(draws, bounds, strict=True)])


def test_the_endpoints_wish_is_a_lower_bound():
    _, clock, _ = play([lost(7.0), lost(0.1), "answer"])
    assert clock.slept == [7.0, 1.0]


def test_what_cannot_get_better_is_not_tried_again():
    error, clock, limits = play([EndpointError("no", status=401), "answer"])
    assert (error.status, clock.slept, len(limits)) == (401, [], 1)


def test_the_last_tries_error_is_raised():
    error, _, limits = play([lost(), EndpointError("busy", status=429, retryable=True)] * 3)
    assert (error.status, len(limits)) == (429, 6)


def test_the_deadline_covers_tries_and_waits():
    error, clock, _ = play([lost()] * 20, RetryPolicy(tries=20, deadline_s=10))
    assert error.kind == "deadline"
    assert not error.retryable
    assert clock.now() < 10
    assert "lost" in str(error)


def test_nobody_waits_for_an_endpoint_beyond_the_deadline():
    error, clock, _ = play([lost(3600.0), "answer"])
    assert (error.kind, clock.slept) == ("deadline", [])


def test_a_try_gets_no_more_time_than_is_left():
    _, _, limits = play([lost(50.0), lost(), "answer"], RetryPolicy(deadline_s=60, timeout_s=20))
    assert limits == [20, 10, 9]


@pytest.mark.parametrize("bad", [{"tries": 0}, {"base_s": -1}, {"deadline_s": float("nan")}])
def test_bad_policies_are_refused_when_they_are_made(bad):
    with pytest.raises(ConfigError):
        RetryPolicy(**bad)


def test_the_real_clock_does_not_go_back():
    clock = Clock()
    before = clock.now()
    asyncio.run(clock.sleep(0.01))
    assert clock.now() >= before + 0.009
