"""The agents of a run beside each other: ranks, chances of improvement and profiles, as data and as a part of the report."""

from __future__ import annotations

import html
from typing import Any, NamedTuple

import numpy as np

from ludarium.envs.core.errors import LudariumError, MissingExtraError, StatisticsError
from ludarium.leaderboards import stats
from ludarium.leaderboards.normalise import normalised_scores, references_for
from ludarium.leaderboards.stats import Interval, Profile, RankRange, Scores
from ludarium.leaderboards.table import Line, figures, number, shown_metrics
from ludarium.scenarios.loader import Scenario

__all__ = ["COSTS", "Comparison", "Ranked", "compare", "comparison_section", "is_cost", "passes_section"]

COSTS = frozenset(
    {
        "agent_tokens", "deadweight_loss", "excess", "free_riding", "gap", "gini", "impact", "invalid_rate", "makespan",
        "over_usage", "points", "profit_dispersion", "redundant_reads", "regret", "rounds", "smiths_alpha", "spread", "steps",
        "sum_of_costs", "top_share", "turns", "user_errors", "violations", "volatility",
    }
)  # fmt: skip
"""Metrics of the suite's worlds of which less is better."""
_XMLNS = ' xmlns="http://www.w3.org/2000/svg"'
"""What an SVG needs only where it is a file of its own."""
_THRESHOLDS = 101
_SHOWN = 5
"""Thresholds in the table beside the profiles."""


class Ranked(NamedTuple):
    """One agent among the others."""

    agent: str
    rank: RankRange
    mean: Interval
    iqm: Interval


class Comparison(NamedTuple):
    """All that is said of the agents of a run by one metric."""

    metric: str
    normalised: bool
    note: str
    """Where the scale comes from, or why there is none."""
    ranked: tuple[Ranked, ...]
    """The best first."""
    improvement: dict[tuple[str, str], Interval]
    """(agent, other) -> the chance that an episode of the first is better than one of the other."""
    profiles: tuple[Profile, ...]
    """In the order of `ranked`; empty where the metric has two values or one."""

    @property
    def label(self) -> str:
        """The metric in words."""
        return f"{'normalised ' if self.normalised else ''}{self.metric.replace('_', ' ')}"


def is_cost(metric: str) -> bool:
    """Whether less of a metric is better."""
    return metric.removesuffix("_of_bound") in COSTS


def compare(scenario: Scenario, rows: list[dict[str, Any]], split: str) -> Comparison | None:
    """The agents in rows of a run by the scenario's first metric; None for fewer than two, or no metric.

    Scores are normalised where the suite has references for the scenario. `StatisticsError` for agents with unequal
    episodes, or values that are no finite numbers.
    """
    known = {id(row): figures(row) for row in rows}
    metrics = shown_metrics(scenario, list(known.values()))
    if len({row["agent"] for row in rows}) < 2 or not metrics:
        return None
    metric = metrics[0]
    scores = Scores.of(rows, lambda row: known[id(row)][metric])
    scores, scaled, note = _scaled(scores, scenario, split, metric)
    higher = scaled or not is_cost(metric)
    ranges = stats.rank_ranges(scores.values, scores.cases, higher_is_better=higher)
    order = sorted(range(len(scores.agents)), key=lambda a: (ranges[a].rank, scores.agents[a]))
    ranked = [
        Ranked(
            scores.agents[a],
            ranges[a],
            stats.bootstrap(scores.values[a], stats.mean, scores.cases),
            stats.bootstrap(scores.values[a], stats.iqm, scores.cases),
        )
        for a in order
    ]
    improvement = {
        (scores.agents[a], scores.agents[b]): stats.probability_of_improvement(
            scores.values[a], scores.values[b], scores.cases, higher_is_better=higher
        )
        for a in order
        for b in order
        if a != b
    }
    profiles: list[Profile] = []
    if len(np.unique(scores.values)) > 2:
        grid = np.linspace(scores.values.min(), scores.values.max(), _THRESHOLDS)
        profiles = [
            stats.performance_profile(scores.values[a], grid, scores.cases, higher_is_better=higher) for a in order
        ]
    return Comparison(metric, scaled, note, tuple(ranked), improvement, tuple(profiles))


def _scaled(scores: Scores, scenario: Scenario, split: str, metric: str) -> tuple[Scores, bool, str]:
    """The scores, normalised if that can be; whether it could; and the source of the scale or the reason."""
    try:
        references = references_for(scenario, split)
        if references is None:
            return scores, False, "Not normalised: the suite has no reference figures for this scenario and split."
        return normalised_scores(scores, references, metric), True, f"Normalised: {references.source}."
    except LudariumError as error:
        return scores, False, f"Not normalised: {error}"


# --- HTML --------------------------------------------------------------------------------------------------------------
def comparison_section(scenario: Scenario, rows: list[dict[str, Any]], split: str) -> str:
    """The part of a report that compares agents; empty for a single one."""
    try:
        found = compare(scenario, rows, split)
    except StatisticsError as error:
        return f"<section><h2>Agents compared</h2><p>Not compared: {_escape(error)}.</p></section>"
    if found is None:
        return ""
    what = "lower is better" if is_cost(found.metric) and not found.normalised else "higher is better"
    parts = [
        f"<section><h2>Agents compared: {_escape(found.label)}</h2><p>Over all cases, {what}. {_escape(found.note)}</p>",
        _plots(found),
        _ranks(found),
        _improvement(found),
        _profiles(found),
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def passes_section(lines: list[Line]) -> str:
    """The part of a report on several trials of the same episodes; empty where there is one trial."""
    lines = [line for line in lines if line.passes]
    if not lines:
        return ""
    trials = max(len(line.passes) for line in lines)
    kinds = [("pass^", k) for k in range(1, trials + 1)] + [("pass@", k) for k in range(2, trials + 1)]
    body = []
    for line in lines:
        cells = []
        for kind, k in kinds:
            found = line.passes[k - 1] if k <= len(line.passes) else None
            cells.append(_figure(found.every if kind == "pass^" else found.some, 3) if found else "")
        body.append((line.agent, [_escape(line.case), *cells]))
    words = "pass^k: all of k trials succeed; pass@k: at least one does; with 95 % intervals over seeds"
    heads = ["agent", "case", *(f"{kind}{k}" for kind, k in kinds)]
    return f"<section><h2>Success over trials</h2>{_table('Success over trials', words, heads, body)}</section>"


def _plots(found: Comparison) -> str:
    from ludarium.leaderboards import plots

    agents = [ranked.agent for ranked in found.ranked]
    label = found.label
    try:
        drawn = [plots.interval_plot(agents, [ranked.mean for ranked in found.ranked], f"mean {label}")]
        if found.profiles:
            drawn.append(plots.profile_plot(agents, found.profiles, _reached(found)))
    except MissingExtraError as error:
        return f"<p>Without plots: {_escape(error)}</p>"
    words = ("Means with 95 % intervals.", "Performance profiles with pointwise 95 % bands.")
    return "".join(
        f'<figure><div class="wide" tabindex="0" role="region" aria-label="Plot: {text}">{svg.replace(_XMLNS, "")}</div>'
        f"<figcaption>{text} The table below has the figures.</figcaption></figure>"
        for svg, text in zip(drawn, words, strict=False)
    )


def _ranks(found: Comparison) -> str:
    decimals = 3 if found.normalised else None
    body = [(r.agent, [str(r.rank), _figure(r.mean, decimals), _figure(r.iqm, decimals)]) for r in found.ranked]
    words = "ranks that the episodes cannot tell apart are one range; 95 % intervals over seeds"
    return _table("Ranks", f"Ranks: {words}", ["agent", "rank", "mean", "IQM"], body)


def _improvement(found: Comparison) -> str:
    agents = [ranked.agent for ranked in found.ranked]
    body = [
        (own, ["" if own == other else _figure(found.improvement[own, other], 2) for other in agents]) for own in agents
    ]
    words = "Probability of improvement: that an episode of the row's agent is better than one of the column's in the same case"
    return _table("Probability of improvement", words, ["agent", *map(_escape, agents)], body)


def _profiles(found: Comparison) -> str:
    if not found.profiles:
        return ""
    places = np.linspace(0, _THRESHOLDS - 1, _SHOWN).astype(int)
    heads = ["agent", *(number(found.profiles[0].thresholds[n], 3) for n in places)]
    body = [
        (ranked.agent, [_figure(Interval(p.value[n], p.low[n], p.high[n]), 2) for n in places])
        for ranked, p in zip(found.ranked, found.profiles, strict=True)
    ]
    return _table(
        "Performance profiles", f"Performance profiles: the part of episodes with {_reached(found)}", heads, body
    )


def _reached(found: Comparison) -> str:
    return f"{found.label} of at {'most' if is_cost(found.metric) and not found.normalised else 'least'}"


def _figure(found: Interval, decimals: int | None = None) -> str:
    """An estimate with its interval: with fixed decimals where its scale is about 1, else with three digits."""
    value, low, high = (
        number(v, 3) if decimals is None else f"{v:.{decimals}f}".replace("-0.000", "0.000") for v in found
    )
    return f"{value} <small>({low} to {high})</small>"


def _table(name: str, caption: str, heads: list[str], body: list[tuple[str, list[str]]]) -> str:
    """A table of cells that are HTML already, each row headed by an agent's name, which is not."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in heads)
    rows = "".join(
        f'<tr><th scope="row">{_escape(agent)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for agent, cells in body
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Table: {_escape(name)}"><table>'
        f"<caption>{_escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _escape(text: Any) -> str:
    return html.escape(str(text), quote=True)
