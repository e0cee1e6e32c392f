"""The tax economy in words: what a seat sees, its tools, and why an action had no effect."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ludarium.envs.core.errors import ActionError
from ludarium.envs.core.simulator import Choice
from ludarium.envs.econ.tax import gaming_words
from ludarium.envs.econ.tax.config import PLATFORMS
from ludarium.envs.econ.tax.personas import narrative, persona_of
from ludarium.envs.econ.tax.state import BALLOT, DEFER, HOURS, RATES, STAND, VOTE, WORK, State
from ludarium.envs.econ.taxes import basis_points, tax_of
from ludarium.envs.econ.voting import ranking_number

if TYPE_CHECKING:
    from ludarium.envs.econ.tax.simulator import Tax

__all__ = ["describe", "explain", "menu", "rules", "tool_action", "tools"]

LISTED = 256
"""The most choices that a menu lists."""


def _money(cents: float) -> str:
    return f"{cents / 100:,.2f}"


def rules(simulator: Tax) -> str:
    """The rules of this config in words."""
    c = simulator.config
    edges = ", ".join(f"{edge:,.0f}" for edge in c.edges)
    due = "in every step" if c.settle == "step" else "once a year, on the year's mean income,"
    if c.utility == "quasilinear":
        use = f"income after tax, plus the rebate, less k * hours ** {c.d:g}"
    else:
        use = f"{c.utility} utility of income after tax and rebate, less k * hours ** {c.d:g}"
    words = [
        f"{c.n_workers} workers choose their hours per {c.hours_per} (0 to {c.hours_max}); income per {c.income_per} is wage "
        f"times hours. A planner sets one marginal tax rate for each bracket (lower edges {edges}; the last one has no upper "
        f"edge) at the beginning of each year of {c.steps_per_year} steps. Taxes are due {due} and are shared out equally, in "
        f"whole cents; what is left over stays in the treasury. A worker's score is {use}, in units of the median untaxed "
        f"income; the planner's is social welfare ({c.swf.replace('_', ' ')} weights) at each settlement.",
    ]
    if c.voting != "none":
        stand = "first choose whether to stand and for which flat rate, then " if c.candidacy else ""
        words.append(
            f"Each year the workers {stand}vote ({c.voting.replace('_', ' ')}, {c.candidates} candidates at most); the planner "
            "then sets the rates in the winner's name."
        )
    words += gaming_words.games(simulator)
    words.append(f"The episode ends after {c.max_steps} steps.")
    return " ".join(words)


def _schedule(simulator: Tax, state: State, row: int) -> str:
    edges = [f"{edge / 100:,.0f}" for edge in simulator.edges]
    tops = [*edges[1:], "any income"]
    rates = [f"{rate / 100:g} %" for rate in state.rates[row]]
    return "; ".join(f"{rate} from {low} to {high}" for rate, low, high in zip(rates, edges, tops, strict=True))


def _slate(state: State, row: int) -> str:
    rows = []
    for place, (who, flat) in enumerate(zip(state.slate[row].tolist(), state.platform[row].tolist(), strict=True)):
        if who >= 0:
            promise = f", who promises a flat rate of {5 * flat} %" if flat >= 0 else ""
            rows.append(f"candidate {place} is worker {who}{promise}")
    return "; ".join(rows) or "nobody stands"


def describe(simulator: Tax, state: State, row: int, seat: int) -> str:
    """The situation of a seat, numbers to two decimals."""
    c, phase = simulator.config, int(state.phase[row])
    name = ("who stands", "the vote", "the rates", "the hours")[phase]
    lines = [
        f"econ-tax 1, step {state.t[row]} of {c.max_steps}: year {state.year[row]}, {name}.",
        f"Rates: {_schedule(simulator, state, row)}.",
    ]
    if seat == 0:
        lines += _for_planner(simulator, state, row)
    elif simulator.scalars.grouped:
        lines += _for_all(simulator, state, row)
    else:
        lines += _for_worker(simulator, state, row, seat - 1)
    if phase in (STAND, VOTE) and seat > 0:
        lines.append(
            "Choose whether to stand, and for which flat rate." if phase == STAND else f"{_slate(state, row)}."
        )
    elif phase == WORK and seat > 0:
        lines.append(f"Choose your hours, 0 to {c.hours_max}.")
    elif phase == RATES and seat == 0:
        lines.append(_how_to_set(simulator))
        example = [0.1] * len(c.edges) if c.rate_mode == "delta" else [0.5] * len(c.edges)
        lines.append(f'Written out: {{"name": "set_rates", "arguments": {{"rates": {example}}}}}.')
    return "\n".join(lines)


def _how_to_set(simulator: Tax) -> str:
    if simulator.config.rate_mode == "delta":
        return "Move each rate by -20, -10, 0, 10 or 20 points, one number a bracket."
    return f"Set one rate a bracket, as fractions from 0 to 1 in steps of {simulator.config.rate_step:g}."


def _for_planner(simulator: Tax, state: State, row: int) -> list[str]:
    c = simulator.config
    money = 100.0 if c.utility == "quasilinear" and c.swf != "legacy" else 1.0
    lines = ["You are the planner."]
    if state.settled[row]:
        recent = ", ".join(f"{w / money:,.2f}" for w in state.recent[row][: int(state.settled[row])])
        lines.append(f"Welfare at the last settlements, newest first: {recent}.")
        lines.append(
            f"Tax revenue {_money(state.revenue[row] / c.n_workers)} a head, rebate {_money(state.rebate[row])}."
        )
    if state.year[row]:
        counts = ", ".join(map(str, state.counts[row].tolist()))
        deciles = ", ".join(_money(z) for z in state.deciles[row].tolist())
        lines.append(f"Workers by bracket: {counts}. Income deciles: {deciles}.")
        lines.append(f"Mean income {_money(state.mean[row])}, Gini index {state.gini[row]:.2f}.")
    if state.leader[row] >= 0:
        flat = int(state.promise[row])
        promise = f", who promised a flat rate of {5 * flat} %" if flat >= 0 else ""
        lines.append(f"You act for worker {state.leader[row]}{promise}.")
    return lines


def _for_all(simulator: Tax, state: State, row: int) -> list[str]:
    """What a grouped seat is told: nobody reads a million wages."""
    c = simulator.config
    wages = np.percentile(state.wage[row], (10, 50, 90))
    lines = [
        f"You are all {c.n_workers} workers. An hour pays {_money(wages[0])} a {c.income_per} at the tenth percentile, "
        f"{_money(wages[1])} at the median, {_money(wages[2])} at the ninetieth."
    ]
    if state.labour_steps[row]:
        mean = float(state.hours[row].mean()) / c.hour_parts
        lines.append(f"Last time you worked {mean:.2f} hours on average. The rebate was {_money(state.rebate[row])}.")
    lines.append("Answer with a list of one value a worker, in the order of their numbers.")
    return lines


def _for_worker(simulator: Tax, state: State, row: int, i: int) -> list[str]:
    c = simulator.config
    wage, parts = int(state.wage[row, i]), c.hour_parts
    lines = [f"You are worker {i}. An hour pays {_money(wage)} a {c.income_per}."]
    taste = 0
    if c.personas:
        taste = int(state.person[row, i, 3])
        who = persona_of(state.person[row, i], int(state.key[row]), i)
        lines[0] += " " + narrative(who, wage * c.standard_hours / 100.0, c.tastes)
    if state.labour_steps[row]:
        h = int(state.hours[row, i])
        z = wage * h // parts
        tax = int(tax_of(z, simulator.edges, state.rates[row], state.base[row]))
        if c.gaming:
            lines.append(f"Last time you paid {_money(state.owed[row, i])} of taxes and fines in all.")
        lines.append(
            f"Last time you worked {h / parts:.2f} hours and earned {_money(z)}; at these rates you owe {_money(tax)} of it. The "
            f"rebate was {_money(state.rebate[row])}."
        )
        if c.utility == "quasilinear":
            lines.append(f"The effort was worth {_money(state.cost[row, taste, h])}.")
    if c.shifting and state.due[row, i]:
        lines.append(f"You put off {_money(state.due[row, i])} last year, which is still to be taxed this year.")
    k = float(state.scale_k[row]) * c.taste_scale[taste] / (100.0 if c.utility == "quasilinear" else 1.0)
    lines.append(f"For you, h hours of effort count {k:.6g} * h ** {c.d:g}.")
    return lines


def menu(simulator: Tax, state: State, row: int, seat: int) -> list[Choice] | None:
    """Hours, platforms or ballots, if they are few enough to list; None for the planner."""
    c, phase = simulator.config, int(state.phase[row])
    if seat == 0 or phase == RATES or state.over[row] or simulator.scalars.grouped:
        return None
    if phase == WORK:
        if c.choices > LISTED or c.gaming:
            return None
        hours = [h / c.hour_parts for h in range(c.choices)]
        return [Choice(h, f"work {x:g}", "work", {"hours": x}) for h, x in enumerate(hours)]
    if phase == STAND:
        offers = [Choice(1 + p, f"stand {5 * p} %", "stand", {"rate": p / 20}) for p in range(PLATFORMS)]
        return [Choice(0, "stay out", "stand", {"rate": None}), *offers]
    return _ballots(simulator)


def _ballots(simulator: Tax) -> list[Choice] | None:
    c, count = simulator.config, simulator.config.candidates
    if c.ballots > LISTED:
        return None
    if c.voting in ("plurality", "random_dictator"):
        found: list[Any] = [[p] for p in range(count)]
    elif c.voting == "approval":
        found = [[p for p in range(count) if b >> p & 1] for b in range(c.ballots)]
    elif c.voting == "score":
        found = [[b // c.score_levels**p % c.score_levels for p in range(count)] for b in range(c.ballots)]
    else:
        found = [list(order) for order in itertools.permutations(range(count))]
    rows = [
        Choice(b, f"vote {' '.join(map(str, vote))}".strip(), "vote", {"ballot": vote}) for b, vote in enumerate(found)
    ]
    if c.voting not in ("approval", "score"):
        rows.append(Choice(len(rows), "vote", "vote", {"ballot": []}))
    return rows


def tools(simulator: Tax, state: State, row: int, seat: int) -> tuple[dict[str, Any], ...]:
    """The seat's tool of this phase, with its JSON Schema."""
    c, phase = simulator.config, int(state.phase[row])
    if seat == 0:
        bounds = {"type": "number", "minimum": 0, "maximum": 1}
        if c.rate_mode == "delta":
            bounds = {"type": "number", "enum": [-0.2, -0.1, 0, 0.1, 0.2]}
        size = len(c.edges)
        rates = {"type": "array", "items": bounds, "minItems": size, "maxItems": size}
        return (_tool("set_rates", _how_to_set(simulator), {"rates": rates}),)
    name, words, argument, schema = _workers_tool(simulator, phase)
    games = gaming_words.arguments(simulator) if phase == WORK else {}
    if simulator.scalars.grouped:
        schema = {"type": "array", "items": schema, "minItems": c.n_workers, "maxItems": c.n_workers}
        words += "; one value for each worker"
        games = {
            key: {"type": "array", "items": own, "minItems": c.n_workers, "maxItems": c.n_workers}
            for key, own in games.items()
        }
    return (_tool(name, words, {argument: schema}, games),)


def _workers_tool(simulator: Tax, phase: int) -> tuple[str, str, str, dict[str, Any]]:
    """Name, words, argument and schema of what a worker decides."""
    c = simulator.config
    if phase == STAND:
        rate = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
        return "stand", "stand for a flat rate in steps of 0.05, or null: stay out", "rate", rate
    if phase == VOTE:
        means = {
            "approval": "the candidates you approve of", "score": f"a score from 0 to {c.score_levels - 1} for each candidate",
            "plurality": "one candidate", "random_dictator": "one candidate",
        }.get(c.voting, "all candidates, best first")  # fmt: skip
        ballot = {"type": "array", "items": {"type": "integer", "minimum": 0}}
        return "vote", f"{means}; an empty list abstains", "ballot", ballot
    return "work", f"hours per {c.hours_per}", "hours", {"type": "number", "minimum": 0, "maximum": c.hours_max}


def _tool(name: str, text: str, properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    schema = {
        "type": "object", "properties": {**properties, **(optional or {})}, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip
    return {"name": name, "description": text, "parameters": schema}


def tool_action(simulator: Tax, state: State, row: int, seat: int, name: str, arguments: dict[str, Any]) -> Any:
    """The action that a call means; `ActionError` says which part of it is wrong."""
    (tool,) = tools(simulator, state, row, seat)
    if name != tool["name"]:
        raise ActionError(f"no tool {name!r:.80} now; there is {tool['name']!r}")
    (argument,) = tool["parameters"]["required"]
    games = [key for key in tool["parameters"]["properties"] if key != argument]
    if argument not in arguments or not set(arguments) <= {argument, *games}:
        what = f"{argument!r}, and may take {games}" if games else f"one argument, {argument!r}"
        raise ActionError(f"{name} takes {what}; got {sorted(arguments)!r:.200}")
    given = arguments[argument]
    if name == "set_rates":
        return _levels(simulator, given)
    meant: dict[str, Callable[[Any], int]] = {
        "work": functools.partial(_hours, simulator), "stand": _platform, "vote": functools.partial(_ballot, simulator),
    }  # fmt: skip
    if not simulator.scalars.grouped:
        return meant[name](given) + gaming_words.way_of(
            simulator, {key: arguments[key] for key in games if key in arguments}
        )
    for key, values in arguments.items():
        if not isinstance(values, list) or len(values) != simulator.config.n_workers:
            raise ActionError(
                f"{key}: a list of {simulator.config.n_workers} values expected, one a worker; got {values!r:.200}"
            )
    played = [key for key in games if key in arguments]
    return [
        meant[name](one) + gaming_words.way_of(simulator, {key: arguments[key][i] for key in played})
        for i, one in enumerate(given)
    ]


def _levels(simulator: Tax, given: Any) -> list[int]:
    c, count = simulator.config, len(simulator.config.edges)
    if not isinstance(given, list) or len(given) != count:
        raise ActionError(f"rates: a list of {count} numbers expected, one a bracket; got {given!r:.200}")
    numbers = [gaming_words.number(rate, f"rates[{j}]", ("%",)) for j, rate in enumerate(given)]
    if c.rate_mode == "delta":
        steps = [round(number * 10) for number in numbers]
        for j, (number, step) in enumerate(zip(numbers, steps, strict=True)):
            if abs(number * 10 - step) > 1e-6 or abs(step) > 2:
                raise ActionError(f"rates[{j}] = {number:g}; expected -0.2, -0.1, 0, 0.1 or 0.2")
        return [step + 2 for step in steps]
    try:
        points = [basis_points(rate, f"rates[{j}]") for j, rate in enumerate(numbers)]
    except ValueError as error:
        raise ActionError(str(error)) from error
    width = int(simulator.scalars.rate_step)
    return [(point + width // 2) // width for point in points]


def _hours(simulator: Tax, given: Any) -> int:
    c = simulator.config
    hours = gaming_words.number(given, "hours", ("h", "hour", "hours"))
    if not 0 <= hours <= c.hours_max:
        raise ActionError(f"hours = {hours:g}; expected 0 to {c.hours_max}")
    return int(hours * c.hour_parts + 0.5)


def _platform(given: Any) -> int:
    if given is None:
        return 0
    try:
        points = basis_points(gaming_words.number(given, "rate", ("%",)), "rate")
    except ActionError:
        raise
    except ValueError as error:
        raise ActionError(str(error)) from error
    return 1 + (points + 250) // 500


def _ballot(simulator: Tax, given: Any) -> int:
    c, count = simulator.config, simulator.config.candidates
    if not isinstance(given, list) or not all(isinstance(x, int) and not isinstance(x, bool) for x in given):
        raise ActionError(f"ballot: a list of integers expected; got {given!r:.200}")
    if c.voting == "score":
        if given and (len(given) != count or not all(0 <= x < c.score_levels for x in given)):
            raise ActionError(f"ballot: {count} scores from 0 to {c.score_levels - 1} expected; got {given!r:.200}")
        return sum(x * c.score_levels**p for p, x in enumerate(given))
    if len(set(given)) != len(given) or not all(0 <= x < count for x in given):
        raise ActionError(f"ballot: different candidates from 0 to {count - 1} expected; got {given!r:.200}")
    if c.voting == "approval":
        return sum(1 << x for x in given)
    if not given:
        return c.ballots - 1
    if c.voting in ("plurality", "random_dictator"):
        if len(given) != 1:
            raise ActionError(f"ballot: one candidate expected; got {given!r:.200}")
        return int(given[0])
    if len(given) != count:
        raise ActionError(f"ballot: all {count} candidates expected, best first; got {given!r:.200}")
    return ranking_number(tuple(given))


def explain(simulator: Tax, state: State, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    who = simulator.seats[seat]
    if code == HOURS:
        most, limit = int(np.max(action)), simulator.config.choices * math.prod(simulator.config.ways)
        return f"{who} cannot work {most} parts of an hour: at most {limit - 1}; the hours stay as they were"
    if code == DEFER:
        return f"{who} cannot put income off: no whole year follows this one; all of it is assessed now"
    if code == BALLOT:
        return f"{who} has no ballot of that number: there are {simulator.config.ballots}; it abstains"
    return f"{who} has no platform of that number: there are {PLATFORMS}, after 0 (stay out); it stays out"
