"""`ludarium run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ludarium.envs.core.errors import RunError
from ludarium.leaderboards.cli.common import AsJson, Insecure, TokenFile, console, print_json


def command(
    scenario: Annotated[str | None, typer.Argument(help="a scenario's name or .toml file (--resume: as begun)")] = None,
    agent: Annotated[list[str] | None, typer.Option("--agent", "-a", help="An agent; repeat it for several.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The run folder [default: runs/SCENARIO-N].")] = None,
    split: Annotated[str | None, typer.Option(help="train, val or test [default: test].")] = None,
    case: Annotated[list[str] | None, typer.Option(help="Play this case only; repeat it.")] = None,
    episodes: Annotated[int | None, typer.Option(help="Play only the first seeds of each case.")] = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", help="Worker processes; 0 plays in this one [default: one a processor]."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(help="Episodes at once of language-model agents, in threads of this process.")
    ] = 16,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    built_in_only: Annotated[
        bool, typer.Option("--built-in-only", help="Refuse agents that are not part of the suite.")
    ] = False,
    allow_code: Annotated[
        bool, typer.Option("--allow-code", help="Let the scenario file seat agents that are not part of the suite.")
    ] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Run programs (cmd:...) in a sandbox: no network, nothing to write.")
    ] = False,
    report: Annotated[bool, typer.Option(help="Write report.html and replay pages when the run is finished.")] = True,
    hosted: Annotated[
        str | None, typer.Option("--hosted", metavar="URL", help="Play a track on a board, which draws the seeds.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="With --hosted: what the board shows.")] = None,
    kind: Annotated[str, typer.Option("--class", help="With --hosted: planner, learned, llm or human.")] = "planner",
    author: Annotated[list[str] | None, typer.Option("--author", help="With --hosted: repeat it for several.")] = None,
    link: Annotated[
        list[str] | None, typer.Option("--link", metavar="WHAT=URL", help="With --hosted: code, model, paper or site.")
    ] = None,
    token: TokenFile = None,
    insecure: Insecure = False,
    as_json: AsJson = False,
) -> None:
    """Play agents over a scenario, in parallel, into a folder that can be resumed and verified.

    For example:

        ludarium run mapf-quick --agent pibt --agent lns

        ludarium run mapf-random --agent "lns?window=12" --split val --episodes 2 --out runs/first

        ludarium run --resume --out runs/first

        ludarium run my_scenario.toml --agent my_agents:Greedy --jobs 4

        ludarium run text-household-quick --agent "cmd:node my_agent.mjs" --sandbox

        ludarium run text-coin --agent coin-oracle --hosted https://board.example.org --name "My planner"
    """
    from ludarium.agents.registry import in_sandbox
    from ludarium.leaderboards import runner
    from ludarium.scenarios.loader import load

    chosen: Any
    if hosted is not None:
        if scenario is None or not agent or len(agent) != 1 or name is None:
            raise RunError("--hosted needs a track, one --agent and a --name, such as: "
                           "ludarium run text-coin --agent coin-oracle --hosted URL --name NAME")  # fmt: skip
        own = in_sandbox(agent[0]) if sandbox else agent[0]
        labels = {"name": name, "kind": kind, "authors": tuple(author or ()), "links": link}
        _play_hosted(hosted, scenario, own, labels, concurrency, token, insecure, as_json)
        return
    if resume and out is None:
        raise RunError("--resume goes on with the run in --out; name its folder")
    if scenario is None or not agent:
        chosen, arguments = _as_begun(out, resume, scenario, agent)
    else:
        chosen = load(scenario, allow_code=allow_code)
        agent = [in_sandbox(name) for name in agent] if sandbox else agent
        arguments = {"agents": agent, "split": split, "episodes": episodes, "cases": case}
    target = out or _free(Path("runs"), chosen.name)
    try:
        with _Bar(not as_json) as bar:
            done = runner.run(
                chosen,
                out=target,
                jobs=jobs,
                concurrency=concurrency,
                resume=resume,
                allow_code=not built_in_only,
                progress=bar.update,
                **arguments,
            )
    except KeyboardInterrupt:
        _stopped(target)
        raise typer.Exit(130) from None
    _show(chosen, done, report, as_json)


def _play_hosted(
    url: str, track: str, agent: str, labels: dict[str, Any], concurrency: int, token: str | None, insecure: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Play a hosted attempt; it counts whatever becomes of it."""
    from ludarium.leaderboards.board.client import BoardClient, load_token
    from ludarium.leaderboards.board.player import play_hosted
    from ludarium.leaderboards.cli.submit import links_of

    found = load_token(token)
    with _Bar(not as_json) as bar:
        done = play_hosted(
            lambda: BoardClient(url, found, insecure=insecure), track, agent, concurrency=concurrency,
            progress=lambda count, total: bar.update(count, total, None), **{**labels, "links": links_of(labels["links"])},
        )  # fmt: skip
    place = None if done.submission is None else f"{url.rstrip('/')}/api/v1/submissions/{done.submission}"
    if as_json:
        print_json({**done._asdict(), "status": place})
        return
    measured = done.outcome.get("measured", {})
    console().print(
        f"attempt {done.number}: {done.played} of {done.total} episodes, {measured.get('answers', 0)} answers, "
        f"{measured.get('mean_s', 0.0):.6f} s each by the board's clock; {done.outcome.get('why', 'not ended')}"
    )
    console().print(place or "no submission: no episode was played to its end")


def _as_begun(
    out: Path | None, resume: bool, scenario: str | None, agent: list[str] | None
) -> tuple[Any, dict[str, Any]]:
    """Scenario and arguments of the run that is resumed."""
    from ludarium.leaderboards.folder import RunFolder

    if not resume or scenario is not None or agent:
        what = "a scenario" if scenario is None else "--agent"
        raise RunError(f"{what} is missing; say for example: ludarium run mapf-quick --agent pibt")
    run = RunFolder.open(out or "")
    names = ("agents", "split", "episodes", "cases")
    return run.scenario(), {name: run.manifest[name] for name in names}


def _free(folder: Path, name: str) -> Path:
    number = 1
    while (folder / f"{name}-{number}").exists():
        number += 1
    return folder / f"{name}-{number}"


def _stopped(target: Path) -> None:
    from ludarium.leaderboards.folder import EPISODES, read_rows

    count = len(read_rows(target / EPISODES)[0])
    print(
        f"ludarium: stopped; {count} episodes are on disk. Go on with: ludarium run --resume --out {target}",
        file=sys.stderr,
    )


def _show(scenario: Any, done: Any, report: bool, as_json: bool) -> None:
    from ludarium.leaderboards.costs import costs, terminal_costs
    from ludarium.leaderboards.folder import RunFolder
    from ludarium.leaderboards.report import write_replays, write_report
    from ludarium.leaderboards.table import results, terminal_table

    run = RunFolder.open(done.root)
    page = write_report(run, scenario, done.rows, write_replays(run, done.rows)) if report else None
    lines, spent = results(scenario, done.rows), costs(done.root)
    if as_json:
        found = {
            "run": done.root,
            "digest": done.digest,
            "episodes": len(done.rows),
            "played": done.played,
            "report": page,
        }
        print_json({**found, "results": [line.as_dict() for line in lines], "costs": [c._asdict() for c in spent]})
        return
    out = console()
    out.print(terminal_table(f"{scenario.name} ({run.manifest['split']})", lines))
    if spent:
        out.print(terminal_costs(spent))
    out.print(f"{len(done.rows)} episodes in {done.root}, digest {done.digest}")
    if page:
        out.print(f"report: {page}")


def _spent() -> str:
    """Calls, tokens and money of this process's language models, episodes that are not finished included; "" for none."""
    from ludarium.leaderboards.talk import dollars

    gateways = sys.modules.get("ludarium.agents.llm.gateways")
    if gateways is None:
        return ""
    so_far = gateways.spent()
    if not so_far.calls:
        return ""
    money = f", {dollars(so_far.micro_dollars)}" if so_far.micro_dollars else ""
    return f"{so_far.calls:,} calls, {so_far.prompt + so_far.completion:,} tokens{money}"


class _Bar:
    """Progress on a terminal; silent elsewhere."""

    def __init__(self, wanted: bool) -> None:
        self._bar: Any = None
        self._wanted = wanted and sys.stderr.isatty()

    def __enter__(self) -> _Bar:
        if self._wanted:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
            from rich.text import Text

            class Spent(TextColumn):
                """What language models have cost so far."""

                def render(self, task: Any) -> Any:
                    """Read the gateways anew whenever the bar is drawn."""
                    return Text(_spent())

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                Spent(""),
            )
            self._bar = Progress(*columns, console=console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("episodes", total=None)
        return self

    def update(self, done: int, total: int, row: dict[str, Any] | None) -> None:
        """Show how far the run is."""
        if self._bar is not None:
            text = "episodes" if row is None else f"{row['agent']} on {row['case']}"
            self._bar.update(self._task, completed=done, total=total, description=text[:40])

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()
