"""When customers may change by time, out of their own rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from muster.engine.context import Context
from muster.engine.follow.schedule import turnings_of
from muster.engine.turning import Source
from muster.warehouse.port import Person
from tests.generative.towns import vocabulary

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TWO_YEARS = timedelta(days=730)
TRIAL = Source("profiles", "c_6_at", "trial_ends_at")


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        (NOW - TWO_YEARS, 0),
        (NOW - TWO_YEARS + timedelta(microseconds=1), 1),
        (NOW - TWO_YEARS + timedelta(days=1), 1),
        (NOW - TWO_YEARS + timedelta(days=1, microseconds=1), 0),
        (datetime(9999, 12, 31, tzinfo=UTC), 0),
        (datetime(1000, 1, 1, tzinfo=UTC), 0),
    ],
)
def test_moment_turns_when_its_window_ends(moment: datetime, found: int) -> None:
    """(now, until]; of a moment at the end of all years no window ends."""
    person = Person(7, {"trial_ends_at": moment})
    turnings = list(turnings_of([person], {TRIAL: {TWO_YEARS}}, Context(NOW, vocabulary()), NOW + timedelta(days=1)))
    assert len(turnings) == found
