"""The pages of apps: lists, figures, add-ons, events and attributes, by persona and with what people type."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from muster.catalog.models import App
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.living import Document, Living, csv_of, living
from tests.integration.pages import Browser
from tests.integration.personas import Sender, open_store, owner_of, viewer_of
from tests.naughty import naughty_from

_PEOPLE = {
    "kind": "customers",
    "row": {
        "external_id": "id",
        "traits": {"points": {"column": "points", "type": "number"}, "city": "city", "shoe": "shoe"},
    },
}
_EVENTS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
ADDRESSES = (
    "/apps/",
    "/apps/new",
    "/apps/notes/",
    "/apps/notes/edit/",
    "/apps/notes/add-ons/",
    "/apps/notes/keys/",
    "/apps/notes/keys/new",
    "/apps/notes/keys/tokens/new",
    "/apps/notes/events/",
    "/apps/notes/events/new",
    "/apps/notes/attributes/new",
    "/apps/notes/attributes/city/",
)


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    """Thirty people who opened `notes`, three who opened `atlas`; everybody has points, a city, and some a shoe."""
    with living(module_environment) as found:
        for key in ("notes", "atlas", "empty"):
            found.post("/apps", {"key": key, "name": {"en": key.title(), "de": f"{key.title()} (de)"}}, 201)
        rows = [f"u{n},{n},Oslo,{n if n % 2 else 'wide'}" for n in range(1, 31)]
        found.bring_in(csv_of("id,points,city,shoe", *rows), _PEOPLE)
        opened = [f"u{n},app_opened,2026-01-{n:02}" for n in range(1, 31)]
        found.bring_in(csv_of("id,event,at", *opened, "u1,Level Up,2026-02-01"), _EVENTS)
        few = [f"u{n},app_opened,2026-03-0{n}" for n in range(1, 4)]
        found.bring_in(csv_of("id,event,at", *few), _EVENTS | {"app": "atlas"})
        yield found


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


def _cells(page: str) -> list[list[str]]:
    """Texts of the cells of the first table, by row."""
    body = page.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    return [
        [
            " ".join(re.sub(r"<[^>]+>", " ", html.unescape(cell)).split())
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)
        ]
        for row in rows
    ]


def test_list_tells_customers_and_last_use(owner: Browser) -> None:
    page = owner.get("/apps/").text
    assert [row[:3] for row in _cells(page)] == [
        ["Atlas atlas", "–", "3"],
        ["Empty empty", "–", "0"],
        ["Notes notes", "–", "30"],
    ]
    assert re.findall(r'datetime="([^"]+)"', page) == ["2026-03-03T00:00:00+00:00", "2026-01-30T00:00:00+00:00"]


def test_few_customers_are_small_for_whoever_may_not_list_them(viewer: Browser) -> None:
    """D-43: neither the number nor when the few used it."""
    rows = {row[0].split()[-1]: row[2:4] for row in _cells(viewer.get("/apps/").text)}
    assert rows["atlas"] == ["Small", "–"]
    assert rows["empty"] == ["0", "–"]
    assert rows["notes"][0] == "30"
    assert "Small" in viewer.get("/apps/atlas/").text


def test_app_is_made_and_renamed(town: Living, owner: Browser) -> None:
    made = owner.post(
        "/apps/new", {"key": "paint", "name_en": "Paint", "platforms": "web, ios,,web", "default_currency": "chf"}
    )
    assert (made.status_code, made.headers["Location"]) == (302, "/apps/paint/")
    told = town.get("/apps/paint")
    assert (told["name"], told["settings"]["platforms"]) == ({"en": "Paint"}, ["web", "ios"])
    assert told["settings"]["default_currency"] == "CHF"
    form = {"revision": str(told["revision"]), "name_fr": "Peinture", "platforms": "", "default_currency": ""}
    assert owner.post("/apps/paint/edit/", form).status_code == 302
    assert town.get("/apps/paint")["name"] == {"fr": "Peinture"}
    late = owner.post("/apps/paint/edit/", form)
    assert (late.status_code, "revision_conflict" in late.text, "Peinture" in late.text) == (422, True, True)


def test_settings_of_the_edge_are_set_and_shown(town: Living, owner: Browser) -> None:
    """E-10, E-41: by whoever knows no REST, too."""
    town.post("/apps", {"key": "site"}, 201)
    before = owner.get("/apps/site/").text
    assert "every site" in before
    assert "are treated like others" in before
    form = {"revision": "1", "name_en": "Site", "platforms": "", "default_currency": ""}
    ticked = {"is_signed": "on", "respect_gpc": "on", "strict": "on"}
    sites = "https://Shop.example/, https://bücher.example,https://shop.example"
    assert owner.post("/apps/site/edit/", form | ticked | {"allowed_origins": sites}).status_code == 302
    settings = town.get("/apps/site")["settings"]
    assert settings["allowed_origins"] == ["https://shop.example", "https://xn--bcher-kva.example"]
    assert (settings["identity_mode"], settings["respect_gpc"], settings["strict"]) == ("signed", True, True)
    after = owner.get("/apps/site/").text
    assert "https://shop.example, https://xn--bcher-kva.example" in after
    assert "are not tracked" in after
    page = owner.get("/apps/site/edit/").text
    assert len(re.findall(r'type="checkbox"[^>]* checked', page)) == 3
    refused = owner.post("/apps/site/edit/", form | {"revision": "2", "allowed_origins": "shop.example"})
    assert (refused.status_code, "id_allowed_origins_error" in refused.text) == (422, True)
    assert owner.post("/apps/site/edit/", form | {"revision": "2", "allowed_origins": ""}).status_code == 302
    settings = town.get("/apps/site")["settings"]
    assert (settings["identity_mode"], settings["allowed_origins"], settings["strict"]) == ("open", [], False)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"settings": {"commerce_trust": "zzz"}}, "/settings/commerce_trust"),
        ({"settings": {"identity_mode": None}}, "/settings/identity_mode"),
        ({"settings": {"respect_gpc": "no"}}, "/settings/respect_gpc"),
        ({"settings": {"allowed_origins": "https://shop.example"}}, "/settings/allowed_origins"),
        ({"settings": {"allowed_origins": ["shop"]}}, "/allowed_origins"),
        ({"settings": {"store_ids": {"bazaar": "1"}}}, "/settings/store_ids/bazaar/[key]"),
        ({"settings": {"colour": "red"}}, "/settings/colour"),
        ({"settings": {"default_currency": "EURO"}}, "/default_currency"),
        ({"state": "asleep"}, "/state"),
    ],
)
def test_settings_that_nothing_could_read_are_refused(town: Living, body: Document, pointer: str) -> None:
    """One such would stop everything that reads the catalog: the drain, and with it every group."""
    revision = town.get("/apps/notes")["revision"]
    answer = town.local.patch("/apps/notes", json=body, headers={"If-Match": f'"{revision}"'})
    told = answer.json()
    pointers = [one["pointer"] for one in told.get("errors", [])] or [told.get("pointer")]
    assert (answer.status_code, pointers) == (422, [pointer])
    assert town.get("/apps/notes")["revision"] == revision


@pytest.mark.parametrize("body", [{"name": None}, {"state": None}, {"name": None, "settings": {}}])
def test_what_is_null_stays(town: Living, body: Document) -> None:
    before = town.get("/apps/notes")
    answer = town.local.patch("/apps/notes", json=body, headers={"If-Match": f'"{before["revision"]}"'})
    assert (answer.status_code, answer.json()["name"], answer.json()["state"]) == (200, before["name"], "active")


@pytest.mark.parametrize("field", ["name", "time_zone", "minimum_age", "require_known_age", "unset_consents"])
def test_what_is_null_of_the_publisher_stays(town: Living, field: str) -> None:
    before = town.get("/publisher")
    answer = town.local.patch("/publisher", json={field: None}, headers={"If-Match": f'"{before["revision"]}"'})
    assert (answer.status_code, answer.json()[field]) == (200, before[field])


@pytest.mark.parametrize(
    ("address", "fields", "code", "field"),
    [
        ("/apps/new", {"key": "No Key"}, "value_not_allowed", "id_key"),
        ("/apps/new", {"key": ""}, "value_not_allowed", "id_key"),
        ("/apps/new", {"key": "notes"}, "key_taken", "id_key"),
        ("/apps/new", {"key": "fine", "default_currency": "EURO"}, "value_not_allowed", "id_default_currency"),
        ("/apps/new", {"key": "fine", "name_de": "x" * 121}, "value_not_allowed", "id_name_de"),
        (
            "/apps/notes/add-ons/",
            {"product_id": "", "name": "x", "kind": "durable"},
            "value_not_allowed",
            "id_product_id",
        ),
        ("/apps/notes/add-ons/", {"product_id": "x", "name": " ", "kind": "durable"}, "value_not_allowed", "id_name"),
        ("/apps/notes/events/new", {"key": "No Key"}, "value_not_allowed", "id_key"),
        ("/apps/notes/events/new", {"key": "app_opened"}, "key_taken", "id_key"),
        ("/apps/notes/events/new", {"key": "e", "properties": "height: tall"}, "value_not_allowed", "id_properties"),
        ("/apps/notes/attributes/new", {"key": "country", "type": "text", "scope": "customer"}, "key_taken", "id_key"),
        ("/apps/notes/attributes/new", {"key": "A", "type": "text", "scope": "app"}, "value_not_allowed", "id_key"),
    ],
)
def test_form_says_what_is_wrong_at_the_field(
    owner: Browser, address: str, fields: dict[str, str], code: str, field: str
) -> None:
    """D-39: 422, the sentence and its code at the field, values kept."""
    refused = owner.post(address, fields)
    assert (refused.status_code, f"({code})" in refused.text) == (422, True)
    assert f'href="#{field}"' in refused.text
    for text in (one for one in fields.values() if one.strip()):
        assert html.escape(text) in refused.text


def test_choice_that_is_none_is_refused(owner: Browser) -> None:
    fields = {"product_id": "x", "name": "x", "kind": "rented"}
    assert owner.post("/apps/notes/add-ons/", fields).status_code == 422
    assert owner.post("/apps/notes/attributes/new", {"key": "k", "type": "colour", "scope": "moon"}).status_code == 422


def test_add_on_is_made_and_retired(town: Living, owner: Browser) -> None:
    fields = {"product_id": "com.example.pro", "name": "Pro", "kind": "subscription", "skus": "p1, p2"}
    assert owner.post("/apps/notes/add-ons/", fields).status_code == 302
    again = owner.post("/apps/notes/add-ons/", fields)
    assert (again.status_code, "key_taken" in again.text) == (422, True)
    [made] = town.get("/apps/notes/add-ons")["items"]
    assert (made["skus"], made["state"]) == (["p1", "p2"], "active")
    for _ in range(2):
        assert owner.post(f"/apps/notes/add-ons/{made['id']}/retire", {}).status_code == 302
    assert town.get("/apps/notes/add-ons")["items"][0]["state"] == "retired"
    assert owner.post(f"/apps/atlas/add-ons/{made['id']}/retire", {}).status_code == 404
    assert "Retired" in owner.get("/apps/notes/add-ons/").text


def test_events_are_counted_per_app(owner: Browser) -> None:
    """What nobody has seen in the app stands apart."""
    seen = {row[0].split()[0]: row[1] for row in _cells(owner.get("/apps/notes/events/").text)}
    assert seen == {"level_up": "1", "app_opened": "30", "session": "30"}
    atlas = {row[0].split()[0]: row[1] for row in _cells(owner.get("/apps/atlas/events/").text)}
    assert atlas == {"app_opened": "3", "session": "3"}
    assert "No data of it has come in yet." in owner.get("/apps/empty/events/").text


def test_event_is_declared(town: Living, owner: Browser) -> None:
    fields = {"key": "jumped", "name_en": "Jumped", "is_activity": "on", "properties": "height: number\n\nplace :text"}
    assert owner.post("/apps/notes/events/new", fields).status_code == 302
    [event] = [one for one in town.get("/apps/notes/events", limit=1000)["items"] if one["key"] == "jumped"]
    assert event["properties"] == {"height": "number", "place": "text"}


def test_attribute_is_declared_and_hidden_from_those_who_may_not_see_it(
    town: Living, owner: Browser, viewer: Browser
) -> None:
    """What is marked personal is hidden over REST and on the page alike."""
    fields = {"key": "hobby", "type": "text", "scope": "customer", "personal": "on", "name_en": "Hobby"}
    assert owner.post("/apps/notes/attributes/new", fields).status_code == 302
    mapping = {"kind": "customers", "row": {"external_id": "id", "traits": {"hobby": "hobby"}}}
    town.bring_in(csv_of("id,hobby", "u9,philately"), mapping)
    person = town.get("/customers/external:u9")
    assert person["attributes"]["hobby"] == "philately"
    seen = town.with_scopes("customers:read").get("/customers/external:u9").json()
    assert ("hobby" in seen["attributes"], "city" in seen["attributes"]) == (False, True)
    address = f"/customers/{person['id']}/"
    assert ("philately" in owner.get(address).text, "philately" in viewer.get(address).text) == (True, False)
    assert "Hobby" in viewer.get(address).text


def test_type_that_loses_values_is_refused_with_their_number(town: Living, owner: Browser) -> None:
    """C-3, C-5: fifteen of thirty shoes are no number; nothing has changed."""
    refused = owner.post("/apps/notes/attributes/shoe/", {"type": "number", "name_en": "Shoe"})
    assert (refused.status_code, "type_change_loses" in refused.text) == (422, True)
    assert "15 customers have a value of `shoe` that is no number" in refused.text
    types = {one["key"]: one["type"] for one in town.get("/attributes", limit=1000)["items"]}
    assert types["shoe"] == "text"


def test_type_that_loses_nothing_is_changed_and_derived_again(town: Living, owner: Browser) -> None:
    assert town.get("/customers/external:u7")["attributes"]["points"] == 7
    assert owner.post("/apps/notes/attributes/points/", {"type": "text", "name_en": "Points"}).status_code == 302
    town.settle()
    assert town.get("/customers/external:u7")["attributes"]["points"] == "7"
    assert owner.post("/apps/notes/attributes/points/", {"type": "number"}).status_code == 302
    town.settle()
    assert town.get("/customers/external:u7")["attributes"]["points"] == 7


def test_attribute_that_a_segment_asks_keeps_its_type(town: Living, owner: Browser) -> None:
    definition = {"version": 1, "app": "notes", "match": {"attribute": "city", "op": "is", "value": "Oslo"}}
    made = town.post("/groups", {"key": "oslo", "name": "Oslo", "definition": definition}, 201)
    refused = owner.post("/apps/notes/attributes/city/", {"type": "category"})
    assert (refused.status_code, "in_use" in refused.text) == (422, True)
    labelled = owner.post("/apps/notes/attributes/city/", {"type": "text", "name_en": "Home town"})
    assert (labelled.status_code, "Home town" in owner.get("/apps/notes/events/").text) == (302, True)
    town.local.delete(f"/groups/{made['id']}")


def test_standard_attributes_stay_as_they_are(owner: Browser) -> None:
    refused = owner.get("/apps/notes/attributes/country/")
    assert (refused.status_code, "comes with Muster" in refused.text) == (404, True)


def test_viewer_sees_everything_and_changes_nothing(viewer: Browser) -> None:
    """D-42: the buttons stand there with the sentence that the API would answer."""
    forms = (
        "/apps/new",
        "/apps/notes/edit/",
        "/apps/notes/keys/new",
        "/apps/notes/keys/tokens/new",
        "/apps/notes/events/new",
        "/apps/notes/attributes/new",
        "/apps/notes/attributes/city/",
    )
    for address in (one for one in ADDRESSES if one not in forms):
        page = viewer.get(address)
        assert (page.status_code, "Needs permission catalog:write; an owner can grant it." in page.text) == (200, True)
        assert 'aria-disabled="true" aria-describedby="refusal"' in page.text
    assert [viewer.get(one).status_code for one in forms] == [403] * len(forms)
    sent = {"product_id": "x", "name": "x", "kind": "durable"}
    assert viewer.post("/apps/notes/add-ons/", sent).status_code == 403
    assert viewer.post("/apps/notes/add-ons/add_1/retire", {}).status_code == 403


def test_outsider_is_sent_to_the_door(town: Living) -> None:
    for address in ADDRESSES:
        answer = httpx.get(town.server.address + address)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={address}")


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_work_in_every_language_without_anything_inline(town: Living, owner: Browser, address: str) -> None:
    for language in ("en", "de", "fr"):
        page = owner._client.get(address, headers={"Accept-Language": language})
        assert (page.status_code, page.text.count("<h1>")) == (200, 1)
        assert (" style=" in page.text, "<script>" in page.text) == (False, False)


def test_unknown_apps_and_words_are_not_found(owner: Browser) -> None:
    for address in (
        "/apps/none/",
        "/apps/none/edit/",
        "/apps/none/add-ons/",
        "/apps/none/events/",
        "/apps/notes/attributes/none/",
    ):
        assert owner.get(address).status_code == 404


@pytest.fixture
def store(db: None, tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with open_store(tmp_path) as warehouse:
        yield warehouse


def _apps(count: int) -> None:
    for number in range(1, count + 1):
        App.objects.create(key=f"app-{number}", number=number, name={"en": f"App {number}"})


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_as_little_for_many_apps(
    store: DuckDBWarehouse, as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    """D-28: session, member, floor, apps."""
    _apps(count)
    with django_assert_num_queries(4):
        assert as_alice.get("/apps/").status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_add_ons_are_asked_at_once(
    store: DuckDBWarehouse, as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    _apps(1)
    for number in range(count):
        App.objects.get().add_ons.create(id=f"add_{number}", product_id=str(number), name="x", kind="durable")
    with django_assert_num_queries(5):
        assert as_alice.get("/apps/app-1/add-ons/").status_code == 200


_TYPED = [
    ("/apps/app-1/edit/", "name_en", {"revision": ""}),
    ("/apps/app-1/add-ons/", "name", {"kind": "durable"}),
    ("/apps/app-1/add-ons/", "product_id", {"kind": "durable", "name": "Same"}),
    ("/apps/app-1/attributes/new", "name_fr", {"type": "text", "scope": "customer"}),
    ("/apps/app-1/attributes/new", "key", {"type": "text", "scope": "customer"}),
    ("/apps/app-1/events/new", "name_de", {}),
    ("/apps/app-1/events/new", "key", {}),
    ("/apps/new", "key", {}),
]


@pytest.mark.parametrize(("first", "address", "field", "fields"), [(n, *one) for n, one in enumerate(_TYPED)])
@pytest.mark.untraced
def test_naughty_names_are_taken_or_refused_and_shown_as_typed(
    store: DuckDBWarehouse, as_alice: Client, first: int, address: str, field: str, fields: dict[str, str]
) -> None:
    """Every string is either kept or refused at its field; no page ever fails or runs it."""
    _apps(1)
    sender = Sender(as_alice, "/apps/app-1/edit/" if "edit" in address else "/apps/new")
    answers: set[int] = set()
    for number, text in enumerate(naughty_from(first)):
        fresh = {"product_id": str(number), "key": f"k{number}"} | fields | {field: text}
        if "edit" in address:
            fresh["revision"] = str(App.objects.get().revision)
        answer = sender.post(address, fresh)
        answers.add(answer.status_code)
        assert answer.status_code in (302, 422), (text, answer.status_code)
        if answer.status_code == 422:
            assert "<script>alert" not in answer.content.decode()
    listed = as_alice.get("/apps/app-1/events/" if "app-1" in address else "/apps/").content.decode()
    assert ("<script>alert" in listed, 302 in answers) == (False, True)


def test_same_changes_are_made_over_rest(town: Living, owner: Browser) -> None:
    edited = town.local.patch("/attributes/shoe", json={"label": {"en": "Shoe size"}, "personal": True})
    assert (edited.status_code, edited.json()["key"]) == (200, "shoe")
    assert "Shoe size" in owner.get("/apps/notes/events/").text
    lost = town.local.patch("/attributes/shoe", json={"type": "number"})
    assert (lost.status_code, lost.json()["code"], lost.json()["count"]) == (409, "type_change_loses", 15)
    assert town.local.patch("/attributes/none", json={"type": "number"}).json()["code"] == "attribute_unknown"
    made = town.post("/apps/atlas/add-ons", {"product_id": "p", "name": "P", "kind": "durable"}, 201)
    assert town.post(f"/apps/atlas/add-ons/{made['id']}/retire")["state"] == "retired"
    assert town.local.post("/apps/atlas/add-ons/add_x/retire").json()["code"] == "add_on_unknown"
