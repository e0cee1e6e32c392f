"""What a board page shows of standings: rows with shared axes, plots, and the same figures as JSON."""

from __future__ import annotations

from typing import Any, NamedTuple

from ludarium.leaderboards.board import draw, words
from ludarium.leaderboards.board.draw import Point
from ludarium.leaderboards.board.html import plain
from ludarium.leaderboards.board.standings import Group, Standing, Standings, Told
from ludarium.leaderboards.stats import Interval

__all__ = ["Chart", "Sheet", "board_json", "sheets", "told_words"]

_PLOTTED = 40
"""Agents in a scatter plot: the first of those that report what it shows."""
_PROFILED = 5


class Chart(NamedTuple):
    """A scatter plot, and the rows of the table beside it."""

    title: str
    axis: str
    svg: Any
    rows: list[tuple[int, Standing, str]]
    """Number, agent and what it reports, in words."""


class Sheet(NamedTuple):
    """One table of a board page."""

    group: Group
    rows: tuple[Standing, ...]
    axis: tuple[float, float]
    """Of the interval bars."""
    columns: list[str]
    """Of `manifest.REPORTED`, those that some entrant reports."""
    charts: list[Chart]
    profile: Any
    """The drawing of the performance profiles; None if there are none."""
    profiled: list[int]
    """The thresholds of the table beside it, by their number."""


def told_words(name: str, told: Told | None) -> str:
    """What an entrant reports of an episode on average, with its unit."""
    from ludarium.leaderboards.table import number

    if told is None:
        return "\N{EN DASH}"
    if name == "wall_s":
        return f"{number(told.mean, 3)} s"
    if name == "micro_dollars":
        return f"${told.mean / 1e6:.4f}" if told.mean < 1e6 else f"${told.mean / 1e6:,.2f}"
    return f"{number(told.mean, 4)} {'tokens' if name == 'tokens' else 'calls'}"


def sheets(ranking: Standings, most: int | None) -> list[Sheet]:
    """The tables of a page, with at most so many rows each."""
    return [_sheet(ranking, group, most) for group in ranking.groups]


def _sheet(ranking: Standings, group: Group, most: int | None) -> Sheet:
    rows = group.rows[:most]
    columns = [name for name in words.REPORTED if any(name in row.told for row in group.rows)]
    charts = [_chart(ranking, group, name) for name in ("micro_dollars", "tokens", "wall_s") if name in columns]
    charts = [chart for chart in charts if len(chart.rows) > 1]
    if any(chart.axis == "micro_dollars" for chart in charts):  # tokens stand for cost where nobody names a price
        charts = [chart for chart in charts if chart.axis != "tokens"]
    profile, profiled = None, []
    if group.profiles:
        worded = "at most" if not ranking.track.higher_is_better else "at least"
        profile = draw.profile_plot(group.profiles, f"{words.metric(ranking.track)} of {worded}")
        last = len(group.profiles[0].thresholds) - 1
        profiled = [round(n * last / (_PROFILED - 1)) for n in range(_PROFILED)]
    return Sheet(group, rows, draw.span_of([row.mean for row in rows]), columns, charts, profile, profiled)


def _chart(ranking: Standings, group: Group, name: str) -> Chart:
    shown = [row for row in group.rows if name in row.told][:_PLOTTED]
    scale = 1e-6 if name == "micro_dollars" else 1.0
    units = {"wall_s": "seconds an episode", "micro_dollars": "US dollars an episode", "tokens": "tokens an episode"}
    points = [Point(str(place + 1), row.told[name].mean * scale, row.mean) for place, row in enumerate(shown)]
    svg = draw.scatter(points, f"{units[name]} ({words.told_by(group.tier, name)})", words.metric(ranking.track))
    rows = [(place + 1, row, told_words(name, row.told[name])) for place, row in enumerate(shown)]
    return Chart(f"Score and {words.REPORTED[name]}", name, svg, rows)


# --- JSON --------------------------------------------------------------------------------------------------------------
def board_json(ranking: Standings, filters: dict[str, str | None]) -> dict[str, Any]:
    """All the figures of a board page, every row of it."""
    track = ranking.track
    return {
        "track": {**track.reference, "title": track.title, "metric": track.metric, "unit": words.unit(track),
                  "higher_is_better": track.higher_is_better, "worst": track.worst, "scenario": track.scenario,
                  "scenario_hash": track.scenario_hash, "known_flaws": list(track.known_flaws)},
        "filters": filters,
        "submissions": ranking.submissions,
        "tables": [_group_json(group) for group in ranking.groups],
        "aside": [
            {"submission": a.entry.digest, "name": plain(a.entry.name), "class": a.entry.kind, "tier": a.entry.tier,
             "round": a.entry.round, "status": a.status, "why": plain(a.why), "mean": _interval(a.mean)}
            for a in ranking.aside
        ],
    }  # fmt: skip


def _interval(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()


def _group_json(group: Group) -> dict[str, Any]:
    return {
        "tier": group.tier, "round": group.round, "episodes": group.episodes, "paired": group.paired,
        "resamples": group.resamples, "level": 0.95, "scale": group.scale, "rows": [_row_json(row) for row in group.rows],
        "probability_of_improvement": [
            {"submission": a, "other": b, **found._asdict()} for (a, b), found in group.improvement.items()
        ],
        "profiles": [
            {"submission": row.entry.digest, **{name: values.tolist() for name, values in profile._asdict().items()}}
            for row, profile in zip(group.rows, group.profiles, strict=False)
        ],
    }  # fmt: skip


def _row_json(row: Standing) -> dict[str, Any]:
    entry = row.entry
    return {
        "submission": entry.digest, "name": plain(entry.name), "agent": plain(entry.agent), "class": entry.kind,
        "authors": [plain(author) for author in entry.authors], "account": plain(entry.account) if entry.account else None,
        "key": entry.key, "received_at": entry.received_at, "rank": row.rank,
        "rank_range": [row.ranks.best, row.ranks.worst] if row.ranks else None, "mean": _interval(row.mean),
        "iqm": _interval(row.iqm), "normalised": _interval(row.normalised), "attempts": row.attempts,
        "attempts_of_entrant": row.entrant, "missing": row.missing, "steps": entry.steps,
        "self_reported": {name: told._asdict() for name, told in row.told.items()},
        "flags": [flag._asdict() for flag in entry.verdict.flags] if entry.verdict else [],
        "disagreements": entry.disagreements,
        "same_plays_as": [{"submission": digest, "episodes": count} for digest, count in row.copies],
        "pass_hat_k": [_interval(found.every) for found in row.passes],
        "pass_at_k": [_interval(found.some) for found in row.passes],
    }  # fmt: skip
