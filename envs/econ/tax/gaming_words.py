"""The tax games in words: rules, arguments of `work`, what they mean; and the numbers that words hold."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from ludarium.envs.core.errors import ActionError
from ludarium.envs.econ.tax.config import HIDES

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["arguments", "games", "number", "way_of"]

_SUFFIX = {"%": 0.01}
_NUMBER = re.compile(r"\s*\$?\s*(-?\d[\d,]*(?:\.\d+)?|-?\.\d+)\s*(%|hours?|h)?\s*")


def games(simulator: Tax) -> list[str]:
    """What the switches allow."""
    c, words = simulator.config, []
    if c.shifting:
        words.append(
            "A worker may put off what he earns above the lower edge of a bracket: it is taxed over the next year instead, if a "
            "whole one follows."
        )
    if c.misreporting:
        words.append(
            f"A worker may hide 25, 50, 75 or 100 % of his income. Each return is audited with a chance of {c.audit:.2%}; then "
            f"the missing tax is due, and {c.penalty:.0%} of it as a fine."
        )
    if c.collusion:
        words.append(
            f"Workers 0 to {c.ring - 1}, the next {c.ring}, and so on are rings: whoever pools declares the mean of those of his "
            "ring who pool, if that saves them tax."
        )
    return words


def arguments(simulator: Tax) -> dict[str, Any]:
    """The arguments of `work` that the switches open; each may be left out."""
    c, found = simulator.config, {}
    if c.shifting:
        text = "put off what is above the lower edge of this bracket; 0 puts off nothing"
        found["put_off_above"] = {"type": "integer", "minimum": 0, "maximum": len(c.edges) - 1, "description": text}
    if c.misreporting:
        found["hide"] = {"type": "number", "enum": [0, 0.25, 0.5, 0.75, 1], "description": "share of income to hide"}
    if c.collusion:
        found["pool"] = {"type": "boolean", "description": "pool with those of the ring who do"}
    return found


def way_of(simulator: Tax, games: dict[str, Any]) -> int:
    """What the arguments beside the hours add to the number of an action."""
    if not games:
        return 0
    c = simulator.config
    shifts, hides, _ = c.ways
    above, pool = games.get("put_off_above", 0), games.get("pool", False)
    if isinstance(above, bool) or not isinstance(above, int) or not 0 <= above < shifts:
        raise ActionError(f"put_off_above = {above!r:.80}; expected a bracket from 0 to {shifts - 1}")
    if not isinstance(pool, bool):
        raise ActionError(f"pool = {pool!r:.80}; expected true or false")
    share = number(games.get("hide", 0), "hide", ("%",))
    quarters = round(share * (HIDES - 1))
    if not 0 <= quarters < HIDES or abs(share * (HIDES - 1) - quarters) > 1e-6:
        raise ActionError(f"hide = {share:g}; expected 0, 0.25, 0.5, 0.75 or 1")
    return c.choices * (above + shifts * (quarters + hides * int(pool)))


def number(given: Any, what: str, units: tuple[str, ...]) -> float:
    """A number, or a text with one declared unit behind it: `35%`, `40 hours`."""
    if isinstance(given, str):
        found = _NUMBER.fullmatch(given[:64])
        if not found or (found[2] and found[2] not in units):
            raise ActionError(f"{what}: {given!r:.80} is no number{' with ' + ' or '.join(units) if units else ''}")
        given = float(found[1].replace(",", "")) * _SUFFIX.get(found[2] or "", 1.0)
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ActionError(f"{what}: {given!r:.80} is no finite number")
    return float(given)
