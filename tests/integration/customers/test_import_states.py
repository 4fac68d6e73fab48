"""The states of an import, each event that leads from one to the other, and its way back (C-36, C-37)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.integration.living import Document, Living, csv_of, living, problem

PEOPLE = {"kind": "customers", "row": {"external_id": "id", "traits": {"city": "city"}}}
ORDERS = {
    "kind": "orders",
    "app": "shop",
    "row": {"external_id": "id", "order_id": "order", "happened_at": "at", "amount": "amount", "currency": "currency"},
}
EVENTS = {"kind": "events", "app": "shop", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
RATES = {"kind": "rates", "row": {"day": "day", "currency": "currency", "rate": "rate"}}


@pytest.fixture(scope="module")
def shop(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as installation:
        installation.post("/apps", {"key": "shop", "name": {"en": "Shop"}}, 201)
        yield installation


def _people(prefix: str, count: int = 3, city: str = "Oslo") -> bytes:
    return csv_of("id,city", *(f"{prefix}{number},{city}" for number in range(1, count + 1)))


def _aged(shop: Living, import_id: str, column: str) -> None:
    with closing(sqlite3.connect(shop.home / "control.sqlite3")) as database, database:
        database.execute(f"UPDATE customers_import SET {column} = '2020-01-01 00:00:00' WHERE id = ?", (import_id,))


def _changed(shop: Living, import_id: str, verb: str, status: int) -> Document:
    body = {} if verb == "apply" else None
    return shop.post(f"/imports/{import_id}/{verb}", body, status)


def _over(shop: Living, changed: Document) -> Document:
    assert changed["job"] is not None
    shop.finish(changed["job"]["id"])
    return shop.get(f"/imports/{changed['id']}")


def _refused(shop: Living, import_id: str, verb: str, body: Document | None = None) -> tuple[int, str]:
    return problem(shop.local.post(f"/imports/{import_id}/{verb}", json=body))


def test_verbs_are_refused_where_the_table_has_none(shop: Living) -> None:
    checked, done = shop.dry_run(_people("verb"), PEOPLE), shop.bring_in(_people("verbs"), PEOPLE)
    wrong = (409, "import_state")
    assert [_refused(shop, checked["id"], verb) for verb in ("pause", "undo")] == [wrong, wrong]
    assert [_refused(shop, done["id"], verb, {}) for verb in ("apply", "pause", "cancel")] == [wrong, wrong, wrong]
    undone = _over(shop, _changed(shop, done["id"], "undo", 202))
    assert (undone["state"], undone["applied"]) == ("undone", 0)
    assert [_refused(shop, done["id"], verb, {}) for verb in ("apply", "pause", "cancel", "undo")] == [wrong] * 4
    assert _changed(shop, checked["id"], "cancel", 200)["state"] == "cancelled"
    assert _refused(shop, "imp_none", "undo") == (404, "import_unknown")


def test_dry_run_expires_after_a_day(shop: Living) -> None:
    checked = shop.dry_run(_people("late"), PEOPLE)
    _aged(shop, checked["id"], "checked_at")
    assert shop.get(f"/imports/{checked['id']}")["state"] == "expired"
    assert _refused(shop, checked["id"], "apply", {}) == (409, "import_expired")
    assert _changed(shop, checked["id"], "cancel", 200)["state"] == "cancelled"


def test_dry_run_expires_with_its_mapping(shop: Living) -> None:
    content = _people("mapped")
    same, other = shop.dry_run(content, PEOPLE), shop.dry_run(content, PEOPLE)
    row = {"external_id": "id", "traits": {"town": "city"}}
    assert _refused(shop, other["id"], "apply", {"mapping": {**PEOPLE, "row": row}}) == (409, "mapping_changed")
    assert shop.get(f"/imports/{other['id']}")["state"] == "expired"
    assert _refused(shop, other["id"], "apply", {}) == (409, "import_expired")
    applied = shop.post(f"/imports/{same['id']}/apply", {"mapping": PEOPLE, "digest": same["digest"]}, 202)
    assert _over(shop, applied)["state"] == "done"


def test_dry_run_expires_with_its_file(shop: Living) -> None:
    replaced, other = shop.dry_run(_people("file"), PEOPLE), shop.dry_run(_people("file"), PEOPLE)
    (shop.home / "imports" / replaced["id"] / "file").write_bytes(_people("elif"))
    expired = (409, "import_expired")
    assert _refused(shop, replaced["id"], "apply", {}) == expired
    assert _refused(shop, other["id"], "apply", {"digest": "0" * 64}) == expired
    assert [shop.get(f"/imports/{one['id']}")["state"] for one in (replaced, other)] == ["expired", "expired"]


def test_import_that_is_undone_never_was(shop: Living) -> None:
    kept = shop.bring_in(csv_of("id,city", "undo1,Bonn"), PEOPLE)
    before = shop.get("/customers/external:undo1")
    brought = shop.bring_in(_people("undo", city="Rome"), PEOPLE)
    assert (brought["counts"], shop.get("/customers/external:undo1")["attributes"]["city"]) == (
        {"updated": 1, "new": 2},
        "Rome",
    )
    undone = _over(shop, _changed(shop, brought["id"], "undo", 202))
    assert (undone["state"], undone["undone_at"] is None) == ("undone", False)
    assert shop.get("/customers/external:undo1") == before
    assert problem(shop.local.get("/customers/external:undo2")) == (404, "customer_unknown")
    again = shop.bring_in(_people("undo", city="Rome"), PEOPLE)
    assert (again["counts"], again["applied"]) == ({"updated": 1, "new": 2}, 3)
    assert shop.get(f"/imports/{kept['id']}")["state"] == "done"


def test_groups_forget_what_is_undone(shop: Living) -> None:
    shop.bring_in(csv_of("id,city", *(f"stays{number},Riga" for number in range(30))), PEOPLE)
    visits = csv_of("id,event,at", *(f"stays{number},app_opened,2026-01-01" for number in range(30)))
    shop.bring_in(visits, EVENTS)
    definition = {"version": 1, "app": "shop", "match": {"attribute": "city", "op": "is", "value": "Riga"}}
    shop.post("/groups", {"key": "riga", "name": "Riga", "definition": definition}, 201)
    people = shop.bring_in(csv_of("id,city", *(f"goes{number},Riga" for number in range(20))), PEOPLE)
    shop.bring_in(visits.replace(b"stays", b"goes"), EVENTS)
    assert shop.get("/groups/riga")["size"] == 50
    _over(shop, _changed(shop, people["id"], "undo", 202))
    shop.settle()
    assert shop.get("/groups/riga")["size"] == 30


def test_old_import_cannot_be_undone(shop: Living) -> None:
    old, swept = shop.bring_in(_people("aged"), PEOPLE), shop.bring_in(_people("swept"), PEOPLE)
    _aged(shop, old["id"], "done_at")
    assert _refused(shop, old["id"], "undo") == (409, "import_expired")
    for column in ("created_at", "done_at"):
        _aged(shop, swept["id"], column)
    lying = shop.home / "imports" / swept["id"]
    assert lying.exists()
    shop.dry_run(_people("sweeps"), PEOPLE)
    assert not lying.exists()
    assert _refused(shop, swept["id"], "undo") == (409, "import_expired")
    assert problem(shop.local.get(f"/imports/{swept['id']}/rows")) == (409, "import_expired")


def _words(shop: Living) -> tuple[set[str], set[str]]:
    attributes = shop.get("/attributes", limit=1000)["items"]
    events = shop.get("/apps/shop/events", limit=1000)["items"]
    observed = [{one["key"] for one in listed if one["source"] == "observed"} for listed in (attributes, events)]
    return observed[0], observed[1]


def _with_trait(name: str, **more: object) -> Document:
    return {"kind": "customers", "row": {"external_id": "id", "traits": {name: {"column": "city", **more}}}}


def test_words_that_only_the_import_brought_go_with_it(shop: Living) -> None:
    """C-2: what was observed is no longer, unless other data or a segment names it; numbers are never given again."""
    attributes, events = _words(shop)
    shared = [shop.bring_in(_people(f"words{n}"), _with_trait("shared")) for n in range(2)]
    used, typo = shop.bring_in(_people("w"), _with_trait("used")), shop.bring_in(_people("w", 1, "7"), _with_trait("n"))
    jumps = shop.bring_in(csv_of("id,event,at", "w1,Jumped,2026-01-01", "w1,app_opened,2026-01-01"), EVENTS)
    assert _words(shop) == (attributes | {"shared", "used", "n"}, events | {"jumped"})
    definition = {"version": 1, "app": "shop", "match": {"attribute": "used", "op": "is", "value": "Oslo"}}
    shop.post("/groups", {"key": "named", "name": "Named", "definition": definition}, 201)
    for one in (shared[0], used, typo, jumps):
        _over(shop, _changed(shop, one["id"], "undo", 202))
    assert _words(shop) == (attributes | {"shared", "used"}, events)
    _over(shop, _changed(shop, shared[1]["id"], "undo", 202))
    assert _words(shop) == (attributes | {"used"}, events)
    # The same word with another type is another attribute.
    shop.bring_in(_people("w", 1, "7"), _with_trait("n", type="number"))
    assert shop.get("/customers/external:w1")["attributes"]["n"] == 7
    shop.bring_in(csv_of("id,event,at", "w1,Danced,2026-01-01"), EVENTS)
    assert _words(shop) == (attributes | {"used", "n"}, events | {"danced"})
    assert shop.get("/customers/external:w1")["attributes"]["n"] == 7


def test_orders_are_as_before_once_their_change_is_undone(shop: Living) -> None:
    columns = "id,order,at,amount,currency"
    shop.bring_in(csv_of(columns, "buyer,b1,2026-01-01,10,EUR"), ORDERS)
    before = shop.get("/customers/external:buyer")
    changed = shop.bring_in(csv_of(columns, "buyer,b1,2026-01-02,25,EUR", "buyer,b2,2026-01-02,5,EUR"), ORDERS)
    assert changed["counts"] == {"updated": 1, "new": 1}
    assert shop.get("/customers/external:buyer")["apps"]["shop"]["app_spend"]["amount_micros"] == 30_000_000
    _over(shop, _changed(shop, changed["id"], "undo", 202))
    assert shop.get("/customers/external:buyer") == before


def test_rates_are_as_before_once_an_import_of_them_is_undone(shop: Living) -> None:
    """C-24: what was entered before the import counts again, what was entered after it goes on to count."""
    shop.bring_in(csv_of("id,order,at,amount,currency", "rated,r1,2026-03-05,20.00,GBP"), ORDERS)
    put = {"day": "2026-03-05", "currency": "gbp", "rate": "0.8"}
    answer = shop.post("/rates", {"rates": [put]}, 201)
    shown = {"day": "2026-03-05", "currency": "GBP", "to_base": "1.25", "per_base": "0.8"}
    assert answer == {"items": [shown], "customers": 1}
    assert _spend(shop) == 25_000_000
    content = csv_of("day,currency,rate", "2026-03-05,GBP,0.5", "2026-03-05,CHF,2")
    brought = shop.bring_in(content, RATES)
    assert (brought["counts"], _spend(shop)) == ({"updated": 1, "new": 1}, 40_000_000)
    assert shop.dry_run(content, RATES)["counts"] == {"unchanged": 2}
    _over(shop, _changed(shop, brought["id"], "undo", 202))
    assert _spend(shop) == 25_000_000
    assert shop.get("/rates", currency="gbp") == {"items": [shown], "next_cursor": None}
    second = shop.bring_in(content, RATES)
    shop.post("/rates", {"rates": [{**put, "rate": 4, "direction": "to_base"}]}, 201)
    _over(shop, _changed(shop, second["id"], "undo", 202))
    assert _spend(shop) == 80_000_000


def _spend(shop: Living) -> int:
    return int(shop.get("/customers/external:rated")["apps"]["shop"]["app_spend"]["amount_micros"])


def test_rates_are_listed_page_by_page_newest_first(shop: Living) -> None:
    rates = [
        {"day": f"2025-0{month}-01", "currency": code, "rate": month} for month in (1, 2) for code in ("SEK", "NOK")
    ]
    shop.post("/rates", {"rates": rates}, 201)
    found: list[tuple[str, str]] = []
    cursor: dict[str, str] = {}
    while True:
        page = shop.get("/rates", limit=1, **cursor)
        found += [(one["day"], one["currency"]) for one in page["items"] if one["day"] < "2026"]
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == [("2025-02-01", "NOK"), ("2025-02-01", "SEK"), ("2025-01-01", "NOK"), ("2025-01-01", "SEK")]
    for bad in ("WyJhIl0", "NQ", "%%"):
        assert problem(shop.local.get("/rates", params={"cursor": bad})) == (400, "cursor_invalid")


@pytest.mark.parametrize(
    ("rate", "pointer"),
    [
        ({"day": "2026-02-30"}, "/rates/0/day"),
        ({"day": "soon"}, "/rates/0/day"),
        ({"currency": "XXZ"}, "/rates/0/currency"),
        ({"currency": "EUR"}, "/rates/0/currency"),
        ({"rate": 0}, "/rates/0/rate"),
        ({"rate": -1}, "/rates/0/rate"),
        ({"rate": "much"}, "/rates/0/rate"),
        ({"rate": "NaN"}, "/rates/0/rate"),
        ({"rate": "1e400000"}, "/rates/0/rate"),
        ({"rate": "1.23456789012345678901"}, "/rates/0/rate"),
    ],
)
def test_rate_that_is_none_is_refused(shop: Living, rate: Document, pointer: str) -> None:
    whole = {"day": "2026-01-01", "currency": "USD", "rate": "1.5", **rate}
    answer = shop.local.post("/rates", json={"rates": [whole]})
    assert (problem(answer), answer.json()["errors"][0]["pointer"]) == ((422, "value_not_allowed"), pointer)


def test_lists_of_imports_are_pages(shop: Living) -> None:
    ids = [shop.dry_run(_people(f"page{number}"), PEOPLE)["id"] for number in range(3)]
    first = shop.get("/imports", limit=2)
    second = shop.get("/imports", limit=1, cursor=first["next_cursor"])
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert problem(shop.local.get("/imports", params={"cursor": "WyJhIl0"})) == (400, "cursor_invalid")


def test_job_that_is_stopped_at_its_own_door_leaves_the_import_resumable(shop: Living) -> None:
    shop.bring_in(_people("busy", 30_000), PEOPLE)
    busy = shop.dry_run(_people("busy", 60_000, "Bern"), PEOPLE)
    waiting = shop.dry_run(_people("behind"), PEOPLE)
    shop.post(f"/imports/{busy['id']}/apply", {}, 202)
    behind = shop.post(f"/imports/{waiting['id']}/apply", {}, 202)
    shop.post(f"/jobs/{behind['job']['id']}/cancel")
    assert shop.get(f"/imports/{waiting['id']}")["state"] == "resumable"
    again = _changed(shop, waiting["id"], "apply", 202)
    assert (again["state"], again["job"]) == ("applying", behind["job"])
    assert (_over(shop, again)["state"], shop.get(f"/imports/{busy['id']}")["state"]) == ("done", "done")


def test_what_was_paused_before_it_began_goes_on_or_back(shop: Living) -> None:
    busy = shop.dry_run(_people("busy", 60_000, "Rome"), PEOPLE)
    goes_on, goes_back = (shop.dry_run(_people(name), PEOPLE) for name in ("on", "back"))
    shop.post(f"/imports/{busy['id']}/apply", {}, 202)
    for one in (goes_on, goes_back):
        _changed(shop, one["id"], "apply", 202)
        assert _changed(shop, one["id"], "pause", 200)["state"] == "resumable"
        assert _refused(shop, one["id"], "pause") == (409, "import_state")
    assert _over(shop, _changed(shop, goes_on["id"], "apply", 202))["state"] == "done"
    cancelled = _changed(shop, goes_back["id"], "cancel", 202)
    assert cancelled["state"] == "undoing"
    assert _over(shop, cancelled)["state"] == "undone"
    assert problem(shop.local.get("/customers/external:back1")) == (404, "customer_unknown")
