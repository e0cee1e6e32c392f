"""Budgets hold under concurrency, whatever fails; money is exact."""

import asyncio
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llm_doubles import FakeClock, ask

from ludarium.agents.llm import background
from ludarium.agents.llm.budget import Budget, Cost, Limits, Prices, Reservation, micro_dollars, read_prices
from ludarium.agents.llm.client import Completion, Usage
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.limits import Limiter
from ludarium.agents.llm.retry import RetryPolicy
from ludarium.agents.llm.scripted import Scripted
from ludarium.agents.llm.tokens import prompt_tokens
from ludarium.errors import BudgetExceededError, ConfigError, EndpointError, FileFormatError, LLMError

PRICES = Prices({"tiny": (1_500_000, 6_000_000)})
MOST = 20

TRIES = st.lists(
    st.tuples(
        st.integers(0, 5),  # how long it takes
        st.sampled_from(["answer", "answer", "answer", "no usage", "status", "drop"]),
        st.integers(0, 100),  # how much of the reservation is used, in per cent
    ),
    min_size=1,
    max_size=12,
)


class Endpoint(Scripted):
    """Fails and bills by a drawn script; keeps what was really billed, and watches the budgets at every moment."""

    def __init__(self, tries, watched):
        super().__init__(self._say)
        self._tries, self._watched = tries, watched
        self.billed, self.in_flight, self.peak = Usage(), 0, 0

    def watch(self):
        for budget in self._watched:
            for what in ("calls", "tokens", "micro_dollars"):
                limit = getattr(budget.limits, what)
                assert budget.reserved[what] >= 0
                assert limit is None or budget.spent[what] + budget.reserved[what] <= limit

    async def _say(self, request):
        waits, outcome, percent = self._tries[(len(self.requests) - 1) % len(self._tries)]
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        for _ in range(waits):
            self.watch()
            await asyncio.sleep(0)
        self.in_flight -= 1
        used = Usage(prompt_tokens(request) * percent // 100, request.max_tokens * percent // 100)
        if outcome == "status":
            raise EndpointError("busy", status=429, retryable=True)
        if outcome == "no usage":
            self.billed += Usage(prompt_tokens(request), 2)
            return Completion("ok ok")
        self.billed += used
        if outcome == "drop":
            raise EndpointError("gone", kind="connection", retryable=True)
        return Completion("ok", usage=used)


@settings(deadline=None, max_examples=60)
@given(
    TRIES,
    st.one_of(st.none(), st.integers(0, 150)),
    st.one_of(st.none(), st.integers(0, 3000)),
    st.one_of(st.none(), st.integers(0, 15_000)),
    st.one_of(st.none(), st.integers(0, 12)),
)
def test_no_budget_is_passed_by_64_calls_at_once(tries, calls, tokens, money, per_episode):
    """Not even by one reservation while an endpoint keeps to what it was allowed."""
    run = Budget(Limits(calls, tokens, money), "run")
    episodes = [Budget(Limits(calls=per_episode)) for _ in range(8)]
    endpoint = Endpoint(tries, [run, *episodes])
    options = {"retry": RetryPolicy(tries=3), "prices": PRICES, "max_tokens": MOST, "clock": FakeClock()}
    with Gateway(endpoint, budget=run, limiter=Limiter(64), **options) as way:
        accounts = [Account(f"e{n % 8}", budget=episodes[n % 8]) for n in range(96)]
        work = asyncio.wait_for(
            way.complete_all([ask()] * 96, accounts), 120
        )  # who waits for room gets it, or an error
        outcomes = background.run(work)
        totals = way.ledger.totals
    endpoint.watch()
    assert endpoint.peak <= 64
    assert len(outcomes) == 96
    assert all(isinstance(found, Completion | LLMError) for found in outcomes)
    for budget in [run, *episodes]:
        assert budget.reserved == {"calls": 0, "tokens": 0, "micro_dollars": 0}
    assert (
        run.spent["calls"]
        == way.sent
        == len(endpoint.requests)
        == totals.calls
        == sum(e.spent["calls"] for e in episodes)
    )
    assert endpoint.billed.total <= run.spent["tokens"] == totals.prompt + totals.completion
    assert PRICES.cost("tiny", endpoint.billed) <= run.spent["micro_dollars"] == totals.micro_dollars
    refused = [found for found in outcomes if isinstance(found, BudgetExceededError)]
    assert len(refused) == totals.failed - sum(isinstance(found, EndpointError) for found in outcomes)
    if any(error.scope == "run" for error in refused):  # nobody is refused while there is room for one more
        most = Usage(prompt_tokens(ask()), MOST)
        used_up = [
            calls is not None and run.spent["calls"] + 1 > calls,
            tokens is not None and run.spent["tokens"] + most.total > tokens,
            money is not None and run.spent["micro_dollars"] + PRICES.cost("tiny", most) > money,
        ]
        assert any(used_up)


def test_an_endpoint_that_bills_more_than_it_may_is_charged_and_stops_the_next():
    run = Budget(Limits(tokens=1000), "run")
    with Gateway(Scripted(lambda r: Completion("ok", usage=Usage(900, 900))), budget=run, max_tokens=10) as way:
        way.call(ask())
        with pytest.raises(BudgetExceededError) as caught:
            way.call(ask())
    assert (run.spent["tokens"], way.sent) == (1800, 1)
    assert (caught.value.scope, caught.value.what) == ("run", "tokens")


def test_waiting_calls_get_the_room_that_others_leave():
    """Each reserves nearly all, and uses little: one after the other they all fit."""
    reserved = prompt_tokens(ask()) + 500
    run = Budget(Limits(tokens=reserved + 9 * 12), "run")
    with Gateway(Scripted(lambda r: Completion("ok", usage=Usage(7, 5))), budget=run, max_tokens=500) as way:
        assert all(isinstance(found, Completion) for found in way.call_all([ask()] * 10))
    assert run.spent["tokens"] == 120


def test_a_call_has_limits_of_its_own_over_all_its_tries():
    busy = EndpointError("gone", kind="connection", retryable=True)

    def fail(request):
        raise busy

    with Gateway(Scripted(fail), per_call=Limits(tokens=100), max_tokens=30, clock=FakeClock()) as way:
        with pytest.raises(BudgetExceededError) as caught:
            way.call(ask())
        assert caught.value.scope == "call"
        assert way.sent == 100 // (30 + prompt_tokens(ask()))
        assert caught.value.charges.calls == way.sent


def test_dollars_without_a_price_need_a_limit_on_tokens():
    for limits, what in ((Limits(micro_dollars=5), "micro_dollars"), (Limits(micro_dollars=5, tokens=40), "tokens")):
        budget = Budget(limits, "run")
        with Gateway(Scripted(lambda r: "ok"), budget=budget, max_tokens=16) as way:
            found = way.call_all([ask()] * 5)
        assert isinstance(found[-1], BudgetExceededError)
        assert found[-1].what == what
        assert budget.spent["tokens"] <= 40
    assert found[0].micro_dollars is None
    assert budget.unpriced == way.ledger.totals.unpriced == budget.spent["calls"] > 0


def test_an_interrupted_try_is_charged_in_full():
    async def hang(request):
        await asyncio.sleep(60)

    budget = Budget()
    with (
        Gateway(Scripted(hang), budget=budget, retry=RetryPolicy(tries=1, timeout_s=0.01), max_tokens=9) as way,
        pytest.raises(EndpointError) as caught,
    ):
        way.call(ask())
    assert caught.value.kind == "timeout"
    assert budget.spent["tokens"] == prompt_tokens(ask()) + 9
    assert budget.reserved["tokens"] == 0


def test_a_reservation_is_settled_once():
    held = Reservation([Budget()], Cost(1, 5))
    held.settle(Cost(1, 3))
    with pytest.raises(RuntimeError):
        held.settle(Cost(1, 3))


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.decimals(0, 1000, places=6), st.decimals(0, 1000, places=6))
def test_money_is_the_exact_price_rounded_up(prompt, completion, a, b):
    prices = Prices({"m": (int(a * 10**6), int(b * 10**6))})
    exact = Fraction(a) * prompt + Fraction(b) * completion  # dollars a million tokens are micro-dollars a token
    assert 0 <= prices.cost("m", Usage(prompt, completion)) - exact < 1
    assert prices.cost("other", Usage(1, 1)) is None


def test_prices_are_read_from_toml_and_json(tmp_path):
    toml, text = tmp_path / "prices.toml", tmp_path / "prices.json"
    toml.write_text('[models."a/b-1.5"]\nprompt = 0.15\ncompletion = 0.6\n[models.free]\nprompt = 0\ncompletion = 0\n')
    text.write_text(
        json.dumps({"models": {"a/b-1.5": {"prompt": 0.15, "completion": 0.6}, "free": {"prompt": 0, "completion": 0}}})
    )
    for path in (toml, text):
        assert read_prices(path).models == {"a/b-1.5": (150_000, 600_000), "free": (0, 0)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "models = 3",
        "[models.m]\nprompt = 1",
        "[models.m]\nprompt = -1\ncompletion = 1",
        "[models.m]\nprompt = true\ncompletion = 1",
        "[models.m]\nprompt = nan\ncompletion = 1",
        "[models.m]\nprompt = 'x'\ncompletion = 1",
        "[models.m]\nprompt = 0.0000001\ncompletion = 1",
        "[models.m",
        "\x00",
    ],
)
def test_bad_prices_name_the_file(tmp_path, text):
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=r"prices\.toml"):
        read_prices(path)


def test_a_missing_prices_file_is_named(tmp_path):
    with pytest.raises(FileFormatError, match=r"nowhere\.json"):
        read_prices(tmp_path / "nowhere.json")


def test_dollars_are_whole_micro_dollars():
    assert [micro_dollars(d) for d in ("0.1", 0.1, 2, Decimal("0.0000019"))] == [100_000, 100_000, 2_000_000, 1]
    for bad in ("x", "nan", "-1", "inf", ""):
        with pytest.raises(ConfigError):
            micro_dollars(bad)
    with pytest.raises(ConfigError):
        Limits(calls=-1)
    with pytest.raises(ConfigError):
        Limits(tokens=1.5)
