"""What was refused is taken once more with the meaning it had when it came (E-14)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyroaring import BitMap

from muster.catalog.actions import create_app, edit_app
from muster.customers.actions.replay import MOST_AT_ONCE, take_once_more
from muster.customers.actions.replay import replay as replay_job
from muster.spool.entries import UNREADABLE
from muster.team.policies import LOCAL
from muster.warehouse.refused import Asked
from muster.web.errors import JobStopped
from tests.integration.edge.served import asked, served
from tests.integration.edge.test_cycles import Town
from tests.integration.living import problem
from tests.integration.personas import open_store
from tests.integration.processes import wait_until


@pytest.fixture
def town(db: None, tmp_path: Path) -> Iterator[Town]:
    """Its app takes no word that the catalog does not know."""
    create_app(LOCAL, key="notes", strict=True)
    with open_store(tmp_path) as warehouse, ExitStack() as stack:
        yield Town(tmp_path / "spool", warehouse, stack)


def be_lenient() -> None:
    edit_app(LOCAL, "notes", revision=None, strict=False)


def replay(town: Town, **asked: Any) -> dict[str, int]:
    """All of it at once; how many became what."""
    warehouse = town.warehouse
    chunk = warehouse.refused_to_replay(Asked(**asked), 0, warehouse.last_refused(), 1_000)
    outcome = take_once_more(chunk)
    assert outcome is not None
    return dict(outcome.counts)


def level_up(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "userId": "u1", "event": "Level Up", **fields}


def test_a_replay_means_what_the_first_arrival_meant(town: Town) -> None:
    """The device's clock is an hour behind (C-18), the page is said of the whole batch, and a token vouches for u1: all
    of it is of the request, not of the item."""
    said = {
        "batch": [level_up(userId="u2", messageId="m0"), level_up(messageId="m1", timestamp="2026-11-21T17:40:00Z")],
        "context": {"page": {"url": "https://notes.example/", "title": "Über"}},
        "sentAt": "2026-11-21T17:44:55Z",
    }
    town.spool(body=json.dumps(said).encode(), trust=1, subject="u1")
    town.run()
    assert town.ask("SELECT code, count(*) FROM rejects GROUP BY 1") == [("unknown_event", 2)]
    be_lenient()
    assert replay(town) == {"accepted": 2}
    assert town.ask(
        "SELECT happened_at, trust, source, active, CAST(CAST(props AS JSON) AS VARCHAR) FROM all_events ORDER BY 1"
    ) == [
        (datetime(2026, 11, 21, 18, 40), 1, 7, True, '{"title":"Über","url":"https://notes.example/"}'),
        (datetime(2026, 11, 21, 18, 44, 55), 0, 7, True, '{"title":"Über","url":"https://notes.example/"}'),
    ]
    assert town.ask("SELECT (SELECT count(*) FROM rejects), (SELECT count(*) FROM reject_requests)") == [(0, 0)]


def test_each_item_is_replayed_once(town: Town) -> None:
    """C-19: sent twice and refused twice it is one; two calls without id and time are two, as on arrival."""
    town.spool(level_up(messageId="m1"), level_up(messageId="m1"), level_up(), level_up())
    town.spool(level_up(messageId="m1"))
    town.run()
    be_lenient()
    assert replay(town) == {"accepted": 3, "duplicate": 2}
    assert town.warehouse.refused_to_replay(Asked(), 0, town.warehouse.last_refused(), 10) == []
    town.spool(level_up(messageId="m1"))
    done = town.drain.cycle()
    assert done is not None
    assert done.outcome.counts == {"duplicate": 1}


def test_what_is_refused_again_stays_with_its_new_verdict_and_its_old_age(town: Town) -> None:
    """Seven days are counted from its arrival, however often it is replayed (C-48)."""
    town.spool(level_up(userId="none"), level_up(event="?!"))
    town.run()
    arrived = datetime(2026, 11, 21, 18, 44, 55)
    assert town.ask("SELECT number, code, received_at FROM rejects") == [
        (1, "unknown_event", arrived),
        (2, "unknown_event", arrived),
    ]
    be_lenient()
    assert replay(town) == {"identity_placeholder": 1, "not_a_name": 1}
    asked = "SELECT number, code, received_at, nth FROM rejects ORDER BY number"
    assert town.ask(asked) == [(3, "identity_placeholder", arrived, 0), (4, "not_a_name", arrived, 1)]
    assert replay(town, code="not_a_name") == {"not_a_name": 1}
    assert town.ask(asked) == [(3, "identity_placeholder", arrived, 0), (5, "not_a_name", arrived, 1)]
    town.warehouse.drop_old_rejects((arrived + timedelta(seconds=1)).replace(tzinfo=UTC))
    assert town.ask("SELECT (SELECT count(*) FROM rejects), (SELECT count(*) FROM reject_requests)") == [(0, 0)]


def test_many_are_kept_like_a_few(town: Town) -> None:
    """Forty items go the set-based way, three the short one; what is kept of them is the same."""
    town.spool(*(level_up(messageId=f"m{number}") for number in range(40)))
    town.run()
    town.spool(*(level_up(messageId=f"n{number}") for number in range(3)))
    town.run()
    found = town.warehouse.refused(Asked(), None, 100)
    assert [one.number for one in found] == list(range(43, 0, -1))
    assert [(one.nth, one.code, one.is_replayable) for one in found[:4]] == [
        (2, "unknown_event", True),
        (1, "unknown_event", True),
        (0, "unknown_event", True),
        (39, "unknown_event", True),
    ]
    told = {one.place: json.loads(one.told or "") for one in found}
    assert [(one["kind"], one["trust"], one["context"]) for one in told.values()] == [("items", 2, {})] * 2
    be_lenient()
    assert replay(town) == {"accepted": 43}


def test_what_said_nothing_or_was_not_to_be_taken_cannot_be_replayed(town: Town) -> None:
    """The first KiB of what is no JSON, and what its visitor's browser asked not to be tracked by (E-41)."""
    town.spool(kind=UNREADABLE, call="invalid_json", body=b"hello")
    town.spool(kind=UNREADABLE, call="gpc", body=b'{"type":"page","anonymousId":"a"}')
    town.run()
    assert [(one.code, one.is_replayable) for one in town.warehouse.refused(Asked(), None, 10)] == [
        ("gpc", False),
        ("invalid_json", False),
    ]
    assert town.warehouse.refused_to_replay(Asked(), 0, 100, 10) == []


def test_one_that_is_gone_meanwhile_is_not_brought_back(town: Town) -> None:
    """An erasure between the look and the grasp takes the item with it: nothing is taken of the chunk."""
    town.spool(level_up(), level_up(userId="u2"))
    town.run()
    be_lenient()
    chunk = town.warehouse.refused_to_replay(Asked(), 0, 2, 10)
    town.ask("DELETE FROM rejects WHERE number = 1")
    assert take_once_more(chunk) is None
    assert town.ask("SELECT (SELECT count(*) FROM all_events), (SELECT count(*) FROM rejects)") == [(0, 1)]


def test_erasing_takes_what_was_refused_of_somebody(town: Town) -> None:
    """By the item, and by what a token said of its whole request; others stay (C-45)."""
    town.spool({"type": "identify", "userId": "u1"})
    town.spool(level_up())
    town.spool(level_up(userId=None, anonymousId="a1"), trust=1, subject="u1")
    town.spool(level_up(userId="u2"))
    town.run()
    subject = town.warehouse.subject_of(BitMap([1]))
    assert town.warehouse.count_customers(subject)["rejects"] == 2
    assert [one.number for one in town.warehouse.refused_naming(subject)] == [1, 2]
    removed, _ = town.warehouse.erase_customers(subject, town.warehouse.catalog)
    assert (removed["rejects"], removed["reject_requests"]) == (2, 2)
    assert [one.number for one in town.warehouse.refused(Asked(), None, 10)] == [3]
    counted = town.warehouse.count_customers(subject)
    assert {name: counted.get(name, 0) for name in ("rejects", "reject_requests")} == {
        "rejects": 0,
        "reject_requests": 0,
    }


def test_what_could_not_be_drained_is_replayed_with_what_it_said_of_itself(town: Town) -> None:
    """E-20: nothing was believed of it then; once the cause is mended it is what it was. A context that is no
    object at all says nothing."""
    body = {"batch": [level_up(messageId="m1")], "context": 5}
    town.spool(body=json.dumps(body).encode())
    be_lenient()
    town.ask("ALTER TABLE all_events RENAME COLUMN hash TO mash")
    failed = 0
    while town.ask("SELECT count(*) FROM rejects") == [(0,)]:
        try:
            town.drain.cycle()
        except Exception:
            failed += 1
    town.ask("ALTER TABLE all_events RENAME COLUMN mash TO hash")
    assert failed == 3
    assert [(one.code, one.is_replayable) for one in town.warehouse.refused(Asked(), None, 10)] == [
        ("drain_failed", True)
    ]
    assert replay(town) == {"accepted": 1}
    assert town.ask("SELECT trust FROM all_events") == [(2,)]


class Stopping:
    """A job in a process that ends after so many chunks."""

    id, attempt, cancelled = "job_1", 1, False

    def __init__(self, parameters: dict[str, Any], chunks: int) -> None:
        self.parameters = parameters
        self._left = chunks

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        self._left -= 1

    def check(self) -> None:
        if self._left == 0:
            raise JobStopped("shutdown")

    def run(self, job_id: str) -> None:
        raise AssertionError(job_id)


def test_job_that_was_stopped_goes_on_and_takes_nothing_twice(town: Town) -> None:
    """What is refused after it was ordered is left to the next one, also what it refused itself."""
    town.spool(*(level_up(event="?!" if number % 2 else "Level Up") for number in range(MOST_AT_ONCE + 1_000)))
    town.run()
    be_lenient()
    parameters = {"app": 1, "code": None, "numbers": None, "last": town.warehouse.last_refused()}
    town.spool(level_up(userId="none"))
    town.run()
    with pytest.raises(JobStopped):
        replay_job(Stopping(parameters, 1))
    assert town.ask("SELECT (SELECT count(*) FROM all_events), (SELECT count(*) FROM rejects)") == [(2_500, 3_501)]
    assert replay_job(Stopping(parameters, 9)) == {"replayed": 1_000, "counts": {"accepted": 500, "not_a_name": 500}}
    assert replay_job(Stopping(parameters, 9)) == {"replayed": 0, "counts": {}}
    assert town.ask("SELECT code, count(*) FROM rejects GROUP BY 1 ORDER BY 1") == [
        ("identity_placeholder", 1),
        ("not_a_name", 3_000),
    ]


def test_one_that_cannot_be_taken_stays_and_the_rest_is_taken(town: Town) -> None:
    """E-20: what its request said of it is nothing that can be read."""
    town.spool(*(level_up(messageId=f"m{number}") for number in range(4)))
    town.spool(level_up(), trust=1, subject="u1")
    town.run()
    be_lenient()
    town.ask("UPDATE reject_requests SET told = replace(told, '\"trust\":1', '\"trust\":9')")
    parameters = {"app": None, "code": None, "numbers": None, "last": town.warehouse.last_refused()}
    told = replay_job(Stopping(parameters, 9))
    assert told == {"replayed": 5, "counts": {"accepted": 4, "drain_failed": 1}}
    assert [one.number for one in town.warehouse.refused(Asked(), None, 9)] == [5]


def test_replay_by_rest_and_command(environment: dict[str, str]) -> None:
    """Listed page by page, counted, replayed by number and by verdict; what is sent is for who may see it."""
    with served(environment) as installation:
        here = installation.living
        here.post("/apps", {"key": "notes", "settings": {"strict": True}}, 201)
        key = here.post("/apps/notes/keys", {"kind": "server"}, 201)
        sent = installation.send(key["key"], *(level_up(messageId=f"m{number}") for number in range(3)), {"type": "x"})
        installation.wait_for(sent.headers["x-muster-position"])
        page = here.get("/rejects", limit=2)
        assert [(one["number"], one["code"], one["app"], one["key"]) for one in page["items"]] == [
            (4, "unknown_event", "notes", key["id"]),
            (3, "unknown_event", "notes", key["id"]),
        ]
        following = here.get("/rejects", limit=2, cursor=page["next_cursor"])
        assert [one["number"] for one in following["items"]] == [2, 1]
        assert following["next_cursor"] is None
        assert json.loads(page["items"][0]["item"]) == level_up(messageId="m2")
        counts = here.get("/rejects/verdicts", app="notes")["items"]
        assert [(one["code"], one["count"], one["replayable"]) for one in counts] == [
            ("unknown_event", 3, 3),
            ("type_unknown", 1, 1),
        ]
        assert [one["item"] for one in here.with_scopes("customers:read").get("/rejects").json()["items"]] == [None] * 4
        assert problem(here.with_scopes("customers:read").post("/rejects/replay", json={})) == (403, "scope_missing")
        assert problem(here.local.get("/rejects", params={"app": "nope"})) == (404, "app_unknown")
        revision = here.get("/apps/notes")["revision"]
        edited = here.local.patch(
            "/apps/notes", json={"settings": {"strict": False}}, headers={"If-Match": f'"{revision}"'}
        )
        assert edited.status_code == 200, edited.text
        begun = here.post("/rejects/replay", {"numbers": [3]}, 202)
        assert here.finish(begun["job"]["id"])["result"] == {"replayed": 1, "counts": {"accepted": 1}}
        assert here.command("spool", "replay", "--app", "notes") == (
            0,
            {"replayed": 3, "counts": {"accepted": 2, "type_unknown": 1}},
        )
        assert here.command("spool", "replay", "--code", "unknown_event") == (0, {"replayed": 0, "counts": {}})
        _, listed = here.command("spool", "verdicts", "--code", "type_unknown")
        assert [(one["number"], one["item"]) for one in listed["items"]] == [(5, '{"type":"x"}')]
    assert asked(installation.home, "SELECT count(*) FROM all_events") == [(3,)]


def test_whom_a_replay_touches_is_in_their_groups_and_decided_for(environment: dict[str, str]) -> None:
    """E-22: the word was unknown, and is declared now."""
    with served(environment) as installation:
        here = installation.living
        here.post("/apps", {"key": "notes", "settings": {"strict": True}}, 201)
        settings = {"json": {"minimum_size": 0}, "headers": {"If-Match": '"1"'}}
        assert here.local.patch("/publisher", **settings).status_code == 200
        key = installation.key("publishable")
        sent = installation.send(key, level_up(userId="zoe"), {"type": "page", "userId": "zoe"})
        installation.wait_for(sent.headers["x-muster-position"])
        here.post("/apps/notes/events", {"key": "level_up"}, 201)
        definition = {"version": 1, "match": {"event": "level_up"}}
        here.post("/groups", {"key": "players", "name": "P", "definition": definition, "exposure": "open"}, 201)
        here.settle()
        assert here.get("/groups/players/members")["items"] == []
        assert here.command("spool", "replay") == (0, {"replayed": 1, "counts": {"accepted": 1}})
        here.settle()
        assert here.get("/groups/players/members")["items"] == [here.get("/customers/external:zoe")["id"]]
        asked = {"json": {"context": {"targetingKey": "zoe"}}, "headers": {"X-API-Key": key}}
        wait_until(lambda: installation.edge.post("/ofrep/v1/evaluate/flags/group.players", **asked).json()["value"])
