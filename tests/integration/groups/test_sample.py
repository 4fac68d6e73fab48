"""The bundled sample beside things of one's own: it goes whole, and nothing else with it (D-16)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.integration.living import Document, Living, csv_of, living, problem
from tests.integration.pages import Browser
from tests.integration.processes import serving

_BANNER = "Demo data: AdventureWorks"
_CUSTOMERS = {
    "kind": "customers",
    "row": {"external_id": "id", "email": "email", "happened_at": {"value": "2020-01-01"}, "traits": {"town": "town"}},
}
_EVENTS = {
    "kind": "events",
    "row": {"external_id": "id", "event": "event", "happened_at": "at", "device_id": "device", "os": "os"},
}
_ORDERS = {
    "kind": "orders",
    "row": {"external_id": "id", "order_id": "order", "happened_at": "at", "amount": "amount", "currency": "currency"},
}
# What a refresh of groups and the sample's coming and going tell of themselves.
_TIMES = ("refreshed_at", "data_as_of")


def _in_app(key: str) -> Document:
    return {"version": 1, "app": key, "match": {"everyone": True}}


def _bring_own(town: Living) -> None:
    """u1..u30 came to `notes` and bought; the group `own` are they, `friends` is a list with one of the sample."""
    town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    town.bring_in(csv_of("id,email,town", *(f"u{n},u{n}@example.com,Bonn" for n in range(1, 31))), _CUSTOMERS)
    opened = (f"u{n},app_opened,2026-03-0{1 + n % 9}T10:00:00Z,d{n},iOS" for n in range(1, 31))
    town.bring_in(csv_of("id,event,at,device,os", *opened), {**_EVENTS, "app": "notes"})
    bought = (f"u{n},o{n},2026-04-01T10:00:00Z,{n}.50,EUR" for n in range(1, 31))
    town.bring_in(csv_of("id,order,at,amount,currency", *bought), {**_ORDERS, "app": "notes"})
    town.post("/groups", {"key": "own", "name": "Own", "definition": _in_app("notes")}, 201)
    town.post("/groups", {"key": "friends", "name": "Friends", "kind": "known"}, 201)
    status, _ = town.command("groups", "import", "friends", "-", "--text", stdin="u1@example.com s40@example.com")
    assert status == 0


def _bring_sample(town: Living) -> None:
    """u21..u60 are people of the sample: ten of them are one's own customers, too, who use another phone there."""
    town.post("/demo/apps", {"key": "adventure-shop", "name": {"en": "Adventure Shop"}}, 201)
    people = [f"u{n},s{n}@example.com,Rome,{n}" for n in range(21, 61)]
    shade = {**_CUSTOMERS, "row": {**_CUSTOMERS["row"], "traits": {"town": "town", "shade": "shade"}}}  # type: ignore[dict-item]  # a mapping
    _import(town, csv_of("id,email,town,shade", *people), shade)
    events = (
        f"u{n},{kind},2026-05-02T10:00:00Z,e{n},Android" for n in range(21, 61) for kind in ("app_opened", "rode")
    )
    _import(town, csv_of("id,event,at,device,os", *events), {**_EVENTS, "app": "adventure-shop"})
    orders = (f"u{n},a{n},2026-05-01T10:00:00Z,9.99,EUR" for n in range(21, 61))
    _import(town, csv_of("id,order,at,amount,currency", *orders), {**_ORDERS, "app": "adventure-shop"})
    made = town.post("/groups", {"key": "riders", "name": "Riders", "definition": _in_app("adventure-shop")}, 201)
    listed = town.post("/groups", {"key": "staff", "name": "Staff", "kind": "known"}, 201)
    for group in (made, listed):
        _mark(town, "group", group["id"])
    begun = town.local.post("/groups/staff/imports", files={"file": ("staff.csv", b"email\ns22@example.com\n")}).json()
    _apply(town, begun)
    town.settle()


def _import(town: Living, content: bytes, mapping: Any) -> None:
    _apply(town, town.upload(content, mapping).json())


def _apply(town: Living, begun: Document) -> None:
    _mark(town, "import", begun["id"])
    town.finish(begun["job"]["id"])
    assert town.finish(town.post(f"/imports/{begun['id']}/apply", {}, 202)["job"]["id"])["state"] == "done"


def _mark(town: Living, kind: str, identifier: str) -> None:
    assert town.local.post("/demo/things", json={"kind": kind, "id": identifier}).status_code == 204


def _own(town: Living) -> dict[str, Any]:
    """Everything the API tells of what is one's own."""
    people = {f"u{n}": _person(town, f"external:u{n}") for n in range(1, 31)}
    groups = {key: _without(town.get(f"/groups/{key}"), *_TIMES) for key in ("own", "friends")}
    lists = ("/apps", "/attributes", "/imports", "/apps/notes/events", "/groups")
    listed = {path: [_without(one, *_TIMES) for one in town.get(path)["items"]] for path in lists}
    members = {key: town.get(f"/groups/{key}/members")["items"] for key in ("own", "friends")}
    return {"people": people, "groups": groups, "members": members, "publisher": town.get("/publisher"), **listed}


def _person(town: Living, reference: str) -> Document:
    return town.get(f"/customers/{reference}")


def _without(document: Document, *names: str) -> Document:
    return {name: value for name, value in document.items() if name not in names}


def _remove(town: Living) -> Document:
    job = town.finish(town.post("/demo/remove", {"confirm": "AdventureWorks"}, 202)["job"]["id"])
    town.settle()
    return job


def _rows_of_app(folder: str) -> dict[str, int]:
    """Rows of the warehouse with an app or a source of the sample, or somebody nobody else knows, by table."""
    found = {}
    with duckdb.connect(folder, read_only=True) as connection:
        columns = connection.execute(
            "SELECT c.table_name, list(c.column_name) FROM duckdb_columns() c SEMI JOIN duckdb_tables() t"
            " ON t.table_name = c.table_name WHERE NOT c.internal GROUP BY 1"
        ).fetchall()
        for table, names in columns:
            theirs = [
                condition
                for name, condition in (
                    ("app_key", "app_key = 2"),
                    ("source", "source > 4"),
                    ("customer_key", "customer_key > 30"),
                )
                if name in names
            ]
            if theirs:
                [(count,)] = connection.execute(f"SELECT count(*) FROM {table} WHERE {' OR '.join(theirs)}").fetchall()
                found[table] = count
    return {table: count for table, count in found.items() if count}


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as installation:
        _bring_own(installation)
        yield installation


def test_nothing_to_remove_is_said(town: Living, browser: Browser) -> None:
    assert problem(town.local.post("/demo/remove", json={"confirm": "AdventureWorks"})) == (404, "not_found")
    page = browser.get("/settings/demo/")
    assert ("There is no demo data here" in page.text, _BANNER in page.text) == (True, False)


def test_sample_goes_whole_and_nothing_of_ones_own_with_it(town: Living, browser: Browser) -> None:
    before = _own(town)
    _bring_sample(town)
    assert _BANNER in browser.get("/groups/").text
    assert town.get("/demo") == {**town.get("/demo"), "loaded": True, "apps": ["adventure-shop"]}
    assert [town.get(f"/groups/{key}")["size"] for key in ("own", "riders", "staff", "friends")] == [30, 40, 1, 2]
    assert _remove(town)["result"] == {"groups": 2, "imports": 4, "apps": 1}
    assert _own(town) == before
    assert town.get("/demo") == {"loaded": False, "apps": [], "groups": [], "imports": []}
    assert _BANNER not in browser.get("/groups/").text
    assert town.local.get("/customers/external:u31").status_code == 404


def test_it_can_be_loaded_again_and_is_removed_by_typing_its_name(town: Living, browser: Browser) -> None:
    before = _own(town)
    _bring_sample(town)
    refused = browser.post("/settings/demo/", {"typed": "adventure"})
    assert (refused.status_code, "It is “AdventureWorks” now; type that." in refused.text) == (422, True)
    assert 'value="adventure"' in refused.text
    done = browser.post("/settings/demo/", {"typed": "AdventureWorks"})
    assert (done.status_code, done.headers["Location"].startswith("/jobs/")) == (302, True)
    town.settle()
    assert _own(town) == before


def test_removal_is_refused_while_ones_own_things_need_the_sample(town: Living, browser: Browser) -> None:
    _bring_sample(town)
    inside = {"version": 1, "app": "notes", "match": {"group": "riders"}}
    town.post("/groups", {"key": "both", "name": "Both", "definition": inside}, 201)
    refused = town.local.post("/demo/remove", json={"confirm": "AdventureWorks"})
    assert problem(refused) == (409, "in_use")
    assert "segment “Both”" in browser.get("/settings/demo/").text
    town.local.delete("/groups/both")
    visited = csv_of("id,event,at,device,os", "u1,app_opened,2026-05-03T10:00:00Z,x1,iOS")
    own = town.bring_in(visited, {**_EVENTS, "app": "adventure-shop"})
    refused = town.local.post("/demo/remove", json={"confirm": "AdventureWorks"})
    assert (problem(refused), "import “file.csv”" in refused.json()["detail"]) == ((409, "in_use"), True)
    town.finish(town.post(f"/imports/{own['id']}/undo", None, 202)["job"]["id"])
    assert _remove(town)["state"] == "done"


def test_app_of_ones_own_is_not_taken_for_the_sample(town: Living) -> None:
    town.post("/apps", {"key": "adventure-rides", "name": {"en": "Mine"}}, 201)
    assert problem(town.local.post("/demo/apps", json={"key": "adventure-rides", "name": {}})) == (409, "key_taken")
    assert town.get("/demo")["loaded"] is False


def test_removal_wants_every_scope(town: Living) -> None:
    scarce = town.with_scopes("groups:read", "groups:write", "catalog:write")
    assert problem(scarce.post("/demo/remove", json={"confirm": "AdventureWorks"})) == (403, "scope_missing")


def test_warehouse_has_no_row_of_the_sample(environment: dict[str, str]) -> None:
    with living(environment) as installation:
        _bring_own(installation)
        _bring_sample(installation)
        _remove(installation)
        [file] = (installation.home / "warehouse").glob("*.duckdb")
    assert _rows_of_app(str(file)) == {}
    # What is left opens again.
    with serving(environment):
        pass


def test_templates_have_names_in_the_readers_language(town: Living, browser: Browser) -> None:
    """Pages say them so, and a copy is called so; programs read English."""
    assert town.get("/group-templates", app="notes")["items"][0]["name"] == "New customers"
    chosen = {"language": "de", "time_zone": "UTC", "theme": "auto", "density": "comfortable", "rows": "25"}
    assert browser.post("/profile/", {"do": "preferences", **chosen}).status_code == 302
    page = browser.get("/groups/")
    assert ("<h3>Neue Kunden</h3>" in page.text, "<h3>New customers</h3>" in page.text) == (True, False)
    fields = {"template": "new-customers", "app": "notes"}
    copied = browser.post("/groups/copy-template", fields)
    assert copied.headers["Location"] == "/groups/neue-kunden/"
