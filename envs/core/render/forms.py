"""What every renderer agrees on.

The outlines of sprites, how their numbers fit, and how colours are written.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["HOLLOW", "OUTLINES", "STROKE", "TINT", "number_height", "plain_text", "rgb"]

# Convex, around the origin, y down, scaled by the sprite's radius. A circle and a ring have no corners.
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "diamond": ((0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)),
    "square": ((-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)),
    "triangle": ((0.0, -1.0), (math.sqrt(0.75), 0.5), (-math.sqrt(0.75), 0.5)),
}
HOLLOW = frozenset({"ring", "diamond"})
STROKE = 0.18
"""Width of the outline of a hollow form, in radii."""
TINT = 0.16
"""Opacity of the inside of a hollow form."""

NARROW = 0.85
"""A diamond has less room for its number than the other forms."""

_HEIGHT_BY_DIGITS = (1.15, 1.15, 1.0, 0.78, 0.6)


def number_height(number: int, form: str) -> float:
    """Return the height of the type, in radii, at which `number` fits upon a sprite of `form`."""
    height = _HEIGHT_BY_DIGITS[min(len(str(number)), len(_HEIGHT_BY_DIGITS) - 1)]
    return NARROW * height if form == "diamond" else height


def rgb(colour: str) -> NDArray[np.uint8]:
    """Return "#rrggbb" as uint8[3]."""
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)


def plain_text(text: str) -> str:
    """Return `text` without what XML 1.0, HTML and terminals must not be given.

    Controls and lone surrogates.
    """
    return "".join(c if _printable(ord(c)) else "\ufffd" for c in str(text))


def _printable(code: int) -> bool:
    if code < 0x20 or 0x7F <= code < 0xA0:
        return code in (0x09, 0x0A)
    return not (0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF))
