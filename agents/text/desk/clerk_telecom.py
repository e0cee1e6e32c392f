"""The clerk of the carrier: its wishes, its policy as checks over what tools show, and what it asks of the customer's hands."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from ludarium.agents.text.desk.clerk import Clerk, Script, Snag, call, cents, day_of

__all__ = ["TelecomClerk"]

_PLAN = r"\b(Lite|Basic|Plus|Family|Max)\b"
_WRONG = (
    ("airplane mode is on", "Please turn airplane mode off."),
    ("mobile data is off", "Please turn mobile data on."),
    ("no sim", "Please take out the SIM and put it in again."),
    (r"the apn is (?!default)", "Please reset the APN to default."),
    ("data saver is on", "Please turn data saver off."),
    ("vpn is on", "Please turn the VPN off."),
    (r"network mode is (?!automatic)", "Please set the network mode to automatic."),
)
"""What a phone without data may show, and what mends it."""


class TelecomClerk(Clerk):
    """Serves at Northwave Mobile."""

    kinds: ClassVar[tuple[tuple[str, str], ...]] = (
        ("person", r"\bmast\b|coverage|lawyer|legal|call records|number over"),
        ("no_data", r"no internet|internet has stopped|get online"),
        ("abroad", r"abroad|roaming|another country"),
        ("wifi", r"wi-?fi"),
        ("contract", r"contract"),
        ("plan", r"\bplans?\b"),
        ("data", r"\d+ gb"),
        ("used", r"how much data|data usage"),
        ("resume", r"is suspended|suspended line|suspension"),
        ("suspend", r"suspend"),
        ("unlock", r"\bunlock"),
        ("sim", r"\bsim\b"),
        ("voicemail", r"voicemail"),
        ("premium", r"premium"),
        ("autopay", r"automatically|by hand"),
        ("paper", r"on paper"),
        ("extend", r"more time|later|extension"),
        ("dispute", r"dispute|complain"),
        ("pay", r"\b(pay|settle) a bill"),
    )
    questions: ClassVar[dict[str, tuple[str, str]]] = {
        "line": ("the phone number of the line", r"\b555-\d{4}\b"),
        "bill": ("the number of the bill", r"\bbi\d{5}\b"),
        "plan": ("which plan you want", _PLAN.lower()),
        "days": ("how many more days you need", r"\b\d+ days"),
    }

    # --- what the words mean ---------------------------------------------------------------------------------------
    def line(self) -> Script:
        """The id of the line whose number the user told, and what the desk knows of it; `Snag` if it is none of theirs."""
        number = self.told(r"\b555-\d{4}\b")
        for key in (yield from self.profile())["lines"]:
            row = yield from self.look("get_line", line_id=key)
            if row["number"] == number:
                return key, row
        raise Snag(f"{number} is none of your lines")

    def bill(self) -> Script:
        """The bill that the user named."""
        key = self.told(r"\bBI\d{5}\b")
        return key, (yield from self.look("get_bill", bill_id=key))

    def overdue(self) -> Script:
        """Whether a bill of the customer is overdue."""
        for key in (yield from self.profile())["bills"]:
            if (yield from self.look("get_bill", bill_id=key))["status"] == "overdue":
                return True
        return False

    def days(self) -> Script:
        """For how many days the customer has been one."""
        return self.today - day_of((yield from self.profile())["since"])

    def on_line(self, words: str, tool: str, *checks: tuple[str, Any], **arguments: Any) -> Script:
        """A change of an active line."""
        key, row = yield from self.line()
        made = call(tool, line_id=key, **arguments)
        return (yield from self.settle((("N1", row["status"] != "active"), *checks), words.format(key), made))

    # --- lines -----------------------------------------------------------------------------------------------------
    def plan(self) -> Script:
        """Change the plan of a line."""
        yield from self.ask("line", "plan")
        (key, row), plans = (yield from self.line()), (yield from self.look("list_plans"))
        new = next(plan for plan, about in plans.items() if about["name"] == self.told(_PLAN))
        cheaper = cents(plans[new]["price"]) < cents(plans[row["plan"]]["price"])
        checks = (
            ("N1", row["status"] != "active"), ("T1", self.today - day_of(row["changed_plan"]) < 30),
            ("T2", cheaper and day_of(row["contract_ends"]) > self.today), ("T3", new == row["plan"]),
            ("T4", (yield from self.overdue())),
        )  # fmt: skip
        plan = f"put line {key} on the plan {plans[new]['name']} ({new})"
        made = call("change_plan", line_id=key, plan_id=new)
        return (yield from self.settle(checks, plan, made, lambda r: f"It costs {r['price']} a month."))

    def data(self) -> Script:
        """Add data to a line."""
        yield from self.ask("line")
        (key, row), plans = (yield from self.line()), (yield from self.look("list_plans"))
        size, plan = int(self.told(r"\d+ GB").split(" ")[0]), plans[row["plan"]]
        checks = (
            ("N1", row["status"] != "active"), ("D1", size > 5), ("D2", 2 * row["used_gb"] < plan["data_gb"]),
            ("D3", plan["name"] == "Max"),
        )  # fmt: skip
        made = call("add_data", line_id=key, gigabytes=size)
        return (
            yield from self.settle(checks, f"add {size} GB to line {key}", made, lambda r: f"That is {r['price']}.")
        )

    def abroad(self) -> Script:
        """Allow a line to roam, and have the phone told."""
        yield from self.ask("line")
        (key, row), plans = (yield from self.line()), (yield from self.look("list_plans"))
        checks = (
            ("N1", row["status"] != "active"), ("O1", not plans[row["plan"]]["roaming"]),
            ("O2", (yield from self.overdue())), ("O3", (yield from self.days()) < 90),
        )  # fmt: skip
        made = call("set_roaming", line_id=key, on=True)
        more = "Please turn data roaming on your phone on."
        return (yield from self.settle(checks, f"allow line {key} to roam", made, more=more))

    def suspend(self) -> Script:
        """Suspend a line."""
        yield from self.ask("line")
        key, _ = yield from self.line()
        active = 0
        for line in (yield from self.profile())["lines"]:
            active += (yield from self.look("get_line", line_id=line))["status"] == "active"
        checks = (("S1", (yield from self.overdue())), ("S2", active < 2))
        return (yield from self.settle(checks, f"suspend line {key}", call("suspend_line", line_id=key)))

    def resume(self) -> Script:
        """Make a line active again."""
        yield from self.ask("line")
        key, row = yield from self.line()
        unpaid = row["why_suspended"] == "unpaid bill" and (yield from self.overdue())
        checks = (("S3", unpaid), ("S4", day_of(row["contract_ends"]) < self.today))
        return (yield from self.settle(checks, f"make line {key} active again", call("resume_line", line_id=key)))

    def unlock(self) -> Script:
        """Unlock a phone."""
        yield from self.ask("line")
        _, row = yield from self.line()
        bound = ("K1", day_of(row["contract_ends"]) > self.today)
        return (yield from self.on_line("unlock the phone of line {}", "unlock_phone", bound,
                                        ("K2", (yield from self.overdue()))))  # fmt: skip

    def sim(self) -> Script:
        """Send a new SIM."""
        yield from self.ask("line")
        new = ("M1", (yield from self.days()) < 90)
        return (yield from self.on_line("send a new SIM for line {}", "replace_sim", new))

    def voicemail(self) -> Script:
        """Reset a PIN."""
        yield from self.ask("line")
        return (yield from self.on_line("set the voicemail PIN of line {} back to 0000", "reset_voicemail"))

    def premium(self) -> Script:
        """Block premium numbers."""
        yield from self.ask("line")
        return (yield from self.on_line("block premium numbers on line {}", "block_premium_numbers", on=True))

    def used(self) -> Script:
        """Tell how much data is used."""
        yield from self.ask("line")
        key, row = yield from self.line()
        return (yield from self.answer(f"line {key} has used {row['used_gb']} GB."))

    def contract(self) -> Script:
        """Tell when a contract ends."""
        yield from self.ask("line")
        key, row = yield from self.line()
        return (yield from self.answer(f"the contract of line {key} ends on {row['contract_ends']}."))

    # --- the phone -------------------------------------------------------------------------------------------------
    def no_data(self) -> Script:
        """Have the customer look at the phone, and mend what is wrong, one thing at a time."""
        yield from self.ask("line")
        key, _ = yield from self.line()
        yield from self.look("check_network", line_id=key)
        seen = (yield "Please check your phone settings and say what you see.").lower()
        for pattern, remedy in _WRONG:
            if re.search(pattern, seen):
                yield remedy
        yield "Please test your mobile data."
        return (yield from self.close())

    def wifi(self) -> Script:
        """Have the customer turn Wi-Fi calling on."""
        yield "Please turn Wi-Fi calling on."
        return (yield from self.close())

    # --- bills and settings ----------------------------------------------------------------------------------------
    def pay(self) -> Script:
        """Take payment."""
        yield from self.ask("bill")
        (key, row), autopay = (yield from self.bill()), (yield from self.profile())["autopay"]
        checks = (
            ("P1", row["disputed"]), ("P2", cents(row["amount"]) > 7000), ("P3", autopay and row["status"] == "open"),
        )  # fmt: skip
        plan, made = f"take payment of {row['amount']} for bill {key}", call("pay_bill", bill_id=key)
        return (yield from self.settle(checks, plan, made, lambda r: f"{r['paid']} is paid."))

    def extend(self) -> Script:
        """Give more days to pay."""
        yield from self.ask("bill", "days")
        (key, row), days = (yield from self.bill()), int(self.told(r"\b\d+ days").split(" ")[0])
        checks = (("E1", row["status"] != "open"), ("E2", days > 14), ("E3", row["extended"]))
        made = call("extend_bill", bill_id=key, days=days)
        plan = f"give you {days} more days for bill {key}"
        return (yield from self.settle(checks, plan, made, lambda r: f"It is due on {r['due']}."))

    def dispute(self) -> Script:
        """Open a dispute."""
        yield from self.ask("bill")
        key, row = yield from self.bill()
        checks = (("X1", row["status"] == "paid"), ("X2", cents(row["amount"]) < 2000), ("X3", row["disputed"]))
        return (yield from self.settle(checks, f"open a dispute about bill {key}", call("dispute_bill", bill_id=key)))

    def autopay(self) -> Script:
        """Pay bills by themselves, or not."""
        on = "automatically" in self.said.lower()
        checks = (("B1", on and (yield from self.overdue())),)
        made = call("set_autopay", customer_id=self.customer, on=on)
        return (yield from self.settle(checks, f"turn automatic payment {'on' if on else 'off'}", made))

    def paper(self) -> Script:
        """Send bills on paper, or not."""
        on = "stop" not in self.said.lower()
        checks = (("B2", on and (yield from self.profile())["autopay"]),)
        made = call("set_paper_bill", customer_id=self.customer, on=on)
        return (
            yield from self.settle(checks, f"{'send your bills on paper' if on else 'stop the bills on paper'}", made)
        )
