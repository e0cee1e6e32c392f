"""Who fills the user's seat: what a scenario file says of it, and users that language models play."""

from __future__ import annotations

import json

import pytest
from text.desk.table_of_agents import WORLD, begun, metrics

from ludarium.agents.crew import Crew
from ludarium.agents.llm.budget import read_prices
from ludarium.agents.llm.client import Completion, ToolCall, Usage
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.scripted import Scripted
from ludarium.agents.registry import make_agent
from ludarium.agents.text.desk.model_user import ModelUser
from ludarium.envs.core.errors import AgentError, EndpointError, ScenarioError
from ludarium.envs.core.trace import decode, encode
from ludarium.leaderboards.episode import Unit, check_case, play
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.verify import verify
from ludarium.scenarios.loader import load

FILE = f"""\
name = "mine"
version = 1
environment = "{WORLD}"
information = "full"
trials = 1

[rules]
default_action = "I did not get that."

[splits]
test = {{ base = 0, count = 2 }}

[seats]
user = "desk-user?persona=terse"
"""
MODEL = "ludarium.agents.text.desk.model_user:ModelUser"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return path

    return write


def unit(seed=0):
    return Unit("desk-expert", "desk-expert", "default", seed, 0)


def test_a_scenario_says_who_the_user_is_and_its_runs_are_verified(write, tmp_path):
    usual, terse = load(write(FILE.split("[seats]")[0])), load(write(FILE))
    plain, short = play(usual, unit()), play(terse, unit())
    assert short.row["metrics"]["success"] == 1
    assert short.row["metrics"]["user_tokens"] < plain.row["metrics"]["user_tokens"]
    assert short.trace.replay().ok
    done = run(terse, ["desk-expert"], tmp_path / "run", jobs=0)
    assert [row["metrics"]["success"] for row in done.rows] == [1, 1]
    assert verify(tmp_path / "run").ok


def test_roles_that_are_not_there_and_seats_for_everybody_are_told(write):
    for seats, reason in (
        ('customer = "desk-user"', "'customer'; did you mean 'user'"),
        ('agent = "desk-idle"', "none is left"),
    ):
        scenario = load(write(FILE.split("user =")[0] + seats))
        with pytest.raises(ScenarioError, match=reason):
            check_case(scenario, scenario.case("default"), 0, make_agent("desk-expert"))


def test_only_who_allows_code_lets_a_file_seat_a_model(write):
    text = FILE.replace("desk-user?persona=terse", f"{MODEL}?model=m")
    with pytest.raises(ScenarioError, match="--allow-code"):
        load(write(text))
    scenario = load(write(text), allow_code=True)
    check_case(scenario, scenario.case("default"), 0, make_agent("desk-expert"))


# --- a model in the user's seat ----------------------------------------------------------------------------------------
def conversation(said, agent="desk-idle", domain="telecom", **options):
    driver = Scripted(said)
    batch = begun(0, domain=domain)
    with Gateway(driver, prices=options.pop("prices", None), retry=options.pop("retry", None)) as gateway:
        user = ModelUser(model="m", gateway=gateway, **options)
        crew = Crew(batch, [(make_agent(agent), ("agent_0",)), (user, ("user_0",))])
        crew.start(0)
        while not batch.over[0]:
            crew.act()
            batch.step()
    return batch, crew, driver, user


CALL = Completion("", (ToolCall(id="a", name="check_phone", arguments="{}"),), usage=Usage(40, 5))


def test_a_model_plays_the_user_with_words_and_tools(tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text("[models.m]\nprompt = 2.0\ncompletion = 8.0\n")
    answers = [Completion("My internet is gone.", usage=Usage(30, 6)), CALL, "It looks fine.",
               Completion("Bye. ###STOP###", usage=Usage(70, 4))]  # fmt: skip
    batch, crew, driver, user = conversation(answers, prices=read_prices(prices))
    game = batch.state.games[0]
    assert game.ended == "stop"
    assert [entry.name for entry in game.log if entry.kind == "call"] == ["check_phone"]
    assert metrics(batch)["user_errors"] == 0
    assert "You are a customer" in driver.requests[0].messages[0]["content"]
    assert (
        driver.requests[0].messages[1]["content"] == "Begin."
        or "your turn" in driver.requests[0].messages[1]["content"]
    )
    assert {tool["function"]["name"] for tool in driver.requests[0].tools} == set(game.domain.user_tools)
    assert "airplane mode is" in driver.requests[2].messages[1]["content"]
    entries = [row for row in user.transcript() if row["type"] == "call"]
    assert crew.usage["calls"] == len(entries) == 4
    assert crew.usage["prompt"] >= 140
    assert crew.usage["micro_dollars"] == sum(row["micro_dollars"] for row in entries) > 0
    assert decode(encode(batch.trace())).replay().ok


def test_words_that_are_no_action_are_errors_of_the_users_side():
    batch, *_ = conversation(["", '{"name": "no_such_tool"}', "Bye. ###STOP###"])
    assert metrics(batch)["user_errors"] == 2


@pytest.mark.parametrize("fault", ["budget", "endpoint"])
def test_a_model_that_gives_no_answer_is_a_counted_fallback(fault):
    def broken(request):
        raise EndpointError("the endpoint is gone", status=400, retryable=False)

    driver = Scripted(broken if fault == "endpoint" else ["Hello."])
    batch = begun(0)
    with Gateway(driver) as gateway:
        user = ModelUser(model="m", gateway=gateway, max_calls=1)
        user.start(Crew(batch, []).task, ("user_0",), 0)
        decided = None
        for _ in range(1 if fault == "endpoint" else 2):
            turn = Crew(batch, []).turn("tools", 1)
            decided = user.act({"user_0": turn})["user_0"]
    assert decided is not None
    assert (decided.status, decided.why) == ("fallback", fault)


def test_a_recording_plays_a_model_user_again(tmp_path):
    from ludarium.agents.llm.cassette import Cassette

    def talk(driver, mode):
        batch = begun(0)
        with Gateway(driver, cassette=Cassette(tmp_path / "tape", mode)) as gateway:
            crew = Crew(
                batch, [(make_agent("desk-idle"), ("agent_0",)), (ModelUser(model="m", gateway=gateway), ("user_0",))]
            )
            crew.start(0)
            while not batch.over[0]:
                crew.act()
                batch.step()
        return batch.digest()

    assert talk(Scripted(["Hi, where is my parcel?", "Bye. ###STOP###"]), "record") == talk(None, "replay")


def test_the_scripted_user_played_through_a_model_is_the_scripted_user():
    """A model that answers as the scripted user does gives the same episode: prompts lose nothing it needs."""
    batch, twin = begun(3), begun(3)
    own = make_agent("desk-user")
    crew = Crew(twin, [(make_agent("desk-expert"), ("agent_0",)), (own, ("user_0",))])
    crew.start(3)
    while not twin.over[0]:
        crew.act()
        twin.step()

    def said(request):
        game = batch.state.games[0]
        text = batch.simulator.see(game, 1)
        for message in json.loads(text)["messages"]:
            assert (message["content"] or "") in request.messages[1]["content"] or message["role"] == "tool"
        return own.answer(json.loads(text))

    with Gateway(Scripted(said)) as gateway:
        crew = Crew(
            batch, [(make_agent("desk-expert"), ("agent_0",)), (ModelUser(model="m", gateway=gateway), ("user_0",))]
        )
        crew.start(3)
        while not batch.over[0]:
            crew.act()
            batch.step()
    assert batch.digest() == twin.digest()


@pytest.mark.parametrize("options", ["", "?complete=x", "?model=m&no_such_option=1", "?model=m&base_url=nowhere"])
def test_what_is_no_model_is_told(options):
    with pytest.raises(AgentError):
        make_agent(MODEL + options)
