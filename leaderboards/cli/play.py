"""`ludarium play`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.leaderboards.cli.common import AsJson, Options, console, options_of, print_json


def command(
    environment: Annotated[str, typer.Argument(help="an environment's id")],
    seat: Annotated[str | None, typer.Option(help="The seat you fill [default: the first]; `none` to watch.")] = None,
    agent: Annotated[str, typer.Option("--agent", "-a", help="Who fills the other seats.")] = "random",
    seed: Annotated[int, typer.Option(help="The episode's seed.")] = 0,
    config: Options = None,
    words: Annotated[
        bool, typer.Option("--words", help="No picture and no keys: read and type, as a model would.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The trace [default: play-ID-SEED.trace].")] = None,
    as_json: AsJson = False,
) -> None:
    """Play a seat yourself: by keys (arrows or wasd, space waits, q ends) in grid worlds, by typed commands elsewhere.

    For example:

        ludarium play mapf-lifelong-v0 --agent pibt -c num_robots=8 -c size=12

        ludarium play mapf-v0 --seat none --agent lacam

        ludarium play text-household-v0 --words

        echo "move up" | ludarium play mapf-v0 -c num_robots=1 -o first.trace
    """
    import ludarium  # noqa: F401  (registers the ids)
    from ludarium.leaderboards.cli.terminal import Terminal
    from ludarium.leaderboards.play import play

    trace = play(environment, options_of(config), seat, agent, seed, Terminal(as_json, words))
    target = trace.save(out or Path(f"play-{environment.split(':')[-1]}-{seed}.trace"))
    told = {"trace": target, "digest": trace.digest, **trace.result}
    if as_json:
        print_json(told)
        return
    for name, value in trace.result["metrics"].items():
        console().print(f"{name}: {value}")
    console().print(f"{trace.steps} steps; saved as {target}; look at it with: ludarium replay {target} --open")
