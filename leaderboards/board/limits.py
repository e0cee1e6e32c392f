"""Rates: how often somebody may ask. Token buckets in this process's memory; several processes each have their own."""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from time import monotonic
from typing import NamedTuple

__all__ = ["Buckets", "Rate", "address_key"]

_MOST = 20_000


class Rate(NamedTuple):
    """So many in `seconds`, at most so many at once: `number` unless `burst` says less or more."""

    number: float
    seconds: float = 60.0
    burst: float | None = None

    @property
    def most(self) -> float:
        """What a bucket holds when it is full."""
        return self.number if self.burst is None else self.burst


class Buckets:
    """A bucket for each key. Of more than `most` keys the one that was used longest ago is forgotten, which fills it."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic, most: int = _MOST) -> None:
        self.rate, self._clock, self._most = rate, clock, most
        self._found: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, cost: float = 1.0) -> int:
        """Take `cost` from a bucket: 0 if it held that, else the whole seconds after which it will."""
        speed = self.rate.number / self.rate.seconds
        with self._lock:
            now = self._clock()
            held, at = self._found.pop(key, (self.rate.most, now))
            held = min(self.rate.most, held + max(0.0, now - at) * speed)
            short = cost - held
            self._found[key] = (held if short > 0 else held - cost, now)
            if len(self._found) > self._most:
                self._found.popitem(last=False)
        return max(1, math.ceil(short / speed)) if short > 0 else 0

    def __len__(self) -> int:
        return len(self._found)


def address_key(host: str | None) -> str:
    """What one client is known by: its address, of IPv6 the first half, since one subscriber has all of the rest."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return host or ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return str(address)
