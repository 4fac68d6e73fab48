"""A dozen people drawn by hand, on whom every rule has an answer one can check with a finger on this page.

Now is Saturday, 21 November 2026, 12:00 UTC; the publisher lives in Berlin (13:00 there). App: notes; other app: rides.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from muster.engine.context import Context
from muster.warehouse.port import Holding, Person, PersonEvent
from tests.generative.towns import Town, vocabulary

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CONTEXT = Context(NOW, vocabulary(), zone=ZoneInfo("Europe/Berlin"), minimum_age=17)
TICK = timedelta(microseconds=1)


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def _person(key: int, profile: dict[str, Any] | None = None, **rest: Any) -> Person:
    notes = {"acquired_at": ago(days=200)} | rest.pop("notes", {})
    facts = {"notes": notes} | ({"rides": rest.pop("rides")} if "rides" in rest else {})
    base = {"subject": f"c:{key}", "profiling_denied": False}
    return Person(customer_key=key, profile=base | (profile or {}), app_facts=rest.pop("apps", facts), **rest)


def _level(at: datetime, app: str = "notes", **properties: Any) -> PersonEvent:
    return PersonEvent(app, "level_up", at, properties)


def _shared(at: datetime) -> PersonEvent:
    return PersonEvent("notes", "shared", at, {})


PEOPLE = (
    # 1 Ann: 30, French, spent 10.00 exactly, three levels in the last 30 days.
    _person(
        1,
        {
            "birth_code": 19960301,
            "gender": "female",
            "country": "FR",
            "purchase_count": 2,
            "store_spend_micros": 10_000_000,
        },
        notes={"last_used_at": ago(days=30), "session_count": 10, "app_spend_micros": 10_000_000, "rating": 5.0},
        events=(_level(ago(days=20), level=4), _level(ago(days=10), level=5), _level(ago(days=1), level=9)),
    ),
    # 2 Ben: turned 18 yesterday, German, spent one millionth more than 10, used one tick inside the 30 days.
    _person(
        2,
        {
            "birth_code": 20081120,
            "gender": "male",
            "country": "DE",
            "purchase_count": 1,
            "store_spend_micros": 10_000_001,
        },
        notes={"last_used_at": ago(days=30) + TICK, "session_count": 1, "app_spend_micros": 10_000_001},
        events=(_level(ago(days=31), level=5),),
    ),
    # 3 Cem: 16: known to be too young.
    _person(3, {"birth_code": 20100101, "country": "DE"}, notes={"last_used_at": ago(days=1)}),
    # 4 Dee: objected to profiling.
    _person(
        4, {"birth_code": 19800101, "country": "DE", "profiling_denied": True}, notes={"last_used_at": ago(days=1)}
    ),
    # 5 Eve: nothing known, not even her age; never bought; only has the app.
    _person(5),
    # 6 Fay: only in the other app.
    _person(
        6, {"birth_code": 19900101, "country": "FR"}, apps={"rides": {"acquired_at": ago(days=5), "session_count": 3}}
    ),
    # 7 Gus: born on 29 February 1996: 30; both apps; a negative balance of spend; shared, then levelled.
    _person(
        7,
        {
            "birth_code": 19960229,
            "gender": "other",
            "country": "fr",
            "purchase_count": 0,
            "store_spend_micros": -5_000_000,
        },
        notes={
            "last_used_at": ago(days=90),
            "app_spend_micros": -5_000_000,
            "acquisition_type": "trial",
            "rating": 1.0,
        },
        rides={"acquired_at": ago(days=300), "session_count": 7, "app_spend_micros": 0},
        events=(_shared(ago(days=9)), _level(ago(days=8), level="5"), _level(ago(days=3), "rides", level=7)),
    ),
    # 8 Hal: an adult of 50, owns a subscription until tomorrow and a durable; two devices.
    _person(
        8,
        {"birth_code": 19761121, "gender": "male", "country": "US", "anniversary": date(2020, 11, 21)},
        notes={"last_used_at": NOW, "session_count": 25, "campaign_id": "Été 2026"},
        holdings=(Holding("notes", "Pro", ago(days=-1)), Holding("notes", "tour", None)),
        devices=(
            {
                "app": "notes",
                "os": "iOS",
                "app_version": "1.2.10",
                "device_family": "phone",
                "last_seen_at": ago(days=1),
            },
            {
                "app": "notes",
                "os": "windows",
                "app_version": "2.0",
                "device_family": "desktop",
                "last_seen_at": ago(days=89),
            },
        ),
    ),
    # 9 Ivy: 24, subscription ended now; one device, unseen for exactly 90 days.
    _person(
        9,
        {
            "birth_code": 20011122,
            "gender": "female",
            "country": "NO",
            "anniversary": date(2026, 11, 21),
            "interests": ["Pro"],
        },
        notes={"last_used_at": ago(days=7)},
        holdings=(Holding("notes", "Pro", NOW),),
        devices=({"app": "notes", "os": "iOS", "app_version": "1.0.0-rc.1", "last_seen_at": ago(days=90)},),
    ),
    # 10 Joe: 25 today; wrote in Berlin's yesterday, at 23:59:59 local time; anniversary on a leap day.
    _person(
        10,
        {"birth_code": 20011121, "country": "DE", "anniversary": date(2024, 2, 29), "nickname": "STRASSE"},
        notes={"last_used_at": datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC), "session_count": 0},
        events=(_level(NOW, level=5, hard=True),),
    ),
)
TOWN = Town(PEOPLE, {"grp_staff": {1, 5, 6}, "grp_beta": {2}}, CONTEXT)
