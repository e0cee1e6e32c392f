"""`ludarium serve`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import ConfigError, MissingExtraError
from ludarium.leaderboards.cli.common import Options, options_of


def command(
    name: Annotated[str, typer.Argument(help="an environment's id, or a scenario (or its file)")],
    config: Options = None,
    mcp: Annotated[bool, typer.Option("--mcp", help="MCP on standard input and output.")] = False,
    http: Annotated[bool, typer.Option("--http", help="HTTP, WebSocket (/ws) and MCP (/mcp).")] = False,
    seat: Annotated[str | None, typer.Option(help="The client's seat [default: the first].")] = None,
    others: Annotated[
        str | None, typer.Option(help="Who fills the other seats [default: their own, or random].")
    ] = None,
    view: Annotated[str, typer.Option(help="What clients see: `text` or `array`.")] = "text",
    hide_commands: Annotated[bool, typer.Option("--hide-commands", help="Do not list the legal commands.")] = False,
    ranked: Annotated[
        bool, typer.Option("--ranked", help="The server draws the episodes; nobody may seed, reset or leave one.")
    ] = False,
    split: Annotated[str | None, typer.Option(help="The split of a scenario that is ranked [default: test].")] = None,
    traces: Annotated[Path | None, typer.Option(help="Keep the traces of finished episodes in this folder.")] = None,
    host: Annotated[str, typer.Option(help="The address; one that others can reach needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(envvar="LUDARIUM_SERVE_TOKEN", help="What clients must send: Authorization: Bearer TOKEN."),
    ] = None,
    allow_host: Annotated[list[str] | None, typer.Option(help="A further name the server goes by; repeat it.")] = None,
    allow_origin: Annotated[list[str] | None, typer.Option(help="An Origin whose pages may ask; repeat it.")] = None,
    max_sessions: Annotated[int, typer.Option(min=1, help="How many sessions at once.")] = 64,
    idle_seconds: Annotated[
        float, typer.Option(min=1.0, help="A session that says nothing so long is closed.")
    ] = 600.0,
) -> None:
    """Offer a world to outside agents: over MCP, or over HTTP and WebSocket in OpenEnv's shape.

    For example:

        ludarium serve text-household-v0 --mcp

        ludarium serve mapf-lifelong-v0 -c num_robots=8 --seat robot_0 --others pibt --http --port 8000

        ludarium serve text-household-quick --ranked --http --traces runs/served
    """
    if mcp == http:
        raise ConfigError("serve over --mcp (standard input and output) or over --http (which has MCP at /mcp)")
    import ludarium  # noqa: F401  (registers the ids)

    try:
        from ludarium.leaderboards.serve.server import Listen, run_http, run_stdio
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "serve") from error
    from ludarium.leaderboards.serve.guard import may_listen
    from ludarium.leaderboards.serve.sessions import Sessions
    from ludarium.leaderboards.serve.world import Offer, Served

    may_listen(host, token)
    if traces is not None:
        traces.mkdir(parents=True, exist_ok=True)
    offer = Offer(name, options_of(config), seat, others, view, not hide_commands, ranked, split, traces)
    sessions = Sessions(Served(offer), most=max_sessions, idle_seconds=idle_seconds)
    if mcp:
        run_stdio(sessions)
        return

    def ready(address: str) -> None:
        print(f"serving {sessions.served.id} at {address} (HTTP, WebSocket at /ws, MCP at /mcp)", flush=True)
        if ranked:
            print("ranked: the server draws the episodes, and each counts", file=sys.stderr)

    where = Listen(host, port, token, tuple(allow_host or ()), tuple(allow_origin or ()))
    run_http(sessions, where, ready)
