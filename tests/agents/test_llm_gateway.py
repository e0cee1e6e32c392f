"""The gateway: order, bounds, sides and faces."""

import asyncio
import json
import random
import threading
import urllib.request

import pytest
from llm_doubles import QUICK, FakeClock, ask, scripted

from ludarium.agents.llm import background
from ludarium.agents.llm.budget import Budget, Limits
from ludarium.agents.llm.client import Completion, Usage
from ludarium.agents.llm.fake_server import FakeServer, Reply
from ludarium.agents.llm.faults import Fault
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.limits import Limiter
from ludarium.agents.llm.openai_driver import OpenAIDriver
from ludarium.agents.llm.retry import RetryPolicy
from ludarium.agents.llm.scripted import Scripted
from ludarium.errors import BudgetExceededError, ConfigError, EndpointError, LLMError


def test_300_calls_stay_within_the_semaphore_and_come_back_in_order():
    draw = random.Random(1)
    late = [Fault("slow", seconds=0.5 if n < 16 else draw.random() / 100) for n in range(300)]  # the first 16 meet
    with (
        FakeServer(lambda body: body["messages"][-1]["content"], faults=late) as server,
        Gateway(OpenAIDriver(server.base_url), limiter=Limiter(16)) as way,
    ):
        answers = way.call_all([ask(f"question {n}") for n in range(300)])
    assert [answer.text for answer in answers] == [f"question {n}" for n in range(300)]
    assert server.counts["peak"] == way.limiter.peak == 16
    assert server.counts["requests"] == way.sent == 300
    asked = [body["messages"][-1]["content"] for body in server.bodies]
    assert sorted(asked) == sorted(f"question {n}" for n in range(300))


def test_retries_are_within_the_semaphore_too():
    seen = set()

    def first_tries_fail(n, body):
        text = body["messages"][-1]["content"]
        return Fault("slow", seconds=0.003) if text in seen else seen.add(text) or "500"

    with (
        FakeServer(faults=first_tries_fail) as server,
        Gateway(OpenAIDriver(server.base_url), limiter=Limiter(7), retry=QUICK) as way,
    ):
        found = way.call_all([ask(str(n)) for n in range(60)])
    assert [answer.attempts for answer in found] == [2] * 60
    assert server.counts["peak"] <= 7


def test_a_slot_that_fails_does_not_take_the_others_with_it():
    def say(request):
        if request.messages[-1]["content"] == "3":
            raise EndpointError("no", status=400)
        return "ok"

    with scripted(say) as way:
        found = way.call_all([ask(str(n)) for n in range(6)])
    assert [isinstance(answer, LLMError) for answer in found] == [False, False, False, True, False, False]


def test_a_drivers_own_mistake_is_no_answer():
    def say(request):
        raise KeyError("a bug")

    budget = Budget()
    with scripted(say, budget=budget) as way:
        with pytest.raises(KeyError):
            way.call(ask())
        with pytest.raises(KeyError):
            way.call_all([ask()])
    assert budget.reserved["calls"] == 0


def test_the_faces_may_be_mixed():
    with scripted(lambda request: request.messages[-1]["content"]) as way:

        async def main():
            one = await way.complete(ask("a"))
            more = await way.complete_all([ask("b"), ask("c")])
            return [one.text, *(answer.text for answer in more)]

        assert asyncio.run(main()) == ["a", "b", "c"]
        assert way.call(ask("d")).text == "d"
        names = {thread.name for thread in threading.enumerate()}
    assert "ludarium-llm" in names


def test_the_sync_face_does_not_wait_for_itself():
    async def say(request):
        return way.call(ask("inner")).text

    way = scripted(say)
    with pytest.raises(RuntimeError, match="await the async one"):
        way.call(ask("outer"))


def test_whoever_is_cancelled_gives_everything_back():
    started, budget = threading.Event(), Budget()

    async def hang(request):
        started.set()
        await asyncio.sleep(3600)

    way = Gateway(Scripted(hang), budget=budget)

    async def main():
        task = asyncio.ensure_future(way.complete(ask()))
        await asyncio.to_thread(started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    async def settled():
        while budget.reserved["calls"]:
            await asyncio.sleep(0)
        return way.limiter.in_flight

    assert background.run(settled()) == 0
    assert budget.spent["calls"] == 1


def test_a_budget_used_up_in_mid_episode_leaves_the_others_alone():
    with scripted(lambda r: "ok") as way:
        poor, rich = Account("poor", budget=Budget(Limits(calls=3))), Account("rich")
        found = way.call_all([ask()] * 12, [poor, rich] * 6)
    assert [type(answer) for answer in found[::2]] == [Completion] * 3 + [BudgetExceededError] * 3
    assert [type(answer) for answer in found[1::2]] == [Completion] * 6
    assert way.ledger.totals.failed == 3


def test_a_request_without_a_limit_gets_the_gateways():
    with scripted(lambda r: str(r.max_tokens), max_tokens=77) as way:
        assert [way.call(ask()).text, way.call(ask(max_tokens=5)).text] == ["77", "5"]
    with pytest.raises(ConfigError):
        scripted(lambda r: "", max_tokens=0)


def test_sessions_name_who_asks_and_calls_are_numbered():
    driver = Scripted(lambda r: "ok")
    with Gateway(driver) as way:
        account = Account("e1", side="user", seat="user_0")
        way.call(ask(), account)
        way.call(ask(session="mine"), account)
    assert [r.session for r in driver.requests] == ["e1/user/user_0", "mine"]
    assert len({r.call for r in driver.requests}) == 2


def test_the_count_of_tokens_is_ours_where_the_endpoint_does_not_say():
    with scripted(lambda r: "four words of text", count=lambda text: len(text.split())) as way:
        answer = way.call(ask())
    assert answer.usage == Usage(4 + 2 + 4 + 4, 4, estimated=True)
    assert way.ledger.totals.estimated == 1


def test_a_policy_hears_each_question_once_whatever_fails():
    heard = []

    def policy(session, messages, tools):
        heard.append((session, messages[-1]["content"], [tool["function"]["name"] for tool in tools]))
        return Reply(f"answer {len(heard)}", ({"id": "c", "name": "look", "arguments": "{}"},))

    tools = ({"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}},)
    faults = ["drop", "500", "badjson", None, "429", "half"]
    for api in ("chat", "responses"):
        heard.clear()
        with (
            FakeServer(policy=policy, faults=faults) as server,
            Gateway(OpenAIDriver(server.base_url, api=api), retry=QUICK) as way,
        ):
            account = Account("e1")
            answers = [way.call(ask("the same", tools=tools), account) for _ in range(3)]
        assert [answer.text for answer in answers] == [
            "answer 1",
            "answer 2",
            "answer 3",
        ]  # equal questions, but no retries
        assert [answer.attempts for answer in answers] == [4, 3, 1]
        assert heard == [("e1/agent", "the same", ["look"])] * 3
        assert answers[0].tool_calls == ({"id": "c", "name": "look", "arguments": "{}"},)


def test_a_client_that_names_no_question_retries_by_asking_the_same():
    heard = []
    with FakeServer(policy=lambda *asked: heard.append(asked) or f"{len(heard)}") as server:
        said = [_post(server, {"model": "m", "messages": [{"role": "user", "content": c}], "user": "u"}) for c in "aab"]
    assert said == ["1", "1", "2"]


def test_a_policy_that_crashes_is_no_endless_retry():
    def policy(session, messages, tools):
        raise ValueError("cannot read the prompt")

    with (
        FakeServer(policy=policy) as server,
        Gateway(OpenAIDriver(server.base_url), retry=QUICK) as way,
        pytest.raises(EndpointError, match="cannot read the prompt"),
    ):
        way.call(ask())
    assert len(server.errors) == way.sent == 1


def test_the_deadline_ends_a_call_that_only_fails():
    busy = EndpointError("busy", status=429, retryable=True, retry_after=10)

    def say(request):
        raise busy

    clock = FakeClock()
    with (
        scripted(say, clock=clock, retry=RetryPolicy(tries=99, deadline_s=45)) as way,
        pytest.raises(EndpointError) as caught,
    ):
        way.call(ask())
    assert (caught.value.kind, way.sent) == ("deadline", 5)


def _post(server, body):
    request = urllib.request.Request(f"{server.base_url}/chat/completions", json.dumps(body).encode())
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]
