"""What follows from an outcome, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from muster.webhooks.channels.requests import Outcome
from muster.webhooks.channels.sending import retry_after
from muster.webhooks.decide import failure_of, hold_of, judge

_NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _answered(status: int | None, wait: float | None = None, error: str = "") -> Outcome:
    return Outcome(status, error, "", 5, wait)


def test_delivery_is_tried_ten_times_in_three_days() -> None:
    """The schedule of Standard Webhooks: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h."""
    waits = []
    for tries in range(1, 12):
        judged = judge(_answered(500), tries, _NOW, 0.0)
        waits.append((judged.next_at - _NOW).total_seconds() if judged.next_at else None)
    hour = 3600
    assert waits == [5, 300, 1800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour, None, None]


def test_jitter_is_a_tenth_at_most_and_never_earlier() -> None:
    assert judge(_answered(500), 2, _NOW, 0.5).next_at == _NOW + timedelta(seconds=315)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (_answered(200), ""),
        (_answered(204), ""),
        (_answered(301), "redirected"),
        (_answered(307), "redirected"),
        (_answered(400), "not_accepted"),
        (_answered(404), "not_accepted"),
        (_answered(410), "gone"),
        (_answered(429), "not_accepted"),
        (_answered(500), "not_accepted"),
        (_answered(None, error="timeout"), "timeout"),
    ],
)
def test_only_2xx_is_success(outcome: Outcome, code: str) -> None:
    assert failure_of(outcome) == code


def test_gone_is_not_tried_again() -> None:
    assert judge(_answered(410), 1, _NOW, 0.0).next_at is None


def test_receiver_may_ask_for_longer_waits_up_to_a_day() -> None:
    assert judge(_answered(429, 60), 1, _NOW, 0.0).next_at == _NOW + timedelta(seconds=60)
    assert judge(_answered(429, 60), 2, _NOW, 0.0).next_at == _NOW + timedelta(seconds=300)
    assert judge(_answered(503, 10**9), 1, _NOW, 0.0).next_at == _NOW + timedelta(days=1)


def test_receiver_with_too_much_to_do_is_left_alone_at_once_others_after_five_failures() -> None:
    assert hold_of(_answered(200), 0, _NOW) is None
    assert hold_of(_answered(500), 1, _NOW) is None
    assert hold_of(_answered(429), 1, _NOW) == _NOW + timedelta(seconds=5)
    assert hold_of(_answered(429, 90), 1, _NOW) == _NOW + timedelta(seconds=90)
    assert hold_of(_answered(500), 5, _NOW) == _NOW + timedelta(seconds=5)
    assert hold_of(_answered(500), 7, _NOW) == _NOW + timedelta(seconds=20)
    assert hold_of(_answered(500), 5_000, _NOW) == _NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        ("Sun, 22 Nov 2026 12:01:00 GMT", 60.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1" * 4000, 111_111_111.0),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(said: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": said}, _NOW) == seconds
