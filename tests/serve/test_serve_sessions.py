"""What a session plays, and that nothing of it reaches another."""

import asyncio
import json

import gymnasium as gym
import pytest
from serving_kit import COIN, Clock, pick

from ludarium.envs.core.errors import AgentError, ConfigError
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.leaderboards.serve.sessions import MAX_WAITING, Sessions
from ludarium.leaderboards.serve.world import Offer, Served

MAPF = Offer("mapf-v0", {"num_robots": 4, "size": 8, "max_steps": 40}, seat="robot_1", others="pibt")
HOUSE = Offer("text-household-v0", {"task": "pick"})
COOKING = Offer("text-cooking-v0", {"max_steps": 30})
DESK = Offer("text-desk-v0")


def bare(told):
    """A situation without the name of its session."""
    metadata = {name: value for name, value in told["metadata"].items() if name != "session_id"}
    return {**told, "metadata": metadata}


def episode_of(session, seed, most=200):
    """All that a client is told over an episode."""
    told = [bare(session.begin(seed))]
    while not told[-1]["done"] and len(told) < most:
        told.append(bare(session.act({"command": pick(told[-1], len(told))})))
    return told


@pytest.mark.parametrize("offer", [MAPF, HOUSE, COOKING, COIN], ids=lambda offer: offer.name)
def test_seed_control_determinism_and_isolation(offer):
    """OpenEnv's words for: a seed says all, twice the same is the same, and nobody hears of anybody else."""
    sessions = Sessions(Served(offer))
    one, two, three = (sessions.open() for _ in range(3))
    alone = episode_of(one, 5)
    assert alone[-1]["done"]
    assert alone[-1]["metadata"]["digest"]
    assert episode_of(one, 5) == alone  # the session that was used before
    assert episode_of(two, 6)[0]["observation"] != alone[0]["observation"]
    left, right = bare(two.begin(5)), bare(three.begin(5))  # and two at once, step by step
    for n, expected in enumerate(alone):
        assert left == right == expected
        if not expected["done"]:
            left = bare(two.act({"command": pick(left, n + 1)}))
            right = bare(three.act({"command": pick(right, n + 1)}))


def test_a_session_plays_what_gymnasium_plays():
    """Seat and others as in `gym.make`: the same actions give the same digest."""
    session = Sessions(Served(MAPF)).open()
    env = gym.make("mapf-v0", seat="robot_1", others="pibt", **MAPF.config)
    env.reset(seed=11)
    told, done, total = session.begin(11), False, 0.0
    n = 0
    while not done:
        n += 1
        action = n % 5
        told = session.act({"action": action})
        _, reward, terminated, truncated, _ = env.step(action)
        total += reward
        done = terminated or truncated
        assert told["done"] == done
        assert told["reward"] == reward
        assert told["metadata"]["terminated"] == terminated
        assert told["metadata"]["truncated"] == truncated
    assert told["metadata"]["digest"] == env.unwrapped.digest()
    assert session.score()["reward"] == total


def test_words_values_and_tools_are_the_same_action():
    digests = set()
    for actions in (
        [{"command": "go north"}, {"command": " GO   North. "}],
        [{"name": "go", "arguments": {"direction": "north"}}] * 2,
        [{"action": {"name": "go", "arguments": {"direction": "north"}}}, {"action": "go north"}],
    ):
        session = Sessions(Served(COIN)).open()
        session.begin(3)
        session.act(actions[0])
        value = next(c for c in session.episode.simulator.menu(session.episode.batch.state, 0, 0) if c.verb == "look")
        session.act({"action": value.action})
        digests.add(session.episode.batch.digest())
    assert len(digests) == 1


@pytest.mark.parametrize(
    "action",
    [
        {}, {"command": 5}, {"command": ""}, {"command": "fly"}, {"command": "x" * 100_000}, {"action": None},
        {"action": True}, {"action": 1.5}, {"action": 10**30}, {"action": -1}, {"action": [[1], [1, 2]]},
        {"action": {"name": "fly"}}, {"action": {"name": []}}, {"action": [0] * 1000}, {"name": "go"}, {"name": 7},
        {"name": "go", "arguments": "{"}, {"name": "go", "arguments": {"direction": ["north"]}},
        {"name": "go", "arguments": {"direction": "north", "more": 1}}, {"command": "look", "action": 1}, {"step": 3},
        {"action": float("1e400")}, {"action": "\x00"}, {"name": "go", "arguments": [1]},
    ],
    ids=lambda action: repr(action)[:40],
)  # fmt: skip
@pytest.mark.parametrize("offer", [COIN, MAPF], ids=lambda offer: offer.name)
def test_an_unusable_action_is_refused_and_changes_nothing(offer, action):
    session = Sessions(Served(offer)).open()
    before = bare(session.begin(3))
    with pytest.raises(ServeError) as refused:
        session.act(action)
    assert refused.value.code == "ACTION_ERROR"
    assert len(str(refused.value)) <= 2000
    assert bare(session.look()) == before


def test_an_illegal_action_is_a_turn_and_says_why():
    session = Sessions(Served(MAPF)).open()
    session.begin(3)
    faults = [session.act({"action": action})["metadata"]["fault"] for action in (1, 1, 1, 1, 1, 1, 1, 1)]
    assert any(faults), "eight times in one direction on a map of 8 x 8 meets an edge"
    assert session.playing().step == 8


def test_out_of_turn():
    session = Sessions(Served(COOKING)).open()
    with pytest.raises(ServeError, match="no episode has begun"):
        session.act({"command": "look"})
    session.begin(1)
    with pytest.raises(ServeError, match="is at step 0; the action is for step 1") as stale:
        session.act({"command": "look"}, 1)
    assert stale.value.code == "STALE"
    told = session.act({"command": "look"}, 0)
    while not told["done"]:
        told = session.act({"command": "look"})
    with pytest.raises(ServeError, match="the episode is over"):
        session.act({"command": "look"})


def test_the_cap_the_reaper_and_room_from_finished_sessions():
    clock = Clock()
    sessions = Sessions(Served(COOKING), most=3, idle_seconds=60, clock=clock)
    first, second, third = (sessions.open() for _ in range(3))
    with pytest.raises(ServeError, match="all 3 sessions are taken") as full:
        sessions.open()
    assert full.value.as_data()["max_sessions"] == 3
    assert full.value.status == 503
    clock.now = 59.0
    asyncio.run(sessions.run(second, second.begin, 1))
    clock.now = 60.0
    assert sessions.reap() == 2
    assert len(sessions) == 1
    for gone in (first, third):
        with pytest.raises(ServeError, match="no such session"):
            sessions.find(gone.id)
    sessions.open(), sessions.open()
    told = second.look()
    while not told["done"]:
        told = second.act({"command": "look"})
    assert sessions.open().id != second.id  # a finished session makes room
    with pytest.raises(ServeError, match="no such session"):
        sessions.find(second.id)


def test_concurrent_requests_of_one_session_take_turns_and_do_not_pile_up():
    """Others are asked off the event loop here; still every accepted act is one step, one after another."""
    sessions = Sessions(Served(MAPF))

    async def burst():
        session = sessions.open()
        await sessions.run(session, session.begin, 3)
        found = await asyncio.gather(
            *(sessions.run(session, session.act, {"action": 0}, quick=True) for _ in range(MAX_WAITING + 20)),
            return_exceptions=True,
        )
        refused = [error for error in found if isinstance(error, ServeError)]
        assert {error.code for error in refused} == {"BUSY"}
        assert len(refused) == 20
        assert [told["metadata"]["step"] for told in found[:MAX_WAITING]] == list(range(1, MAX_WAITING + 1))

    asyncio.run(burst())


def test_a_request_that_is_given_up_does_not_let_the_next_one_in_too_early():
    sessions = Sessions(Served(MAPF))

    async def give_up():
        session = sessions.open()
        for n in range(20):
            await sessions.run(session, session.begin, n)
            acts = [asyncio.ensure_future(sessions.run(session, session.act, {"action": 0})) for _ in range(4)]
            await asyncio.sleep(0)
            for act in acts[:3]:
                act.cancel()
            await asyncio.gather(*acts, return_exceptions=True)
            trace = session.playing().trace()
            assert trace.replay().ok

    asyncio.run(give_up())


def test_finished_traces_are_kept_and_play_again(tmp_path):
    sessions = Sessions(Served(Offer("text-cooking-v0", {"max_steps": 12}, traces=tmp_path)))
    session = sessions.open()
    told = episode_of(session, 4)
    rows = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    assert len(rows) == 1
    assert rows[0]["digest"] == told[-1]["metadata"]["digest"]
    trace = Trace.load(tmp_path / rows[0]["trace"])
    assert trace.replay().ok
    assert trace.digest == rows[0]["digest"]
    assert trace.header["seed"] == 4
    assert trace.header["agent"] == {"name": "served", "seat": "cook_0"}


# --- ranked ----------------------------------------------------------------------------------------------------------
def test_a_ranked_server_chooses_the_episodes_and_tells_no_seed(tmp_path):
    sessions = Sessions(Served(Offer("text-household-quick", ranked=True, split="val", traces=tmp_path)))
    session = sessions.open()
    for chosen in ((3, None, None), (None, "val", 0)):
        with pytest.raises(ServeError) as refused:
            session.begin(*chosen)
        assert refused.value.code == "RANKED"
    told = session.begin()
    text = json.dumps([told, session.look(), session.score(), session.state()])
    assert "seed" not in text
    assert str(session.seed) not in text


def test_a_ranked_episode_that_is_left_is_played_to_its_end_and_counts(tmp_path):
    sessions = Sessions(Served(Offer("text-household-quick", ranked=True, traces=tmp_path)), most=1)
    session = sessions.open()
    first = session.begin()
    session.act({"command": "look"})
    second = session.begin()  # leaves the first
    assert second["observation"] != first["observation"]
    sessions.close(session.id)  # leaves the second
    sessions.wait()
    rows = [json.loads(line) for line in (tmp_path / "episodes.jsonl").read_text().splitlines()]
    assert [row["turns_lost"] for row in rows] == [{"late": 49}, {"late": 50}]
    for row in rows:
        trace = Trace.load(tmp_path / row["trace"])
        assert row["over"]
        assert trace.replay().ok
        assert trace.header["scenario"]["name"] == "text-household-quick"
        late = [event for event in trace.events if event.get("kind") == "late"]
        assert len(late) == row["turns_lost"]["late"]


def test_nonsense_loses_the_turn_when_ranked():
    session = Sessions(Served(Offer("text-household-quick", ranked=True))).open()
    session.begin()
    told = session.act({"command": "fly to the moon"})
    assert told["metadata"]["step"] == 1
    assert told["metadata"]["fault"] == "nonsense"
    assert "no command now" in told["metadata"]["message"]
    assert session.score()["turns_lost"] == {"nonsense": 1}


def test_every_ranked_episode_is_handed_out_once():
    served = Served(Offer("text-household-quick", ranked=True, split="test"))
    tasks = [served.draw() for _ in range(served.num_tasks("test"))]
    assert len({(task.case, task.seed) for task in tasks}) == len(tasks) == 18
    with pytest.raises(ServeError) as none:
        Sessions(served).open().begin()
    assert none.value.code == "NO_TASKS_LEFT"
    drawn = Served(Offer("text-coin-v0", ranked=True))
    assert len({drawn.draw().seed for _ in range(50)}) == 50  # nobody can foresee these


# --- mistakes in what is served --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("offer", "error", "said"),
    [
        (Offer("mapf-v1"), ConfigError, "did you mean 'mapf-v0'"),
        (Offer("mapf-v0", {"robots": 3}), ConfigError, "robots"),
        (Offer("mapf-v0", seat="robot_99"), AgentError, "no seat 'robot_99'"),
        (Offer("mapf-v0", others="pibtt"), AgentError, "did you mean 'pibt'"),
        (Offer("mapf-v0", view="picture"), ConfigError, "--view 'picture'"),
        (Offer("text-household-quick", {"task": "pick"}), ConfigError, "says the config itself"),
        (Offer("text-household-quick", split="exam"), ConfigError, "--split 'exam'"),
        (Offer("text-desk-v0", ranked=True), ConfigError, "rank a scenario"),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_mistakes_in_the_offer_are_found_before_anybody_listens(offer, error, said):
    with pytest.raises(error, match=said):
        Served(offer)


def test_arrays_for_policies():
    session = Sessions(Served(Offer("mapf-v0", {"num_robots": 3, "size": 8}, view="array"))).open()
    told = session.begin(1)
    assert set(told["observation"]) == {"seat", "array", "action_mask"}
    told = session.act({"action": 0})
    assert told["observation"]["action_mask"].tolist()[0] == 1


def test_the_desk_is_served_with_its_own_user():
    session = Sessions(Served(DESK)).open()
    told = session.begin(1)
    assert told["observation"]["seat"] == "agent_0"
    assert told["observation"]["commands"] is None
    told = session.act({"name": "say", "arguments": {"message": "Hello, how can I help you?"}})
    assert told["observation"]["text"].count("User:") >= 2
    told = session.act({"command": "What is your name?"})
    assert told["observation"]["text"].count("User:") >= 3
