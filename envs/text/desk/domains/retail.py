"""Larkspur Goods: a shop for the home. The domain's table: its database, tools, policy and wishes put together."""

from __future__ import annotations

from typing import Any

from ludarium.envs.text.desk.domain import Ask, Domain
from ludarium.envs.text.desk.domains.people import common_asks
from ludarium.envs.text.desk.domains.retail_data import TODAY, make_base
from ludarium.envs.text.desk.domains.retail_policy import PREAMBLE, RULES
from ludarium.envs.text.desk.domains.retail_tools import PHRASES, TOOLS
from ludarium.envs.text.desk.domains.retail_wishes import WISHES
from ludarium.envs.text.desk.tables import Tables

__all__ = ["DOMAIN"]


def _candidates(db: Tables, customer: str, refers: str, value: Any) -> list[Any]:
    """Other values of the same kind, those nearest to the customer first."""
    own = db.get("customers", customer) or {}
    if refers == "order":
        return [key for key in own["orders"] if key != value]
    if refers == "payment":
        return [key for key in own["payments"] if key != value]
    if refers == "item":
        item = db.get("items", value) or {}
        return [key for key in (db.get("products", item.get("product", "")) or {"items": []})["items"] if key != value]
    if refers == "order_item":
        lines = [line for order in own["orders"] for line in (db.get("orders", order) or {})["lines"]]
        return [key for key in dict.fromkeys(lines) if key != value]
    if refers == "street":
        return [f"1{value}"]
    return []


ASKS = {
    **common_asks(),
    "order": Ask("the order number", r"order (number|id|no)|which order|what order", ("It's order {}.", "Order {}.")),
    "items": Ask("which item it is about", r"(which|what) (of the )?(items?|articles?|products?)|items? (is|are) it",
                 ("The {}.", "It's the {}.")),
    "reason": Ask("the reason", r"\breasons?\b|\bwhy\b", ("Because it was {}.", "It was {}.")),
    "variant": Ask("which variant you want instead", r"(which|what) (variant|version|colou?r|option|size)|want instead",
                   ("I'd like {}.", "{} please.")),
    "payment": Ask("which payment method to use",
                   r"payment|refund(ed)? (go )?to|(which|what) card|paid (back )?to|where .*\brefund\b",
                   ("{}.", "Please use {}.", "I'd like it on {}.")),
    "address": Ask("the new address", r"address", ("The new address is {}.", "{}.")),
    "product": Ask("which product you mean", r"(which|what) (product|variant|item|article)", ("The {}.",)),
}  # fmt: skip

DOMAIN = Domain(
    name="retail",
    title="Larkspur Goods: policy of the service desk",
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
