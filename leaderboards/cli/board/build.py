"""`ludarium leaderboard build`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ludarium.envs.core.errors import ConfigError, MissingExtraError, did_you_mean
from ludarium.leaderboards.cli.board.common import AsJson, Tracks, console, print_json

_REPLAYS = ("first", "all", "none")
_TASKS = ("verified", "replays", "pages")


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
    rounds: Annotated[
        Path | None,
        typer.Option(help="A folder of records (.json) of sealed rounds that are over, as boards publish them."),
    ] = None,
    replays: Annotated[
        str, typer.Option(help="Which episodes can be watched: `first` of each case, `all`, or `none`.")
    ] = "first",
    as_json: AsJson = False,
) -> None:
    """Write a board as a static site: verify every submission of a folder, rank them, and make all pages.

    The site needs no server; the same submissions give the same bytes. A verdict is found once, and believed for the same
    file, track and version of the suite alone. For example:

        ludarium leaderboard build submissions --to site

        ludarium leaderboard build submissions --to site --jobs 4 --json
    """
    try:
        from ludarium.leaderboards.board.folders import FolderSource
        from ludarium.leaderboards.board.pages import Part
        from ludarium.leaderboards.board.settings import tracks_of
        from ludarium.leaderboards.board.site import build, check, replays_of
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "board") from error

    if replays not in _REPLAYS:
        raise ConfigError(f"--replays {replays!r}{did_you_mean(replays, _REPLAYS)}")
    check(to, submissions)
    workers = jobs or os.cpu_count() or 1
    with _Bar() as bar:
        source = FolderSource(
            submissions, tracks_of(tracks), cache=cache, rounds=rounds, jobs=workers, progress=bar.of("verified")
        )
        parts: tuple[Part, ...] = ()
        if replays != "none":
            movies = source.cache.folder / "movies"
            parts = (replays_of(source, movies, every=replays == "all", jobs=workers, progress=bar.of("replays")),)
        built = build(source, to, parts=parts, progress=bar.of("pages"))
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
    many = f"{len(listed)} submission{'' if len(listed) == 1 else 's'}"
    counted = f"{many} ({len(rejected)} rejected, {len(source.refused)} files refused)"
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
        self._tasks = {name: self._bar.add_task(name, total=None, visible=False) for name in _TASKS}
        self._bar.start()
        return self

    def of(self, name: str) -> Callable[[int, int], None]:
        """What shows how far one of the tasks is."""

        def update(done: int, total: int) -> None:
            self._bar.update(self._tasks[name], completed=done, total=total, visible=True)

        return update

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
