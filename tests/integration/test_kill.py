"""The server dies without warning and is started again: all is complete, and equal to what it would have been."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.integration.living import Document, Living, csv_of, living
from tests.integration.processes import kill

# More than two chunks of an import.
PEOPLE = 450_000
_CUSTOMERS = {"kind": "customers", "row": {"external_id": "id", "traits": {"country": "country"}}}
_EVENTS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}


def _killed(installation: Living) -> None:
    kill(installation.server.process)
    installation.server.process.returncode = 0


def _definition(country: str) -> Document:
    match = {"attribute": "country", "op": "is", "value": country}
    return {"version": 1, "app": "notes", "match": match}


def _leftovers(home: Path) -> list[str]:
    """Membership files no group points to."""
    with sqlite3.connect(home / "control.sqlite3") as database:
        rows = database.execute("SELECT id, generation FROM groups_group WHERE generation > 0").fetchall()
    database.close()
    wanted = {f"{group}.{generation}.roaring" for group, generation in rows}
    return sorted(path.name for path in (home / "membership").iterdir() if path.name not in wanted)


def _sizes(installation: Living) -> dict[str, tuple[str, int]]:
    return {one["key"]: (one["state"], one["size"]) for one in installation.get("/groups", limit=200)["items"]}


def _small_town(installation: Living) -> None:
    """3,000 people of the app, a third of them in Norway."""
    installation.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    rows = [f"u{n},{'NO' if n % 3 == 0 else 'SE'}" for n in range(1, 3_001)]
    installation.bring_in(csv_of("id,country", *rows), _CUSTOMERS)
    visits = [f"u{n},app_opened,2026-01-01T00:00:00Z" for n in range(1, 3_001)]
    installation.bring_in(csv_of("id,event,at", *visits), _EVENTS)


def test_import_goes_on_where_it_was_killed(environment: dict[str, str], home: Path) -> None:
    """C-37: killed after its first chunk; the next server completes it by itself."""
    content = csv_of("id,country", *(f"u{n},{'NO' if n % 3 == 0 else 'SE'}" for n in range(1, PEOPLE + 1)))
    with living(environment) as first:
        first.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        checked = first.upload(content, _CUSTOMERS).json()
        assert first.finish(checked["job"]["id"], 180)["state"] == "done"
        applying = first.post(f"/imports/{checked['id']}/apply", {}, 202)
        deadline = time.monotonic() + 120
        while not (applied := first.get(f"/imports/{checked['id']}")["applied"]):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert 0 < applied < PEOPLE
        _killed(first)
    with living(environment) as second:
        assert second.finish(applying["job"]["id"], 180)["state"] == "done"
        second.settle(180)
        shown = second.get(f"/imports/{checked['id']}")
        assert (shown["state"], shown["applied"], shown["counts"]) == ("done", PEOPLE, {"new": PEOPLE})
        last = second.get(f"/customers/external:u{PEOPLE}")
        assert last["attributes"]["country"] == "NO"
        # Keys are dense: nobody was made twice.
        nobody = httpx.codes.NOT_FOUND
        assert last["id"] == _id_of(PEOPLE)
        assert second.local.get(f"/customers/{_id_of(PEOPLE + 1)}").status_code == nobody
        again = second.upload(content, _CUSTOMERS).json()
        assert second.finish(again["job"]["id"], 180)["state"] == "done"
        assert second.get(f"/imports/{again['id']}")["counts"] == {"already_stored": PEOPLE}


def _id_of(key: int) -> str:
    from muster.kernel.ids import customer_id

    return customer_id(key)


@pytest.mark.parametrize("after_seconds", [0.0, 0.05, 0.2])
def test_refresh_is_complete_after_a_kill(environment: dict[str, str], home: Path, after_seconds: float) -> None:
    with living(environment) as first:
        _small_town(first)
        for number in range(20):
            definition = _definition("NO" if number % 2 else "SE")
            first.post("/groups", {"key": f"g{number}", "name": f"G {number}", "definition": definition}, 201)
        before = _sizes(first)
        refresh = first.post("/groups/refresh", {}, 202)
        time.sleep(after_seconds)
        _killed(first)
    (home / "membership" / "grp_gone.7.roaring").write_bytes(b"")
    (home / "membership" / "grp_gone.8.unfinished").write_bytes(b"")
    with living(environment) as second:
        assert _leftovers(home) == []
        assert second.finish(refresh["job"]["id"])["state"] == "done"
        assert _sizes(second) == before
        assert set(before.values()) == {("active", 1_000), ("active", 2_000)}


def test_edits_are_whole_after_a_kill(environment: dict[str, str], home: Path) -> None:
    """G-16: whatever revision survived, its members are those of its own definition, and so are its follower's."""
    with living(environment) as first:
        _small_town(first)
        first.post("/groups", {"key": "edited", "name": "Edited", "definition": _definition("NO")}, 201)
        follower = {"version": 1, "app": "notes", "match": {"group": "edited"}}
        first.post("/groups", {"key": "follower", "name": "Follower", "definition": follower}, 201)
        editing = threading.Thread(target=_edit_until_refused, args=(first,))
        editing.start()
        time.sleep(1.5)
        _killed(first)
        editing.join(30)
    with living(environment) as second:
        shown = second.get("/groups/edited")
        assert shown["revision"] > 1
        country = shown["definition"]["match"]["value"]
        expected = ("active", 1_000 if country == "NO" else 2_000)
        assert _sizes(second) == {"edited": expected, "follower": expected}
        members = _members(second, "edited")
        assert (_members(second, "follower"), len(members), _leftovers(home)) == (members, expected[1], [])
        versions = second.get("/groups/edited/versions")["items"]
        assert [one["revision"] for one in versions] == list(range(shown["revision"], 0, -1))
        second.post("/groups/edited/refresh")
        assert _members(second, "edited") == members


def _edit_until_refused(installation: Living) -> None:
    revision = 1
    try:
        while True:
            definition = _definition("SE" if revision % 2 else "NO")
            answer = installation.local.patch(
                "/groups/edited", json={"definition": definition}, headers={"If-Match": f'"{revision}"'}
            )
            assert answer.status_code == 200
            revision += 1
    except httpx.HTTPError:
        return


def _members(installation: Living, group: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = installation.get(f"/groups/{group}/members", limit=1000, **cursor)
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = {"cursor": page["next_cursor"]}
