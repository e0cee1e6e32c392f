"""What the shop's customers come for: each wish is drawn from the customer's own orders."""

from __future__ import annotations

from typing import Any

from ludarium.envs.text.desk.domain import Draft, Wish, called, judged, money, slot
from ludarium.envs.text.desk.domains.people import address_of, say_address
from ludarium.envs.text.desk.domains.retail_policy import RULES
from ludarium.envs.text.desk.domains.retail_tools import REASONS, total
from ludarium.envs.text.desk.tables import Row

__all__ = ["WISHES"]

Found = dict[str, Any] | None


def _an_order(d: Draft, status: tuple[str, ...], odd: int = 30) -> str:
    """An order that no other wish has, mostly in one of some states; empty if there is none."""
    mine = [key for key in d.row("customers", d.customer)["orders"] if key not in d.used]
    usual = [key for key in mine if d.row("orders", key)["status"] in status]
    other = [key for key in mine if d.row("orders", key)["status"] in ("pending", "shipped", "delivered")]
    pool = other if d.chance.below(100) < odd else usual
    if not pool:
        return ""
    chosen: str = d.chance.pick(pool)
    d.used.add(chosen)
    return chosen


def _reads(order: str) -> list[dict[str, Any]]:
    return [called("get_order", order_id=order)]


def _paying(d: Draft, key: str) -> str:
    return str(d.row("payments", key)["label"])


def _two_alike(d: Draft) -> bool:
    """Whether two payment methods of the customer could be meant by one name."""
    labels = [_paying(d, key) for key in d.row("customers", d.customer)["payments"]]
    return len(set(labels)) < len(labels)


def _cancel(d: Draft) -> Found:
    order = _an_order(d, ("pending",))
    if not order:
        return None
    reason = d.chance.pick(REASONS)
    return judged(RULES, d, called("cancel_order", order_id=order, reason=reason), reads=_reads(order),
                  slots={"order": slot(order), "reason": slot(reason)}, opening=["order"] if d.chance.below(3) == 0 else [],
                  tell=[money(total(d.row("orders", order)))])  # fmt: skip


def _order_address(d: Draft) -> Found:
    order = _an_order(d, ("pending",))
    if not order:
        return None
    state = d.row("orders", order)["address"]["state"] if d.chance.below(3) else ""
    home = address_of(d.chance, state)
    return judged(RULES, d, called("change_order_address", order_id=order, **home), reads=_reads(order),
                  slots={"order": slot(order), "address": slot(home, say_address(home))},
                  opening=["order"] if d.chance.below(2) else [])  # fmt: skip


def _order_payment(d: Draft) -> Found:
    order = _an_order(d, ("pending",))
    if not order or _two_alike(d):
        return None
    now = d.row("orders", order)["payment"]
    others = [key for key in d.row("customers", d.customer)["payments"] if key != now]
    if not others:
        return None
    to = d.chance.pick(others)
    return judged(RULES, d, called("change_order_payment", order_id=order, payment_id=to), reads=_reads(order),
                  slots={"order": slot(order), "payment": slot(to, _paying(d, to))})  # fmt: skip


def _variant(d: Draft, item: str, taken: list[str]) -> str:
    row = d.row("items", item)
    others = [key for key in d.row("products", row["product"])["items"] if key not in (item, *taken)]
    return str(d.chance.pick(others))


def _which(d: Draft, order: Row) -> str:
    left = [key for key in order["lines"] if key not in order["returned"]]
    return str(d.chance.pick(left)) if left else ""


def _named(d: Draft, item: str) -> str:
    return str(d.row("items", item)["name"])


def _change_item(d: Draft) -> Found:
    order = _an_order(d, ("pending",))
    if not order:
        return None
    row = d.row("orders", order)
    old = _which(d, row)
    new = _variant(d, old, row["lines"]) if old else ""
    if not new:
        return None
    difference = d.row("items", new)["price"] - row["paid"][old]
    slots = {"order": slot(order), "items": slot([old], _named(d, old)), "variant": slot(new, f"the {_named(d, new)}")}
    call = called("change_order_item", order_id=order, item_id=old, new_item_id=new)
    reads = [*_reads(order), called("get_product", product_id=d.row("items", old)["product"])]
    return judged(RULES, d, call, reads=reads, slots=slots, opening=["items"], tell=[money(abs(difference))])


def _return(d: Draft) -> Found:
    order = _an_order(d, ("delivered",), 15)
    if not order:
        return None
    row = d.row("orders", order)
    left = [key for key in row["lines"] if key not in row["returned"]]
    if not left or _two_alike(d):
        return None
    items = d.chance.some(left, 1 + d.chance.below(min(2, len(left))))
    cards = [k for k in d.row("customers", d.customer)["payments"] if d.row("payments", k)["kind"] == "gift card"]
    to = d.chance.pick([row["payment"], *cards, *d.row("customers", d.customer)["payments"][:1]])
    free = [*dict.fromkeys([row["payment"], *cards])]
    slots = {
        "order": slot(order),
        "items": slot(items, " and the ".join(_named(d, item) for item in items)),
        "payment": slot(to, _paying(d, to)),
    }
    amount = sum(row["paid"][item] for item in items)
    wish = judged(RULES, d, called("return_items", order_id=order, item_ids=items, refund_to=to), reads=_reads(order),
                  slots=slots, tell=[money(amount)])  # fmt: skip
    if wish["verdict"] == "allow" and d.chance.below(4) == 0 and len(free) > 1:
        slots["payment"] = {
            **slot(to, "whichever is easier for you, the original payment or a gift card of mine"),
            "also": free,
        }
        wish["any_of"] = {"refund_to": free, "to": free}
    return wish


def _exchange(d: Draft) -> Found:
    order = _an_order(d, ("delivered",), 15)
    if not order or _two_alike(d):
        return None
    row = d.row("orders", order)
    old = _which(d, row)
    new = _variant(d, old, row["lines"]) if old else ""
    if not new:
        return None
    to = d.chance.pick(d.row("customers", d.customer)["payments"])
    slots = {
        "order": slot(order),
        "items": slot([old], _named(d, old)),
        "variant": slot(new, f"the {_named(d, new)}"),
        "payment": slot(to, _paying(d, to)),
    }
    call = called("exchange_item", order_id=order, item_id=old, new_item_id=new, payment_id=to)
    reads = [*_reads(order), called("get_product", product_id=d.row("items", old)["product"])]
    difference = d.row("items", new)["price"] - row["paid"][old]
    return judged(RULES, d, call, reads=reads, slots=slots, opening=["items"], tell=[money(abs(difference))])


def _home(d: Draft) -> Found:
    if "home" in d.used or d.chance.below(3):
        return None
    d.used.add("home")
    home = address_of(d.chance)
    return judged(RULES, d, called("change_customer_address", customer_id=d.customer, **home),
                  slots={"address": slot(home, say_address(home))})  # fmt: skip


def _newsletter(d: Draft) -> Found:
    if d.chance.below(3):
        return None
    on = not d.row("customers", d.customer)["newsletter"]
    return judged(RULES, d, called("set_newsletter", customer_id=d.customer, on=on),
                  slots={"newsletter": slot(on, "to get the newsletter" if on else "to stop getting the newsletter")},
                  opening=["newsletter"], reads=[called("get_customer", customer_id=d.customer)])  # fmt: skip


def _wrap(d: Draft) -> Found:
    order = _an_order(d, ("pending",))
    if not order or d.row("orders", order)["gift_wrap"]:
        return None
    return judged(RULES, d, called("add_gift_wrap", order_id=order), reads=_reads(order), slots={"order": slot(order)})


def _express(d: Draft) -> Found:
    order = _an_order(d, ("pending",))
    if not order or d.row("orders", order)["delivery"] == "express":
        return None
    return judged(RULES, d, called("upgrade_delivery", order_id=order), reads=_reads(order), slots={"order": slot(order)},
                  tell=["$9.00"])  # fmt: skip


def _lost(d: Draft) -> Found:
    order = _an_order(d, ("shipped",), 10)
    if not order:
        return None
    return judged(
        RULES, d, called("replace_lost_parcel", order_id=order), reads=_reads(order), slots={"order": slot(order)}
    )


def _credit(d: Draft) -> Found:
    order = _an_order(d, ("delivered",), 10)
    if not order:
        return None
    dollars = d.chance.pick((10, 15, 20, 35))
    return judged(RULES, d, called("give_credit", order_id=order, dollars=dollars), reads=_reads(order),
                  slots={"order": slot(order), "amount": slot(dollars, f"${dollars}")}, opening=["amount"])  # fmt: skip


def _where(d: Draft) -> Found:
    order = _an_order(d, ("shipped",), 20)
    if not order:
        return None
    return {"reads": _reads(order), "slots": {"order": slot(order)}, "tell": [d.row("orders", order)["tracking"]]}


def _price(d: Draft) -> Found:
    if d.chance.below(3):
        return None
    key = d.chance.pick(sorted(d.db.base.tables["items"]))
    row = d.row("items", key)
    reads = [called("list_products"), called("get_product", product_id=row["product"])]
    return {"reads": reads, "slots": {"product": slot(key, row["name"])}, "tell": [money(row["price"])]}


def _person(d: Draft) -> Found:
    about, say = d.chance.pick(
        (
            ("damage claim", "I want compensation for a shelf that fell on my piano"),
            ("business account", "I'd like to open a business account for my cafe"),
            ("price match", "I found a lamp cheaper in another shop and want you to match the price"),
        )
    )
    call = called("transfer_to_human", summary=f"The customer asks about a {about}.")
    return {"verdict": "transfer", "slots": {"matter": slot(about, say)}, "opening": ["matter"], "writes": [call]}


_LIST = (
    Wish("cancel_order", ("I'd like to cancel an order{order: , number %}.", "Please cancel an order of mine{order: (%)}.",
                          "I want to cancel something I ordered{order:, it's %}."), _cancel, "the cancellation"),
    Wish("change_order_address", ("Could you send one of my orders{order: (%)} to a different address?",
                                  "My order{order: %} has to go to another address.",
                                  "I need to change where an order{order:, %,} is delivered."), _order_address),
    Wish("change_order_payment", ("I'd like to pay for an order in another way.",
                                  "Can I change the payment method of an order?",
                                  "I want to switch how I'm paying for an order."), _order_payment),
    Wish("change_order_item", ("I ordered a {items} but want another version of it.",
                               "Can I swap the {items} in my order for a different one?",
                               "About the {items} I ordered: I'd rather have another variant."), _change_item),
    Wish("return_items", ("I want to send something back.", "I'd like to return part of an order.",
                          "How do I return something I bought?"), _return),
    Wish("exchange_item", ("I'd like to exchange the {items} I received.",
                           "The {items} I got isn't what I had in mind; can I exchange it?",
                           "Can I swap the {items} you delivered for another variant?"), _exchange),
    Wish("change_home_address", ("I have moved; please update my home address.", "I need a new home address on my account.",
                                 "Could you change the address in my profile?"), _home),
    Wish("newsletter", ("I want {newsletter}.", "I'd like {newsletter}.", "Please change my settings: I want {newsletter}."),
         _newsletter),
    Wish("gift_wrap", ("Can you wrap one of my orders as a gift?", "I'd like gift wrap on an order.",
                       "One of my orders is a present; could you wrap it?"), _wrap),
    Wish("express", ("I need one of my orders faster; can it go by express?", "Can I get express delivery for an order?",
                     "Please upgrade an order to express."), _express),
    Wish("lost_parcel", ("One of my parcels never arrived. Please send it again.",
                         "I think my parcel got lost; I want a replacement.",
                         "A delivery is missing and I'd like it sent once more."), _lost),
    Wish("credit", ("An order took ages to arrive; I want {amount} back for that.",
                    "I'd like a credit of {amount} because an order was so slow.",
                    "My delivery was very late. I think {amount} credit would be fair."), _credit),
    Wish("where_is_it", ("What's the tracking code of one of my orders?", "I need the tracking code for an order.",
                         "Could you tell me the tracking code of an order of mine?"), _where),
    Wish("price", ("What does something in your shop cost?", "I have a question about a price.",
                   "Could you look up a price for me?"), _price),
    Wish("person", ("{matter}.", "There is one more thing: {matter}.", "Also, {matter}."), _person),
)  # fmt: skip
WISHES = {wish.kind: wish for wish in _LIST}
