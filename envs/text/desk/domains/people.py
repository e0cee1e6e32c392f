"""Customers of all domains: names, addresses, mail addresses; and the tools and rules by which they are identified."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ludarium.envs.text.desk.domain import Ask, Chance, Desk
from ludarium.envs.text.desk.policy import Rule, Situation
from ludarium.envs.text.desk.tables import Row
from ludarium.envs.text.desk.tools import Param, Tool, ToolError

__all__ = [
    "address_of",
    "common_asks",
    "common_rules",
    "find_tools",
    "person",
    "say_address",
    "the_row",
    "transfer_tool",
]

_FIRST = ("Ada", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Liam", "Maya",
          "Nadia", "Omar", "Petra", "Quentin", "Rosa", "Samir", "Tessa", "Ulrich", "Vera", "Wendy", "Yusuf", "Zoe",
          "Amara", "Bela", "Chen", "Dara", "Emil")  # fmt: skip
_LAST = ("Abbott", "Bergman", "Castillo", "Dubois", "Eriksen", "Fischer", "Grant", "Haddad", "Ivanov", "Jensen", "Kaur",
         "Lindgren", "Moreau", "Novak", "Okafor", "Pereira", "Quist", "Rossi", "Sato", "Tanaka", "Ueda", "Varga",
         "Weber", "Xu", "Young", "Zeller", "Ashworth", "Brandt", "Costa", "Doyle")  # fmt: skip
_STREETS = ("Alder Way", "Birch Lane", "Cedar Street", "Dock Road", "Elm Avenue", "Foundry Row", "Garden Street",
            "Harbour View", "Ivy Close", "Juniper Drive")  # fmt: skip
_CITIES = (("Avonport", "OR"), ("Bellmere", "OR"), ("Calder", "WA"), ("Dunmore", "WA"), ("Easton", "ID"),
           ("Fairlake", "ID"))  # fmt: skip


def address_of(chance: Chance, state: str = "") -> dict[str, str]:
    """An address, in a given state or anywhere."""
    city, where = chance.pick([place for place in _CITIES if state in ("", place[1])])
    street = f"{1 + chance.below(240)} {chance.pick(_STREETS)}"
    return {"street": street, "city": city, "state": where, "zip": f"9{chance.below(10000):04d}"}


def say_address(address: dict[str, str]) -> str:
    """An address in one line."""
    return f"{address['street']}, {address['city']}, {address['state']} {address['zip']}"


def person(chance: Chance, number: int) -> Row:
    """The columns that customers of all domains have; mail addresses are unique, and so are name and zip together."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[(number // len(_FIRST) + 7 * number) % len(_LAST)]
    home = address_of(chance)
    home["zip"] = f"9{(number * 37 + chance.below(9)) % 10000:04d}"
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}{10 + number}@example.com".lower(),
        "zip": home["zip"],
        "address": home,
    }


def the_row(desk: Desk, table: str, key: str, what: str = "") -> Row:
    """A row by its id, or the error `not_found`."""
    row = desk.db.get(table, key)
    if row is None:
        raise ToolError("not_found", f"there is no {what or table.rstrip('s')} {key!r:.40}")
    return row


def _by_email(desk: Desk, a: dict[str, Any]) -> Any:
    found = desk.db.where("customers", "email", a["email"].lower())
    if not found:
        raise ToolError("not_found", f"no customer has the email {a['email']!r:.60}")
    desk.session.customer = found[0]
    return {"customer_id": found[0]}


def _by_name(desk: Desk, a: dict[str, Any]) -> Any:
    for key in desk.db.where("customers", "zip", a["zip"]):
        row = the_row(desk, "customers", key)
        names = (row["first_name"].lower(), row["last_name"].lower())
        if names == (a["first_name"].lower(), a["last_name"].lower()):
            desk.session.customer = key
            return {"customer_id": key}
    raise ToolError("not_found", "no customer has this name at this zip code")


def find_tools() -> tuple[Tool, ...]:
    """The two searches that identify a customer."""
    names = (Param("first_name", "as registered"), Param("last_name", "as registered"), Param("zip", "of the home"))
    return (
        Tool("find_customer_by_email", "read", "Find a customer by email; this identifies them.",
             (Param("email", "the registered address"),), _by_email),
        Tool("find_customer_by_name_and_zip", "read", "Find a customer by name and zip; this identifies them.", names,
             _by_name),
    )  # fmt: skip


def transfer_tool() -> Tool:
    """Handing over to a person; the conversation ends with it."""
    return Tool("transfer_to_human", "generic", "Hand the customer over to a person. The conversation ends here.",
                (Param("summary", "what the customer wants, in a sentence"),), lambda desk, a: {"transferred": True})  # fmt: skip


def common_rules(
    private: tuple[str, ...], writes: tuple[str, ...], owner: Callable[[Situation], set[str]]
) -> tuple[Rule, ...]:
    """The rules of every domain: identity, one customer, consent, transfers."""
    return (
        Rule("G1", "Identify the customer by email, or by name and zip code, before you look at or change anything of "
             "theirs; the word of the customer is not enough.", (*private, *writes), lambda s: not s.session.customer),
        Rule("G2", "Serve only the customer who was identified; never look at or change what belongs to another.",
             (*private, *writes), lambda s: bool(s.session.customer) and bool(owner(s) - {s.session.customer})),
        Rule("G3", "Before each change, say what you are about to do and wait for a clear yes.", writes,
             lambda s: not s.session.assent, verdict="confirm"),
        Rule("G4", "Hand over to a person only a customer who has been identified.", ("transfer_to_human",),
             lambda s: not s.session.customer),
    )  # fmt: skip


def common_asks() -> dict[str, Ask]:
    """What identifies a customer."""
    return {
        "name": Ask("your full name", r"\b(full |first |last )?names?\b", ("I'm {}.", "My name is {}.", "It's {}.")),
        "email": Ask("your email address", r"e-?mail", ("My email is {}.", "It's {}.", "You have me as {}.")),
        "zip": Ask("your zip code", r"\b(zip|postal|post) ?(code)?\b", ("My zip code is {}.", "The zip is {}.")),
    }
