"""The ledger adds up everything that was paid, and transcripts tell everything that was said."""

import json
import threading

import pytest
from llm_doubles import FakeClock, ask

from ludarium.agents.llm.budget import Budget, Limits, Prices
from ludarium.agents.llm.client import Completion, Request, Usage
from ludarium.agents.llm.gateway import Account, Gateway
from ludarium.agents.llm.ledger import FORMAT, VERSION, Ledger, read_transcript
from ludarium.agents.llm.scripted import Scripted
from ludarium.errors import BudgetExceededError, EndpointError, FileFormatError

PRICES = Prices({"tiny": (1_000_000, 2_000_000)})


def flaky(request):
    """Fails the first try of every other question with a bill, and the rest for nothing."""
    flaky.count += 1
    if flaky.count % 4 == 1:
        raise EndpointError("gone", kind="connection", retryable=True)
    if flaky.count % 4 == 3:
        raise EndpointError("busy", status=429, retryable=True)
    return Completion("ok", usage=Usage(10, 2))


def test_totals_are_the_sum_over_turns_with_retries_and_the_users_side():
    flaky.count = 0
    budget = Budget()
    with Gateway(Scripted(flaky), prices=PRICES, max_tokens=50, clock=FakeClock()) as way:
        agent, user = Account("e", budget=budget), Account("e", side="user", budget=budget)
        answers = [(side, way.call(ask(f"{n}"), side)) for n in range(10) for side in (agent, user)]
        ledger = way.ledger
    totals = ledger.totals
    assert set(ledger.by_side) == {"agent", "user"}
    assert (totals.turns, totals.calls, totals.failed, totals.unpriced) == (20, 40, 0, 0)
    for account, name in ((agent, "agent"), (user, "user")):
        own = [answer for side, answer in answers if side is account]
        assert ledger.by_side[name].prompt == sum(answer.charged.prompt for answer in own)
        assert ledger.by_side[name].completion == sum(answer.charged.completion for answer in own)
        assert ledger.by_side[name].micro_dollars == sum(answer.micro_dollars for answer in own)
        assert ledger.by_side[name].calls == sum(answer.attempts for answer in own)
    lost = sum(answer.charged.total - answer.usage.total for _, answer in answers)
    assert totals.prompt + totals.completion == 20 * 12 + lost
    assert lost >= 10 * 50  # the connections that broke are charged what was reserved for them
    assert budget.spent == {
        "calls": totals.calls, "tokens": totals.prompt + totals.completion, "micro_dollars": totals.micro_dollars
    }  # fmt: skip
    assert totals.as_dict()["turns"] == 20


def test_a_transcript_gives_every_message_back(tmp_path):
    path = tmp_path / "deep" / "talk.jsonl"
    said = []
    with Gateway(Scripted(lambda r: f"answer {len(r.messages)}"), ledger=Ledger(path)) as way:
        for episode in ("a", "b"):
            account, messages = Account(episode, seat="robot_0"), [{"role": "system", "content": "rules " * 200}]
            for step in range(20):
                messages.append({"role": "user", "content": f"step {step} of {episode}"})
                account.step = step
                answer = way.call(Request("tiny", tuple(messages), seed=7), account)
                way.ledger.note(account.last_call, action=f"go {step}", status="ok")
                messages.append({"role": "assistant", "content": answer.text})
                said.append((episode, step, list(messages)))
                if step == 10:
                    messages = messages[:1] + messages[-4:]  # a window that moves
    calls = [r for r in read_transcript(path) if r["type"] == "call"]
    assert [
        (r["episode"], r["step"], [*r["messages"], {"role": "assistant", "content": r["response"]["text"]}])
        for r in calls
    ] == said
    assert all(r["request"]["seed"] == 7 and r["tries"] == 1 and len(r["key"]) == 64 for r in calls)
    decisions = [r for r in read_transcript(path, "b") if r["type"] == "decision"]
    assert [r["action"] for r in decisions] == [f"go {n}" for n in range(20)]
    assert json.loads(path.read_text().splitlines()[0]) == {"format": FORMAT, "version": VERSION}
    assert path.read_text().count("rules " * 200) == 2  # once an episode, not once a call


def test_failures_are_in_the_transcript(tmp_path):
    path = tmp_path / "talk.jsonl"
    flaky.count = 0
    with Gateway(Scripted(flaky), ledger=Ledger(path), budget=Budget(Limits(calls=2), "run"), clock=FakeClock()) as way:
        way.call(ask())
        with pytest.raises(BudgetExceededError):
            way.call(ask())
    first, second = read_transcript(path)
    assert first["failures"] == [{"kind": "connection", "status": None, "message": "gone"}]
    assert second["error"]["type"] == "BudgetExceededError"
    assert second["tries"] == 0


def test_an_episode_may_have_a_transcript_of_its_own(tmp_path):
    accounts = [Account(f"e{n}", ledger=Ledger(tmp_path / f"{n}.jsonl")) for n in range(3)]
    with Gateway(Scripted(lambda r: "ok")) as way:
        way.call_all([ask()] * 6, accounts * 2)
    for n, account in enumerate(accounts):
        account.ledger.close()
        assert [(r["episode"], r["call"]) for r in read_transcript(tmp_path / f"{n}.jsonl")] == [
            (f"e{n}", 1),
            (f"e{n}", 2),
        ]
    assert way.ledger.totals.turns == 6


def test_a_line_left_unfinished_is_passed_over_and_other_damage_is_named(tmp_path):
    path = tmp_path / "talk.jsonl"
    with Gateway(Scripted(lambda r: "ok"), ledger=Ledger(path)) as way:
        for _ in range(3):
            way.call(ask(), Account("e"))
    whole = path.read_text()
    path.write_text(whole[:-30])
    assert len(list(read_transcript(path))) == 2
    lines = whole.splitlines(keepends=True)
    for damage, line in ((lines[1][:40] + "\n", 2), ("[]\n", 2), ('{"type": "call"}\n', 2)):
        path.write_text(lines[0] + damage + lines[2])
        with pytest.raises(FileFormatError, match=f"talk.jsonl:{line}"):
            list(read_transcript(path))
    path.write_text('{"format": "ludarium-transcript", "version": 99}\n')
    with pytest.raises(FileFormatError, match="version 1"):
        list(read_transcript(path))


def test_threads_share_a_ledger(tmp_path):
    ledger = Ledger(tmp_path / "talk.jsonl")
    with Gateway(Scripted(lambda r: "ok"), ledger=ledger) as way:

        def play(name):
            account = Account(name)
            for n in range(25):
                way.call(ask(f"{n}"), account)
                ledger.note(account.last_call, status="ok")
            ledger.forget(name)

        threads = [threading.Thread(target=play, args=(f"e{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = list(read_transcript(tmp_path / "talk.jsonl"))
    assert sum(r["type"] == "call" for r in found) == sum(r["type"] == "decision" for r in found) == 200
    assert ledger.totals.turns == 200
