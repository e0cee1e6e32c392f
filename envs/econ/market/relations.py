"""What the rules of the market promise of twins: buyers and sellers exchanged, traders relabelled, prices scaled."""

from __future__ import annotations

import functools
from typing import Any

from ludarium.envs.core.laws.relations import Episode, Outcome, Relation
from ludarium.envs.econ.book import CANCEL
from ludarium.envs.econ.market.config import MarketConfig

__all__ = ["relations"]

_SCALE = 3
_UNMOVED = (
    "trades", "volume", "spread", "depth", "volatility", "faults", "allocative_efficiency", "surplus", "maximum_surplus",
    "price_rmse", "profit_dispersion", "impact",
)  # fmt: skip
"""Metrics that an exchange of buyers and sellers leaves as they are."""
_MONEY = (
    "impact", "market_maker_profit", "turnover", "mean_price", "spread", "volatility", "surplus", "maximum_surplus",
    "equilibrium_price", "price_rmse", "profit_dispersion",
)  # fmt: skip


def relations(config: MarketConfig) -> tuple[Relation, ...]:
    """The relations that hold under a config."""
    induced, plain = config.plan.kind == "induced", not config.regulator and config.fee == 0
    found = []
    if config.plan.num_traders > 1:
        told = functools.partial(_relabelled_outcome, config.plan.num_traders)
        found.append(Relation("traders relabelled", functools.partial(_relabelled, config), told))
    if induced and plain:
        found.append(Relation("prices scaled", functools.partial(_scaled, config), _scaled_outcome))
    mirrored = config.actions == "levels" and not config.market_maker and not config.collar and config.calls == "none"
    if induced and plain and mirrored:
        found.append(Relation("buyers and sellers exchanged", functools.partial(_mirrored, config), _mirrored_outcome))
    return tuple(found)


def _instance(episode: Episode) -> dict[str, Any] | None:
    return dict(episode["options"]["instance"]) if episode["options"] else None


def _other(seat: str, count: int) -> str:
    """The name of a trader when all are counted from the other end."""
    role, number = seat.rsplit("_", 1)
    return f"{role}_{count - 1 - int(number)}" if role == "trader" else seat


def _relabelled(config: MarketConfig, episode: Episode) -> Episode | None:
    given = _instance(episode)
    if given is None:
        return None
    count = config.plan.num_traders
    for name in ("cash", "worth", "names"):
        given[name] = list(reversed(given[name]))
    given["stock"] = [list(reversed(row)) for row in given["stock"]]
    episode["options"] = {"instance": given}
    episode["actions"] = [
        {_other(seat, count): a for seat, a in step.items()} if isinstance(step, dict) else step
        for step in episode["actions"]
    ]
    return episode


def _relabelled_outcome(count: int, outcome: Outcome) -> Outcome:
    steps = [
        {
            part: {_other(seat, count): v for seat, v in seats.items()} if isinstance(seats, dict) else seats
            for part, seats in step.items()
        }
        for step in outcome["steps"]
    ]
    return {"steps": steps, "metrics": outcome["metrics"]}


def _scaled(config: MarketConfig, episode: Episode) -> Episode | None:
    given = _instance(episode)
    if given is None:
        return None
    given["cash"] = [_SCALE * v for v in given["cash"]]
    given["worth"] = [[_SCALE * v for v in row] for row in given["worth"]]
    episode["config"].update(low=_SCALE * config.plan.low, tick=_SCALE * config.plan.tick)
    episode["options"] = {"instance": given}
    return episode


def _times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _times(part) for name, part in value.items()}
    return _SCALE * value


def _scaled_outcome(outcome: Outcome) -> Outcome:
    steps = [{part: _times(v) if part == "rewards" else v for part, v in step.items()} for step in outcome["steps"]]
    metrics = {n: _SCALE * v if n in _MONEY else v for n, v in outcome["metrics"].items()}
    return {"steps": steps, "metrics": metrics}


def _mirrored(config: MarketConfig, episode: Episode) -> Episode | None:
    """Each buyer becomes a seller whose cost is the value seen in the mirror of the price scale, and the other way round."""
    given, p = _instance(episode), config.plan
    if given is None or any(units not in (0, p.units) for units in given["stock"][0]):
        return None
    top = 2 * p.low + (p.levels - 1) * p.tick
    given["worth"] = [[top - v for v in reversed(row)] for row in given["worth"]]
    given["stock"] = [[p.units - units for units in given["stock"][0]]]
    episode["options"] = {"instance": given}
    episode["actions"] = [
        {seat: _mirror(a, p.levels) for seat, a in step.items()} if isinstance(step, dict) else _mirror(step, p.levels)
        for step in episode["actions"]
    ]
    return episode


def _mirror(action: Any, levels: int) -> list[int]:
    kind, side, level, quantity, j, market = (int(n) for n in action)
    return [kind, 1 - side, level if kind == CANCEL else levels - 1 - level, quantity, j, market]


def _mirrored_outcome(outcome: Outcome) -> Outcome:
    return {"steps": outcome["steps"], "metrics": {n: v for n, v in outcome["metrics"].items() if n in _UNMOVED}}
