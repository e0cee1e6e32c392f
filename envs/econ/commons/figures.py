"""Metrics, bounds, invariants and the full view of the commons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.rng import draw
from ludarium.envs.econ.commons import dynamics
from ludarium.envs.econ.commons.config import UNIT, CommonsConfig
from ludarium.envs.econ.commons.oracles import clairvoyant, optimal_totals

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.simulator import Commons

__all__ = ["bounds", "chance_of", "full", "invariants", "loss_of", "metrics", "optimum_of"]


def chance_of(config: CommonsConfig) -> int:
    """The chance of a shock in parts of 2 ** 32."""
    return round(config.shock * (1 << 32))


def loss_of(config: CommonsConfig) -> int:
    """The share of the stock that a shock takes, in parts of 10,000."""
    return round(config.shock_size * 10_000)


def optimum_of(config: CommonsConfig) -> NDArray[np.float64]:
    """The most that can be harvested in all rounds for each first stock, on average over shocks: float64[cap + 1]."""
    values = optimal_totals(
        config.grow, config.threshold, config.rounds, chance_of(config) / (1 << 32), loss_of(config)
    )
    found: NDArray[np.float64] = values[config.rounds]
    return found


def _share(part: Any, whole: Any, nothing: float = 0.0) -> NDArray[np.float64]:
    """`part / whole`, `nothing` where the whole is 0."""
    whole = np.asarray(whole, np.float64)
    return np.where(whole != 0, np.asarray(part, np.float64) / np.where(whole != 0, whole, 1), nothing)


def metrics(simulator: Commons, state: Any) -> dict[str, NDArray[Any]]:
    """Figures of the episode so far, in units of the resource."""
    config, c = simulator.config, simulator.scalars
    total = state.total.sum(1)
    apart = np.abs(state.total[:, :, None] - state.total[:, None, :]).sum((1, 2))
    sustained = c.rounds * c.sustainable[state.first]
    found = {
        "survival_rounds": state.survived.astype(np.int64),
        "survival_rate": (state.survived >= c.rounds).astype(np.float64),
        "total_gain": total,
        "efficiency": np.minimum(_share(total, sustained), 1.0),
        "optimality": _share(total, optimum_of(config)[state.first]),
        "equality": 1.0 - _share(apart, 2 * c.harvesters * total),
        "over_usage": _share(state.harvests[:, 1], state.harvests[:, 0]),
        "stock": state.stock.astype(np.int64),
        "net_gain": state.cash.sum(1) / UNIT,
        "faults": state.faults.astype(np.int64),
    }
    if config.pledges or config.utterances:
        found |= {
            "pledges": state.pledged[:, 0].copy(),
            "pledge_keeping": _share(state.pledged[:, 1], state.pledged[:, 0]),
        }
    if config.utterances:
        found |= {
            "utterances": state.spoke[:, 0].copy(), "accusations": state.spoke[:, 1].copy(),
            "threshold_error": _share(state.named[:, 1], state.named[:, 0]),
        }  # fmt: skip
    if config.governed or config.punishment:
        fines = state.paid[:, 1] + state.paid[:, 2]
        found |= {
            "fees": state.paid[:, 0] / UNIT, "sanction_yield": fines / UNIT, "sanction_cost": state.paid[:, 3] / UNIT,
            "excess": state.excess.copy(), "treasury": state.treasury / UNIT,
        }  # fmt: skip
    if config.rule >= 0:
        found["votes"] = state.votes[:, 0].copy()
        found["cycles"] = state.votes[:, 1].copy()
    return found


def bounds(simulator: Commons, state: Any, row: int) -> dict[str, float]:
    """What no play of this episode can pass: its shocks are drawn from the key, whatever is done."""
    config, c = simulator.config, simulator.scalars
    hits = [
        c.shock > 0 and int(draw(state.key[row], dynamics.SHOCK, played, 0, 0)) >> 32 < c.shock
        for played in range(c.rounds)
    ]
    return {"total_gain": float(clairvoyant(config.grow, c.threshold, int(state.first[row]), hits, c.loss))}


def invariants(simulator: Commons, state: Any) -> dict[str, NDArray[np.bool_]]:
    """What no step may break."""
    c, total = simulator.scalars, state.got.sum(1)
    ended = state.t == 0
    harvested = state.harvests[:, 0] > 0
    grown = c.grow[np.maximum(state.found - total, 0)]
    least = grown - grown * c.loss // 10_000 if c.shock else grown
    lost = state.over & (state.stock < c.threshold)
    still = state.stock == state.found - total
    regrown = (state.stock == grown) | (state.stock == least)
    wanted = np.maximum(state.wanted, 0)
    return {
        "no more is taken than there is": ~harvested | (total <= state.found),
        "nobody gets more than he wants": ~harvested | ((state.got >= 0) & (state.got <= wanted)).all(1),
        "all is given out while somebody wants more": ~harvested | (total == np.minimum(wanted.sum(1), state.found)),
        "the stock is what was left, or what grew of it": ended | ~harvested | still | regrown,
        "the stock is from nothing to the cap": (state.stock >= 0) & (state.stock <= c.cap),
        "money comes from harvests alone and does not get lost": (
            state.cash.sum(1) + state.treasury == UNIT * state.total.sum(1)
        ),
        "nobody owes money": (state.cash >= 0).all(1) & (state.treasury >= 0),
        "all is over when too little is left": lost | ~harvested | (state.found - total >= c.threshold),
    }


def full(simulator: Commons, state: Any, row: int, information: str) -> dict[str, Any]:
    """All there is; what shocks are to come is told under "full" only."""
    c, config = simulator.scalars, simulator.config
    found = {
        "t": int(state.t[row]), "round": int(state.round[row]), "rounds": c.rounds,
        "phase": dynamics.PHASES[int(state.phase[row])], "stock": int(state.stock[row]), "cap": c.cap,
        "threshold": c.threshold, "sustainable": int(c.sustainable[state.stock[row]]),
        "present": present(simulator, int(state.round[row])), "seats": simulator.seats,
    }  # fmt: skip
    for name in ("wanted", "got", "pledge", "held", "limit", "accused", "cash", "total", "slate"):
        found[name] = getattr(state, name)[row].tolist()
    for name in ("quota", "fee", "fine", "audit", "speaker", "treasury"):
        found[name] = int(getattr(state, name)[row])
    if information == "full" and c.shock:
        found["shocks"] = [
            int(draw(state.key[row], dynamics.SHOCK, played, 0, 0)) >> 32 < c.shock for played in range(config.rounds)
        ]
    return found


def present(simulator: Commons, played: int) -> list[bool]:
    """Which harvesters take part in the round after `played` ones."""
    c = simulator.scalars
    return [i < c.harvesters - 1 or played + 1 >= c.newcomer for i in range(c.harvesters)]
