"""What groups remember, and what they would be at another instant (groups spec, G-17, G-18, G-29)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.groups.conftest import BOUGHT_AT, NOW, matching, up_to
from tests.integration.living import Document, Living, problem

Make = Callable[..., Document]


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _edit(town: Living, group: str, definition: Document) -> None:
    revision = town.get(f"/groups/{group}")["revision"]
    headers = {"If-Match": f'"{revision}"'}
    assert town.local.patch(f"/groups/{group}", json={"definition": definition}, headers=headers).status_code == 200


def test_changes_say_who_joined_and_left(town: Living, make: Make) -> None:
    """G-17"""
    make("remembering", up_to(40))
    before = _now()
    _edit(town, "remembering", up_to(30))
    newest, first = town.get("/groups/remembering/changes")["items"]
    assert [(one["cause"], one["grain"], one["size"], one["joined"], one["left"]) for one in (first, newest)] == [
        ("definition", "exact", 40, {"size": 40}, {"size": 0}),
        ("definition", "exact", 30, {"size": 0}, {"size": 10}),
    ]
    detail = town.get(f"/groups/remembering/changes/{newest['id']}")
    then = town.get("/groups/remembering/members", as_of=before, limit=1000)
    now = town.get("/groups/remembering/members", limit=1000)
    assert (len(then["items"]), then["recorded_at"], then["exact"]) == (40, first["at"], True)
    assert sorted(detail["left_ids"]) == sorted(set(then["items"]) - set(now["items"]))
    assert (detail["joined_ids"], detail["complete"]) == ([], True)
    days = town.get("/groups/remembering/sizes")["items"]
    assert days == [{"day": datetime.now(UTC).date().isoformat(), "size": 30}]


def test_refresh_that_changes_nothing_is_not_remembered(town: Living, make: Make) -> None:
    make("steady", up_to(40))
    town.post("/groups/steady/refresh")
    assert len(town.get("/groups/steady/changes")["items"]) == 1


def test_memory_does_not_reach_before_the_group(town: Living, make: Make) -> None:
    make("young", up_to(40))
    answer = town.local.get("/groups/young/members", params={"as_of": (NOW - timedelta(days=1)).isoformat()})
    assert problem(answer) == (422, "value_not_allowed")
    assert answer.json()["errors"][0]["pointer"] == "/as_of"


def test_small_past_is_not_told(town: Living, make: Make) -> None:
    """G-21: neither the size then, nor what left, from which it could be reckoned."""
    make("shrunk", up_to(40))
    _edit(town, "shrunk", up_to(3))
    _edit(town, "shrunk", up_to(40))
    reader = town.with_scopes("groups:read")
    changes = reader.get("/groups/shrunk/changes").json()["items"]
    small = {"size": None, "small": True}
    assert [(one["size"], one["joined"], one["left"]) for one in changes] == [
        (40, small, small),
        (None, small, small),
        (40, {"size": 40}, {"size": 0}),
    ]
    between = changes[1]["at"]
    assert problem(town.local.get("/groups/shrunk/members", params={"as_of": between})) == (409, "group_inactive")
    assert town.get(f"/groups/shrunk/changes/{changes[0]['id']}")["joined_ids"] == []


def test_clock_ignores_what_came_later(town: Living, make: Make) -> None:
    """G-29: before nobody had bought, and nobody's visit was 30 days old."""
    bought = matching({"none": [{"attribute": "has_purchased", "op": "is", "value": True}]})
    before = (BOUGHT_AT - timedelta(hours=1)).isoformat()
    after = (BOUGHT_AT + timedelta(hours=1)).isoformat()
    sizes = []
    for at in (before, after):
        answer = town.local.post("/groups/preview", params={"at": at}, json={"definition": bought})
        assert answer.status_code == 200, answer.text
        sizes.append((answer.json()["size"], answer.json()["not_historic"]))
    assert sizes == [(54, []), (53, [])]
    make("idle", matching({"attribute": "last_used_at", "op": "not_in_last", "value": "P30D"}))
    assert town.get("/groups/idle")["size"] == 54
    then = town.get("/groups/idle", at=(NOW - timedelta(days=20)).isoformat())["at"]
    assert (then["size"], then["available_customers"], then["not_historic"]) == (0, 54, [])
    members = town.get("/groups/idle/members", at=(NOW + timedelta(days=1)).isoformat(), limit=1000)
    assert len(members["items"]) == 54


def test_clock_follows_groups_and_names_what_has_no_history(town: Living, make: Make) -> None:
    make("idle", matching({"attribute": "last_used_at", "op": "not_in_last", "value": "P30D"}))
    combined = matching({"all": [{"group": "idle"}, {"attribute": "os", "op": "is_not_set"}]})
    answer = town.local.post(
        "/groups/preview", params={"at": (NOW - timedelta(days=20)).isoformat()}, json={"definition": combined}
    )
    assert (answer.json()["size"], answer.json()["not_historic"]) == (0, ["devices"])


def test_clock_keeps_what_was_first_said_later(town: Living) -> None:
    """G-29: the points came with an import without times."""
    answer = town.local.post(
        "/groups/preview", params={"at": (NOW - timedelta(days=20)).isoformat()}, json={"definition": up_to(40)}
    )
    assert (answer.json()["size"], answer.json()["not_historic"]) == (40, ["points"])


def test_recorded_and_evaluated_are_two_questions(town: Living, make: Make) -> None:
    make("asked-twice", up_to(40))
    both = {"as_of": _now(), "at": _now()}
    assert problem(town.local.get("/groups/asked-twice/members", params=both)) == (422, "value_not_allowed")
    naive = town.local.get("/groups/asked-twice", params={"at": "2026-01-01T00:00:00"})
    assert problem(naive) == (422, "value_not_allowed")


@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z", "1969-12-31T00:00:00Z"]
)
def test_instants_at_the_end_of_calendars_are_refused(town: Living, make: Make, instant: str) -> None:
    """Windows and zones would lead beyond."""
    make("endless", up_to(40))
    for path, name in (
        ("/groups/endless/members", "as_of"),
        ("/groups/endless/members", "at"),
        ("/groups/endless", "at"),
        ("/groups/endless/explain?customer=external:u1", "as_of"),
        ("/audit", "since"),
        ("/rejects", "until"),
    ):
        answer = town.local.get(path, params={**({"customer": "external:u1"} if "?" in path else {}), name: instant})
        assert problem(answer) == (422, "request_invalid"), path
    replay = town.local.post("/webhooks/wh_1/replay", json={"since": instant})
    assert problem(replay) == (422, "request_invalid")


@pytest.mark.parametrize(
    "position", [5, ["x", "y"], ["0001-01-01T00:00:00+14:00", "a"], ["9999-12-31T23:59:59-14:00", 1], ["\ud800", "a"]]
)
def test_cursors_that_no_list_gave_are_refused(town: Living, position: Any) -> None:
    cursor = urlsafe_b64encode(json.dumps(position).encode()).decode()
    for path in ("/jobs", "/erasures", "/suppressions", "/audit", "/groups"):
        told = {"cursor": cursor} | ({"state": "active"} if path == "/groups" else {})
        answer = town.local.get(path, params=told)
        # Of groups a position is two texts, whatever they are.
        assert problem(answer)[1] == "cursor_invalid" if path != "/groups" else answer.status_code < 500, path


def test_explanation_of_a_past_instant_uses_its_definition(town: Living, make: Make) -> None:
    """G-18"""
    make("explained", up_to(40))
    then = _now()
    _edit(town, "explained", up_to(30))
    past = town.get("/groups/explained/explain", customer="external:u35", as_of=then)
    now = town.get("/groups/explained/explain", customer="external:u35")
    assert (past["member"], past["stored_member"], past["tree"]["condition"]["value"]) == (True, True, 40)
    assert (now["member"], now["stored_member"], now["tree"]["condition"]["value"]) == (False, False, 30)


def test_explanation_of_the_past_ranks_people_as_they_were(town: Living, make: Make) -> None:
    make("top", matching({"attribute": "points", "op": "top_count", "value": 30}))
    found = town.get("/groups/top/explain", customer="external:u59", as_of=_now())
    assert (found["member"], found["tree"]["threshold"]) == (True, 25)
