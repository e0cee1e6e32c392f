"""`ludarium leaderboard build`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import MissingExtraError
from ludarium.leaderboards.cli.board.common import AsJson, Tracks, console, print_json


def command(
    submissions: Annotated[Path, typer.Argument(help="A folder of submission files (*.ludarium.zip).")],
    to: Annotated[Path, typer.Option("--to", help="The folder of the site: a new one, or a site to be built again.")],
    tracks: Tracks = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes that verify at once [default: one a core].")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Where verdicts are kept for the next time [default: ludarium/verdicts in your cache folder]."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a board as a static site: verify every submission of a folder, rank them, and make all pages.

    The site needs no server; the same submissions give the same bytes. A verdict is found once, and believed for the same
    file, track and version of the suite alone. For example:

        ludarium leaderboard build submissions --to site

        ludarium leaderboard build submissions --to site --jobs 4 --json
    """
    try:
        from ludarium.leaderboards.board.entries import FolderSource
        from ludarium.leaderboards.board.settings import tracks_of
        from ludarium.leaderboards.board.site import build, check
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "board") from error

    check(to, submissions)
    with _Bar() as bar:
        source = FolderSource(
            submissions, tracks_of(tracks), cache=cache, jobs=jobs or os.cpu_count() or 1, progress=bar.verified
        )
        built = build(source, to, progress=bar.rendered)
    listed = [
        entry for name in (*(t.name for t in source.tracks()), *source.other_tracks()) for entry in source.entries(name)
    ]
    rejected = [entry for entry in listed if not entry.accepted]
    if as_json:
        print_json({
            "site": built.folder, "pages": built.pages, "files": built.files, "written": built.written, "removed": built.removed,
            "submissions": len(listed), "rejected": [entry.digest for entry in rejected],
            "refused": [file._asdict() for file in source.refused], "head": source.head(),
        })  # fmt: skip
        return
    out = console()
    for file in source.refused:
        out.print(f"refused: {file.file}: {file.reason}")
    for entry in rejected:
        problem = entry.verdict.problems[0] if entry.verdict and entry.verdict.problems else ""
        out.print(f"rejected: {source.files[entry.digest]}: {problem}")
    counted = f"{len(listed)} submissions ({len(rejected)} rejected, {len(source.refused)} files refused)"
    out.print(
        f"{built.folder / 'index.html'}: {counted}, "
        f"{built.pages} pages, {built.written} files written, {built.removed} removed"
    )


class _Bar:
    """Progress on a terminal; silent elsewhere."""

    def __enter__(self) -> _Bar:
        import sys

        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._tasks = {name: self._bar.add_task(name, total=None, visible=False) for name in ("verified", "pages")}
        self._bar.start()
        return self

    def verified(self, done: int, total: int) -> None:
        """How many submissions have a verdict."""
        self._bar.update(self._tasks["verified"], completed=done, total=total, visible=True)

    def rendered(self, done: int, total: int) -> None:
        """How many pages are made."""
        self._bar.update(self._tasks["pages"], completed=done, total=total, visible=True)

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
