"""Voting rules by name and number, and how many ballots they know: what a config needs, without the compiler."""

from __future__ import annotations

__all__ = [
    "APPROVAL", "CONDORCET", "DICTATOR", "MAX_CANDIDATES", "PLURALITY", "RANKED", "RULES", "SCORE", "count_ballots",
]  # fmt: skip

RULES = ("plurality", "approval", "ranked", "condorcet", "score", "random_dictator")
PLURALITY, APPROVAL, RANKED, CONDORCET, SCORE, DICTATOR = range(6)
MAX_CANDIDATES = 4


def count_ballots(rule: int, candidates: int, levels: int) -> int:
    """How many ballots there are, the abstention included."""
    if rule == APPROVAL:
        return 1 << candidates
    if rule == SCORE:
        total = 1
        for _ in range(candidates):
            total *= levels
        return total
    if rule in (RANKED, CONDORCET):
        total = 1
        for c in range(2, candidates + 1):
            total *= c
        return total + 1
    return candidates + 1
