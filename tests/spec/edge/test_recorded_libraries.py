"""What unmodified libraries sent becomes what their callers meant (edge spec, section 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from muster.rules.standard_events import STANDARD_EVENTS
from muster.warehouse.items import Device, Line, Occurrence, OrderEntry
from tests.spec.edge.requests import CATALOG, items_of, recorded


def test_segment_node_batch_says_six_things() -> None:
    """E-13, C-16, C-23: identify, order, page, screen, group and alias of one flush."""
    [request] = recorded("analytics-node-next")
    identify, order, page, screen, group, alias = items_of(request["body"])

    assert identify.external_id == "u1"
    assert identify.traits == {
        "email": "Ann@Example.com",
        "gender": "female",
        "age": 34,
        "created_at": "2024-01-02T03:04:05.000Z",
        "country": "NO",
    }
    assert identify.happened_at == datetime(2026, 11, 21, 18, 44, 55, 698_000, tzinfo=UTC)
    assert order.order == OrderEntry(
        "completed",
        "o1",
        amount_micros=14_990_000,
        currency="NOK",
        lines=(Line("sku", price_micros=14_990_000, quantity=Decimal(1)),),
    )
    assert (order.event, order.happened_at) == (None, datetime(2024, 2, 2, tzinfo=UTC))
    assert page.event == Occurrence(
        STANDARD_EVENTS["page_viewed"].number, {"name": "Home", "url": "http://x"}, active=False
    )
    assert (screen.external_id, screen.anonymous_id) == (None, "anon1")
    assert screen.event == Occurrence(STANDARD_EVENTS["screen_viewed"].number, {"name": "Main"}, active=False)
    assert group.traits == {"account_id": "g1"}
    assert group.event == Occurrence(
        STANDARD_EVENTS["account_joined"].number, {"plan": "pro", "account_id": "g1"}, active=False
    )
    assert (alias.external_id, alias.previous_id, alias.event) == ("u1", "anon1", None)


def test_rudderstack_node_keeps_its_original_time() -> None:
    """C-18: `originalTimestamp`, and `sentAt` of each item."""
    identify, event = (items_of(request["body"])[0] for request in recorded("analytics-node/"))
    assert (identify.external_id, identify.traits) == ("u1", {"email": "a@b.c"})
    assert identify.happened_at == datetime(2026, 11, 21, 18, 45, 35, 925_000, tzinfo=UTC)
    assert event.event is not None
    assert (event.event.event, event.event.props) == (2, {"v": 1})


def test_segment_python_null_is_absent() -> None:
    """`"anonymousId": null`, `"name": null`, `+00:00`, a birthday without a time."""
    [request] = recorded("analytics-python/2.4")
    identify, event, group, screen = items_of(request["body"])
    assert (identify.external_id, identify.anonymous_id) == ("u2", None)
    assert identify.traits == {"email": "x@y.z", "birthday": "1990-01-01"}
    assert identify.device is None
    assert (event.event, event.happened_at) == (
        Occurrence(CATALOG.event_named("Signed Up").number, {"plan": "pro"}, active=False),
        datetime(2024, 1, 1, tzinfo=UTC),
    )
    assert group.traits == {"account_id": "g1"}
    assert screen.event == Occurrence(STANDARD_EVENTS["screen_viewed"].number, {"category": "Main"}, active=False)


def test_rudderstack_python_sends_traits_in_the_context() -> None:
    """C-16: only `context.traits`."""
    [request] = recorded("analytics-python/2.1")
    identify, event = items_of(request["body"])
    assert (identify.external_id, identify.traits) == ("u3", {"email": "r@y.z"})
    assert event.event == Occurrence(CATALOG.event_named("Evt").number, {}, active=False)


def test_device_of_an_app_is_what_its_context_says() -> None:
    """C-11: `context.device`, `os`, `app`, locale and zone; without an id the anonymous one."""
    context = {
        "device": {"id": "d1", "type": "ios", "model": "iPad14,1"},
        "os": {"name": "iPadOS", "version": "17.4"},
        "app": {"version": "2.1.0"},
        "locale": "nb-NO",
        "timezone": "Europe/Oslo",
    }
    [told] = items_of({"batch": [{"type": "screen", "anonymousId": "a1", "context": context}]})
    assert told.device == Device("d1", "tablet", "iPadOS", "17.4", "2.1.0", "iPad14,1", "nb-NO", "Europe/Oslo")
    [bare] = items_of({"batch": [{"type": "screen", "anonymousId": "a1"}], "context": {"os": {"name": "Android"}}})
    assert bare.device == Device("a1", os="Android")
