"""Hosted attempts: what is played on the board equals a local run, and nothing that a client says changes more than its turn."""

import dataclasses
import http.client
import json
import pathlib
import sys
import threading
import time

import numpy as np
import pytest
from board_live import served

from ludarium.agents.contract import GroupAgent, Turn
from ludarium.agents.crew import Crew
from ludarium.agents.external.messages import Hello, act_message, space_json, start_message, write_json
from ludarium.agents.external.questions import answer_of, array_of, space_of, task_of, turns_of
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError, ConfigError, RefusedError
from ludarium.envs.core.trace import decode
from ludarium.leaderboards import keys
from ludarium.leaderboards.board import drawn, playing
from ludarium.leaderboards.board.client import BoardError
from ludarium.leaderboards.board.entries import StoreSource
from ludarium.leaderboards.board.hosting import Hosting, Rules
from ludarium.leaderboards.board.pages import Pages
from ludarium.leaderboards.board.player import play_hosted
from ludarium.leaderboards.episode import begin
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.rounds import Ticket
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.serve.messages import ServeError
from ludarium.leaderboards.store import Store
from ludarium.leaderboards.submission import Submission
from ludarium.leaderboards.track import load_track
from ludarium.scenarios.loader import load

COIN = """
name = "coin-small"
version = 1
environment = "text-coin-v0"
information = "full"
metrics = ["success"]

[splits]
test = { base = 5, count = 2 }

[[cases]]
name = "three"
config = { level = 2, max_steps = 12 }
"""
WHO = {"name": "Ada's", "class": "planner", "agent": "pibt"}


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    """A track of robots and one of words, of two episodes each."""
    from conftest import TINY

    folder = tmp_path_factory.mktemp("hosted-tracks")
    (folder / "tiny.toml").write_text(TINY.replace("max_steps = 80", "max_steps = 24"))
    (folder / "coin.toml").write_text(COIN)
    found = []
    for name, metric, episodes in (("tiny", "throughput", 1), ("coin", "success", 2)):
        path = folder / f"{name}-track.toml"
        path.write_text(
            f'name = "{name}-track"\nversion = 1\ntitle = "{name}"\nscenario = "{name}.toml"\nsplit = "test"\n'
            f'episodes = {episodes}\nmetric = "{metric}"\n'
            f'scenario_hash = "{load(folder / f"{name}.toml").hash}"\nhigher_is_better = true\n'
            f"worst = 0.0\n[budgets]\nsteps = 24\nwall_s = 60\n"
        )
        found.append(load_track(path))
    return found


class Clock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def rooms(tmp_path, tracks):
    """A board without a server; `rooms.rules.clock.now` is its time."""
    now = [1_000_000_000_000_000]
    with Store(tmp_path / "board.db", clock=lambda: now[0]) as store:
        store.accounts.create("Ada")
        store.accounts.create("Bob")
        found = Hosting(store, {track.name: track for track in tracks}, Rules(clock=Clock(), idle_s=500))
        found.now = now
        yield found


def say(rooms, attempt, **message):
    """What the board answers."""
    return json.loads(rooms.message(attempt, message))


def opened(rooms, track, account=1, **wanted):
    record, key = rooms.open(account, track, {**WHO, **wanted})
    return rooms.find(record.id, key)


def played(rooms, attempt, agent="pibt", steps=10**9):
    """Play an episode with an agent of the suite, for some steps; the last message."""
    told = say(rooms, attempt, type="begin", ask=f"{attempt.record.id}/{attempt.begun}")
    player = make_agent(agent)
    player.start(task_of(told), tuple(told["seats"]), told["seed"])
    told = told["next"]
    while told["type"] == "act" and told["step"] < steps:
        told = say(rooms, attempt, **answer_of(told, player.act(turns_of(told))))
    return told


def wait(told):
    """An answer in which everybody waits."""
    return {"type": "act", "version": 1, "episode": told["episode"], "step": told["step"],
            "actions": dict.fromkeys(told["turns"], 0)}  # fmt: skip


def submission_of(rooms, attempt):
    record = rooms.store.hosting.get(attempt.record.id)
    entry = rooms.store.submissions.get(record.outcome["submission"])
    return record, entry, Submission(rooms.store.blobs.get(entry.digest))


def local(track, place, agent, seed):
    """The digest of the same agent's play in a world of this process."""
    case, episode, _ = place
    batch = begin(track.world, track.world.case(case), episode)
    player = make_agent(agent)
    crew = Crew(batch, [(player, batch.simulator.seats)], information=track.information)
    crew.start(seed)
    while not batch.over[0]:
        crew.act()
        batch.step()
    return f"{batch.digest():016x}"


# --- what is played ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "agent", "look"),
    [
        (0, "pibt", {"view": "state"}),
        (0, "random", {"view": "array"}),
        (0, "random", {"view": "array", "arrays": "lists"}),
        (1, "coin-oracle", {"view": "state"}),
        (1, "random", {"view": "array"}),
    ],
)
def test_a_hosted_attempt_equals_the_same_agents_own_play(number, agent, look, rooms, tracks):
    track = tracks[number]
    attempt = opened(rooms, track, **look)
    units = attempt.track.units()
    told = [played(rooms, attempt, agent) for _ in units]
    assert {each["type"] for each in told} == {"finish"}
    record, entry, submission = submission_of(rooms, attempt)
    drawn_track = drawn.track_of(rooms.store, entry, track)
    assert drawn_track.units() == units
    verdict = examine(submission, drawn_track)
    assert verdict.ok, verdict.problems
    assert [row["lost"] for row in verdict.rows] == [{}] * len(units)
    for row, name, place, last in zip(verdict.rows, submission.episodes.values(), units, told, strict=True):
        own = decode(submission.read(name), name, 1 << 24).header["agent"]["seed"]
        assert row["digest"] == local(drawn_track, place, agent, own)
        assert last["result"]["metrics"] == pytest.approx(row["metrics"])
    said = submission.manifest
    assert (said.tier, said.public_key) == ("hosted", keys.public_key(rooms.key))
    assert (record.outcome["why"], record.outcome["played"], record.count) == ("finished", len(units), 1)
    assert rooms.store.queue.counts()["waiting"] == 1
    rooms.store.check_chain()


def test_a_run_of_the_same_episodes_here_has_the_same_digests(rooms, tracks, tmp_path):
    attempt = opened(rooms, tracks[1], view="state")
    for _ in attempt.track.units():
        played(rooms, attempt, "coin-oracle")
    record, _, submission = submission_of(rooms, attempt)
    seeds = drawn.hosted_seeds(rooms.store, record, tracks[1])
    ticket = Ticket("any", tracks[1].reference, "00", "", seeds)
    rows = run(str(ticket.scenario(tracks[1], tmp_path / "again")), ["coin-oracle"], tmp_path / "run", jobs=0).rows
    assert [row["digest"] for row in examine(submission, attempt.track).rows] == [row["digest"] for row in rows]


def test_nothing_that_is_told_leads_to_the_seeds(rooms, tracks):
    for track, view in ((tracks[0], "state"), (tracks[0], "array"), (tracks[1], "text"), (tracks[1], "tools")):
        attempt = opened(rooms, track, view=view)
        told = rooms.message(attempt, {"type": "begin", "ask": "1"}).decode()
        secret = rooms.store.hosting.private(attempt.record.id)[0]
        seeds = [seed for _, seed, _ in attempt.track.units()]
        assert not any(str(seed) in told for seed in seeds)
        assert secret not in told
        first = json.loads(told)
        task = task_of(first)
        assert task.information == "global"  # what the instance holds for later is not told, whatever the track permits
        assert "seed" not in task.config
        if view == "state" and track is tracks[0]:
            assert turns_of(first["next"])["robot_0"].observation.upcoming.shape[1] == 0
        rooms.end(attempt.record.id, "that was all")
    assert len({seed for attempt in rooms.store.hosting.all() for seed in _seeds(rooms, attempt)}) == 4 * 2


def _seeds(rooms, record):
    track = rooms.tracks[record.track]
    return [seed for own in drawn.hosted_seeds(rooms.store, record, track).values() for seed in own]


def test_two_attempts_side_by_side_do_not_mix(rooms, tracks):
    ada, bob = opened(rooms, tracks[0], 1, view="state"), opened(rooms, tracks[0], 2, view="state")
    assert set(ada.track.units()).isdisjoint(bob.track.units())
    with pytest.raises(ServeError, match="no open attempt"):
        rooms.find(ada.record.id, "another key")
    threads = [threading.Thread(target=lambda a=a: [played(rooms, a) for _ in a.track.units()]) for a in (ada, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for attempt, account in ((ada, 1), (bob, 2)):
        _, entry, submission = submission_of(rooms, attempt)
        assert entry.account_id == account
        assert examine(submission, attempt.track).ok
        assert not examine(submission, (bob if attempt is ada else ada).track).ok


# --- clients that cheat, or fail ---------------------------------------------------------------------------------------
def test_an_answer_is_for_one_episode_and_step_alone(rooms, tracks):
    attempt = opened(rooms, tracks[0], view="array")
    first = say(rooms, attempt, type="begin", ask="a")["next"]
    before = attempt.plays[0].batch.t.copy()
    for change, code in (
        ({"step": 1}, "STALE"), ({"step": -1}, "STALE"), ({"step": "0"}, "STALE"), ({"step": None}, "STALE"),
        ({"episode": "0001"}, "SESSION_ERROR"), ({"episode": 0}, "SESSION_ERROR"), ({"version": 2}, "VALIDATION_ERROR"),
        ({"type": "reset"}, "UNKNOWN_TYPE"), ({"type": "restore"}, "UNKNOWN_TYPE"), ({"type": None}, "UNKNOWN_TYPE"),
    ):  # fmt: skip
        with pytest.raises(ServeError) as found:
            say(rooms, attempt, **{**wait(first), **change})
        assert found.value.code == code, change
    for hostile in ([], "act", None, 3, {}):
        with pytest.raises(ServeError):
            rooms.message(attempt, hostile)
    assert (attempt.plays[0].batch.t == before).all()
    assert say(rooms, attempt, type="look", episode="0000") == first
    second = say(rooms, attempt, **wait(first))
    assert second["step"] == 1
    assert say(rooms, attempt, **wait(first)) == second  # the same answer again, whose reply was lost, changes nothing
    with pytest.raises(ServeError, match="is at step 1"):
        say(rooms, attempt, **{**wait(first), "actions": dict.fromkeys(first["turns"], 1)})


def test_what_is_no_usable_action_costs_the_turn_and_is_counted(rooms, tracks):
    attempt = opened(rooms, tracks[0], view="array")
    told = say(rooms, attempt, type="begin", ask="a")["next"]
    spoiled = [99, "fly", None, [0, 0], {"name": "x"}, 10**30, 1.5, True, {}]
    for action in spoiled:
        told = say(rooms, attempt, **{**wait(told), "actions": {"robot_0": action, "robot_1": 0}})
    for more in (
        {"actions": [0]},
        {"actions": 7},
        {"type": "error", "message": "no idea"},
        {"actions": {"robot_7": 0}},
    ):
        told = say(rooms, attempt, **{**wait(told), **more})
    assert told["step"] == len(spoiled) + 4
    assert attempt.plays[0]._crew.lost["nonsense"] >= len(spoiled) - 1 + 2 * 3
    assert attempt.plays[0]._crew.lost["crash"] == 2
    while told["type"] == "act":
        told = say(rooms, attempt, **wait(told))
    with pytest.raises(ServeError, match="is over"):
        say(rooms, attempt, **wait({**told, "turns": ["robot_0"]}))
    assert say(rooms, attempt, type="look", episode="0000") == told
    say(rooms, attempt, type="end")
    _, _, submission = submission_of(rooms, attempt)
    verdict = examine(submission, attempt.track)
    assert verdict.ok
    assert [row["status"] for row in verdict.rows] == ["ok", "missing"]
    assert {flag.kind for flag in verdict.flags} >= {"lost", "missing"}


def test_messages_that_never_fit_lose_the_episode(rooms, tracks, monkeypatch):
    monkeypatch.setattr(playing, "MAX_REFUSED", 3)
    attempt = opened(rooms, tracks[1], view="text")
    first = say(rooms, attempt, type="begin", ask="a")["next"]
    for _ in range(3):
        with pytest.raises(ServeError, match="is at step 0"):
            say(rooms, attempt, **{**wait(first), "step": 5})
    assert say(rooms, attempt, type="look", episode="0000")["result"]["lost"]["nonsense"] == 12


def test_episodes_begin_once_each_and_not_without_end(rooms, tracks):
    attempt = opened(rooms, tracks[0], view="array")
    first = say(rooms, attempt, type="begin", ask="a")
    assert say(rooms, attempt, type="begin", ask="a") == first  # the reply was lost
    assert say(rooms, attempt, type="begin", ask="b")["episode"] == "0001"
    with pytest.raises(ServeError) as found:
        say(rooms, attempt, type="begin", ask="c")
    assert found.value.code == "NO_TASKS_LEFT"
    for ask in (None, 3, "x" * 65):
        with pytest.raises(ServeError, match="ask"):
            say(rooms, attempt, type="begin", ask=ask)


def test_time_is_the_boards_own_and_ends_the_episode(rooms, tracks):
    attempt, clock = opened(rooms, tracks[0], view="array"), rooms.rules.clock
    told = say(rooms, attempt, type="begin", ask="a")["next"]
    clock.now += 1.5
    told = say(rooms, attempt, **wait(told))
    clock.now += 58
    told = say(rooms, attempt, **wait(told))
    clock.now += 0.75
    last = say(rooms, attempt, **wait(told))  # too late: this and all that follows is lost
    assert (last["type"], last["result"]["lost"]) == ("finish", {"late": 2 * 22})
    say(rooms, attempt, type="end")
    record, _, submission = submission_of(rooms, attempt)
    assert submission.manifest.reported["wall_s"] == [60.0, None]
    measured = record.outcome["measured"]
    assert (measured["answers"], measured["wall_s"], measured["max_s"]) == (3, 60.0, 58.0)
    verdict = examine(submission, attempt.track)
    assert verdict.ok
    assert verdict.rows[0]["lost"] == {"late": 2}  # a note in the trace for each of the two seats


def test_a_disk_that_fails_for_one_attempt_keeps_no_other_from_its_end(rooms, tracks, monkeypatch):
    (first, second), clock = (opened(rooms, tracks[0], account=n, view="state") for n in (1, 2)), rooms.rules.clock
    for attempt in (first, second):
        say(rooms, attempt, type="begin", ask="a")
    finished = rooms._finished

    def full(attempt, number, play):
        if attempt is first:
            raise OSError("no space left")
        finished(attempt, number, play)

    monkeypatch.setattr(rooms, "_finished", full)
    clock.now += 61
    with pytest.raises(OSError, match="no space left"):
        rooms.tick()
    assert (len(first.plays), len(second.plays)) == (1, 0)
    monkeypatch.undo()
    rooms.tick()
    assert len(first.plays) == 0


def test_who_goes_away_is_ended_by_the_clock(rooms, tracks):
    attempt, clock = opened(rooms, tracks[0], view="state"), rooms.rules.clock
    played(rooms, attempt)
    say(rooms, attempt, type="begin", ask="b")
    clock.now += 61
    rooms.tick()  # the second episode's time is up, and with it the attempt
    record, _, submission = submission_of(rooms, attempt)
    assert (record.outcome["why"], sorted(submission.episodes)) == ("finished", [0, 1])
    idle = opened(rooms, tracks[0], view="state")
    clock.now += 499
    rooms.tick()
    assert rooms.store.hosting.get(idle.record.id).ended_at is None
    clock.now += 2
    rooms.tick()
    found = rooms.store.hosting.get(idle.record.id)
    assert (found.outcome["played"], found.outcome["submission"], found.count) == (0, None, 2)
    assert "said nothing" in found.outcome["why"]
    with pytest.raises(ServeError, match="no open attempt"):
        rooms.find(idle.record.id, "any")


def test_who_thinks_for_long_is_not_taken_for_silent(rooms, tracks):
    clock = rooms.rules.clock
    quick = Hosting(rooms.store, rooms.tracks, Rules(clock=clock, idle_s=10))
    attempt = opened(quick, tracks[0], view="array")
    told = say(quick, attempt, type="begin", ask="a")["next"]
    clock.now += 59
    quick.tick()
    assert say(quick, attempt, **wait(told))["step"] == 1


def test_a_crash_of_the_server_ends_the_attempt_with_what_was_recorded(rooms, tracks):
    attempt = opened(rooms, tracks[0], view="state")
    played(rooms, attempt)
    played(rooms, attempt, steps=5)
    other = Hosting(rooms.store, rooms.tracks, Rules())  # another process; the first one is gone
    other.tick()
    assert rooms.store.hosting.get(attempt.record.id).ended_at is None  # it may still be there
    rooms.now[0] += 121_000_000
    other.tick()
    record, entry, submission = submission_of(rooms, attempt)
    assert (record.outcome["why"], record.outcome["played"]) == ("its server was gone", 1)
    verdict = examine(submission, drawn.track_of(rooms.store, entry, tracks[0]))
    assert verdict.ok
    assert [row["status"] for row in verdict.rows] == ["ok", "missing"]
    rooms.tick()  # the first one wakes up: the attempt is not its own any more
    assert rooms.store.submissions.all() == [entry]
    with pytest.raises(ServeError, match="no open attempt"):
        rooms.find(attempt.record.id, "any")
    rooms.store.check_chain()


@pytest.mark.parametrize("moment", ["submitted", "ended"])
def test_a_crash_while_it_ends_gives_the_same_submission(moment, rooms, tracks, monkeypatch):
    attempt = opened(rooms, tracks[1], view="text")
    told = say(rooms, attempt, type="begin", ask="x")["next"]

    def dead(*arguments, **options):
        raise KeyboardInterrupt

    target = rooms.store.submissions if moment == "submitted" else rooms.store.hosting
    with monkeypatch.context() as patch:
        real = target.add if moment == "submitted" else None
        if moment == "submitted":
            patch.setattr(target, "add", lambda *a, **o: (real(*a, **o), dead()))
        else:
            patch.setattr(target, "end", dead)
        while told["type"] == "act":
            told = say(rooms, attempt, **{**wait(told), "actions": {}})
        with pytest.raises(KeyboardInterrupt):
            rooms.end(attempt.record.id, "the server stopped")
    first = rooms.store.submissions.all()
    rooms.now[0] += 121_000_000
    Hosting(rooms.store, rooms.tracks, Rules()).tick()
    _, entry, _ = submission_of(rooms, attempt)
    assert [entry.digest] == [each.digest for each in first]


def test_who_may_play_what(rooms, tracks):
    replayed = dataclasses.replace(tracks[0], tiers=("replayed",))
    for track, wanted, reason in (
        (replayed, {}, "no hosted tier"),
        (tracks[0], {"view": "picture"}, "expected one of array"),
        (tracks[0], {"view": 3}, "expected one of array"),
        (tracks[0], {"view": "state", "information": "local"}, "more than 'local'"),
        (tracks[0], {"information": "all"}, "expected one of local"),
        (tracks[0], {"class": "wizard"}, "expected one of planner"),
        (tracks[0], {"name": "a\u202eb"}, "printable"),
        (tracks[0], {"links": {"code": "javascript:alert(1)"}}, "links.code"),
        (dataclasses.replace(tracks[0], classes=("llm",)), {}, "may not enter"),
    ):
        with pytest.raises(RefusedError, match=reason):
            rooms.open(1, track, {**WHO, **wanted})
    assert rooms.store.hosting.all() == []
    local_only = dataclasses.replace(tracks[0], information="local")
    with pytest.raises(ConfigError, match="more than 'local'"):
        playing.look_of(local_only, "state", "full")
    assert playing.look_of(local_only, "array", "full").information == "local"
    with pytest.raises(RefusedError, match="plays no hosted"):
        opened(Hosting(rooms.store, rooms.tracks, Rules(open_all=0)), tracks[0])
    full = Hosting(rooms.store, rooms.tracks, Rules(open_all=1))
    opened(full, tracks[0], account=2)
    with pytest.raises(ServeError, match="1 attempts are open"):
        opened(full, tracks[0])
    opened(rooms, tracks[0])
    opened(rooms, tracks[1])
    with pytest.raises(RefusedError, match="2 open hosted attempts"):
        opened(rooms, tracks[0])
    opened(rooms, tracks[0], account=2)


def test_an_account_that_is_erased_leaves_no_name_and_no_submission(rooms, tracks):
    attempt = opened(rooms, tracks[0], view="state")
    played(rooms, attempt)
    rooms.store.submissions.erase_account(1)
    rooms.end(attempt.record.id, "ended by the player")
    record = rooms.store.hosting.get(attempt.record.id)
    assert record.outcome["submission"] is None
    assert "no submission" in record.outcome["why"]
    assert rooms.store.hosting.private(record.id)[1] is None
    rooms.store.check_chain()


# --- over HTTP ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def live(tmp_path_factory, tracks):
    with served(tmp_path_factory.mktemp("live-hosted"), tracks) as found:
        yield found


class Failing(GroupAgent):
    """Crashes in one step."""

    def act_group(self, turn: Turn):
        if turn.step == 3:
            raise RuntimeError("no idea")
        return np.zeros(len(turn.observation.pos), np.int64)


class Patient(GroupAgent):
    """Waits for somebody else, as language models do: its episodes are played side by side."""

    waits = True

    def act_group(self, turn: Turn):
        return np.zeros(len(turn.observation.pos), np.int64)


class NotToStart(Patient):
    """Cannot begin."""

    def start(self, task, seats, seed):
        raise ValueError("not today")


def test_the_end_of_an_attempt_is_told_as_it_is(live, monkeypatch):
    """The board ended it meanwhile: what was played counts, and the player hears why there was no more."""
    from ludarium.leaderboards.board import player

    real, ends = player._said, [{"type": "end"}]

    def said(client, at, key, answer):
        if ends:  # before the first answer: the secret draws the task, and a later one may belong to the second episode
            client.post(at, ends.pop(), key=key)
        return real(client, at, key, answer)

    monkeypatch.setattr(player, "_said", said)
    done = play_hosted(live.client, "coin-track", "random", name="Ada's", kind="planner")
    assert (done.played, done.total, done.outcome["why"]) == (1, 2, "ended by the player")
    assert done.submission is not None


@pytest.mark.parametrize(
    "agent", ["shortest", *(f"test_board_hosted:{n}" for n in ("Failing", "Patient", "NotToStart"))]
)
def test_any_agent_plays_a_hosted_attempt_and_the_board_verifies_it(agent, live, tracks):
    told = []
    done = play_hosted(
        live.client,
        "tiny-track",
        agent,
        name="Ada's",
        kind="planner",
        authors=("Ada",),
        progress=lambda *n: told.append(n),
    )
    assert (done.played, done.total, told[-1]) == (2, 2, (2, 2))
    live.verify(tracks)
    client = live.client(None)
    found = client.get(f"/api/v1/submissions/{done.submission}")
    assert found["verdict"]["ok"], found["verdict"]
    assert (found["tier"], found["manifest"]["name"], found["account"]) == ("hosted", "Ada's", "Ada")
    rows = client.get(f"/api/v1/submissions/{done.submission}/episodes")["items"]
    lost = {"Failing": {"crash": 2 + 4}, "NotToStart": {"crash": (2 + 4) * 24}}.get(agent.partition(":")[2], {})
    assert sum(sum(row["lost"].values()) for row in rows) == sum(lost.values())
    attempt = client.get(f"/api/v1/hosted/{done.number}")
    assert (attempt["state"], attempt["outcome"]["submission"]) == ("ended", done.submission)
    seeds = {case: [seed] for case, seed, _ in ((row["case"], row["seed"], 0) for row in rows)}
    assert attempt["seeds"] == seeds
    page = Pages(StoreSource(live.store, tracks)).render("tracks/tiny-track/").body.decode()
    assert "by the board&#39;s clock" in page or "by the board's clock" in page
    assert attempt["id"] in [each["id"] for each in client.get("/api/v1/hosted?track=tiny-track")]


def test_a_program_plays_a_hosted_attempt(live):
    program = f"cmd:{sys.executable} {pathlib.Path(__file__).parents[2]}/docs/examples/python/agent.py"
    done = play_hosted(live.client, "coin-track", program, name="A program", kind="planner")
    assert (done.played, done.total) == (2, 2)
    assert done.outcome["measured"]["answers"] > 0
    found = live.client(None).get(f"/api/v1/submissions/{done.submission}")
    assert found["manifest"]["agent"].startswith("cmd:")


def post(live, path, body, key, headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", int(live.address.rpartition(":")[2]), timeout=60)
    try:
        sent = {"Content-Type": "application/json", **dict(headers)}
        if key:
            sent["Authorization"] = f"Bearer {key}"
        connection.request("POST", path, body, sent)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_hostile_messages_over_http_are_refused_in_the_servers_own_words(live):
    opening = json.dumps({"track": "coin-track", "name": "Eve", "class": "llm"}).encode()
    assert post(live, "/api/v1/hosted", opening, None)[0] == 401
    assert post(live, "/api/v1/hosted", opening, "ludarium_wrong")[0] == 401
    for spoiled in (
        b"{",
        b"[]",
        b'{"track": 3}',
        opening[:-1] + b', "seed": 3}',
        opening.replace(b"coin-track", b"no"),
    ):
        assert post(live, "/api/v1/hosted", spoiled, live.tokens[1])[0] in (404, 422)
    status, told = post(live, "/api/v1/hosted", opening, live.tokens[1])
    assert status == 201
    at, key = told["messages"], told["key"]
    assert key not in json.dumps(live.client(None).get(f"/api/v1/hosted/{told['id']}"))
    for stranger in (None, "wrong", live.tokens[1]):
        assert post(live, at, b'{"type": "begin", "ask": "a"}', stranger)[0] == 404
    deep, long = b"[" * 100_000, b'{"type": "' + b"a" * (2 << 20) + b'"}'
    for hostile, expected in (
        (b"", 400), (b"\xff\xfe", 400), (deep, 400), (b'{"type": NaN}', 400), (b"3", 422), (b'{"type": "\\ud800"}', 400),
        (b'{"type": "act", "episode": "0000", "step": 0}', 404), (b'{"type": ' + b"9" * 5000 + b"}", 400), (long, 413),
    ):  # fmt: skip
        status, said = post(live, at, hostile, key)
        assert status == expected, (hostile[:40], said)
        assert set(said) == {"error", "what", "expected", "do"}
    status, told = post(live, at, b'{"type": "begin", "ask": "a"}', key)
    assert (status, told["next"]["type"]) == (200, "act")
    assert post(live, at, b'{"type": "end"}', key) == (200, {"type": "ended"})
    assert post(live, at, b'{"type": "begin", "ask": "b"}', key)[0] == 404
    with pytest.raises(BoardError, match="no such attempt"):
        live.client(None).get("/api/v1/hosted/999")


def test_one_connection_of_its_own_plays_an_attempt(live, tracks):
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    opening = json.dumps({"track": "coin-track", "name": "Eve", "class": "llm"}).encode()
    _, told = post(live, "/api/v1/hosted", opening, live.tokens[1])
    at = f"{live.address.replace('http', 'ws', 1)}/api/v1/hosted/{told['id']}/socket"
    key = {"Authorization": f"Bearer {told['key']}"}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {**key, "Origin": live.address}):
        with pytest.raises(InvalidStatus):
            connect(at, additional_headers=headers)

    def say(connection, **message):
        connection.send(json.dumps(message))
        return json.loads(connection.recv())

    with connect(at, additional_headers=key) as one:
        with pytest.raises(InvalidStatus):
            connect(at, additional_headers=key)
        assert post(live, told["messages"], b'{"type": "begin", "ask": "a"}', told["key"])[0] == 429
        question = say(one, type="begin", ask="a")["next"]
        for hostile in ("{", "[]", json.dumps({**wait(question), "step": 7})):
            one.send(hostile)
            assert json.loads(one.recv())["type"] == "error"
        while question["type"] == "act":
            question = say(one, **wait(question))
        assert say(one, type="begin", ask="b")["episode"] == "0001"

    def once_it_is_gone(call):
        """The server hears that a connection is gone when it does."""
        for _ in range(2000):
            try:
                found = call()
            except InvalidStatus:
                found = (429, None)
            if not (isinstance(found, tuple) and found[0] == 429):
                return found
            time.sleep(0.01)
        raise AssertionError("the connection is still there")

    with once_it_is_gone(lambda: connect(at, additional_headers=key)) as two:  # the episode waits where it was
        assert say(two, type="look", episode="0001")["step"] == 0
        two.send(b"bytes")
        with pytest.raises(ConnectionClosed):
            two.recv()
    ended = once_it_is_gone(lambda: post(live, told["messages"], b'{"type": "end"}', told["key"]))
    assert ended == (200, {"type": "ended"})
    assert live.client(None).get(f"/api/v1/hosted/{told['id']}")["outcome"]["played"] == 2


# --- the agent's side of the messages ----------------------------------------------------------------------------------
def test_messages_read_back_are_what_was_said(tracks):
    track = tracks[0]
    batch = begin(track.world, track.world.cases[0], 3)
    crew = Crew(batch, [(make_agent("random"), batch.simulator.seats)])
    for arrays in ("base64", "lists"):
        told = json.loads(write_json(start_message("7", crew.task, batch.simulator.seats, 5), arrays))
        task = task_of(told)
        assert (task.id, task.rules, task.seats, task.max_steps) == (
            crew.task.id, crew.task.rules, crew.task.seats, crew.task.max_steps,
        )  # fmt: skip
        assert task.action_spaces == crew.task.action_spaces
        turns = {seat: crew.turn("array", n) for n, seat in enumerate(batch.simulator.seats)}
        found = turns_of(json.loads(write_json(act_message("7", turns, Hello("array", "local", arrays)), arrays)))
        for seat, turn in turns.items():
            assert (np.asarray(found[seat].mask) == turn.mask).all()
            assert found[seat].step == turn.step
    for space in crew.task.observation_spaces.values():
        assert space_json(space_of(space_json(space))) == space_json(space)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"dtype": "O", "shape": [1], "base64": ""}, {"dtype": "<f8", "shape": [1 << 40], "base64": ""},
        {"dtype": "<f8", "shape": [2], "base64": "AAAA"}, {"dtype": "<f8", "shape": [-1], "base64": ""},
        {"dtype": "<i4", "shape": [1], "base64": "no base64!"},
    ],
)  # fmt: skip
def test_arrays_of_strangers_are_data(spoiled):
    with pytest.raises(ValueError):  # noqa: PT011
        array_of(spoiled)
    with pytest.raises(AgentError, match="holds no turns"):
        turns_of({"step": 0, "turns": {"a": {"observation": spoiled, "reward": 0, "terminated": 0, "truncated": 0}}})
    for told in ({}, {"task": 3}, {"task": {"information": "all"}}):
        with pytest.raises(AgentError, match="holds no task"):
            task_of(told)
