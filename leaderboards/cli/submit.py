"""`ludarium submit`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.envs.core.errors import SubmissionError
from ludarium.leaderboards.cli.common import AsJson, Insecure, TokenFile, console, print_json


def command(
    run: Annotated[Path, typer.Argument(help="a run folder, or with --to URL a file that was packed before")],
    name: Annotated[str | None, typer.Option("--name", help="What the board shows.")] = None,
    to: Annotated[
        str, typer.Option("--to", metavar="URL|FOLDER|FILE", help="A board's address, a folder, or a file (.zip).")
    ] = ".",
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
    token: TokenFile = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="With a board: wait for it to start, then for the verdict; exit code 1 if rejected."
        ),
    ] = False,
    insecure: Insecure = False,
    as_json: AsJson = False,
) -> None:
    """Pack a run into one signed file, to be verified by anybody, and send it to a board if --to is an address.

    For example:

        ludarium submit runs/mapf-quick-1 --name "My planner" --agent pibt --to submissions

        ludarium submit runs/text-coin-1 --name "My model" --class llm --link code=https://example.org/agent

        ludarium submit runs/mapf-quick-1 --name "My planner" --to https://board.example.org --token token.txt --wait
    """
    from ludarium.leaderboards.download import is_address

    pack: dict[str, Any] = {"name": name, "track": track, "kind": kind, "agent": agent, "author": author, "link": link,
            "key": key, "ticket": ticket, "partial": partial, "transcripts": transcripts}  # fmt: skip
    if not is_address(to):
        told, words = _packed(run, Path(to), **pack)
        if as_json:
            print_json(told)
        else:
            console().print(words)
        return
    with tempfile.TemporaryDirectory() as folder:
        told, words = _known(run) if run.is_file() else _packed(run, Path(folder), **pack)
        _send(told, words, to, token, wait, insecure, as_json)


def _known(file: Path) -> tuple[dict[str, Any], str]:
    """A file that was packed before."""
    from ludarium.leaderboards.submission import Submission

    found = Submission.open(file)
    size = len(found.data)
    told = {"file": file, "bytes": size, "sha256": found.hash, "episodes": len(found.episodes),
            "track": found.manifest.track, "public_key": found.manifest.public_key}  # fmt: skip
    return told, f"{file}: {len(found.episodes)} episodes, {size:,} bytes, sha256 {found.hash}"


def _send(
    told: dict[str, Any], words: str, to: str, token: str | None, wait: bool, insecure: bool, as_json: bool
) -> None:
    """Send a file to a board; say where its verdict will be, or wait for it."""
    from ludarium.leaderboards.board.client import BoardClient, load_token

    client = BoardClient(to, load_token(token), insecure=insecure)
    if wait:
        client.reach(told=lambda words: typer.echo(words, err=True))
    receipt = client.submit(told["file"])
    if receipt["digest"] != told["sha256"]:
        raise SubmissionError(f"{client.address}: received other bytes ({receipt['digest']:.64}); send it again")
    status = f"{client.address}{receipt['status']}"
    told = {**told, "file": str(told["file"]), "receipt": receipt, "status": status}
    if not as_json:
        console().print(words)
        console().print(f"received: {receipt['state']}; {status}")
    found = client.wait(receipt["digest"]) if wait else None
    if as_json:
        print_json({**told, "submission": found} if wait else told)
    elif found is not None:
        _tell(found)
    if found is not None and not (found.get("verdict") or {}).get("ok"):
        raise typer.Exit(1)


def _tell(found: dict[str, Any]) -> None:
    verdict, out = found.get("verdict"), console()
    if not verdict:
        out.print(f"no verdict: its verification is {found.get('state')}; the board's operator is needed")
        return
    for flag in verdict.get("flags", ()):
        out.print(f"{flag.get('kind')}: {flag.get('what')}")
    for problem in verdict.get("problems", ()):
        out.print(f"WRONG {problem.get('where')}: {problem.get('what')}")
    out.print(f"verified: score {verdict['score']:.6g}" if verdict.get("ok") else "rejected")


def _packed(
    run: Path, to: Path, name: str | None, track: str | None, kind: str, agent: str | None, author: list[str] | None,
    link: list[str] | None, key: Path | None, ticket: Path | None, partial: bool, transcripts: bool,
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """Pack a run; what is to be said of the file, as data and in words."""
    from ludarium.leaderboards import keys
    from ludarium.leaderboards.folder import RunFolder
    from ludarium.leaderboards.rounds import Ticket
    from ludarium.leaderboards.submission import Submission, find_track, pack
    from ludarium.leaderboards.track import load_track

    if name is None:
        raise SubmissionError("--name is missing: it is what the board shows")
    links = links_of(link)
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
    told = {"file": path, "bytes": size, "sha256": packed.hash, "episodes": episodes, "track": found.reference,
            "public_key": packed.manifest.public_key}  # fmt: skip
    return told, f"{path}: {episodes} episodes of track {found.name}, {size:,} bytes, sha256 {packed.hash}"


def links_of(given: list[str] | None) -> dict[str, str]:
    """`["code=https://..."]` as a dict; `SubmissionError` for anything without a name."""
    links = {}
    for item in given or ():
        what, equals, url = item.partition("=")
        if not equals:
            raise SubmissionError(f"--link {item!r}; expected WHAT=URL, such as code=https://example.org")
        links[what] = url
    return links
