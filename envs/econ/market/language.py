"""The market in words and as tools. Prices and money are whole numbers of minor units, orders go by their ids."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.errors import ActionError, did_you_mean
from ludarium.envs.econ.book import BUY, CANCEL, LIMIT, MARKET, MODIFY, NONE
from ludarium.envs.econ.market import offsets
from ludarium.envs.econ.market.oracles import fundamental_values
from ludarium.envs.econ.market.state import FEE_STEP, FEES, GRAINS

if TYPE_CHECKING:
    from ludarium.envs.econ.market.simulator import Market

__all__ = ["describe", "explain", "rules", "tool_action", "tools"]

SIDES = ("buy", "sell")
_REASONS = {
    "zero_quantity": "its quantity is 0",
    "outside_collar": "its price is outside the band that is allowed now",
    "no_cash": "there is not enough free money",
    "no_stock": "there are not enough free goods",
    "too_many_orders": "too many orders of this side are open already",
    "unknown_order": "there is no such open order",
    "self_match": "it would trade with an order of the same trader",
    "empty_book": "nobody offers anything at that price",
    "halted": "trading is halted",
    "off_grid": "its price is not on the price grid that is in force",
    "wrong_side": "buyers only buy here, and sellers only sell",
    "no_units": "that would be more units than are of any worth",
    "market_orders_only": "only market orders take part in this auction",
    "quotes_cross": "the bid is not below the ask",
}


# --- rules and situation ---------------------------------------------------------------------------------------------
def rules(simulator: Market) -> str:
    """The rules of this config in words."""
    c, p = simulator.config, simulator.plan
    goods = {
        "induced": f"Buyers and sellers trade units of {p.instruments[0]}. What each further unit is worth to a buyer, or "
        "costs a seller, is told to them alone; profit is the difference from the price.",
        "asset": f"Traders exchange {', '.join(p.instruments)} for money. " + _dividends(simulator),
        "insider": "In every step orders are cleared at one price, which follows the sum of all of them, those of noise "
        "traders included; then all is settled at a value that insiders know in advance.",
    }[p.kind]
    how = "Price comes first, then time; a trade happens at the price of the order that waited. "
    if c.calls == "always" and p.kind != "insider":
        how = "Orders are collected and cleared at one price at the end of every step. "
    elif c.calls in ("open", "close", "both"):
        how += "At the opening or closing of a period orders are collected and cleared at one price. "
    turns = "All act in every step, in an order that is drawn. " if c.mode == "parallel" else "One acts in a step. "
    turns += f"A message arrives {c.latency} of its sender's turns later. " if c.latency else ""
    top = p.low + (p.levels - 1) * p.tick
    limits = (
        f"Prices are whole numbers from {p.low} to {top} in steps of {p.tick}; an order has at most {p.max_quantity} units; "
        f"at most {p.open_orders} orders of a side may be open."
    )
    fee = f" Each side of a trade pays a fee of {c.fee / 100:.2f} per cent." if c.fee else ""
    return f"{goods} {how}{turns}{limits}{fee} The session lasts {c.max_steps} steps."


def _dividends(simulator: Market) -> str:
    p, told = simulator.plan, []
    for name, paid, last in zip(p.instruments, p.dividends, p.terminal, strict=True):
        each = f"pays one of {', '.join(map(str, paid))} with equal chances" if any(paid) else "pays nothing"
        told.append(f"A share of {name} {each} at the end of each period and is worth {last} at the end of all.")
    return " ".join(told)


def _price(simulator: Market, level: int) -> int:
    return simulator.plan.low + level * simulator.plan.tick


def _ladder(simulator: Market, state: Any, row: int, m: int, side: int) -> str:
    levels = np.flatnonzero(state.depth[row, m, side])
    levels = levels[::-1] if side == BUY else levels
    told = [f"{_price(simulator, level)} x {state.depth[row, m, side, level]}" for level in levels.tolist()]
    return ", ".join(told[: simulator.config.depth]) or "none"


def _market(simulator: Market, state: Any, row: int, m: int) -> str:
    """One instrument: both ladders, last price, volume, and what a share is worth on average."""
    last = int(state.last[row, m])
    traded = f"last trade at {_price(simulator, last)}" if last >= 0 else "no trade yet"
    text = (
        f"{simulator.plan.instruments[m]}: bids {_ladder(simulator, state, row, m, 0)}; "
        f"asks {_ladder(simulator, state, row, m, 1)}; {traded}; volume {int(state.volume[row, m])}."
    )
    if simulator.plan.kind == "asset":
        c, p = simulator.scalars, simulator.plan
        period = min(int(state.t[row]) // c.period_steps, c.periods - 1)
        mean = fundamental_values(c.periods, p.dividends[m], p.terminal[m])[period]
        text += f" Mean of all that a share will still bring: {mean:.2f}."
    return text


def _open_orders(simulator: Market, state: Any, row: int, account: int) -> list[dict[str, int]]:
    """The open orders of an account, oldest first."""
    r, found = simulator.scalars.rules, []
    for m in range(simulator.scalars.markets):
        for side in range(2):
            for j in range(r.slots):
                place = (side * r.accounts + account) * r.slots + j
                left = int(state.order_quantity[row, m, place])
                if left:
                    number, level = int(state.order_id[row, m, place]), int(state.order_level[row, m, place])
                    found.append({"market": m, "side": side, "j": j, "id": number, "level": level, "left": left})
    return sorted(found, key=lambda o: (o["market"], o["id"]))


def _ledger(simulator: Market, state: Any, row: int, seat: int) -> str:
    """What a seat has, what it knows alone, and its open orders."""
    p = simulator.plan
    money, held = int(state.cash[row, seat]), int(state.held_cash[row, seat])
    goods = ", ".join(
        f"{int(state.stock[row, m, seat])} {name} free and {int(state.held_stock[row, m, seat])} committed"
        for m, name in enumerate(p.instruments)
    )
    lines = [f"You have {money} of money free and {held} committed; {goods}."]
    if p.kind == "induced" and seat < p.num_traders:
        units = int(state.stock[row, 0, seat] + state.held_stock[row, 0, seat])
        worth = state.worth[row, seat].tolist()
        if state.first_stock[row, 0, seat] == 0:
            lines.append(f"Your next unit is worth {worth[units]} to you." if units < p.units else "You want no more.")
        else:
            lines.append(f"Your next unit costs you {worth[units - 1]}." if units else "You have sold all.")
    if p.kind == "insider":
        lines.append(f"You know that the value will be {_price(simulator, int(state.value[row]))}.")
    orders = _open_orders(simulator, state, row, seat)
    told = ", ".join(
        f"#{o['id']} {SIDES[o['side']]} {o['left']} {p.instruments[o['market']]} at {_price(simulator, o['level'])}"
        for o in orders
    )
    lines.append(f"Your open orders: {told or 'none'}.")
    return " ".join(lines)


def describe(simulator: Market, state: Any, row: int, seat: int) -> str:
    """The clock, the ladders, and a seat's own ledger."""
    c, p, name = simulator.config, simulator.plan, simulator.seats[seat]
    t, s = int(state.t[row]), simulator.scalars
    period = min(t // s.period_steps, s.periods - 1)
    lines = [
        f"Step {t} of {c.max_steps}, period {period + 1} of {s.periods}. You are {name}{_kind(simulator, state, row, seat)}."
    ]
    if state.halted[row]:
        lines.append("Trading is halted.")
    if int(state.rate[row]) or int(state.grain[row]) > 1:
        lines.append(
            f"Fee: {int(state.rate[row])} basis points. Prices are multiples of {int(state.grain[row])} steps."
        )
    lines += [_market(simulator, state, row, m) for m in range(s.markets)]
    if name.startswith("regulator"):
        return "\n".join(lines)
    lines.append(_ledger(simulator, state, row, seat))
    if t:
        code, filled = int(state.code[row, seat]), abs(int(state.filled[row, seat]))
        if code:
            lines.append(f"Your last action had no effect: {_REASONS[simulator.faults[code]]}.")
        elif filled:
            lines.append(f"Your last action traded {filled} at once.")
    if p.kind == "asset" and t and t % s.period_steps == 0:
        lines.append(f"The last period paid {', '.join(str(v) for v in state.paid[row].tolist())} a share.")
    return "\n".join(lines)


def _kind(simulator: Market, state: Any, row: int, seat: int) -> str:
    if simulator.plan.kind != "induced" or seat >= simulator.plan.num_traders:
        return ""
    return ", a seller" if state.first_stock[row, 0, seat] > 0 else ", a buyer"


def explain(simulator: Market, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    reason = _REASONS.get(simulator.faults[code], "nothing is wrong")
    more = ""
    if simulator.config.actions == "offsets" and simulator.plan.kind != "insider" and seat < simulator.plan.num_traders:
        more = "; what it had open there is cancelled, unless trading is halted"
    return f"{simulator.seats[seat]}: the action {np.asarray(action).tolist()} had no effect: {reason}{more}"


# --- tools -----------------------------------------------------------------------------------------------------------
def _tool(name: str, description: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"name": name, "description": description, "parameters": schema}


def _integer(low: int, high: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high}


@functools.lru_cache(maxsize=64)
def _tools_of(simulator: Market, role: str) -> tuple[dict[str, Any], ...]:
    p = simulator.plan
    price = (
        {**_integer(p.low, p.low + (p.levels - 1) * p.tick), "multipleOf": p.tick}
        if p.low % p.tick == 0
        else _integer(p.low, p.low + (p.levels - 1) * p.tick)
    )
    quantity, side = _integer(1, p.max_quantity), {"enum": list(SIDES)}
    more: dict[str, Any] = {"instrument": {"enum": list(p.instruments)}} if len(p.instruments) > 1 else {}
    number = {"type": "integer", "minimum": 0}
    wait = _tool("wait", "do nothing")
    if role == "regulator":
        return (
            wait,
            _tool(
                "set_rules", "set trading, the fee from each side in basis points, and the price grid in price steps",
                trading={"enum": ["open", "halted"]}, fee={"enum": [FEE_STEP * k for k in range(FEES)]},
                grid={"enum": list(GRAINS)},
            ),
        )  # fmt: skip
    if role == "market_maker":
        none = _integer(0, p.max_quantity)
        quote = _tool(
            "quote", "replace all your orders by a bid and an ask (a quantity of 0: none)",
            bid=price, ask=price, bid_quantity=none, ask_quantity=none, **more,
        )  # fmt: skip
        return (wait, quote)
    order = _tool("market_order", "trade at once at the best prices", side=side, quantity=quantity, **more)
    if p.kind == "insider":
        return (wait, order)
    if simulator.config.actions == "offsets":
        near = "buy at most, or sell at least, at a price near the last one, in place of all that you have open"
        return (wait, _tool("limit_order", near, side=side, price=price, quantity=quantity, **more))
    return (
        wait,
        _tool(
            "limit_order",
            "buy at most, or sell at least, at a price",
            side=side,
            price=price,
            quantity=quantity,
            **more,
        ),
        order,
        _tool("cancel_order", "cancel an open order", order_id=number, **more),
        _tool(
            "change_order",
            "change an open order's price and quantity",
            order_id=number,
            price=price,
            quantity=quantity,
            **more,
        ),
    )


def tools(simulator: Market, state: Any, row: int, seat: int) -> tuple[dict[str, Any], ...]:
    """The tools of a seat: those of its role."""
    return _tools_of(simulator, simulator.seats[seat].rsplit("_", 1)[0])


def _number(arguments: dict[str, Any], name: str, low: int, high: int) -> int:
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ActionError(f"{name} = {value!r:.80}; expected a whole number from {low} to {high}")
    return value


def _level(simulator: Market, arguments: dict[str, Any], name: str = "price") -> int:
    p = simulator.plan
    value = _number(arguments, name, p.low, p.low + (p.levels - 1) * p.tick)
    if (value - p.low) % p.tick:
        raise ActionError(f"{name} = {value} is off the tick; expected {p.low} and a multiple of {p.tick}")
    return (value - p.low) // p.tick


def _one_of(arguments: dict[str, Any], name: str, known: tuple[Any, ...]) -> int:
    value = arguments.get(name)
    if value not in known or isinstance(value, bool):
        raise ActionError(f"{name} = {value!r:.80}{did_you_mean(str(value), [str(k) for k in known])}")
    return known.index(value)


def _order_named(
    simulator: Market, state: Any, row: int, seat: int, arguments: dict[str, Any], m: int
) -> tuple[int, int]:
    number = _number(arguments, "order_id", 0, 2**62)
    orders = _open_orders(simulator, state, row, seat)
    for order in orders:
        if (order["id"], order["market"]) == (number, m):
            return order["side"], order["j"]
    known = ", ".join(f"#{o['id']}" for o in orders if o["market"] == m) or "none"
    raise ActionError(f"order_id = {number} is none of your open orders ({known})")


def tool_action(simulator: Market, state: Any, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
    """The action that a call of a tool means; `ActionError` where the call is malformed or names an unknown order."""
    known = {tool["name"]: tool["parameters"] for tool in tools(simulator, state, row, seat)}
    if name not in known:
        raise ActionError(f"no tool {name!r:.80}{did_you_mean(name, known)}")
    wanted = known[name]["required"]
    if set(arguments) != set(wanted):
        raise ActionError(
            f"{name} takes {', '.join(wanted) or 'no arguments'}; got {', '.join(map(str, arguments))[:200] or 'none'}"
        )
    role = simulator.seats[seat].rsplit("_", 1)[0]
    p, size = simulator.plan, 3 if role == "regulator" else 6
    action = np.zeros(size, np.int64)
    if name == "wait":
        few = role == "trader" and simulator.config.actions == "offsets"
        return np.zeros(simulator.roles[0].action_space.shape, np.float32) if few else action
    m = _one_of(arguments, "instrument", p.instruments) if "instrument" in wanted else 0
    if name == "set_rules":
        trading = 1 + _one_of(arguments, "trading", ("open", "halted"))
        fee = 1 + _one_of(arguments, "fee", tuple(FEE_STEP * k for k in range(FEES)))
        action[:] = trading, fee, 1 + _one_of(arguments, "grid", GRAINS)
        return action
    if name == "quote":
        bid, ask = (_level(simulator, arguments, side) for side in ("bid", "ask"))
        sizes = (_number(arguments, f"{side}_quantity", 0, p.max_quantity) for side in ("bid", "ask"))
        action[:] = 1, bid, ask, *sizes, m
        return action
    side, level, quantity, j = 0, 0, 0, 0
    if "order_id" in wanted:
        side, j = _order_named(simulator, state, row, seat, arguments, m)
    else:
        side = _one_of(arguments, "side", SIDES)
    if "price" in wanted:
        level = _level(simulator, arguments)
    if "quantity" in wanted:
        quantity = _number(arguments, "quantity", 1, p.max_quantity)
    kind = {"limit_order": LIMIT, "market_order": MARKET, "cancel_order": CANCEL, "change_order": MODIFY}.get(
        name, NONE
    )
    if simulator.config.actions == "offsets":
        return offsets.numbers(simulator, state, row, side, level, quantity, m)
    action[:] = kind, side, level, quantity, j, m
    return action
