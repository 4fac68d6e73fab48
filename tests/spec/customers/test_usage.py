"""Use of the apps: activity, sessions, engagement (C-21, C-22), ratings, churn values."""

from __future__ import annotations

import pytest

from muster.warehouse.items import Device
from tests.spec.customers.told import GAME, SHOP, at, event, item


def _sessions(person):
    return [(s["started_at"], s["ended_at"], s["engaged_seconds"]) for s in person.sessions]


def _used(person, app="notes"):
    row = person.app_facts[app]
    return row["first_used_at"], row["last_used_at"], row["session_count"], row["engagement_minutes"]


def test_no_use_leaves_usage_missing(know):
    person = know([event("app_crashed", at(1))])["c:u1"]
    assert _used(person) == (None, None, None, None)
    assert person.app_facts["notes"]["acquired_at"] is None


def test_gap_under_thirty_minutes_is_one_session(know):
    person = know([event("app_opened", at(0)), event("level_up", at(minutes=29, seconds=59))])["c:u1"]
    assert _sessions(person) == [(at(0), at(minutes=29, seconds=59), 300)]


def test_gap_of_thirty_minutes_is_two_sessions(know):
    person = know([event("app_opened", at(0)), event("level_up", at(minutes=30))])["c:u1"]
    assert _sessions(person) == [(at(0), at(0), 0), (at(minutes=30), at(minutes=30), 0)]
    assert _used(person) == (at(0), at(minutes=30), 2, 0)


def test_late_event_joins_two_sessions_into_one(know):
    person = know([event("app_opened", at(0)), event("app_opened", at(minutes=40)), event("level_up", at(minutes=20))])
    assert _sessions(person["c:u1"]) == [(at(0), at(minutes=40), 600)]


def test_engagement_is_gaps_of_at_most_five_minutes(know):
    times = [at(0), at(minutes=2), at(minutes=12), at(minutes=12, seconds=59)]
    person = know([event("level_up", time) for time in times])["c:u1"]
    assert _sessions(person) == [(at(0), at(minutes=12, seconds=59), 120 + 300 + 59)]
    assert _used(person) == (at(0), at(minutes=12, seconds=59), 1, 7)


def test_nothing_counts_after_the_app_went_to_the_background(know):
    items = [event("app_opened", at(0)), event("app_backgrounded", at(minutes=1)), event("app_opened", at(minutes=3))]
    assert _sessions(know(items)["c:u1"]) == [(at(0), at(minutes=3), 60)]


def test_devices_have_sessions_of_their_own(know):
    items = [
        event("app_opened", at(0), device=Device("d1")),
        event("app_opened", at(minutes=1), device=Device("d2")),
        event("app_opened", at(minutes=2), device=Device("d1")),
    ]
    assert sorted(_sessions(know(items)["c:u1"])) == [(at(0), at(minutes=2), 120), (at(minutes=1), at(minutes=1), 0)]


def test_apps_have_sessions_of_their_own(know):
    person = know([event("app_opened", at(0)), event("app_opened", at(minutes=1), app=SHOP)])["c:u1"]
    assert (_used(person)[2], _used(person, "shop")[2]) == (1, 1)


def test_reported_sessions_count_as_told_and_activity_makes_none(know):
    said = {"session_id": "s1", "started_at": "2026-11-02T01:00:00Z", "ended_at": "2026-11-02T01:10:00Z"}
    items = [
        event("app_opened", at(0), app=GAME),
        event("session", at(2), app=GAME, props={**said, "engaged_seconds": 60}),
        event("session", at(3), app=GAME, props={**said, "engaged_seconds": 200.9}),
    ]
    person = know(items)["c:u1"]
    assert _sessions(person) == [(at(1), at(1, minutes=10), 200)]
    assert _used(person, "game") == (at(0), at(0), 1, 3)


def test_sessions_are_occurrences(know):
    events = know([event("app_opened", at(1)), event("app_opened", at(1, minutes=2))])["c:u1"].events
    session = next(e for e in events if e.event == "session")
    assert (session.happened_at, session.properties) == (
        at(1),
        {
            "started_at": "2026-11-02T01:00:00.000000Z",
            "ended_at": "2026-11-02T01:02:00.000000Z",
            "engaged_seconds": 120.0,
        },
    )


@pytest.mark.parametrize(
    "said",
    [
        event("app_opened", at(1), active=False),
        event("billed", at(1)),
        event("page_viewed", at(1), props={"url": "https://store.example/notes/about"}),
        event("listing_viewed", at(1)),
    ],
)
def test_what_is_no_activity_is_no_use(know, said):
    """C-22, and looks at a listing."""
    person = know([said])["c:u1"]
    assert _used(person) == (None, None, None, None)


def test_page_of_the_app_is_use(know):
    person = know([event("page_viewed", at(1), props={"url": "https://notes.example/"})])["c:u1"]
    assert _used(person) == (at(1), at(1), 1, 0)


def test_newest_rating_between_one_and_five_counts(know):
    items = [
        event("app_rated", at(1), props={"rating": 2}),
        event("app_rated", at(3), props={"rating": "4.5"}),
        event("app_rated", at(2), props={"rating": 5}),
        event("app_rated", at(4), props={"rating": 6}),
        event("app_rated", at(5), props={"rating": "great"}),
    ]
    facts = know(items)["c:u1"].app_facts["notes"]
    assert (facts["rating"], facts["rated_at"]) == (4.5, at(3))


def test_first_and_last_seen_are_of_any_item(know):
    profile = know([item(at(5)), event("app_crashed", at(1)), item(at(3))])["c:u1"].profile
    assert (profile["first_seen_at"], profile["last_seen_at"]) == (at(1), at(5))
