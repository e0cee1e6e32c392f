"""Movies of submissions' episodes: they show what a plain reference computes, hostile ones are refused, the folder is bounded."""

import base64
import dataclasses
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
from board_made import HOSTILE, MadeSource, listed
from mapf.reference import Reference
from replay_kit import Home

from ludarium.envs.core.errors import LudariumError, MovieBusyError, MovieError, NoMovieError, RunError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.render.browser import decode
from ludarium.envs.core.render.page import PLAYER
from ludarium.envs.core.trace import Trace, encode
from ludarium.envs.core.trace import decode as decode_trace
from ludarium.leaderboards import child, keys
from ludarium.leaderboards.board import filming, replays
from ludarium.leaderboards.board.reels import Reels
from ludarium.leaderboards.board.replays import Movies, Replays, chosen, films, movie, movie_path, page_path, played
from ludarium.leaderboards.confine import Guard
from ludarium.leaderboards.episode import begin
from ludarium.leaderboards.examine import Examiner
from ludarium.leaderboards.submission import Submission, seal

STEPS = 80


def opened(blob):
    return decode(base64.b64decode(blob))


@pytest.fixture(scope="module")
def kept_home():
    return Home()


@pytest.fixture
def home(kept_home, monkeypatch):
    kept_home.asked.clear()
    monkeypatch.setattr(child, "ask", kept_home.ask)
    return kept_home


@pytest.fixture(scope="module")
def entries(packed, tiny_track):
    """The submissions, and how a board lists them: agent -> (submission, listed)."""
    examiner, found = Examiner(tiny_track), {}
    for agent, path in packed.items():
        submission = Submission.open(path)
        verdict = examiner.examine(submission)
        assert verdict.ok
        made = listed(tiny_track, agent, [row["score"] for row in verdict.rows])
        found[agent] = (
            submission,
            dataclasses.replace(made, digest=submission.hash, verdict=verdict).with_rows(verdict.rows),
        )
    return found


class Source(MadeSource):
    """Listed entries with their files."""

    def __init__(self, track, entries, more=()):
        super().__init__([track], [entry for _, entry in entries.values()] + list(more))
        self.files = {submission.hash: submission for submission, _ in entries.values()}

    def submission(self, digest):
        return self.files.get(digest)


@pytest.fixture
def source(tiny_track, entries):
    return Source(tiny_track, entries)


def trace_of(submission, number):
    return decode_trace(submission.read(submission.episodes[number]))


def spoilt(submission, number, data):
    """The submission with another trace in it, signed anew."""
    key = keys.new_key()
    members = {name: submission.read(name) for name in submission.sums if name != "manifest.json"}
    members[submission.episodes[number]] = data
    manifest = dataclasses.replace(submission.manifest, public_key=keys.public_key(key))
    return Submission(seal(manifest, members, key))


# --- what a movie shows ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("agent", ["pibt", "random"])
@pytest.mark.parametrize("number", [1, 6])
def test_every_frame_is_what_the_plain_reference_steps_to(home, entries, tiny_track, finished, agent, number):
    """Positions, goals that change when they are reached, and the score so far, by the rules written again in plain Python."""
    submission, entry = entries[agent]
    recording = opened(movie(submission, tiny_track, number))
    case, seed, trial = entry.places[number]
    trace = Trace.load(next((finished.root / "traces").glob(f"{agent}*")) / f"{case}-{seed}-{trial}.trace")
    world = make_simulator(trace.id, **trace.header["config"])
    given, robots, goals = world.instance(seed), recording.tracks["robot"], recording.tracks["goal"]
    scale = recording.header["sprites"][0]["scale"]

    def cells(track, t):
        return [(int(y // scale), int(x // scale)) for x, y in zip(track["x"][t], track["y"][t], strict=True)]

    now = 0
    plain = Reference(given.grid, given.starts, given.goals, lambda robot, count, cell: cells(goals, now)[robot],
                      collision=world.config.collision, on_goal=world.config.on_goal, radius=world.config.radius,
                      max_steps=world.config.max_steps)  # fmt: skip
    scores = recording.header["series"]["score so far (throughput)"]
    assert np.array_equal(recording.scene(0).background[0].cells, given.grid)
    for now in range(STEPS + 1):
        if now:
            plain.step(trace.actions[0][now - 1].tolist())
        assert cells(robots, now) == plain.pos, now
        assert cells(goals, now) == plain.goal, now
        assert scores[now] == pytest.approx(plain.metrics()["throughput"], rel=1e-5), now
        assert recording.header["series"]["goals"][now] == sum(plain.reached)
    assert len(recording) == STEPS + 1
    assert recording.header["metrics"]["score"] == entry.scores[number] == pytest.approx(scores[-1], rel=1e-5)
    assert recording.header["meta"]["digest"] == entry.verdict.rows[number]["digest"]


def states(trace, track, place):
    """The whole state after each step, as bytes: stepped here, by the simulator alone."""
    batch = begin(track.world, track.world.case(place[0]), place[1])
    found = []
    for step in range(trace.steps + 1):
        arrays = [array for name, array in batch.state._asdict().items() if isinstance(array, np.ndarray)]
        found.append(pickle.dumps([array.tolist() for array in arrays]))
        if step < trace.steps:
            batch.put(0, trace.actions[0][step][None])
            batch.step()
    return found


@pytest.mark.parametrize("turned", [0, 5, 17, 62, 63, 64, 65, 79])
def test_the_marks_first_differ_where_the_states_do(entries, tiny_track, turned):
    """Two plays that are one until a step; the first difference of their marks is that of their whole states."""
    number, examiner = 6, Examiner(tiny_track)
    place = examiner.units[number]
    first, other = (trace_of(entries[agent][0], number) for agent in ("pibt", "random"))
    batch = begin(tiny_track.world, tiny_track.world.case(place[0]), place[1])
    for step in range(STEPS):
        batch.put(0, (first if step < turned else other).actions[0][step][None])
        batch.step()
    second = batch.trace()
    marks = []
    for trace in (first, second):
        trace.header = {**examiner._header(place), "instance_hash": trace.header["instance_hash"]}
        blob, wrong = filming.film(examiner, trace, number, [])
        assert wrong == ""
        marks.append(decode(blob).header["marks"])
    whole = [states(trace, tiny_track, place) for trace in (first, second)]
    differ = [[t for t in range(STEPS + 1) if a[t] != b[t]] for a, b in (marks, whole)]
    assert differ[0][:1] == differ[1][:1]
    assert all(t > turned for t in differ[0])


def test_equal_plays_have_equal_movies(home, entries, tiny_track):
    submission = entries["pibt"][0]
    one, two = (films(submission, tiny_track, [2, 3]) for _ in range(2))
    assert one == two
    assert one[2] != one[3]
    assert home.asked == [[2, 3], [2, 3]]


def test_words_and_what_a_model_said_stand_beside_the_picture(home, entries, tiny_track):
    submission = entries["pibt"][0]
    call = {"type": "call", "call": 1, "episode": "e", "side": "agent", "seat": "robot_0", "step": 3, "mode": "live",
            "key": "k", "request": {}, "same": 0, "messages": [{"role": "user", "content": "Go <on>."}], "tries": 1,
            "failures": [], "charged": {"prompt": 5, "completion": 2, "estimated": 0}, "micro_dollars": None,
            "response": {"text": "I <b>go</b>", "tool_calls": [], "finish": "stop"}}  # fmt: skip
    lines = [{"format": "ludarium-transcript", "version": 1}, call]
    key = keys.new_key()
    members = {name: submission.read(name) for name in submission.sums if name != "manifest.json"}
    members["transcripts/0000.jsonl"] = "".join(json.dumps(line) + "\n" for line in lines).encode()
    members["transcripts/0001.jsonl"] = (
        b'{"format": "ludarium-transcript", "version": 1}\n{"type": [[[]]], "call": {}}\n'
    )
    manifest = dataclasses.replace(submission.manifest, public_key=keys.public_key(key))
    found = films(Submission(seal(manifest, members, key)), tiny_track, [0, 1])
    said = opened(found[0]).header
    assert [(s["step"], s["said"], s["asked"]) for s in said["talk"]] == [(3, "I <b>go</b>", "Go <on>.")]
    assert opened(found[1]).header["talk"] == []
    texts, rows = said["words"]["texts"], said["words"]["rows"]
    assert len(rows) == 2 * (STEPS + 1)
    assert {texts[who] for _, who, _, _ in rows} == {"robot_0", "robot_1"}
    assert all(texts[did] == "" for step, _, _, did in rows if step == STEPS)


# --- hostile submissions -----------------------------------------------------------------------------------------------
def test_what_does_not_replay_or_is_of_another_episode_is_refused(home, entries, tiny_track):
    submission = entries["pibt"][0]
    wrong = trace_of(submission, 0)
    wrong.digests[-1] = (wrong.digests[-1][0], wrong.digests[-1][1] ^ 1)
    cut = trace_of(submission, 0)
    cut.actions = [actions[:20] for actions in cut.actions]
    cut.digests = [(20, 7)]
    moved = trace_of(submission, 0)
    moved.actions[0][3] = 77
    for data, reason in (
        (encode(wrong), f"differs at step {STEPS}: digest recorded as"),
        (encode(cut), "differs at step 20"),
        (encode(moved), "replay differs|cannot be played"),
        (submission.read(submission.episodes[1]), "is of another episode: seed"),
        (b"\x00" * 40, "not a trace"),
        (encode(wrong)[:-3], "cut|seal"),
    ):
        with pytest.raises(MovieError, match=reason):
            movie(spoilt(submission, 0, data), tiny_track, 0)
    found = films(spoilt(submission, 0, encode(wrong)), tiny_track, [0, 1, 99, -1])
    assert isinstance(found[0], MovieError)
    assert len(opened(found[1])) == STEPS + 1
    assert isinstance(found[99], NoMovieError)
    assert isinstance(found[-1], NoMovieError)


@pytest.mark.parametrize(
    ("limit", "value"), [("MOST_MOVES", 2 * STEPS - 1), ("MOST_PACKED", 1000), ("MOST_UNPACKED", 9000)]
)
def test_what_is_too_large_for_a_page_is_refused(home, entries, tiny_track, monkeypatch, limit, value):
    monkeypatch.setattr(filming, limit, value)
    with pytest.raises(MovieError, match=r"too many for a page.*ludarium replay"):
        movie(entries["pibt"][0], tiny_track, 0)


def test_the_process_is_guarded(entries, tiny_track):
    """A real process films as this one does; that it cannot even begin within its limits is no fault of the submission."""
    submission = entries["pibt"][0]
    made = movie(submission, tiny_track, 6)
    assert len(opened(made)) == STEPS + 1
    with pytest.raises(RunError, match="failed before it looked at the submission"):
        movie(submission, tiny_track, 6, guard=Guard(memory_mb=150))


def test_an_episode_that_its_process_does_not_survive_takes_no_other_with_it(
    kept_home, entries, tiny_track, monkeypatch
):
    asked = []

    def ask(module, order, data, guard):
        asked.append(order["numbers"])
        return (
            child.Ended(b"", "took more than 60 seconds")
            if 1 in order["numbers"]
            else kept_home.ask(module, order, data, guard)
        )

    monkeypatch.setattr(child, "ask", ask)
    found = films(entries["pibt"][0], tiny_track, [0, 1, 2])
    assert str(found[1]) == "the filming process took more than 60 seconds"
    assert [len(opened(found[n])) for n in (0, 2)] == [STEPS + 1] * 2
    assert asked == [[0, 1, 2], [0], [1], [2]]


def test_what_a_process_answers_is_not_believed(entries, tiny_track, monkeypatch):
    line = json.dumps({"number": 0, "movie": 'AAAA");alert(1);("'}).encode()
    monkeypatch.setattr(child, "ask", lambda *order: child.Ended(line, ""))
    with pytest.raises(MovieError):
        movie(entries["pibt"][0], tiny_track, 0)
    with pytest.raises(LudariumError, match="nothing else"):
        replays.script("0" * 64, 0, 'AAAA");alert(1);("')


# --- the folder --------------------------------------------------------------------------------------------------------
def test_the_folder_never_holds_more_than_it_may(tmp_path):
    reels = Reels(tmp_path / "reels", most_bytes=5000)
    for n in range(40):
        reels.put(f"{n:064x}", "A" * 900)
        for path in (tmp_path / "reels").iterdir():
            os.utime(path, ns=(path.stat().st_mtime_ns - 10**9,) * 2)
        assert reels.get(f"{0:064x}") == "A" * 900  # asked for all the time, so it stays
        assert sum(path.stat().st_size for path in (tmp_path / "reels").iterdir()) <= 5000
    kept = [n for n in range(40) if reels.get(f"{n:064x}") is not None]
    assert kept == [0, 36, 37, 38, 39]
    reels.put("f" * 64, "B" * 9000)
    assert reels.get("f" * 64) is None


def test_what_is_damaged_counts_as_not_there_and_a_refusal_is_forgotten(tmp_path):
    reels = Reels(tmp_path)
    reels.put("a" * 64, "AAAA")
    reels.put("b" * 64, MovieError("it does not replay"))
    assert isinstance(found := reels.get("b" * 64), MovieError)
    assert str(found) == "it does not replay"
    path = tmp_path / f"{'a' * 64}.reel"
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        assert reels.get("a" * 64) is None
        path.write_bytes(whole[:cut] + bytes([whole[cut] ^ 1]) + whole[cut + 1 :])
        assert reels.get("a" * 64) is None
    os.utime(tmp_path / f"{'b' * 64}.reel", (1, 1))
    assert reels.get("b" * 64) is None


def test_a_kill_while_a_movie_is_written_leaves_nothing_that_is_believed(tmp_path):
    code = (
        "import os, signal, sys; from ludarium.leaderboards.board import reels\n"
        "reels.os.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)\n"
        "reels.Reels(sys.argv[1]).put('a' * 64, 'A' * 100)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    reels = Reels(tmp_path)
    assert reels.get("a" * 64) is None
    (left,) = tmp_path.iterdir()
    os.utime(left, (1, 1))
    reels.put("b" * 64, "BBBB")
    assert [path.name for path in tmp_path.iterdir()] == [f"{'b' * 64}.reel"]


# --- what a board serves -----------------------------------------------------------------------------------------------
def test_a_script_is_made_once_and_holds_nothing_but_base64(home, source, entries, tmp_path):
    submission, _ = entries["pibt"]
    movies = Movies(tmp_path / "reels")
    found = movies.script(source, submission.hash, 6)
    named = re.fullmatch(rb'ludariumMovie\("([0-9a-f]{64})",6,"([A-Za-z0-9+/=]+)"\);\n', found)
    assert named[1].decode() == submission.hash
    assert len(opened(named[2])) == STEPS + 1
    assert (
        movies.script(source, submission.hash, 6)
        == found
        == Movies(tmp_path / "reels").script(source, submission.hash, 6)
    )
    assert home.asked == [[6]]


def test_only_episodes_of_verified_submissions_are_shown(home, tiny_track, entries, tmp_path):
    scores = [0.5] * 7
    bad = [
        listed(tiny_track, "rejected", [*scores, 0.5], problems=("no",)),
        listed(tiny_track, "erased", [*scores, 0.5], number=1, erased=True),
        listed(tiny_track, "old", [*scores, 0.5], number=2),
        listed(tiny_track, "gone", [*scores, 0.5], number=3),
        listed(tiny_track, "missing one", [*scores, None], number=4),
    ]
    bad[2] = dataclasses.replace(bad[2], version=2)
    source, movies = Source(tiny_track, entries, bad), Movies(tmp_path)
    for digest, number, reason in (
        (bad[0].digest, 0, "no verified"), (bad[1].digest, 0, "no verified"), (bad[2].digest, 0, "no track"),
        (bad[3].digest, 0, "not there any more"), (bad[4].digest, 7, "is missing"), (bad[4].digest, 8, "no episode 8"),
        ("0" * 64, 0, "no verified"), ("../../etc/passwd", 0, "no verified"), (entries["pibt"][0].hash, -1, "no episode"),
    ):  # fmt: skip
        with pytest.raises(NoMovieError, match=reason):
            movies.script(source, digest, number)
    assert home.asked == []


def test_a_refusal_costs_the_board_one_process(home, tiny_track, entries, tmp_path):
    submission, entry = entries["pibt"]
    wrong = trace_of(submission, 0)
    wrong.digests[-1] = (wrong.digests[-1][0], wrong.digests[-1][1] ^ 1)
    bad = spoilt(submission, 0, encode(wrong))
    source = Source(tiny_track, {"pibt": (bad, dataclasses.replace(entry, digest=bad.hash))})
    movies = Movies(tmp_path)
    for _ in range(3):
        with pytest.raises(MovieError, match="the replay differs"):
            movies.script(source, bad.hash, 0)
    assert home.asked == [[0]]


def test_a_crowd_that_asks_for_one_movie_has_it_made_once_and_a_crowd_for_many_is_told_to_wait(
    source, entries, tmp_path, monkeypatch
):
    begun, go, asked = threading.Event(), threading.Event(), []

    def ask(module, order, data, guard):
        asked.append(order["numbers"])
        begun.set()
        go.wait()
        return child.Ended(json.dumps({"movie": "AAAA"}).encode(), "")

    monkeypatch.setattr(child, "ask", ask)
    movies, digest, found = Movies(tmp_path, at_once=1, waiting=0), entries["pibt"][0].hash, []
    crowd = [threading.Thread(target=lambda: found.append(movies.script(source, digest, 0))) for _ in range(4)]
    for one in crowd:
        one.start()
    begun.wait()
    with pytest.raises(MovieBusyError):
        movies.script(source, digest, 1)
    go.set()
    for one in crowd:
        one.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert asked == [[0]]
    assert movies.script(source, digest, 1)
    assert movies._busy == {}


def test_a_submission_with_seeds_of_its_own_is_shown_with_these(tiny_track, entries):
    entry = entries["pibt"][1]
    assert played(tiny_track, entry) is tiny_track
    own = {"two": (1 << 52, (1 << 52) + 1), "four": (7,)}
    places = tuple((case, seed, 0) for case, seeds in own.items() for seed in seeds)
    assert played(tiny_track, dataclasses.replace(entry, places=places)).units() == list(places)


# --- pages -------------------------------------------------------------------------------------------------------------
class Looked(HTMLParser):
    """What of a page a Content-Security-Policy of `default-src 'self'` forbids, its addresses, options and texts."""

    def __init__(self, body):
        super().__init__()
        self.forbidden, self.addresses, self.options, self.texts, self._script = [], [], [], "", False
        self.feed(body.decode())

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.forbidden += [(tag, n) for n in named if n.startswith("on") or n == "style"]
        self._script = tag in ("script", "style")
        self.addresses += [named[n] for n in ("href", "src") if named.get(n)]
        if tag == "option" and "data-episodes" in named:
            self.options.append((named["value"], named["data-episodes"], named["data-name"]))

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script and data.strip():
            self.forbidden.append(("inline", data))
        self.texts += data


def test_a_track_has_one_page_that_offers_what_is_verified(tiny_track, entries):
    worst = [listed(tiny_track, name, [0.0] * 7 + [None], number=n) for n, name in enumerate(HOSTILE)]
    erased = listed(tiny_track, "erased", [9.0] * 8, number=50, erased=True)
    source = Source(tiny_track, entries, [*worst, erased])
    part = Replays(source)
    page = Looked(part.render("replays/tiny-track/").body)
    assert page.forbidden == []
    best = sorted(entries.values(), key=lambda found: -found[1].verdict.score)
    assert [digest for digest, *_ in page.options[:2]] == [submission.hash for submission, _ in best]
    assert {name for *_, name in page.options} >= {"<script>alert(1)</script>", "../../etc/passwd"}
    assert {episodes for _, episodes, _ in page.options} == {"0-7", "0-6"}
    assert erased.digest not in {digest for digest, *_ in page.options}
    assert not any(address.startswith(("http", "/", "javascript")) for address in page.addresses)
    link = part.link(worst[0].digest, 6)
    assert link == f"{page_path('tiny-track')}?a={worst[0].digest}&episode=6"
    assert part.link(worst[0].digest, 7) is part.link(erased.digest, 0) is part.link("0" * 64, 0) is None
    for path in ("replays/", "replays/none/", "replays/tiny-track", movie_path(best[0][0].hash, 0)):
        with pytest.raises(LookupError):
            part.render(path)
    for name in PLAYER:
        assert name.encode() not in part.render("replays/player.js").body
    assert b"class Player" in part.render("replays/player.js").body
    assert b".player" in part.render("replays/player.css").body


def test_a_static_site_holds_the_first_seed_of_each_case_and_leaves_out_what_cannot_be_made(
    home, tiny_track, entries, tmp_path
):
    submission, entry = entries["pibt"]
    assert chosen(tiny_track) == [0, 4]
    wrong = trace_of(submission, 4)
    wrong.digests[-1] = (wrong.digests[-1][0], wrong.digests[-1][1] ^ 1)
    bad = spoilt(submission, 4, encode(wrong))
    source = Source(tiny_track, {**entries, "bad": (bad, dataclasses.replace(entry, digest=bad.hash))})
    part = Replays(source, index="index.html", movies=Movies(tmp_path))
    made = [path for path in part.paths() if path.startswith("movies/")]
    good = [found.hash for found, _ in entries.values()]
    assert sorted(made) == sorted([movie_path(d, n) for d in good for n in (0, 4)] + [movie_path(bad.hash, 0)])
    assert [len(numbers) for numbers in home.asked] == [2, 2, 2]
    for path in part.paths():
        assert part.render(path).body
    assert {e for _, e, _ in Looked(part.render("replays/tiny-track/").body).options} == {"0,4", "0"}
    assert part.link(bad.hash, 4) is None
    blob = re.search(rb'"([A-Za-z0-9+/=]+)"\);', part.render(made[0]).body)[1]
    assert zlib.decompress(base64.b64decode(blob))
    with pytest.raises(LookupError):
        part.render(movie_path(bad.hash, 4))
