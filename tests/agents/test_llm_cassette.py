"""A recorded run is replayed without its endpoint: the same answers, the same failures, and no call."""

import asyncio
import itertools
import json
import random
import socket

import pytest
from llm_doubles import QUICK, FakeClock, ask

from ludarium.agents.llm.budget import Budget, Limits, Prices
from ludarium.agents.llm.cassette import Cassette
from ludarium.agents.llm.client import Completion, Usage
from ludarium.agents.llm.fake_server import FakeServer
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.limits import Limiter
from ludarium.agents.llm.openai_driver import OpenAIDriver
from ludarium.agents.llm.scripted import Scripted
from ludarium.errors import (
    BudgetExceededError,
    CassetteMissError,
    ConfigError,
    EndpointError,
    FileFormatError,
    LLMError,
)

PRICES = Prices({"tiny": (1_000_000, 1_000_000)})


def play(way, episodes=8, steps=6):
    """Episodes side by side, each of which asks for what the last answer was; everything that they saw."""

    async def one(n):
        account, seen, text = Account(f"e{n}", budget=Budget(Limits(calls=6))), [], "start"
        for _ in range(steps):
            try:
                found = await way.complete(ask(text), account)
                text = found.text
                seen.append((text, found.finish, found.usage, found.attempts, found.charged, found.micro_dollars))
            except LLMError as error:
                text = "start"
                seen.append(
                    (
                        type(error).__name__,
                        str(error),
                        getattr(error, "kind", ""),
                        getattr(error, "what", ""),
                        error.charges,
                    )
                )
        return seen

    async def everybody():
        return await asyncio.gather(*(one(n) for n in range(episodes)))

    return asyncio.run(everybody())


def moody():
    """A model that never answers alike, takes its time, and fails now and then, whoever asks."""
    draw, calls = random.Random(5), itertools.count()

    async def say(request):
        for _ in range(draw.randrange(4)):
            await asyncio.sleep(0)
        lot, call = draw.random(), next(calls)
        if call % 5 == 2:
            raise EndpointError("busy", status=503, retryable=True)
        if call % 11 == 4:
            raise EndpointError("no", status=400)
        return Completion(
            f"{draw.random()}", usage=Usage(5, 3) if lot < 0.9 else None, finish="stop" if lot < 0.7 else "length"
        )

    return Scripted(say)


def test_a_recorded_run_replays_to_the_letter_without_a_call(tmp_path):
    path = tmp_path / "run.cassette"
    options = {"prices": PRICES, "clock": FakeClock(), "limiter": Limiter(5)}
    with Gateway(moody(), cassette=Cassette(path, "record"), **options) as way:
        live = play(way)
        paid = way.ledger.totals
        assert way.sent > 40
    kinds = {entry[0] for seen in live for entry in seen if isinstance(entry[1], str)}
    assert {"EndpointError", "BudgetExceededError"} <= kinds  # the recording holds what makes it hard
    for order in (1, 5, 64):
        with Gateway(None, cassette=Cassette(path, "replay"), prices=PRICES, limiter=Limiter(order)) as way:
            assert play(way) == live
            assert way.sent == 0
            assert way.ledger.totals == paid


def test_a_run_over_http_replays_with_the_network_cut_off(tmp_path, monkeypatch):
    path = tmp_path / "run.cassette"
    with FakeServer(
        lambda body: f"{len(body['messages'][-1]['content'])} {random.random()}", faults=["500", None, "badjson"]
    ) as server:
        with Gateway(OpenAIDriver(server.base_url), cassette=Cassette(path, "record"), retry=QUICK) as way:
            live = play(way, 4, 4)
        assert server.counts["requests"] == way.sent == 18
        before = server.counts["requests"]

        def cut(*_, **__):
            raise AssertionError("the network was used")

        monkeypatch.setattr(socket.socket, "connect", cut)
        monkeypatch.setattr(socket, "create_connection", cut)
        monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", cut)
        with Gateway(OpenAIDriver(server.base_url), cassette=Cassette(path, "replay")) as way:
            assert play(way, 4, 4) == live
        assert server.counts["requests"] == before


def test_a_miss_is_loud_and_says_what_changed(tmp_path):
    path = tmp_path / "run.cassette"
    with Gateway(Scripted(lambda r: "ok"), cassette=Cassette(path, "record")) as way:
        way.call(ask("where is the mug?"), Account("e"))
    with Gateway(None, cassette=Cassette(path, "replay")) as way:
        account = Account("e")
        with pytest.raises(CassetteMissError, match="temperature"):
            way.call(ask("where is the mug?", temperature=0.5), account)
        with pytest.raises(CassetteMissError, match="where is the cup"):
            way.call(ask("where is the cup?"), account)
        assert way.call(ask(), account).text == "ok"
        with pytest.raises(CassetteMissError, match="less often"):
            way.call(ask(), account)
        assert way.call(ask(), Account("another")).text == "ok"  # content decides
        assert way.sent == 0


def test_an_empty_recording_misses_everything(tmp_path):
    Cassette(tmp_path / "c", "record").close()
    with pytest.raises(CassetteMissError, match="empty"):
        Gateway(None, cassette=Cassette(tmp_path / "c", "replay")).call(ask())


def test_equal_requests_have_their_own_answers(tmp_path):
    path = tmp_path / "run.cassette"
    with Gateway(Scripted(str(n) for n in range(9)), cassette=Cassette(path, "record")) as way:
        a, b = Account("a"), Account("b")
        live = [way.call(ask(), account).text for account in (a, b, b, a, b)]
    assert live == ["0", "1", "2", "3", "4"]
    with Gateway(None, cassette=Cassette(path, "replay")) as way:
        a, b = Account("a"), Account("b")
        assert [way.call(ask(), account).text for account in (b, b, a, b, a)] == ["1", "2", "0", "4", "3"]


def test_what_a_killed_process_left_is_recorded_again(tmp_path):
    path = tmp_path / "run.cassette"
    with Gateway(Scripted(["old 1", "old 2"]), cassette=Cassette(path, "record")) as way:
        way.call(ask("1"), Account("e"))
        way.call(ask("2"), Account("e"))
    path.write_bytes(path.read_bytes()[:-20])
    with Gateway(Scripted(["new 1", "new 2"]), cassette=Cassette(path, "record")) as way:
        account = Account("e")
        way.call(ask("1"), account)
        way.call(ask("2"), account)
    with Gateway(None, cassette=Cassette(path, "replay")) as way:
        account = Account("e")
        assert [way.call(ask(text), account).text for text in "12"] == ["new 1", "new 2"]


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "c"
    with pytest.raises(FileFormatError, match="record one first"):
        Cassette(path, "replay")
    for text in ("", "hello", '{"format": "ludarium-cassette", "version": 2}\n', "[]\n", "\xff"):
        path.write_text(text)
        with pytest.raises((FileFormatError, CassetteMissError)):
            Gateway(None, cassette=Cassette(path, "replay")).call(ask())
    path.write_text('{"format": "ludarium-cassette", "version": 1}\n{"key": "a"}\n')
    with pytest.raises(FileFormatError, match="c:2"):
        Cassette(path, "replay")
    with pytest.raises(ConfigError):
        Cassette(path, "live")
    with pytest.raises(ConfigError, match="only replay"):
        Gateway(None)


def test_the_budget_error_comes_back_typed(tmp_path):
    path = tmp_path / "c"
    with (
        Gateway(
            Scripted(lambda r: "ok"), cassette=Cassette(path, "record"), budget=Budget(Limits(calls=0), "run")
        ) as way,
        pytest.raises(BudgetExceededError),
    ):
        way.call(ask())
    with Gateway(None, cassette=Cassette(path, "replay")) as way, pytest.raises(BudgetExceededError) as caught:
        way.call(ask())
    assert (caught.value.scope, caught.value.what) == ("run", "calls")
    assert json.loads(path.read_text().splitlines()[1])["error"]["type"] == "BudgetExceededError"
