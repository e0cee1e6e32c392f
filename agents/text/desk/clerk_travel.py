"""The clerk of the airline: its wishes, and its policy as checks over what the tools show."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from ludarium.agents.text.desk.clerk import Clerk, Script, Snag, call, cents, day_of

__all__ = ["TravelClerk"]

_CABINS = ("basic", "economy", "business")
_CABIN, _MEAL, _ZONE = (
    r"\b(basic|economy|business)\b",
    r"vegetarian|vegan|halal|gluten-free",
    r"\b(front|middle|rear)\b",
)
_KIND, _NAME = r"wheelchair|guide|boarding first", r"[A-Z][a-z]+ [A-Z][a-z]+"


class TravelClerk(Clerk):
    """Serves at Skylark Air."""

    kinds: ClassVar[tuple[tuple[str, str], ...]] = (
        ("person", r"choir|\bgroup\b|never came out|lost bag|by (her|him)self|alone"),
        ("cabin", rf"(fly in|move a booking to|put me in) {_CABIN}"),
        ("fare", r"\bcost\b|\bfare\b"),
        ("book", r"book (me )?a flight|fly from"),
        ("cancel", r"\bcancel\b"),
        ("move", r"another day|different flight|change one of my flights"),
        ("bags", r"\bbags?\b|luggage"),
        ("meal", r"\bmeal\b"),
        ("seat", r"where i sit|a seat\b"),
        ("traveller", r"somebody else|another name|traveller's name"),
        ("insurance", r"\binsur"),
        ("assistance", r"help at the airport|assistance"),
        ("voucher", r"\$\d+"),
        ("miles", r"\bmiles\b"),
        ("alerts", r"\balerts\b"),
        ("date", r"\bdate\b"),
    )
    questions: ClassVar[dict[str, tuple[str, str]]] = {
        "booking": ("the booking number", r"\bbk\d{5}\b"),
        "reason": ("the reason", r"change of plans|illness|was cancelled"),
        "flight": ("which flight you want", r"\bfl\d{5}\b"),
        "cabin": ("which cabin you want", _CABIN),
        "payment": ("which payment method to use", r"\bcard\b|the voucher|bank account"),
        "meal": ("which meal you want", _MEAL),
        "zone": ("where you want to sit", _ZONE),
        "traveller": ("the traveller's new name", r"will fly\.|new name is|\. [a-z]+ [a-z]+\."),
        "kind": ("what kind of assistance you need", _KIND),
    }

    # --- what the words mean ---------------------------------------------------------------------------------------
    def booking(self) -> Script:
        """The number of the booking that the user named, and the booking with its flight and the days left."""
        key = self.told(r"\bBK\d{5}\b")
        seen = yield from self.look("get_booking", booking_id=key)
        left = day_of(seen["flight_is"]["day"]) - self.today
        return key, {**seen, "left": left, "basic": seen["cabin"] == "basic"}

    def choice(self, pattern: str) -> str:
        """One of the words that fit, as tools spell it."""
        found = re.search(pattern, self.said.lower())
        if found is None:
            raise Snag("I did not find that in your words")
        return found[0]

    def payment(self) -> Script:
        """The payment method that the user named: id, label, and whether it is a voucher."""
        methods = (yield from self.profile())["payments"]
        key = next((key for key, label in methods.items() if label in self.said.lower()), "")
        if not key:
            raise Snag("I did not find that payment method")
        return key, methods[key], (yield from self.look("get_payment", payment_id=key))["kind"] == "voucher"

    def flight(self) -> Script:
        """The flight that the user named."""
        key = self.told(r"\bFL\d{5}\b")
        return key, (yield from self.look("get_flight", flight_id=key))

    def usual(self, row: dict[str, Any]) -> list[tuple[str, bool]]:
        """The checks of most changes of a booking."""
        return [("D1", row["left"] <= 0), ("D2", row["status"] != "confirmed")]

    # --- wishes ----------------------------------------------------------------------------------------------------
    def cancel(self) -> Script:
        """Cancel a booking."""
        yield from self.ask("booking", "reason")
        key, row = yield from self.booking()
        words = self.choice(r"change of plans|illness|was cancelled")
        reason = "flight cancelled" if words == "was cancelled" else words
        off = row["flight_is"]["status"] == "cancelled"
        fresh = self.today - day_of(row["booked"]) <= 1
        fine = fresh or (row["insured"] and reason == "illness") or row["cabin"] == "business" or off
        checks = (
            ("X1", row["left"] <= 0 and not off), ("X2", not fine), ("X3", reason == "flight cancelled" and not off),
            ("X4", row["compensated"]),
        )  # fmt: skip
        made, plan = call("cancel_booking", booking_id=key, reason=reason), f"cancel booking {key}, reason: {reason}"
        return (yield from self.settle(checks, plan, made, lambda r: f"{r['amount']} goes back to how it was paid."))

    def move(self) -> Script:
        """Move a booking to another flight."""
        yield from self.ask("booking", "flight", "payment")
        key, row = yield from self.booking()
        new, flight = yield from self.flight()
        to, label, _ = yield from self.payment()
        now = row["flight_is"]
        checks = (
            *self.usual(row), ("F1", row["basic"]), ("F2", (flight["from"], flight["to"]) != (now["from"], now["to"])),
            ("F3", not flight["seats"][row["cabin"]]), ("F4", day_of(flight["day"]) <= self.today),
            ("F5", flight["status"] == "cancelled"), ("F6", row["left"] < 2),
        )  # fmt: skip
        made = call("change_flight", booking_id=key, flight_id=new, payment_id=to)
        plan = f"move booking {key} to flight {new} on {flight['day']}, with any difference on {label}"
        return (yield from self.settle(checks, plan, made, _difference))

    def cabin(self) -> Script:
        """Move a booking to another cabin."""
        yield from self.ask("booking", "cabin", "payment")
        key, row = yield from self.booking()
        cabin, (to, label, voucher) = self.choice(_CABIN), (yield from self.payment())
        checks = (
            *self.usual(row), ("K1", row["basic"]), ("K2", _CABINS.index(cabin) < _CABINS.index(row["cabin"])),
            ("K3", not row["flight_is"]["seats"][cabin]), ("K4", cabin == "business" and voucher),
        )  # fmt: skip
        made = call("change_cabin", booking_id=key, cabin=cabin, payment_id=to)
        plan = f"move booking {key} to {cabin}, with any difference on {label}"
        return (yield from self.settle(checks, plan, made, _difference))

    def bags(self) -> Script:
        """Add bags."""
        yield from self.ask("booking", "payment")
        key, row = yield from self.booking()
        count = self.choice(r"\b(one|\d+) bags?\b").split(" ")[0]
        bags, (to, label, _) = 1 if count == "one" else int(count), (yield from self.payment())
        total = row["bags"] + bags
        checks = (*self.usual(row), ("B1", total > 4), ("B2", row["basic"] and total > 1))
        made = call("add_bags", booking_id=key, bags=bags, payment_id=to)
        plan = f"add {bags} checked bag{'s' if bags > 1 else ''} to booking {key}, paid with {label}"
        return (yield from self.settle(checks, plan, made, lambda r: f"That is {r['price']}."))

    def meal(self) -> Script:
        """Order a special meal."""
        yield from self.ask("booking", "meal")
        (key, row), meal = (yield from self.booking()), self.choice(_MEAL)
        checks = (("D2", row["status"] != "confirmed"), ("M1", row["left"] < 2), ("M2", row["basic"]))
        plan = f"order a {meal} meal for booking {key}"
        return (yield from self.settle(checks, plan, call("choose_meal", booking_id=key, meal=meal)))

    def seat(self) -> Script:
        """Choose where to sit."""
        yield from self.ask("booking", "zone")
        (key, row), zone = (yield from self.booking()), self.choice(_ZONE)
        plain = (yield from self.profile())["tier"] == "standard" and row["cabin"] != "business"
        checks = (*self.usual(row), ("S1", row["basic"]), ("S2", zone == "front" and plain))
        plan = f"seat booking {key} in the {zone}"
        return (yield from self.settle(checks, plan, call("choose_zone", booking_id=key, zone=zone)))

    def traveller(self) -> Script:
        """Put another name on a booking."""
        yield from self.ask("booking", "traveller")
        (key, row), name = (yield from self.booking()), self.told(_NAME)
        checks = (("D2", row["status"] != "confirmed"), ("N1", row["left"] < 7), ("N2", row["name_changed"]))
        plan = f"put the name {name} on booking {key}"
        return (yield from self.settle(checks, plan, call("change_traveller", booking_id=key, name=name)))

    def insurance(self) -> Script:
        """Insure a booking."""
        yield from self.ask("booking", "payment")
        (key, row), (to, label, voucher) = (yield from self.booking()), (yield from self.payment())
        checks = (*self.usual(row), ("I1", self.today - day_of(row["booked"]) > 3), ("I2", voucher))
        made = call("add_insurance", booking_id=key, payment_id=to)
        plan = f"insure booking {key} for $24.00, paid with {label}"
        return (yield from self.settle(checks, plan, made, lambda r: f"That is {r['price']}."))

    def assistance(self) -> Script:
        """Ask for help at the airport."""
        yield from self.ask("booking", "kind")
        (key, row), kind = (yield from self.booking()), self.choice(_KIND)
        made = call("request_assistance", booking_id=key, kind=kind)
        return (
            yield from self.settle([("A1", row["left"] < 2)], f"ask for assistance ({kind}) for booking {key}", made)
        )

    def voucher(self) -> Script:
        """Compensate for a flight."""
        yield from self.ask("booking")
        (key, row), dollars = (yield from self.booking()), int(self.told(r"\$\d+")[1:])
        state, tier = row["flight_is"]["status"], (yield from self.profile())["tier"]
        checks = (
            ("C1", state not in ("delayed", "cancelled")), ("C2", dollars > (200 if state == "cancelled" else 100)),
            ("C3", row["compensated"]), ("C4", row["basic"] and tier == "standard"),
        )  # fmt: skip
        plan = f"give you a voucher of ${dollars} for booking {key}"
        return (yield from self.settle(checks, plan, call("give_voucher", booking_id=key, dollars=dollars)))

    def miles(self) -> Script:
        """Credit the miles of a flight."""
        yield from self.ask("booking")
        key, row = yield from self.booking()
        flown = row["left"] <= 0 and row["flight_is"]["status"] != "cancelled"
        checks = (("L1", not flown), ("L2", row["left"] < -30), ("L3", row["miles"]))
        made = call("credit_miles", booking_id=key)
        return (yield from self.settle(checks, f"credit the miles of booking {key}", made,
                                       lambda r: f"You get {r['miles']} miles."))  # fmt: skip

    def book(self) -> Script:
        """Book a flight."""
        yield from self.ask("flight", "cabin", "payment")
        (new, flight), cabin = (yield from self.flight()), self.choice(_CABIN)
        to, label, voucher = yield from self.payment()
        checks = (
            ("K4", cabin == "business" and voucher), ("P1", day_of(flight["day"]) <= self.today),
            ("P2", not flight["seats"][cabin]), ("P3", flight["status"] == "cancelled"),
        )  # fmt: skip
        made = call("book_flight", customer_id=self.customer, flight_id=new, cabin=cabin, payment_id=to)
        plan = f"book flight {new} on {flight['day']} in {cabin}, paid with {label}"
        return (yield from self.settle(checks, plan, made, lambda r: f"Booking {r['booking']} costs {r['price']}."))

    def alerts(self) -> Script:
        """Send flight alerts, or not."""
        on = "no more" not in self.said.lower()
        made = call("set_alerts", customer_id=self.customer, on=on)
        return (yield from self.settle((), f"turn your flight alerts {'on' if on else 'off'}", made))

    def date(self) -> Script:
        """Tell when a flight leaves."""
        yield from self.ask("booking")
        key, row = yield from self.booking()
        return (yield from self.answer(f"the flight of booking {key} leaves on {row['flight_is']['day']}."))

    def fare(self) -> Script:
        """Tell a fare."""
        yield from self.ask("flight", "cabin")
        (key, flight), cabin = (yield from self.flight()), self.choice(_CABIN)
        return (yield from self.answer(f"a seat in {cabin} on flight {key} costs {flight['price'][cabin]}."))


def _difference(result: dict[str, Any]) -> str:
    words = result["difference"].lstrip("-")
    return f"{words} goes back to you." if cents(result["difference"]) < 0 else f"The difference is {words}."
