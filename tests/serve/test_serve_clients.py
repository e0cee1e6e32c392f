"""Real clients play real episodes: the `mcp` package's over stdio and HTTP, a Node program, and the examples of the docs."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from requirements import need
from serving_kit import COIN, serving

from ludarium.envs.core.language import commands, parse
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.serve.world import Offer

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
BIN = Path(sys.executable).parent
WORLDS = {
    "mapf": Offer("mapf-v0", {"num_robots": 4, "size": 8, "max_steps": 30}, seat="robot_1", others="pibt"),
    "household": Offer("text-household-v0", {"task": "pick"}),
    "cooking": Offer("text-cooking-v0", {"max_steps": 30}),
}
PARTS = [
    *(f"-c{name}={value}" for name, value in WORLDS["mapf"].config.items()),
    "--seat",
    "robot_1",
    "--others",
    "pibt",
]
ARGUMENTS = {
    "mapf": ["mapf-v0", *PARTS],
    "household": ["text-household-v0", "-ctask=pick"],
    "cooking": ["text-cooking-v0", "-cmax_steps=30"],
}


def here(offer, seed=3):
    """The digest of the same episode, played in this process with nothing served."""
    seats = {"seat": offer.seat, "others": offer.others} if offer.seat else {}
    env = gym.make(offer.name, **seats, **offer.config).unwrapped
    env.reset(seed=seed)
    n, own, done = 0, env.form.seat, False
    while not done:
        n += 1
        listed = commands(env.simulator, env.batch.state, 0, own)
        action = parse(env.simulator, env.batch.state, 0, own, listed[(7 * n + 3) % len(listed)])
        done = any(env.step(action)[2:4])
    return env.digest()


@pytest.mark.parametrize("world", WORLDS)
def test_the_mcp_client_over_stdio(world):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "mcp_client.py", *ARGUMENTS[world]],
        capture_output=True, text=True, env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(Path.home())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    score = json.loads(done.stdout)
    assert score["over"]
    assert score["digest"] == here(WORLDS[world])


@pytest.mark.parametrize("world", WORLDS)
def test_clients_over_http_websocket_and_mcp_play_the_same_episode(world, tmp_path):
    """Python over streamable HTTP and WebSocket, and Node over HTTP: one digest, and traces that play again."""
    offer = WORLDS[world]
    digests = []
    kept = Offer(offer.name, offer.config, offer.seat, offer.others, traces=tmp_path)
    with serving(kept) as address:
        for command in (
            [sys.executable, EXAMPLES / "mcp_client.py", f"{address.url}/mcp"],
            [sys.executable, EXAMPLES / "socket_client.py", address.ws],
            [need("node"), EXAMPLES / "http_client.mjs", address.url],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-3000:]
            digests.append(json.loads(done.stdout)["digest"])
    assert set(digests) == {here(offer)}
    traces = [Trace.load(path) for path in sorted(tmp_path.glob("*.trace"))]
    assert [trace.digest for trace in traces] == digests
    assert all(trace.replay().ok for trace in traces)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_verbs_of_worlds_and_tools_of_the_desk_are_tools(mode):
    async def desk(url):
        async with Client(url, mode=mode) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert {"list_envs", "start", "observe", "legal_actions", "act", "score", "say"} < set(tools)
            assert not {"reset", "snapshot", "restore"} & set(tools)
            told = (await client.call_tool("start", {"seed": 5})).structured_content
            own = {"session": told["session"]}
            told = (await client.call_tool("say", {"message": "Hello!", **own})).structured_content
            assert told["step"] >= 2
            wrong = await client.call_tool("get_customer", {"customer": 5, **own})
            assert (
                "error" in wrong.structured_content["text"]
            )  # a mistake at the desk is the desk's to answer, and counts
            legal = (await client.call_tool("legal_actions", own)).structured_content
            assert not legal["listed"]
            assert {tool["name"] for tool in legal["tools"]} < set(tools)

    async def coin(url):
        async with Client(url, mode=mode) as client:
            told = (await client.call_tool("start", {"seed": 3})).structured_content
            verb = (await client.call_tool("go", {"direction": "north", "session": told["session"]})).structured_content
            assert verb["step"] == 1
            assert verb["text"] != told["text"]
            found = await client.call_tool("observe", {})
            assert found.is_error == (mode == "auto")  # a connection with a handshake is known by itself

    with serving(Offer("text-desk-v0")) as address:
        asyncio.run(desk(f"{address.url}/mcp"))
    with serving(COIN) as address:
        asyncio.run(coin(f"{address.url}/mcp"))


HOSTILE = [
    ("act", {}), ("act", {"action": "x" * 900_000}), ("act", {"action": None}), ("act", {"action": [[[]]] * 1000}),
    ("act", {"action": {"name": "go", "arguments": {"direction": {"a": [1]}}}}), ("act", {"action": 10**40}),
    ("start", {"seed": "one"}), ("start", {"seed": -5}), ("start", {"seed": 1.5}), ("start", {"config": {"size": 10**9}}),
    ("observe", {"session": "somebody-else"}), ("observe", {"session": 5}), ("fly", {}), ("__class__", {}), ("", {}),
    ("reset", {}), ("go", {"direction": 5}), ("go", {"direction": "north", "speed": "high"}), ("go", {}),
    ("score", {"x": "y" * 10_000}),
]  # fmt: skip


async def attack(client):
    for tool, arguments in HOSTILE:
        found = await client.call_tool(tool, arguments)
        assert found.is_error, (tool, str(arguments)[:80])
        assert len(found.content[0].text) < 10_000
    first = (await client.call_tool("start", {"seed": 3})).structured_content
    own = {"session": first["session"]}
    for tool, arguments in HOSTILE:
        if tool != "observe":
            assert (await client.call_tool(tool, {**arguments, **own})).is_error, (tool, str(arguments)[:80])
    assert (await client.call_tool("observe", own)).structured_content["step"] == 0
    burst = await asyncio.gather(*(client.call_tool("act", {"action": "look", **own}) for _ in range(60)))
    done = [found.structured_content["step"] for found in burst if not found.is_error]
    assert sorted(done) == list(range(1, len(done) + 1))  # each accepted act was one step
    assert all("BUSY" in found.content[0].text for found in burst if found.is_error)
    assert len(done) >= 1


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_hostile_mcp_client_over_http(mode):
    async def main(url):
        async with Client(url, mode=mode) as client, Client(url, mode=mode) as friend:
            calm = (await friend.call_tool("start", {"seed": 9})).structured_content
            await attack(client)
            mine = (await friend.call_tool("observe", {"session": calm["session"]})).structured_content
            assert mine == calm

    with serving(COIN) as address:
        asyncio.run(main(f"{address.url}/mcp"))
        assert address.lives()


def test_a_hostile_mcp_client_over_stdio():
    async def main():
        server = StdioServerParameters(command=str(BIN / "ludarium"), args=["serve", "text-coin-v0", "--mcp"])
        async with Client(server) as client:
            await attack(client)
            found = await client.call_tool("act", {"action": "x" * 3_000_000})
            assert found.is_error
            deep = []
            for _ in range(60):
                deep = [deep]
            assert (await client.call_tool("act", {"action": deep})).is_error
            assert (await client.call_tool("observe", {})).structured_content["done"] is False

    asyncio.run(main())


def test_garbage_on_standard_input_ends_in_an_orderly_way():
    data = b'\xff\xfe\n{"jsonrpc": "2.0"}\n' + b"[" * 100_000 + b"\n\n" + b"x" * 2_000_000 + b"\nnull\n"
    done = subprocess.run([BIN / "ludarium", "serve", "text-coin-v0", "--mcp"], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for line in done.stdout.splitlines():
        assert json.loads(line)["jsonrpc"] == "2.0"  # nothing but messages on standard output


def test_the_command_serves_and_stops(tmp_path):
    """`ludarium serve` says where it is, keeps the traces, and ends at a signal."""
    command = [BIN / "ludarium", "serve", "text-coin-v0", "--http", "--port", "0", "--traces", tmp_path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().split(" at ")[1].split()[0]
            done = subprocess.run(
                [sys.executable, EXAMPLES / "socket_client.py", f"ws{address[4:]}/ws"], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
        finally:
            server.terminate()
        assert server.wait(60) in (0, 130, 143, -15)
    assert Trace.load(tmp_path / "000001.trace").replay().ok
