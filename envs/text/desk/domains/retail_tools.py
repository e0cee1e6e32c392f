"""The shop's tools. They keep the tables whole; whether a change is allowed is for the policy to say."""

from __future__ import annotations

from typing import Any

from ludarium.envs.text.desk.domain import Desk, day_name, money
from ludarium.envs.text.desk.domains.people import find_tools, the_row, transfer_tool
from ludarium.envs.text.desk.tables import Row
from ludarium.envs.text.desk.tools import Param, Tool, ToolError

__all__ = ["PHRASES", "PRIVATE", "TOOLS", "WRITES", "total"]


def total(order: Row) -> int:
    """What an order costs, in cents."""
    return sum(order["paid"].values())


def _touch(desk: Desk, order: str, **columns: Any) -> None:
    desk.db.update("orders", order, touched=desk.today, **columns)


def _customer(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "customers", a["customer_id"])
    methods = {key: the_row(desk, "payments", key)["label"] for key in row["payments"]}
    return {**{name: value for name, value in row.items() if name != "touched"}, "payments": methods}


def _order(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "orders", a["order_id"])
    lines = {key: f"{the_row(desk, 'items', key)['name']}, {money(row['paid'][key])}" for key in row["lines"]}
    shown = {name: value for name, value in row.items() if name not in ("touched", "paid")}
    days = {name: day_name(row[name]) for name in ("placed", "delivered") if row[name] >= 0}
    return {**shown, **days, "lines": lines, "total": money(total(row)), "paid_with": row["payment"]}


def _product(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "products", a["product_id"])
    return {**row, "items": {key: _item(desk, {"item_id": key}) for key in row["items"]}}


def _item(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "items", a["item_id"])
    return {**row, "price": money(row["price"])}


def _products(desk: Desk, a: dict[str, Any]) -> Any:
    return {row["name"]: key for key, row in desk.db.rows("products")}


def _payment(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "payments", a["payment_id"])
    return {**row, "balance": money(row["balance"])}


def _own_payment(desk: Desk, order: Row, key: str) -> None:
    if the_row(desk, "payments", key)["customer"] != order["customer"]:
        raise ToolError("wrong_payment", "the payment method is another customer's")


def _refund(desk: Desk, order: str, items: list[str], to: str, why: str, amount: int) -> Any:
    key = desk.new_id("RF", "refunds")
    desk.db.put("refunds", key, {"order": order, "items": sorted(items), "amount": amount, "to": to, "why": why})
    return {"refund": key, "amount": money(amount), "to": the_row(desk, "payments", to)["label"]}


def _cancel(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "orders", a["order_id"])
    if row["status"] == "cancelled":
        raise ToolError("already_cancelled", "the order is cancelled already")
    _touch(desk, a["order_id"], status="cancelled")
    return _refund(desk, a["order_id"], row["lines"], row["payment"], a["reason"], total(row))


def _address(a: dict[str, Any]) -> dict[str, str]:
    return {name: a[name] for name in ("street", "city", "state", "zip")}


def _order_address(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "orders", a["order_id"])
    _touch(desk, a["order_id"], address=_address(a))
    return {"order": a["order_id"], "address": _address(a)}


def _order_payment(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "orders", a["order_id"])
    _own_payment(desk, row, a["payment_id"])
    _touch(desk, a["order_id"], payment=a["payment_id"])
    return {"order": a["order_id"], "total": money(total(row))}


def _swap(desk: Desk, a: dict[str, Any], row: Row) -> tuple[dict[str, Any], int]:
    old, new = a["item_id"], a["new_item_id"]
    if old not in row["lines"] or new in row["lines"]:
        raise ToolError("not_in_order", f"{old} is not in the order, or {new} is")
    price = int(the_row(desk, "items", new)["price"])
    paid = {(new if key == old else key): (price if key == old else paid) for key, paid in row["paid"].items()}
    columns = {"lines": [new if key == old else key for key in row["lines"]], "paid": paid}
    return columns, price - int(row["paid"][old])


def _order_item(desk: Desk, a: dict[str, Any]) -> Any:
    columns, difference = _swap(desk, a, the_row(desk, "orders", a["order_id"]))
    _touch(desk, a["order_id"], changed=True, **columns)
    return {"order": a["order_id"], "difference": money(difference)}


def _return(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "orders", a["order_id"])
    _own_payment(desk, row, a["refund_to"])
    left = [key for key in row["lines"] if key not in row["returned"]]
    if not a["item_ids"] or len(set(a["item_ids"])) != len(a["item_ids"]) or set(a["item_ids"]) - set(left):
        raise ToolError("not_in_order", "expected items of the order that have not been returned, each once")
    _touch(desk, a["order_id"], returned=sorted([*row["returned"], *a["item_ids"]]))
    amount = sum(row["paid"][key] for key in a["item_ids"])
    return _refund(desk, a["order_id"], a["item_ids"], a["refund_to"], "return", amount)


def _exchange(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "orders", a["order_id"])
    _own_payment(desk, row, a["payment_id"])
    if a["item_id"] in row["returned"]:
        raise ToolError("not_in_order", "the item has been returned")
    columns, difference = _swap(desk, a, row)
    done = [*row["exchanged"], {"old": a["item_id"], "new": a["new_item_id"], "payment": a["payment_id"]}]
    _touch(desk, a["order_id"], exchanged=done, **columns)
    return {"order": a["order_id"], "difference": money(difference)}


def _home(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "customers", a["customer_id"])
    desk.db.update("customers", a["customer_id"], address=_address(a), zip=a["zip"], touched=desk.today)
    return {"customer": a["customer_id"], "address": _address(a)}


def _newsletter(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "customers", a["customer_id"])
    desk.db.update("customers", a["customer_id"], newsletter=a["on"])
    return {"customer": a["customer_id"], "newsletter": a["on"]}


def _wrap(desk: Desk, a: dict[str, Any]) -> Any:
    if the_row(desk, "orders", a["order_id"])["gift_wrap"]:
        raise ToolError("already_wrapped", "the order is gift-wrapped already")
    _touch(desk, a["order_id"], gift_wrap=True)
    return {"order": a["order_id"], "gift_wrap": True}


def _express(desk: Desk, a: dict[str, Any]) -> Any:
    if the_row(desk, "orders", a["order_id"])["delivery"] == "express":
        raise ToolError("already_express", "the order goes by express already")
    _touch(desk, a["order_id"], delivery="express")
    return {"order": a["order_id"], "delivery": "express", "fee": "$9.00"}


def _lost(desk: Desk, a: dict[str, Any]) -> Any:
    the_row(desk, "orders", a["order_id"])
    key = desk.new_id("PA", "parcels")
    desk.db.put("parcels", key, {"order": a["order_id"], "kind": "replacement"})
    _touch(desk, a["order_id"], status="replaced")
    return {"parcel": key}


def _credit(desk: Desk, a: dict[str, Any]) -> Any:
    row = the_row(desk, "orders", a["order_id"])
    key = desk.new_id("CR", "credits")
    desk.db.put("credits", key, {"order": a["order_id"], "customer": row["customer"], "amount": 100 * a["dollars"]})
    _touch(desk, a["order_id"], credited=True)
    return {"credit": key, "amount": money(100 * a["dollars"])}


_ORDER = Param("order_id", "such as OR10023", refers="order")
_CUSTOMER = Param("customer_id", "such as CU10023")
_PAY = Param("payment_id", "such as PM10023, of the same customer", refers="payment")
_OLD = Param("item_id", "the item in the order", refers="order_item")
_NEW = Param("new_item_id", "the item wanted instead", refers="item")
_HOME = (
    Param("street", "number and street", refers="street"),
    Param("city", "city"),
    Param("state", "two letters"),
    Param("zip", "5 digits"),
)
REASONS = ("no longer needed", "ordered by mistake")
_LIST = (
    *find_tools(),
    Tool("get_customer", "read", "A customer's profile, payment methods and orders.", (_CUSTOMER,), _customer),
    Tool("get_order", "read", "An order: status, items, prices, payment, address.", (_ORDER,), _order),
    Tool("get_payment", "read", "A payment method and its balance.", (Param("payment_id", "such as PM10023"),), _payment),
    Tool("list_products", "read", "All products by name, with their ids.", (), _products),
    Tool("get_product", "read", "A product and all its items.", (Param("product_id", "such as PR110"),), _product),
    Tool("get_item", "read", "One item: options, price, stock.", (Param("item_id", "such as IT10012"),), _item),
    Tool("cancel_order", "write", "Cancel a whole order and refund it to how it was paid.",
         (_ORDER, Param("reason", "why", choices=REASONS)), _cancel),
    Tool("change_order_address", "write", "Send an order to another address.", (_ORDER, *_HOME), _order_address),
    Tool("change_order_payment", "write", "Pay an order in another way.", (_ORDER, _PAY), _order_payment),
    Tool("change_order_item", "write", "Replace an item of an order before it is sent.", (_ORDER, _OLD, _NEW), _order_item),
    Tool("return_items", "write", "Take items of an order back.",
         (_ORDER, Param("item_ids", "the items", "array", refers="order_item"),
          Param("refund_to", "a payment method of the customer", refers="payment")), _return),
    Tool("exchange_item", "write", "Exchange a delivered item.", (_ORDER, _OLD, _NEW, _PAY), _exchange),
    Tool("change_customer_address", "write", "Change the home address of a customer.", (_CUSTOMER, *_HOME), _home),
    Tool("set_newsletter", "write", "Subscribe or unsubscribe a customer.",
         (_CUSTOMER, Param("on", "true to subscribe", "boolean")), _newsletter),
    Tool("add_gift_wrap", "write", "Wrap an order as a gift.", (_ORDER,), _wrap),
    Tool("upgrade_delivery", "write", "Send an order by express, for $9.00.", (_ORDER,), _express),
    Tool("replace_lost_parcel", "write", "Send a lost order once more.", (_ORDER,), _lost),
    Tool("give_credit", "write", "Give a goodwill credit for a late order.",
         (_ORDER, Param("dollars", "whole dollars", "integer")), _credit),
    transfer_tool(),
)  # fmt: skip
TOOLS = {tool.name: tool for tool in _LIST}
WRITES = tuple(tool.name for tool in _LIST if tool.kind == "write")
PRIVATE = ("get_customer", "get_order", "get_payment")
PHRASES = {
    "cancel_order": "cancel order {order_id}, reason: {reason}",
    "change_order_address": "send order {order_id} to {street}, {city}, {state} {zip}",
    "change_order_payment": "charge order {order_id} to {payment_id}",
    "change_order_item": "replace {item_id} in order {order_id} by {new_item_id}",
    "return_items": "take {item_ids} of order {order_id} back and refund {refund_to}",
    "exchange_item": "exchange {item_id} of order {order_id} for {new_item_id}, with any difference on {payment_id}",
    "change_customer_address": "change your home address to {street}, {city}, {state} {zip}",
    "set_newsletter": "set your newsletter subscription to {on}",
    "add_gift_wrap": "gift-wrap order {order_id}",
    "upgrade_delivery": "send order {order_id} by express for $9.00",
    "replace_lost_parcel": "send order {order_id} once more",
    "give_credit": "give you a credit of ${dollars} for order {order_id}",
    "transfer_to_human": "hand you over to a colleague",
}
