"""Lists of the catalog: pages like all others, what belongs to an app under the app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.living import Document, Living, living, problem


@pytest.fixture(scope="module")
def shop(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as installation:
        for key in ("shop", "atlas", "notes"):
            installation.post("/apps", {"key": key, "name": {"en": key}}, 201)
        yield installation


def _all(shop: Living, path: str, limit: int) -> list[Document]:
    found: list[Document] = []
    cursor: dict[str, str] = {}
    while True:
        page = shop.get(path, limit=limit, **cursor)
        assert len(page["items"]) <= limit
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_apps_are_listed_by_key(shop: Living) -> None:
    assert [one["key"] for one in _all(shop, "/apps", 2)] == ["atlas", "notes", "shop"]


def test_add_ons_are_listed_by_product(shop: Living) -> None:
    for product in ("b", "a", "c"):
        shop.post("/apps/shop/add-ons", {"product_id": product, "name": product, "kind": "durable"}, 201)
    assert [one["product_id"] for one in _all(shop, "/apps/shop/add-ons", 1)] == ["a", "b", "c"]
    assert _all(shop, "/apps/notes/add-ons", 1) == []


def test_attributes_stand_where_they_belong(shop: Living) -> None:
    shop.post("/attributes", {"key": "shoe", "type": "number"}, 201)
    made = shop.post("/apps/shop/attributes", {"key": "level", "type": "number"}, 201)
    assert (made["scope"], made["source"], made["category"]) == ("app", "declared", "custom")
    of_customers, of_apps = _all(shop, "/attributes", 7), _all(shop, "/apps/shop/attributes", 7)
    declared = [[one["key"] for one in listed if one["source"] == "declared"] for listed in (of_customers, of_apps)]
    assert declared == [["shoe"], ["level"]]
    assert {one["scope"] for one in of_customers} == {"customer"}
    assert {one["scope"] for one in of_apps} == {"app", "device"}
    keys = [one["key"] for one in of_customers]
    assert keys == sorted(set(keys))


def test_events_stand_under_their_app(shop: Living) -> None:
    made = shop.post("/apps/shop/events", {"key": "jumped", "properties": {"height": "number"}}, 201)
    assert (made["source"], made["properties"]) == ("declared", {"height": "number"})
    events = {one["key"]: one["source"] for one in _all(shop, "/apps/notes/events", 5)}
    assert (events["jumped"], events["app_opened"]) == ("declared", "standard")
    assert problem(shop.local.get("/events")) == (404, "not_found")


@pytest.mark.parametrize("path", ["/apps", "/attributes", "/apps/shop/add-ons", "/apps/shop/events"])
def test_cursor_of_another_list_is_refused(shop: Living, path: str) -> None:
    for cursor in ("NQ", "WyJhIl0", "%%"):
        assert problem(shop.local.get(path, params={"cursor": cursor})) == (400, "cursor_invalid")


@pytest.mark.parametrize("kind", ["add-ons", "attributes", "events"])
def test_lists_of_an_unknown_app_are_refused(shop: Living, kind: str) -> None:
    assert problem(shop.local.get(f"/apps/none/{kind}")) == (404, "app_unknown")


def test_lists_need_their_scope(shop: Living) -> None:
    reader, other = shop.with_scopes("catalog:read"), shop.with_scopes("groups:read")
    for path in ("/apps", "/attributes", "/apps/shop/events", "/rates"):
        assert reader.get(path).status_code == 200
        assert problem(other.get(path)) == (403, "scope_missing")
    assert problem(reader.post("/rates", json={"rates": []})) in ((403, "scope_missing"), (422, "request_invalid"))
