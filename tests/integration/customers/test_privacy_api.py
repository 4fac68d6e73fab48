"""Consent, objection, suppression, export and the doors of erasure (C-12 to C-14, C-44 to C-46)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.living import Document, Living, csv_of, living, problem

PEOPLE = {"kind": "customers", "row": {"external_id": "id", "email": "email", "traits": {"country": "country"}}}


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    """Forty people in Norway, of whom u1..u30 are on no list."""
    with living(module_environment) as found:
        found.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        found.bring_in(csv_of("id,email,country", *(f"u{n},u{n}@example.com,NO" for n in range(1, 41))), PEOPLE)
        events = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
        found.bring_in(csv_of("id,event,at", *(f"u{n},app_opened,2026-01-01" for n in range(1, 41))), events)
        definition = {"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "NO"}}
        found.post("/groups", {"key": "norway", "name": "Norway", "definition": definition}, 201)
        found.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
        yield found


def _list(town: Living, text: str) -> Document:
    begun = town.local.post("/groups/testers/imports", data={"text": text}).json()
    town.finish(begun["job"]["id"])
    checked = town.get(f"/imports/{begun['id']}")
    town.post(f"/imports/{begun['id']}/apply", {"confirm": True}, 202)
    town.settle()
    return checked


def test_objection_takes_out_of_segments_and_not_off_lists(town: Living) -> None:
    """C-12, C-13: within one refresh; and back again."""
    _list(town, "u2@example.com")
    size = town.get("/groups/norway")["size"]
    for granted, expected in ((False, size - 1), (True, size)):
        body = {"granted": granted, "text_version": "2026-11"}
        answer = town.local.put("/customers/external:u2/consents/profiling", json=body)
        assert (answer.status_code, answer.json()["granted"]) == (200, granted)
        town.settle()
        assert (town.get("/groups/norway")["size"], town.get("/groups/testers")["size"]) == (expected, 1)
    log = town.get("/customers/external:u2/consents")["items"]
    assert [(one["purpose"], one["granted"], one["text_version"]) for one in log] == [
        ("profiling", False, "2026-11"),
        ("profiling", True, "2026-11"),
    ]


@pytest.mark.parametrize(
    ("purpose", "body", "code"),
    [
        ("fun", {"granted": True}, "value_not_allowed"),
        ("offers", {"granted": True, "channel": "email"}, "value_not_allowed"),
        ("marketing", {"granted": True, "channel": "pigeon"}, "value_not_allowed"),
        ("marketing", {"granted": True, "happened_at": "2999-01-01T00:00:00Z"}, "value_not_allowed"),
        ("marketing", {}, "request_invalid"),
    ],
)
def test_consent_that_is_none_is_refused(town: Living, purpose: str, body: Any, code: str) -> None:
    assert problem(town.local.put(f"/customers/external:u3/consents/{purpose}", json=body)) == (422, code)


def test_suppressed_address_is_a_verdict_of_its_own(town: Living) -> None:
    """C-14, G-25: it is added, and no message will reach it."""
    made = town.post("/suppressions", {"kind": "email", "identity": " U4@Example.com", "reason": "bounced"}, 201)
    again = town.post("/suppressions", {"kind": "email", "identity": "u4@example.com"}, 201)
    assert (made["identity"], again) == ("u4@example.com", made)
    other = town.post("/suppressions", {"kind": "external", "identity": "u5"}, 201)
    checked = _list(town, "u4@example.com external:u5 u6@example.com")
    assert checked["counts"] == {"suppressed": 2, "new": 1}
    program = town.with_scopes("customers:write", "customers:personal")
    assert problem(program.delete(f"/suppressions/{made['id']}")) == (403, "person_needed")
    assert [one["id"] for one in program.get("/suppressions").json()["items"]] == [other["id"], made["id"]]
    for one in (made, other):
        assert town.local.delete(f"/suppressions/{one['id']}").status_code == 204
    assert problem(town.local.delete(f"/suppressions/{made['id']}")) == (404, "suppression_unknown")
    wrong = {"kind": "email", "identity": "nobody"}
    assert problem(town.local.post("/suppressions", json=wrong)) == (422, "value_not_allowed")


def test_export_holds_everything_and_can_be_read(town: Living, tmp_path: Path) -> None:
    """C-44"""
    town.local.put("/customers/external:u7/consents/marketing", json={"granted": False, "channel": "email"})
    _list(town, "u7@example.com")
    town.post("/suppressions", {"kind": "email", "identity": "u7@example.com"}, 201)
    begun = town.post("/customers/external:u7/export", None, 202)
    assert (begun["state"], begun["file"]) == ("waiting", None)
    town.finish(begun["job"]["id"])
    made = town.get(f"/exports/{begun['id']}")
    assert (made["state"], made["file"]) == ("ready", f"/api/v1/exports/{begun['id']}/file")
    answer = town.local.get(f"/exports/{begun['id']}/file")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    said = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert said["customer.json"]["external_id"] == "u7"
    assert [one["id"] for one in said["identities.json"]] == ["u7"]
    assert [(one["attribute"], one["value"], one["trust"]) for one in said["attributes.json"]] == [
        ("country", "NO", "server")
    ]
    assert [one["purpose"] for one in said["consents.json"]] == ["marketing"]
    assert [one["group"] for one in said["memberships.json"]] == ["norway", "testers"]
    assert {(one["group"], one["change"]) for one in said["membership_history.json"]} == {
        ("norway", "joined"),
        ("testers", "joined"),
    }
    assert said["list_entries.json"] == [{"group": "testers", "name": "Testers", "entry": "u7@example.com"}]
    assert [one["kind"] for one in said["suppressions.json"]] == ["email"]
    assert [one["kind"] for one in said["imports.json"]] == ["customers", "events"]
    [event] = [json.loads(line) for line in files["events.ndjson"].splitlines()]
    assert (event["app"], event["event"]) == ("notes", "app_opened")
    titles = {"en": "Your data", "de": "Ihre Daten", "fr": "Vos données"}
    for language, title in titles.items():
        page = files[f"readable.{language}.html"]
        assert (f"<h1>{title}</h1>" in page, "u7@example.com" in page) == (True, True)
    ended, told = town.command("customers", "export", "external:u7", "-o", str(tmp_path / "u7.zip"))
    assert (ended, told["state"], zipfile.is_zipfile(tmp_path / "u7.zip")) == (0, "ready", True)
    assert problem(town.with_scopes("customers:read").get(f"/exports/{begun['id']}/file")) == (403, "scope_missing")


def test_erasing_is_confirmed_permitted_and_withdrawn(town: Living) -> None:
    path = "/customers/external:u8/erase"
    identifier = town.get("/customers/external:u8")["id"]
    writer = town.with_scopes("customers:read", "customers:write", "customers:personal")
    assert problem(writer.post(path, json={"confirm": identifier})) == (403, "scope_missing")
    assert problem(town.local.post(path, json={"confirm": "external:u8"})) == (422, "confirm_mismatch")
    many = {"customers": ["external:u8", "external:u9"], "confirm": "3"}
    assert problem(town.local.post("/erasures", json=many)) == (422, "confirm_mismatch")
    assert problem(town.local.post(path, json={"confirm": identifier, "grace_hours": 73})) == (422, "value_not_allowed")
    order = town.post(path, {"confirm": identifier, "grace_hours": 1}, 202)
    assert (order["state"], order["job"], order["customers"]) == ("requested", None, [identifier])
    assert problem(town.local.post(path, json={"confirm": identifier})) == (409, "erasure_running")
    assert town.post(f"/erasures/{order['id']}/withdraw")["state"] == "withdrawn"
    assert problem(town.local.post(f"/erasures/{order['id']}/withdraw")) == (409, "erasure_state")
    assert town.get("/customers/external:u8")["id"] == identifier
    assert problem(town.local.get("/erasures/era_none")) == (404, "erasure_unknown")
    assert problem(town.local.get("/exports/exp_none")) == (404, "export_unknown")


def test_many_are_erased_by_one_command(town: Living) -> None:
    ended, receipt = town.command("customers", "erase", "external:u10", "external:u11", "--confirm", "2")
    assert (ended, receipt["state"], receipt["customer_count"]) == (0, "done", 2)
    assert {one["place"]: one["removed"] for one in receipt["receipt"]["places"]}["warehouse"]["profiles"] == 2
    found = town.get("/erasures")["items"]
    assert (found[0]["id"], found[0]["state"]) == (receipt["id"], "done")
    for user in ("u10", "u11"):
        assert problem(town.local.get(f"/customers/external:{user}")) == (404, "customer_unknown")


def test_times_are_settings(town: Living) -> None:
    """C-48"""
    assert town.get("/privacy")["events_months"] == 26
    edited = town.local.patch("/privacy", json={"events_months": 12})
    assert (edited.status_code, edited.json()["events_months"], edited.json()["revision"]) == (200, 12, 2)
    assert problem(town.local.patch("/privacy", json={"grace_hours": 73})) == (422, "value_not_allowed")


def test_consent_and_suppression_by_command(town: Living) -> None:
    said = town.command("customers", "consent", "external:u12", "marketing", "--deny", "--channel", "push")
    assert said[1] == {"customer": said[1]["customer"], "purpose": "marketing", "channel": "push", "granted": False}
    assert [one["granted"] for one in town.command("customers", "consent", "external:u12")[1]["items"]] == [False]
    _, made = town.command("customers", "suppress", "add", "u12@example.com", "--reason", "complained")
    assert town.command("customers", "suppress", "lift", made["id"]) == (0, {"id": made["id"]})
