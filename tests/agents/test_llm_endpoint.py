"""The driver against an endpoint on the loopback interface that does everything wrong, one thing at a time."""

import asyncio
import dataclasses
import json
import logging
import subprocess
import sys
import time
import traceback
import urllib.request

import pytest
from llm_doubles import QUICK, ask

from ludarium.agents.llm.budget import Budget
from ludarium.agents.llm.cassette import Cassette
from ludarium.agents.llm.client import Driver, Usage
from ludarium.agents.llm.fake_server import FakeServer, Reply
from ludarium.agents.llm.faults import FAULTS, Fault
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.ledger import Ledger
from ludarium.agents.llm.local import LocalDriver
from ludarium.agents.llm.openai_driver import OpenAIDriver, _read_chat, _retry_after
from ludarium.agents.llm.retry import RetryPolicy
from ludarium.agents.llm.tokens import prompt_tokens
from ludarium.errors import ConfigError, EndpointError, LLMError, MissingExtraError, MissingKeyError

KEY = "sk-test-Ab3dEf6hIj9kLmN0pQr"
PLAIN = "gate-key-without-any-shape"

APIS = pytest.mark.parametrize("api", ["chat", "responses"])


def one_try(fault, api="chat", reply="the mug is on the shelf", timeout_s=5.0, **request):
    with (
        FakeServer(reply, faults=[fault]) as server,
        Gateway(OpenAIDriver(server.base_url, api=api), retry=RetryPolicy(tries=1, timeout_s=timeout_s)) as way,
    ):
        return way.call(ask(**request))


RETRIED = {
    "408": ("status", 408),
    "409": ("status", 409),
    "429": ("status", 429),
    "500": ("status", 500),
    "502": ("status", 502),
    "503": ("status", 503),
    "529": ("status", 529),
    "slow:60": ("timeout", None),
    "drip:0.05": ("timeout", None),
    "drop": ("connection", None),
    "half": ("connection", None),
    "badjson": ("json", 200),
    "html": ("json", 200),
    "deep": ("json", 200),
    "list": ("shape", 200),
    "nochoices": ("choices", 200),
}
FINAL = {"400": 400, "401": 401, "403": 403, "404": 404, "422": 422, "echo": 401, "301": 301}


@APIS
@pytest.mark.parametrize("fault", RETRIED)
def test_what_may_get_better_is_tried_again(fault, api):
    with pytest.raises(EndpointError) as caught:
        one_try(fault, api, timeout_s=0.3)
    assert (caught.value.kind, caught.value.status) == RETRIED[fault]
    with FakeServer("hello", faults=[fault]) as server:
        retry = RetryPolicy(base_s=0.001, timeout_s=0.3 if RETRIED[fault][0] == "timeout" else 5)
        with Gateway(OpenAIDriver(server.base_url, api=api), retry=retry) as way:
            answer = way.call(ask())
    assert (answer.text, answer.attempts, way.sent, server.counts["requests"]) == ("hello", 2, 2, 2)


@APIS
@pytest.mark.parametrize("fault", FINAL)
def test_what_cannot_get_better_is_not(fault, api):
    with (
        FakeServer("hello", faults=[fault]) as server,
        Gateway(OpenAIDriver(server.base_url, api=api), retry=QUICK) as way,
    ):
        with pytest.raises(EndpointError) as caught:
            way.call(ask())
        assert (caught.value.status, caught.value.retryable, way.sent) == (FINAL[fault], False, 1)
        assert way.call(ask()).text == "hello"


def test_a_choice_without_a_message_is_tried_again():
    with pytest.raises(EndpointError) as caught:
        one_try("nomessage")
    assert caught.value.kind == "shape"


@APIS
def test_odd_answers_come_back_as_what_they_are(api):
    refusal = one_try("refusal", api)
    assert (refusal.finish, refusal.text) == ("refusal", "I cannot help with that.")
    cut = one_try("truncated", api)
    assert (cut.finish, cut.text) == ("length", "the mug is "[:11])
    assert (one_try("empty", api).text, one_try("empty", api).finish) == ("", "stop")
    assert len(one_try("long:500000", api).text) == 500_000
    assert one_try(None, api, max_tokens=3).finish == "length"


@APIS
def test_an_answer_beyond_all_bounds_is_not_read(api):
    with (
        FakeServer(faults=["long:3000000"]) as server,
        Gateway(OpenAIDriver(server.base_url, api=api, most_bytes=1_000_000), retry=QUICK) as way,
        pytest.raises(EndpointError) as caught,
    ):
        way.call(ask())
    assert (caught.value.kind, way.sent) == ("large", 1)


@APIS
def test_usage_that_is_missing_or_nonsense_is_estimated(api):
    for fault in ("nousage", "wrongusage"):
        answer = one_try(fault, api)
        assert answer.usage.estimated
        assert answer.usage.completion == 6
        assert answer.charged == answer.usage
    assert not one_try(None, api).usage.estimated


def test_retry_after_is_read_in_all_its_forms():
    assert _retry_after({"retry-after": "1.5"}) == 1.5
    assert _retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert _retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert _retry_after({"retry-after": "Fri, 31 Dec 2999 23:59:59 GMT"}) > 1e9
    for nonsense in ("soon", "nan", "inf", "", "-"):
        assert _retry_after({"retry-after": nonsense}) is None
    assert _retry_after({"retry-after": "-5"}) == 0
    assert _retry_after({}) is None


def test_the_endpoint_is_not_asked_before_it_wants_to_be():
    times = []

    def faults(n, body):
        times.append(time.monotonic())
        return "429:0.4" if n == 0 else None

    with FakeServer(faults=faults) as server, Gateway(OpenAIDriver(server.base_url), retry=QUICK) as way:
        way.call(ask())
    assert times[1] - times[0] >= 0.4


@APIS
def test_everything_that_is_asked_arrives(api):
    tools = ({"type": "function", "function": {"name": "go", "description": "d", "parameters": {"type": "object"}}},)
    call = {"id": "c1", "type": "function", "function": {"name": "go", "arguments": "{}"}}
    messages = (
        {"role": "system", "content": "rules"},
        {"role": "user", "content": "é 🙂"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
    )
    fields = {"temperature": 0.5, "max_tokens": 9, "tools": tools, "extra": {"top_p": 0.25}, "session": "s1"}
    seen = []

    def policy(session, given, offered):
        seen.append((session, given, offered))
        return "ok"

    with FakeServer(policy=policy) as server, Gateway(OpenAIDriver(server.base_url, api=api)) as way:
        way.call(dataclasses.replace(ask(**fields), messages=messages))
    body = server.bodies[0]
    assert seen == [("s1", list(messages), list(tools))]
    assert (body["model"], body["temperature"], body["top_p"], body["user"]) == ("tiny", 0.5, 0.25, "s1")
    assert body["max_completion_tokens" if api == "chat" else "max_output_tokens"] == 9


def test_only_chat_knows_stop_and_seed():
    assert one_try(None, "chat", stop=("\n",), seed=3).text
    with pytest.raises(LLMError, match="api=chat"):
        one_try(None, "responses", seed=3)


@APIS
def test_tool_calls_keep_their_text_however_malformed(api):
    calls = ({"id": "a", "name": "go", "arguments": '{"to": '}, {"id": "b", "name": "look", "arguments": "{}"})
    answer = one_try(None, api, Reply("thinking", calls))
    assert (answer.tool_calls, answer.finish, answer.text) == (calls, "tool_calls", "thinking")


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "text", "text": "in "}, {"type": "image"}, {"type": "text", "text": "parts"}]},
        {"content": "in parts", "tool_calls": [None, {"function": None}, {"function": {"arguments": "{}"}}, "x"]},
        {"content": "in parts", "tool_calls": {"a": 1}, "refusal": ""},
    ],
)
def test_contents_of_other_servers_are_read(message):
    answer = _read_chat({"choices": [{"message": message}], "usage": {"prompt_tokens": 1, "completion_tokens": True}})
    assert (answer.text, answer.tool_calls, answer.usage, answer.finish) == ("in parts", (), None, "stop")


def test_nobody_listens():
    with FakeServer() as server:
        url = server.base_url
    with Gateway(OpenAIDriver(url), retry=QUICK) as way, pytest.raises(EndpointError) as caught:
        way.call(ask())
    assert (caught.value.kind, way.sent) == ("connection", 6)
    assert caught.value.charges.calls == 6


def test_the_key_comes_from_the_environment(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        OpenAIDriver()
    with pytest.raises(MissingKeyError, match="MY_KEY"):
        OpenAIDriver("http://127.0.0.1:1/v1", key="MY_KEY")
    monkeypatch.setenv("MY_KEY", PLAIN)
    with FakeServer("hello", key=PLAIN) as server:
        with Gateway(OpenAIDriver(server.base_url, key="MY_KEY")) as way:
            assert way.call(ask()).text == "hello"
        with Gateway(OpenAIDriver(server.base_url)) as way, pytest.raises(EndpointError, match="key=VARIABLE"):
            way.call(ask())


def test_the_default_key_is_not_sent_in_the_clear(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with (
        FakeServer("hello", key=KEY) as server,
        Gateway(OpenAIDriver(server.base_url)) as way,
        pytest.raises(EndpointError) as caught,
    ):
        way.call(ask())
    assert caught.value.status == 401
    assert OpenAIDriver("https://localhost:1/v1").secrets == (KEY,)
    assert OpenAIDriver().secrets == (KEY,)


def test_the_address_may_come_from_the_environment(monkeypatch):
    with FakeServer("hello") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        with Gateway(OpenAIDriver()) as way:
            assert way.call(ask()).text == "hello"


def test_a_proxy_is_used_but_for_the_loopback_interface(monkeypatch):
    with FakeServer("hello") as server:
        for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", server.base_url.removesuffix("/v1"))
        with (
            Gateway(OpenAIDriver("http://model.invalid/v1"), retry=QUICK) as way,
            pytest.raises(EndpointError) as caught,
        ):
            way.call(ask())
        assert caught.value.status == 404  # the server was asked in the other's stead, and is no proxy
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        with Gateway(OpenAIDriver(server.base_url), retry=QUICK) as way:
            assert way.call(ask()).text == "hello"


def test_a_redirect_is_not_followed():
    """The question, and the key with it, would go where nobody sent it."""
    with FakeServer("elsewhere") as other:
        moved = Fault("status", status=307, headers=(("Location", f"{other.base_url}/chat/completions"),))
        with (
            FakeServer(faults=[moved]) as server,
            Gateway(OpenAIDriver(server.base_url), retry=QUICK) as way,
            pytest.raises(EndpointError) as caught,
        ):
            way.call(ask())
    assert caught.value.status == 307
    assert other.counts["requests"] == 0


@pytest.mark.parametrize(
    "bad", [{"api": "completions"}, {"base_url": "localhost:80/v1"}, {"base_url": "file:///etc/passwd"}]
)
def test_bad_settings_are_refused_when_they_are_made(bad):
    with pytest.raises(ConfigError):
        OpenAIDriver(**{"base_url": "http://127.0.0.1:1/v1", **bad})


@pytest.mark.parametrize("kind", sorted(set(FAULTS) - {"slow", "drip"}))
def test_no_secret_is_ever_written_down(kind, tmp_path, monkeypatch, caplog):
    """Whatever the endpoint repeats of it, and whoever asks with it: all that is written is searched for the keys."""
    monkeypatch.setenv("GATE", PLAIN)
    caplog.set_level(logging.DEBUG)
    shown = []
    fault = Fault(kind, status=500 if kind == "status" else 0, size=100)
    cassette = Cassette(tmp_path / "c", "record")
    ledger, own = Ledger(tmp_path / "all.jsonl"), Ledger(tmp_path / "own.jsonl")
    leaky = f"my key is {PLAIN}, and {KEY}, or https://me:{KEY}@host/"
    reply = Reply(leaky, ({"id": PLAIN, "name": "say", "arguments": json.dumps({"text": leaky})},))
    with FakeServer(reply, key=PLAIN, faults=[None, fault, fault, fault]) as server:
        driver = OpenAIDriver(server.base_url, key="GATE")
        with Gateway(driver, cassette=cassette, ledger=ledger, retry=RetryPolicy(tries=3, base_s=0.001)) as way:
            account = Account("e", ledger=own)
            for text in ("hello", leaky):
                try:
                    answer = way.call(ask(text, session=f"s {PLAIN}", extra={"metadata": {PLAIN: KEY}}), account)
                    shown += [repr(answer), json.dumps(answer.as_dict())]
                except LLMError as error:
                    shown += ["".join(traceback.format_exception(error)), repr(error.charges)]
                ledger.note(account.last_call, way.redactor, raw=leaky)
    own.close()
    written = [path.read_text() for path in tmp_path.iterdir()]
    assert len(written) == 3
    assert all("[redacted]" in text for text in written)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("ludarium")]
    for text in [*written, *shown, *ours, repr(driver), str(vars(way.redactor).keys())]:
        assert PLAIN not in text
        assert KEY not in text


def test_missing_extras_are_named():
    code = (
        "import sys\n"
        "sys.modules.update(openai=None, transformers=None, torch=None)\n"
        "from ludarium.agents.llm.openai_driver import OpenAIDriver\n"
        "from ludarium.agents.llm.local import LocalDriver\n"
        "from ludarium.errors import MissingExtraError\n"
        "for make, extra in ((OpenAIDriver, 'llm'), (lambda: LocalDriver('x'), 'local')):\n"
        "    try:\n"
        "        make()\n"
        "    except MissingExtraError as error:\n"
        "        assert f'ludarium[{extra}]' in str(error), error\n"
        "    else:\n"
        "        raise SystemExit('no error')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert issubclass(MissingExtraError, ImportError)
    assert LocalDriver.__doc__


def test_the_client_is_light_until_it_is_used():
    code = (
        "import sys, ludarium\n"
        "from ludarium.agents.llm import cassette, fake_server, gateway, local, openai_driver, scripted\n"
        "heavy = {'openai', 'httpx2', 'pydantic', 'torch', 'transformers', 'numba'} & set(sys.modules)\n"
        "sys.exit(f'{heavy}' if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_drivers_keep_the_protocol():
    assert isinstance(OpenAIDriver("http://127.0.0.1:1/v1"), Driver)


def test_the_server_runs_as_a_program_and_ends_with_its_input():
    command = [sys.executable, "-m", "ludarium.agents.llm.fake_server", "--reply", "hello", "--fault", "500"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().strip()
        with Gateway(OpenAIDriver(url), retry=QUICK, budget=Budget()) as way:
            answer = way.call(ask())
        assert (answer.text, answer.attempts) == ("hello", 2)
        with urllib.request.urlopen(f"{url}/counts") as response:
            assert json.load(response)["requests"] == 2
    finally:
        process.stdin.close()
    assert process.wait() == 0
    process.stdout.close()
    bad = subprocess.run([*command, "--fault", "nonsense"], capture_output=True, text=True)
    assert bad.returncode == 2
    assert "unknown fault 'nonsense'" in bad.stderr


def test_the_server_outlives_clients_that_talk_no_http():
    async def rude(port, text):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text)
        writer.write_eof()
        await reader.read()
        writer.close()

    with FakeServer("hello") as server:
        port = int(server.base_url.split(":")[2].split("/")[0])
        for text in (
            b"",
            b"\x00\x01",
            b"POST\r\n\r\n",
            b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
            b"a" * 100_000,
        ):
            asyncio.run(rude(port, text))
        with Gateway(OpenAIDriver(server.base_url)) as way:
            assert way.call(ask()).usage == Usage(prompt_tokens(ask()), 1)
