"""`ludarium verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.envs.core.errors import LudariumError, MissingExtraError, SubmissionError
from ludarium.leaderboards.cli.common import AsJson, console, print_json


def command(
    what: Annotated[
        str, typer.Argument(help="a run folder, a submission (file or address), or a folder of submissions")
    ],
    first: Annotated[bool, typer.Option("--first", help="Of a run: stop at the first problem.")] = False,
    track: Annotated[
        str | None, typer.Option(help="Of a submission: a track's .toml file that is not the suite's.")
    ] = None,
    ticket: Annotated[Path | None, typer.Option(help="Of a submission to a sealed round: its ticket.")] = None,
    skip_unavailable: Annotated[
        bool,
        typer.Option("--skip-unavailable", help="Pass over submissions to worlds whose extra is not installed here."),
    ] = False,
    round_: Annotated[
        bool, typer.Option("--round", help="A sealed round that is over: its record's address on a board, or a file.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play every trace again, recompute every figure, and compare; exit code 1 if anything differs.

    For example:

        ludarium verify runs/mapf-quick-1

        ludarium verify runs/mapf-quick-1 --first --json

        ludarium verify submissions

        ludarium verify https://example.org/pibt.ludarium.zip

        ludarium verify https://board.example.org/submissions/DIGEST/

        ludarium verify --round https://board.example.org/api/v1/tracks/TRACK/rounds/NAME
    """
    if round_:
        _verify_round(what, track, as_json)
        return
    found = _submissions(what)
    if found is None:
        _verify_run(what, first, as_json)
    else:
        _verify_submissions(found, track, ticket, skip_unavailable, as_json)


def _submissions(what: str) -> list[str] | None:
    """The submissions that are meant; None: a run."""
    from ludarium.leaderboards.download import is_address
    from ludarium.leaderboards.submission import SUFFIX

    path = Path(what)
    if is_address(what) or path.is_file():
        return [what]
    if path.is_dir() and not (path / "manifest.json").exists():
        return [str(file) for file in sorted(path.rglob(f"*{SUFFIX}"))] or None
    return None


def _verify_round(what: str, track: str | None, as_json: bool) -> None:
    from ludarium.leaderboards.board.recheck import check_round
    from ludarium.leaderboards.track import load_track, shipped_track

    def load(name: str) -> Any:
        known = load_track(track) if track else shipped_track(name)
        _must_be_playable(known)
        return known

    found = check_round(what, load)
    if as_json:
        print_json(found)
    else:
        out = console()
        for note in found["notes"]:
            out.print(f"note: {note}")
        for problem in found["problems"]:
            out.print(f"WRONG {problem}")
        verdict = "holds" if found["ok"] else f"does NOT hold ({len(found['problems'])} problems)"
        told = f"{found['entries']} commitments, {found['judged']} submissions judged again"
        out.print(f"round {found['round']} of {found['track']['name']} {verdict}: {told}")
    if not found["ok"]:
        raise typer.Exit(1)


def _verify_run(what: str, first: bool, as_json: bool) -> None:
    from ludarium.leaderboards.table import number
    from ludarium.leaderboards.verify import verify

    report = verify(what, first=first)
    if as_json:
        problems = [problem._asdict() for problem in report.problems]
        print_json({"ok": report.ok, **report._asdict(), "problems": problems})
    else:
        out = console()
        for note in report.notes:
            out.print(f"note: {note}")
        for problem in report.problems:
            out.print(f"WRONG {problem}")
        rate = number(report.agent_steps / max(report.cpu_s, 1e-9), 2)
        told = f"{report.episodes} episodes, {report.agent_steps:,} agent-steps in {report.cpu_s:.2f} CPU-seconds"
        verdict = "verified" if report.ok else f"NOT verified ({len(report.problems)} problems)"
        out.print(f"{verdict}: {told} ({rate} a second), digest {report.digest or 'none'}")
    if not report.ok:
        raise typer.Exit(1)


def _verify_submissions(found: list[str], track: str | None, ticket: Path | None, skip: bool, as_json: bool) -> None:
    verdicts: list[dict[str, Any]] = []
    skipped: list[str] = []
    for where in found:
        try:
            verdict = {"file": where, **_judged(where, track, ticket)}
        except MissingExtraError as error:
            if not skip:
                raise
            skipped.append(f"skipped: {where}: {error}")
            continue
        verdicts.append(verdict)
        if not as_json:
            _tell(verdict)
    if as_json:
        print_json(verdicts[0] if len(found) == len(verdicts) == 1 else verdicts)
    elif len(found) > 1:
        _sum_up(verdicts)
    for told in skipped:
        console(stderr=as_json).print(told)
    if not verdicts or not all(verdict["ok"] for verdict in verdicts):
        raise typer.Exit(1)


def _sum_up(verdicts: list[dict[str, Any]]) -> None:
    steps, cpu = (sum(verdict.get(name, 0) for verdict in verdicts) for name in ("agent_steps", "cpu_s"))
    good = sum(verdict["ok"] for verdict in verdicts)
    told = f"{sum(len(verdict.get('rows', ())) for verdict in verdicts)} episodes, {steps:,} agent-steps"
    console().print(f"{good} of {len(verdicts)} submissions verified: {told} in {cpu:.2f} CPU-seconds of examining")


def _judged(where: str, track: str | None, ticket: Path | None) -> dict[str, Any]:
    """The verdict on one file or address; one that cannot even be opened is not ok either."""
    from ludarium.leaderboards.board.recheck import board_address, fetch_submission, judge_there
    from ludarium.leaderboards.download import download, is_address
    from ludarium.leaderboards.judge import judge
    from ludarium.leaderboards.rounds import Ticket
    from ludarium.leaderboards.submission import LIMITS, Submission
    from ludarium.leaderboards.track import load_track, shipped_track

    try:
        on_board = board_address(where)
        if on_board:
            fetched = fetch_submission(*on_board)
            known = load_track(track) if track else shipped_track(fetched.submission.manifest.track["name"])
            _must_be_playable(known)
            return judge_there(on_board[0], fetched, known)
        submission = Submission(download(where, LIMITS.packed), where) if is_address(where) else Submission.open(where)
        known = load_track(track) if track else shipped_track(submission.manifest.track["name"])
        if ticket:
            given = Ticket.load(ticket)
            given.check(submission)
            known = given.apply(known)
        _must_be_playable(known)
        found: dict[str, Any] = judge(submission, known).as_dict()
    except SubmissionError as error:
        return {"ok": False, "problems": [{"where": where, "what": str(error).removeprefix(f"{where}: ")}], "flags": []}
    except MissingExtraError:
        raise
    except LudariumError as error:
        raise SubmissionError(f"{where}: {error}") from error
    return found


def _must_be_playable(track: Any) -> None:
    """`MissingExtraError` for a track whose world cannot be made on this machine."""
    from ludarium.envs.core.registry import available, world

    name = track.world.environment
    if not available(name):
        raise MissingExtraError(world(name).requires, world(name).requires)


def _tell(verdict: dict[str, Any]) -> None:
    out = console()
    for flag in verdict["flags"]:
        out.print(f"{flag['kind']}: {flag['what']}")
    for problem in verdict["problems"]:
        out.print(f"WRONG {problem['where']}: {problem['what']}")
    if not verdict["ok"]:
        out.print(f"NOT verified: {verdict['file']} ({len(verdict['problems'])} problems)")
        return
    played = sum(row["status"] == "ok" for row in verdict["rows"])
    told = f"{played} of {len(verdict['rows'])} episodes, {verdict['agent_steps']:,} agent-steps"
    out.print(
        f"verified ({verdict['tier']}): {verdict['file']}: score {verdict['score']:.6g} on {verdict['track']['name']}, "
        f"{told} in {verdict['cpu_s']:.2f} CPU-seconds, digest {verdict['digest']}"
    )
    if "board" in verdict:
        said = "says the same" if verdict["board"]["verdict"] else f"has no verdict yet ({verdict['board']['state']})"
        out.print(f"the board {said}")
