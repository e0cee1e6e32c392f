"""Skylark Air: an airline. The domain's table: its database, tools, policy and wishes put together."""

from __future__ import annotations

from typing import Any

from ludarium.envs.text.desk.domain import Ask, Domain
from ludarium.envs.text.desk.domains.people import common_asks
from ludarium.envs.text.desk.domains.travel_data import TODAY, make_base
from ludarium.envs.text.desk.domains.travel_policy import PREAMBLE, RULES
from ludarium.envs.text.desk.domains.travel_tools import PHRASES, TOOLS
from ludarium.envs.text.desk.domains.travel_wishes import WISHES
from ludarium.envs.text.desk.tables import Tables

__all__ = ["DOMAIN"]


def _candidates(db: Tables, customer: str, refers: str, value: Any) -> list[Any]:
    """Other values of the same kind, those nearest to the customer first."""
    own = db.get("customers", customer) or {}
    if refers in ("booking", "payment"):
        return [key for key in own[f"{refers}s"] if key != value]
    if refers == "flight":
        number = int(value[2:])
        return [key for key in (f"FL{number + step}" for step in (-2, -1, 1, 2)) if db.get("flights", key)]
    if refers == "name":
        return [f"{value}s"]
    return []


ASKS = {
    **common_asks(),
    "name": Ask("your full name", r"\b(your|full|first|last) names?\b|^name|\bname and\b",
                ("I'm {}.", "My name is {}.", "It's {}.")),
    "booking": Ask("the booking number", r"booking (number|id|code|reference)|(which|what) (booking|trip)",
                   ("It's booking {}.", "Booking {}.", "It's {}.")),
    "reason": Ask("the reason", r"\breasons?\b|\bwhy\b", ("The reason is {}.", "Well, {}.")),
    "flight": Ask("which flight you want", r"(which|what) flight|flight (number|do you|would you|you want)",
                  ("I'd like {}.", "{}.")),
    "payment": Ask("which payment method to use", r"payment|(which|what) card|how .*\bpay", ("{}.", "Please use {}.")),
    "cabin": Ask("which cabin you want", r"(which|what) (cabin|class)|cabin you want", ("In {}.", "{}, please.")),
    "meal": Ask("which meal you want", r"(which|what) (kind of )?(special )?meal", ("{}.", "A {} one.")),
    "zone": Ask("where you want to sit", r"where .*\bsit|(which|what) (part|seat|zone)", ("In the {}.", "The {}.")),
    "traveller": Ask("the traveller's new name", r"(traveller|passenger)('s)?( new)? name|new name|who (will|is going to) fly",
                     ("{} will fly.", "The new name is {}.")),
    "kind": Ask("what kind of assistance you need", r"kind of (assistance|help)|(which|what) (assistance|help)",
                ("{}.", "I need {}.")),
}  # fmt: skip

DOMAIN = Domain(
    name="travel",
    title="Skylark Air: policy of the service desk",
    preamble=PREAMBLE,
    today=TODAY,
    tools=TOOLS,
    rules=RULES,
    wishes=WISHES,
    asks=ASKS,
    make_base=make_base,
    customers="customers",
    candidates=_candidates,
    phrases=PHRASES,
)
