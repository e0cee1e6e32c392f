"""`ludarium enter`."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import SubmissionError
from ludarium.leaderboards.cli.common import AsJson, Insecure, TokenFile, console, print_json


def command(
    track: Annotated[str, typer.Argument(help="a track's name or .toml file")],
    round_: Annotated[str, typer.Argument(metavar="ROUND", help="the name of its open round")],
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The board.")],
    what: Annotated[
        str, typer.Option("--agent", "-a", help="What will play: a file (an archive), or the name of an endpoint.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder for ticket, salt and scenario.")] = Path(
        "round"
    ),
    key: Annotated[
        Path | None, typer.Option(help="The file of your key, which will sign [default: as in submit].")
    ] = None,
    token: TokenFile = None,
    insecure: Insecure = False,
    as_json: AsJson = False,
) -> None:
    """Enter a sealed round: commit to what will play, and get the seeds. There is one attempt.

    Run it again with the same folder, if the answer was lost: the same commitment gives the same ticket. For example:

        ludarium enter text-coin 2026-11 --agent my_agent.tar.gz --to https://board.example.org --out spring
    """
    from ludarium.leaderboards import keys
    from ludarium.leaderboards.board.client import BoardClient, BoardError, load_token
    from ludarium.leaderboards.rounds import Ticket, commitment
    from ludarium.leaderboards.track import load_track

    known = load_track(track)
    client = BoardClient(to, load_token(token), insecure=insecure)
    try:
        content = Path(what).read_bytes() if Path(what).is_file() else what.encode()
        commit = commitment(_salt(out), content)
        body = {"commitment": commit, "public_key": keys.public_key(keys.load_key(key))}
        told = client.post(f"/api/v1/tracks/{known.name}/rounds/{round_}", body)
        try:
            ticket = Ticket(**told)
            if (ticket.round, ticket.commit, ticket.public_key) != (round_, commit, body["public_key"]):
                raise ValueError("it is for another commitment")
            scenario = ticket.scenario(known, out)
        except (TypeError, ValueError, KeyError) as error:
            raise BoardError(f"{client.address}: its answer is no ticket of this round: {error!s:.200}") from error
        path = ticket.save(out / "ticket.json")
    except OSError as error:
        raise SubmissionError(f"{error.filename}: {error.strerror}") from error
    if as_json:
        print_json({"ticket": path, "scenario": scenario, "salt": out / "salt", "commitment": commit})
        return
    console().print(
        f"committed to {commit}; the salt is in {out / 'salt'}: keep it, to show later what you committed to"
    )
    console().print(f"play it:   ludarium run {scenario} --agent ...")
    console().print(f"submit it: ludarium submit RUN --name ... --ticket {path} --to {client.address}")


def _salt(folder: Path) -> bytes:
    """The salt of an attempt, kept where only its owner can read it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "salt"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    return file.read_bytes()
