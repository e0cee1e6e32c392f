"""The airline's policy, rule by rule."""

from __future__ import annotations

from ludarium.envs.text.desk.domains.people import common_rules
from ludarium.envs.text.desk.domains.travel_data import CABINS
from ludarium.envs.text.desk.domains.travel_tools import PRIVATE, WRITES
from ludarium.envs.text.desk.policy import Rule, Situation
from ludarium.envs.text.desk.tables import Row

__all__ = ["PREAMBLE", "RULES"]

PREAMBLE = (
    "You serve customers of Skylark Air by chat. You may look things up and change them with your tools, one customer a "
    "conversation. What these rules do not allow, you decline and say why; what your tools cannot do at all (groups, lost "
    "bags, unaccompanied children), you hand over to a person. Today is 2026-04-11."
)


def _booking(s: Situation) -> Row:
    return s.row("bookings", "booking_id")


def _flight(s: Situation) -> Row:
    """The flight of the booking."""
    return s.db.get("flights", _booking(s).get("flight", "")) or {}


def _new(s: Situation) -> Row:
    """The flight that is wanted."""
    return s.row("flights", "flight_id")


def _days_left(s: Situation) -> int:
    return int(_flight(s).get("day", s.today)) - s.today


def _gone(s: Situation) -> bool:
    return bool(_booking(s)) and _days_left(s) <= 0


def _basic(s: Situation) -> bool:
    return _booking(s).get("cabin") == "basic"


def _tier(s: Situation) -> str:
    return str((s.db.get("customers", _booking(s).get("customer", "")) or {}).get("tier"))


def _owner(s: Situation) -> set[str]:
    found = {
        s.arguments.get("customer_id"),
        _booking(s).get("customer"),
        s.row("payments", "payment_id").get("customer"),
    }
    return {str(key) for key in found if key}


def _refundable(s: Situation) -> bool:
    row = _booking(s)
    fresh = s.today - int(row.get("booked", 0)) <= 1
    ill = bool(row.get("insured")) and s.arguments.get("reason") == "illness"
    return fresh or ill or row.get("cabin") == "business" or _flight(s).get("status") == "cancelled"


def _voucher(s: Situation) -> bool:
    return s.row("payments", "payment_id").get("kind") == "voucher"


def _lower(s: Situation) -> bool:
    return bool(_booking(s)) and CABINS.index(s.arguments["cabin"]) < CABINS.index(_booking(s)["cabin"])


def _full(s: Situation, flight: Row, cabin: str) -> bool:
    return bool(flight) and bool(cabin) and flight["seats"][cabin] == 0


def _beyond(s: Situation) -> bool:
    return s.arguments.get("dollars", 0) > (200 if _flight(s).get("status") == "cancelled" else 100)


_BEFORE = ("change_flight", "change_cabin", "add_bags", "choose_zone", "add_insurance")
RULES = (
    *common_rules(PRIVATE, WRITES, _owner),
    Rule("D1", "Nothing is changed on a booking whose flight leaves today or has left.", _BEFORE, _gone, section="Bookings"),
    Rule("D2", "Bookings are changed only while they are confirmed.", (*_BEFORE, "choose_meal", "change_traveller"),
         lambda s: bool(_booking(s)) and _booking(s)["status"] != "confirmed", section="Bookings"),
    Rule("X1", "A booking cannot be cancelled when its flight leaves today or has left, unless the flight was cancelled.",
         ("cancel_booking",), lambda s: _gone(s) and _flight(s).get("status") != "cancelled", section="Cancelling"),
    Rule("X2", "A booking can be cancelled within 1 day of being made, in business, for illness if it is insured, or if the "
         "flight was cancelled; no other.", ("cancel_booking",), lambda s: not _refundable(s), section="Cancelling"),
    Rule("X3", "The reason 'flight cancelled' is only for flights that were cancelled.", ("cancel_booking",),
         lambda s: s.arguments.get("reason") == "flight cancelled" and _flight(s).get("status") != "cancelled",
         section="Cancelling"),
    Rule("X4", "A booking that was compensated is not refunded.", ("cancel_booking",),
         lambda s: bool(_booking(s).get("compensated")), section="Cancelling"),
    Rule("F1", "Basic bookings cannot be moved to another flight.", ("change_flight",), _basic, section="Changing flights"),
    Rule("F2", "A booking can be moved only to a flight of the same route.", ("change_flight",),
         lambda s: (_new(s).get("from"), _new(s).get("to")) != (_flight(s).get("from"), _flight(s).get("to")),
         section="Changing flights"),
    Rule("F3", "The new flight must have a seat left in the cabin.", ("change_flight",),
         lambda s: _full(s, _new(s), _booking(s).get("cabin", "")), section="Changing flights"),
    Rule("F4", "The new flight must leave after today.", ("change_flight",),
         lambda s: int(_new(s).get("day", s.today + 1)) <= s.today, section="Changing flights"),
    Rule("F5", "A booking cannot be moved to a flight that was cancelled.", ("change_flight",),
         lambda s: _new(s).get("status") == "cancelled", section="Changing flights"),
    Rule("F6", "Flights are changed at the latest 2 days before departure.", ("change_flight",), lambda s: _days_left(s) < 2,
         section="Changing flights"),
    Rule("K1", "Basic bookings cannot change cabin.", ("change_cabin",), _basic, section="Cabins"),
    Rule("K2", "A booking cannot move to a lower cabin.", ("change_cabin",), _lower, section="Cabins"),
    Rule("K3", "The new cabin must have a seat left.", ("change_cabin",),
         lambda s: _full(s, _flight(s), s.arguments.get("cabin", "")), section="Cabins"),
    Rule("K4", "Business cannot be paid with a voucher.", ("change_cabin", "book_flight"),
         lambda s: s.arguments.get("cabin") == "business" and _voucher(s), section="Cabins"),
    Rule("B1", "A booking has at most 4 bags.", ("add_bags",),
         lambda s: int(_booking(s).get("bags", 0)) + s.arguments.get("bags", 0) > 4, section="Extras"),
    Rule("B2", "Basic bookings have at most 1 bag.", ("add_bags",),
         lambda s: _basic(s) and int(_booking(s)["bags"]) + s.arguments.get("bags", 0) > 1, section="Extras"),
    Rule("M1", "Special meals are ordered at least 2 days before departure.", ("choose_meal",), lambda s: _days_left(s) < 2,
         section="Extras"),
    Rule("M2", "There are no special meals on basic bookings.", ("choose_meal",), _basic, section="Extras"),
    Rule("S1", "Seats cannot be chosen on basic bookings.", ("choose_zone",), _basic, section="Extras"),
    Rule("S2", "The front is for silver and gold customers, and for business.", ("choose_zone",),
         lambda s: s.arguments.get("zone") == "front" and _tier(s) == "standard" and _booking(s).get("cabin") != "business",
         section="Extras"),
    Rule("N1", "The name is changed at the latest 7 days before departure.", ("change_traveller",),
         lambda s: _days_left(s) < 7, section="Names"),
    Rule("N2", "The name on a booking is changed once.", ("change_traveller",),
         lambda s: bool(_booking(s).get("name_changed")), section="Names"),
    Rule("I1", "Insurance is sold within 3 days of booking.", ("add_insurance",),
         lambda s: s.today - int(_booking(s).get("booked", s.today)) > 3, section="Insurance"),
    Rule("I2", "Insurance cannot be paid with a voucher.", ("add_insurance",), _voucher, section="Insurance"),
    Rule("A1", "Assistance is asked for at least 2 days before departure.", ("request_assistance",),
         lambda s: _days_left(s) < 2, section="Assistance"),
    Rule("C1", "Vouchers are given only for flights that were delayed or cancelled.", ("give_voucher",),
         lambda s: _flight(s).get("status") not in ("delayed", "cancelled"), section="Compensation"),
    Rule("C2", "At most $100 for a delayed flight and $200 for a cancelled one.", ("give_voucher",), _beyond,
         section="Compensation"),
    Rule("C3", "A booking is compensated once.", ("give_voucher",), lambda s: bool(_booking(s).get("compensated")),
         section="Compensation"),
    Rule("C4", "Standard customers on basic bookings are not compensated.", ("give_voucher",),
         lambda s: _basic(s) and _tier(s) == "standard", section="Compensation"),
    Rule("L1", "Miles are credited only for flights that have left and were not cancelled.", ("credit_miles",),
         lambda s: not _gone(s) or _flight(s).get("status") == "cancelled", section="Miles"),
    Rule("L2", "Miles are credited within 30 days of the flight.", ("credit_miles",), lambda s: _days_left(s) < -30,
         section="Miles"),
    Rule("L3", "The miles of a booking are credited once.", ("credit_miles",), lambda s: bool(_booking(s).get("miles")),
         section="Miles"),
    Rule("P1", "A booking is made at the latest the day before departure.", ("book_flight",),
         lambda s: int(_new(s).get("day", s.today + 1)) <= s.today, section="New bookings"),
    Rule("P2", "A booking needs a seat left in the cabin.", ("book_flight",),
         lambda s: _full(s, _new(s), s.arguments.get("cabin", "")), section="New bookings"),
    Rule("P3", "Flights that were cancelled are not booked.", ("book_flight",),
         lambda s: _new(s).get("status") == "cancelled", section="New bookings"),
)  # fmt: skip
