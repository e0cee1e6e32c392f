"""What the airline's customers come for: each wish is drawn from the customer's own bookings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ludarium.envs.text.desk.domain import Draft, Wish, called, day_name, judged, money, slot
from ludarium.envs.text.desk.domains.travel_data import CABINS, MEALS, TODAY, ZONES
from ludarium.envs.text.desk.domains.travel_policy import RULES
from ludarium.envs.text.desk.domains.travel_tools import ASSISTANCE, REASONS

__all__ = ["WISHES"]

Found = dict[str, Any] | None


def _take(d: Draft, coming: bool = True, odd: int = 15) -> str:
    """A confirmed booking that no other wish has, mostly of a coming flight (or of one that has left)."""
    free = [key for key in d.row("customers", d.customer)["bookings"] if key not in d.used]
    free = [key for key in free if d.row("bookings", key)["status"] == "confirmed"]
    usual = [key for key in free if (_flight_of(d, key)["day"] > TODAY) == coming]
    pool = free if d.chance.below(100) < odd else usual
    if not pool:
        return ""
    chosen: str = d.chance.pick(pool)
    d.used.add(chosen)
    return chosen


def _flight_of(d: Draft, booking: str) -> dict[str, Any]:
    return d.row("flights", d.row("bookings", booking)["flight"])


def _reads(booking: str) -> list[dict[str, Any]]:
    return [called("get_booking", booking_id=booking)]


def _pay(d: Draft) -> dict[str, Any] | None:
    """A payment method that its name tells from the others."""
    methods = d.row("customers", d.customer)["payments"]
    labels = [d.row("payments", key)["label"] for key in methods]
    if len(set(labels)) < len(labels):
        return None
    to = d.chance.pick(methods)
    return slot(to, d.row("payments", to)["label"])


def _cancel(d: Draft) -> Found:
    booking = _take(d)
    if not booking:
        return None
    fits = _flight_of(d, booking)["status"] == "cancelled"
    reason = "flight cancelled" if fits else d.chance.pick(REASONS[:2])
    slots = {"booking": slot(booking), "reason": slot(reason, "that the flight was cancelled" if fits else reason)}
    return judged(RULES, d, called("cancel_booking", booking_id=booking, reason=reason), reads=_reads(booking), slots=slots,
                  tell=[money(d.row("bookings", booking)["paid"])])  # fmt: skip


def _change_flight(d: Draft) -> Found:
    booking, pay = _take(d), _pay(d)
    if not booking or pay is None:
        return None
    row, now = d.row("bookings", booking), _flight_of(d, booking)
    same = [key for key in d.db.where("flights", "from", now["from"])
            if d.row("flights", key)["to"] == now["to"] and key != row["flight"]]  # fmt: skip
    coming = [key for key in same if d.row("flights", key)["day"] > TODAY]
    new = d.chance.pick(coming)
    to = d.row("flights", new)
    reads = [*_reads(booking), called("search_flights", from_city=now["from"], to_city=now["to"])]
    slots = {"booking": slot(booking), "flight": slot(new, f"{new} on {day_name(to['day'])}"), "payment": pay}
    call = called("change_flight", booking_id=booking, flight_id=new, payment_id=pay["value"])
    difference = abs(to["price"][row["cabin"]] - row["paid"])
    return judged(RULES, d, call, reads=reads, slots=slots, tell=[money(difference)])


def _change_cabin(d: Draft) -> Found:
    booking, pay = _take(d), _pay(d)
    if not booking or pay is None:
        return None
    row = d.row("bookings", booking)
    cabin = d.chance.pick([name for name in CABINS[1:] if name != row["cabin"]])
    slots = {"booking": slot(booking), "cabin": slot(cabin), "payment": pay}
    call = called("change_cabin", booking_id=booking, cabin=cabin, payment_id=pay["value"])
    difference = abs(_flight_of(d, booking)["price"][cabin] - row["paid"])
    return judged(RULES, d, call, reads=_reads(booking), slots=slots, opening=["cabin"], tell=[money(difference)])


def _bags(d: Draft) -> Found:
    booking, pay = _take(d), _pay(d)
    if not booking or pay is None:
        return None
    bags = 1 + d.chance.below(3)
    slots = {"booking": slot(booking), "bags": slot(bags, "one bag" if bags == 1 else f"{bags} bags"), "payment": pay}
    call = called("add_bags", booking_id=booking, bags=bags, payment_id=pay["value"])
    return judged(RULES, d, call, reads=_reads(booking), slots=slots, opening=["bags"], tell=[money(3500 * bags)])


def _chosen(tool: str, name: str, choices: Sequence[str], column: str, slot_name: str = "") -> Callable[[Draft], Found]:
    """A wish that sets one thing of a booking; the slot has the argument's name, or another."""
    asked = slot_name or name

    def draw(d: Draft) -> Found:
        booking = _take(d)
        if not booking:
            return None
        value = d.chance.pick([choice for choice in choices if choice != d.row("bookings", booking)[column]])
        return judged(RULES, d, called(tool, booking_id=booking, **{name: value}), reads=_reads(booking),
                      slots={"booking": slot(booking), asked: slot(value)},
                      opening=[asked] if d.chance.below(2) and not slot_name else [])  # fmt: skip

    return draw


def _insure(d: Draft) -> Found:
    booking = _take(d)
    pay = _pay(d)
    if not booking or pay is None or d.row("bookings", booking)["insured"]:
        return None
    return judged(RULES, d, called("add_insurance", booking_id=booking, payment_id=pay["value"]), reads=_reads(booking),
                  slots={"booking": slot(booking), "payment": pay}, tell=["$24.00"])  # fmt: skip


def _voucher(d: Draft) -> Found:
    booking = _take(d, coming=False)
    if not booking:
        return None
    dollars = d.chance.pick((50, 80, 100, 150, 250))
    slots = {"booking": slot(booking), "amount": slot(dollars, f"${dollars}")}
    return judged(RULES, d, called("give_voucher", booking_id=booking, dollars=dollars), reads=_reads(booking), slots=slots,
                  opening=["amount"])  # fmt: skip


def _miles(d: Draft) -> Found:
    booking = _take(d, coming=False)
    if not booking:
        return None
    return judged(RULES, d, called("credit_miles", booking_id=booking), reads=_reads(booking), slots={"booking": slot(booking)},
                  tell=[str(d.row("bookings", booking)["paid"] // 10)])  # fmt: skip


def _book(d: Draft) -> Found:
    pay = _pay(d)
    if pay is None or "book" in d.used:
        return None
    d.used.add("book")
    coming = [key for key, row in d.db.rows("flights") if row["day"] > TODAY]
    flight, cabin = d.chance.pick(coming), d.chance.pick(CABINS)
    row = d.row("flights", flight)
    slots = {"flight": slot(flight, f"{flight} on {day_name(row['day'])}"), "cabin": slot(cabin), "payment": pay,
             "route": slot("", f"from {row['from']} to {row['to']}")}  # fmt: skip
    call = called("book_flight", customer_id=d.customer, flight_id=flight, cabin=cabin, payment_id=pay["value"])
    reads = [called("get_customer", customer_id=d.customer), called("get_flight", flight_id=flight)]
    return judged(RULES, d, call, reads=reads, slots=slots, opening=["route"], tell=[money(row["price"][cabin])])


def _alerts(d: Draft) -> Found:
    if "alerts" in d.used or d.chance.below(3):
        return None
    d.used.add("alerts")
    on = not d.row("customers", d.customer)["alerts"]
    return judged(RULES, d, called("set_alerts", customer_id=d.customer, on=on), opening=["setting"],
                  reads=[called("get_customer", customer_id=d.customer)],
                  slots={"setting": slot(on, "to get alerts about my flights" if on else "no more flight alerts")})  # fmt: skip


def _status(d: Draft) -> Found:
    booking = _take(d)
    if not booking:
        return None
    return {
        "reads": _reads(booking),
        "slots": {"booking": slot(booking)},
        "tell": [day_name(_flight_of(d, booking)["day"])],
    }


def _fare(d: Draft) -> Found:
    if d.chance.below(2):
        return None
    coming = [key for key, row in d.db.rows("flights") if row["day"] > TODAY]
    flight, cabin = d.chance.pick(coming), d.chance.pick(CABINS)
    slots = {"flight": slot(flight), "cabin": slot(cabin)}
    price = d.row("flights", flight)["price"][cabin]
    return {
        "reads": [called("get_flight", flight_id=flight)],
        "slots": slots,
        "opening": ["cabin"],
        "tell": [money(price)],
    }


def _person(d: Draft) -> Found:
    about, say = d.chance.pick(
        (
            ("group of travellers", "I want to book for a choir of thirty"),
            ("lost bag", "my bag never came out at the airport"),
            ("child travelling alone", "my daughter, who is nine, will fly by herself"),
        )
    )
    call = called("transfer_to_human", summary=f"The customer asks about a {about}.")
    return {"verdict": "transfer", "slots": {"matter": slot(about, say)}, "opening": ["matter"], "writes": [call]}


_NAMES = ("Alex Moor", "Jo Winter", "Kim Stein", "Lou Marsh")
_LIST = (
    Wish("cancel", ("I'd like to cancel a booking.", "I need to cancel a flight.", "Please cancel one of my bookings."), _cancel),
    Wish("change_flight", ("I want to fly on another day.", "Can I move a booking to a different flight?",
                           "I need to change one of my flights."), _change_flight),
    Wish("change_cabin", ("I'd like to fly in {cabin} instead.", "Can I move a booking to {cabin}?",
                          "Please put me in {cabin} on one of my flights."), _change_cabin),
    Wish("bags", ("I want to add {bags} to a booking.", "I'm taking more luggage; can I add {bags}?",
                  "Please add {bags} to my flight."), _bags),
    Wish("meal", ("I need a special meal{meal:, %,} on a flight.", "Can I order a {meal:% }meal?",
                  "I'd like a special meal{meal:: %}."), _chosen("choose_meal", "meal", MEALS, "meal")),
    Wish("zone", ("I'd like to choose where I sit{zone:: in the %}.", "Can I pick a seat{zone: in the %}?",
                  "Please change where I sit{zone:, to the %}."), _chosen("choose_zone", "zone", ZONES, "zone")),
    Wish("traveller", ("Somebody else will fly on one of my bookings.", "I need another name on a booking.",
                       "Please change the traveller's name on a booking."),
         _chosen("change_traveller", "name", _NAMES, "traveller", "traveller")),
    Wish("insurance", ("Can I still insure a trip?", "I'd like insurance for a booking.", "Please add insurance to my flight."),
         _insure),
    Wish("assistance", ("I need help at the airport{kind:: %}.", "Can I get assistance{kind: (%)} for a flight?",
                        "Please arrange assistance{kind:, %,} for one of my trips."),
         _chosen("request_assistance", "kind", ASSISTANCE, "assistance")),
    Wish("voucher", ("My flight went badly wrong; I want {amount}.", "I'd like {amount} as compensation for a flight.",
                     "You owe me {amount} for a bad flight."), _voucher),
    Wish("miles", ("I didn't get the miles for a flight.", "Please credit my miles for a trip.",
                   "The miles of one of my flights are missing."), _miles),
    Wish("book", ("I'd like to book a flight {route}.", "Can you book me a flight {route}?", "I want to fly {route}."), _book),
    Wish("alerts", ("I want {setting}.", "I'd like {setting}."), _alerts),
    Wish("status", ("On what date does one of my flights leave?", "I forgot the date of a flight of mine.",
                    "Could you tell me the date of my flight?"), _status),
    Wish("fare", ("What does a seat in {cabin} cost?", "I'd like to know a fare in {cabin}.",
                  "Could you look up a fare in {cabin} for me?"), _fare),
    Wish("person", ("{matter}.", "There is one more thing: {matter}.", "Also, {matter}."), _person),
)  # fmt: skip
WISHES = {wish.kind: wish for wish in _LIST}
