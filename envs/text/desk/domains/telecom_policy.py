"""The carrier's policy, rule by rule."""

from __future__ import annotations

from ludarium.envs.text.desk.domain import money
from ludarium.envs.text.desk.domains.people import common_rules
from ludarium.envs.text.desk.domains.telecom_tools import PRIVATE, WRITES
from ludarium.envs.text.desk.policy import Rule, Situation
from ludarium.envs.text.desk.tables import Row

__all__ = ["PREAMBLE", "RULES"]

PREAMBLE = (
    "You serve customers of Northwave Mobile by chat. You see the carrier's side; only the customer can touch the phone, so "
    "ask for what you need done there, one thing at a time. What these rules do not allow, you decline and say why; what "
    "neither you nor the customer can do (coverage plans, legal requests, moving a number in from another carrier), you "
    "hand over to a person. Today is 2026-04-11."
)
_ON_LINE = (
    "change_plan",
    "add_data",
    "set_roaming",
    "unlock_phone",
    "replace_sim",
    "reset_voicemail",
    "block_premium_numbers",
)


def _line(s: Situation) -> Row:
    return s.row("lines", "line_id")


def _bill(s: Situation) -> Row:
    return s.row("bills", "bill_id")


def _customer(s: Situation) -> Row:
    key = s.arguments.get("customer_id") or _line(s).get("customer") or _bill(s).get("customer") or ""
    return s.db.get("customers", key) or {}


def _owner(s: Situation) -> set[str]:
    found = {s.arguments.get("customer_id"), _line(s).get("customer"), _bill(s).get("customer")}
    return {str(key) for key in found if key}


def _overdue(s: Situation) -> bool:
    return any((s.db.get("bills", key) or {})["status"] == "overdue" for key in _customer(s).get("bills", ()))


def _price(s: Situation, plan: str) -> int:
    return int((s.db.get("plans", plan) or {"price": 0})["price"])


def _cheaper(s: Situation) -> bool:
    line = _line(s)
    return bool(line) and _price(s, s.arguments["plan_id"]) < _price(s, line["plan"])


def _plan(s: Situation) -> Row:
    return s.db.get("plans", _line(s).get("plan", "")) or {}


def _turns_on(s: Situation) -> bool:
    return bool(s.arguments.get("on"))


RULES = (
    *common_rules(PRIVATE, WRITES, _owner),
    Rule("N1", "Nothing is changed on a line that is not active, but for making it active again.", _ON_LINE,
         lambda s: bool(_line(s)) and _line(s)["status"] != "active", section="Lines"),
    Rule("T1", "The plan of a line can be changed once in 30 days.", ("change_plan",),
         lambda s: bool(_line(s)) and s.today - _line(s)["changed_plan"] < 30, section="Plans"),
    Rule("T2", "While its contract runs, a line cannot go to a cheaper plan.", ("change_plan",),
         lambda s: _cheaper(s) and _line(s)["contract_ends"] > s.today, section="Plans"),
    Rule("T3", "The new plan must be another than the present one.", ("change_plan",),
         lambda s: _line(s).get("plan") == s.arguments.get("plan_id"), section="Plans"),
    Rule("T4", "No plan is changed while a bill is overdue.", ("change_plan",), _overdue, section="Plans"),
    Rule("D1", "At most 5 GB are added to a line at a time.", ("add_data",), lambda s: s.arguments.get("gigabytes", 0) > 5,
         section="Data"),
    Rule("D2", "Data is added only when half of the plan's data has been used.", ("add_data",),
         lambda s: 2 * int(_line(s).get("used_gb", 0)) < int(_plan(s).get("data_gb", 0)), section="Data"),
    Rule("D3", "No data is added to lines on the plan Max.", ("add_data",), lambda s: _plan(s).get("name") == "Max",
         section="Data"),
    Rule("O1", "Roaming is allowed only on the plans Plus, Family and Max.", ("set_roaming",),
         lambda s: _turns_on(s) and not _plan(s).get("roaming"), section="Roaming"),
    Rule("O2", "Roaming is not allowed while a bill is overdue.", ("set_roaming",), lambda s: _turns_on(s) and _overdue(s),
         section="Roaming"),
    Rule("O3", "Roaming is allowed only to customers of at least 90 days.", ("set_roaming",),
         lambda s: _turns_on(s) and s.today - int(_customer(s).get("since", 0)) < 90, section="Roaming"),
    Rule("S1", "A line is not suspended while a bill is overdue.", ("suspend_line",), _overdue, section="Suspending"),
    Rule("S2", "The only active line of a customer is not suspended at the desk.", ("suspend_line",),
         lambda s: sum((s.db.get("lines", k) or {})["status"] == "active" for k in _customer(s).get("lines", ())) < 2,
         section="Suspending"),
    Rule("S3", "A line that was suspended for unpaid bills is resumed only when no bill is overdue.", ("resume_line",),
         lambda s: _line(s).get("why_suspended") == "unpaid bill" and _overdue(s), section="Suspending"),
    Rule("S4", "A line whose contract has ended is not resumed.", ("resume_line",),
         lambda s: bool(_line(s)) and _line(s)["contract_ends"] < s.today, section="Suspending"),
    Rule("K1", "A phone is unlocked only after its contract has ended.", ("unlock_phone",),
         lambda s: bool(_line(s)) and _line(s)["contract_ends"] > s.today, section="Phones"),
    Rule("K2", "No phone is unlocked while a bill is overdue.", ("unlock_phone",), _overdue, section="Phones"),
    Rule("M1", "A new SIM is sent only to customers of at least 90 days.", ("replace_sim",),
         lambda s: s.today - int(_customer(s).get("since", 0)) < 90, section="Phones"),
    Rule("M2", "One new SIM a conversation.", ("replace_sim",), lambda s: "replace_sim" in s.session.writes, section="Phones"),
    Rule("P1", "A disputed bill is not paid.", ("pay_bill",), lambda s: bool(_bill(s).get("disputed")), section="Bills"),
    Rule("P2", f"Bills of more than {money(7000)} are not paid at the desk.", ("pay_bill",),
         lambda s: int(_bill(s).get("amount", 0)) > 7000, section="Bills"),
    Rule("P3", "With automatic payment on, open bills are not paid by hand; overdue ones are.", ("pay_bill",),
         lambda s: bool(_customer(s).get("autopay")) and _bill(s).get("status") == "open", section="Bills"),
    Rule("E1", "Only an open bill that is not overdue can get more days.", ("extend_bill",),
         lambda s: _bill(s).get("status") != "open", section="Bills"),
    Rule("E2", "At most 14 days more.", ("extend_bill",), lambda s: s.arguments.get("days", 0) > 14, section="Bills"),
    Rule("E3", "A bill gets more days once.", ("extend_bill",), lambda s: bool(_bill(s).get("extended")), section="Bills"),
    Rule("X1", "A paid bill cannot be disputed.", ("dispute_bill",), lambda s: _bill(s).get("status") == "paid", section="Bills"),
    Rule("X2", f"Only bills of at least {money(2000)} are disputed.", ("dispute_bill",),
         lambda s: int(_bill(s).get("amount", 0)) < 2000, section="Bills"),
    Rule("X3", "A bill is disputed once.", ("dispute_bill",), lambda s: bool(_bill(s).get("disputed")), section="Bills"),
    Rule("B1", "Automatic payment is not begun while a bill is overdue.", ("set_autopay",),
         lambda s: _turns_on(s) and _overdue(s), section="Settings"),
    Rule("B2", "Paper bills are not sent to customers with automatic payment.", ("set_paper_bill",),
         lambda s: _turns_on(s) and bool(_customer(s).get("autopay")), section="Settings"),
)  # fmt: skip
