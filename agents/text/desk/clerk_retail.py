"""The clerk of the shop: its wishes, and its policy as checks over what the tools show."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from ludarium.agents.text.desk.clerk import Clerk, Script, Snag, call, cents, day_of

__all__ = ["RetailClerk"]

_ORDER, _ADDRESS = r"\bOR\d{5}\b", r"\b(\d{1,4} [^,.?!]+), ([^,]+), ([A-Z]{2}) (\d{5})"
_ITEM = r"\b(small|large) [a-z]"


class RetailClerk(Clerk):
    """Serves at Larkspur Goods."""

    kinds: ClassVar[tuple[tuple[str, str], ...]] = (
        ("person", r"business account|compensation|fell on|damage|cheaper|match the price|another shop"),
        ("exchange", r"exchange|you delivered|isn't what i had in mind"),
        ("change_item", r"another version|\bswap the|rather have another|different one"),
        ("price", r"\bcost\b|\bprice\b"),
        ("where", r"tracking"),
        ("lost", r"never arrived|got lost|is missing"),
        ("credit", r"\bcredit\b|\$\d+ back|very late|so slow"),
        ("express", r"express|faster"),
        ("wrap", r"\bwrap\b|is a present"),
        ("newsletter", r"newsletter"),
        ("home", r"home address|have moved|address (in|on) my"),
        ("order_address", r"(different|another) address|where an order"),
        ("order_payment", r"pay for an order|payment method|how i'm paying|in another way"),
        ("give_back", r"\breturn\b|send something back"),
        ("cancel", r"\bcancel\b"),
    )
    questions: ClassVar[dict[str, tuple[str, str]]] = {
        "order": ("the order number", r"\bor\d{5}\b"),
        "reason": ("the reason", r"no longer needed|by mistake"),
        "items": ("which item it is about", _ITEM),
        "variant": ("which variant you want instead", rf"{_ITEM}.*{_ITEM}"),
        "payment": ("which payment method to use", r"\bcard\b|wallet|whichever"),
        "address": ("the new address", r"\d+ [^,]+, [^,]+, [a-z]{2} \d{5}"),
        "product": ("which product you mean", _ITEM),
    }

    # --- what the words mean ---------------------------------------------------------------------------------------
    def order(self) -> Script:
        """The number of the order that the user named, and what the desk knows of it, with days and amounts as numbers."""
        key = self.told(_ORDER)
        seen = yield from self.look("get_order", order_id=key)
        names = {item: text.rsplit(", ", 1)[0] for item, text in seen["lines"].items()}
        delivered = day_of(seen["delivered"])
        days = {"age": self.today - day_of(seen["placed"]), "since": self.today - delivered if delivered >= 0 else 0}
        return key, {**seen, **days, "names": names, "total": cents(seen["total"])}

    def named(self, names: dict[str, str]) -> list[str]:
        """The items that the user's words name; `Snag` if none."""
        low = self.said.lower()
        found = [key for key, name in names.items() if name.lower() in low]
        if not found:
            raise Snag("I did not find that item")
        return found

    def payment(self, usual: str = "") -> Script:
        """The payment method that the user named (the usual one where any will do), its label, kind and balance."""
        methods = (yield from self.profile())["payments"]
        low = self.said.lower()
        key = usual if "whichever" in low else next((k for k, label in methods.items() if label in low), "")
        if not key:
            raise Snag("I did not find that payment method")
        return key, methods.get(key, "how it was paid"), (yield from self.look("get_payment", payment_id=key))

    def swap(self, order: dict[str, Any]) -> Script:
        """The item in the order, and the one wanted instead: ids, the words of both, and the new one with its product."""
        (old,) = self.named(order["names"])[:1]
        product = (yield from self.look("get_item", item_id=old))["product"]
        shelf = yield from self.look("get_product", product_id=product)
        others = {key: item["name"] for key, item in shelf["items"].items() if key != old}
        (new,) = self.named(others)[:1]
        words = f"the {order['names'][old]} in order %s for the {others[new]}"
        return old, new, words, {**shelf["items"][new], "clearance": shelf["clearance"]}

    def address(self) -> dict[str, str]:
        """The address that the user told."""
        found = re.search(_ADDRESS, self.said)
        if found is None:
            raise Snag("I did not understand the address")
        return dict(zip(("street", "city", "state", "zip"), found.groups(), strict=True))

    def window(self) -> Script:
        """Days in which things can come back."""
        return 60 if (yield from self.profile())["tier"] == "gold" else 30

    # --- wishes ----------------------------------------------------------------------------------------------------
    def cancel(self) -> Script:
        """Cancel an order."""
        yield from self.ask("order", "reason")
        key, order = yield from self.order()
        reason = "no longer needed" if "no longer needed" in self.said.lower() else "ordered by mistake"
        checks = (
            ("C1", order["status"] != "pending"), ("C3", order["gift_wrap"]),
            ("C4", order["delivery"] == "express" and order["age"] > 2), ("C5", order["age"] > 8),
        )  # fmt: skip
        made = call("cancel_order", order_id=key, reason=reason)
        plan = f"cancel order {key}, reason: {reason}"
        return (yield from self.settle(checks, plan, made, lambda r: f"{r['amount']} goes back to {r['to']}."))

    def order_address(self) -> Script:
        """Send an order elsewhere."""
        yield from self.ask("order", "address")
        (key, order), to = (yield from self.order()), self.address()
        checks = (
            ("A1", order["status"] != "pending"), ("A2", order["address"]["state"] != to["state"]),
            ("A3", order["delivery"] == "express"),
        )  # fmt: skip
        plan = f"send order {key} to {to['street']}, {to['city']}, {to['state']} {to['zip']}"
        return (yield from self.settle(checks, plan, call("change_order_address", order_id=key, **to)))

    def order_payment(self) -> Script:
        """Pay an order in another way."""
        yield from self.ask("order", "payment")
        key, order = yield from self.order()
        to, label, method = yield from self.payment()
        checks = (
            ("P1", order["status"] != "pending"),
            ("P2", method["kind"] == "gift card" and cents(method["balance"]) < order["total"]),
            ("P3", method["kind"] == "wallet" and order["total"] > 40000), ("P4", to == order["payment"]),
        )  # fmt: skip
        made = call("change_order_payment", order_id=key, payment_id=to)
        return (yield from self.settle(checks, f"charge order {key} to {label}", made))

    def change_item(self) -> Script:
        """Replace an item of an order that has not been sent."""
        yield from self.ask("order", "items", "variant")
        key, order = yield from self.order()
        old, new, words, item = yield from self.swap(order)
        checks = (("M1", order["status"] != "pending"), ("M3", not item["stock"]), ("M4", order["changed"]))
        made = call("change_order_item", order_id=key, item_id=old, new_item_id=new)
        return (yield from self.settle(checks, f"change {words % key}", made, _difference))

    def exchange(self) -> Script:
        """Exchange an item that was delivered."""
        yield from self.ask("order", "items", "variant", "payment")
        key, order = yield from self.order()
        old, new, words, item = yield from self.swap(order)
        to, label, _ = yield from self.payment(order["payment"])
        checks = (
            ("R4", item["clearance"]), ("R5", order["gift_wrap"]), ("E1", order["status"] != "delivered"),
            ("E2", order["since"] > (yield from self.window())), ("E4", not item["stock"]),
        )  # fmt: skip
        made = call("exchange_item", order_id=key, item_id=old, new_item_id=new, payment_id=to)
        plan = f"exchange {words % key}, with any difference on {label}"
        return (yield from self.settle(checks, plan, made, _difference))

    def give_back(self) -> Script:
        """Take items back."""
        yield from self.ask("order", "items", "payment")
        key, order = yield from self.order()
        items, clearance = self.named(order["names"]), False
        to, label, method = yield from self.payment(order["payment"])
        for item in items:
            product = (yield from self.look("get_item", item_id=item))["product"]
            clearance |= (yield from self.look("get_product", product_id=product))["clearance"]
        checks = (
            ("R1", order["status"] != "delivered"), ("R2", order["since"] > (yield from self.window())),
            ("R3", to != order["payment"] and method["kind"] != "gift card"), ("R4", clearance),
        )  # fmt: skip
        made = call("return_items", order_id=key, item_ids=items, refund_to=to)
        words = " and the ".join(order["names"][item] for item in items)
        plan = f"take the {words} of order {key} back and refund {label}"
        return (yield from self.settle(checks, plan, made, lambda r: f"{r['amount']} goes to {r['to']}."))

    def home(self) -> Script:
        """Change the home address."""
        yield from self.ask("address")
        to = self.address()
        plan = f"change your home address to {to['street']}, {to['city']}, {to['state']} {to['zip']}"
        return (yield from self.settle((), plan, call("change_customer_address", customer_id=self.customer, **to)))

    def newsletter(self) -> Script:
        """Subscribe or unsubscribe."""
        on = "stop" not in self.said.lower()
        made = call("set_newsletter", customer_id=self.customer, on=on)
        return (yield from self.settle((), f"{'start' if on else 'end'} your newsletter subscription", made))

    def wrap(self) -> Script:
        """Wrap an order as a gift."""
        yield from self.ask("order")
        key, order = yield from self.order()
        checks = (("W1", order["status"] != "pending"), ("W2", len(order["lines"]) > 3))
        return (yield from self.settle(checks, f"gift-wrap order {key}", call("add_gift_wrap", order_id=key)))

    def express(self) -> Script:
        """Send an order faster."""
        yield from self.ask("order")
        key, order = yield from self.order()
        checks = (("W3", order["status"] != "pending" or len(order["lines"]) > 3),)
        plan = f"send order {key} by express for $9.00"
        made = call("upgrade_delivery", order_id=key)
        return (yield from self.settle(checks, plan, made, lambda r: f"The fee is {r['fee']}."))

    def lost(self) -> Script:
        """Send an order once more."""
        yield from self.ask("order")
        key, order = yield from self.order()
        checks = (("L1", order["status"] != "shipped"), ("L2", order["age"] < 10), ("L3", order["total"] > 50000))
        return (
            yield from self.settle(checks, f"send order {key} once more", call("replace_lost_parcel", order_id=key))
        )

    def credit(self) -> Script:
        """Give a credit for a late order."""
        yield from self.ask("order")
        key, order = yield from self.order()
        dollars, tier = int(self.told(r"\$\d+")[1:]), (yield from self.profile())["tier"]
        late = order["status"] == "delivered" and day_of(order["delivered"]) - day_of(order["placed"]) > 7
        checks = (
            ("V1", tier not in ("silver", "gold")),
            ("V2", not late),
            ("V3", order["credited"]),
            ("V4", dollars > 20),
        )
        plan = f"give you a credit of ${dollars} for order {key}"
        return (yield from self.settle(checks, plan, call("give_credit", order_id=key, dollars=dollars)))

    def where(self) -> Script:
        """Tell a tracking code."""
        yield from self.ask("order")
        key, order = yield from self.order()
        return (yield from self.answer(f"the tracking code of order {key} is {order['tracking']}."))

    def price(self) -> Script:
        """Tell a price."""
        yield from self.ask("product")
        products = yield from self.look("list_products")
        low = self.said.lower()
        for name in sorted(products, key=len, reverse=True):
            if name in low:
                shelf = yield from self.look("get_product", product_id=products[name])
                item = shelf["items"][self.named({key: row["name"] for key, row in shelf["items"].items()})[0]]
                return (yield from self.answer(f"the {item['name']} costs {item['price']}."))
        raise Snag("we have no such product")


def _difference(result: dict[str, Any]) -> str:
    amount = cents(result["difference"])
    words = result["difference"].lstrip("-")
    return f"{words} goes back to you." if amount < 0 else f"The difference is {words}."
