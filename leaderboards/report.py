"""The HTML report of a run: one page that needs no network, with replay pages beside it."""

from __future__ import annotations

import html
import importlib.resources
from pathlib import Path
from string import Template
from typing import Any

from ludarium.envs.core.errors import FileFormatError, RunError
from ludarium.envs.core.scene import Movie
from ludarium.envs.core.trace import Trace
from ludarium.leaderboards.comparison import comparison_section, passes_section
from ludarium.leaderboards.costs import Cost, costs
from ludarium.leaderboards.folder import RunFolder
from ludarium.leaderboards.table import Line, number, results
from ludarium.leaderboards.talk import talk_of
from ludarium.scenarios.loader import Scenario

__all__ = ["shown", "write_replays", "write_report"]


def _escape(text: Any) -> str:
    return html.escape(str(text), quote=True)


def shown(path: Path) -> Movie:
    """The movie of a trace, with what was said in the episode if a transcript lies beside it."""
    movie: Movie = Trace.load(path).movie()
    try:
        movie.talk = talk_of(path)
    except FileFormatError as error:  # the episode can be shown without
        movie.meta["transcript"] = f"cannot be read: {error}"
    return movie


def write_replays(run: RunFolder, rows: list[dict[str, Any]], each: int = 1) -> dict[str, str]:
    """Write replay pages of the first `each` episodes of every agent in every case; return trace path -> page path."""
    from ludarium.envs.core.render import write_page

    pages: dict[str, str] = {}
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        place = row["agent"], row["case"]
        counts[place] = counts.get(place, 0) + 1
        if counts[place] > each:
            continue
        page = f"replays/{Path(row['trace']).relative_to('traces').with_suffix('.html').as_posix()}"
        target = run.root / page
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            movie = shown(run.root / row["trace"])
            movie.title = f"{row['agent']} on {row['case']}"
            movie.meta = {"agent": row["agent"], "case": row["case"], **movie.meta}
            write_page(target, movie)
        except OSError as error:
            raise RunError(f"{target}: cannot write: {error.strerror or error}") from error
        pages[row["trace"]] = page
    return pages


def write_report(run: RunFolder, scenario: Scenario, rows: list[dict[str, Any]], pages: dict[str, str]) -> Path:
    """Write `report.html` into the run's folder and return its path; `RunError` if the disk refuses."""
    lines = results(scenario, rows)
    template = Template(importlib.resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    manifest = run.manifest
    result = run.result() or {}
    facts = {
        "environment": scenario.environment,
        "scenario": f"{scenario.name}, version {scenario.version}, hash {scenario.hash}",
        "split": manifest["split"],
        "information": scenario.information,
        "agents": ", ".join(manifest["agents"]),
        "episodes": len(rows),
        "ludarium": manifest["ludarium"],
        "digest of the run": result.get("digest", "not finished"),
    }
    text = template.substitute(
        title=_escape(scenario.name),
        summary=_escape(scenario.summary),
        tables="\n".join(_table(name, lines) for name in (lines[0].metrics if lines else ())),
        compared=passes_section(lines) + comparison_section(scenario, rows, manifest["split"]),
        costs=_costs(costs(run.root)),
        replays=_replays(rows, pages),
        facts="\n".join(f"<div><dt>{_escape(k)}</dt><dd>{_escape(v)}</dd></div>" for k, v in facts.items()),
        command=_escape(f"ludarium verify {run.root}"),
    )
    return run.write("report.html", text)


def _table(metric: str, lines: list[Line]) -> str:
    words = _escape(metric.replace("_", " "))
    high = max((line.metrics[metric].high for line in lines), default=1.0)
    body, last = [], ""
    for line in lines:
        found = line.metrics[metric]
        cells = [f'<th scope="row">{_escape(line.agent)}</th>', f"<td>{line.episodes}</td>"]
        cells += [f"<td>{number(value)}</td>" for value in (found.mean, found.iqm)]
        cells.append(f"<td>{number(found.low)} to {number(found.high)}</td>")
        cells.append(f'<td class="bar">{_bar(found.mean, found.low, found.high, high)}</td>')
        cells.append(f"<td>{line.turns_lost}</td>")
        if line.case != last:
            if last:
                body.append("</tbody>")
            body.append(f'<tbody><tr class="case"><th scope="rowgroup" colspan="7">{_escape(line.case)}</th></tr>')
        last = line.case
        body.append(f"<tr>{''.join(cells)}</tr>")
    heads = ("agent", "episodes", "mean", "IQM", "95 % interval", "mean and interval, drawn", "turns lost")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        f'<section><h2>{words}</h2><div class="wide" tabindex="0" role="region" aria-label="Table: {words}"><table>'
        f"<caption>{words} by case and agent</caption><thead><tr>{head}</tr></thead>"
        f"{''.join(body)}</tbody></table></div></section>"
    )


def _costs(found: list[Cost]) -> str:
    """What language models cost, if there were any."""
    if not found:
        return ""
    body = "".join(
        f'<tr><th scope="row">{_escape(cost.agent)}</th><td>{cost.calls:,}</td><td>{cost.prompt:,}</td>'
        f"<td>{cost.completion:,}</td><td>{(cost.prompt + cost.completion) / cost.episodes:,.0f}</td>"
        f"<td>{_escape(cost.money)}</td></tr>"
        for cost in found
    )
    heads = ("agent", "calls", "prompt tokens", "completion tokens", "tokens an episode", "cost")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<section><h2>Language models</h2><div class="wide" tabindex="0" role="region" aria-label="Table: language models">'
        "<table><caption>as endpoints count them and the price table says; no replay can check this</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _bar(mean: float, low: float, high: float, top: float) -> str:
    """The mean as a bar and the interval as a line on it; the numbers stand beside it."""
    if not top > 0 or low < 0:
        return ""
    place = [min(100.0, 100 * value / top) for value in (mean, low, high)]
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="mean" y="2" width="{place[0]:.2f}" height="6"/>'
        f'<line class="interval" x1="{place[1]:.2f}" x2="{place[2]:.2f}" y1="5" y2="5"/></svg>'
    )


def _replays(rows: list[dict[str, Any]], pages: dict[str, str]) -> str:
    items = [
        f'<li><a href="{_escape(pages[row["trace"]])}">{_escape(row["agent"])} on {_escape(row["case"])}, '
        f"seed {row['seed']}</a></li>"
        for row in rows
        if row["trace"] in pages
    ]
    if not items:
        return "<p>None were written; <code>ludarium replay</code> makes one of any episode.</p>"
    return f"<ul>{''.join(items)}</ul>"
