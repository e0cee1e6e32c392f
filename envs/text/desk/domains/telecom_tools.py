"""The carrier's tools, and those on the user's own phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ludarium.envs.text.desk.domain import Desk, day_name, money
from ludarium.envs.text.desk.domains.people import find_tools, the_row, transfer_tool
from ludarium.envs.text.desk.tools import Param, Tool, ToolError

__all__ = ["CUES", "PHRASES", "PRIVATE", "REPORTS", "TOOLS", "USER_TOOLS", "WRITES"]


def _customer(desk: Desk, a: dict[str, Any]) -> Any:
    return the_row(desk, "customers", a["customer_id"])


def _line(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "lines", a["line_id"])
    return {**{k: v for k, v in row.items() if k != "touched"}, "contract_ends": day_name(row["contract_ends"]),
            "changed_plan": day_name(row["changed_plan"])}  # fmt: skip


def _bill(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "bills", a["bill_id"])
    return {**row, "amount": money(row["amount"]), "due": day_name(row["due"])}


def _plans(desk: Desk, a: dict[str, Any]) -> Any:
    return {key: {**row, "price": money(row["price"])} for key, row in desk.db.rows("plans")}


def _network(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "lines", a["line_id"])
    return {"line": a["line_id"], "tower": "in order", "provisioned": row["status"] == "active"}


def _on_line(**columns: Any) -> Callable[[Desk, dict[str, Any]], Any]:
    def run(desk: Desk, a: dict[str, Any]) -> Any:
        row = the_row(desk, "lines", a["line_id"])
        if all(row[name] == value for name, value in columns.items()):
            raise ToolError("nothing_to_do", "the line is so already")
        desk.db.update("lines", a["line_id"], touched=desk.today, **columns)
        return {"line": a["line_id"], **columns}

    return run


def _plan(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "lines", a["line_id"])
    plan = the_row(desk, "plans", a["plan_id"])
    desk.db.update("lines", a["line_id"], plan=a["plan_id"], changed_plan=desk.today, touched=desk.today)
    return {"line": a["line_id"], "plan": plan["name"], "price": money(plan["price"])}


def _data(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "lines", a["line_id"])
    desk.db.update("lines", a["line_id"], extra_gb=row["extra_gb"] + a["gigabytes"], touched=desk.today)
    return {"line": a["line_id"], "extra_gb": row["extra_gb"] + a["gigabytes"], "price": money(200 * a["gigabytes"])}


def _switch(column: str) -> Callable[[Desk, dict[str, Any]], Any]:
    def run(desk: Desk, a: dict[str, Any]) -> Any:
        the_row(desk, "lines", a["line_id"])
        desk.db.update("lines", a["line_id"], touched=desk.today, **{column: a["on"]})
        return {"line": a["line_id"], column: a["on"]}

    return run


def _sim(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "lines", a["line_id"])
    used = {row["sim"] for _, row in desk.db.rows("lines")}
    new = next(f"SM{n}" for n in range(50001, 99999) if f"SM{n}" not in used)
    desk.db.update("lines", a["line_id"], sim=new, touched=desk.today)
    return {"line": a["line_id"], "sim": new}


def _pay(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "bills", a["bill_id"])
    if row["status"] == "paid":
        raise ToolError("already_paid", "the bill is paid already")
    desk.db.update("bills", a["bill_id"], status="paid")
    return {"bill": a["bill_id"], "paid": money(row["amount"])}


def _extend(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "bills", a["bill_id"])
    desk.db.update("bills", a["bill_id"], due=row["due"] + a["days"], extended=True)
    return {"bill": a["bill_id"], "due": day_name(row["due"] + a["days"])}


def _dispute(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "bills", a["bill_id"])
    key = desk.new_id("TK", "tickets")
    desk.db.put("tickets", key, {"bill": a["bill_id"], "kind": "dispute"})
    desk.db.update("bills", a["bill_id"], disputed=True)
    return {"ticket": key}


def _setting(column: str) -> Callable[[Desk, dict[str, Any]], Any]:
    def run(desk: Desk, a: dict[str, Any]) -> Any:
        the_row(desk, "customers", a["customer_id"])
        desk.db.update("customers", a["customer_id"], **{column: a["on"]})
        return {"customer": a["customer_id"], column: a["on"]}

    return run


# --- on the phone ----------------------------------------------------------------------------------------------------
def _phone(desk: Desk) -> dict[str, Any]:
    row = desk.user_db.get("phones", desk.customer)
    if row is None:
        raise ToolError("no_phone", "there is no phone here")
    return row


def _status(desk: Desk, a: dict[str, Any]) -> Any:
    row = _phone(desk)
    seen = [
        "airplane mode is on" if row["airplane_mode"] else "airplane mode is off",
        "mobile data is on" if row["mobile_data"] else "mobile data is off",
        "data roaming is on" if row["data_roaming"] else "data roaming is off",
        "the SIM is found" if row["sim_seated"] else "it says no SIM",
        f"the APN is {row['apn']}",
        "data saver is on" if row["data_saver"] else "data saver is off",
        "a VPN is on" if row["vpn"] else "no VPN",
        f"the network mode is {row['network_mode']}",
    ]
    return {"seen": ", ".join(seen)}


def _works(desk: Desk, a: dict[str, Any]) -> Any:
    row = _phone(desk)
    fine = (
        not row["airplane_mode"] and row["mobile_data"] and row["sim_seated"] and row["apn"] == "default"
        and not row["data_saver"] and not row["vpn"] and row["network_mode"] == "automatic"
    )  # fmt: skip
    return {"works": fine, "verdict": "it works now" if fine else "it still does not work"}


def _set(column: str) -> Callable[[Desk, dict[str, Any]], Any]:
    def run(desk: Desk, a: dict[str, Any]) -> Any:
        _phone(desk)
        desk.user_db.update("phones", desk.customer, **{column: a["on"]})
        return {"state": "on" if a["on"] else "off"}

    return run


def _to(**columns: Any) -> Callable[[Desk, dict[str, Any]], Any]:
    def run(desk: Desk, a: dict[str, Any]) -> Any:
        row = _phone(desk)
        more = {"restarts": row["restarts"] + 1} if "restarts" in columns else columns
        desk.user_db.update("phones", desk.customer, **more)
        return {"done": True}

    return run


_LINE = Param("line_id", "such as LN10023", refers="line")
_BILL = Param("bill_id", "such as BI10023", refers="bill")
_CUSTOMER = Param("customer_id", "such as CU10023")
_ON = Param("on", "true for on", "boolean")
_LIST = (
    *find_tools(),
    Tool("get_customer", "read", "A customer's profile, lines and bills.", (_CUSTOMER,), _customer),
    Tool("get_line", "read", "A line: plan, use, contract, state.", (_LINE,), _line),
    Tool("get_bill", "read", "A bill: amount, state, due day.", (_BILL,), _bill),
    Tool("list_plans", "read", "All plans.", (), _plans),
    Tool("check_network", "read", "How a line looks from the network's side.", (_LINE,), _network),
    Tool("change_plan", "write", "Put a line on another plan.",
         (_LINE, Param("plan_id", "such as PL10002", refers="plan")), _plan),
    Tool("add_data", "write", "Add data to a line, $2.00 a gigabyte.", 
         (_LINE, Param("gigabytes", "how many", "integer")), _data),
    Tool("set_roaming", "write", "Allow a line to roam, or not.", (_LINE, _ON), _switch("roaming")),
    Tool("block_premium_numbers", "write", "Block calls to premium numbers, or not.", (_LINE, _ON), _switch("blocked_premium")),
    Tool("suspend_line", "write", "Suspend a line, for a lost phone.", (_LINE,),
         _on_line(status="suspended", why_suspended="lost phone")),
    Tool("resume_line", "write", "Make a suspended line active again.", (_LINE,), _on_line(status="active")),
    Tool("unlock_phone", "write", "Unlock the phone of a line for other carriers.", (_LINE,), _on_line(locked=False)),
    Tool("replace_sim", "write", "Send a new SIM for a line.", (_LINE,), _sim),
    Tool("reset_voicemail", "write", "Set the voicemail PIN back to 0000.", (_LINE,), _on_line(voicemail_pin="0000")),
    Tool("pay_bill", "write", "Take payment of a bill.", (_BILL,), _pay),
    Tool("extend_bill", "write", "Give more days to pay a bill.", (_BILL, Param("days", "1 or more", "integer")), _extend),
    Tool("dispute_bill", "write", "Open a dispute about a bill.", (_BILL,), _dispute),
    Tool("set_autopay", "write", "Pay bills by themselves, or not.", (_CUSTOMER, _ON), _setting("autopay")),
    Tool("set_paper_bill", "write", "Send bills on paper, or not.", (_CUSTOMER, _ON), _setting("paper_bill")),
    transfer_tool(),
)  # fmt: skip
TOOLS = {tool.name: tool for tool in _LIST}
WRITES = tuple(tool.name for tool in _LIST if tool.kind == "write")
PRIVATE = ("get_customer", "get_line", "get_bill", "check_network")


def _own(name: str, kind: str, about: str, run: Any, *params: Param) -> Tool:
    return Tool(name, kind, about, params, run, seat="user")


_USER_LIST = (
    _own("check_phone", "read", "Look at the settings of the phone.", _status),
    _own("test_data", "read", "Try whether mobile data works.", _works),
    _own("set_airplane_mode", "write", "Switch airplane mode.", _set("airplane_mode"), _ON),
    _own("set_mobile_data", "write", "Switch mobile data.", _set("mobile_data"), _ON),
    _own("set_data_roaming", "write", "Switch data roaming.", _set("data_roaming"), _ON),
    _own("set_data_saver", "write", "Switch data saver.", _set("data_saver"), _ON),
    _own("set_vpn", "write", "Switch the VPN.", _set("vpn"), _ON),
    _own("set_wifi_calling", "write", "Switch Wi-Fi calling.", _set("wifi_calling"), _ON),
    _own("reseat_sim", "write", "Take the SIM out and put it in again.", _to(sim_seated=True)),
    _own("reset_apn", "write", "Set the APN back to default.", _to(apn="default")),
    _own("set_network_automatic", "write", "Set the network mode to automatic.", _to(network_mode="automatic")),
    _own("restart_phone", "write", "Turn the phone off and on.", _to(restarts=1)),
)
USER_TOOLS = {tool.name: tool for tool in _USER_LIST}


def _both(words: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Cues to switch a thing on and off."""
    found = []
    for state, verb in (("on", "enable"), ("off", "disable")):
        turn, the = "(turn|switch|put)", "(the |your )?"
        found.append(
            (rf"{turn} {state} {the}{words}|{turn} {the}{words} {state}|{verb} {the}{words}", {"on": state == "on"})
        )
    return tuple(found)


CUES: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "check_phone": ((r"(check|look at|tell me|read) (the |your )?(phone'?s? ?)?(settings|status)", {}),),
    "test_data": ((r"(test|try) (the |your )?(mobile )?(data|internet|connection)|is it working", {}),),
    "set_airplane_mode": _both("(airplane|flight) mode"),
    "set_mobile_data": _both("(mobile|cellular) data"),
    "set_data_roaming": _both("(data )?roaming on your phone"),
    "set_data_saver": _both("data saver"),
    "set_vpn": _both("vpn"),
    "set_wifi_calling": _both("wi-?fi calling"),
    "reseat_sim": ((r"(reseat|take out|remove|re-?insert) (the |your )?sim", {}),),
    "reset_apn": ((r"(reset|set) (the |your )?apn", {}),),
    "set_network_automatic": ((r"(set|switch|change) (the |your )?network mode", {}),),
    "restart_phone": ((r"(restart|reboot) (the |your )?phone|turn (the |your )?phone off and on", {}),),
}
REPORTS = {
    "check_phone": "I see this: {seen}.",
    "test_data": "I tried it: {verdict}.",
    "set_airplane_mode": "Airplane mode is {state} now.",
    "set_mobile_data": "Mobile data is {state} now.",
    "set_data_roaming": "Data roaming is {state} now.",
    "set_data_saver": "Data saver is {state} now.",
    "set_vpn": "The VPN is {state} now.",
    "set_wifi_calling": "Wi-Fi calling is {state} now.",
    "reseat_sim": "I took the SIM out and put it back.",
    "reset_apn": "The APN is back to default.",
    "set_network_automatic": "The network mode is automatic now.",
    "restart_phone": "I restarted the phone.",
}
PHRASES = {
    "change_plan": "put line {line_id} on plan {plan_id}",
    "add_data": "add {gigabytes} GB to line {line_id}",
    "set_roaming": "set roaming of line {line_id} to {on}",
    "block_premium_numbers": "set the block of premium numbers on line {line_id} to {on}",
    "suspend_line": "suspend line {line_id}",
    "resume_line": "make line {line_id} active again",
    "unlock_phone": "unlock the phone of line {line_id}",
    "replace_sim": "send a new SIM for line {line_id}",
    "reset_voicemail": "set the voicemail PIN of line {line_id} back to 0000",
    "pay_bill": "take payment of bill {bill_id}",
    "extend_bill": "give you {days} more days for bill {bill_id}",
    "dispute_bill": "open a dispute about bill {bill_id}",
    "set_autopay": "set automatic payment to {on}",
    "set_paper_bill": "set paper bills to {on}",
    "transfer_to_human": "hand you over to a colleague",
    "check_phone": "Please check your phone settings and say what you see.",
    "test_data": "Please test your mobile data.",
    "set_airplane_mode": "Please turn airplane mode {on}.",
    "set_mobile_data": "Please turn mobile data {on}.",
    "set_data_roaming": "Please turn data roaming on your phone {on}.",
    "set_data_saver": "Please turn data saver {on}.",
    "set_vpn": "Please turn the VPN {on}.",
    "set_wifi_calling": "Please turn Wi-Fi calling {on}.",
    "reseat_sim": "Please take out the SIM and put it in again.",
    "reset_apn": "Please reset the APN to default.",
    "set_network_automatic": "Please set the network mode to automatic.",
    "restart_phone": "Please restart your phone.",
}
