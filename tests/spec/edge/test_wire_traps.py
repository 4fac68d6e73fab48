"""Every trap of the wire, as the edge spec lists them (section 4), and the verdicts of E-14."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from muster.warehouse.catalog import Trust
from muster.warehouse.messages.errors import BodyUnreadable, MessageRefused
from muster.warehouse.messages.pieces import read_body
from tests.spec.edge.requests import RECEIVED, SHOP, STRICT, item, items_of, verdicts

GOOD = b'{"type":"track","userId":"u1","event":"Evt"}'


def batch(*messages: bytes) -> bytes:
    return b'{"batch":[' + b",".join(messages) + b"]}"


def track(**fields: object) -> bytes:
    return json.dumps({"type": "track", "userId": "u1", "event": "Evt", **fields}).encode()


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        (GOOD, "ok"),
        (b"5", "item_invalid"),
        (b"null", "item_invalid"),
        (b'{"type":"track","userId":"u1","event":"Evt","properties":{"x":NaN}}', "item_invalid"),
        (b'{"type":"track","userId":"u1","event":"Evt","properties":{"x":1e999}}', "item_invalid"),
        (b'{"type":"track","userId":"u1","event":}', "item_invalid"),
        (b'{"userId":"u1"}', "type_unknown"),
        (b'{"type":"delete","userId":"u1"}', "type_unknown"),
        (b'{"type":["track"],"userId":"u1"}', "type_unknown"),
        (b'{"type":"page"}', "identity_missing"),
        (b'{"type":"page","userId":null,"anonymousId":null}', "identity_missing"),
        (b'{"type":"page","userId":""}', "identity_missing"),
        (b'{"type":"page","userId":{"a":1}}', "identity_missing"),
        (b'{"type":"page","userId":true}', "identity_missing"),
        (b'{"type":"page","userId":"u1","anonymousId":[]}', "identity_missing"),
        (track(userId="x" * 255), "ok"),
        (track(userId="x" * 256), "identity_missing"),
        (b'{"type":"page","userId":"","anonymousId":"a"}', "ok"),
        (b'{"type":"page","userId":17}', "ok"),
        (b'{"type":"track","userId":"u1"}', "event_missing"),
        (b'{"type":"track","userId":"u1","event":" "}', "event_missing"),
        (b'{"type":"track","userId":"u1","event":5}', "event_missing"),
        (b'{"type":"alias","userId":"u1"}', "previous_id_missing"),
        (b'{"type":"alias","userId":"u1","previousId":"a"}', "ok"),
        (track(timestamp="2026-11-21T18:00:00+05:30"), "ok"),
        (track(timestamp="2026-11-21"), "ok"),
        (track(timestamp=1_795_286_695), "ok"),
        (track(timestamp=1_795_286_695_698), "ok"),
        (track(timestamp=None), "ok"),
        (track(timestamp="yesterday"), "timestamp_invalid"),
        (track(timestamp=True), "timestamp_invalid"),
        (track(originalTimestamp=[]), "timestamp_invalid"),
        (track(properties={"x": "y" * 70_000}), "item_too_large"),
        (track(properties={"x": 10**308}), "ok"),
        (track(properties={"x": 10**309}), "item_invalid"),
        (track(timestamp=10**320), "item_invalid"),
        (track(userId=10**320), "item_invalid"),
        (track(properties={"x": "e" + "\u0301" * 30 + "x" * 1_100}), "ok"),
        (track(properties={"x": "e" + "\u0301\u0316" * 600}), "item_invalid"),
        (track(properties={"x": [{"e" + "\u0301\u0316" * 600: 1}]}), "item_invalid"),
        (b'{"type":"page","userId":"u1","properties":' + b"[" * 31 + b"]" * 31 + b"}", "ok"),
        (b'{"type":"page","userId":"u1","properties":' + b"[" * 32 + b"]" * 32 + b"}", "too_deep"),
        (b'{"type":"page","userId":"u1","properties":' + b"[" * 9_000 + b"]" * 9_000 + b"}", "too_deep"),
    ],
)
def test_message_has_its_verdict_and_costs_no_other(message: bytes, verdict: str) -> None:
    """E-13, E-14: one bad item never costs the batch."""
    assert verdicts(batch(GOOD, message, GOOD)) == ["ok", verdict, "ok"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"hello", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'"x"', "invalid_json"),
        (b'{"batch":[', "invalid_json"),
        (b'{"batch":[]} {}', "invalid_json"),
        (b'{"batch":[{}}', "invalid_json"),
        (b'{"batch":[{},]}', "invalid_json"),
        (b'{"batch":[{},,{}]}', "invalid_json"),
        (b"{batch:[]}", "invalid_json"),
        (b"{}", "batch_missing"),
        (b'{"batch":null}', "batch_missing"),
        (b'{"batch":{}}', "batch_missing"),
        (b'{"batch":"x"}', "batch_missing"),
    ],
)
def test_body_that_says_nothing_is_told_why(body: bytes, code: str) -> None:
    """E-15: 400 only where sending it again cannot help."""
    with pytest.raises(BodyUnreadable) as refused:
        read_body(body, None)
    assert refused.value.code == code


def test_body_of_quotes_takes_no_time() -> None:
    """E-9: what looks like texts that never end is read once."""
    with pytest.raises(BodyUnreadable):
        read_body(b'{"batch":["' + b'\\"' * 500_000, None)


def test_empty_batch_is_a_batch() -> None:
    assert read_body(b'\xef\xbb\xbf {"batch":[ ]} ', None).messages == []


def test_type_of_a_single_call_is_that_of_its_path() -> None:
    """Old snippets send /v1/t without `type`."""
    assert verdicts(b'{"userId":"u1","event":"Evt"}', "track") == ["ok"]
    assert verdicts(b'{"type":"track","userId":"u1"}', "identify") == ["ok"]


def test_write_key_of_the_body_is_found() -> None:
    """E-5."""
    assert read_body(b'{"batch":[],"writeKey":"mpk_1"}', None).write_key == "mpk_1"
    assert read_body(b'{"userId":"u1","writeKey":"mpk_1"}', "page").write_key == "mpk_1"
    assert read_body(b'{"batch":[NaN],"writeKey":"mpk_1"}', None).write_key == "mpk_1"


def test_numbers_become_the_text_of_ids() -> None:
    """Numbers as ids, exact to any length."""
    ids = [
        one.external_id
        for one in items_of(
            batch(
                *(
                    b'{"type":"page","userId":%s}' % number
                    for number in (b"17", b"9223372036854775807", b"123456789012345678901234567890", b"1.0", b"1.5")
                )
            )
        )
    ]
    assert ids == ["17", "9223372036854775807", "123456789012345678901234567890", "1", "1.5"]


def test_integers_stay_exact() -> None:
    """64-bit integers in properties."""
    [one] = items_of(batch(b'{"type":"track","userId":"u1","event":"Evt","properties":{"n":9223372036854775807}}'))
    assert one.event is not None
    assert one.event.props == {"n": 9_223_372_036_854_775_807}


def test_letters_that_are_none_are_replaced() -> None:
    """Halves of surrogate pairs become U+FFFD, whole pairs one letter, NUL goes, bytes that are no UTF-8 U+FFFD."""
    [one] = items_of(
        batch(
            b'{"type":"track","userId":"a\\u0000b","event":"Evt","properties":{"half":"\\ud83d!","whole":"\\ud83d\\ude00",'
            b'"bytes":"\xff"}}'
        )
    )
    assert one.external_id == "ab"
    assert one.event is not None
    assert one.event.props == {"half": "\ufffd!", "whole": "\U0001f600", "bytes": "\ufffd"}


def test_context_of_the_batch_stands_under_each_own() -> None:
    message = {"type": "page", "anonymousId": "a", "context": {"locale": "de"}}
    [one] = items_of({"batch": [message], "context": {"locale": "en", "timezone": "Europe/Berlin"}})
    assert one.device is not None
    assert (one.device.locale, one.device.time_zone) == ("de", "Europe/Berlin")


def test_traits_beat_those_of_the_context_key_by_key() -> None:
    """C-16; `null` removes."""
    told = item(
        {
            "type": "identify",
            "userId": "u1",
            "traits": {"firstName": "Ann", "plan": None},
            "context": {"traits": {"first_name": "Old", "plan": "pro", "phone": "1"}},
        }
    )
    assert told.traits == {"first_name": "Ann", "plan": None, "phone": "1"}


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("trust", "said", "sent", "happened"),
    [
        (Trust.OPEN, RECEIVED - HOUR, RECEIVED, RECEIVED - HOUR),
        # The clock of the device is an hour late, or an hour early.
        (Trust.OPEN, RECEIVED - 2 * HOUR, RECEIVED - HOUR, RECEIVED - HOUR),
        (Trust.OPEN, RECEIVED, RECEIVED + HOUR, RECEIVED - HOUR),
        (Trust.SIGNED, RECEIVED, RECEIVED + HOUR, RECEIVED - HOUR),
        (Trust.OPEN, RECEIVED - HOUR, RECEIVED - timedelta(seconds=60), RECEIVED - HOUR),
        (Trust.OPEN, RECEIVED - HOUR, None, RECEIVED - HOUR),
        (Trust.SERVER, RECEIVED - 2 * HOUR, RECEIVED - HOUR, RECEIVED - 2 * HOUR),
        (Trust.SERVER, RECEIVED + HOUR, RECEIVED, RECEIVED),
        (Trust.SERVER, RECEIVED + timedelta(seconds=60), None, RECEIVED + timedelta(seconds=60)),
        (Trust.SERVER, None, None, RECEIVED),
    ],
)
def test_clocks_are_corrected(trust: Trust, said: datetime | None, sent: datetime | None, happened: datetime) -> None:
    """C-18."""
    message = {"type": "page", "anonymousId": "a", "timestamp": said and said.isoformat()}
    [one] = items_of({"batch": [message], "sentAt": sent and sent.isoformat()}, trust=trust)
    assert one.happened_at == happened


def test_sent_at_of_an_item_beats_that_of_its_batch() -> None:
    message = {
        "type": "page",
        "anonymousId": "a",
        "timestamp": RECEIVED.isoformat(),
        "sentAt": (RECEIVED + HOUR).isoformat(),
    }
    [one] = items_of({"batch": [message], "sentAt": RECEIVED.isoformat()}, trust=Trust.OPEN)
    assert one.happened_at == RECEIVED - HOUR


def test_before_1970_is_implausible() -> None:
    """C-18."""
    with pytest.raises(MessageRefused) as refused:
        item({"type": "page", "userId": "u1", "timestamp": "1969-12-31T23:59:59Z"})
    assert refused.value.code == "timestamp_implausible"


def test_hash_is_that_of_the_message_id_and_the_app() -> None:
    """C-19."""
    message = {"type": "page", "userId": "u1", "messageId": "m1"}
    first = item(message, place="1.1")
    assert item({**message, "name": "x"}, place="1.2").hash == first.hash
    assert item(message, app=SHOP).hash != first.hash


def test_hash_without_an_id_is_of_the_item_or_of_its_place() -> None:
    """C-19: two identical bare calls are two events; an item with its own time is itself again."""
    bare = {"type": "page", "userId": "u1"}
    timed = {**bare, "timestamp": "2026-11-21"}
    assert item(bare, place="1.1").hash == item(bare, place="1.1").hash
    assert item(bare, place="1.1").hash != item(bare, place="1.2").hash
    assert item(timed, place="1.1").hash == item(timed, place="1.2").hash
    first, second = items_of({"batch": [bare, bare]})
    assert first.hash != second.hash


def test_token_vouches_for_its_own_subject_only() -> None:
    """C-9."""
    message = {"type": "page", "userId": "u1"}
    assert item(message, trust=Trust.SIGNED, subject="u1").trust == Trust.SIGNED
    assert item(message, trust=Trust.SIGNED, subject="u2").trust == Trust.OPEN


def test_number_of_a_customer_is_the_text_a_token_vouches_for() -> None:
    """C-9, E-14: libraries send ids either way."""
    assert item({"type": "page", "userId": 42}, trust=Trust.SIGNED, subject="42").trust == Trust.SIGNED
    assert item({"type": "page", "userId": 43}, trust=Trust.SIGNED, subject="42").trust == Trust.OPEN


def test_id_of_an_item_keeps_no_server_out() -> None:
    """C-19, ADR 36: whoever guesses it. What an app sends again is the same, whether a token comes with it or not."""
    message = {"type": "page", "userId": "u1", "messageId": "order-1001"}
    open_, signed, server = (item(message, trust=trust, subject="u1").hash for trust in Trust)
    assert (open_ == signed, open_ == server) == (True, False)


@pytest.mark.parametrize("number", ["9" * 400, "1" + "0" * 309])
def test_what_a_batch_says_of_all_its_messages_is_read_as_they_are(number: str) -> None:
    """ADR 36: beside the messages, which stand without it."""
    body = f'{{"context":{{"campaign":{{"id":{number}}}}},"batch":[{{"type":"page","userId":"u1"}}]}}'.encode()
    assert read_body(body, None).context == {}
    [one] = items_of(body)
    assert one.event is not None
    assert one.event.props == {}


@pytest.mark.parametrize(
    ("said", "sent"),
    [("9998-12-31T23:59:59Z", "1000-01-01T00:00:00Z"), ("1000-01-01T00:00:00Z", "9998-12-31T00:00:00Z")],
)
def test_clock_beyond_all_years_is_refused(said: str, sent: str) -> None:
    """C-18."""
    with pytest.raises(MessageRefused) as refused:
        item({"type": "page", "userId": "u1", "timestamp": said, "sentAt": sent}, trust=Trust.OPEN)
    assert refused.value.code == "timestamp_implausible"


def test_strict_app_takes_only_words_of_the_catalog() -> None:
    """C-2."""
    for message, code in (
        ({"type": "track", "userId": "u1", "event": "Nobody Knows"}, "unknown_event"),
        ({"type": "identify", "userId": "u1", "traits": {"shoe": 42}}, "unknown_attribute"),
    ):
        with pytest.raises(MessageRefused) as refused:
            item(message, app=STRICT)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("app", "properties", "micros"),
    [
        (1, {"revenue": 14.99, "total": 20}, 14_990_000),
        (SHOP, {"revenue": 14.99, "total": 20}, 20_000_000),
        (1, {"total": "20.5"}, 20_500_000),
        (1, {"value": 3}, 3_000_000),
        (1, {"products": [{"price": 2, "quantity": 3}, {"price": 1}], "discount": 0.5}, 6_500_000),
        (1, {"products": [{"product_id": "x"}]}, None),
        (1, {"revenue": 0.1}, 100_000),
        (1, {"revenue": 1e13}, None),
        (1, {"products": [{"price": 9e12}], "discount": -9e12}, None),
        (1, {"products": [{"price": 9e12, "quantity": 999_999_999_999}]}, None),
    ],
)
def test_amount_is_read_in_this_order(app: int, properties: dict[str, object], micros: int | None) -> None:
    """C-23."""
    told = item(
        {"type": "track", "userId": "u1", "event": "Order Completed", "properties": {"order_id": 1, **properties}},
        app=app,
    )
    assert told.order is not None
    assert (told.order.order_id, told.order.amount_micros) == ("1", micros)


def test_refund_without_amount_is_of_the_rest() -> None:
    """C-25; what takes an order back must name it."""
    message = {"type": "track", "userId": "u1", "event": "Order Refunded", "properties": {"order_id": "o1"}}
    told = item(message)
    assert told.order is not None
    assert (told.order.kind, told.order.amount_micros) == ("refunded", None)
    with pytest.raises(MessageRefused) as refused:
        item({**message, "properties": {}})
    assert refused.value.code == "order_id_missing"


def test_campaign_of_the_context_stands_with_the_page() -> None:
    """Section 5 of the customers spec: the campaign a touch carries, its address and referrer."""
    context = {
        "campaign": {"name": "spring", "source": "mail"},
        "page": {"url": "https://x/", "referrer": "https://y/"},
    }
    told = item(
        {"type": "page", "anonymousId": "a", "context": context},
        trust=Trust.OPEN,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert told.event is not None
    assert told.event.props == {
        "url": "https://x/",
        "referrer": "https://y/",
        "campaign": {"name": "spring", "source": "mail"},
    }
    assert told.event.active
