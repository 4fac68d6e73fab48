"""What an evaluation is told besides the definition: the instant, the publisher's settings, the words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from muster.kernel.civil import day_code, local_day
from muster.rules.vocabulary import Attribute, Event, Vocabulary

DEVICE_ACTIVE_DAYS = 90
"""A device counts while it was seen within so many days (G-7)."""


@dataclass(frozen=True)
class Context:
    """`now` is aware UTC; every relative window of one evaluation is measured from it."""

    now: datetime
    vocabulary: Vocabulary
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    minimum_age: int = 17
    require_known_age: bool = False

    def __post_init__(self) -> None:
        if self.now.utcoffset() is None:
            raise ValueError("the instant of an evaluation needs its offset from UTC")
        object.__setattr__(self, "now", self.now.astimezone(UTC))

    @cached_property
    def today(self) -> date:
        """The calendar day of `now` in the publisher's zone."""
        return local_day(self.now, self.zone)

    @cached_property
    def today_code(self) -> int:
        return day_code(self.today)

    def at(self, instant: datetime) -> Context:
        """The same context at another instant."""
        return Context(instant, self.vocabulary, self.zone, self.minimum_age, self.require_known_age)

    def attribute(self, key: str) -> Attribute:
        return self.vocabulary.attributes[key]

    def event(self, key: str) -> Event:
        return self.vocabulary.events[key]
