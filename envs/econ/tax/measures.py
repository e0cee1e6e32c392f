"""Figures of the tax economy: what planners may know, metrics, the Stackelberg gap, regret, and what must always hold."""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ludarium.envs.core.errors import ConservationError
from ludarium.envs.econ.tax import gaming, oracles, politics
from ludarium.envs.econ.tax.state import State
from ludarium.envs.econ.taxes import Schedule

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = [
    "conserve", "economy_of", "gaps", "incomes_of", "invariants", "metrics", "optimum_of", "rare",
    "responses", "taxes_of", "view",
]  # fmt: skip

SEARCHED = 2000
"""Workers among whom an optimum is sought; of more, evenly spaced ones by wage."""
NEAR = 0.02
"""Half width of the window around a kink in which bunching is counted, as a share of the kink."""


def incomes_of(simulator: Tax, state: State) -> NDArray[np.int64]:
    """Incomes at the hours of the last working step, int64[B, N] cents."""
    return state.wage * state.hours.astype(np.int64) // simulator.config.hour_parts


def taxes_of(simulator: Tax, state: State) -> NDArray[np.int64]:
    """What these incomes owe at the rates of now, int64[B, N] cents; with games, what was paid in the last working step."""
    if simulator.scalars.gaming:
        return state.owed.copy()
    incomes = incomes_of(simulator, state)
    owed = [Schedule(simulator.edges, state.rates[b], state.base[b]).tax(incomes[b]) for b in range(len(incomes))]
    return np.array(owed, np.int64).reshape(incomes.shape)


def view(simulator: Tax, state: State, row: int) -> dict[str, Any]:
    """The view `state`: the economy in units of cents, basis points and parts of hours, as copies."""
    config, c = simulator.config, simulator.scalars
    return {
        "phase": ("stand", "vote", "rates", "work")[int(state.phase[row])],
        "t": int(state.t[row]), "year": int(state.year[row]), "day": int(state.day[row]),
        "edges": simulator.edges.copy(), "rates": state.rates[row].copy(), "wage": state.wage[row].copy(),
        "hours": state.hours[row].astype(np.int64), "weight": state.weight[row].copy(),
        "taste": simulator.tastes[state.person[row, :, 3] if config.personas else np.zeros(c.workers, np.int64)],
        "k": float(state.scale_k[row]), "d": float(c.d), "utility": config.utility, "eta": float(c.eta),
        "hours_max": config.hours_max, "hour_parts": config.hour_parts, "rebate": int(state.rebate[row]),
        "revenue": int(state.revenue[row]), "treasury": int(state.treasury[row]), "welfare": float(state.welfare[row]),
        "recent": state.recent[row].copy(), "settled": int(state.settled[row]), "unit": float(state.median_income[row]),
        "levels": config.levels, "rate_mode": config.rate_mode, "rate_step": int(c.rate_step), "rule": config.voting,
        "slate": state.slate[row].astype(np.int64), "platform": state.platform[row].astype(np.int64),
        "leader": int(state.leader[row]), "promise": int(state.promise[row]), "score_levels": config.score_levels,
        "cost": state.cost[row].copy(), "tastes": simulator.tastes.copy(), "worked": bool(state.labour_steps[row]),
        "may_put_off": gaming.may_put_off(simulator, state, row),
        "ways": config.ways, "choices": config.choices, "audit": config.audit, "penalty": config.penalty,
        "due": state.due[row].copy(), "steps_left": config.steps_per_year - int(state.day[row]),
        "persona": (state.person[row, :, 3] if config.personas else np.zeros(c.workers, np.uint8)).copy(),
    }  # fmt: skip


def _gini(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gini indices of rows sorted upwards, 0 where all are 0."""
    n = ordered.shape[1]
    total = ordered.sum(1)
    ranked = ordered @ (2.0 * np.arange(1, n + 1) - n - 1.0)
    return np.where(total > 0, ranked / (n * np.where(total > 0, total, 1.0)), 0.0)


def metrics(simulator: Tax, state: State) -> dict[str, NDArray[Any]]:
    """Figures of the episode so far, money in units, a head and a settlement or working step."""
    n, parts = simulator.config.n_workers, simulator.config.hour_parts
    steps = np.maximum(state.labour_steps, 1)
    gross = incomes_of(simulator, state)
    net = gross - taxes_of(simulator, state) + state.rebate[:, None]
    income, after = np.sort(gross.astype(np.float64), 1), np.sort(np.maximum(net, 0).astype(np.float64), 1)
    total = income.sum(1)
    top = income[:, -max(1, -(-n // 10)) :].sum(1)
    after_gini = _gini(after)
    money = 100.0 if simulator.config.utility == "quasilinear" and simulator.config.swf != "legacy" else 1.0
    return {
        "welfare": state.welfare_sum / np.maximum(state.settled, 1) / money,
        "last_welfare": state.welfare / money,
        "productivity": state.produced / (100.0 * n * steps),
        "equality": 1.0 - after_gini * (n / (n - 1) if n > 1 else 1.0),
        "gini_income": _gini(income),
        "gini_net": after_gini,
        "top_share": np.where(total > 0, top / np.where(total > 0, total, 1.0), 0.0),
        "revenue": state.taxed / (100.0 * n * steps),
        "effective_rate": state.taxed / np.maximum(state.produced, 1),
        "treasury": state.treasury / 100.0,
        "hours": state.worked / (parts * n * steps),
        "participation": 1.0 - state.idle / (n * steps),
        "cycles": state.cycles.astype(np.int64),
        "faults": state.faults.astype(np.int64),
        **gaming.figures(simulator, state),
    }


def economy_of(simulator: Tax, state: State, row: int, limit: int = SEARCHED) -> oracles.Economy:
    """The row's quasi-linear economy in units of money, thinned to `limit` workers, evenly by wage."""
    wage, weight = state.wage[row] / 100.0, state.weight[row]
    k = state.scale_k[row] / 100.0 * view(simulator, state, row)["taste"]
    if len(wage) > limit:
        order = np.argsort(wage, kind="stable")
        chosen = order[((np.arange(limit) + 0.5) / limit * len(order)).astype(np.int64)]
        wage, weight, k = wage[chosen], weight[chosen] / weight[chosen].mean(), k[chosen]
    edges = tuple((simulator.edges / 100.0).tolist())
    return oracles.Economy(wage, k, simulator.config.d, float(simulator.config.hours_max), edges, weight.copy())


@functools.lru_cache(maxsize=256)
def _searched(key: bytes, holder: _Held) -> tuple[float, float, tuple[float, ...]]:
    economy = holder.economy
    value = functools.partial(oracles.welfare, economy)
    starts = (oracles.bracket_rule(economy), np.full(len(economy.edges), oracles.optimum(economy)))
    found, best = max((oracles.search(value, start, 0.04, 0.002) for start in starts), key=lambda pair: pair[1])
    return value([0.0] * len(economy.edges)), best, tuple(found.tolist())


class _Held:
    """An economy that caches do not look at: the key beside it says all."""

    def __init__(self, economy: oracles.Economy) -> None:
        self.economy = economy

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


def optimum_of(economy: oracles.Economy) -> tuple[float, float, tuple[float, ...]]:
    """Welfare without taxes, the best that a search finds against exact best responses, and its rates; kept by content."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (economy.w, economy.k, economy.g, np.array([economy.d, economy.hours, *economy.edges])):
        digest.update(np.ascontiguousarray(part, np.float64).tobytes())
    return _searched(digest.digest(), _Held(economy))


def utilities_of(simulator: Tax, state: State, row: int) -> NDArray[np.float64]:
    """Utilities of quasi-linear workers in the last working step, float64[N] in units of money."""
    taste = state.person[row, :, 3] if simulator.config.personas else np.zeros(simulator.config.n_workers, np.uint8)
    cost = state.cost[row][taste, state.hours[row]]
    net = incomes_of(simulator, state)[row] - taxes_of(simulator, state)[row] + state.rebate[row] - cost
    return np.asarray(net / 100.0, np.float64)


def responses(simulator: Tax, state: State, row: int) -> float:
    """The elasticity of income that the last two years show: the slope of log income on log (1 - rate), by least squares.

    Of workers who worked in both and whose marginal rate moved; without an intercept, since nothing else changed. 0 if nobody's.
    """
    parts = simulator.config.hour_parts
    z = [state.wage[row] * h[row].astype(np.int64) // parts for h in (state.hours_before, state.hours)]
    kept = [
        1.0 - rates[row][np.searchsorted(simulator.edges, income, side="right") - 1] / 10_000.0
        for income, rates in zip(z, (state.rates_before, state.rates), strict=True)
    ]
    moved = (z[0] > 0) & (z[1] > 0) & (kept[0] > 0) & (kept[1] > 0) & (kept[0] != kept[1])
    x, y = np.log(kept[1][moved] / kept[0][moved]), np.log(z[1][moved] / z[0][moved])
    spread = float((x * x).sum())
    return float((x * y).sum()) / spread if spread > 0 else 0.0


def rare(simulator: Tax, state: State, row: int) -> dict[str, float]:
    """What is too dear for every step of a batch: `gaps`, the elasticity that shows, and figures of the last vote."""
    money = simulator.config.utility == "quasilinear"
    utility = utilities_of(simulator, state, row) if money and simulator.scalars.rule >= 0 else None
    votes = politics.figures(simulator, state, row, utility)
    return {**gaps(simulator, state, row), "elasticity": responses(simulator, state, row), **votes}


def gaps(simulator: Tax, state: State, row: int) -> dict[str, float]:
    """The Stackelberg gap, the workers' mean regret and the deadweight loss, in units of money a head; rates by decile.

    Only for quasi-linear workers and welfare that is a weighted sum. Before the first settlement the gap is whole.
    """
    config = simulator.config
    if config.utility != "quasilinear" or config.swf not in ("inverse", "uniform", "rank"):
        return {}
    whole = economy_of(simulator, state, row, limit=config.n_workers)
    untaxed, best, _ = optimum_of(economy_of(simulator, state, row))
    rates = (state.rates[row] / 10_000.0).tolist()
    z = incomes_of(simulator, state)[row] / 100.0
    tax = taxes_of(simulator, state)[row] / 100.0 if config.gaming else oracles.owed(z, whole.edges, rates)
    rebate = float(state.rebate[row]) / 100.0
    u = z - tax + rebate - whole.k * (z / whole.w) ** whole.d
    free = oracles.best_income(whole, rates)
    most = free - oracles.owed(free, whole.edges, rates) + rebate - whole.k * (free / whole.w) ** whole.d
    idle = oracles.best_income(whole, [0.0] * len(rates))
    first_best = idle - whole.k * (idle / whole.w) ** whole.d
    reached = float(state.welfare_sum[row] / state.settled[row]) / 100.0 if state.settled[row] else untaxed
    figures = {
        "gap": oracles.gap(reached, untaxed, best),
        "best_welfare": best,
        "regret": float(np.maximum(most - u, 0.0).mean()),
        "deadweight_loss": float((first_best - u).mean()),
    }
    marginal = np.array(rates)[np.searchsorted(whole.edges, z, side="right") - 1]
    order = np.argsort(z, kind="stable")
    for q, part in enumerate(np.array_split(order, 10)):
        if len(part):
            earned = float(z[part].sum())
            figures[f"effective_rate_{q + 1}"] = float(tax[part].sum()) / earned if earned > 0 else 0.0
            figures[f"marginal_rate_{q + 1}"] = float(marginal[part].mean())
    for j, edge in enumerate(whole.edges[1:], 1):
        figures[f"bunching_{j}"] = _bunching(z, edge)
    return figures


def _bunching(z: NDArray[np.float64], edge: float) -> float:
    """Workers near a kink beyond those expected from the two windows beside it, as a share of all (Saez 2010)."""
    near = int((np.abs(z - edge) <= NEAR * edge).sum())
    around = int((np.abs(z - edge) <= 3 * NEAR * edge).sum()) - near
    return (near - around / 2.0) / len(z)


def invariants(simulator: Tax, state: State) -> dict[str, NDArray[np.bool_]]:
    """What no step may break."""
    c = simulator.scalars
    top = state.rates[:, None, :]
    edge_tax = state.base // 10_000
    games = {"what is put off is taxed later": gaming.kept_books(state)} if c.gaming else {}
    return {
        **games,
        "taxes are shared out or in the treasury": state.taxed == state.shared + state.treasury,
        "what is produced is kept by workers or in the treasury": state.produced == state.kept + state.treasury,
        "the treasury holds less than a cent a head": (state.treasury >= 0) & (state.treasury < c.workers),
        "hours are within their limit": (state.hours < c.choices).all(1),
        "rates are from 0 to 1": ((top >= 0) & (top <= 10_000)).all((1, 2)),
        "nobody owes more than he earns": (edge_tax <= simulator.edges).all(1),
        "weights are of mean 1": np.abs(state.weight.mean(1) - 1.0) < 1e-9
        if len(state.weight)
        else np.ones(0, np.bool_),
        "whoever leads is a worker": (state.leader >= -1) & (state.leader < c.workers),
    }


def conserve(state: State) -> None:
    """Raise `ConservationError` if money was minted or lost in any row."""
    for b in range(len(state.t)):
        delta = int(state.produced[b]) - int(state.kept[b]) - int(state.treasury[b])
        delta = delta or int(state.taxed[b]) - int(state.shared[b]) - int(state.treasury[b])
        if delta:
            raise ConservationError(f"row {b}: {delta} cents are missing after {int(state.t[b])} steps", delta)
