"""Closed forms of auctions with independent private values, uniform on [0, 1]. Pure functions."""

from __future__ import annotations

__all__ = ["bidder_payoff", "entry_value", "equilibrium_bid", "expected_revenue", "monopoly_reserve"]


def entry_value(form: str, bidders: int, reserve: float) -> float:
    """The lowest value that takes part: the reserve, or where all pay the value whose chance to win makes it worth paying.

    There v * v^(n - 1) = r, since who has the lowest value wins only where nobody else takes part.
    """
    return float(reserve ** (1 / bidders)) if form == "all-pay" else reserve


def equilibrium_bid(form: str, bidders: int, value: float, reserve: float = 0.0) -> float:
    """The symmetric risk-neutral equilibrium bid at a value; 0 below the entry value e (Riley and Samuelson 1981).

    Second price: the value. First price: ((n - 1) v^n + e^n) / (n v^(n - 1)), which is (n - 1) v / n without a reserve.
    All pay: that times the chance v^(n - 1) to win.
    """
    entry = entry_value(form, bidders, reserve)
    if value < entry or value <= 0:
        return 0.0
    if form == "second":
        return value
    paid = ((bidders - 1) * value**bidders + entry**bidders) / bidders
    return paid if form == "all-pay" else paid / value ** (bidders - 1)


def expected_revenue(bidders: int, entry: float = 0.0) -> float:
    """The seller's expected revenue in all three forms: (n - 1) / (n + 1) if all values take part (Myerson 1981)."""
    n, e = bidders, entry
    return 2 * n / (n + 1) * (1 - e ** (n + 1)) - (1 - e**n)


def bidder_payoff(bidders: int, value: float, entry: float = 0.0) -> float:
    """What a bidder of this value expects in any of the three: the integral of the chance to win, (v^n - e^n) / n."""
    return max(0.0, value**bidders - entry**bidders) / bidders


def monopoly_reserve() -> float:
    """The entry value of most revenue: where v - (1 - F) / f is 0, one half, for any number of bidders (Myerson 1981)."""
    return 0.5
