"""The airline's tools. They keep the tables whole; whether a change is allowed is for the policy to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ludarium.envs.text.desk.domain import Desk, day_name, money
from ludarium.envs.text.desk.domains.people import find_tools, the_row, transfer_tool
from ludarium.envs.text.desk.domains.travel_data import CABINS, MEALS, ZONES
from ludarium.envs.text.desk.tables import Row
from ludarium.envs.text.desk.tools import Param, Tool, ToolError

__all__ = ["ASSISTANCE", "PHRASES", "PRIVATE", "REASONS", "TOOLS", "WRITES"]

REASONS = ("change of plans", "illness", "flight cancelled")
ASSISTANCE = ("wheelchair", "guide", "boarding first")


def _touch(desk: Desk, booking: str, **columns: Any) -> None:
    desk.db.update("bookings", booking, touched=desk.today, **columns)


def _confirmed(desk: Desk, a: dict[str, Any]) -> Row:
    row = the_row(desk, "bookings", a["booking_id"])
    if row["status"] != "confirmed":
        raise ToolError("not_confirmed", "the booking is cancelled")
    return row


def _customer(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "customers", a["customer_id"])
    return {**row, "payments": {key: the_row(desk, "payments", key)["label"] for key in row["payments"]}}


def _booking(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "bookings", a["booking_id"])
    shown = {name: value for name, value in row.items() if name != "touched"}
    return {
        **shown,
        "paid": money(row["paid"]),
        "booked": day_name(row["booked"]),
        "flight_is": _flight(desk, {"flight_id": row["flight"]}),
    }


def _flight(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "flights", a["flight_id"])
    return {**row, "day": day_name(row["day"]), "price": {cabin: money(price) for cabin, price in row["price"].items()}}


def _search(desk: Desk, a: dict[str, Any]) -> Any:
    found = desk.db.where("flights", "from", a["from_city"])
    fits = [key for key in found if (desk.db.get("flights", key) or {})["to"] == a["to_city"]]
    return {key: _flight(desk, {"flight_id": key}) for key in fits if the_row(desk, "flights", key)["day"] > desk.today}


def _payment(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "payments", a["payment_id"])
    return {**row, "balance": money(row["balance"])}


def _paying(desk: Desk, row: Row, key: str) -> None:
    if the_row(desk, "payments", key)["customer"] != row["customer"]:
        raise ToolError("wrong_payment", "the payment method is another customer's")


def _cancel(desk: Desk, a: dict[str, Any]) -> Any:
    row = _confirmed(desk, a)
    key = desk.new_id("RF", "refunds")
    desk.db.put(
        "refunds", key, {"booking": a["booking_id"], "amount": row["paid"], "to": row["payment"], "why": a["reason"]}
    )
    _touch(desk, a["booking_id"], status="cancelled")
    return {"refund": key, "amount": money(row["paid"])}


def _change_flight(desk: Desk, a: dict[str, Any]) -> Any:
    row = _confirmed(desk, a)
    flight = the_row(desk, "flights", a["flight_id"])
    _paying(desk, row, a["payment_id"])
    if a["flight_id"] == row["flight"]:
        raise ToolError("nothing_to_do", "the booking is on this flight already")
    price = int(flight["price"][row["cabin"]])
    _touch(desk, a["booking_id"], flight=a["flight_id"], paid=price, payment=a["payment_id"])
    return {"booking": a["booking_id"], "difference": money(price - row["paid"])}


def _change_cabin(desk: Desk, a: dict[str, Any]) -> Any:
    row = _confirmed(desk, a)
    _paying(desk, row, a["payment_id"])
    if a["cabin"] == row["cabin"]:
        raise ToolError("nothing_to_do", "the booking is in this cabin already")
    price = int(the_row(desk, "flights", row["flight"])["price"][a["cabin"]])
    _touch(desk, a["booking_id"], cabin=a["cabin"], paid=price, payment=a["payment_id"])
    return {"booking": a["booking_id"], "difference": money(price - row["paid"])}


def _set(column: str, argument: str) -> Callable[[Desk, dict[str, Any]], Any]:
    def run(desk: Desk, a: dict[str, Any]) -> Any:
        if _confirmed(desk, a)[column] == a[argument]:
            raise ToolError("nothing_to_do", "the booking is so already")
        more = {"name_changed": True} if column == "traveller" else {}
        _touch(desk, a["booking_id"], **{column: a[argument]}, **more)
        return {"booking": a["booking_id"], column: a[argument]}

    return run


def _bags(desk: Desk, a: dict[str, Any]) -> Any:
    row = _confirmed(desk, a)
    _paying(desk, row, a["payment_id"])
    _touch(
        desk, a["booking_id"], bags=row["bags"] + a["bags"], paid=row["paid"] + 3500 * a["bags"], extras=a["payment_id"]
    )
    return {"booking": a["booking_id"], "bags": row["bags"] + a["bags"], "price": money(3500 * a["bags"])}


def _insure(desk: Desk, a: dict[str, Any]) -> Any:
    row = _confirmed(desk, a)
    _paying(desk, row, a["payment_id"])
    if row["insured"]:
        raise ToolError("nothing_to_do", "the booking is insured already")
    _touch(desk, a["booking_id"], insured=True, paid=row["paid"] + 2400, extras=a["payment_id"])
    return {"booking": a["booking_id"], "price": money(2400)}


def _compensate(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "bookings", a["booking_id"])
    key = desk.new_id("VO", "vouchers")
    desk.db.put(
        "vouchers", key, {"customer": row["customer"], "booking": a["booking_id"], "amount": 100 * a["dollars"]}
    )
    _touch(desk, a["booking_id"], compensated=True)
    return {"voucher": key, "amount": money(100 * a["dollars"])}


def _miles(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "bookings", a["booking_id"])
    _touch(desk, a["booking_id"], miles=True)
    return {"booking": a["booking_id"], "miles": row["paid"] // 10}


def _book(desk: Desk, a: dict[str, Any]) -> Any:
    customer = the_row(desk, "customers", a["customer_id"])
    flight = the_row(desk, "flights", a["flight_id"])
    _paying(desk, {"customer": a["customer_id"]}, a["payment_id"])
    key = desk.new_id("BK", "bookings")
    desk.db.put("bookings", key, {
        "customer": a["customer_id"], "flight": a["flight_id"], "cabin": a["cabin"], "paid": flight["price"][a["cabin"]],
        "payment": a["payment_id"], "booked": desk.today, "status": "confirmed", "bags": 0, "meal": "standard",
        "zone": "any", "insured": False, "assistance": "none", "traveller": "the customer", "name_changed": False,
        "compensated": False, "miles": False, "extras": "", "touched": desk.today,
    })  # fmt: skip
    desk.db.update("customers", a["customer_id"], bookings=[*customer["bookings"], key])
    return {"booking": key, "price": money(flight["price"][a["cabin"]])}


def _alerts(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "customers", a["customer_id"])
    desk.db.update("customers", a["customer_id"], alerts=a["on"])
    return {"customer": a["customer_id"], "alerts": a["on"]}


_BOOKING = Param("booking_id", "such as BK10023", refers="booking")
_PAY = Param("payment_id", "such as PM10023, of the same customer", refers="payment")
_FLIGHT = Param("flight_id", "such as FL10023", refers="flight")
_CABIN = Param("cabin", "the cabin", choices=CABINS)
_CUSTOMER = Param("customer_id", "such as CU10023")
_LIST = (
    *find_tools(),
    Tool("get_customer", "read", "A customer's profile, payment methods and bookings.", (_CUSTOMER,), _customer),
    Tool("get_booking", "read", "A booking and its flight.", (_BOOKING,), _booking),
    Tool("get_flight", "read", "A flight: day, prices, seats left, state.", (_FLIGHT,), _flight),
    Tool("search_flights", "read", "The coming flights of a route.",
         (Param("from_city", "where from"), Param("to_city", "where to")), _search),
    Tool("get_payment", "read", "A payment method and its balance.", (Param("payment_id", "such as PM10023"),), _payment),
    Tool("cancel_booking", "write", "Cancel a booking and refund it to how it was paid.",
         (_BOOKING, Param("reason", "why", choices=REASONS)), _cancel),
    Tool("change_flight", "write", "Move a booking to another flight.", (_BOOKING, _FLIGHT, _PAY), _change_flight),
    Tool("change_cabin", "write", "Move a booking to another cabin.", (_BOOKING, _CABIN, _PAY), _change_cabin),
    Tool("add_bags", "write", "Add checked bags, $35.00 each.",
         (_BOOKING, Param("bags", "how many more", "integer"), _PAY), _bags),
    Tool("choose_meal", "write", "Order a special meal.",
         (_BOOKING, Param("meal", "which", choices=MEALS)), _set("meal", "meal")),
    Tool("choose_zone", "write", "Choose where to sit.", (_BOOKING, Param("zone", "which part", choices=ZONES)),
         _set("zone", "zone")),
    Tool("change_traveller", "write", "Put another name on a booking.",
         (_BOOKING, Param("name", "first and last name", refers="name")), _set("traveller", "name")),
    Tool("add_insurance", "write", "Insure a booking, for $24.00.", (_BOOKING, _PAY), _insure),
    Tool("request_assistance", "write", "Ask for help at the airport.",
         (_BOOKING, Param("kind", "which", choices=ASSISTANCE)), _set("assistance", "kind")),
    Tool("give_voucher", "write", "Compensate for a delayed or cancelled flight.",
         (_BOOKING, Param("dollars", "whole dollars", "integer")), _compensate),
    Tool("credit_miles", "write", "Credit the miles of a flight that was flown.", (_BOOKING,), _miles),
    Tool("book_flight", "write", "Book a flight for a customer.", (_CUSTOMER, _FLIGHT, _CABIN, _PAY), _book),
    Tool("set_alerts", "write", "Send flight alerts, or not.", (_CUSTOMER, Param("on", "true to send", "boolean")), _alerts),
    transfer_tool(),
)  # fmt: skip
TOOLS = {tool.name: tool for tool in _LIST}
WRITES = tuple(tool.name for tool in _LIST if tool.kind == "write")
PRIVATE = ("get_customer", "get_booking", "get_payment")
PHRASES = {
    "cancel_booking": "cancel booking {booking_id}, reason: {reason}",
    "change_flight": "move booking {booking_id} to flight {flight_id}, with any difference on {payment_id}",
    "change_cabin": "move booking {booking_id} to {cabin}, with any difference on {payment_id}",
    "add_bags": "add {bags} checked bag(s) to booking {booking_id}, paid with {payment_id}",
    "choose_meal": "order a {meal} meal for booking {booking_id}",
    "choose_zone": "seat booking {booking_id} in the {zone}",
    "change_traveller": "put the name {name} on booking {booking_id}",
    "add_insurance": "insure booking {booking_id} for $24.00, paid with {payment_id}",
    "request_assistance": "ask for assistance ({kind}) for booking {booking_id}",
    "give_voucher": "give you a voucher of ${dollars} for booking {booking_id}",
    "credit_miles": "credit the miles of booking {booking_id}",
    "book_flight": "book flight {flight_id} in {cabin}, paid with {payment_id}",
    "set_alerts": "set flight alerts to {on}",
    "transfer_to_human": "hand you over to a colleague",
}
