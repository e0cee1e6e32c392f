"""Judging: what is rejected and why, what is only flagged, and the walls around the process that does it."""

import dataclasses
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from forgeries import members_of

from ludarium.envs.core.errors import RunError
from ludarium.envs.core.trace import decode, encode
from ludarium.leaderboards import keys
from ludarium.leaderboards.confine import Guard
from ludarium.leaderboards.examine import examine
from ludarium.leaderboards.folder import read_rows
from ludarium.leaderboards.judge import judge
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.submission import Submission, pack, seal
from ludarium.leaderboards.track import load_track
from ludarium.leaderboards.verdict import Verdict
from ludarium.scenarios.loader import load

KEY = keys.new_key()


@pytest.fixture(scope="module")
def remade(packed):
    """The submission of PIBT with members and fields of the manifest changed, signed anew."""
    members, manifest = members_of(packed["pibt"].read_bytes())

    def remake(changes=None, drop=(), **fields):
        content = {name: data for name, data in {**members, **(changes or {})}.items() if name not in drop}
        said = dataclasses.replace(manifest, public_key=keys.public_key(KEY), **fields)
        return Submission(seal(said, content, KEY), "entry")

    remake.members = members
    return remake


def changed(remade, number, change):
    """One trace changed by a function, or replaced by what it returns."""
    name = f"episodes/{number:04d}.trace"
    trace = decode(remade.members[name])
    return remade({name: encode(change(trace) or trace)})


# --- the figures -------------------------------------------------------------------------------------------------------
def test_an_honest_submission_has_the_figures_of_its_run(packed, finished, tiny_track):
    verdict = judge(Submission.open(packed["pibt"]), tiny_track)
    assert verdict.ok, verdict.problems
    rows = [row for row in read_rows(finished.root / "episodes.jsonl")[0] if row["agent"] == "pibt"]
    for row, judged in zip(rows, verdict.rows, strict=True):
        for name in ("case", "seed", "trial", "steps", "digest", "metrics"):
            assert judged[name] == row[name]
        assert judged["score"] == row["metrics"]["throughput"]
    assert verdict.score == pytest.approx(np.mean([row["metrics"]["throughput"] for row in rows]), rel=1e-12)
    assert verdict.flags == () or {flag.kind for flag in verdict.flags} == {"guard"}
    assert verdict.agent_steps == 4 * 80 * (2 + 4)
    assert Verdict.from_dict(json.loads(json.dumps(verdict.as_dict()))) == verdict
    again = examine(Submission.open(packed["pibt"]), tiny_track)
    assert again.digest == verdict.digest


def test_missing_episodes_count_as_worst_and_are_flagged(remade, tiny_track):
    verdict = examine(remade(drop=["episodes/0000.trace", "episodes/0005.trace"]), tiny_track)
    whole = examine(remade(), tiny_track)
    assert verdict.ok
    assert [row["status"] for row in verdict.rows].count("missing") == 2
    lost = whole.rows[0]["score"] + whole.rows[5]["score"]
    assert verdict.score == pytest.approx(whole.score - lost / 8)
    assert [(flag.kind, flag.what) for flag in verdict.flags] == [
        ("missing", "2 of 8 episodes are missing and count as worst")
    ]


def spoil_action(trace):
    trace.actions[0][70:] = (trace.actions[0][70:] + 1) % 5


def cut(trace):
    from ludarium.envs.core.replay import playing

    trace.actions[0] = trace.actions[0][:10]
    last = [(batch.digest(), batch.result()) for batch in playing(trace)][-1]
    trace.digests, trace.result = [(10, last[0])], last[1]


def of_train(trace):
    trace.header["seed"] = 100


PROBLEMS = {
    "changed actions": (spoil_action, r"the replay differs at step 80: digest recorded as"),
    "an episode that was cut, with all that it says made to fit": (cut, "the episode is not over after 10 steps"),
    "a seed of another split": (of_train, "seed is 100, of the wrong split 'val', not 3"),
    "a metric that was made up": (
        lambda trace: trace.result["metrics"].update(throughput=9.0),
        "step 80: metrics.throughput recorded as 9.0",
    ),
    "no digests": (lambda trace: trace.digests.clear(), "step 80: digest recorded as None"),
    "another world": (lambda trace: trace.header.update(id="mapf-v0"), "is of another episode: id is"),
    "another config": (lambda trace: trace.header["config"].update(num_robots=3), "config is"),
    "another trial": (lambda trace: trace.header["scenario"].update(trial=1), "scenario is"),
    "a score": (lambda trace: trace.header.update(score=1), "unknown key 'score'"),
    "an instance of its own": (lambda trace: trace.header.update(instance={"map": ["."]}), "instance is"),
    "another instance": (lambda trace: trace.header.update(instance_hash="00" * 16), "the instance has hash"),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_is_named_with_episode_step_and_field(name, remade, tiny_track):
    change, reason = PROBLEMS[name]
    verdict = examine(changed(remade, 3, change), tiny_track)
    assert not verdict.ok
    assert verdict.score is None
    assert verdict.rows == ()
    (problem,) = verdict.problems
    assert problem.where == "episodes/0003.trace"
    assert reason in problem.what


def test_another_track_version_class_or_number_is_a_problem(remade, tiny_track):
    stale = {**tiny_track.reference, "version": 2}
    for fields, reason in (
        ({"track": stale}, "stale: is for version 2 of the track, which is at 3"),
        ({"track": {**tiny_track.reference, "name": "other"}}, "is for track 'other'"),
        ({"track": {**tiny_track.reference, "hash": "00"}}, "the track's hash is"),
        ({"reported": {"wall_s": [1.0] * 7}}, "reported.wall_s has 7 numbers; the track has 8"),
        ({"reported": {"wall_s": [1.0] * 7 + [61.0]}}, "episode 7: wall_s = 61.0 by its own report; the budget is 60"),
        ({"tier": "sealed", "sealed": {"round": "r", "commit": "00"}}, "tier 'sealed'"),
    ):
        assert reason in str(examine(remade(**fields), tiny_track).problems[0])
    llms = dataclasses.replace(tiny_track, classes=("llm",))
    assert "may not enter" in examine(remade(), llms).problems[0].what
    extra = remade({"episodes/0008.trace": remade.members["episodes/0000.trace"]})
    assert "there is an episode 8; the track has 8" in examine(extra, tiny_track).problems[0].what
    none = remade(drop=list(remade.members))
    assert "there is no episode" in examine(none, tiny_track).problems[0].what


def test_what_proves_nothing_is_flagged(remade, tiny_track):
    def flags(**fields):
        verdict = examine(remade(**fields), tiny_track)
        assert verdict.ok
        return {flag.kind: flag.what for flag in verdict.flags}

    assert "0.0.1" in flags(suite="0.0.1")["version"]
    assert "other kernels" in flags(kernels={"ludarium.envs.mapf.simulator": "00"})["kernels"]
    assert "names no kernels" in flags(kernels={})["kernels"]
    assert "impossible for the class 'llm'" in flags(kind="llm", reported={"wall_s": [0.001] * 8})["latency"]
    assert "reports no time" in flags(kind="llm", reported={})["latency"]
    assert "impossible for the class 'human'" in flags(kind="human", reported={"wall_s": [7.9] * 8})["latency"]
    assert "impossible" in flags(reported={"wall_s": [0.0] * 8})["latency"]
    assert "latency" not in flags(kind="human", reported={"wall_s": [9.0] * 8})


def test_the_same_play_in_two_trials_is_flagged(tiny_track, tmp_path):
    text = (tiny_track.path.parent / "tiny.toml").read_text()
    (tmp_path / "tiny.toml").write_text(text.replace("version = 1", "version = 1\ntrials = 2"))
    (tmp_path / "track.toml").write_text(
        tiny_track.path.read_text().replace(tiny_track.scenario_hash, load(tmp_path / "tiny.toml").hash)
    )
    track = load_track(tmp_path / "track.toml")
    played = run(str(tmp_path / "tiny.toml"), ["random"], tmp_path / "run", episodes=1, cases=["two"], jobs=0)
    made = Submission.open(pack(played.root, track, name="me", key=KEY, to=tmp_path, partial=True))
    assert not [flag for flag in examine(made, track).flags if flag.kind == "duplicate"]
    members, manifest = members_of(made.data)
    twin = decode(members["episodes/0000.trace"])
    twin.header["scenario"]["trial"] = 1
    again = Submission(seal(manifest, {**members, "episodes/0001.trace": encode(twin)}, KEY))
    verdict = examine(again, track)
    assert verdict.ok
    found = [flag.what for flag in verdict.flags if flag.kind == "duplicate"]
    assert found == ["episodes 0 and 1, trials of one seed, are the same play"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK\3\4" + b"\0" * 100, "no JSON"),
        (b"[1]\n", "expected a JSON object"),
        (b'{"a":' * 10_000, "nested too deep"),
        (b"\xff\n", "no JSON"),
    ],
)
def test_transcripts_are_json_lines_and_nothing_else(content, reason, remade, tiny_track):
    verdict = examine(remade({"transcripts/0000.jsonl": content}), tiny_track)
    assert reason in str(verdict.problems[0])
    assert examine(remade({"transcripts/0000.jsonl": b'{"say": "<b>hi</b>"}\n'}), tiny_track).ok
    orphan = remade({"transcripts/0000.jsonl": b""}, drop=["episodes/0000.trace"])
    assert "belongs to no episode" in examine(orphan, tiny_track).problems[0].what


def test_a_trace_that_becomes_gigabytes_is_refused(remade, tiny_track):
    def long(trace):
        trace.actions[0] = np.zeros((60_000_000, 2), np.uint8)

    verdict = examine(changed(remade, 0, long), tiny_track)
    assert "expected at most" in verdict.problems[0].what or "frames of more than" in verdict.problems[0].what


def test_text_of_agents_reaches_no_row(remade, tiny_track):
    def told(trace):
        trace.events = [{"status": "default", "kind": "crash", "seats": ["robot_0"], "raw": "<script>"}, "odd", 3]

    verdict = examine(changed(remade, 0, told), tiny_track)
    assert verdict.ok
    assert verdict.rows[0]["lost"] == {"crash": 1}
    assert "<script>" not in json.dumps(verdict.as_dict())


# --- the walls ---------------------------------------------------------------------------------------------------------
CONFINED = """
import encodings.idna, os, socket, sys
from ludarium.leaderboards.confine import Guard, drop_user, leave_network, limit
limit(Guard(memory_mb=1024, output_mb=1))
print(leave_network())
print(drop_user())
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).close()
    print("connected")
except OSError:
    print("no connection")
try:
    bytearray(2 << 30)
    print("memory")
except MemoryError:
    print("no memory")
try:
    os.setuid(0)
    print("root again" if os.geteuid() == 0 else "not root")
except OSError:
    print("not root")
try:
    with open(sys.argv[2], "wb") as file:
        file.write(b"x" * (2 << 20))
    print("wrote")
except OSError:
    print("wrote less")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_a_confined_process_has_no_network_no_root_and_little_memory(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = subprocess.run(
            [sys.executable, "-c", CONFINED, str(port), str(tmp_path / "file")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    network, user, connected, memory, root, wrote = found
    assert connected == ("no connection" if network == "none" else "connected")
    assert network == "none" or network.startswith("not restricted: ")
    assert user == ("nobody" if os.geteuid() == 0 else "own")
    assert (memory, wrote) == ("no memory", "wrote less")
    assert root == "not root" or os.geteuid() != 0


def test_a_submission_that_takes_too_much_is_rejected(monkeypatch, packed, tiny_track):
    import ludarium.leaderboards.child as module

    submission = Submission.open(packed["pibt"])
    late = judge(submission, tiny_track, guard=Guard(wall_s=0.05))
    assert "took more than 0.05 seconds" in late.problems[0].what
    busy = "import time\nwhile time.process_time() < 1.5: pass\n"  # on a fast machine the judging alone is too quick
    monkeypatch.setattr(module, "_CODE", busy + module._CODE)
    assert judge(submission, tiny_track, guard=Guard(cpu_s=60)).ok
    slow = judge(submission, tiny_track, guard=Guard(cpu_s=1))
    assert not slow.ok
    assert "more than 1 seconds of processor time" in slow.problems[0].what


def test_a_judge_that_fails_by_itself_blames_nobody(packed, tiny_track):
    submission = Submission.open(packed["pibt"])
    with pytest.raises(RunError, match="failed before it looked at the submission"):
        judge(submission, tiny_track, guard=Guard(memory_mb=150))
    with pytest.raises(RunError, match="was changed in the meantime"):
        judge(submission, dataclasses.replace(tiny_track, hash="00"))


def test_secrets_of_the_environment_do_not_reach_the_judging_process(monkeypatch, packed, tiny_track):
    import ludarium.leaderboards.child as module

    seen = {}
    real = subprocess.Popen

    def popen(command, **options):
        seen.update(options["env"])
        return real(command, **options)

    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setattr(module.subprocess, "Popen", popen)
    assert judge(Submission.open(packed["pibt"]), tiny_track).ok
    assert not any("secret" in value for value in seen.values())
