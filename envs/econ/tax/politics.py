"""Who voted for whom, and how those fare who won: figures of the last vote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.econ.tax.state import State
from ludarium.envs.econ.voting import ranking_number

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["figures", "supported"]


def supported(simulator: Tax, ballots: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whom each ballot likes best, bool[N, C]: its choice, all that it approves of, its first, all with its highest score.

    Nobody, if it abstains.
    """
    config, count = simulator.config, simulator.config.candidates
    cast, places = ballots.astype(np.int64)[:, None], np.arange(count)
    if config.voting in ("plurality", "random_dictator"):
        return cast == places
    if config.voting == "approval":
        return (cast < config.ballots) & (cast >> places & 1 == 1)
    if config.voting == "score":
        points = np.where(cast < config.ballots, cast // config.score_levels**places % config.score_levels, 0)
        return (points == points.max(1, keepdims=True)) & (points > 0)
    size = ranking_number((1, 0, *range(2, count)))  # rankings with the same first place
    return (cast // size == places) & (cast < config.ballots - 1)


def figures(simulator: Tax, state: State, row: int, utility: NDArray[np.float64] | None) -> dict[str, float]:
    """Turnout, shares of the vote by candidate, and the winners' utility beside the others' (`utility` float64[N] in money).

    Shares are of the ballots that like anybody; one that likes several equally counts for each. The majority are those whose
    ballot likes the winner best, the minority all others.
    """
    if simulator.scalars.rule < 0:
        return {}
    likes = supported(simulator, state.ballot[row]) & (state.slate[row] >= 0) & (state.votes[row] > 0)
    cast = int(likes.any(1).sum())
    found = {"turnout": cast / simulator.config.n_workers}
    for place in range(simulator.config.candidates):
        found[f"vote_share_{place}"] = float(likes[:, place].sum()) / cast if cast else 0.0
    won = (state.slate[row] == state.leader[row]) & (state.slate[row] >= 0)
    backers = likes[:, won].any(1)
    found["majority"] = float(backers.mean())
    if utility is not None:
        found["majority_welfare"] = float(utility[backers].mean()) if backers.any() else 0.0
        found["minority_welfare"] = float(utility[~backers].mean()) if not backers.all() else 0.0
        less = found["minority_welfare"]
        found["majority_ratio"] = found["majority_welfare"] / less if less > 0 else 0.0
    return found
