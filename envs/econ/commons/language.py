"""The commons in words and as tools: what a seat knows, the choices of the phase, and messages with their small grammar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ludarium.envs.core.simulator import Choice
from ludarium.envs.econ.commons.config import UNIT
from ludarium.envs.econ.commons.dynamics import GOVERN, HARVEST, PLEDGE, PUNISH, TALK, VOTE
from ludarium.envs.econ.commons.figures import present
from ludarium.envs.econ.commons.speech import EXAMPLE, ballots, code_of, form_of, meaning_of, text_of
from ludarium.envs.econ.commons.talk import ACCUSE, LIMIT, PROMISE

if TYPE_CHECKING:
    from ludarium.envs.econ.commons.simulator import Commons

__all__ = ["TOOLS", "describe", "explain", "in_words", "menu", "rules"]

LISTED = 128
"""The most choices that a menu lists: models pay for each of them."""


class Nouns(NamedTuple):
    """What a scenario calls things."""

    units: str
    place: str
    deed: str


NOUNS = {
    "fishery": Nouns("tons of fish", "a lake", "catch fish"),
    "pasture": Nouns("hectares of grass", "a common pasture", "let sheep graze"),
    "pollution": Nouns("parts of clean water", "a river", "make pallets of goods, each of which fouls one part"),
    "irrigation": Nouns("units of water", "a shared reservoir", "draw water"),
}
_REASONS = {
    "no_choice": "there is no such choice in this phase",
    "oneself": "nobody does that to himself",
    "absent": "that harvester does not take part yet",
    "no_money": "there is not enough money for it",
}


def _money(minor: float) -> str:
    return f"{minor / UNIT:.2f}"


# --- rules and situation ---------------------------------------------------------------------------------------------
def rules(simulator: Commons) -> str:
    """The rules of this config in words."""
    c, nouns = simulator.config, NOUNS[simulator.config.scenario]
    grows = {
        "doubling": f"what is left grows by {100 * c.growth_rate:g} %",
        "logistic": f"what is left, y, grows by {c.growth_rate:g} * y * (1 - y / {c.cap})",
        "power": f"what is left, y, becomes {c.cap} * (y / {c.cap}) ** {c.exponent:g}",
        "inflow": f"{c.growth_rate * c.cap / 2:g} flow in",
    }[c.growth_kind]
    short = "lots are drawn for each unit" if c.lottery else "it is shared out in proportion to what was wanted"
    words = [
        f"{c.num_harvesters} harvesters share {nouns.place} that holds {c.cap} {nouns.units} at most. In each of {c.rounds} "
        f"rounds all {nouns.deed} at the same time; a unit is worth 1.00. Where more is wanted than there is, {short}. If "
        f"less than {c.threshold} are left after a harvest, all is lost and the game is over; else {grows}, up to {c.cap}.",
    ]
    if c.shock:
        words.append(f"With a chance of {100 * c.shock:g} % a round, {100 * c.shock_size:g} % of it are lost then.")
    words += [*_rules_of_talk(simulator), *_rules_of_law(simulator)]
    if c.newcomer:
        words.append(f"harvester_{c.num_harvesters - 1} takes part from round {c.newcomer} on.")
    return " ".join(words)


def _rules_of_talk(simulator: Commons) -> list[str]:
    c, words = simulator.config, []
    if c.pledges:
        words.append("Before a harvest each may pledge how much to take at most; a pledge binds nobody.")
    if c.utterances:
        cost = f" A turn in which something is said costs {_money(c.talk_cost)}." if c.talk_cost else ""
        free = f"free text (at most {c.words} bytes), with" if c.words else "nothing but"
        words.append(
            f"After a harvest there are {c.utterances} turns to speak, one after the other, until all were silent in a row: "
            f"{free} at most one of {EXAMPLE}.{cost} What is said changes nothing else."
        )
    return words


def _rules_of_law(simulator: Commons) -> list[str]:
    c, words = simulator.config, []
    if c.governor:
        words.append(
            "A governor sets quota, fee, fine and audits before each round; it wants the most harvested in all."
        )
    if c.rule >= 0:
        words.append(
            f"After the discussion all vote ({c.voting.replace('_', ' ')}) on the quota: 0 as before, 1 none, 2 the sustainable "
            "share, 3 what was named most often."
        )
    if c.governed:
        words.append("Whoever takes more than the quota and is audited pays the fine for each unit above it.")
    if c.punishment:
        words.append(
            f"At the end of a round each may punish one other: it costs {_money(c.punish_cost)} and takes up to "
            f"{_money(c.punish_fine)} from the other."
        )
    if c.rebate:
        words.append("Fees, fines and costs are shared out equally at the end of each round.")
    return words


def describe(simulator: Commons, state: Any, row: int, seat: int) -> str:
    """The situation of a seat, money to two decimals."""
    c, played, phase = simulator.config, int(state.round[row]), int(state.phase[row])
    stock, nouns = int(state.stock[row]), NOUNS[simulator.config.scenario]
    name = ("the rules", "pledges", "the harvest", "the discussion", "the vote", "punishment")[phase]
    fair = int(simulator.scalars.sustainable[stock])
    lines = [
        f"econ-commons 1, round {min(played + 1, c.rounds)} of {c.rounds}: {name}. You are {simulator.seats[seat]}."
    ]
    if phase <= HARVEST:
        hint = f"; {fair} in all can be taken so that they come back" if c.hint else ""
        lines.append(f"There are {stock} {nouns.units}{hint}.")
    else:
        lines.append(f"{stock} {nouns.units} are left and will grow.")
    if state.harvests[row, 0]:
        lines.append(_last_harvest(simulator, state, row, seat))
    lines += _said(simulator, state, row)
    if c.governed:
        lines.append(_law(state, row))
    if seat < c.num_harvesters:
        lines.append(f"You have {_money(state.cash[row, seat])}.")
        if state.fined[row, seat]:
            lines.append(f"You were fined {_money(state.fined[row, seat])}.")
    if state.code[row, seat]:
        lines.append(f"Your last action had no effect: {_REASONS[simulator.faults[state.code[row, seat]]]}.")
    if not state.over[row]:
        lines.append(_question(simulator, state, row, seat))
    return "\n".join(lines)


def _last_harvest(simulator: Commons, state: Any, row: int, seat: int) -> str:
    """What is told of the last harvest."""
    c, got = simulator.config, state.got[row].tolist()
    told = f"In the last harvest there were {int(state.found[row])}"
    if c.reveal != "own":
        told += f", and {sum(got)} were taken"
    if c.reveal == "all":
        told += ": " + ", ".join(f"harvester_{i} {x}" for i, x in enumerate(got))
    elif seat < c.num_harvesters:
        told += f"; you took {got[seat]}"
    if seat < c.num_harvesters and state.wanted[row, seat] > got[seat]:
        told += f" (you wanted {int(state.wanted[row, seat])})"
    broken = [i for i, x in enumerate(state.held[row].tolist()) if 0 <= x < got[i]]
    if c.reveal == "all" and broken:
        told += f". More than they said: {', '.join(f'harvester_{i}' for i in broken)}"
    return told + "."


def _said(simulator: Commons, state: Any, row: int) -> list[str]:
    """Pledges for the next harvest, limits, accusations, and the last words of each."""
    c, lines = simulator.config, []
    for what, values in (("at most", state.pledge), ("as a limit for all", state.limit)):
        told = [f"harvester_{i} {x}" for i, x in enumerate(values[row].tolist()) if x >= 0]
        if told:
            verb = "Pledged for the next harvest," if what == "at most" else "Named"
            lines.append(f"{verb} {what}: {', '.join(told)}.")
    told = [f"harvester_{i} accuses harvester_{x}" for i, x in enumerate(state.accused[row].tolist()) if x >= 0]
    if told:
        lines.append(f"{', '.join(told)}.")
    if c.words:
        for i in range(c.num_harvesters):
            text = text_of(state.spoken[row, i])
            if text:
                lines.append(f"harvester_{i} said: {text!r}")
    return lines


def _law(state: Any, row: int) -> str:
    quota = int(state.quota[row])
    limit = f"a quota of {quota} each" if quota >= 0 else "no quota"
    return (
        f"In force: {limit}, a fee of {_money(state.fee[row])} a unit, a fine of {_money(state.fine[row])} for each unit above "
        f"the quota, audits with a chance of {int(state.audit[row])} %."
    )


def _question(simulator: Commons, state: Any, row: int, seat: int) -> str:
    """What the seat is asked for now."""
    c, phase = simulator.config, int(state.phase[row])
    if (seat == c.num_harvesters) != (phase == GOVERN) or (phase == TALK and state.speaker[row] != seat):
        return "Others act now."
    slate = ", ".join("none" if x < 0 else str(x) for x in state.slate[row].tolist())
    asked = {
        GOVERN: "Set the rules of this round.",
        PLEDGE: f"Pledge how much you will take at most (0 to {c.cap}), or nothing.",
        HARVEST: f"How much do you take (0 to {c.cap})?",
        TALK: f"Turn {int(state.utterance[row]) + 1} of {c.utterances}: say something, or nothing.",
        VOTE: f"Vote on the quota of each: candidates 0 to 3 are {slate}.",
        PUNISH: "Whom do you punish, if anybody?",
    }[phase]
    if _listed(simulator, phase):
        return f"{asked} For example: {_examples(simulator)[phase]}"
    some = min(10, c.cap)
    form = {
        GOVERN: f'{{"quota": {some}, "fee": 0, "fine": 3, "audit": 1}}', TALK: f'{{"message": "limit={some}"}}',
    }.get(phase, f'{{"amount": {some}}}')  # fmt: skip
    return f'{asked} Written out: {{"name": "{TOOLS[phase]}", "arguments": {form}}}'


def _examples(simulator: Commons) -> dict[int, str]:
    """A command of each phase."""
    sets = {"approval": "0 2", "score": "0 1 2 0", "ranked": "2 0 1 3", "condorcet": "2 0 1 3"}
    vote = f"vote {sets.get(simulator.config.voting, '2')}"
    some = min(10, simulator.config.cap)
    return {
        PLEDGE: f"pledge {some}", HARVEST: f"harvest {some}", TALK: f"say limit={some}", VOTE: vote, PUNISH: "punish nobody",
    }  # fmt: skip


def _listed(simulator: Commons, phase: int) -> bool:
    """Whether the choices of a phase are few enough to list; messages of free text and a governor's rules never are."""
    c = simulator.config
    counts = {PLEDGE: c.cap + 2, HARVEST: c.cap + 1, VOTE: c.ballots, PUNISH: 1 + c.num_harvesters}
    if not c.words:
        counts[TALK] = 1 + 2 * (c.cap + 1) + c.num_harvesters
    return 0 < counts.get(phase, 0) <= LISTED


TOOLS = {GOVERN: "govern", PLEDGE: "pledge", HARVEST: "harvest", TALK: "say", VOTE: "vote", PUNISH: "punish"}


def explain(simulator: Commons, state: Any, row: int, seat: int, action: Any, code: int) -> str:
    """Why an action had no effect."""
    reason = _REASONS.get(simulator.faults[code], "nothing is wrong")
    return f"{simulator.seats[seat]}: the action {np.asarray(action).flat[0]} had no effect: {reason}"


# --- choices that can be listed --------------------------------------------------------------------------------------
def menu(simulator: Commons, state: Any, row: int, seat: int) -> list[Choice] | None:
    """The choices of the phase, if they are few enough to list; None for the governor, and where there is free text."""
    c, phase = simulator.config, int(state.phase[row])
    if seat >= c.num_harvesters or state.over[row] or not _listed(simulator, phase):
        return None
    if phase == TALK:
        found = _sayings(simulator, state, row, seat)
    elif phase == VOTE:
        found = ballots(simulator)
    elif phase == PUNISH:
        found = [(0, "punish nobody", {"whom": None})]
        if state.cash[row, seat] >= c.punish_cost:
            found += [
                (1 + j, f"punish harvester_{j}", {"whom": f"harvester_{j}"})
                for j in _others(simulator, state, row, seat)
            ]
    else:
        verb = "harvest" if phase == HARVEST else "pledge"
        found = [(a, f"{verb} {a}", {"amount": a}) for a in range(c.cap + 1)]
        if phase == PLEDGE:
            found.append((c.cap + 1, "pledge nothing", {"amount": None}))
    return [Choice(form_of(simulator, code), text, TOOLS[phase], arguments) for code, text, arguments in found]


def _others(simulator: Commons, state: Any, row: int, seat: int) -> list[int]:
    there = present(simulator, int(state.round[row]))
    return [j for j in range(simulator.config.num_harvesters) if j != seat and there[j]]


def _sayings(simulator: Commons, state: Any, row: int, seat: int) -> list[tuple[int, str, dict[str, Any]]]:
    c = simulator.config
    found: list[tuple[int, str]] = [(0, "")]
    if state.speaker[row] == seat and state.cash[row, seat] >= c.talk_cost:
        found += [(code_of(c.cap, LIMIT, a), f"limit={a}") for a in range(c.cap + 1)]
        found += [(code_of(c.cap, PROMISE, a), f"promise={a}") for a in range(c.cap + 1)]
        found += [(code_of(c.cap, ACCUSE, j), f"accuse={j}") for j in _others(simulator, state, row, seat)]
    return [(code, f"say {text}" if text else "say nothing", {"message": text}) for code, text in found]


def in_words(simulator: Commons, state: Any, row: int, seat: int, action: Any) -> str:
    """What a message says, or which rules a governor sets, for people who watch."""
    c, given = simulator.config, np.asarray(action).reshape(-1)
    if seat >= c.num_harvesters:
        quota, fee, fine, audit = given.tolist()
        told = [f"quota {'none' if quota == 1 else quota - 2}"] * (quota > 0) + [f"fee {_money(10 * fee - 10)}"] * (
            fee > 0
        )
        told += [f"fine {_money(UNIT * (fine - 1))}"] * (fine > 0) + [f"audits {10 * audit - 10} %"] * (audit > 0)
        return f"govern: {', '.join(told) or 'as before'}"
    if state.phase[row] != TALK:
        return ""
    kind, number = meaning_of(c, int(given[0]))
    text = text_of(given[1:])
    said = [repr(text)] * bool(text) + [f"{kind}={number}"] * (kind != "")
    return f"say {' '.join(said) or 'nothing'}"
