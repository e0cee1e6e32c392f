"""`ludarium leaderboard reference`."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    to: Annotated[Path, typer.Option("--to", help="The folder of the submissions.")] = Path("reference"),
    tracks: Annotated[
        list[str] | None,
        typer.Option("--track", "--tracks", help="This track only; repeat it, or give names by commas."),
    ] = None,
    agents: Annotated[
        list[str] | None,
        typer.Option("--agent", "--agents", help="This agent only; repeat it, or give names by commas."),
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Worker processes that play; 0 plays in this one.")] = 0,
    work: Annotated[
        Path, typer.Option("--work", help="Where the runs lie; those that are there are gone on with.")
    ] = Path("runs/reference"),
    references: Annotated[
        Path | None,
        typer.Option("--references", help="A folder: write there what normalised scores are measured by, too."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play the suite's own agents on its tracks, and pack a signed submission of each: the reference boards.

    Equal plays give equal bytes, on any machine. Stopped, it goes on where it was when it is called again. The key is
    public. Exit code 1 if an agent is worse than chance, or perfect play is beaten.

    For example:

        ludarium leaderboard reference --to reference --tracks mapf-lifelong-quick,text-coin

        ludarium leaderboard reference --agents pibt,lns --jobs 2
    """
    from ludarium.leaderboards import reference
    from ludarium.leaderboards.cli.run import _Bar

    chosen, absent = _tracks(_listed(tracks))
    only, lines, files, wrong = _listed(agents), [], [], []
    before = _cpu()
    for track, entered in _entered(chosen, only):
        with _Bar(not as_json) as bar:
            run = reference.play(track, entered, work, jobs, bar.update)
        found = reference.standings(run, track)
        packed = reference.write(run, track, to)
        lines += found
        files += packed
        wrong += reference.odd(run, track)
        if not only:
            reference.write_page(run, track, to)
        if references is not None and not only:
            reference.write_references(run, track, references)
        if not as_json:
            console().print(_table(track, found))
    spent = _cpu() - before
    episodes, size = sum(line.episodes for line in lines), sum(path.stat().st_size for path in files)
    if as_json:
        standings = [{**line._asdict(), "rank": str(line.rank)} for line in lines]
        print_json(
            {"files": files, "standings": standings, "absent": absent, "odd": wrong, "bytes": size, "cpu_s": spent}
        )
    else:
        out = console()
        for name, reason in absent.items():
            out.print(f"left out: {name}: {reason}")
        for what in wrong:
            out.print(f"ODD {what}")
        out.print(f"{len(files)} submissions, {episodes} episodes, {size:,} bytes in {to}, {spent:.0f} CPU-seconds")
    if wrong:
        raise typer.Exit(1)


def _listed(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name for item in given or () for name in item.split(",") if name)


def _tracks(names: tuple[str, ...]) -> tuple[list[Any], dict[str, str]]:
    """The tracks of these names (all of the suite), and those that cannot be played here with the reason."""
    from ludarium.envs.core.registry import available, world
    from ludarium.leaderboards.track import load_track, track_names

    found, absent = [], {}
    for name in names or track_names():
        track = load_track(name)
        environment = track.world.environment
        if available(environment):
            found.append(track)
        else:
            absent[name] = f"{environment} needs the extra {world(environment).requires!r}"
    return found, absent


def _entered(tracks: list[Any], only: tuple[str, ...]) -> list[tuple[Any, tuple[str, ...]]]:
    """The tracks with the agents that enter them; `AgentError` for a name that enters none."""
    from ludarium.envs.core.errors import AgentError, did_you_mean
    from ludarium.leaderboards.baselines import WORLDS, agents_of, label_of

    known = {name for field in WORLDS.values() for agent in field.agents for name in (agent, label_of(agent))}
    for name in only:
        if name not in known:
            raise AgentError(f"no agent {name!r} enters the reference boards{did_you_mean(name, known)}")
    pairs = [(track, agents_of(track, only)) for track in tracks]
    return [(track, agents) for track, agents in pairs if agents]


def _cpu() -> float:
    """CPU-seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _table(track: Any, found: list[Any]) -> Any:
    from rich.table import Table

    table = Table(title=f"{track.name}: {track.metric}, {found[0].episodes} episodes", title_justify="left")
    table.add_column("rank")
    table.add_column("agent")
    table.add_column("score", justify="right")
    table.add_column("CPU-seconds", justify="right")
    for line in found:
        table.add_row(str(line.rank), line.agent, f"{line.score:.4g}", f"{line.cpu_s:.2f}")
    return table
