"""What the carrier's customers come for; some of it only their own hands on the phone can do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ludarium.envs.text.desk.domain import Draft, Wish, called, day_name, judged, money, slot
from ludarium.envs.text.desk.domains.telecom_data import PLANS
from ludarium.envs.text.desk.domains.telecom_policy import RULES

__all__ = ["WISHES"]

Found = dict[str, Any] | None


def _take(d: Draft, column: str) -> str:
    """A line or a bill that no other wish has; empty if there is none."""
    free = [key for key in d.row("customers", d.customer)[column] if key not in d.used]
    if not free:
        return ""
    chosen: str = d.chance.pick(free)
    d.used.add(chosen)
    return chosen


def _line(d: Draft) -> str:
    return _take(d, "lines")


def _slots(d: Draft, line: str) -> dict[str, Any]:
    return {"line": slot(line, d.row("lines", line)["number"])}


def _reads(d: Draft, line: str) -> list[dict[str, Any]]:
    return [called("get_customer", customer_id=d.customer), called("get_line", line_id=line)]


def _on_a_line(tool: str, **arguments: Any) -> Callable[[Draft], Found]:
    """A wish for one call on a line."""

    def draw(d: Draft) -> Found:
        line = _line(d)
        if not line:
            return None
        row = d.row("lines", line)
        needless = {
            "suspend_line": row["status"] == "suspended", "resume_line": row["status"] == "active",
            "unlock_phone": not row["locked"], "reset_voicemail": row["voicemail_pin"] == "0000",
            "block_premium_numbers": row["blocked_premium"],
        }  # fmt: skip
        if needless.get(tool):
            return None
        return judged(RULES, d, called(tool, line_id=line, **arguments), reads=_reads(d, line), slots=_slots(d, line))

    return draw


def _plan(d: Draft) -> Found:
    line = _line(d)
    if not line:
        return None
    key, name, price, _ = d.chance.pick([plan for plan in PLANS if plan[0] != d.row("lines", line)["plan"]])
    return judged(RULES, d, called("change_plan", line_id=line, plan_id=key),
                  reads=[*_reads(d, line), called("list_plans")], slots={**_slots(d, line), "plan": slot(key, f"{name}")},
                  opening=["plan"] if d.chance.below(2) else [], tell=[money(price)])  # fmt: skip


def _data(d: Draft) -> Found:
    line = _line(d)
    if not line:
        return None
    size = d.chance.pick((1, 2, 3, 5, 8))
    return judged(RULES, d, called("add_data", line_id=line, gigabytes=size), reads=_reads(d, line), opening=["size"],
                  slots={**_slots(d, line), "size": slot(size, f"{size} GB")}, tell=[money(200 * size)])  # fmt: skip


def _bill(tool: str, fine: tuple[str, ...]) -> Callable[[Draft], Found]:
    """A wish about a bill."""

    def draw(d: Draft) -> Found:
        bill = _take(d, "bills")
        if not bill or d.row("bills", bill)["status"] not in fine:
            return None
        row, more, slots = d.row("bills", bill), {}, {"bill": slot(bill)}
        tell = [money(row["amount"])] if tool == "pay_bill" else []
        if tool == "extend_bill":
            more["days"] = d.chance.pick((5, 7, 10, 14, 21))
            slots["days"] = slot(more["days"], f"{more['days']} days")
            tell = [day_name(row["due"] + more["days"])]
        return judged(RULES, d, called(tool, bill_id=bill, **more), reads=[called("get_customer", customer_id=d.customer),
                      called("get_bill", bill_id=bill)], slots=slots, tell=tell)  # fmt: skip

    return draw


def _setting(tool: str, column: str, yes: str, no: str) -> Callable[[Draft], Found]:
    """A wish about a setting of the customer."""

    def draw(d: Draft) -> Found:
        if tool in d.used or d.chance.below(3):
            return None
        d.used.add(tool)
        on = not d.row("customers", d.customer)[column]
        return judged(RULES, d, called(tool, customer_id=d.customer, on=on), opening=["setting"],
                      reads=[called("get_customer", customer_id=d.customer)],
                      slots={"setting": slot(on, yes if on else no)})  # fmt: skip

    return draw


_FAULTS: tuple[tuple[dict[str, Any], str, dict[str, Any]], ...] = (
    ({"airplane_mode": True}, "set_airplane_mode", {"on": False}),
    ({"mobile_data": False}, "set_mobile_data", {"on": True}),
    ({"sim_seated": False}, "reseat_sim", {}),
    ({"apn": "broken"}, "reset_apn", {}),
    ({"data_saver": True}, "set_data_saver", {"on": False}),
    ({"vpn": True}, "set_vpn", {"on": False}),
    ({"network_mode": "2G only"}, "set_network_automatic", {}),
)


def _by_user(name: str, **arguments: Any) -> dict[str, Any]:
    return {"seat": "user", **called(name, **arguments)}


def _no_data(d: Draft) -> Found:
    """The phone is set wrongly in one to three ways: only the user can mend it."""
    line = _line(d)
    if not line or "phone" in d.used or d.row("lines", line)["status"] != "active":
        return None
    d.used.add("phone")
    faults = d.chance.some(_FAULTS, 1 + d.chance.below(3))
    columns: dict[str, Any] = {}
    for fault, _, _ in faults:
        columns.update(fault)
    d.init.append(["phones", d.customer, columns])
    d.desk.user_db.update("phones", d.customer, **columns)
    writes = [_by_user(tool, **arguments) for _, tool, arguments in faults]
    reads = [called("get_line", line_id=line), called("check_network", line_id=line), _by_user("check_phone")]
    return {"slots": _slots(d, line), "reads": reads, "writes": [*writes, _by_user("test_data")]}


def _abroad(d: Draft) -> Found:
    """Roaming needs both: the line must be allowed to roam, and the phone told to."""
    line = _line(d)
    if not line or "abroad" in d.used or d.row("lines", line)["roaming"]:
        return None
    d.used.add("abroad")
    wish = judged(RULES, d, called("set_roaming", line_id=line, on=True), reads=_reads(d, line), slots=_slots(d, line))
    if wish["verdict"] == "allow":
        wish["writes"].append(_by_user("set_data_roaming", on=True))
    return wish


def _wifi(d: Draft) -> Found:
    if "wifi" in d.used or d.chance.below(2):
        return None
    d.used.add("wifi")
    return {"writes": [_by_user("set_wifi_calling", on=True)]}


def _used(d: Draft) -> Found:
    line = _line(d)
    if not line:
        return None
    return {"slots": _slots(d, line), "reads": _reads(d, line), "tell": [f"{d.row('lines', line)['used_gb']} GB"]}


def _contract(d: Draft) -> Found:
    line = _line(d)
    if not line:
        return None
    return {
        "slots": _slots(d, line),
        "reads": _reads(d, line),
        "tell": [day_name(d.row("lines", line)["contract_ends"])],
    }


def _person(d: Draft) -> Found:
    about, say = d.chance.pick(
        (
            ("coverage plan", "I want to know when you will build a mast in my valley"),
            ("legal request", "my lawyer needs the call records of last year"),
            ("number from another carrier", "I'd like to bring my number over from another carrier"),
        )
    )
    call = called("transfer_to_human", summary=f"The customer asks about a {about}.")
    return {"verdict": "transfer", "slots": {"matter": slot(about, say)}, "opening": ["matter"], "writes": [call]}


_LIST = (
    Wish("no_data", ("I have no internet on my phone.", "My mobile internet has stopped working.",
                     "My phone can't get online any more."), _no_data),
    Wish("abroad", ("I'm travelling and want to use my phone abroad.", "How do I get roaming for my trip?",
                    "I need my phone to work in another country."), _abroad),
    Wish("wifi_calling", ("Reception at home is bad; can I make calls over Wi-Fi?", "I'd like to make calls over Wi-Fi.",
                          "Can my phone make calls over Wi-Fi?"), _wifi),
    Wish("change_plan", ("I'd like another plan{plan:, the plan %}.", "Can I change my plan{plan: to %}?",
                         "I want to switch plans{plan:, to %}."), _plan),
    Wish("add_data", ("I've nearly used up my data; can I get {size} more?", "Please add {size} of data.",
                      "I need {size} of extra data."), _data),
    Wish("suspend", ("I've lost a phone; please suspend the line.", "Please suspend a line of mine, the phone is gone.",
                     "My phone was stolen. Can you suspend its line?"), _on_a_line("suspend_line")),
    Wish("resume", ("One of my lines is suspended; I want it back.", "Please make a suspended line active again.",
                    "Can you lift the suspension of one of my lines?"), _on_a_line("resume_line")),
    Wish("unlock", ("I want my phone unlocked for other carriers.", "Can you unlock a phone of mine?",
                    "Please unlock my phone."), _on_a_line("unlock_phone")),
    Wish("new_sim", ("I need a new SIM.", "My SIM is broken; please send another.", "Can I get a replacement SIM?"),
         _on_a_line("replace_sim")),
    Wish("voicemail", ("I forgot my voicemail PIN.", "Please reset my voicemail PIN.",
                       "Can you set my voicemail PIN back?"), _on_a_line("reset_voicemail")),
    Wish("block_premium", ("My son keeps calling premium numbers; please block them.", "I want premium numbers blocked.",
                           "Can you block expensive premium numbers?"), _on_a_line("block_premium_numbers", on=True)),
    Wish("pay", ("I want to pay a bill.", "Can I pay a bill with you now?", "I'd like to settle a bill."),
         _bill("pay_bill", ("open", "overdue"))),
    Wish("extend", ("I need more time to pay a bill.", "Can I pay a bill later?", "Could I have an extension on a bill?"),
         _bill("extend_bill", ("open", "overdue"))),
    Wish("dispute", ("A bill of mine is wrong and I want to dispute it.", "I want to complain about a bill.",
                     "One of my bills is too high; I dispute it."), _bill("dispute_bill", ("open", "overdue", "paid"))),
    Wish("autopay", ("I want {setting}.", "I'd like {setting}."),
         _setting("set_autopay", "autopay", "my bills to be paid automatically", "to pay my bills by hand again")),
    Wish("paper", ("I want {setting}.", "I'd like {setting}."),
         _setting("set_paper_bill", "paper_bill", "to get my bills on paper", "to stop the bills on paper")),
    Wish("data_used", ("How much data have I used?", "I'd like to know how much data is used up.",
                       "Can you tell me my data usage?"), _used),
    Wish("contract", ("When does my contract end?", "I'd like to know the end of my contract.",
                      "Until when does my contract run?"), _contract),
    Wish("person", ("{matter}.", "There is one more thing: {matter}.", "Also, {matter}."), _person),
)  # fmt: skip
WISHES = {wish.kind: wish for wish in _LIST}
