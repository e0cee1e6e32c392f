"""Themes: the one table from a style's name to its colours, light and dark.

The colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with any of the common
kinds of colour blindness can tell apart, lightened or darkened to reach a contrast of 3 to 1 against the
floor they lie on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ludarium.envs.core.errors import ConfigError, did_you_mean

__all__ = ["DARK", "LIGHT", "THEMES", "Paint", "Theme", "contrast", "readable_on", "theme_named"]


@dataclass(frozen=True, slots=True)
class Paint:
    """What a style looks like.

    A fill, an outline, and the colour of text upon it ("#rrggbb"; "" for none).
    """

    fill: str
    stroke: str = ""
    text: str = ""


@dataclass(frozen=True, eq=False)
class Theme:
    """A named table of styles.

    A style that is not in it falls back along its dots, and then to `accent.1`.
    """

    name: str
    styles: dict[str, Paint]

    def paint(self, style: str) -> Paint:
        """Return the paint of `style`: "robot.idle", else "robot"; "#rrggbb" is taken as it stands."""
        if style.startswith("#"):
            return Paint(style, text=readable_on(style))
        while style not in self.styles:
            if "." not in style:
                return self.styles["accent.1"]
            style = style.rpartition(".")[0]
        return self.styles[style]


def luminance(colour: str) -> float:
    """Return the relative luminance (0 to 1) of "#rrggbb", as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio (1 to 21) of two colours "#rrggbb", as WCAG 2.2 defines it."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@lru_cache(maxsize=256)
def readable_on(fill: str) -> str:
    """Return near-black or white, whichever can be read better on `fill`."""
    return max(("#1a1f27", "#ffffff"), key=lambda text: contrast(text, fill))


def _theme(name: str, rows: dict[str, str]) -> Theme:
    """Make a theme from rows `style: "fill [stroke]"`; the text upon a fill is whatever can be read there."""
    styles = {}
    for style, row in rows.items():
        fill, _, stroke = row.partition(" ")
        styles[style] = Paint(fill, stroke, readable_on(fill))
    return Theme(name, styles)


LIGHT = _theme(
    "light",
    {
        "background": "#ffffff",
        "floor": "#f4f5f7",
        "grid": "#e3e6ea",
        "wall": "#727c8a",
        "robot": "#0072b2",
        "robot.idle": "#4d7f9e",
        "robot.arrived": "#00795a",
        "robot.fault": "#a8324a",
        "goal": "#c04a00",
        "goal.done": "#8a9099",
        "path": "#0072b2",
        "text": "#1a1f27",
        "text.muted": "#5b6470",
        "zone": "#e4ebf3",
        "zone.pickup": "#d9ecf8",
        "zone.delivery": "#fdebd3",
        "item": "#8a6d00",
        "focus": "#d55e00",
        "good": "#00795a",
        "bad": "#a8324a",
        "accent.1": "#0072b2",
        "accent.2": "#c04a00",
        "accent.3": "#00795a",
        "accent.4": "#a3527f",
        "accent.5": "#8a6d00",
        "accent.6": "#2b83b5",
        "accent.7": "#7d7400",
        "accent.8": "#3a424d",
    },
)

DARK = _theme(
    "dark",
    {
        "background": "#161b22",
        "floor": "#1d242c",
        "grid": "#272f39",
        "wall": "#616c7a",
        "robot": "#56b4e9",
        "robot.idle": "#7f9fb4",
        "robot.arrived": "#2cc295",
        "robot.fault": "#ff8c9f",
        "goal": "#f0a53a",
        "goal.done": "#7d8794",
        "path": "#56b4e9",
        "text": "#e8ecf1",
        "text.muted": "#a3adb9",
        "zone": "#25303c",
        "zone.pickup": "#1d3a4d",
        "zone.delivery": "#453319",
        "item": "#f0e442",
        "focus": "#ff9a4d",
        "good": "#2cc295",
        "bad": "#ff8c9f",
        "accent.1": "#56b4e9",
        "accent.2": "#f0a53a",
        "accent.3": "#2cc295",
        "accent.4": "#e39cc4",
        "accent.5": "#e6cf4a",
        "accent.6": "#7fc4ee",
        "accent.7": "#f0e442",
        "accent.8": "#c3cad3",
    },
)

THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


def theme_named(name: str) -> Theme:
    """Return the theme "light" or "dark"; raise `ConfigError` for another name."""
    if name not in THEMES:
        raise ConfigError(f"no theme is named {name!r}{did_you_mean(name, THEMES)}")
    return THEMES[name]
