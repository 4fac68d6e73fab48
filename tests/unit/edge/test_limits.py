"""Token buckets, and whose address counts (E-11)."""

from __future__ import annotations

import pytest

from muster.edge.errors import EdgeError
from muster.edge.limits import Buckets, Limits, client_address, network_of


def test_bucket_gives_its_burst_and_then_its_rate() -> None:
    buckets = Buckets(rate=2, burst=3)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b", 0.0) == 0
    assert [buckets.take("a", 0.5), buckets.take("a", 0.5)] == [0, 0.5]
    assert [buckets.take("a", 100.0) for _ in range(4)] == [0, 0, 0, 0.5]


def test_clock_that_steps_back_gives_nothing_and_takes_nothing() -> None:
    buckets = Buckets(rate=1, burst=1)
    assert (buckets.take("a", 10.0), buckets.take("a", 5.0), buckets.take("a", 6.0)) == (0, 1, 0)


def test_rate_of_0_never_refuses() -> None:
    buckets = Buckets(rate=0, burst=0)
    assert {buckets.take("a", 0.0) for _ in range(100)} == {0}


def test_addresses_count_with_their_key_and_server_keys_without() -> None:
    limits = Limits(1_000, 1, 2, processes=1)
    limits.check(1, "192.0.2.1", 0.0)
    limits.check(1, "192.0.2.1", 0.0)
    with pytest.raises(EdgeError) as refused:
        limits.check(1, "192.0.2.1", 0.0)
    assert (refused.value.code, refused.value.retry_after_seconds) == ("rate_limited", 1)
    limits.check(2, "192.0.2.1", 0.0)
    for _ in range(10):
        limits.check(1, None, 0.0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no:address", "no:address"),
    ],
)
def test_household_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("", "198.51.100.7", ""),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: str, address: str) -> None:
    assert client_address(peer, forwarded, ("10.0.0.0/8",)) == address
