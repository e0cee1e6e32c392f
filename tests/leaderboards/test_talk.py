"""What a transcript becomes on a replay page."""

import json

import pytest

from ludarium.agents.llm.budget import Cost
from ludarium.agents.llm.client import Completion, Request, Usage
from ludarium.agents.llm.fake_server import FakeServer
from ludarium.agents.llm.ledger import Charges, Ledger, read_transcript
from ludarium.agents.llm.policy import make_policy
from ludarium.agents.llm.redact import Redactor
from ludarium.envs.core.errors import EndpointError, FileFormatError
from ludarium.leaderboards.costs import costs
from ludarium.leaderboards.report import shown
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.talk import save_transcript, talk_of, transcript_of
from ludarium.leaderboards.verify import verify

KEY = "sk-test-0123456789abcdefghij"
PRICES = """[models.policy]
prompt = 2.0
completion = 8.0
"""


def called(ledger, seat, step, prompt, outcome, charges=None):
    """A call in the ledger; returns its number."""
    request = Request("m", ({"role": "system", "content": "Rules."}, {"role": "user", "content": prompt}))
    if charges is None:
        charges = Charges()
        charges.add(Cost(1, 107, 1500), Usage(100, 7))
    who = {"episode": "e", "side": "agent", "seat": seat, "step": step, "mode": "live", "redactor": Redactor()}
    return ledger.record(request, outcome, charges, **who)


@pytest.fixture
def talked(tmp_path):
    """A run folder's trace path with a transcript of four calls beside it."""
    trace = tmp_path / "run" / "traces" / "agent" / "case-0-0.trace"
    ledger = Ledger(transcript_of(trace))
    called(ledger, "robot_0", 0, "You are here.", Completion("nonsense"))
    n = called(ledger, "robot_0", 0, "Say an action.", Completion("Action: wait"))
    ledger.note(n, seat="robot_0", step=0, status="repaired", why="", subgoal="find it", action="wait")
    call = {"id": "1", "name": "move", "arguments": '{"to": "up"}'}
    n = called(ledger, "robot_1", 3, "Go on.", Completion("So:", tool_calls=(call,)))
    ledger.note(n, seat="robot_1", step=3, status="ok", why="", subgoal=None, action=1)
    many = Charges()
    for _ in range(3):
        many.add(Cost(1, 0, None), Usage(0, 0))
    n = called(ledger, "robot_0", 4, "Go on.", EndpointError("503 from the endpoint"), many)
    ledger.note(n, seat="robot_0", step=4, status="fallback", why="endpoint", subgoal="find it", action=None)
    ledger.close()
    return trace


def test_each_call_is_a_saying_with_its_step_segment_status_and_cost(talked):
    told = talk_of(talked)
    assert [(s.step, s.who, s.segment, s.status) for s in told] == [
        (0, "robot_0", "find it", "asked again"),
        (0, "robot_0", "find it", "repaired"),
        (3, "robot_1", "", "ok"),
        (4, "robot_0", "find it", "fallback (endpoint)"),
    ]
    assert [s.said for s in told] == [
        "nonsense", "Action: wait", 'So:\nmove({"to": "up"})', "no answer: 503 from the endpoint",
    ]  # fmt: skip
    assert [s.asked for s in told] == ["You are here.", "Say an action.", "Go on.", "Go on."]
    assert [s.note for s in told] == ["100 + 7 tokens, $0.0015"] * 3 + ["0 + 0 tokens, 3 tries"]


def test_what_an_agent_told_is_saved_as_a_transcript_that_reads_back(talked, tmp_path):
    entries = [json.loads(line) for line in transcript_of(talked).read_text().splitlines()][1:]
    again = tmp_path / "again" / "traces" / "agent" / "case-0-0.trace"
    save_transcript(transcript_of(again), entries)
    assert list(read_transcript(transcript_of(again))) == list(read_transcript(transcript_of(talked)))


def test_without_a_transcript_nothing_was_said(tmp_path):
    assert talk_of(tmp_path / "run" / "traces" / "agent" / "case-0-0.trace") == []


def test_a_damaged_transcript_is_named_and_the_episode_is_shown_without_it(finished):
    trace = finished.root / finished.rows[0]["trace"]
    path = transcript_of(trace)
    path.parent.mkdir(parents=True)
    try:
        path.write_text('{"format": "something else"}\n')
        with pytest.raises(FileFormatError, match=r"\.jsonl:1: is no ludarium-transcript"):
            talk_of(trace)
        movie = shown(trace)
        assert movie.talk == []
        assert "is no ludarium-transcript" in movie.meta["transcript"]
    finally:
        path.unlink()
        path.parent.rmdir()
        path.parent.parent.rmdir()


def test_a_run_with_a_model_has_costs_transcripts_and_the_same_digests_as_without(here, monkeypatch):
    monkeypatch.setenv("TEST_KEY", KEY)
    (here / "prices.toml").write_text(PRICES)
    with FakeServer(policy=make_policy("household-expert", "subgoal"), faults=["500", None, "429"], key=KEY) as server:
        model = f"llm:policy?scaffold=subgoal&base_url={server.base_url}&key=TEST_KEY&prices=prices.toml"
        done = run("text-household-quick", [model, "household-expert"], here / "run", episodes=1, jobs=0)
    rows = {(row["agent"], row["case"]): row for row in done.rows}
    cases = {case for _, case in rows}
    assert len(cases) == 6
    assert all(rows[model, case]["digest"] == rows["household-expert", case]["digest"] for case in cases)
    assert verify(done.root).ok
    (cost,) = costs(done.root)
    turns = sum(rows[model, case]["steps"] for case in cases)
    assert (cost.calls, server.counts["requests"], cost.unpriced) == (turns + 2, turns + 2, 0)
    assert cost.micro_dollars == pytest.approx(2 * cost.prompt + 8 * cost.completion, abs=turns)
    for case in cases:
        told = talk_of(done.root / rows[model, case]["trace"])
        assert [s.step for s in told] == list(range(rows[model, case]["steps"]))
        assert {s.status for s in told} == {"ok"}
        assert all(s.segment for s in told)
    written = [path.read_bytes() for path in here.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in written)
