"""The shop's policy, rule by rule."""

from __future__ import annotations

from collections.abc import Callable

from ludarium.envs.text.desk.domain import money
from ludarium.envs.text.desk.domains.people import common_rules
from ludarium.envs.text.desk.domains.retail_tools import PRIVATE, REASONS, WRITES, total
from ludarium.envs.text.desk.policy import Rule, Situation
from ludarium.envs.text.desk.tables import Row

__all__ = ["PREAMBLE", "RULES"]

PREAMBLE = (
    "You serve customers of Larkspur Goods by chat. You may look things up and change them with your tools, one customer a "
    "conversation. What these rules do not allow, you decline and say why; what your tools cannot do at all (prices of "
    "other shops, damage claims, business accounts), you hand over to a person. Today is 2026-04-11."
)


def _order(s: Situation) -> Row:
    return s.row("orders", "order_id")


def _status(*fine: str) -> Callable[[Situation], bool]:
    """Whether the order is in another state than these."""
    return lambda s: bool(_order(s)) and _order(s)["status"] not in fine


def _age(s: Situation) -> int:
    return s.today - int(_order(s).get("placed", s.today))


def _since_delivery(s: Situation) -> int:
    day = int(_order(s).get("delivered", -1))
    return s.today - day if day >= 0 else 0


def _window(s: Situation) -> int:
    owner = s.db.get("customers", _order(s).get("customer", "")) or {}
    return 60 if owner.get("tier") == "gold" else 30


def _product(s: Situation, item: str) -> Row:
    return s.db.get("products", (s.db.get("items", item) or {}).get("product", "")) or {}


def _clearance(s: Situation) -> bool:
    items = s.arguments.get("item_ids") or [s.arguments.get("item_id", "")]
    return any(_product(s, item).get("clearance") for item in items)


def _other_product(s: Situation) -> bool:
    old, new = (s.row("items", name).get("product") for name in ("item_id", "new_item_id"))
    return old != new


def _owner(s: Situation) -> set[str]:
    found = {s.arguments.get("customer_id"), _order(s).get("customer"), s.row("payments", "payment_id").get("customer"),
             s.row("payments", "refund_to").get("customer")}  # fmt: skip
    return {str(key) for key in found if key}


def _gift_card_short(s: Situation) -> bool:
    card = s.row("payments", "payment_id")
    return card.get("kind") == "gift card" and bool(_order(s)) and card["balance"] < total(_order(s))


def _late(s: Situation) -> bool:
    order = _order(s)
    return order.get("status") == "delivered" and order["delivered"] - order["placed"] > 7


def _elsewhere(s: Situation) -> bool:
    return bool(_order(s)) and _order(s)["address"]["state"] != s.arguments.get("state")


def _big_wallet(s: Situation) -> bool:
    return s.row("payments", "payment_id").get("kind") == "wallet" and bool(_order(s)) and total(_order(s)) > 40000


def _not_original(s: Situation) -> bool:
    to = s.arguments.get("refund_to")
    return to != _order(s).get("payment") and s.row("payments", "refund_to").get("kind") != "gift card"


def _tier(s: Situation) -> str:
    return str((s.db.get("customers", _order(s).get("customer", "")) or {}).get("tier"))


_CHANGES = ("change_order_item",)
_BACK = ("return_items", "exchange_item")
RULES = (
    *common_rules(PRIVATE, WRITES, _owner),
    Rule("C1", "An order can be cancelled only while it is pending.", ("cancel_order",), _status("pending"),
         section="Cancelling"),
    Rule("C2", "The reason for cancelling must be 'no longer needed' or 'ordered by mistake'.", ("cancel_order",),
         lambda s: s.arguments.get("reason") not in REASONS, section="Cancelling"),
    Rule("C3", "A gift-wrapped order is packed already and cannot be cancelled.", ("cancel_order",),
         lambda s: bool(_order(s).get("gift_wrap")), section="Cancelling"),
    Rule("C4", "An express order can be cancelled only within 2 days of being placed.", ("cancel_order",),
         lambda s: _order(s).get("delivery") == "express" and _age(s) > 2, section="Cancelling"),
    Rule("C5", "An order placed more than 8 days ago cannot be cancelled.", ("cancel_order",), lambda s: _age(s) > 8,
         section="Cancelling"),
    Rule("A1", "The address of an order can be changed only while it is pending.", ("change_order_address",),
         _status("pending"), section="Addresses"),
    Rule("A2", "An order cannot be sent to another state than it was ordered to.", ("change_order_address",), _elsewhere,
         section="Addresses"),
    Rule("A3", "The address of an express order cannot be changed.", ("change_order_address",),
         lambda s: _order(s).get("delivery") == "express", section="Addresses"),
    Rule("A4", "A home address can be changed once a conversation.", ("change_customer_address",),
         lambda s: "change_customer_address" in s.session.writes, section="Addresses"),
    Rule("P1", "How an order is paid can be changed only while it is pending.", ("change_order_payment",),
         _status("pending"), section="Payment"),
    Rule("P2", "A gift card can pay an order only if its balance covers the total.", ("change_order_payment",),
         _gift_card_short, section="Payment"),
    Rule("P3", f"A wallet cannot pay an order of more than {money(40000)}.", ("change_order_payment",), _big_wallet,
         section="Payment"),
    Rule("P4", "The new way to pay must be another than the present one.", ("change_order_payment",),
         lambda s: _order(s).get("payment") == s.arguments.get("payment_id"), section="Payment"),
    Rule("M1", "Items can be changed only while the order is pending.", _CHANGES, _status("pending"), section="Changing items"),
    Rule("M2", "An item can be replaced only by another item of the same product.", _CHANGES, _other_product,
         section="Changing items"),
    Rule("M3", "The new item must be in stock.", _CHANGES, lambda s: not s.row("items", "new_item_id").get("stock"),
         section="Changing items"),
    Rule("M4", "The items of an order can be changed once only.", _CHANGES, lambda s: bool(_order(s).get("changed")),
         section="Changing items"),
    Rule("R1", "Only delivered orders can be returned.", ("return_items",), _status("delivered"), section="Returns"),
    Rule("R2", "Items can be returned within 30 days of delivery, by gold customers within 60.", ("return_items",),
         lambda s: _since_delivery(s) > _window(s), section="Returns"),
    Rule("R3", "A refund goes to how the order was paid, or to a gift card of the customer.", ("return_items",),
         _not_original, section="Returns"),
    Rule("R4", "Clearance products cannot be returned or exchanged.", _BACK, _clearance, section="Returns"),
    Rule("R5", "Items of a gift-wrapped order cannot be exchanged.", ("exchange_item",),
         lambda s: bool(_order(s).get("gift_wrap")), section="Returns"),
    Rule("E1", "Only items of delivered orders can be exchanged.", ("exchange_item",), _status("delivered"),
         section="Exchanges"),
    Rule("E2", "Items can be exchanged within 30 days of delivery, by gold customers within 60.", ("exchange_item",),
         lambda s: _since_delivery(s) > _window(s), section="Exchanges"),
    Rule("E3", "An item can be exchanged only for another item of the same product.", ("exchange_item",), _other_product,
         section="Exchanges"),
    Rule("E4", "An item is exchanged only for one that is in stock.", ("exchange_item",),
         lambda s: not s.row("items", "new_item_id").get("stock"),
         section="Exchanges"),
    Rule("W1", "Gift wrap can be added only while the order is pending.", ("add_gift_wrap",), _status("pending"),
         section="Delivery"),
    Rule("W2", "An order of more than 3 items cannot be gift-wrapped.", ("add_gift_wrap",),
         lambda s: len(_order(s).get("lines", ())) > 3, section="Delivery"),
    Rule("W3", "Express delivery can be added only to a pending order of at most 3 items.", ("upgrade_delivery",),
         lambda s: _order(s).get("status") != "pending" or len(_order(s)["lines"]) > 3, section="Delivery"),
    Rule("L1", "Only an order that is on its way (shipped) can be replaced as lost.", ("replace_lost_parcel",),
         _status("shipped"), section="Lost parcels"),
    Rule("L2", "A parcel counts as lost when 10 days have passed since the order was placed.", ("replace_lost_parcel",),
         lambda s: _age(s) < 10, section="Lost parcels"),
    Rule("L3", f"A lost order of more than {money(50000)} is not replaced at the desk.", ("replace_lost_parcel",),
         lambda s: bool(_order(s)) and total(_order(s)) > 50000, section="Lost parcels"),
    Rule("V1", "A goodwill credit is only for silver and gold customers.", ("give_credit",),
         lambda s: _tier(s) not in ("silver", "gold"), section="Credits"),
    Rule("V2", "A goodwill credit is only for an order that took more than 7 days to be delivered.", ("give_credit",),
         lambda s: not _late(s), section="Credits"),
    Rule("V3", "A goodwill credit is given once an order.", ("give_credit",), lambda s: bool(_order(s).get("credited")),
         section="Credits"),
    Rule("V4", "A goodwill credit is at most $20.", ("give_credit",), lambda s: s.arguments.get("dollars", 0) > 20,
         section="Credits"),
)  # fmt: skip
