"""The carrier's database, and the phones of its customers, from a seed."""

from __future__ import annotations

from ludarium.envs.text.desk.domain import Chance
from ludarium.envs.text.desk.domains.people import person
from ludarium.envs.text.desk.tables import Base, Row

__all__ = ["PLANS", "TODAY", "make_base", "make_device"]

TODAY = 100
STREAM = 20
PLANS = (
    ("PL10001", "Lite", 1500, 2), ("PL10002", "Basic", 2200, 5), ("PL10003", "Plus", 3100, 10),
    ("PL10004", "Family", 4500, 20), ("PL10005", "Max", 6000, 50),
)  # fmt: skip


def make_base(seed: int, customers: int) -> Base:
    """The tables: customers with one to three lines each, and three bills a customer."""
    chance = Chance(seed, STREAM)
    people: dict[str, Row] = {}
    lines: dict[str, Row] = {}
    bills: dict[str, Row] = {}
    for n in range(customers):
        key = f"CU{10000 + n}"
        mine = [f"LN{10000 + len(lines) + k}" for k in range(1 + chance.below(3))]
        for k, line in enumerate(mine):
            lines[line] = _line(chance, key, len(lines), k)
        owed = [f"BI{10000 + len(bills) + k}" for k in range(3)]
        for k, bill in enumerate(owed):
            status = "paid" if k == 0 else chance.pick(("paid", "open", "open", "overdue"))
            bills[bill] = {"customer": key, "amount": 1500 + 10 * chance.below(700), "status": status,
                           "due": TODAY - 60 + 35 * k, "disputed": False, "extended": chance.below(5) == 0}  # fmt: skip
        people[key] = {**person(chance, n), "since": TODAY - 30 - chance.below(2000), "autopay": bool(chance.below(2)),
                       "paper_bill": bool(chance.below(2)), "lines": mine, "bills": owed}  # fmt: skip
    plans = {
        key: {"name": name, "price": price, "data_gb": data, "roaming": name in ("Plus", "Family", "Max")}
        for key, name, price, data in PLANS
    }
    volatile = {"lines": frozenset({"touched"})}
    return Base({"customers": people, "lines": lines, "bills": bills, "plans": plans, "tickets": {}}, volatile)


def _line(chance: Chance, customer: str, number: int, place: int) -> Row:
    plan = chance.pick(PLANS)
    return {
        "customer": customer,
        "number": f"555-{1000 + (7919 * number) % 9000}",
        "plan": plan[0],
        "status": "suspended" if place and chance.below(4) == 0 else "active",
        "why_suspended": chance.pick(("lost phone", "unpaid bill")),
        "roaming": chance.below(3) == 0,
        "used_gb": chance.below(2 * plan[3]),
        "extra_gb": 0,
        "contract_ends": TODAY - 200 + chance.below(400),
        "sim": f"SM{10000 + number}",
        "locked": chance.below(3) > 0,
        "blocked_premium": bool(chance.below(2)),
        "changed_plan": TODAY - chance.below(120),
        "voicemail_pin": "1234",
        "touched": 0,
    }


def make_device(seed: int, customers: int) -> Base:
    """One phone a customer, all in order; what is wrong with one belongs to a task."""
    phones: dict[str, Row] = {
        f"CU{10000 + n}": {
            "airplane_mode": False,
            "mobile_data": True,
            "data_roaming": False,
            "sim_seated": True,
            "apn": "default",
            "data_saver": False,
            "vpn": False,
            "network_mode": "automatic",
            "wifi_calling": False,
            "restarts": 0,
        }
        for n in range(customers)
    }
    return Base({"phones": phones}, {"phones": frozenset({"restarts"})})
