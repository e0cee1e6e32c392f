"""`ludarium replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import TraceError, did_you_mean
from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    episode: Annotated[str, typer.Argument(help="a trace file, RUN/AGENT/EPISODE, or a failure kept by `check`")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The page to write [default: beside, .html].")] = None,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    as_json: AsJson = False,
) -> None:
    """Play an episode again and write it as one HTML page; exit code 1 if the replay differs from the trace.

    For example:

        ludarium replay runs/mapf-quick-1/pibt/maze-016-2000000-0

        ludarium replay game.trace -o game.html --open

        ludarium replay failures/copies-1a2b3c4d.json
    """
    from ludarium.envs.core.render import write_page
    from ludarium.envs.core.trace import Trace
    from ludarium.leaderboards.report import shown

    path = find_trace(episode)
    if path.suffix == ".json":  # a failure of an environment that is not ours
        from ludarium.leaderboards.cli.check import again

        again(path, None, as_json)
        return
    trace = Trace.load(path)
    played = trace.replay()
    target = out or Path(path.stem + ".html")
    try:
        write_page(target, shown(path))
    except OSError as error:
        raise TraceError(f"{target}: cannot write the page: {error.strerror or error}") from error
    told = {"page": target, "steps": played.steps, "digest": played.digest, "ok": played.ok, **played.result}
    if as_json:
        print_json({**told, "divergence": str(played.divergence) if played.divergence else None})
    else:
        console().print(f"{target}: {played.steps} steps, digest {played.digest}")
        if played.divergence:
            console().print(f"WRONG the replay differs at {played.divergence}")
    if show:
        typer.launch(str(target.resolve().as_uri()))
    if not played.ok:
        raise typer.Exit(1)


def find_trace(name: str) -> Path:
    """The file of a trace, or of an episode `RUN/AGENT/EPISODE` of a run folder."""
    path = Path(name)
    if path.is_file():
        return path
    for root in path.parents:
        if (root / "manifest.json").is_file():
            inside = path.relative_to(root).as_posix().removeprefix("traces/").removesuffix(".trace")
            found = root / "traces" / f"{inside}.trace"
            if found.is_file():
                return found
            known = [p.relative_to(root / "traces").with_suffix("").as_posix() for p in root.glob("traces/*/*.trace")]
            raise TraceError(f"{root} has no episode {inside!r}{did_you_mean(inside, known[:2000])}")
    raise TraceError(f"{name}: no such trace file, and no run folder above it")
