"""Tables of results: each agent's metrics by case, with intervals, as data, in the terminal, and as text."""

from __future__ import annotations

from typing import Any, NamedTuple

from ludarium.leaderboards.episode import with_bounds
from ludarium.leaderboards.stats import Summary, summary
from ludarium.scenarios.loader import Scenario

__all__ = ["ALL", "Line", "number", "results", "shown_metrics", "terminal_table"]

ALL = "all cases"
_DIGITS = 6
"""The least width of a column of numbers."""
_AGENT = 44
"""Characters of an agent's name before it goes on in the next line: addresses are long."""
_SHOWN = 3
"""Metrics that fit a terminal; the report and `--json` have them all."""


class Line(NamedTuple):
    """One agent in one case, or over all of them."""

    case: str
    agent: str
    episodes: int
    metrics: dict[str, Summary]
    turns_lost: int

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**self._asdict(), "metrics": {name: found._asdict() for name, found in self.metrics.items()}}


def shown_metrics(scenario: Scenario, figures: list[dict[str, Any]]) -> tuple[str, ...]:
    """The metrics of a table: the scenario's choice, or all that are numbers in every row."""
    if scenario.metrics or not figures:
        return scenario.metrics
    return tuple(name for name in figures[0] if all(isinstance(row.get(name), int | float) for row in figures))


def results(scenario: Scenario, rows: list[dict[str, Any]]) -> list[Line]:
    """A line for each case and agent, in the scenario's order; with several cases one over all, resampled within cases.

    `rows` are those of a run; a metric with a bound also stands as `<metric>_of_bound`, and a row's
    review is among its metrics.
    """
    figures = {id(row): {**with_bounds(row["metrics"], row["bounds"]), **row.get("review", {})} for row in rows}
    metrics = shown_metrics(scenario, list(figures.values()))
    agents = list(dict.fromkeys(row["agent"] for row in rows))
    cases = [case.name for case in scenario.cases if any(row["case"] == case.name for row in rows)]
    lines = []
    for case in [*cases, ALL] if len(cases) > 1 else cases:
        for agent in agents:
            own = [row for row in rows if row["agent"] == agent and case in (row["case"], ALL)]
            if own:
                strata = [row["case"] for row in own]
                found = {name: summary([figures[id(row)][name] for row in own], strata) for name in metrics}
                lines.append(Line(case, agent, len(own), found, sum(row["turns_lost"] for row in own)))
    return lines


def number(value: float, digits: int = 4) -> str:
    """A number for people: `digits` that count, and no exponent for large ones."""
    if abs(value) >= 10_000 or (value == int(value) and abs(value) >= 100):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def terminal_table(title: str, lines: list[Line]) -> Any:
    """A rich table: mean, interquartile mean and 95 % interval of the first metric, means of the others."""
    from rich.table import Table

    names = list(lines[0].metrics)[:_SHOWN] if lines else []
    first = f": {names[0].replace('_', ' ')}, mean over episodes" if names else ""
    table = Table(title=f"{title}{first}", title_justify="left", padding=(0, 1))
    table.add_column("case", no_wrap=True)
    table.add_column("agent", overflow="fold", max_width=_AGENT)
    table.add_column("n", justify="right", no_wrap=True)
    for n, name in enumerate(names):
        words = name.replace("_", " ") if n else "mean"
        table.add_column(words, justify="right", style=None if n else "bold", min_width=_DIGITS)
        if n == 0:
            table.add_column("IQM", justify="right", no_wrap=True)
            table.add_column("95 % interval", justify="right", no_wrap=True)
    lost = any(line.turns_lost for line in lines)
    if lost:
        table.add_column("turns lost", justify="right", style="red", min_width=_DIGITS)
    last = ""
    for line in lines:
        if last and line.case != last:
            table.add_section()
        cells = [line.case if line.case != last else "", line.agent, str(line.episodes)]
        for n, found in enumerate(line.metrics[name] for name in names):
            cells.append(number(found.mean))
            if n == 0:
                cells += [number(found.iqm), f"{number(found.low, 3)}–{number(found.high, 3)}"]
        table.add_row(*cells, *([str(line.turns_lost)] if lost else []))
        last = line.case
    return table
