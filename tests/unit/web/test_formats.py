"""Values as readers of the three languages write them (D-47, D-48, D-49)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from muster.rules.describe.words import Formats
from muster.web.formats import BabelFormats, formats_for

NOW = datetime(2026, 11, 21, 18, 44, 55, tzinfo=UTC)
NARROW = "\u202f"
FIXED = "\u00a0"


@pytest.fixture(params=["en", "de", "fr"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def formats(language: str) -> BabelFormats:
    return formats_for(language, "Europe/Berlin", "EUR")


EXPECTED: dict[str, dict[str, Any]] = {
    "en": {
        "number": "1,284,310",
        "fraction": "0.125",
        "money": "€10.50",
        "percent": "0.25%",
        "share": "12.3%",
        "tiny": "< 0.1%",
        "day": "Nov 21, 2026",
        "instant": f"Nov 21, 2026, 7:44:55{NARROW}PM",
        "ago": "3 hours ago",
        "long_ago": "Nov 13, 2026",
        "duration": "30 days",
        "bytes": "1.2 MB",
        "and": "a, b, and c",
        "or": "a, b, or c",
        "country": "Germany",
    },
    "de": {
        "number": "1.284.310",
        "fraction": "0,125",
        "money": f"10,50{FIXED}€",
        "percent": f"0,25{FIXED}%",
        "share": f"12,3{FIXED}%",
        "tiny": f"< 0,1{FIXED}%",
        "day": "21.11.2026",
        "instant": "21.11.2026, 19:44:55",
        "ago": "vor 3 Stunden",
        "long_ago": "13.11.2026",
        "duration": "30 Tage",
        "bytes": "1,2 MB",
        "and": "a, b und c",
        "or": "a, b oder c",
        "country": "Deutschland",
    },
    "fr": {
        "number": f"1{NARROW}284{NARROW}310",
        "fraction": "0,125",
        "money": f"10,50{FIXED}€",
        "percent": f"0,25{FIXED}%",
        "share": f"12,3{FIXED}%",
        "tiny": f"< 0,1{FIXED}%",
        "day": "21 nov. 2026",
        "instant": "21 nov. 2026, 19:44:55",
        "ago": "il y a 3 heures",
        "long_ago": "13 nov. 2026",
        "duration": f"30{FIXED}jours",
        "bytes": f"1,2{NARROW}Mo",
        "and": "a, b et c",
        "or": "a, b ou c",
        "country": "Allemagne",
    },
}


def test_values_are_written_as_the_language_does(language: str, formats: BabelFormats) -> None:
    assert {
        "number": formats.number(Decimal(1_284_310)),
        "fraction": formats.number(Decimal("0.1250")),
        "money": formats.money(Decimal("10.5")),
        "percent": formats.percent(Decimal("0.25")),
        "share": formats.share(0.1234),
        "tiny": formats.share(0.0004),
        "day": formats.day(date(2026, 11, 21)),
        "instant": formats.instant(NOW),
        "ago": formats.ago(NOW - timedelta(hours=3), NOW),
        "long_ago": formats.ago(NOW - timedelta(days=8), NOW),
        "duration": formats.duration(timedelta(days=30)),
        "bytes": formats.bytes(1_234_567),
        "and": formats.list_and(["a", "b", "c"]),
        "or": formats.list_or(["a", "b", "c"]),
        "country": formats.country("DE"),
    } == EXPECTED[language]


def test_formats_serve_descriptions(formats: BabelFormats) -> None:
    serves: Formats = formats
    assert serves.country("XX") == "XX"


def test_share_of_none_and_of_all_is_exact() -> None:
    formats = formats_for("en", "UTC", "EUR")
    assert [formats.share(ratio) for ratio in (0, 0.001, 0.5, 1)] == ["0%", "0.1%", "50%", "100%"]


def test_amount_keeps_the_digits_of_its_currency() -> None:
    formats = formats_for("en", "UTC", "EUR")
    assert [formats.money(Decimal("10.5"), currency) for currency in ("JPY", "USD", "EUR")] == [
        "¥10.5",
        "$10.50",
        "€10.50",
    ]
