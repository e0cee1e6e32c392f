"""Plots of results as SVG: intervals of agents, and performance profiles.

Equal figures give equal bytes. A plot follows the reader's light or dark mode, inside a page or alone; agents differ by
the shape of their marks and the dashes of their lines as well as by colours that colour-blind readers can tell apart. Every
plot has a title and a description for those who do not see it; whoever shows one puts its figures beside it as a table.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

from ludarium.envs.core.errors import MissingExtraError, StatisticsError
from ludarium.envs.core.theme import DARK, LIGHT, Theme
from ludarium.leaderboards.stats import Interval, Profile

__all__ = ["interval_plot", "profile_plot", "short_names"]

_NAME = 30
"""Characters of an agent's name in a plot."""
_MARKS = "os^Dv<>P"
_DASHES = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.5)),
    (0, (6, 2, 1, 2)),
    (0, (3, 1.5)),
    (0, (8, 2)),
    (0, (4, 1, 1, 1, 1, 1)),
    (0, (2, 3)),
)
_SERIES = 8
"""Colours, marks and dashes; further agents begin again, with other dashes for the same colour."""
_ROLES = {
    "ink": "text",
    "quiet": "text.muted",
    "line": "grid",
    **{f"s{n}": f"accent.{n}" for n in range(1, _SERIES + 1)},
}
_STAND_IN = {role: f"#fe{n:02x}fe" for n, role in enumerate(_ROLES)}
"""What matplotlib paints with; each becomes a variable of the page in the finished SVG."""
_EVERYWHERE = "*{stroke-linejoin: round; stroke-linecap: butt}"
"""A rule of matplotlib's that would hold for the whole page around the plot."""
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ludarium",
    "text.parse_math": False,  # a name with dollar signs is a name
    "text.usetex": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 12.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _STAND_IN["quiet"],
    "axes.labelcolor": _STAND_IN["ink"],
    "axes.unicode_minus": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _STAND_IN["line"],
    "grid.linewidth": 0.8,
    "text.color": _STAND_IN["ink"],
    "xtick.color": _STAND_IN["quiet"],
    "ytick.color": _STAND_IN["quiet"],
    "xtick.labelcolor": _STAND_IN["ink"],
    "ytick.labelcolor": _STAND_IN["ink"],
    "legend.frameon": False,
    "figure.autolayout": False,
}


def interval_plot(agents: Sequence[str], found: Sequence[Interval], label: str, name: str = "intervals") -> str:
    """The SVG of each agent's estimate with its interval, the first agent on top.

    `label` says what the horizontal axis is; `name` begins the ids of the SVG, and must differ within a page.
    `StatisticsError` for lists that do not fit, `MissingExtraError` without matplotlib.
    """
    _fits(agents, found)
    figure, axes = _figure(8.0, 0.8 + 0.36 * len(agents))
    with _settings():
        for place, interval in enumerate(found):
            colour = _STAND_IN[f"s{place % _SERIES + 1}"]
            axes.plot([interval.low, interval.high], [place, place], color=colour, linewidth=2.5, solid_capstyle="butt")
            axes.plot([interval.value], [place], _MARKS[place % _SERIES], color=colour, markersize=7)
        axes.set_yticks(range(len(agents)), short_names(agents))
        axes.set_ylim(len(agents) - 0.4, -0.6)
        axes.grid(False, axis="y")
        axes.set_xlabel(_plain(label))
        told = "; ".join(f"{a} {i.value:.4g} ({i.low:.4g} to {i.high:.4g})" for a, i in zip(agents, found, strict=True))
        return _svg(figure, name, f"{label}, with 95 % intervals", told)


def profile_plot(agents: Sequence[str], found: Sequence[Profile], label: str, name: str = "profiles") -> str:
    """The SVG of performance profiles with their bands; arguments and errors are those of `interval_plot`."""
    _fits(agents, found)
    figure, axes = _figure(8.0, 4.2)
    with _settings():
        for place, (agent, profile) in enumerate(zip(short_names(agents), found, strict=True)):
            colour = _STAND_IN[f"s{place % _SERIES + 1}"]
            dashes = _DASHES[(place + place // _SERIES) % _SERIES]
            axes.fill_between(profile.thresholds, profile.low, profile.high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(profile.thresholds, profile.value, color=colour, linestyle=dashes, linewidth=2, label=agent)
        axes.set_ylim(-0.02, 1.02)
        axes.margins(x=0)
        axes.set_xlabel(_plain(label))
        axes.set_ylabel("part of episodes")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), handlelength=3.2, borderaxespad=0.0)
        told = (
            f"Lines of {', '.join(agents)}: the part of their episodes that reaches each score; the table has figures"
        )
        return _svg(figure, name, f"Performance profiles: {label}", told)


def short_names(agents: Sequence[str]) -> list[str]:
    """Names for the space that a plot has: the middle of a long one is left out, and equal ones are numbered."""
    found: list[str] = []
    for agent in map(_plain, agents):
        half = (_NAME - 1) // 2
        name = agent if len(agent) <= _NAME else f"{agent[:half]}\N{HORIZONTAL ELLIPSIS}{agent[-half:]}"
        found.append(name)
    return [name if found.count(name) == 1 else f"{name} ({found[:n].count(name) + 1})" for n, name in enumerate(found)]


def _plain(text: str) -> str:
    """The text without what XML or a line cannot hold."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _fits(agents: Sequence[str], found: Sequence[Any]) -> None:
    if not agents or len(agents) != len(found):
        raise StatisticsError(
            f"{len(agents)} agents with {len(found)} results; a plot needs one of each for at least one agent"
        )


def _settings() -> Any:
    import matplotlib

    return matplotlib.rc_context(_SETTINGS)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "stats") from None
    with _settings():
        figure = Figure(figsize=(width, height))  # not pyplot's, which keeps every figure
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def _svg(figure: Any, name: str, title: str, told: str) -> str:
    """The finished SVG: colours as variables, ids of its own, no date, a title and a description."""
    buffer = io.BytesIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's own fonts draw the text
        figure.savefig(buffer, format="svg", transparent=True, bbox_inches="tight", pad_inches=0.05, metadata=nothing)
    text = buffer.getvalue().decode()
    text = text[text.index("<svg") :].replace(_EVERYWHERE, "svg.plot * {stroke-linejoin: round; stroke-linecap: butt}")
    text = re.sub("<[^>]+>", lambda tag: _tag(tag[0], name), text)  # tags alone: names may hold anything
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    opening = (
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[1]} {size[2]}" width="{size[1]}" '  # type: ignore[index]
        f'height="{size[2]}" role="img" aria-labelledby="{name}-title {name}-told">'  # type: ignore[index]
        f'<title id="{name}-title">{html.escape(_plain(title))}</title><desc id="{name}-told">{html.escape(_plain(told))}</desc>'
        f"<style>{_style()}</style>"
    )
    return opening + text[text.index(">") + 1 :].strip() + "\n"


def _tag(tag: str, name: str) -> str:
    """A tag with ids of this plot's own, colours as variables, and the page's font."""
    tag = tag.replace("xlink:href", "href").replace("'DejaVu Sans', sans-serif", "system-ui, sans-serif")
    tag = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", tag)
    for role, stand_in in _STAND_IN.items():
        tag = tag.replace(stand_in, f"var(--plot-{role})")
    return tag


def _style() -> str:
    def rules(theme: Theme) -> str:
        return " ".join(f"--plot-{role}: {theme.paint(style).fill};" for role, style in _ROLES.items())

    return f"svg.plot {{ {rules(LIGHT)} }} @media (prefers-color-scheme: dark) {{ svg.plot {{ {rules(DARK)} }} }}"
