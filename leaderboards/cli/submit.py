"""`ludarium submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import SubmissionError
from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    run: Annotated[Path, typer.Argument(help="a run folder")],
    name: Annotated[str, typer.Option("--name", help="What the board shows.")],
    to: Annotated[Path, typer.Option("--to", help="A folder, or a file that ends in .zip.")] = Path("."),
    track: Annotated[
        str | None, typer.Option(help="A track's name or .toml file [default: the one of the run's scenario].")
    ] = None,
    kind: Annotated[str, typer.Option("--class", help="planner, learned, llm or human.")] = "planner",
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Which agent of the run.")] = None,
    author: Annotated[list[str] | None, typer.Option("--author", help="Repeat it for several.")] = None,
    link: Annotated[
        list[str] | None, typer.Option("--link", metavar="WHAT=URL", help="code, model, paper or site; repeat it.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="The file of your key, made if it is not there [default: ~/.config/ludarium/key]."),
    ] = None,
    ticket: Annotated[Path | None, typer.Option(help="The ticket of a sealed round.")] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Episodes may be missing: they count as worst.")] = False,
    transcripts: Annotated[bool, typer.Option(help="Show what was said with language models.")] = True,
    as_json: AsJson = False,
) -> None:
    """Pack a run into one signed file, to be verified by anybody.

    For example:

        ludarium submit runs/mapf-quick-1 --name "My planner" --agent pibt --to submissions

        ludarium submit runs/text-coin-1 --name "My model" --class llm --link code=https://example.org/agent
    """
    from ludarium.leaderboards import keys
    from ludarium.leaderboards.download import is_address
    from ludarium.leaderboards.folder import RunFolder
    from ludarium.leaderboards.rounds import Ticket
    from ludarium.leaderboards.submission import Submission, find_track, pack
    from ludarium.leaderboards.track import load_track

    if is_address(str(to).replace(":/", "://", 1)):
        raise SubmissionError(
            f"--to {to}: this version submits to a file or a folder; send the file to the board yourself"
        )
    links = {}
    for item in link or ():
        what, equals, url = item.partition("=")
        if not equals:
            raise SubmissionError(f"--link {item!r}; expected WHAT=URL, such as code=https://example.org")
        links[what] = url
    given = Ticket.load(ticket) if ticket else None
    wanted = track or (given.track["name"] if given else find_track(RunFolder.open(run)))
    found = load_track(wanted)
    if given:
        found = given.apply(found)
    path = pack(
        run, found, name=name, kind=kind, agent=agent, authors=tuple(author or ()), links=links, key=keys.load_key(key),
        to=to, partial=partial, transcripts=transcripts, sealed=given.named if given else None,
    )  # fmt: skip
    packed = Submission.open(path)
    size, episodes = path.stat().st_size, len(packed.episodes)
    if as_json:
        told = {"file": path, "bytes": size, "sha256": packed.hash, "episodes": episodes, "track": found.reference}
        print_json({**told, "public_key": packed.manifest.public_key})
    else:
        console().print(f"{path}: {episodes} episodes of track {found.name}, {size:,} bytes, sha256 {packed.hash}")
