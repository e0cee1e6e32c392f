"""One gateway a process for equal settings, so that episodes in threads share limits, budgets and a recording."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ludarium.agents.llm.budget import Budget, Limits, Prices, micro_dollars, read_prices
from ludarium.agents.llm.cassette import MODES, Cassette
from ludarium.agents.llm.client import Driver
from ludarium.agents.llm.gateway import Gateway
from ludarium.agents.llm.ledger import Totals
from ludarium.agents.llm.limits import Limiter
from ludarium.agents.llm.retry import RetryPolicy
from ludarium.envs.core.errors import ConfigError, did_you_mean

__all__ = ["DRIVERS", "REPLAY", "GatewaySettings", "close_gateways", "gateway_for", "spent", "whole_number"]

DRIVERS = ("openai", "local")
REPLAY = "LUDARIUM_LLM_MODE"
"""With `replay` in this variable, agents whose strings say `mode=record` play from what they recorded: a run can be
played again without the endpoint under the very same string, to the byte."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,80}")


@dataclasses.dataclass(frozen=True)
class GatewaySettings:
    """All that a gateway follows from; checked when it is made, and before anything is opened."""

    model: str
    driver: str = "openai"
    base_url: str | None = None
    api: str = "chat"
    key: str | None = None
    """The name of the environment variable that holds the key; never the key."""
    mode: str = "live"
    cassette: str | None = None
    usd: float | str | None = None
    """Dollars that all episodes of the process may cost together."""
    prices: str | None = None
    concurrency: int = 16
    rpm: int | None = None
    """Requests a minute."""
    tpm: int | None = None
    """Tokens a minute."""
    tries: int = 6
    timeout_s: float = 60.0
    deadline_s: float = 300.0
    reply_tokens: int = 1024

    def __post_init__(self) -> None:
        for name, known in (("driver", DRIVERS), ("mode", MODES), ("api", ("chat", "responses"))):
            value = getattr(self, name)
            if value not in known:
                raise ConfigError(f"{name} = {value!r}{did_you_mean(str(value), known)}")
        if (self.mode == "live") != (self.cassette is None):
            raise ConfigError(
                f"mode = {self.mode!r} and cassette = {self.cassette!r}: record and replay need a cassette"
            )
        if self.usd is not None:
            micro_dollars(self.usd)
        for name in ("concurrency", "rpm", "tpm", "tries", "reply_tokens"):
            whole_number(name, getattr(self, name), 1, name in ("rpm", "tpm"))
        for name in ("timeout_s", "deadline_s"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                raise ConfigError(f"{name} = {value!r}; expected seconds above 0")
        address = urlsplit(self.base_url or "http://default")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"base_url = {self.base_url!r}; expected an address such as http://localhost:8000/v1")
        if address.username is not None or address.password is not None:
            raise ConfigError(
                "base_url holds a name or a password, which manifests would keep; put the key into an environment variable "
                "and name that with key=VARIABLE"
            )
        if self.key is not None and not _VARIABLE.fullmatch(self.key):  # it may be the key itself: not told
            raise ConfigError(
                "key is the name of an environment variable that holds the key, such as key=OPENAI_API_KEY"
            )
        if not self.model:
            raise ConfigError("no model is named; expected llm:MODEL")

    def open(self) -> Gateway:
        """Make the gateway; `MissingExtraError`, `MissingKeyError` and errors of the files say what it lacks."""
        limits = Limits(micro_dollars=None if self.usd is None else micro_dollars(self.usd))
        cassette = None if self.cassette is None else Cassette(Path(self.cassette), self.mode)
        return Gateway(
            None if self.mode == "replay" else self._driver(),
            retry=RetryPolicy(tries=self.tries, timeout_s=self.timeout_s, deadline_s=self.deadline_s),
            limiter=Limiter(self.concurrency, self.rpm, self.tpm),
            budget=Budget(limits, "run"),
            prices=read_prices(self.prices) if self.prices else Prices(),
            cassette=cassette,
            max_tokens=self.reply_tokens,
        )

    def _driver(self) -> Driver:
        if self.driver == "local":
            from ludarium.agents.llm.local import LocalDriver

            return LocalDriver(self.model)
        from ludarium.agents.llm.openai_driver import OpenAIDriver

        return OpenAIDriver(self.base_url, api=self.api, key=self.key)


def whole_number(name: str, value: Any, least: int, optional: bool = False) -> None:
    """Raise `ConfigError` unless the value is a whole number of at least `least` (or None, if that is allowed)."""
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"{name} = {value!r}; expected a whole number of at least {least}")


_open: dict[GatewaySettings, Gateway] = {}
_lock = threading.Lock()


def gateway_for(settings: GatewaySettings) -> Gateway:
    """The process's gateway of these settings, opened at the first call."""
    if settings.mode == "record" and os.environ.get(REPLAY) == "replay":
        settings = dataclasses.replace(settings, mode="replay")
    with _lock:
        if settings not in _open:
            _open[settings] = settings.open()
        return _open[settings]


def spent() -> Totals:
    """What all open gateways have cost so far, calls of unfinished episodes included."""
    with _lock:
        return sum((gateway.ledger.totals for gateway in _open.values()), Totals())


def close_gateways() -> None:
    """Close all gateways: what comes after begins with fresh budgets, and reads its recordings again."""
    with _lock:
        for gateway in _open.values():
            gateway.close()
        _open.clear()
