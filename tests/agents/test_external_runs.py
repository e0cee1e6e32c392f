"""Runs with agents outside the suite: nothing that ended is lost, nothing hangs, and scenario files name no programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from external_kit import play, program
from requirements import need
from typer.testing import CliRunner

from ludarium.agents.registry import known_agents, make_agent
from ludarium.envs.core.errors import AgentError, AgentFailedError
from ludarium.leaderboards.cli import app
from ludarium.leaderboards.runner import run
from ludarium.leaderboards.verify import verify

ROOT = Path(__file__).parents[2]
EXAMPLES = {
    "python": f"cmd:{sys.executable} {ROOT}/docs/examples/python/agent.py",
    "node": f"cmd:node {ROOT}/docs/examples/node/agent.mjs",
    "bash": f"cmd:bash {ROOT}/docs/examples/bash/agent.sh",
}
SERVERS = {
    "python": [sys.executable, str(ROOT / "docs/examples/python/agent.py"), "--http", "0"],
    "node": ["node", str(ROOT / "docs/examples/node/agent.mjs"), "--http", "0"],
}
WORLDS = {
    "mapf": ("mapf-lifelong-v0", "num_robots = 2\nsize = 7\nmax_steps = 12"),
    "household": ("text-household-v0", "max_steps = 12"),
    "cooking": ("text-cooking-v0", "max_steps = 12"),
}


def scenario(folder, world="mapf", count=2, extra=""):
    name, config = WORLDS[world]
    path = folder / f"{world}.toml"
    path.write_text(
        f'name = "{world}"\nversion = 1\nenvironment = "{name}"\n{extra}\n[config]\n{config}\n'
        f"[splits]\ntest = {{ base = 0, count = {count} }}\n"
    )
    return str(path)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("language", EXAMPLES)
def test_the_examples_play_and_their_runs_are_verified(tmp_path, language, world):
    if language == "node":
        need("node")
    done = run(scenario(tmp_path, world, 1), [EXAMPLES[language]], tmp_path / "run", jobs=0)
    assert [row["turns_lost"] for row in done.rows] == [0]
    assert done.rows[0]["steps"] > 3
    again = run(scenario(tmp_path, world, 1), [EXAMPLES[language]], tmp_path / "again", jobs=0)
    assert [row["digest"] for row in again.rows] == [row["digest"] for row in done.rows]
    assert verify(tmp_path / "run").ok


@pytest.mark.parametrize("language", SERVERS)
def test_the_examples_play_the_same_as_servers(tmp_path, language):
    if language == "node":
        need("node")
    server = subprocess.Popen(SERVERS[language], stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        path = scenario(tmp_path, "household")
        web = run(path, [address, f"{address}?waits=true"], tmp_path / "web", jobs=0)
        lines = run(path, [EXAMPLES[language]], tmp_path / "lines", jobs=0)
    finally:
        server.kill()
        server.communicate()
    found = {row["agent"]: [] for row in web.rows}
    for row in web.rows:
        found[row["agent"]].append(row["digest"])
    assert all(digests == [row["digest"] for row in lines.rows] for digests in found.values())


SOMETIMES = """
import json, sys
open(sys.argv[1], "a").write("x")
starts = len(open(sys.argv[1]).read())
for line in sys.stdin:
    m = json.loads(line)
    if m["type"] == {3: "hello", 4: "act"}.get(starts):
        sys.exit(1)
    r = {k: m[k] for k in ("type", "version", "episode", "step")}
    print(json.dumps({**r, "view": "text", "actions": ["wait"] * len(m.get("turns", ()))}), flush=True)
"""


def test_one_episode_that_goes_wrong_takes_no_other_with_it(tmp_path):
    """A program dies in its first turns, at its hello or before, by the number of times that it was started."""
    path = tmp_path / "sometimes.py"
    path.write_text(SOMETIMES)
    agent = f"cmd:{sys.executable} {path} {tmp_path}/starts"
    done = run(
        scenario(tmp_path, "mapf", 5), [agent], tmp_path / "run", jobs=1
    )  # the first start is the run's own look
    assert [row["faults"] for row in done.rows] == [{}, {"start": 24}, {"died": 24}, {}, {}]
    assert verify(tmp_path / "run").ok


def test_a_program_that_hangs_ends_with_its_worker(tmp_path):
    name = program(tmp_path) + "hangs?act_seconds=3600"
    path = scenario(tmp_path, "mapf", 1, "[rules]\nepisode_seconds = 1.0\n")
    done = run(path, [name], tmp_path / "run", jobs=1)
    assert done.rows[0]["faults"] == {"late": 24}


def test_an_agent_that_cannot_be_reached_stops_the_run_before_it_begins(tmp_path):
    with pytest.raises(AgentFailedError, match="no weights found"):
        run(scenario(tmp_path), [program(tmp_path) + "hello-dies"], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_agent_that_wants_to_know_too_much_is_told_so(tmp_path, monkeypatch):
    monkeypatch.setenv("VIEW", "state")
    path = scenario(tmp_path, extra='information = "local"')
    with pytest.raises(AgentError, match="local information only"):
        run(path, [program(tmp_path) + "fine?env=VIEW"], tmp_path / "run")


@pytest.mark.parametrize("name", ["cmd:true", "http://127.0.0.1:1", "https://x", "shouter", "bad:Agent"])
def test_only_built_in_names_where_code_is_not_allowed(name, tmp_path):
    with pytest.raises(AgentError, match="only built-in agents"):
        make_agent(name, allow_code=False)
    told = CliRunner().invoke(
        app, ["run", scenario(tmp_path), "-a", name, "--built-in-only", "-o", str(tmp_path / "r")]
    )
    assert told.exit_code != 0
    assert not (tmp_path / "r").exists()


def test_the_sandbox_of_the_command_line(tmp_path):
    need("bubblewrap")
    command = [
        "run",
        scenario(tmp_path, "household", 1),
        "-a",
        EXAMPLES["python"],
        "--sandbox",
        "--jobs",
        "0",
        "--json",
    ]
    told = CliRunner().invoke(app, [*command, "--no-report", "-o", str(tmp_path / "run")])
    assert told.exit_code == 0, told.output
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["agents"] == [EXAMPLES["python"] + "?sandbox=true"]


def test_an_installed_package_offers_agents_by_name(tmp_path, monkeypatch):
    """A small distribution, as an installer would leave it: a module, and the metadata that names its agent."""
    (tmp_path / "shouting.py").write_text(
        "from ludarium.agents.contract import Agent\n\nclass Shouter(Agent):\n    view = 'text'\n"
        "    def __init__(self, word='wait'):\n        self.word = word\n"
        "    def act(self, turns):\n        return {seat: self.word.upper() for seat in turns}\n"
    )
    info = tmp_path / "shouting-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ludarium.agents]\nshouter = shouting:Shouter\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert known_agents()["shouter"] == ("shouting:Shouter", "from shouting")
    assert play("shouter")[0] == {}
    assert play("shouter?word=fly")[0] == {"nonsense": 16}
    code = "from ludarium.leaderboards.cli import main; main()"
    command = [sys.executable, "-c", code, "run", scenario(tmp_path), "-a", "shouter", "-j", "1", "--no-report"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with pytest.raises(AgentError, match="did you mean 'shouter'"):
        make_agent("shoutr")
