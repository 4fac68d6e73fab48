"""The bundled sample as files an import takes: real orders with shifted dates, and generated visits on top."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import zstandard

_DATA = Path(__file__).parent / "data"
APPS = {"adventure-shop": "Adventure Shop", "adventure-rides": "Adventure Rides"}
# Four segments an app, by their templates; the lists hold e-mail addresses of so many customers (D-16).
SEGMENTS = (
    ("adventure-shop", "new-customers", "New customers"),
    ("adventure-shop", "first-time-payers", "First-time payers"),
    ("adventure-shop", "top-spenders", "Top spenders"),
    ("adventure-shop", "loyal", "Loyal"),
    ("adventure-rides", "top-spenders", "Top spenders"),
    ("adventure-rides", "lapsing", "Lapsing"),
    ("adventure-rides", "inactive-30-days", "Inactive for 30 days"),
    ("adventure-rides", "outdated-version", "Outdated version"),
)
LISTS = {"Beta testers": 240, "Staff": 36}
SEED = 20
ADULT_YEARS = 18
VERSIONS = ("2.0.0", "2.1.0", "2.2.0", "2.2.1")
CAMPAIGNS = ("spring-sale", "tour-de-france", "newsletter")
REFERRERS = ("https://www.cyclingtips.example/gear", "https://forum.example/thread/12")
_DEVICES = (
    ("phone", "Android", "14", "Pixel 8"),
    ("phone", "iOS", "17.5", "iPhone 15"),
    ("tablet", "iOS", "16.7", "iPad Air"),
    ("desktop", "Windows", "10.0.22631", "Surface Laptop"),
)
EVENT_COLUMNS = (
    "customer", "event", "at", "acquisition_type", "campaign", "url", "referrer", "rating", "device", "family", "os",
    "os_version", "app_version", "model", "generated",
)  # fmt: skip  # a table, read by rows
Row = dict[str, str]


@dataclass(frozen=True)
class Shift:
    """How far the sample's dates are moved, decided once when it is loaded."""

    orders: timedelta
    birthdays: timedelta


def read(name: str) -> list[Row]:
    """One bundled file as rows."""
    packed = (_DATA / f"{name}.csv.zst").read_bytes()
    text = zstandard.ZstdDecompressor().stream_reader(packed).read().decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def shift_for(today: date, orders: list[Row], customers: list[Row]) -> Shift:
    """The last order becomes yesterday's; the youngest customer turns 18 today."""
    last = max(date.fromisoformat(row["day"]) for row in orders)
    youngest = max(date.fromisoformat(row["birthday"]) for row in customers)
    adult = _years_before(today, ADULT_YEARS)
    return Shift(orders=today - timedelta(days=1) - last, birthdays=adult - youngest)


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def shifted(rows: list[Row], column: str, by: timedelta) -> list[Row]:
    return [{**row, column: (date.fromisoformat(row[column]) + by).isoformat()} for row in rows]


def listed(customers: list[Row], name: str, seed: int = SEED) -> list[str]:
    """The e-mail addresses on a list of the sample."""
    dice = random.Random(f"{seed}:{name}")  # noqa: S311 - a sample, not a secret
    return sorted(dice.sample(sorted(row["email"] for row in customers if row["email"]), LISTS[name]))


def visits(orders: list[Row], strangers: list[str], now: datetime, seed: int = SEED) -> Iterator[Row]:
    """Generated events of one app: how each customer found it, came, returned and rated it. Same seed, same people.

    `orders`: the app's, dates shifted. `strangers`: customers who never ordered and only look around.
    """
    bought: dict[str, list[date]] = {}
    for row in orders:
        bought.setdefault(row["customer"], []).append(date.fromisoformat(row["day"]))
    for customer in strangers:
        bought.setdefault(customer, [])
    for customer, days in bought.items():
        yield from _visits_of(customer, sorted(set(days)), now, random.Random(f"{seed}:{customer}"))  # noqa: S311 - a sample, not a secret


def _visits_of(customer: str, days: list[date], now: datetime, dice: random.Random) -> Iterator[Row]:
    acquired = _acquired_at(days, now, dice)
    device = _device(customer, dice)
    yield from _arrival(customer, acquired, now, dice)
    kind = dice.choices(("free", "trial", "paid", "promo_code"), (70, 15, 12, 3))[0]
    yield _row(customer, "app_acquired", acquired, acquisition_type=kind)
    latest = acquired
    for visit in sorted(_visit_times(acquired, days, now, dice)):
        yield _row(customer, "app_opened", visit, **device)
        left = visit + timedelta(minutes=dice.randint(1, 4))
        if left < now:
            yield _row(customer, "app_backgrounded", left, **device)
        latest = visit
    if dice.random() < 0.12:
        stars = dice.choices((1, 2, 3, 4, 5), (8, 7, 15, 30, 40))[0]
        yield _row(customer, "app_rated", latest, rating=str(stars))


def _acquired_at(days: list[date], now: datetime, dice: random.Random) -> datetime:
    if not days:
        return now - timedelta(days=dice.randint(2, 500), minutes=dice.randint(0, 1_000))
    first = datetime(days[0].year, days[0].month, days[0].day, tzinfo=UTC)
    return first - timedelta(days=dice.randint(0, 20), minutes=dice.randint(1, 1_000))


def _visit_times(acquired: datetime, days: list[date], now: datetime, dice: random.Random) -> Iterator[datetime]:
    yield acquired
    for day in days:
        yield datetime(day.year, day.month, day.day, dice.randint(7, 21), dice.randint(0, 59), tzinfo=UTC)
    span = (now - acquired).total_seconds()
    # Most come a few times soon after they found the app; one in five keeps coming until today.
    faithful = dice.random() < 0.2
    for _ in range(dice.randint(6, 16) if faithful else dice.randint(0, 3)):
        share = dice.random() ** (0.4 if faithful else 2.0)
        yield acquired + timedelta(seconds=int(span * share))
    if faithful:
        yield now - timedelta(hours=dice.randint(2, 24 * 12))


def _arrival(customer: str, acquired: datetime, now: datetime, dice: random.Random) -> Iterator[Row]:
    """One in three came through the listing: by a campaign, from another site, or from the store itself."""
    if dice.random() > 0.33 or acquired >= now:
        return
    seen = acquired - timedelta(minutes=dice.randint(2, 600))
    way = dice.choices(("campaign", "referrer", "store"), (45, 25, 30))[0]
    yield _row(
        customer,
        "listing_viewed",
        seen,
        campaign=dice.choice(CAMPAIGNS) if way == "campaign" else "",
        referrer=dice.choice(REFERRERS) if way == "referrer" else "",
        url="https://store.example/adventure",
    )


def _device(customer: str, dice: random.Random) -> Row:
    family, os, os_version, model = dice.choice(_DEVICES)
    version = dice.choices(VERSIONS, (10, 15, 30, 45))[0]
    return {
        "device": f"device-{customer}",
        "family": family,
        "os": os,
        "os_version": os_version,
        "app_version": version,
        "model": model,
    }


def _row(customer: str, event: str, at: datetime, **columns: str) -> Row:
    said = {"customer": customer, "event": event, "at": at.isoformat(), "generated": "true"} | columns
    return {name: said.get(name, "") for name in EVENT_COLUMNS}


def csv_bytes(rows: list[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
