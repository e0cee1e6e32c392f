"""Round trips of served worlds beside bare echoes and OpenEnv's echo server, and many sessions at once.

`python benchmarks/serving.py [--trips N] [--episodes N] [--skip-episodes]`. Every row is of one run: both servers stand
at the same time, each in a process of its own, and the client takes turns between them in blocks; figures are medians over the
blocks of microseconds a round trip (wall). Ours takes a step of `text-coin-v0` (`look`), describes it and lists the commands.
OpenEnv's server needs its environment: `python benchmarks/peers/setup.py openenv`; without it that row stays empty.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from ludarium.leaderboards.serve.server import Listen, listen
from ludarium.leaderboards.serve.tools import Situation

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "peers"))
BLOCKS = 9
LONG = "100000"
"""Steps of an episode whose end no block meets."""


# --- servers, each in a process of its own -----------------------------------------------------------------------------
def serve_echo(kind: str) -> None:
    """A bare echo: of HTTP by Starlette, of MCP by the `mcp` package; on the same uvicorn as ours, or on stdio."""
    import uvicorn
    from mcp.server import MCPServer
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    server = MCPServer("echo", log_level="ERROR")

    @server.tool(name="echo")
    async def echo_tool(told: dict[str, Any]) -> Situation:
        """Say what was said."""
        return told  # type: ignore[return-value]

    if kind == "stdio":
        server.run("stdio")
        return
    app: Any = Starlette(routes=[Route("/step", echo, methods=["POST"])])
    if kind == "mcp":
        app = server.streamable_http_app(json_response=True)
    with listen(Listen(port=0)) as bound:
        print(bound.getsockname()[1], flush=True)
        uvicorn.Server(
            uvicorn.Config(app, http="h11", log_level="warning", access_log=False, timeout_keep_alive=60)
        ).run(sockets=[bound])


def serve_ours(max_steps: int) -> None:
    """Our server, which answers a line on standard input with what it holds: tasks, threads, descriptors, memory."""
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.leaderboards.serve.server import server
    from ludarium.leaderboards.serve.sessions import Sessions
    from ludarium.leaderboards.serve.world import Offer, Served

    sessions = Sessions(Served(Offer("text-coin-v0", {"max_steps": max_steps})), most=64)
    where = Listen(port=0)
    with listen(where) as bound:
        running = server(sessions, where)

        async def main() -> None:
            loop = asyncio.get_running_loop()

            def tell() -> None:
                for _ in sys.stdin:
                    held = {"tasks": len(asyncio.all_tasks(loop)), "sessions": len(sessions),
                            "descriptors": len(os.listdir("/proc/self/fd")), "threads": threading.active_count(),
                            "kilobytes": _resident()}  # fmt: skip
                    print(json.dumps(held), flush=True)

            threading.Thread(target=tell, daemon=True).start()
            print(bound.getsockname()[1], flush=True)
            await running.serve(sockets=[bound])

        asyncio.run(main())


def _resident() -> int:
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1])


@contextlib.contextmanager
def process(*command: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server and its port."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            port = int(running.stdout.readline())
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                    break
                assert time.monotonic() < deadline, "the server does not listen"
                time.sleep(0.05)
            yield running, port
        finally:
            running.terminate()


def own(*arguments: str) -> tuple[str, ...]:
    """The command that runs this file in a mode of its own."""
    return (sys.executable, str(Path(__file__).resolve()), *arguments)


# --- clients -----------------------------------------------------------------------------------------------------------
def alternating(trips: int, *sides: Callable[[], object]) -> list[float]:
    """Microseconds a round trip of each side: the median of blocks that take turns."""
    found: list[list[float]] = [[] for _ in sides]
    for _ in range(BLOCKS + 1):
        for n, side in enumerate(sides):
            began = time.perf_counter()
            for _ in range(trips):
                side()
            found[n].append(1e6 * (time.perf_counter() - began) / trips)
    return [median(times[1:]) for times in found]


def http_side(port: int, prepare: bool) -> Callable[[], object]:
    """Round trips on one connection; of ours, a step of a session that begins again when its episode is over."""
    line = http.client.HTTPConnection("127.0.0.1", port)

    def ask(path: str, data: Any) -> Any:
        line.request("POST", path, json.dumps(data), {"content-type": "application/json"})
        return json.loads(line.getresponse().read())

    if not prepare:
        echo = SAMPLE
        return lambda: ask("/step", echo)
    ident = ask("/reset", {"seed": 3})["metadata"]["session_id"]
    step = {"session_id": ident, "action": {"command": "look"}}

    def trip() -> None:
        if ask("/step", step)["done"]:
            ask("/reset", {"seed": 3, "session_id": ident})

    return trip


SAMPLE = {
    "session": "x" * 32, "seat": "player_0", "step": 1, "text": "You are in the round alcove. Exits: north.",
    "commands": ["go north", "inventory", "look"], "reward": 0.0, "done": False, "terminated": False, "truncated": False,
    "fault": None, "message": "", "seed": 3,
}  # fmt: skip
"""What ours says of a step, for the echoes to say as well: both carry the same."""


def ws_side(
    port: int, first: dict[str, Any], step: dict[str, Any], stack: contextlib.ExitStack
) -> Callable[[], object]:
    """Round trips on one WebSocket."""
    from websockets.sync.client import connect

    line = stack.enter_context(connect(f"ws://127.0.0.1:{port}/ws", compression=None))
    start, act = json.dumps(first), json.dumps(step)

    def ask(text: str) -> Any:
        line.send(text)
        answer = json.loads(line.recv())
        assert answer["type"] == "observation", answer
        return answer["data"]

    ask(start)

    def trip() -> None:
        if ask(act)["done"]:
            ask(start)

    return trip


def mcp_trips(trips: int, ours: Any, echo: Any) -> list[float]:
    """The same for two MCP servers: a step of ours, and a tool that says what was said."""
    from mcp import Client

    async def main() -> list[float]:
        found: list[list[float]] = [[], []]
        async with Client(ours) as a, Client(echo) as b:
            told = (await a.call_tool("start", {"seed": 3})).structured_content
            session = told["session"]
            for _ in range(BLOCKS + 1):
                began = time.perf_counter()
                for _ in range(trips):
                    told = (await a.call_tool("act", {"action": "look", "session": session})).structured_content
                    if told["done"]:
                        await a.call_tool("start", {"seed": 3, "session": session})
                found[0].append(1e6 * (time.perf_counter() - began) / trips)
                began = time.perf_counter()
                for _ in range(trips):
                    await b.call_tool("echo", {"told": SAMPLE})
                found[1].append(1e6 * (time.perf_counter() - began) / trips)
        return [median(times[1:]) for times in found]

    return asyncio.run(main())


async def crowd(port: int, episodes: int, sessions: int = 64) -> int:
    """`sessions` clients at once, each playing its share of the episodes, on a new connection after every ten."""
    from websockets.asyncio.client import connect

    left = iter(range(episodes))
    steps = 0

    async def client() -> None:
        nonlocal steps
        seeds = next(left, None)
        while seeds is not None:
            async with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as line:
                for _ in range(10):
                    if seeds is None:
                        break
                    await line.send(json.dumps({"type": "reset", "data": {"seed": seeds}}))
                    told = json.loads(await line.recv())["data"]
                    while not told["done"]:
                        commands = told["observation"]["commands"]
                        command = {"command": commands[steps % len(commands)]}
                        await line.send(json.dumps({"type": "step", "data": command}))
                        told = json.loads(await line.recv())["data"]
                        steps += 1
                    seeds = next(left, None)

    await asyncio.gather(*(client() for _ in range(sessions)))
    return steps


def leaks(episodes: int) -> None:
    """What the server holds before, after a tenth, and after all of many episodes of 64 sessions."""
    with process(*own("--serve", "6")) as (running, port):

        def held() -> dict[str, int]:
            assert running.stdin is not None
            assert running.stdout is not None
            time.sleep(1.0)  # closing handshakes
            print("", file=running.stdin, flush=True)
            return dict(json.loads(running.stdout.readline()))

        found = {"before": held()}
        asyncio.run(crowd(port, episodes // 10))
        found[f"after {episodes // 10} episodes"] = held()
        began = time.perf_counter()
        steps = asyncio.run(crowd(port, episodes - episodes // 10))
        seconds = time.perf_counter() - began
        found[f"after {episodes} episodes"] = held()
    print(f"64 sessions at once: {steps} steps of {episodes - episodes // 10} episodes in {seconds:.0f} s")
    for name, figures in found.items():
        print(f"  {name:24}" + "  ".join(f"{what} {figure}" for what, figure in figures.items()))
    first, last = list(found.values())[1:]
    for what in ("tasks", "sessions", "descriptors"):
        assert last[what] <= found["before"][what], f"a leak: {what}"
    assert last["kilobytes"] <= 1.05 * first["kilobytes"], "a leak: memory"


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--trips", type=int, default=300, help="round trips a block")
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--skip-episodes", action="store_true", help="the round trips alone")
    parser.add_argument("--only-websocket", action="store_true")
    parser.add_argument("--echo", choices=("http", "mcp", "stdio"), help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.echo:
        serve_echo(options.echo)
        return
    if options.serve:
        serve_ours(options.serve)
        return
    rows = []
    with process(*own("--serve", LONG)) as (_, port), contextlib.ExitStack() as stack:
        if not options.only_websocket:
            _, echo = stack.enter_context(process(*own("--echo", "http")))
            rows.append(
                ("HTTP", "bare echo", alternating(options.trips, http_side(port, True), http_side(echo, False)))
            )
            _, echo = stack.enter_context(process(*own("--echo", "mcp")))
            urls = (f"http://127.0.0.1:{port}/mcp", f"http://127.0.0.1:{echo}/mcp")
            rows.append(("MCP over HTTP", "bare echo", mcp_trips(options.trips // 3, *urls)))
            rows.append(("MCP over stdio", "bare echo", mcp_trips(options.trips // 3, *_stdio())))
        from setup import python_of

        python = python_of("openenv")
        if python is None:
            print("OpenEnv is not installed (python benchmarks/peers/setup.py openenv): no row for WebSocket")
        else:
            _, peer = stack.enter_context(process(str(python), str(HERE / "peers/openenv_echo.py")))
            ours = ws_side(
                port, {"type": "reset", "data": {"seed": 3}}, {"type": "step", "data": {"command": "look"}}, stack
            )
            step = {"type": "step", "data": {"message": SAMPLE["text"]}}
            theirs = ws_side(peer, {"type": "reset", "data": {}}, step, stack)
            rows.append(("WebSocket", "OpenEnv's echo", alternating(options.trips, ours, theirs)))
    print(f"{'transport':16}{'ours, us':>10}   {'beside it, us':>14}   ratio")
    for name, beside, (mine, other) in rows:
        print(f"{name:16}{mine:10.0f}   {other:14.0f}   {mine / other:.2f}   ({beside})")
    if not options.skip_episodes:
        leaks(options.episodes)


def _stdio() -> tuple[Any, Any]:
    from mcp.client.stdio import StdioServerParameters

    ludarium = str(Path(sys.executable).parent / "ludarium")
    command = ["serve", "text-coin-v0", "-c", f"max_steps={LONG}", "--mcp"]
    return (
        StdioServerParameters(command=ludarium, args=command),
        StdioServerParameters(command=sys.executable, args=[*own("--echo", "stdio")[1:]]),
    )


if __name__ == "__main__":
    main()
