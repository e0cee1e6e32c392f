"""The airline's database from a seed: customers, payment methods, flights, bookings."""

from __future__ import annotations

from ludarium.envs.text.desk.domain import Chance
from ludarium.envs.text.desk.domains.people import person
from ludarium.envs.text.desk.tables import Base, Row

__all__ = ["CABINS", "MEALS", "TODAY", "ZONES", "make_base"]

TODAY = 100
STREAM = 30
CABINS = ("basic", "economy", "business")
MEALS = ("vegetarian", "vegan", "halal", "gluten-free")
ZONES = ("front", "middle", "rear")
_ROUTES = (("Avonport", "Bellmere"), ("Bellmere", "Avonport"), ("Avonport", "Calder"), ("Calder", "Avonport"),
           ("Dunmore", "Easton"), ("Easton", "Dunmore"), ("Calder", "Fairlake"), ("Fairlake", "Calder"))  # fmt: skip


def make_base(seed: int, customers: int) -> Base:
    """The tables: five flights a route and three days, and two to three bookings a customer."""
    chance = Chance(seed, STREAM)
    flights: dict[str, Row] = {}
    for origin, target in _ROUTES:
        for day in range(TODAY - 60, TODAY + 60, 3):
            for _ in range(2):
                price = 6000 + 100 * chance.below(150)
                status = chance.pick(("on time", "on time", "on time", "delayed", "cancelled"))
                flights[f"FL{10000 + len(flights)}"] = {
                    "from": origin, "to": target, "day": day, "hour": 6 + chance.below(16),
                    "price": {"basic": price, "economy": price + 3000, "business": 3 * price},
                    "seats": {cabin: 0 if chance.below(6) == 0 else 1 + chance.below(30) for cabin in CABINS},
                    "status": status if day < TODAY + 20 else "on time",
                }  # fmt: skip
    people: dict[str, Row] = {}
    payments: dict[str, Row] = {}
    bookings: dict[str, Row] = {}
    keys = list(flights)
    for n in range(customers):
        key, methods = f"CU{10000 + n}", []
        for kind in ("card", *chance.some(("card", "voucher", "bank account"), 1 + chance.below(2))):
            method = f"PM{10000 + len(payments)}"
            label = {"card": f"the card ending in {1000 + (41 * len(payments)) % 9000}", "voucher": "the voucher",
                     "bank account": "the bank account"}[kind]  # fmt: skip
            payments[method] = {"customer": key, "kind": kind, "label": label,
                                "balance": 1000 * chance.below(60) if kind == "voucher" else 0}  # fmt: skip
            methods.append(method)
        mine = [f"BK{10000 + len(bookings) + k}" for k in range(2 + chance.below(3))]
        for booking in mine:
            bookings[booking] = _booking(chance, key, flights, chance.pick(keys), methods)
        people[key] = {**person(chance, n), "tier": chance.pick(("standard", "standard", "silver", "gold")),
                       "alerts": bool(chance.below(2)), "payments": methods, "bookings": mine}  # fmt: skip
    tables = {"customers": people, "payments": payments, "flights": flights, "bookings": bookings}
    return Base({**tables, "vouchers": {}, "refunds": {}}, {"bookings": frozenset({"touched"})})


def _booking(chance: Chance, customer: str, flights: dict[str, Row], flight: str, methods: list[str]) -> Row:
    cabin = chance.pick(("basic", "economy", "economy", "business"))
    day = flights[flight]["day"]
    return {
        "customer": customer,
        "flight": flight,
        "cabin": cabin,
        "paid": flights[flight]["price"][cabin],
        "payment": chance.pick(methods),
        "booked": min(TODAY - chance.below(6), day - 1) if chance.below(2) else min(TODAY, day) - 5 - chance.below(40),
        "status": "cancelled" if chance.below(14) == 0 else "confirmed",
        "bags": chance.below(3),
        "meal": "standard",
        "zone": "any",
        "insured": chance.below(4) == 0,
        "assistance": "none",
        "traveller": chance.pick(("the customer", "the customer", "Robin Hale", "Sasha Lund", "Toni Brink")),
        "name_changed": chance.below(6) == 0,
        "compensated": chance.below(8) == 0,
        "miles": chance.below(4) == 0,
        "extras": "",
        "touched": 0,
    }
