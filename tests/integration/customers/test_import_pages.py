"""Importing in the browser, without scripts: source, columns, dry run, application, undo (C-35 to C-37, D-24)."""

from __future__ import annotations

import html
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from muster.customers.models import Import
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.living import Living, csv_of, living
from tests.integration.pages import Browser
from tests.integration.personas import open_store, owner_of, viewer_of
from tests.naughty import NAUGHTY

_GERMAN = "Kundennummer;E-Mail;Vorname;Geburtstag;Punkte\n"


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment | {"MUSTER_IMPORT_MEGABYTES": "2"}) as found:
        found.post("/apps", {"key": "shop", "name": {"en": "Shop"}}, 201)
        yield found


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


def _upload(browser: Browser, content: bytes, kind: str = "customers", app: str = "", name: str = "file.csv") -> Any:
    return browser.post("/customers/imports/new/", {"kind": kind, "app": app}, files={"file": (name, content)})


def _fields(page: str) -> dict[str, str]:
    """What a browser would send of the form of columns."""
    form = page.split('id="columns"')[1].split("</form>", maxsplit=1)[0]
    found = {}
    for name, body in re.findall(r'<select class="sel" name="([^"]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.findall(r'value="([^"]*)" selected', body) or re.findall(r'value="([^"]*)"', body)
        found[name] = html.unescape(chosen[0])
    found |= {
        name: html.unescape(value) for name, value in re.findall(r'<input[^>]*name="([^"]+)" value="([^"]*)"', form)
    }
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def _begin(browser: Browser, content: bytes, **given: str) -> str:
    """The address of the columns of an upload."""
    begun = _upload(browser, content, **given)
    assert begun.status_code == 302, begun.text
    return str(begun.headers["Location"])


def _judge(town: Living, browser: Browser, columns: str, **changes: str) -> str:
    """The address of the import, judged by what was proposed and changed."""
    judged = browser.post(columns, _fields(browser.get(columns).text) | changes)
    assert judged.status_code == 302, judged.text
    town.settle()
    return str(judged.headers["Location"])


def _counts(page: str) -> dict[str, int]:
    found = re.findall(r'href="\?verdict=(\w+)"(?: aria-current="true")?><b>.*?</svg>(\d+)</b>', page)
    return {verdict: int(count) for verdict, count in found if count != "0"}


def test_german_file_is_understood_judged_applied_and_undone(town: Living, owner: Browser) -> None:
    """Encoding, separator, names of columns and the way dates are written are found; nothing is lost on the way."""
    rows = [f"g{n};g{n}@example.com;Änne {n};{n + 10:02}.03.19{70 + n};{n}" for n in range(1, 11)]
    content = (_GERMAN + "\n".join([*rows, "g11;;Bö;99.99.1999;x", rows[0]]) + "\n").encode("cp1252")
    columns = _begin(owner, content, name="kunden.csv")
    proposed = _fields(owner.get(columns).text)
    assert [proposed[f"role.{n}"] for n in range(5)] == ["external_id", "email", "trait", "trait", "trait"]
    assert [proposed[f"name.{n}"] for n in (2, 3, 4)] == ["first_name", "birthday", "punkte"]
    assert (proposed["type.3"], proposed["format.3"], proposed["type.4"]) == ("date", "%d.%m.%Y", "number")
    assert "Änne 1" in owner.get(columns).text

    address = _judge(town, owner, columns)
    page = owner.get(address).text
    assert (_counts(page), "Dry run: 12 rows, 12 verdicts" in page) == (
        {"new": 10, "duplicate_in_file": 1, "invalid": 1},
        True,
    )
    # The invalid rows are opened by themselves.
    assert ("99.99.1999" in page, "not a date as it was described" in page) == (True, True)
    assert owner.get(f"{address}?verdict=new").text.count('<td class="r m">') == 10
    assert town.local.get("/customers/external:g1").status_code == 404

    refused = owner.post(f"{address}apply", {})
    assert (refused.status_code, "import_invalid_rows" in refused.text) == (422, True)
    [digest] = re.findall(r'name="digest" value="(\w+)"', page)
    applied = owner.post(f"{address}apply", {"leave_out": "on", "digest": digest})
    assert (applied.status_code, applied.headers["Location"]) == (302, address)
    town.settle()
    assert town.get("/customers/external:g1")["attributes"]["first_name"] == "Änne 1"
    done = owner.get(address)
    assert ("What has changed" in done.text, "Refresh" in done.headers) == (True, False)
    listed = owner.get("/customers/imports/").text
    assert ("kunden.csv" in listed, "Applied" in listed) == (True, True)

    assert owner.post(f"{address}undo", {}).status_code == 302
    town.settle()
    assert town.local.get("/customers/external:g1").status_code == 404
    assert "Undone" in owner.get(address).text


def test_rows_go_out_as_csv_and_it_is_noted(town: Living, owner: Browser) -> None:
    """D-31: a mark for spreadsheets, formulas quoted, an entry in the audit trail."""
    address = _judge(town, owner, _begin(owner, csv_of("id,points", "c1,1", "c2,=1+1")), **{"type.1": "number"})
    answer = owner.get(f"{address}rows.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = ["\ufeffrow,verdict,column,reason,value", "1,new,,,", "2,invalid,points,not_a_number,'=1+1", ""]
    assert answer.text == "\r\n".join(lines)
    assert owner.get(f"{address}rows.csv?verdict=invalid").text == "\r\n".join([lines[0], lines[2], ""])
    with closing(sqlite3.connect(town.home / "control.sqlite3")) as database:
        found = database.execute(
            "SELECT actor_label, thing_id FROM audit_auditentry WHERE action = 'import.rows_downloaded'"
        ).fetchall()
    assert found == [("alice@example.com", address.split("/")[3])] * 2


@pytest.mark.parametrize(
    ("content", "kind", "app", "code", "field"),
    [
        (b"", "customers", "", "file_unreadable", "file"),
        (b"PAR1 not really", "customers", "", "file_unreadable", "file"),
        (b"\x1f\x8b\x08 broken", "customers", "", "file_unreadable", "file"),
        (b"id\nu1\n" * 400_000, "customers", "", "import_too_large", "file"),
        (b"id\nu1\n", "weather", "", "mapping_invalid", ""),
        (b"id,at\nu1,2026-01-01\n", "events", "", "value_not_allowed", "app"),
        (b"id,at\nu1,2026-01-01\n", "orders", "none", "value_not_allowed", "app"),
    ],
)
def test_file_that_cannot_be_read_is_refused_at_its_field(
    owner: Browser, content: bytes, kind: str, app: str, code: str, field: str
) -> None:
    refused = _upload(owner, content, kind, app)
    assert (refused.status_code, f">{code}<" in refused.text) == (422, True)
    if field:
        assert f'id="{field}-error"' in refused.text
    # What was chosen stays; only a file has to be chosen again.
    assert ("A file has to be chosen again." in refused.text, f'value="{kind}" checked' in refused.text) == (
        True,
        kind != "weather",
    )


def test_without_a_file_it_says_so(owner: Browser) -> None:
    refused = owner.post("/customers/imports/new/", {"kind": "customers", "app": ""})
    assert (refused.status_code, "Choose a file." in refused.text) == (422, True)


def test_file_can_be_read_in_another_encoding(town: Living, owner: Browser) -> None:
    """A guess that is wrong is seen in the samples and put right; what fits nothing says so and can be changed."""
    columns = _begin(owner, "id,city\nm1,Zürich\n".encode("mac-roman"))
    assert "Zürich" not in owner.get(columns).text
    read = {"do": "read", "kind": "customers", "app": "", "encoding": "mac-roman", "delimiter": "auto"}
    assert owner.post(columns, read).headers["Location"] == columns
    assert "Zürich" in owner.get(columns).text
    wrong = owner.post(columns, read | {"encoding": "utf-8"})
    assert (wrong.status_code, "encoding_unreadable" in wrong.text) == (422, True)
    address = _judge(town, owner, columns)
    assert _counts(owner.get(address).text) == {"new": 1}


def test_ambiguous_dates_are_asked_at_their_column(town: Living, owner: Browser) -> None:
    """C-35: never guessed; the counts of each reading stand at the column."""
    columns = _begin(owner, csv_of("id,birthday", "a1,03/04/1990", "a2,05/06/1991"))
    fields = _fields(owner.get(columns).text)
    refused = owner.post(columns, fields)
    assert (refused.status_code, "date_ambiguous" in refused.text) == (422, True)
    assert 'id="column-1-error"' in refused.text
    assert owner.post(columns, fields | {"format.1": "%m/%d/%Y"}).status_code == 302


def test_what_is_needed_is_asked(owner: Browser) -> None:
    columns = _begin(owner, csv_of("name,city", "Ann,Oslo"))
    refused = owner.post(columns, _fields(owner.get(columns).text))
    assert (refused.status_code, "mapping_invalid" in refused.text) == (422, True)
    assert "needs `external_id` or `anonymous_id`" in refused.text


def test_columns_can_be_changed_after_the_dry_run(town: Living, owner: Browser) -> None:
    """Only the dry run one has seen can be applied: another mapping is another import, and the first is cancelled."""
    columns = _begin(owner, csv_of("id,points", "d1,1", "d2,two"))
    first = _judge(town, owner, columns, **{"type.1": "number"})
    assert _counts(owner.get(first).text) == {"new": 1, "invalid": 1}
    same = owner.post(columns, _fields(owner.get(columns).text))
    assert same.headers["Location"] == first
    second = _judge(town, owner, columns, **{"type.1": "text"})
    assert (second == first, _counts(owner.get(second).text)) == (False, {"new": 2})
    assert "Cancelled" in owner.get(first).text
    late = owner.post(f"{first}apply", {})
    assert (late.status_code, "import_state" in late.text) == (422, True)
    wrong = owner.post(f"{second}apply", {"digest": "0" * 64})
    assert (wrong.status_code, "import_expired" in wrong.text) == (422, True)


def test_tab_may_be_closed_before_the_columns_are_said(town: Living, owner: Browser) -> None:
    columns = _begin(owner, csv_of("id", "t1"))
    assert "Uploaded" in owner.get("/customers/imports/").text
    address = columns.removesuffix("columns/")
    assert owner.get(address).headers["Location"] == columns
    assert owner.post(f"{address}cancel", {}).status_code == 302
    assert "Cancelled" in owner.get(address).text


def test_upload_that_names_somebody_who_is_erased_is_deleted(town: Living, owner: Browser) -> None:
    """Also before anybody said what its columns are; the page says why nothing can be done with it."""
    address = _judge(town, owner, _begin(owner, csv_of("id,city", "erased1,Oslo")))
    assert owner.post(f"{address}apply", {}).status_code == 302
    town.settle()
    waiting = _begin(owner, csv_of("id,city", "erased1,Bergen"))
    customer = town.get("/customers/external:erased1")["id"]
    order = town.post("/customers/external:erased1/erase", {"confirm": customer}, 202)
    town.finish(order["job"]["id"])
    assert town.get(f"/imports/{waiting.split('/')[3]}")["state"] == "expired"
    page = owner.get(waiting)
    assert ("because it named somebody who was erased" in page.text, 'id="columns"' in page.text) == (True, False)
    assert owner.post(waiting, {}).status_code == 422
    assert "Expired" in owner.get(waiting.removesuffix("columns/")).text


def test_rows_are_there_once_they_are_judged(town: Living, owner: Browser) -> None:
    identifier = _begin(owner, csv_of("id", "r1")).split("/")[3]
    refused = town.local.get(f"/imports/{identifier}/rows")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_state")


def test_mapping_can_be_written_as_yaml(town: Living, owner: Browser) -> None:
    columns = _begin(owner, csv_of("k;p".replace(";", ","), "y1,3"))
    mapping = "kind: customers\nrow:\n  external_id: k\n  traits: {points: {column: p, type: number}}\n"
    judged = owner.post(columns, {"do": "yaml", "yaml": mapping})
    assert judged.status_code == 302
    town.settle()
    assert _counts(owner.get(judged.headers["Location"]).text) == {"new": 1}
    other = _begin(owner, csv_of("k,p", "y1,3"))
    for wrong, code in (
        ("kind: [", "mapping_invalid"),
        ("row: {}", "mapping_invalid"),
        ("", "mapping_invalid"),
        ("kind: customers\nrow: {external_id: nowhere}", "column_unknown"),
    ):
        refused = owner.post(other, {"do": "yaml", "yaml": wrong})
        assert (refused.status_code, code in refused.text, html.escape(wrong) in refused.text) == (422, True, True)


def test_orders_of_several_lines_are_told_by_their_number(town: Living, owner: Browser) -> None:
    content = csv_of(
        "customer;order_number;order_date;product;price;quantity",
        "o1;1001;2026-01-31;pen;1,50;2",
        "o1;1001;2026-01-31;ink;10,00;1",
        "o1;1002;2026-02-01;pen;1.000,50;1",
    )
    columns = _begin(owner, content, kind="orders", app="shop")
    fields = _fields(owner.get(columns).text)
    assert [fields[f"role.{n}"] for n in range(6)] == [
        "external_id",
        "order_id",
        "happened_at",
        "line:product_id",
        "line:price",
        "line:quantity",
    ]
    address = _judge(town, owner, columns, numbers="eu", **{"fixed.currency": "EUR"})
    assert _counts(owner.get(address).text) == {"new": 3}
    assert owner.post(f"{address}apply", {}).status_code == 302
    town.settle()
    orders = town.get("/customers/external:o1")["orders"]
    assert {one["order_id"]: one["amount_micros"] for one in orders} == {"1001": 13_000_000, "1002": 1_000_500_000}


def test_rates_and_consents_come_as_files(town: Living, owner: Browser) -> None:
    rates = _begin(owner, csv_of("Date,Currency,Rate", "2026-01-05,USD,1.0823"), kind="rates")
    assert _counts(owner.get(_judge(town, owner, rates)).text) == {"new": 1}
    consents = _begin(owner, csv_of("user_id,opt_in", "k1,yes", "k2,perhaps"), kind="consents")
    address = _judge(town, owner, consents, **{"fixed.purpose": "marketing", "fixed.channel": "email"})
    assert _counts(owner.get(address).text) == {"new": 1, "invalid": 1}


def test_wide_file_is_judged_and_applied(town: Living, owner: Browser) -> None:
    """As many columns as a customer base exports."""
    names = [f"wide_{n}" for n in range(200)]
    rows = [",".join([f"w{row}", *(f"{row} {n}" for n in range(200))]) for row in range(300)]
    address = _judge(town, owner, _begin(owner, csv_of(",".join(["id", *names]), *rows)))
    assert _counts(owner.get(address).text) == {"new": 300}
    assert owner.post(f"{address}apply", {}).status_code == 302
    town.settle()
    assert town.get("/customers/external:w7")["attributes"]["wide_199"] == "7 199"


def test_naughty_headers_and_names_are_shown_as_they_are(town: Living, owner: Browser) -> None:
    """Headers, cells and typed names: all of them go through the form and come back escaped."""
    for start in range(0, len(NAUGHTY), 103):
        texts = [text for text in NAUGHTY[start : start + 103] if "\x00" not in text]
        cells = ",".join('"' + text.replace('"', '""') + '"' for text in ["id", *texts])
        columns = _begin(owner, f"{cells}\n{cells}\n".encode("utf-8", "replace"))
        page = owner.get(columns)
        assert (page.status_code, "<script>alert" in page.text) == (200, False)
        sent = _fields(page.text) | {f"name.{n}": text for n, text in enumerate(texts, start=1)}
        answer = owner.post(columns, sent)
        assert (answer.status_code in (302, 422), "<script>alert" in answer.text) == (True, False)
        town.settle()


def test_viewer_sees_how_imports_went_and_nothing_of_their_rows(town: Living, owner: Browser, viewer: Browser) -> None:
    address = _judge(town, owner, _begin(owner, csv_of("id,points", "z1,s3cr3t")), **{"type.1": "number"})
    page = viewer.get(address).text
    assert (_counts(page), "s3cr3t" in page) == ({"invalid": 1}, False)
    assert "Needs permission customers:write; an owner can grant it." in page
    assert re.findall(r'action="(/customers[^"]+)"', page) == []
    columns = f"{address}columns/"
    assert [viewer.get(one).status_code for one in ("/customers/imports/new/", columns, f"{address}rows.csv")] == [
        403
    ] * 3
    for verb in ("apply", "cancel", "undo", "pause"):
        assert viewer.post(address + verb, {}).status_code == 403
    listed = viewer.get("/customers/imports/").text
    assert 'aria-disabled="true" aria-describedby="refusal"' in listed


def test_viewer_is_told_why_an_uploads_columns_are_hidden(town: Living, owner: Browser, viewer: Browser) -> None:
    """D-42: the import's own page says it; the page of the columns says it to whoever has its address."""
    columns = _begin(owner, csv_of("id,points", "z2,s3cr3t"))
    reason = "Needs permission customers:write; an owner can grant it."
    page = viewer.get(columns.removesuffix("columns/"))
    told = ("Uploaded" in page.text, reason in page.text, "s3cr3t" in page.text, f'href="{columns}"' in page.text)
    assert (page.status_code, told) == (200, (True, True, False, False))
    assert (viewer.get(columns).status_code, reason in viewer.get(columns).text) == (403, True)


def test_outsider_is_sent_to_the_door(town: Living, owner: Browser) -> None:
    address = _begin(owner, csv_of("id", "x1"))
    for one in ("/customers/imports/", "/customers/imports/new/", address):
        answer = httpx.get(town.server.address + one)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={one}")


def test_imports_of_other_rooms_are_not_here(town: Living, owner: Browser) -> None:
    town.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
    begun = town.local.post("/groups/testers/imports", data={"text": "a@example.com"}).json()
    town.settle()
    for end in ("", "columns/", "rows.csv"):
        assert owner.get(f"/customers/imports/{begun['id']}/{end}").status_code == 404
    assert begun["id"] not in owner.get("/customers/imports/").text


def test_pages_work_in_every_language(town: Living, owner: Browser) -> None:
    columns = _begin(owner, csv_of("id", "l1"))
    address = columns.removesuffix("columns/")
    for language in ("de", "fr"):
        for one in ("/customers/imports/", "/customers/imports/new/", columns):
            page = owner._client.get(one, headers={"Accept-Language": language})
            assert (page.status_code, page.text.count("<h1>"), " style=" in page.text) == (200, 1, False)
    _judge(town, owner, columns)
    assert owner._client.get(address, headers={"Accept-Language": "fr"}).status_code == 200


@pytest.fixture
def store(db: None, tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with open_store(tmp_path) as warehouse:
        yield warehouse


@pytest.mark.parametrize("count", [1, 3])
def test_list_asks_as_little_for_many_imports(
    store: DuckDBWarehouse, as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    """D-28: session, member, imports."""
    for number in range(count):
        now = datetime.now(UTC)
        Import.objects.create(
            id=f"imp_{number}",
            kind="customers",
            file_name="f",
            digest="d",
            mapping={},
            state="done",
            created_by="a",
            created_at=now,
            checked_at=now,
            done_at=now,
        )
    with django_assert_num_queries(3):
        assert as_alice.get("/customers/imports/").status_code == 200
