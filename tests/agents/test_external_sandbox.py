"""Programs in bubblewrap: what they may not do."""

import shutil
import sys
from pathlib import Path

import pytest
from external_kit import play, program
from requirements import need

from ludarium.agents.external import sandbox
from ludarium.agents.registry import in_sandbox, make_agent
from ludarium.envs.core.errors import AgentError

TRY = """
import json, os, socket, subprocess, sys

def tried(work):
    try:
        return [True, repr(work())]
    except BaseException as error:
        return [False, f"{type(error).__name__}: {error}"]

def connect(host, port):
    socket.create_connection((host, port), 5).close()

HOME, PORT = sys.argv[1], int(sys.argv[2])
TESTS = {
    "loopback": lambda: connect("127.0.0.1", PORT),
    "network": lambda: connect("192.0.2.1", 80),
    "names": lambda: socket.getaddrinfo("example.org", 80),
    "write here": lambda: open("here.txt", "w").write("x"),
    "write home": lambda: open(os.path.join(HOME, "new"), "w").write("x"),
    "write root": lambda: open("/etc/new", "w").write("x"),
    "write itself": lambda: open(__file__, "a").write("x"),
    "secret of home": lambda: open(os.path.join(HOME, "secret")).read(),
    "tmp of others": lambda: open("/tmp/ludarium-of-others").read(),
    "write tmp": lambda: open("/tmp/mine", "w").write("x"),
    "read libraries": lambda: len(os.listdir("/usr")),
    "others": lambda: os.kill(int(sys.argv[3]), 0),
    "memory": lambda: len(bytearray(3 << 30)),
    "disk": lambda: [open(f"/tmp/big{n}", "wb").write(bytes(64 << 20)) for n in range(40)],
    "files": lambda: [open("/dev/null") for _ in range(5000)],
}
for line in sys.stdin:
    message = json.loads(line)
    reply = {k: message[k] for k in ("type", "version", "episode", "step")}
    if message["type"] == "hello":
        reply["name"] = {name: tried(TESTS[name]) for name in sys.argv[4].split(",") if name}
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A home with a secret, and a working folder inside it with the program."""
    work = tmp_path / "home" / "work"
    work.mkdir(parents=True)
    (tmp_path / "home" / "secret").write_text("the key")
    (work / "try.py").write_text(TRY)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(work)
    return tmp_path / "home"


OUTSIDE = ("loopback", "write here", "write home", "secret of home", "tmp of others", "others")
"""What the same program may do without a sandbox: else the test would prove nothing."""
ALL = (
    *OUTSIDE,
    "network",
    "names",
    "write root",
    "write itself",
    "write tmp",
    "read libraries",
    "memory",
    "disk",
    "files",
)


def found(home, names, options=""):
    """What the program could do of all that is named."""
    import os
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        agent = make_agent(f"cmd:{sys.executable} try.py {home} {port} {os.getpid()} '{','.join(names)}'{options}")
        agent._channel = agent._open()
        try:
            told = {"type": "hello", "version": 1, "episode": "", "step": 0}
            agent._hello = None
            return agent._ask(agent._channel, told, 60)["name"]
        finally:
            agent.close()


def test_what_a_sandboxed_program_may_do(here):
    need("bubblewrap")
    others = Path("/tmp/ludarium-of-others")
    others.write_text("theirs")
    try:
        free, held = found(here, OUTSIDE), found(here, ALL, "?sandbox=true&memory_mb=2048")
    finally:
        others.unlink()
    assert {name for name, (may, _) in held.items() if may} == {"write tmp", "read libraries"}
    assert all(may for may, _ in free.values()), free


def test_a_sandboxed_program_plays_and_its_failures_are_told(tmp_path, monkeypatch):
    need("bubblewrap")
    name = program(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert play(name + "fine?sandbox=true")[0] == {}
    assert play(name + "hangs?sandbox=true&act_seconds=0.3")[0] == {"late": 10}
    assert play(name + "dies?sandbox=true")[0] == {"died": 10}


def test_without_bubblewrap_the_error_names_the_package(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    sandbox._bubblewrap.cache_clear()
    try:
        with pytest.raises(AgentError, match="apt-get install bubblewrap"):
            make_agent("cmd:./my_agent?sandbox=true")
    finally:
        sandbox._bubblewrap.cache_clear()


def test_where_bubblewrap_may_not_work_the_error_says_so(tmp_path, monkeypatch):
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho no namespaces for you >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    sandbox._bubblewrap.cache_clear()
    try:
        with pytest.raises(AgentError, match="no namespaces for you"):
            make_agent("cmd:./my_agent?sandbox=true")
    finally:
        sandbox._bubblewrap.cache_clear()


def test_the_option_of_the_command_line_is_for_programs():
    assert in_sandbox("cmd:./a --b") == "cmd:./a --b?sandbox=true"
    assert in_sandbox("cmd:./a?env=X") == "cmd:./a?env=X&sandbox=true"
    assert in_sandbox("cmd:./a?sandbox=true") == "cmd:./a?sandbox=true"
    assert in_sandbox("lns?window=12") == "lns?window=12"
    with pytest.raises(AgentError, match="server"):
        in_sandbox("http://127.0.0.1:8000")
