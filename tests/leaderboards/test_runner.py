"""Runs survive what can happen to them: kills, Ctrl-C, a full disk, agents that fail."""

import collections
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time

import pytest
from conftest import ludarium

from ludarium.envs.core.errors import AgentError, RunError, ScenarioError
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.folder import RunFolder, folder_names
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.verify import verify

BOTH = ["random", "pibt"]


def rows_on_disk(root):
    path = root / "episodes.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def played_once(root):
    """No episode was played to its end twice, and none is missing."""
    lines = [json.loads(line) for line in (root / "timing.jsonl").read_text().splitlines()]
    counts = collections.Counter(
        (line["agent"], line["case"], line["seed"], line["trial"]) for line in lines if "agent" in line
    )
    rows = RunFolder.open(root).rows()
    return max(counts.values()) == 1 and len(rows) == len(
        {(r["agent"], r["case"], r["seed"], r["trial"]) for r in rows}
    )


def forked(function):
    """Call a function in a fork, and return the fork's number: its start costs nothing."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            function()
            status = 0
        except RunError:
            status = 3
        finally:
            os._exit(status)
    return child


def test_worker_processes_change_nothing(here, finished):
    done = run("tiny.toml", BOTH, here / "run", jobs=2)
    assert done.digest == finished.digest
    assert done.rows == finished.rows
    assert len(done.rows) == done.played == 16


def test_sixteen_kills_at_random_moments_and_a_resume_give_the_digest_of_an_uninterrupted_run(here, finished):
    began = time.perf_counter()
    run("tiny.toml", BOTH, here / "timed", jobs=0)
    whole = time.perf_counter() - began
    kept = []
    for number in range(16):
        root = here / f"run-{number}"
        child = forked(lambda root=root: run("tiny.toml", BOTH, root, jobs=0))
        time.sleep(random.uniform(0, whole))  # the moment is free; the result must not depend on it
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        before = rows_on_disk(root)
        done = run("tiny.toml", BOTH, root, jobs=0, resume=True)
        assert done.digest == finished.digest
        assert done.played == 16 - before
        assert played_once(root)
        kept.append(before)
    assert len(set(kept)) > 2, f"the kills did not fall into the run: {kept}"


def test_kills_of_the_command_with_its_workers_lose_nothing(here, finished):
    root = here / "run"
    arguments = ("run", "tiny.toml", "-a", "random", "-a", "pibt", "-o", root, "-j", 2, "--no-report", "--resume")
    for _ in range(4):
        before = rows_on_disk(root)
        enough = min(15, before + random.randint(0, 4))
        process = ludarium(*arguments, cwd=here)
        while process.poll() is None and rows_on_disk(root) <= enough:
            time.sleep(0.002)
        process.kill()
        process.communicate()
        assert rows_on_disk(root) > before or before == 16
    process = ludarium(*arguments, cwd=here)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert RunFolder.open(root).result()["digest"] == finished.digest
    assert played_once(root)
    assert verify(root).ok


def test_a_torn_last_line_is_dropped_and_played_again(here, finished):
    run("tiny.toml", BOTH, here / "run", jobs=0)
    path = here / "run" / "episodes.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    done = run("tiny.toml", BOTH, here / "run", jobs=0, resume=True)
    assert (done.played, done.digest) == (1, finished.digest)


def test_a_damaged_line_in_the_middle_is_named(here):
    run("tiny.toml", ["pibt"], here / "run", jobs=0)
    path = here / "run" / "episodes.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2][:30]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(RunError, match=r"episodes\.jsonl:3: damaged"):
        run("tiny.toml", ["pibt"], here / "run", jobs=0, resume=True)


def test_ctrl_c_is_a_clean_stop_that_says_how_to_go_on(here):
    agents = ["-a", "bad_agents:Slow", "-a", "pibt"]
    root = here / "run"
    (here / "gate").touch()  # a worker's third episode of Slow waits while it is there
    process = ludarium(
        "run", "tiny.toml", *agents, "-o", root, "-j", 2, "--no-report", cwd=here, start_new_session=True
    )
    while rows_on_disk(root) < 2 and process.poll() is None:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to the workers as well
    _, err = process.communicate()
    (here / "gate").unlink()
    assert process.returncode == 130
    assert f"--resume --out {root}" in err
    assert "Traceback" not in err
    before = rows_on_disk(root)
    assert 2 <= before < 16
    done = run("tiny.toml", ["bad_agents:Slow", "pibt"], root, jobs=0, resume=True)
    assert done.played == 16 - before
    assert done.digest == run("tiny.toml", ["bad_agents:Slow", "pibt"], here / "other", jobs=0).digest


@pytest.mark.parametrize(("limit", "finished_rows"), [(3000, True), (500, False)])
def test_a_full_disk_is_an_error_and_finished_episodes_are_intact(here, finished, limit, finished_rows):
    root = here / "run"

    def with_little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        run("tiny.toml", BOTH, root, jobs=0)

    assert os.waitstatus_to_exitcode(os.waitpid(forked(with_little_room), 0)[1]) == 3
    before = rows_on_disk(root)
    assert (before > 0) == finished_rows
    assert not list(root.rglob("*.part"))
    if finished_rows:
        assert (root / "episodes.jsonl").read_bytes().endswith(b"\n")
        for row in RunFolder.open(root).rows():
            assert Trace.load(root / row["trace"]).replay().ok
    done = run("tiny.toml", BOTH, root, jobs=0, resume=True)
    assert (done.digest, done.played) == (finished.digest, 16 - before)


def test_a_full_disk_in_a_worker_stops_the_run_with_one_line(here):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900));"
    code = limit + "from ludarium.leaderboards.cli import main; main()"
    found = subprocess.run(
        [sys.executable, "-P", "-c", code, "run", "tiny.toml", "-a", "random", "-o", "run", "-j", "1", "--no-report"],
        capture_output=True, text=True, cwd=here,
    )  # fmt: skip
    assert found.returncode == 2, found.stderr
    assert "cannot write" in found.stderr
    assert "Traceback" not in found.stderr


def test_two_processes_may_not_write_one_run(here):
    root = here / "run"
    (here / "gate").touch()
    process = ludarium("run", "tiny.toml", "-a", "bad_agents:Slow", "-o", root, "-j", 1, "--no-report", cwd=here)
    while rows_on_disk(root) < 1 and process.poll() is None:
        time.sleep(0.005)
    with pytest.raises(RunError, match=f"written by process {process.pid}"):
        run("tiny.toml", ["bad_agents:Slow"], root, jobs=0, resume=True)
    process.send_signal(signal.SIGINT)
    process.communicate()
    (here / "gate").unlink()
    run("tiny.toml", ["bad_agents:Slow"], root, jobs=0, resume=True)


@pytest.mark.parametrize(
    ("agent", "kind", "share"),
    [
        ("Crash", "crash", 1.0),
        ("CrashAtStep3", "crash", 1 / 80),
        ("Exit", "crash", 1.0),
        ("Outside", "nonsense", None),
        ("Text", "nonsense", 1.0),
        ("Silent", "nonsense", 1.0),
        ("NotToStart", "start", 1.0),
        ("GroupShape", "nonsense", 1.0),
        ("GroupOutside", "nonsense", None),
    ],
)
def test_an_agent_that_fails_loses_its_turn_and_never_the_run(here, agent, kind, share):
    done = run("tiny.toml", [f"bad_agents:{agent}"], here / "run", jobs=0)
    waited = run("tiny.toml", ["bad_agents:Wait"], here / "waited", jobs=0)
    for row, still in zip(done.rows, waited.rows, strict=True):
        robots = 2 if row["case"] == "two" else 4
        expected = 80 if share is None else round(80 * robots * share)
        assert row["faults"] == {kind: expected}
        assert row["turns_lost"] == expected
        assert row["digest"] == still["digest"]  # the default action is to wait
        events = Trace.load(here / "run" / row["trace"]).events
        assert {event["kind"] for event in events} == {kind}
    assert verify(here / "run").ok
    again = run("tiny.toml", [f"bad_agents:{agent}"], here / "again", jobs=0)
    assert again.digest == done.digest  # messages hold no addresses


def test_the_scenario_says_what_the_default_action_is(here, edit_scenario):
    path = edit_scenario("[config]", "[rules]\ndefault_action = 1\n\n[config]")
    done = run(path, ["bad_agents:Crash"], here / "run", jobs=0)
    trace = Trace.load(here / "run" / done.rows[0]["trace"])
    assert (trace.actions[0] == 1).all()
    path = edit_scenario("[config]", "[rules]\ndefault_action = 7\n\n[config]")
    with pytest.raises(ScenarioError, match="default_action = 7 is no action of robot"):
        run(path, ["bad_agents:Crash"], here / "other", jobs=0)
    assert not (here / "other").exists()


def test_an_agent_that_ends_its_process_loses_the_episode(here):
    done = run("tiny.toml", ["bad_agents:Die", "pibt"], here / "run", jobs=1, episodes=1, cases=["two"])
    died, planned = done.rows
    assert died["faults"] == {"died": 160}
    assert planned["faults"] == {}
    assert verify(here / "run").ok


def test_an_agent_that_hangs_loses_the_episode_after_the_scenarios_seconds(here, edit_scenario):
    path = edit_scenario("[config]", "[rules]\nepisode_seconds = 1\n\n[config]")
    done = run(path, ["bad_agents:Hang"], here / "run", jobs=1, episodes=1, cases=["two"])
    assert done.rows[0]["faults"] == {"late": 160}
    assert verify(here / "run").ok


@pytest.mark.parametrize("jobs", [0, 1])
def test_an_agent_that_is_not_made_for_a_world_stops_the_run_and_says_so(here, jobs):
    with pytest.raises((AgentError, RunError), match=r"LaCAM cannot play this world: .* one goal a robot"):
        run("tiny.toml", ["lacam"], here / "run", jobs=jobs)


@pytest.mark.parametrize("agent", ["random", "shortest", "prioritized", "pibt", "rhcr", "lns", "follower"])
def test_the_lifelong_agents_lose_no_turn(here, agent):
    done = run("tiny.toml", [agent], here / "run", jobs=0)
    assert [row["faults"] for row in done.rows] == [{}] * 8
    assert verify(here / "run").ok


def test_trials_have_equal_episodes_and_different_agent_seeds(here, edit_scenario):
    done = run(edit_scenario("version = 1", "version = 1\ntrials = 3"), ["random"], here / "run", jobs=0, episodes=1)
    assert [row["trial"] for row in done.rows] == [0, 1, 2] * 2
    assert len({row["agent_seed"] for row in done.rows}) == 6
    traces = [Trace.load(here / "run" / row["trace"]) for row in done.rows[:3]]
    assert len({trace.digests[0] for trace in traces}) == 1
    assert len({trace.digest for trace in traces}) == 3
    assert verify(here / "run").ok


def test_what_was_begun_must_be_resumed_with_the_same(here):
    run("tiny.toml", ["pibt"], here / "run", jobs=0, episodes=1)
    with pytest.raises(RunError, match="holds a run already"):
        run("tiny.toml", ["pibt"], here / "run", jobs=0, episodes=1)
    for changed in ({"agents": ["random"]}, {"episodes": 2}, {"split": "val"}, {"cases": ["two"]}):
        given = {"agents": ["pibt"], "episodes": 1, **changed}
        with pytest.raises(RunError, match=f"was begun with {next(iter(changed))} ="):
            run("tiny.toml", out=here / "run", jobs=0, resume=True, **given)
    (here / "full").mkdir()
    (here / "full" / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty and holds no run"):
        run("tiny.toml", ["pibt"], here / "full", jobs=0)


def test_mistakes_are_found_before_anything_is_written(here):
    for error, match, given in (
        (AgentError, "did you mean 'pibt'", {"agents": ["pibtt"]}),
        (AgentError, "unknown option 'wap'; did you mean 'swap'", {"agents": ["pibt?wap=true"]}),
        (AgentError, "none of them twice", {"agents": ["pibt", "pibt"]}),
        (AgentError, "only built-in agents", {"agents": ["bad_agents:Wait"], "allow_code": False}),
        (ScenarioError, "no split 'tset'; did you mean 'test'", {"split": "tset"}),
        (ScenarioError, "no case 'too'; did you mean 'two'", {"cases": ["too"]}),
        (RunError, "episodes = 0", {"episodes": 0}),
    ):
        with pytest.raises(error, match=match):
            run("tiny.toml", out=here / "run", jobs=0, **{"agents": ["pibt"], **given})
        assert not (here / "run").exists()


def test_an_agent_may_not_know_more_than_the_scenario_permits(here, edit_scenario):
    path = edit_scenario("version = 1", 'version = 1\ninformation = "local"')
    with pytest.raises(AgentError, match="local information only"):
        run(path, ["pibt"], here / "run", jobs=0)
    run(path, ["random"], here / "run", jobs=0, episodes=1)


def test_given_instances_are_pinned_copied_and_verified(here, edit_scenario):
    from ludarium.scenarios.loader import file_hash

    instance = {
        "name": "corridor",
        "map": [".....", "..#.."],
        "starts": [[0, 0], [0, 4]],
        "goals": [[[0, 4]], [[0, 0]]],
    }
    (here / "instances").mkdir()
    (here / "instances" / "corridor.json").write_text(json.dumps(instance))
    pin = file_hash(here / "instances" / "corridor.json")
    text = f'name = "given"\ninstance = "instances/corridor.json"\ninstance_hash = "{pin}"\n'
    path = edit_scenario('name = "two"\n', text)
    done = run(path, ["pibt"], here / "run", jobs=0, cases=["given"], episodes=1)
    trace = Trace.load(here / "run" / done.rows[0]["trace"])
    assert trace.header["instance"] == instance
    assert verify(here / "run").ok
    (here / "run" / "scenario" / "instances" / "corridor.json").write_text(json.dumps({**instance, "name": "other"}))
    assert "pins" in str(verify(here / "run").problems[0])


def test_folder_names_are_harmless_and_distinct():
    names = folder_names(["pibt", "lns?window=12", "lns?window=1.2", "../../etc", "a/b", "a:b"])
    assert names["pibt"] == "pibt"
    assert len(set(names.values())) == 6
    assert not any("/" in name or name.startswith(".") for name in names.values())
