"""The command line: exit codes, one-line errors, JSON, the examples of every help page, and play."""

import inspect
import json
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from ludarium.envs.core.batch import Batch
from ludarium.envs.core.errors import LudariumError
from ludarium.envs.core.registry import make_simulator
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.cli import COMMANDS, app

runner = CliRunner()
EXAMPLE = re.compile(r"^        (.*\bludarium [^\n]*)$", re.M)


def call(*arguments, stdin=""):
    """The command line in this process; errors of the suite come out as they are."""
    result = runner.invoke(app, [str(argument) for argument in arguments], input=stdin, prog_name="ludarium")
    if isinstance(result.exception, LudariumError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def module_of(name):
    import importlib

    return importlib.import_module(f"ludarium.leaderboards.cli.{COMMANDS[name]}")


def examples(name):
    return EXAMPLE.findall(inspect.getdoc(module_of(name).command).replace("\n    ", "\n        "))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_in_its_help(name):
    code, out = call(name, "--help")
    assert code == 0
    assert examples(name)
    for example in examples(name):
        assert shlex.split(example.split("|")[-1])[:2] == ["ludarium", name]
        assert example.split()[-1] in out


def prepared(example, name):
    """Where the examples cost minutes, a smaller run of the same."""
    smaller = {
        "bench": ["--seconds", "0.01"],
        "run": ["--no-report"],
        "submit": ["--partial", "--key", "key"],
    }
    more = smaller.get(name, [])
    if name == "run" and "--resume" not in example:
        more += ["--episodes", "1", "--jobs", "0"]
    given, _, command = example.rpartition("|")
    arguments = [word for word in shlex.split(command)[1:] if word != "--open"]
    text = given.replace("echo ", "").strip().strip('"') + "\n" if given else ""
    return arguments + more, text


ELSEWHERE = ("failures/", "other/.venv", "pettingzoo.classic", "https://example.org", "https://board.example.org",
             "cmd:node")  # fmt: skip
"""Examples that need a failure, another interpreter, games that are not installed (all in `tests/laws`), a server, or Node
and bubblewrap (`tests/agents`)."""
MY_ENV = "import gymnasium\n\n\ndef MyEnv(**options):\n    return gymnasium.make('FrozenLake-v1', **options)\n"


def test_the_examples_of_the_help_run(here, monkeypatch):
    (here / "my_agents.py").write_text("from bad_agents import Wait as Greedy\n")
    (here / "my_package").mkdir()
    (here / "my_package" / "envs.py").write_text(MY_ENV)
    monkeypatch.syspath_prepend(str(here))
    (here / "my_scenario.toml").write_text((here / "tiny.toml").read_text())
    (here / "work").mkdir()
    for name in COMMANDS:
        for example in examples(name):
            arguments, text = prepared(example, name)
            if any(word in example for word in ELSEWHERE):
                continue
            if name in ("serve", "leaderboard"):
                continue  # serves until it is stopped: tests/serve; test_board_commands.py
            if arguments == ["warmup"]:
                continue  # compiles all that there is: minutes; a test of its own, marked slow
            if name == "check" and "ci" in arguments:
                arguments[arguments.index("ci")] = "dev"
            if name == "replay" and "game.trace" in arguments:
                next((here / "runs").rglob("*.trace")).replace(here / "game.trace")
            if name == "verify":
                text = ""
            code, out = call(*arguments, stdin=text)
            assert code == 0, (example, out)
    assert (here / "game.html").stat().st_size > 10_000
    assert Trace.load(here / "first.trace").actions[0][0].tolist() == [1]


@pytest.mark.slow
def test_warmup_of_everything(here):
    code, out = call("warmup", "--json")
    assert code == 0
    assert {"mapf-v0", "mapf-lifelong-v0", "pibt"} <= set(json.loads(out))


def test_errors_are_one_line_without_a_traceback(command, here):
    for arguments, expected in (
        (("run", "mapf-quik", "-a", "pibt"), "did you mean 'mapf-quick'?"),
        (("run", "tiny.toml", "-a", "pibtt"), "did you mean 'pibt'?"),
        (("info", "mapf-v1"), "did you mean 'mapf-v0'?"),
        (("verify", "nowhere"), "no such run folder"),
    ):
        code, out, err = command(*arguments, cwd=here)
        assert code == 2
        assert (out, err.count("\n")) == ("", 1)
        assert err.startswith("ludarium: ")
        assert expected in err


def test_usage_mistakes_and_the_version(command):
    code, out, _ = command("--version")
    assert (code, out) == (0, "ludarium 0.1.0.dev0\n")
    code, _, err = command("rum")
    assert code == 2
    assert "No such command" in err


def test_verify_exits_with_1_when_something_is_wrong(finished, tmp_path):
    import shutil

    copy = shutil.copytree(finished.root, tmp_path / "run")
    code, out = call("verify", copy)
    assert (code, "verified: 16 episodes" in out) == (0, True)
    next(copy.rglob("*.trace")).unlink()
    code, out = call("verify", copy)
    assert (code, "the trace is missing" in out) == (1, True)
    code, out = call("verify", copy, "--json")
    assert (code, json.loads(out)["ok"]) == (1, False)


def test_every_answer_can_be_json(here, finished):
    root = finished.root
    for arguments in (
        ("list",), ("info", "mapf-v0"), ("info", "mapf-quick"), ("info", "lns"), ("info", root),
        ("info", root / finished.rows[0]["trace"]), ("verify", root),
        ("replay", f"{root}/pibt/two-0-0", "-o", "x.html"), ("export", root, "--to", "jsonl", "-o", "x.jsonl"),
        ("bench", "mapf-v0", "-c", "num_robots=2", "--rows", "1", "--seconds", "0.01"),
        ("run", "tiny.toml", "-a", "pibt", "-o", "run", "-j", "0", "--episodes", "1"),
        ("play", "mapf-v0", "--seat", "none", "-a", "random", "-c", "num_robots=2", "-c", "max_steps=3"),
    ):  # fmt: skip
        code, out = call(*arguments, "--json")
        assert code == 0
        json.loads(out)


def test_a_run_writes_its_report_with_replays(here):
    call("run", "tiny.toml", "-a", "pibt", "-a", "random", "-o", "run", "-j", 0)
    page = (here / "run" / "report.html").read_text()
    links = re.findall(r'<a href="([^"]+)"', page)
    assert len(links) == 4
    assert all((here / "run" / link).is_file() for link in links)
    assert "src=" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("<caption>throughput") == 2
    assert page.count("<table>") == 5  # ranks, improvement and profiles besides
    assert call("verify", "run")[0] == 0


def test_the_list_needs_no_compiler():
    code = (
        "import sys, json; sys.argv = ['ludarium', 'list', '--json']\n"
        "from ludarium.leaderboards.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "assert 'numba' not in sys.modules, 'numba was imported'\n"
    )
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert "mapf-lifelong-v0" in {row["name"] for row in json.loads(found.stdout)["environments"]}


def test_replay_finds_episodes_by_name_and_says_which_there_are(here, finished):
    code, _ = call("replay", finished.root / "pibt" / "two-1-0", "-o", "page.html")
    assert code == 0
    assert "<title>" in (here / "page.html").read_text()
    with pytest.raises(LudariumError, match=r"no episode 'pibt/two-11-0'; did you mean 'pibt/two-\d-0'"):
        call("replay", finished.root / "pibt" / "two-11-0")
    with pytest.raises(LudariumError, match="no run folder above it"):
        call("replay", "some/where")
    with pytest.raises(LudariumError, match="cannot write the page"):
        call("replay", finished.root / "pibt" / "two-1-0", "-o", "no/folder/page.html")


def test_a_person_plays_by_commands_and_hears_what_cannot_be(here):
    typed = "fly\nwait\nmove up\nmove down\nwait\nquit\n"
    code, out = call(
        "play", "mapf-lifelong-v0", "-a", "pibt", "-c", "num_robots=3", "-c", "size=9", "-c", "density=0.0", stdin=typed
    )
    assert code == 0
    assert "'fly' is no command now" in out
    assert "you left" in out
    trace = Trace.load(here / "play-mapf-lifelong-v0-0.trace")
    assert 2 <= trace.steps <= 4
    assert trace.actions[0].shape[1] == 3
    assert trace.replay().ok


@pytest.mark.parametrize("world", ["mapf-v0", "text-household-v0", "text-desk-v0"])
def test_by_words_a_person_reads_what_a_model_reads(here, world):
    code, out = call("play", world, "--words", "-o", "words.trace", stdin="nonsense\nq\n")
    batch = Batch(make_simulator(world), 1, world)
    batch.seed(np.ones(1, np.bool_), [0])
    batch.reset(np.ones(1, np.bool_))
    assert code == 0
    assert out.startswith(batch.simulator.rules())
    assert out.count(batch.simulator.rules()) == 1
    words = batch.simulator.describe(batch.state, 0, 0)
    assert (words if batch.asked[0, 0] else words.splitlines()[0]) in out


def test_a_story_is_told_once_and_a_piped_line_is_seen(here):
    typed = "Hello! What can I do for you?\nCould you please tell me your full name and zip code?\n"
    code, out = call("play", "text-desk-v0", "--words", "-o", "words.trace", stdin=typed)
    assert code == 0
    for line in typed.splitlines():
        assert f"> {line}\n" in out
        assert out.count(f"You: {line}\n") == 1
    assert out.count("You serve at the desk of Larkspur Goods.") == 1


def test_mistakes_of_play_are_named(here):
    with pytest.raises(LudariumError, match="no seat 'robot_9'; did you mean 'robot_"):
        call("play", "mapf-v0", "--seat", "robot_9", "-c", "num_robots=3")
    with pytest.raises(LudariumError, match="unknown option 'robots'; did you mean 'num_robots'"):
        call("play", "mapf-v0", "-c", "robots=3")
    with pytest.raises(LudariumError, match="expected NAME=VALUE"):
        call("play", "mapf-v0", "-c", "robots")


def test_keys_mean_the_commands_that_end_in_their_direction():
    from ludarium.leaderboards.cli.terminal import command_of_key

    commands = ("wait", "move up", "move left")
    assert command_of_key("\x1b[A", commands) == "move up"
    assert command_of_key("a", commands) == "move left"
    assert command_of_key(" ", commands) == "wait"
    assert command_of_key("s", commands) is None  # an obstacle is there
    assert command_of_key("x", commands) is None
    assert command_of_key("w", None) is None


def test_keys_are_read_one_by_one_on_a_terminal(here):
    import os
    import pty

    pid, fd = pty.fork()
    if pid == 0:
        code = "from ludarium.leaderboards.cli import main; main()"
        options = ["-c", "num_robots=1", "-c", "size=6", "-c", "density=0.0", "-o", "keys.trace"]
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-P", "-c", code, "play", "mapf-lifelong-v0", *options])
    seen = b""
    keys = [b" ", b"\x1b[C", b"\x1b[D", b" ", b"q"]
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        seen += data
        while keys and seen.count(b"q ends") + seen.count(b"that does nothing") > 5 - len(keys):
            os.write(fd, keys.pop(0))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, seen.decode()
    trace = Trace.load(here / "keys.trace")
    assert 2 <= trace.steps <= 4
    assert trace.actions[0][0].tolist() == [0]
    assert trace.replay().ok


def test_bench_and_json_values_of_options():
    from ludarium.leaderboards.cli.common import options_of

    given = ["num_robots=3", "dtype=uint8", 'map=["a", "b"]', "density=0.5", "track_density=true", "x=a=b"]
    assert options_of(given) == {
        "num_robots": 3, "dtype": "uint8", "map": ["a", "b"], "density": 0.5, "track_density": True, "x": "a=b",
    }  # fmt: skip


def test_a_submission_to_a_world_that_is_not_installed_is_skipped_by_name_on_demand(packed, tiny_track, monkeypatch):
    from ludarium.envs.core import registry
    from ludarium.errors import MissingExtraError

    monkeypatch.setattr(registry, "available", lambda name: False)
    monkeypatch.setitem(
        registry.WORLDS, "mapf-lifelong-v0", registry.world("mapf-lifelong-v0")._replace(requires="robots")
    )
    given = "verify", packed["pibt"].parent, "--track", tiny_track.path
    with pytest.raises(MissingExtraError, match=r"ludarium\[robots\]"):
        call(*given)
    code, out = call(*given, "--skip-unavailable")
    assert code == 1  # nothing was verified
    assert out.count("skipped: ") == 2
    assert f"{packed['pibt']}: this needs the package 'robots'" in out
