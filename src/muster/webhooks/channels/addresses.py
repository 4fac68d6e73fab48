"""The address guard: where Muster lets itself be sent by what somebody typed (N-18).

An address is public when the special-purpose registries of IANA (RFC 6890) do not say otherwise. The tables stand here
because what Python calls global differs from version to version, and counts multicast in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit

import idna

from muster.kernel.worded import Worded, worded
from muster.webhooks.errors import AddressRefused

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]
"""Networks that the operator opens although they are not public."""

LONGEST_URL = 2_000
HTTPS_PORT = 443
_PORTS = {"https": HTTPS_PORT, "http": 80}
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# What a host ends in that some resolvers read as a number: 2130706433, 0x7f.1, 127.1.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NOT_PUBLIC_4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")


@dataclass(frozen=True)
class Target:
    """An address as it is kept and asked: host in ASCII, path quoted."""

    url: str
    scheme: str
    host: str
    port: int


def read_target(url: str, opened: Networks = ()) -> Target:
    """What an address says, as far as that can be judged without looking its name up; `webhook_address_refused`."""
    if len(url) > LONGEST_URL or any(letter <= " " or letter in "\x7f\\" for letter in url):
        raise _refused(worded("An address has at most {most} characters and no spaces.", most=LONGEST_URL))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused(worded("“{url}” is no address such as https://example.com/muster.", url=url)) from None
    _check_scheme(parts.scheme, bool(opened))
    if "@" in parts.netloc:
        raise _refused(worded("An address has no user name or password; deliveries are signed instead."))
    if parts.fragment:
        raise _refused(worded("An address has no fragment (#)."))
    host = _host(parts.hostname or "")
    number = _PORTS[parts.scheme] if port is None else port
    if number != HTTPS_PORT and not opened:
        raise _refused(worded("Deliveries go to port {port} only.", port=HTTPS_PORT))
    shown = f"[{host}]" if ":" in host else host
    place = "" if number == _PORTS[parts.scheme] else f":{number}"
    # What is quoted already stays as it is.
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = f"?{quote(parts.query, safe='/?%:@!$&()*+,;=~')}" if parts.query else ""
    target = Target(f"{parts.scheme}://{shown}{place}{path}{query}", parts.scheme, host, number)
    if is_literal(host):
        check_addresses(target, [host], opened)
    return target


def is_literal(host: str) -> bool:
    """Whether a host of a target is an IP address rather than a name."""
    return ":" in host or bool(_NUMERIC.fullmatch(host.rpartition(".")[2]))


def check_addresses(target: Target, addresses: Iterable[str], opened: Networks = ()) -> None:
    """`webhook_address_refused` unless every one of them may be connected to for this target."""
    for text in addresses:
        if not may_connect(target, text, opened):
            raise _refused(
                worded("{host} is at {address}, where Muster does not send.", host=target.host, address=text)
            )


def may_connect(target: Target, address: str, opened: Networks = ()) -> bool:
    """Public ones by TLS at its usual port; those that the operator opens at any, without TLS only on this machine."""
    found = unwrapped(ip_address(address))
    if any(found in network for network in opened):
        return target.scheme == "https" or found.is_loopback
    return target.scheme == "https" and target.port == HTTPS_PORT and is_public(found)


def is_public(address: Address) -> bool:
    """Whether packets to it go out into the world, and to one receiver there."""
    found = unwrapped(address)
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC_4)
    return found in _PUBLIC_6 and not any(found in network for network in _NOT_PUBLIC_6)


def unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for: mapped, of NAT64, of 6to4. Others as they are."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & 0xFFFF_FFFF)
    return address


def read_networks(text: str) -> Networks:
    """Networks separated by commas; ValueError for what is none."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _check_scheme(scheme: str, opened: bool) -> None:
    if scheme == "https" or (scheme == "http" and opened):
        return
    raise _refused(worded("An address begins with https://."))


def _host(text: str) -> str:
    """In ASCII and small letters, without a dot at its end; an IP address only as it is usually written."""
    if ":" in text or "%" in text:
        try:
            found = IPv6Address(text)
        except ValueError:
            raise _refused(worded("“{host}” is no host.", host=text)) from None
        if found.scope_id is not None:
            raise _refused(worded("“{host}” is no host.", host=text))
        return str(found)
    try:
        host = idna.encode(text, uts46=True).decode() if not text.isascii() else text.lower()
    except idna.IDNAError:
        raise _refused(worded("“{host}” is no host.", host=text)) from None
    host = host.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused(worded("“{host}” is no host.", host=text))
    if _NUMERIC.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            raise _refused(worded("“{host}” is no host.", host=text)) from None
    return host


def _refused(message: Worded) -> AddressRefused:
    return AddressRefused(message, pointer="/url")
