"""Tables of results: each agent's metrics by case, with intervals, as data, in the terminal, and as text."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ludarium.leaderboards.episode import with_bounds
from ludarium.leaderboards.stats import Pass, Scores, Summary, passes, summary
from ludarium.scenarios.loader import Scenario

__all__ = ["ALL", "Line", "figures", "number", "results", "shown_metrics", "success_metric", "terminal_table"]

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
    """Over seeds: the trials of an episode count as one, by their mean."""
    turns_lost: int
    passes: tuple[Pass, ...] = ()
    """pass^k and pass@k of the success metric; empty where the scenario has one trial or no such metric."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            **self._asdict(),
            "metrics": {name: found._asdict() for name, found in self.metrics.items()},
            "passes": [{"k": p.k, "pass^k": p.every._asdict(), "pass@k": p.some._asdict()} for p in self.passes],
        }


def figures(row: dict[str, Any]) -> dict[str, Any]:
    """All figures of a row: its metrics, each with a bound also as `<metric>_of_bound`, and its review."""
    return {**with_bounds(row["metrics"], row["bounds"]), **row.get("review", {})}


def shown_metrics(scenario: Scenario, found: list[dict[str, Any]]) -> tuple[str, ...]:
    """The metrics of a table: the scenario's choice, or all that are numbers in every row's figures."""
    if scenario.metrics or not found:
        return scenario.metrics
    return tuple(name for name in found[0] if all(isinstance(row.get(name), int | float) for row in found))


def success_metric(scenario: Scenario, found: list[dict[str, Any]]) -> str | None:
    """What trials succeed in: `success`, or else the first shown metric, if it is 0 or 1 in every row's figures."""
    shown = shown_metrics(scenario, found)
    for name in ("success", *shown[:1]):
        if found and all(row.get(name) in (0, 1) for row in found):
            return name
    return None


def results(scenario: Scenario, rows: list[dict[str, Any]]) -> list[Line]:
    """A line for each case and agent, in the scenario's order; with several cases one over all, resampled within cases.

    `rows` are those of a run. Intervals are over seeds: those of a case are resampled, with all their trials.
    """
    known = {id(row): figures(row) for row in rows}
    metrics = shown_metrics(scenario, list(known.values()))
    success = success_metric(scenario, list(known.values())) if scenario.trials > 1 else None
    agents = list(dict.fromkeys(row["agent"] for row in rows))
    cases = [case.name for case in scenario.cases if any(row["case"] == case.name for row in rows)]
    lines = []
    for case in [*cases, ALL] if len(cases) > 1 else cases:
        for agent in agents:
            own = [row for row in rows if row["agent"] == agent and case in (row["case"], ALL)]
            if own:
                lines.append(
                    Line(
                        case,
                        agent,
                        len(own),
                        {name: _over_seeds(own, [known[id(row)][name] for row in own]) for name in metrics},
                        sum(row["turns_lost"] for row in own),
                        _passes(own, [known[id(row)][success] for row in own]) if success else (),
                    )
                )
    return lines


def _over_seeds(rows: list[dict[str, Any]], values: list[float]) -> Summary:
    """Count of episodes, and the rest over the means of each seed's trials."""
    if not all(math.isfinite(value) for value in values):  # a world may say so of what has no value
        return Summary(len(rows), *[math.nan] * 4)
    value = {id(row): found for row, found in zip(rows, values, strict=True)}
    scores = Scores.of(rows, lambda row: value[id(row)])
    return summary(scores.values[0], scores.cases)._replace(n=len(rows))


def _passes(rows: list[dict[str, Any]], values: list[float]) -> tuple[Pass, ...]:
    counts: dict[tuple[str, int], tuple[int, int]] = {}
    for row, value in zip(rows, values, strict=True):
        unit = row["case"], row["seed"]
        trials, successes = counts.get(unit, (0, 0))
        counts[unit] = trials + 1, successes + int(value)
    units = sorted(counts)
    return tuple(passes([counts[unit] for unit in units], [case for case, _ in units]))


def number(value: float, digits: int = 4) -> str:
    """A number for people: `digits` that count, and no exponent for large ones; a dash for none."""
    if not math.isfinite(value):
        return "-"
    if abs(value) >= 10_000 or (value == int(value) and abs(value) >= 100):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def terminal_table(title: str, lines: list[Line]) -> Any:
    """A rich table: mean, interquartile mean and 95 % interval of the first metric, pass^k or means of the others."""
    from rich.table import Table

    trials = max((len(line.passes) for line in lines), default=0)
    names = list(lines[0].metrics)[: 1 if trials else _SHOWN] if lines else []
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
    for k in range(1, trials + 1):
        table.add_column(f"pass^{k}", justify="right", min_width=_DIGITS)
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
        cells += [number(found.every.value, 3) for found in line.passes] + [""] * (trials - len(line.passes))
        table.add_row(*cells, *([str(line.turns_lost)] if lost else []))
        last = line.case
    return table
