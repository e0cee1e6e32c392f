"""Closed forms of the linear public goods game. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["efficient", "equilibrium", "gain_ratio", "payoffs", "points_to_deter"]


def payoffs(endowments: Sequence[float], given: Sequence[float], mpcr: float) -> tuple[float, ...]:
    """What each keeps, and the same share of the pot: e_i - g_i + mpcr * sum(g) (Isaac and Walker 1988)."""
    pot = mpcr * sum(given)
    return tuple(e - g + pot for e, g in zip(endowments, given, strict=True))


def equilibrium(endowments: Sequence[float], mpcr: float) -> tuple[float, ...]:
    """What members give who think of themselves: nothing below a marginal per-capita return of 1, all above it.

    At 1 each is indifferent; nothing is given here. Punishing costs, so that nobody punishes either (subgame perfection).
    """
    return tuple(e if mpcr > 1 else 0.0 for e in endowments)


def efficient(endowments: Sequence[float], mpcr: float) -> tuple[float, ...]:
    """What all together are best served by: all is given if n * mpcr > 1, else nothing."""
    return tuple(e if len(endowments) * mpcr > 1 else 0.0 for e in endowments)


def gain_ratio(members: int, mpcr: float) -> float:
    """What a group that gives all has for each unit that it would have kept: mpcr * n."""
    return mpcr * members


def points_to_deter(mpcr: float, token: float, fine: float, kept: float) -> int:
    """The fewest points that leave who kept `kept` tokens back no better off: (1 - mpcr) * token * kept <= points * fine."""
    return max(0, math.ceil((1 - mpcr) * token * kept / fine - 1e-12))
