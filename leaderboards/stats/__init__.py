"""The statistics of results, each formula here once; docs/statistics.md explains them and names their sources.

Everything is deterministic: resampling has a fixed seed, and equal results give equal figures.
"""

from ludarium.leaderboards.stats.comparing import (
    Profile,
    RankRange,
    performance_profile,
    probability_of_improvement,
    rank_ranges,
)
from ludarium.leaderboards.stats.many import Many
from ludarium.leaderboards.stats.ratings import Match, Rated, ratings
from ludarium.leaderboards.stats.resampling import (
    RESAMPLES,
    Interval,
    Summary,
    bootstrap,
    iqm,
    mean,
    paired_ratio,
    summary,
)
from ludarium.leaderboards.stats.scores import Scores
from ludarium.leaderboards.stats.trials import Pass, pass_at_k, pass_hat_k, passes

__all__ = [
    "RESAMPLES",
    "Interval",
    "Many",
    "Match",
    "Pass",
    "Profile",
    "RankRange",
    "Rated",
    "Scores",
    "Summary",
    "bootstrap",
    "iqm",
    "mean",
    "paired_ratio",
    "pass_at_k",
    "pass_hat_k",
    "passes",
    "performance_profile",
    "probability_of_improvement",
    "rank_ranges",
    "ratings",
    "summary",
]
