"""How often a key, and an address with a key, may ask: token buckets of this process (E-11)."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Hashable

from muster.edge.errors import EdgeError

# Of the least recently seen nobody is held back any more.
_MOST_BUCKETS = 100_000


class Buckets:
    """`rate` tokens a second, at most `burst`; a rate of 0 never refuses."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, max(burst, 1)
        # The least recently seen first.
        self._filled: dict[Hashable, tuple[float, float]] = {}

    def take(self, name: Hashable, now: float) -> float:
        """Seconds until there is one; 0 if it was taken."""
        if self._rate <= 0:
            return 0
        tokens, at = self._filled.pop(name, (self._burst, now))
        tokens = min(self._burst, tokens + max(now - at, 0) * self._rate)
        taken = tokens >= 1
        self._filled[name] = (tokens - 1 if taken else tokens, now)
        if len(self._filled) > _MOST_BUCKETS:
            del self._filled[next(iter(self._filled))]
        return 0 if taken else (1 - tokens) / self._rate


class Limits:
    """`processes` share what a key may ask."""

    def __init__(self, a_second: float, a_second_and_address: float, burst_of_address: float, processes: int) -> None:
        self._keys = Buckets(a_second / processes, 2 * a_second / processes)
        self._addresses = Buckets(a_second_and_address / processes, burst_of_address / processes)

    def check(self, source: int, address: str | None, now: float) -> None:
        """429 `rate_limited`. `address` None: it counts with nobody (server keys)."""
        wait = self._keys.take(source, now)
        if not wait and address is not None:
            wait = self._addresses.take((source, network_of(address)), now)
        if wait:
            raise EdgeError(429, "rate_limited", "Too many requests.", retry_after_seconds=math.ceil(wait))


def network_of(address: str) -> str:
    """An IPv4 address itself, of IPv6 its /64: one household has all of it."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address


def client_address(peer: str, forwarded: str, trusted: tuple[str, ...]) -> str:
    """The nearest address that no proxy of ours has: what a stranger writes into the header counts for nothing."""
    address = peer
    if not forwarded or not trusted:
        return address
    for told in reversed([one.strip() for one in forwarded.split(",") if one.strip()]):
        if not _is_trusted(address, trusted):
            break
        address = told
    return address


def _is_trusted(address: str, trusted: tuple[str, ...]) -> bool:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
        return any(ip in ipaddress.ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False
