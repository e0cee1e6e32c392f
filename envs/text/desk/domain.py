"""What a domain is: a generated database, tools for both seats, a policy, and the kinds of wishes that users come with."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ludarium.envs.core.rng import draw_below, episode_key
from ludarium.envs.text.desk.policy import Rule, Session, Situation, broken
from ludarium.envs.text.desk.tables import Base, Row, Tables
from ludarium.envs.text.desk.tools import Tool

__all__ = [
    "Ask", "Chance", "Desk", "Domain", "Draft", "Wish", "base_of", "called", "day_name", "device_of",
    "domain_named", "judged", "listed", "money", "slot",
]  # fmt: skip


class Chance:
    """Draws of one generator, numbered: a pure function of its key, its stream and how often it was asked."""

    def __init__(self, seed: int, stream: int, number: int = 0) -> None:
        self._key, self._stream, self._number, self._count = np.uint64(episode_key(seed)), stream, number, 0

    def below(self, n: int) -> int:
        """An integer of 0..n-1."""
        self._count += 1
        return int(draw_below(self._key, self._stream, self._number, self._count, 0, n))

    def pick(self, options: Sequence[Any]) -> Any:
        """One of some options."""
        return options[self.below(len(options))]

    def some(self, options: Sequence[Any], count: int) -> list[Any]:
        """`count` different options, in their order."""
        left = list(range(len(options)))
        chosen = sorted(left.pop(self.below(len(left))) for _ in range(count))
        return [options[n] for n in chosen]


@dataclasses.dataclass
class Desk:
    """What tools work on: both databases, the conversation's session, an injected clock."""

    db: Tables
    user_db: Tables
    session: Session
    today: int
    """The day, as a number of days since 1 January 2026."""
    customer: str = ""
    """Whose device the user's tools touch."""

    def new_id(self, prefix: str, table: str) -> str:
        """The next id of a table: it follows from the rows that are there."""
        n = 90001
        while self.db.get(table, f"{prefix}{n}") is not None:
            n += 1
        return f"{prefix}{n}"

    def copy(self) -> Desk:
        """A desk of its own in the same state."""
        return Desk(self.db.copy(), self.user_db.copy(), self.session.copy(), self.today, self.customer)


@dataclasses.dataclass(frozen=True)
class Ask:
    """A thing that an agent may ask for: how our agents ask, what tells a user that it is asked, how it is answered."""

    question: str
    heard: str
    """a regular expression over the agent's words, in lower case"""
    answers: tuple[str, ...] = ("It's {}.", "That would be {}.", "{}.")


@dataclasses.dataclass
class Draft:
    """A task in the making: the desk as the wishes so far leave it, and what is taken already."""

    desk: Desk
    customer: str
    chance: Chance
    used: set[str] = dataclasses.field(default_factory=set)
    init: list[list[Any]] = dataclasses.field(default_factory=list)
    """rows of the user's database that the episode begins with: table, id, columns"""

    @property
    def db(self) -> Tables:
        """The agent's database."""
        return self.desk.db

    def row(self, table: str, key: str) -> Row:
        """A row that is there."""
        found = self.db.get(table, key)
        assert found is not None, (table, key)
        return found


@dataclasses.dataclass(frozen=True)
class Wish:
    """A kind of wish: how a user brings it up, and how one is drawn for a customer (None: this customer has no such case).

    `draw` returns a table: `slots` (name -> value and words), `opening` (the slots told at once), `verdict` (`allow`,
    `deny`, `transfer`), `reads`, `writes` (the right calls), `blind` (what an agent would do that ignores the policy),
    `tell` (facts the user must hear), `rule` (id, where denied).
    """

    kind: str
    openings: tuple[str, ...]
    draw: Callable[[Draft], dict[str, Any] | None]
    short: str = ""
    """the wish as a noun phrase, for prompts"""


@dataclasses.dataclass(frozen=True, slots=True)  # slots: who walks through a game's attributes finds no more of it
class Domain:
    """A domain, whole."""

    name: str
    title: str
    preamble: str
    today: int
    tools: dict[str, Tool]
    rules: tuple[Rule, ...]
    wishes: dict[str, Wish]
    asks: dict[str, Ask]
    make_base: Callable[[int, int], Base]
    """(seed, customers) -> database"""
    customers: str
    """the table of customers"""
    candidates: Callable[[Tables, str, str, Any], list[Any]]
    """(db, customer, what an argument refers to, its value) -> other values of that kind, for mutations"""
    user_tools: dict[str, Tool] = dataclasses.field(default_factory=dict)
    make_device: Callable[[int, int], Base] | None = None
    phrases: dict[str, str] = dataclasses.field(default_factory=dict)
    """tool -> what a call of it does, in words, with its arguments in braces; for the user's tools, what they are asked"""
    reports: dict[str, str] = dataclasses.field(default_factory=dict)
    """user's tool -> what the user says after it, with the result's fields in braces"""
    cues: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = dataclasses.field(default_factory=dict)
    """user's tool -> (regular expression over the agent's words, in lower case; the arguments it means)"""

    def __reduce__(self) -> Any:
        """Domains are code: copies and pickles hold the name."""
        return domain_named, (self.name,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Domain:
        """Nothing of it changes."""
        return self

    def tools_of(self, seat: str) -> dict[str, Tool]:
        """The tools of the `agent` or of the `user`."""
        return self.tools if seat == "agent" else self.user_tools


def judged(rules: tuple[Rule, ...], draft: Draft, call: dict[str, Any], **wish: Any) -> dict[str, Any]:
    """A wish for one call: allowed if the call breaks no rule, else denied by the first that it breaks."""
    session = Session(customer=draft.customer, assent=True, proposed=True, writes=draft.desk.session.writes)
    situation = Situation(draft.db, call["name"], call["arguments"], session, draft.desk.today)
    found = broken(rules, situation)
    if found:
        return {**wish, "verdict": "deny", "rule": found[0].id, "blind": [call], "writes": [], "tell": []}
    return {**wish, "verdict": "allow", "writes": [call]}


def called(name: str, /, **arguments: Any) -> dict[str, Any]:
    """A call as plans hold it."""
    return {"name": name, "arguments": arguments}


def slot(value: Any, say: str | None = None) -> dict[str, Any]:
    """A thing that the user knows: the value that tools take, and how the user says it."""
    return {"value": value, "say": str(value) if say is None else say}


def money(cents: int) -> str:
    """An amount as it is said."""
    return f"{'-' if cents < 0 else ''}${abs(cents) // 100}.{abs(cents) % 100:02d}"


def day_name(day: int) -> str:
    """A day (0: 1 January 2026) as a date."""
    return (datetime.date(2026, 1, 1) + datetime.timedelta(days=day)).isoformat()


def listed(parts: Sequence[str]) -> str:
    """Words joined by commas and a last `and`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def domain_named(name: str) -> Domain:
    """The domain of this name."""
    module = importlib.import_module(f"ludarium.envs.text.desk.domains.{name}")
    found: Domain = module.DOMAIN
    return found


@functools.lru_cache(maxsize=8)
def base_of(name: str, seed: int, customers: int) -> Base:
    """The database of a domain, generated once and shared."""
    made = domain_named(name).make_base(seed, customers)
    made.origin = (base_of, (name, seed, customers))
    return made


@functools.lru_cache(maxsize=8)
def device_of(name: str, seed: int, customers: int) -> Base:
    """The user's database of a domain: empty where users have no tools."""
    make = domain_named(name).make_device
    made = Base({}) if make is None else make(seed, customers)
    made.origin = (device_of, (name, seed, customers))
    return made
