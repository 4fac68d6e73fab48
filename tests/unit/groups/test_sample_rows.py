"""The sample as it is loaded: the same seed gives the same files (D-16)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from muster.groups.queries.templates import TEMPLATES
from muster.groups.sample import rows as sample

NOW = datetime(2026, 11, 21, tzinfo=UTC)
_ORDERS = [{"customer": "c1", "day": "2026-03-01"}, {"customer": "c2", "day": "2026-05-01"}]


@pytest.fixture(scope="module")
def customers() -> list[sample.Row]:
    return sample.read("customers")


def test_sample_has_eight_segments_of_templates_and_two_lists() -> None:
    assert (len(sample.SEGMENTS), len(set(sample.SEGMENTS)), set(sample.LISTS)) == (8, 8, {"Beta testers", "Staff"})
    assert [TEMPLATES[template].name for _, template, _ in sample.SEGMENTS] == [name for *_, name in sample.SEGMENTS]
    assert {app for app, *_ in sample.SEGMENTS} == set(sample.APPS)


@pytest.mark.parametrize("name", sample.LISTS)
def test_lists_hold_addresses_of_customers(customers: list[sample.Row], name: str) -> None:
    listed = sample.listed(customers, name, 1)
    assert (len(set(listed)), set(listed) - {row["email"] for row in customers}) == (sample.LISTS[name], set())


def test_seed_decides_what_is_generated(customers: list[sample.Row]) -> None:
    one, again, other = (list(sample.visits(_ORDERS, ["c3"], NOW, seed)) for seed in (1, 1, 2))
    assert (one == again, one == other) == (True, False)
    lists = [sample.listed(customers, "Staff", seed) for seed in (1, 1, 2)]
    assert (lists[0] == lists[1], lists[0] == lists[2]) == (True, False)
