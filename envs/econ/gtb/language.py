"""Gather, trade and build in words: what a seat sees, a worker's choices, the planner's tools."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.simulator import Choice
from ludarium.envs.econ.brackets import basis_points
from ludarium.envs.econ.gtb.figures import coin_of, equalities
from ludarium.envs.econ.gtb.layout import CENTS, ORDERS, PRICES, State
from ludarium.envs.econ.taxes import bracket_of

if TYPE_CHECKING:
    from ludarium.envs.econ.gtb.simulator import Gtb

__all__ = ["describe", "explain", "menu", "rules", "tool_action", "tools"]

MOVES = ("up", "down", "left", "right")
_REASONS = {
    "blocked": "water or the edge of the map is there",
    "foreign_house": "somebody else's house stands there",
    "occupied": "somebody stands there",
    "contested": "somebody else got there first",
    "no_materials": "the materials of a house are not at hand",
    "no_site": "no house can be built on a source or on another house",
    "no_cash": "there is not enough free coin",
    "no_stock": "there is no free unit to sell",
    "too_many_orders": "too many orders of this side are open already",
}
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?|-?\.\d+)\s*(%?)\s*")


def _coins(cents: float) -> str:
    return f"{cents / CENTS:,.2f}"


def rules(simulator: Gtb) -> str:
    """The rules of this config in words."""
    c = simulator.config
    takes = " and ".join(f"{n} {name}" for n, name in zip(c.recipe, c.resources, strict=True) if n)
    edges = ", ".join(f"{edge:g}" for edge in c.brackets)
    return (
        f"{c.n_workers} workers live on a map of {c.height} rows and {c.width} columns. Who ends a turn on a full source "
        f"gathers a unit of it, sometimes two; it grows again in time. A house takes {takes}, is built on free land where "
        "the worker stands, pays the worker by skill, and lets nobody else pass. Orders to buy or sell one unit at 0 to "
        f"{PRICES - 1} coins wait {c.lifetime} steps in a market for each resource; the best price comes first, then the "
        "oldest order, and its price counts. A bid sets its coins aside. Labour costs utility: a move "
        f"{c.move_labour:g}, gathering {c.gather_labour:g}, a house {c.build_labour:g}, an order {c.trade_labour:g}, each "
        f"times {c.labour_cost:g}; coins bring utility, each further one less. A planner names a marginal tax rate for "
        f"each bracket of income (lower edges {edges} coins) in the first of every {c.period} steps; in the last of them "
        f"taxes on the coins {'in hand that were' if c.legacy_escrow else ''} gained since are due, and are shared out "
        f"equally. The planner's score is social welfare a head ({c.swf.replace('_', ' ')}). The episode lasts "
        f"{c.max_steps} steps."
    ).replace("  ", " ")


# --- the situation ---------------------------------------------------------------------------------------------------
def describe(simulator: Gtb, state: State, row: int, seat: int) -> str:
    """The situation of a seat, money to two decimals."""
    c, t = simulator.config, int(state.t[row])
    lines = [
        f"econ-gtb 1, step {t} of {c.max_steps}; taxes are due in {min(c.period - t % c.period, c.max_steps - t)} steps.",
        f"Rates: {_schedule(simulator, state, row)}.",
        *(_market(simulator, state, row, r) for r in range(len(c.resources))),
    ]
    lines += _for_worker(simulator, state, row, seat - 1) if seat else _for_planner(simulator, state, row)
    return "\n".join(lines)


def _schedule(simulator: Gtb, state: State, row: int) -> str:
    edges = [f"{edge / CENTS:g}" for edge in simulator.edges.tolist()]
    rates = [f"{rate / 100:g} %" for rate in state.rates[row].tolist()]
    return "; ".join(f"{rate} from {low} coins" for rate, low in zip(rates, edges, strict=True))


def _market(simulator: Gtb, state: State, row: int, r: int) -> str:
    told = []
    for side, name in enumerate(("bids", "asks")):
        depth = state.depth[row, r, side].tolist()
        levels = range(PRICES) if side else range(PRICES - 1, -1, -1)
        told.append(f"{name} {', '.join(f'{depth[p]} at {p}' for p in levels if depth[p]) or 'none'}")
    last = int(state.last[row, r])
    return f"{simulator.config.resources[r]}: {'; '.join(told)}; {f'last trade at {last}' if last >= 0 else 'no trade yet'}."


def _cells(simulator: Gtb, state: State, row: int, i: int) -> list[str]:
    """The map around a worker, a letter a cell: lower case for an empty source, upper case for a full one."""
    c, letters = simulator.config, _letters(simulator.config.resources)
    y, x = state.pos[row, i].tolist()
    others = {tuple(place): "?" for n, place in enumerate(state.pos[row].tolist()) if n != i}
    lines = []
    for v in range(y - c.radius, y + c.radius + 1):
        line = ""
        for u in range(x - c.radius, x + c.radius + 1):
            if not (0 <= v < c.height and 0 <= u < c.width):
                line += "#"
                continue
            cell = v * c.width + u
            kind, owner = int(state.ground[row, cell]), int(state.owner[row, cell])
            sign = "~" if kind == 1 else "." if kind == 0 else letters[kind - 2]
            if kind >= 2 and state.ready_at[row, cell]:
                sign = sign.lower()
            if owner:
                sign = "=" if owner == i + 1 else "+"
            line += "@" if (v, u) == (y, x) else others.get((v, u), sign)
        lines.append(line)
    return lines


def _letters(names: tuple[str, ...]) -> str:
    """A capital letter for each resource: the first of its name, or the next one that is free."""
    found = ""
    for name in names:
        wanted = [letter for letter in name.upper() + "ABCDEFGHIJ" if letter.isalpha() and letter.isascii()]
        found += next(letter for letter in wanted if letter not in found)
    return found


def _for_worker(simulator: Gtb, state: State, row: int, i: int) -> list[str]:
    c = simulator.config
    names, letters = c.resources, _letters(c.resources)
    legend = ", ".join(f"{letter} {name}" for letter, name in zip(letters, names, strict=True))
    cell = int(state.pos[row, i, 0]) * c.width + int(state.pos[row, i, 1])
    kind, owner = int(state.ground[row, cell]), int(state.owner[row, cell])
    here = f"a source of {names[kind - 2]}" if kind >= 2 else "your house" if owner else "free land"
    goods = ", ".join(
        f"{int(state.stock[row, r, i])} {name} free and {int(state.held_stock[row, r, i])} on offer"
        for r, name in enumerate(names)
    )
    earned = int(coin_of(state)[row, i] - state.start_coin[row, i])
    if c.legacy_escrow:
        earned = int(state.cash[row, i] - state.start_free[row, i])
    marginal = int(state.rates[row, bracket_of(max(earned, 0), simulator.edges)])
    lines = [
        f"You are worker {i}, at row {cell // c.width}, column {cell % c.width}, on {here}. A house pays you "
        f"{_coins(state.pay[row, i])} coins; you gather a second unit with {state.bonus[row, i] / 100:.2f} %.",
        f"You have {_coins(state.cash[row, i])} coins free and {_coins(state.held_cash[row, i])} in bids; {goods}; "
        f"{int(state.done[row, i, 1])} houses. Labour so far {state.labour[row, i] / 4:.2f}, utility "
        f"{state.utility[row, i]:.2f}.",
        f"Income of this tax year so far {_coins(max(earned, 0))}, marginal rate {marginal / 100:g} %."
        + (f" Taxes still due: {_coins(state.lien[row, i])}." if state.lien[row, i] else ""),
        f"Around you (full sources {legend}, empty ones in small letters, ~ water, # off the map, = your houses, + others' "
        "houses, ? workers, @ you):",
        *_cells(simulator, state, row, i),
    ]
    if state.settled[row]:
        lines.append(f"Last tax {_coins(state.paid[row, i])}, rebate {_coins(state.rebate[row])}.")
    code = int(state.code[row, 1 + i])
    if code:
        lines.append(f"Your last action had no effect: {_REASONS[simulator.faults[code]]}.")
    return lines


def _for_planner(simulator: Gtb, state: State, row: int) -> list[str]:
    c, coin = simulator.config, coin_of(state)[row]
    lines = [
        f"You are the planner. All coins {_coins(coin.sum())}, equality {equalities(coin[None])[0]:.2f}, welfare at the last "
        f"tax day {state.welfare[row]:.2f}. Houses {int(state.houses[row])}, trades {int(state.trades[row].sum())}.",
    ]
    if state.settled[row]:
        lines.append(f"Last revenue {_coins(state.revenue[row])}, rebate a head {_coins(state.rebate[row])}.")
    shown = np.argsort(-coin, kind="stable")[:32].tolist()
    lines += [
        f"Worker {i}: {_coins(coin[i])} coins, {int(state.done[row, i, 1])} houses, labour {state.labour[row, i] / 4:.2f}, "
        f"last income {_coins(state.income[row, i])}, last tax {_coins(state.paid[row, i])}."
        for i in shown
    ]
    if len(coin) > len(shown):
        lines.append(f"{len(coin) - len(shown)} workers with fewer coins are not listed.")
    if int(state.t[row]) % c.period == 0 and not state.over[row]:
        example = [0.3] * len(c.brackets)
        lines.append(f"Set one rate a bracket, as fractions from 0 to 1 in steps of {c.rate_step:g}, or keep them.")
        lines.append(f'Written out: {{"name": "set_rates", "arguments": {{"rates": {example}}}}}.')
    return lines


# --- choices ---------------------------------------------------------------------------------------------------------
def _choice(simulator: Gtb, action: int) -> Choice:
    if action == 0:
        return Choice(0, "wait", "wait", {})
    if action <= 4:
        return Choice(action, f"move {MOVES[action - 1]}", "move", {"direction": MOVES[action - 1]})
    if action == 5:
        return Choice(5, "build", "build", {})
    r, rest = divmod(action - ORDERS, 2 * PRICES)
    verb, name, price = ("buy", "sell")[rest // PRICES], simulator.config.resources[r], rest % PRICES
    return Choice(action, f"{verb} {name} {price}", verb, {"resource": name, "price": price})


def menu(simulator: Gtb, state: State, row: int, seat: int) -> list[Choice] | None:
    """What a worker may do now."""
    if seat == 0 or state.over[row]:
        return None
    seats = np.full((len(state.t), 1), -1, np.int32)
    seats[row, 0] = seat - 1
    mask = np.zeros((len(state.t), 1, simulator.config.actions), np.int8)
    simulator.action_mask(state, 1, seats, mask)
    return [_choice(simulator, action) for action in np.flatnonzero(mask[row, 0]).tolist()]


def explain(simulator: Gtb, state: State, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    reason = _REASONS.get(simulator.faults[code], "nothing is wrong")
    told = _choice(simulator, int(action)).text if seat else "the schedule"
    return f"{simulator.seats[seat]}: {told!r} had no effect: {reason}"


# --- the planner's tools ---------------------------------------------------------------------------------------------
def tools(simulator: Gtb, state: State, row: int, seat: int) -> tuple[dict[str, Any], ...] | None:
    """`set_rates` and `keep_rates`; None for workers, whose tools follow from their choices."""
    if seat:
        return None
    size = len(simulator.config.brackets)
    rates = {
        "type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": size, "maxItems": size,
    }  # fmt: skip
    words = f"one marginal rate a bracket, as fractions in steps of {simulator.config.rate_step:g}"
    return (
        _tool("set_rates", words, {"rates": rates}),
        _tool("keep_rates", "leave the rates as they are", {}),
    )


def _tool(name: str, text: str, properties: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    return {"name": name, "description": text, "parameters": schema}


def tool_action(simulator: Gtb, state: State, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
    """The planner's action that a call means; `ActionError` says which part of it is wrong."""
    size = len(simulator.config.brackets)
    if seat or name not in ("set_rates", "keep_rates"):
        raise ActionError(f"no tool {name!r:.80} for {simulator.seats[seat]}")
    if set(arguments) != ({"rates"} if name == "set_rates" else set()):
        raise ActionError(f"{name}: unexpected arguments {sorted(map(str, arguments))!r:.200}")
    if name == "keep_rates":
        return [0] * size
    given = arguments["rates"]
    if not isinstance(given, list) or len(given) != size:
        raise ActionError(f"rates: a list of {size} numbers expected, one a bracket; got {given!r:.200}")
    return [_level(simulator, rate, f"rates[{j}]") for j, rate in enumerate(given)]


def _level(simulator: Gtb, given: Any, what: str) -> int:
    """The choice nearest to a rate: a fraction, or a text such as `35%`."""
    if isinstance(given, str):
        found = _NUMBER.fullmatch(given[:64])
        if not found:
            raise ActionError(f"{what}: {given!r:.80} is no rate; expected a fraction, or a number with %")
        given = float(found[1]) * (0.01 if found[2] else 1.0)
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ActionError(f"{what}: {given!r:.80} is no finite number")
    try:
        points = basis_points(given, what)
    except ValueError as error:
        raise ActionError(str(error)) from error
    width = int(simulator.scalars.rate_step)
    return 1 + (points + width // 2) // width
