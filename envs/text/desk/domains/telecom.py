"""Northwave Mobile: a carrier, with dual control: the agent sees the lines, the user holds the phone."""

from __future__ import annotations

from typing import Any

from ludarium.envs.text.desk.domain import Ask, Domain
from ludarium.envs.text.desk.domains.people import common_asks
from ludarium.envs.text.desk.domains.telecom_data import TODAY, make_base, make_device
from ludarium.envs.text.desk.domains.telecom_policy import PREAMBLE, RULES
from ludarium.envs.text.desk.domains.telecom_tools import CUES, PHRASES, REPORTS, TOOLS, USER_TOOLS
from ludarium.envs.text.desk.domains.telecom_wishes import WISHES
from ludarium.envs.text.desk.tables import Tables

__all__ = ["DOMAIN"]


def _candidates(db: Tables, customer: str, refers: str, value: Any) -> list[Any]:
    """Other values of the same kind, of the same customer."""
    own = db.get("customers", customer) or {}
    if refers in ("line", "bill"):
        return [key for key in own[f"{refers}s"] if key != value]
    if refers == "plan":
        return [key for key, _ in db.rows("plans") if key != value]
    return []


ASKS = {
    **common_asks(),
    "line": Ask("the phone number of the line", r"(phone|line|which|what) ?(number|line)|number of the line",
                ("The number is {}.", "It's {}.", "{}.")),
    "bill": Ask("the number of the bill", r"(which|what) bill|bill (number|id)|number of the bill",
                ("It's bill {}.", "Bill {}.")),
    "plan": Ask("which plan you want", r"(which|what) plan|plan (do )?you want", ("{}, please.", "I'd like {}.")),
    "days": Ask("how many more days you need", r"how (many|much) (more )?(days|time)|how long", ("{}.", "{} would help.")),
}  # fmt: skip

DOMAIN = Domain(
    name="telecom",
    title="Northwave Mobile: policy of the service desk",
    preamble=PREAMBLE,
    today=TODAY,
    tools=TOOLS,
    rules=RULES,
    wishes=WISHES,
    asks=ASKS,
    make_base=make_base,
    customers="customers",
    candidates=_candidates,
    user_tools=USER_TOOLS,
    make_device=make_device,
    phrases=PHRASES,
    reports=REPORTS,
    cues=CUES,
)
