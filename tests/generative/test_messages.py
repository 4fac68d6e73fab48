"""Whatever is sent, reading it ends in an item, a verdict or one of two refusals of the whole body (E-13, E-14)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from muster.kernel.text import key_of
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Trust
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item
from muster.warehouse.messages.checks import read_message
from muster.warehouse.messages.errors import BodyUnreadable, MessageRefused
from muster.warehouse.messages.pieces import read_body
from muster.warehouse.messages.translation import Received, item_of, refused_item
from muster.warehouse.messages.words import event_name, new_traits, traits_of
from tests.spec.edge.requests import CATALOG, RECEIVED, envelope

CASES = int(os.environ.get("MUSTER_CASES", "60"))
_TEXTS = st.text(max_size=12) | st.sampled_from(["u1", "", "NaN", "2026-11-21", "2026-11-21T18:44:55Z", "\ud800", "\0"])
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([10**320, -(10**320), 10**308, 9.2e12, -9.2e12, 1e22])
    | st.floats(allow_nan=True, allow_infinity=True)
    | _TEXTS
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=8
)
_NAMES = (
    "userId", "anonymousId", "previousId", "groupId", "event", "timestamp", "originalTimestamp", "sentAt", "messageId",
    "traits", "properties", "context", "name", "category", "channel",
)  # fmt: skip  # a table
_EVENTS = st.sampled_from(["Order Completed", "Order Refunded", "Order Cancelled", "Session", "App Rated", "Evt"])
_PROPERTIES = st.dictionaries(
    st.sampled_from(
        ["order_id", "revenue", "total", "value", "discount", "currency", "coupon", "products", "campaign"]
    ),
    _VALUES
    | st.lists(st.dictionaries(st.sampled_from(["product_id", "sku", "price", "quantity"]), _VALUES), max_size=2),
)
_INSTANTS = ["2026-11-21T18:44:55Z", "9998-12-31T23:59:59Z", "1000-01-01T00:00:00Z"]
_CONTEXTS = st.dictionaries(
    st.sampled_from(
        ["traits", "device", "os", "app", "page", "campaign", "locale", "timezone", "active", "userAgentData"]
    ),
    _VALUES | st.dictionaries(st.sampled_from(["id", "type", "model", "name", "version", "url", "mobile"]), _VALUES),
)
_STRANGE = st.fixed_dictionaries(
    {"type": st.sampled_from(["identify", "track", "page", "screen", "group", "alias"]), "userId": st.just("u1")},
    optional={
        **{name: _VALUES for name in _NAMES if name != "userId"},
        "event": _EVENTS | _VALUES,
        "properties": _PROPERTIES | _VALUES,
        "context": _CONTEXTS | _VALUES,
        "traits": st.dictionaries(st.sampled_from(["email", "age", "address", "Plan", "plan", "ß", ""]), _VALUES),
        **{
            name: st.integers() | st.floats() | st.sampled_from([*_INSTANTS, "0001-01-01", 10**320])
            for name in ("timestamp", "sentAt")
        },
    },
)
# Of these most are taken: it is their contents that are strange.
_PLAIN = st.fixed_dictionaries(
    {"type": st.sampled_from(["identify", "track", "page", "group", "alias"]), "userId": st.sampled_from(["u1", "u2"])},
    optional={
        "context": _CONTEXTS,
        "traits": st.dictionaries(st.sampled_from(["email", "age", "birthday", "country", "Plan", "plan"]), _VALUES),
        "groupId": _VALUES,
        "messageId": _VALUES,
    },
).flatmap(
    lambda told: st.fixed_dictionaries(
        {
            **{name: st.just(value) for name, value in told.items()},
            "previousId": st.just("a1"),
            "event": _EVENTS,
            "properties": _PROPERTIES,
        }
    )
)
_MESSAGES = _PLAIN | _STRANGE
_PIECES = (
    b'{"batch":[', b"]}", b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b'"a"', b"NaN", b"1", b" ", b"\xff",
    b'{"type":"page","userId":"u1"}', b'"context":{}', b"\xef\xbb\xbf",
)  # fmt: skip  # a table
_BODIES = st.binary(max_size=80) | st.builds(b"".join, st.lists(st.sampled_from(_PIECES), max_size=12))


@given(_BODIES)
@example(b'{"batch":[' + b"[" * 5_000)
@example(b'{"batch":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}")
@example(b'{"a":"' + b"\\" * 9_999)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for kind in (None, "track"):
        with suppress(BodyUnreadable):
            for raw in read_body(body, kind).messages:
                _item(raw, kind, Trust.OPEN)


@given(st.lists(_MESSAGES, max_size=3), st.sampled_from(list(Trust)))
def test_any_message_is_an_item_or_has_a_verdict(messages: list[dict[str, Any]], trust: Trust) -> None:
    """And all of them together are a batch that the warehouse's columns can hold."""
    body = json.dumps({"batch": messages}).encode()
    raws = read_body(body, None).messages
    assert len(raws) == len(messages)
    items = [_item(raw, None, trust) for raw in raws]
    assert batch_of(items, RECEIVED).items.num_rows == len(messages)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(tmp_path_factory.mktemp("warehouse")) as opened:
        opened.use_catalog(CATALOG)
        yield opened


@settings(max_examples=CASES)
@given(st.lists(_MESSAGES, max_size=8), st.sampled_from(list(Trust)))
def test_any_message_can_be_appended(warehouse: DuckDBWarehouse, messages: list[dict[str, Any]], trust: Trust) -> None:
    """What the warehouse could not take would hold up all that came with it (E-20)."""
    raws = read_body(json.dumps({"batch": messages}).encode(), None).messages
    warehouse.clear()
    outcome = warehouse.append(batch_of([_item(raw, None, trust) for raw in raws], RECEIVED), CATALOG)
    assert sum(outcome.counts.values()) == len(messages)


@pytest.mark.parametrize("sent", [RECEIVED.isoformat(), None])
def test_reading_twice_gives_the_same_item(sent: str | None) -> None:
    """A cycle that is repeated says the same, or it would not be recognised."""
    raw = json.dumps({"type": "page", "userId": "u1", "sentAt": sent}).encode()
    assert _item(raw, None, Trust.OPEN) == _item(raw, None, Trust.OPEN)


def _item(raw: bytes, kind: str | None, trust: Trust) -> Item:
    about = envelope(trust=trust)
    try:
        received = Received(read_message(raw, kind), raw, about)
        event_name(received.message)
        new = new_traits(traits_of(received.message, received.context).items(), CATALOG.attributes)
        assert [key for key in new if key_of(key) != key] == []
        return item_of(received, CATALOG)
    except MessageRefused as refused:
        return refused_item(raw, about, 0, refused.code)
