"""The shop's database from a seed: customers, payment methods, products, items, orders."""

from __future__ import annotations

from ludarium.envs.text.desk.domain import Chance
from ludarium.envs.text.desk.domains.people import address_of, person
from ludarium.envs.text.desk.tables import Base, Row

__all__ = ["TODAY", "make_base"]

TODAY = 100
STREAM = 10
_GOODS = (
    ("desk lamp", ("black", "brass", "white")), ("kettle", ("red", "steel", "cream")), ("wool blanket", ("grey", "green",
    "ochre")), ("bookshelf", ("oak", "walnut", "white")), ("armchair", ("blue", "grey", "rust")), ("teapot", ("white",
    "celadon", "black")), ("bath mat", ("navy", "sand", "white")), ("wall clock", ("oak", "black", "copper")),
    ("picture frame", ("gold", "black", "oak")), ("cushion", ("teal", "plum", "mustard")), ("rug", ("grey", "red",
    "cream")), ("floor lamp", ("black", "chrome", "bamboo")), ("frying pan", ("steel", "cast iron", "copper")),
    ("cutting board", ("maple", "acacia", "bamboo")), ("coat rack", ("black", "white", "oak")), ("side table", ("oak",
    "marble", "black")), ("table runner", ("linen", "blue", "striped")), ("laundry basket", ("wicker", "grey", "white")),
    ("vase", ("clear", "blue", "amber")), ("mirror", ("round", "oval", "square")), ("toaster", ("steel", "mint", "black")),
    ("garden chair", ("teak", "green", "white")), ("planter", ("terracotta", "grey", "white")), ("duvet cover", ("striped",
    "white", "sage")), ("bread box", ("cream", "steel", "green")), ("candle holder", ("brass", "glass", "black")),
    ("tablecloth", ("linen", "red", "checked")), ("storage bench", ("oak", "white", "grey")), ("spice rack", ("steel",
    "bamboo", "walnut")), ("towel set", ("white", "coral", "slate")),
)  # fmt: skip
_SIZES = ("small", "large")
_STATUS = ("pending", "pending", "pending", "shipped", "delivered", "delivered", "delivered", "cancelled")


def make_base(seed: int, customers: int) -> Base:
    """The tables: `customers` customers, two and a half orders each, 30 products in 6 variants."""
    chance = Chance(seed, STREAM)
    products: dict[str, Row] = {}
    items: dict[str, Row] = {}
    for p, (name, colours) in enumerate(_GOODS):
        made = []
        price = 1500 + 100 * chance.below(160)
        for n in range(6):
            key = f"IT{10000 + 10 * p + n}"
            options = {"finish": colours[n % 3], "size": _SIZES[n // 3]}
            items[key] = {
                "product": f"PR{100 + p}",
                "name": f"{options['size']} {name} in {options['finish']}",
                "options": options,
                "price": price + 250 * chance.below(20) + (1500 if n > 2 else 0),
                "stock": 0 if chance.below(6) == 0 else 1 + chance.below(40),
            }
            made.append(key)
        products[f"PR{100 + p}"] = {"name": name, "items": made, "clearance": chance.below(6) == 0}
    people: dict[str, Row] = {}
    payments: dict[str, Row] = {}
    orders: dict[str, Row] = {}
    for n in range(customers):
        key, tier = f"CU{10000 + n}", chance.pick(("standard", "standard", "silver", "gold"))
        methods = []
        for kind in ("card", *chance.some(("card", "gift card", "wallet"), 1 + chance.below(2))):
            method = f"PM{10000 + len(payments)}"
            label = {"card": f"the card ending in {1000 + (37 * len(payments)) % 9000}", "gift card": "the gift card",
                     "wallet": "the wallet"}[kind]  # fmt: skip
            payments[method] = {"customer": key, "kind": kind, "label": label,
                                "balance": 500 * chance.below(60) if kind == "gift card" else 0}  # fmt: skip
            methods.append(method)
        row = person(chance, n)
        mine = [f"OR{10000 + len(orders) + k}" for k in range(2 + chance.below(3))]
        for order in mine:
            orders[order] = _order(chance, key, row, methods, items)
        people[key] = {**row, "tier": tier, "newsletter": bool(chance.below(2)), "payments": methods, "orders": mine}
    volatile = {"orders": frozenset({"touched"}), "customers": frozenset({"touched"})}
    tables = {"customers": people, "payments": payments, "products": products, "items": items, "orders": orders}
    return Base({**tables, "refunds": {}, "credits": {}, "parcels": {}}, volatile)


def _order(chance: Chance, customer: str, row: Row, methods: list[str], items: dict[str, Row]) -> Row:
    goods = chance.some(range(len(_GOODS)), 1 + chance.below(4))
    lines = [f"IT{10000 + 10 * p + chance.below(6)}" for p in goods]
    status = chance.pick(_STATUS)
    age = chance.below(12) if status == "pending" else 3 + chance.below(20) if status == "shipped" else chance.below(75)
    placed = TODAY - age - (0 if status in ("pending", "shipped") else 5)
    return {
        "customer": customer,
        "lines": lines,
        "paid": {line: items[line]["price"] for line in lines},
        "status": status,
        "placed": placed,
        "delivered": min(TODAY, placed + 2 + chance.below(10)) if status == "delivered" else -1,
        "payment": chance.pick(methods),
        "address": row["address"] if chance.below(3) else address_of(chance),
        "delivery": chance.pick(("standard", "standard", "express")),
        "gift_wrap": chance.below(5) == 0,
        "changed": chance.below(6) == 0,
        "credited": chance.below(8) == 0,
        "returned": [],
        "exchanged": [],
        "tracking": f"TR{10000 + chance.below(89999)}",
        "touched": 0,
    }
