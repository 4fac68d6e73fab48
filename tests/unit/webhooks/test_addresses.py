"""The address guard (N-18): what somebody may type, and what a name may lead to."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from muster.webhooks.channels.addresses import (
    Target,
    check_addresses,
    is_public,
    may_connect,
    read_networks,
    read_target,
)
from muster.webhooks.errors import AddressRefused

_LOOPBACK = read_networks("127.0.0.0/8, ::1/128")
_OFFICE = read_networks("10.0.0.0/8")
_NOT_PUBLIC = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:c0a8:101::5",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
_PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"]


@pytest.mark.parametrize("address", _NOT_PUBLIC)
def test_address_that_is_not_public_is_refused(address: str) -> None:
    """N-18"""
    target = Target("https://h/", "https", "h", 443)
    assert (is_public(ip_address(address)), may_connect(target, address)) == (False, False)
    with pytest.raises(AddressRefused):
        # One among good ones is enough.
        check_addresses(target, ["1.1.1.1", address])


@pytest.mark.parametrize("address", _PUBLIC)
def test_address_that_is_public_is_taken(address: str) -> None:
    target = Target("https://h/", "https", "h", 443)
    assert (is_public(ip_address(address)), may_connect(target, address)) == (True, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "example.com",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com:8443/",
        "https://example.com:22/",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com\\@127.0.0.1/",
        "https://example.com\n.evil/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://-example.com/",
        "https://example..com/",
        "https://exa%6dple.com/",
        f"https://{'a' * 64}.com/",
        f"https://example.com/{'a' * 2000}",
    ],
)
def test_address_that_may_not_be_typed_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        read_target(url)
    assert (refused.value.code, refused.value.pointer) == ("webhook_address_refused", "/url")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://EXAMPLE.com:443/Hook?Token=a%20b", "https://example.com/Hook?Token=a%20b"),
        ("https://example.com./x", "https://example.com/x"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://my_host.example/", "https://my_host.example/"),
        ("https://1.1.1.1/", "https://1.1.1.1/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
    ],
)
def test_address_is_kept_as_it_is_asked(url: str, kept: str) -> None:
    assert read_target(url).url == kept
    assert read_target(kept).url == kept


def test_operator_opens_networks_and_nothing_else() -> None:
    """N-18: private networks only by operator setting."""
    assert read_target("https://10.1.2.3:8443/", _OFFICE).port == 8443
    assert read_target("http://127.0.0.1:9/", _LOOPBACK).url == "http://127.0.0.1:9/"
    for url in ("https://192.168.0.1/", "http://10.1.2.3/", "https://1.1.1.1:8443/", "http://1.1.1.1/"):
        with pytest.raises(AddressRefused):
            read_target(url, _OFFICE)
    named = Target("https://intranet:8443/", "https", "intranet", 8443)
    assert [may_connect(named, one, _OFFICE) for one in ("10.0.0.5", "::ffff:10.0.0.5", "192.168.0.5", "1.1.1.1")] == [
        True,
        True,
        False,
        False,
    ]
    unencrypted = Target("http://receiver:80/", "http", "receiver", 80)
    assert [may_connect(unencrypted, one, (*_LOOPBACK, *_OFFICE)) for one in ("127.0.0.1", "::1", "10.0.0.5")] == [
        True,
        True,
        False,
    ]
