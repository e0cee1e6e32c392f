"""Programs as agents: whatever they do, the episode ends, and only what they did not answer is lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from external_kit import play, program, small_batch

from ludarium.agents.crew import Crew
from ludarium.agents.external import keeper
from ludarium.agents.external.process import Pipe, ProcessAgent, scrubbed
from ludarium.agents.registry import make_agent
from ludarium.envs.core.errors import AgentError, AgentFailedError

STEPS, SEATS = 8, 2
ALIVE = "?act_seconds=20"
ONE, REST = SEATS, SEATS * (STEPS - 3)


@pytest.fixture
def named(tmp_path):
    return program(tmp_path)


def gone(pid):
    """Whether a process is no more, or only waits to be noticed by its parent."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def open_files():
    return sorted(
        os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")
    )


def test_a_program_that_behaves_loses_nothing(named):
    lost, batch = play(named + "fine")
    assert lost == {}
    assert all((actions == 1).all() for actions in batch.actions)


@pytest.mark.parametrize(
    ("mode", "kind", "turns"),
    [
        ("dies", "died", REST), ("killed", "died", REST), ("closes", "died", REST), ("start-dies", "start", SEATS * STEPS),
        ("floods-line", "nonsense", None), ("floods-lines", "nonsense", REST), ("floods-errors", "nonsense", None),
        ("other-step", "nonsense", ONE), ("earlier-step", "nonsense", ONE), ("other-episode", "nonsense", ONE),
        ("no-episode", "nonsense", ONE), ("true-step", "nonsense", ONE), ("other-type", "nonsense", ONE),
        ("nonsense", "nonsense", ONE), ("empty", "nonsense", ONE), ("list", "nonsense", ONE), ("deep", "nonsense", ONE),
        ("nan", "nonsense", ONE), ("huge", "nonsense", ONE), ("digits", "nonsense", ONE), ("surrogate", "nonsense", ONE),
        ("no-actions", "nonsense", ONE), ("short-list", "nonsense", ONE), ("binary", "nonsense", ONE),
        ("bad-note", "nonsense", ONE), ("reports", "crash", ONE), ("reports-bare", "crash", ONE),
    ],
)  # fmt: skip
def test_what_it_does_not_answer_is_lost_and_counted(named, mode, kind, turns):
    lost, batch = play(named + mode + ALIVE)
    assert batch.over[0]
    assert batch.t[0] == STEPS
    if turns is None:  # it was ended at the flood: that turn is nonsense, and those after it nobody answers
        assert lost == {"nonsense": ONE, "died": REST - ONE}
    else:
        assert lost == {kind: turns}


@pytest.mark.parametrize("mode", ["hangs", "half"])
def test_one_that_hangs_is_waited_for_three_times_and_no_more(named, mode):
    begun = time.monotonic()
    lost, batch = play(named + mode + "?act_seconds=0.3", small_batch(200))
    assert lost == {"late": SEATS * 197}
    assert batch.t[0] == 200
    assert time.monotonic() - begun > 0.9


def test_one_that_hangs_at_the_start_loses_the_episode(named):
    lost, _ = play(named + "start-hangs?start_seconds=0.5")
    assert lost == {"start": SEATS * STEPS}


def test_an_answer_that_comes_too_late_is_not_taken_for_a_later_turn(named):
    lost, _ = play(named + "slow-once?act_seconds=0.5")
    assert lost in ({"late": ONE}, {"late": 2 * ONE})  # on a slow machine the next answer comes too late as well


def test_one_that_answers_twice_is_heard_once(named):
    lost, _ = play(named + "twice")
    assert lost == {"nonsense": SEATS * (STEPS - 1)}


def test_what_it_says_to_standard_error_never_blocks_it(named):
    assert play(named + "noisy", small_batch(200))[0] == {}


def test_one_that_hears_no_more_has_died(named):
    lost, batch = play(named + "deaf" + ALIVE)
    assert batch.over[0]
    assert lost == {"died": REST - ONE}


@pytest.mark.parametrize(
    ("mode", "words"),
    [("hello-view", "smell"), ("hello-version", "version 7"), ("hello-dies", "no weights found")],
)
def test_a_hello_that_is_none_is_an_error_with_the_reason(named, mode, words):
    agent = make_agent(named + mode)
    with pytest.raises(AgentFailedError, match=words):
        agent.ready()
    assert agent._channel is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cmd:", "names no program"), ("cmd:'", "quote"), ("cmd:./no-such-program", "cannot start"),
        ("cmd:true?act_seconds=0", "act_seconds"), ("cmd:true?start_seconds=x", "start_seconds"),
        ("cmd:true?line_bytes=0", "line_bytes"), ("cmd:true?speed=3", "unknown option 'speed'"),
    ],
)  # fmt: skip
def test_names_that_name_nothing(name, words):
    with pytest.raises(AgentError, match=words):
        make_agent(name).ready()


def test_arguments_are_words_and_no_shell_reads_them(tmp_path):
    path = tmp_path / "show.py"
    path.write_text("import sys, json\nopen(sys.argv[1], 'w').write(json.dumps(sys.argv[2:]))\n")
    out = tmp_path / "out"
    name = f"cmd:{sys.executable} {path} {out} 'two words' $HOME ; touch {tmp_path}/x?y '*' \"q?a=b\""
    with pytest.raises(AgentFailedError):
        make_agent(name).ready()
    assert json.loads(out.read_text()) == ["two words", "$HOME", ";", "touch", f"{tmp_path}/x?y", "*", "q?a=b"]


def test_the_environment_holds_no_keys(tmp_path, monkeypatch):
    for name in ("OPENAI_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "MY_SETTING", "OTHER"):
        monkeypatch.setenv(name, "secret")
    path = tmp_path / "show.py"
    path.write_text(
        "import os, sys\nprint(*sorted(k for k in os.environ if os.environ[k] == 'secret'), file=sys.stderr)\n"
    )
    with pytest.raises(AgentFailedError) as bare:
        make_agent(f"cmd:{sys.executable} {path}").ready()
    assert "secret" not in str(bare.value)
    assert "KEY" not in str(bare.value)
    with pytest.raises(AgentFailedError, match="last words: MY_SETTING OTHER"):
        make_agent(f"cmd:{sys.executable} {path}?env=MY_SETTING,OTHER").ready()
    assert scrubbed({"PATH": "x", "LC_ALL": "C", "A_TOKEN": "y"}) == {"PATH": "x", "LC_ALL": "C"}


FAMILY = """
import os, subprocess, sys, json
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"], stdout=subprocess.DEVNULL)
open(sys.argv[1], "a").write(f"{os.getpid()} {child.pid} ")
for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps({**{k: message[k] for k in ("type", "version", "episode", "step")}, "view": "array", "actions": [1, 1]}))
    sys.stdout.flush()
"""


@pytest.fixture
def family(tmp_path):
    """A program that starts another and leaves it behind; the file in which both write who they are."""
    (tmp_path / "family.py").write_text(FAMILY)
    return f"cmd:{sys.executable} {tmp_path}/family.py {tmp_path}/pids", tmp_path / "pids"


def test_the_whole_group_ends_with_the_episode(family):
    name, pids = family
    assert play(name)[0] == {}
    found = [int(pid) for pid in pids.read_text().split()]
    assert len(found) == 2
    assert all(map(gone, found))


def test_it_ends_when_nobody_holds_it_any_more(family):
    name, pids = family
    agent = make_agent(name)
    agent.ready()
    del agent
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_it_ends_when_the_process_that_asked_it_is_killed(family):
    name, pids = family
    code = f"import time\nfrom ludarium.agents.registry import make_agent\na = make_agent({name!r})\na.ready()\ntime.sleep(3600)"
    asker = subprocess.Popen([sys.executable, "-c", code])
    while not pids.exists() or len(pids.read_text().split()) < 2:
        assert asker.poll() is None
        time.sleep(0.01)
    asker.send_signal(signal.SIGKILL)
    asker.wait()
    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_a_program_that_is_kept_plays_all_episodes(family):
    name, pids = family
    for _ in range(3):
        assert play(name + "?keep=true")[0] == {}
    assert len(pids.read_text().split()) == 2
    for channel, _ in next(iter(ProcessAgent._kept.values())):
        channel.close()
    ProcessAgent._kept.clear()
    assert all(gone(int(pid)) for pid in pids.read_text().split())


@pytest.mark.parametrize("mode", ["dies", "killed", "nonsense", "fine"])
def test_one_that_failed_begins_its_next_episode_anew(named, mode):
    """As in an environment whose other seats it fills: nobody closes it between episodes."""
    agent = make_agent(named + mode)
    batch = small_batch()
    crew = Crew(batch, [(agent, batch.simulator.seats)])
    for _ in range(2):
        crew.start(1)
        turns = {seat: crew.turn("array", s) for s, seat in enumerate(batch.simulator.seats)}
        assert agent.act(turns) == {"robot_0": 1, "robot_1": 1}
        with contextlib.nullcontext() if mode == "fine" else pytest.raises(AgentFailedError):
            agent.act({seat: turn._replace(step=3) for seat, turn in turns.items()})
    agent.close()


def test_one_that_went_wrong_is_not_kept(named):
    play(named + "nonsense?keep=true")
    assert not any(ProcessAgent._kept.values())


def test_episodes_leave_no_pipes_behind(named):
    play(named + "fine")
    before = open_files()
    for mode in ("fine", "dies", "closes", "floods-line", "hello-view"):
        try:
            play(named + mode)
        except AgentFailedError:
            assert mode == "hello-view"
    assert len(open_files()) == len(before)


def test_a_message_larger_than_the_pipe_to_one_that_does_not_read_is_late(tmp_path):
    pipe = Pipe([sys.executable, "-c", "import time; time.sleep(3600)"], scrubbed(os.environ))
    with pytest.raises(AgentFailedError) as caught:
        pipe.send(b"x" * (1 << 20), time.monotonic() + 0.3)
    assert caught.value.kind == "late"
    with pytest.raises(AgentFailedError, match="ended"):
        pipe.send(b"x", time.monotonic() + 10)


def test_two_that_write_much_at_once_do_not_wait_for_each_other(tmp_path):
    code = "import sys\nfor line in sys.stdin: sys.stdout.write(line); sys.stdout.flush()"
    pipe = Pipe([sys.executable, "-c", code], scrubbed(os.environ), line_bytes=8 << 20)
    deadline = time.monotonic() + 60
    for size in (1, 100, 1 << 16, 4 << 20):
        pipe.send(b"y" * size, deadline)
        assert len(pipe.receive(deadline)) == size
    pipe.close()
    pipe.close()


def test_without_its_keeper_programs_are_still_ended(family):
    name, pids = family
    make_agent(name).ready()
    keeper._keeper[1].kill()
    keeper._keeper[1].wait()
    try:
        assert play(name)[0] == {}
        assert all(gone(int(pid)) for pid in pids.read_text().split())
    finally:
        keeper._keeper = None
