"""Files as the world sends them: every row gets a verdict or the file a clear refusal (C-35, C-36, C-37)."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

from muster.groups.actions.segments import check_name
from muster.kernel.errors import MusterError
from tests.integration.living import Document, Living, csv_of, living, problem
from tests.naughty import NAUGHTY

DATA = Path(__file__).parents[2] / "data"
SPECTRUM = sorted((DATA / "csv" / "csvs").glob("*.csv"))
PEOPLE = {"kind": "customers", "row": {"external_id": "id", "traits": {"city": "city"}}}
ORDERS = {
    "kind": "orders",
    "app": "shop",
    "row": {"external_id": "id", "order_id": "order", "happened_at": "at", "amount": "amount", "currency": "currency"},
}
EVENTS = {"kind": "events", "app": "shop", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}


@pytest.fixture(scope="module")
def shop(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as installation:
        installation.post("/apps", {"key": "shop", "name": {"en": "Shop"}}, 201)
        yield installation


def _reasons(shop: Living, imported: Document) -> list[tuple[int, str, str | None]]:
    return [(one["row"], one["verdict"], one["reason"]) for one in shop.verdicts(imported["id"])]


def _judged(shop: Living, content: bytes, mapping: object) -> list[tuple[int, str, str | None]]:
    imported = shop.dry_run(content, mapping)
    assert (imported["state"], sum(imported["counts"].values())) == ("checked", imported["rows"])
    return _reasons(shop, imported)


def _city(shop: Living, external_id: str) -> object:
    return shop.get(f"/customers/external:{external_id}")["attributes"].get("city")


@pytest.mark.parametrize("path", SPECTRUM, ids=lambda path: path.stem)
def test_awkward_csv_is_read_as_its_authors_meant(shop: Living, path: Path) -> None:
    """csv-spectrum: as many rows as the published answer has, whose texts become the values."""
    meant = json.loads((DATA / "csv" / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
    columns = list(meant[0])
    traits = {f"t {number}": column for number, column in enumerate(columns)}
    mapping = {"kind": "customers", "row": {"external_id": columns[0], "traits": traits}, "source": {"delimiter": ","}}
    judged = _judged(shop, path.read_bytes(), mapping)
    keys: Counter[str] = Counter(row[columns[0]] for row in meant)
    assert len(judged) == len(meant)
    assert sum(verdict != "duplicate_in_file" for _, verdict, _ in judged) >= len(keys)
    imported = shop.bring_in(path.read_bytes(), mapping, max_invalid=len(meant))
    assert imported["state"] == "done"
    for row in meant:
        if keys[row[columns[0]]] == 1 and row[columns[0]].strip():
            found = shop.get(f"/customers/{quote('external:' + row[columns[0]], safe='')}")["attributes"]
            assert {f"t_{number}": row[column] or None for number, column in enumerate(columns)} == {
                f"t_{number}": found.get(f"t_{number}") for number in range(len(columns))
            }


_ROWS = (("é1", "Zürich, Süd"), ("é2", "Ålesund"), ("é3", "a “quote”"))


def _as_csv(delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows([("id", "city"), *_ROWS])
    return file.getvalue()


def _as_ndjson() -> str:
    return "\n".join(json.dumps({"id": key, "city": city}, ensure_ascii=False) for key, city in _ROWS)


def _as_parquet() -> bytes:
    file = io.BytesIO()
    table = pa.table({"id": [key for key, _ in _ROWS], "city": [city for _, city in _ROWS]})
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()


_FORMS: dict[str, Callable[[], bytes]] = {
    "utf-8": lambda: _as_csv().encode(),
    "utf-8 with mark": lambda: b"\xef\xbb\xbf" + _as_csv().encode(),
    "utf-16 with mark": lambda: _as_csv().encode("utf-16"),
    "utf-16-le": lambda: _as_csv().encode("utf-16-le"),
    "utf-16-be": lambda: _as_csv().encode("utf-16-be"),
    "windows-1252": lambda: _as_csv().encode("cp1252"),
    "semicolon": lambda: _as_csv(";").encode(),
    "tab": lambda: _as_csv("\t").encode(),
    "pipe": lambda: _as_csv("|").encode(),
    "gzip": lambda: gzip.compress(_as_csv().encode()),
    "zstd": lambda: zstandard.compress(_as_csv().encode()),
    "gzip of utf-16 with semicolons": lambda: gzip.compress(_as_csv(";").encode("utf-16")),
    "ndjson": lambda: _as_ndjson().encode(),
    "ndjson with mark": lambda: b"\xef\xbb\xbf" + _as_ndjson().encode(),
    "ndjson in utf-16": lambda: _as_ndjson().encode("utf-16"),
    "ndjson in zstd": lambda: zstandard.compress(_as_ndjson().encode()),
    "parquet": _as_parquet,
}


@pytest.mark.parametrize("form", _FORMS)
def test_form_of_a_file_is_found_out(shop: Living, form: str) -> None:
    prefix = form.replace(" ", "-")
    mapping = {"kind": "customers", "row": {"external_id": "id", "traits": {"city": "city", f"of {prefix}": "city"}}}
    imported = shop.bring_in(_FORMS[form](), mapping)
    assert (imported["state"], imported["rows"]) == ("done", 3)
    assert [_city(shop, key) for key, _ in _ROWS] == [city for _, city in _ROWS]


def test_cells_too_many_or_too_few_are_verdicts_of_their_rows(shop: Living) -> None:
    content = csv_of("id,city", "w1,Oslo", "w2", "w3,a,b", '"w4","line\nbreak"', "w5,Bonn", "w6,,", "w7,Rome")
    assert _judged(shop, content, PEOPLE) == [
        (1, "new", None),
        (2, "invalid", "too_few_cells"),
        (3, "invalid", "too_many_cells"),
        (4, "new", None),
        (5, "new", None),
        (6, "invalid", "too_many_cells"),
        (7, "new", None),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_unreadable"),
        (b"\xef\xbb\xbf", "file_unreadable"),
        # Without the time of packing: the parameter names the test, in every process alike.
        (gzip.compress(b"id,city\na,b\n" * 1000, mtime=0)[:40], "file_unreadable"),
        (zstandard.compress(b"id,city\na,b\n" * 1000)[:-9], "file_unreadable"),
        (b"PAR1 and nothing of it", "file_unreadable"),
        (b"city,name\nOslo,x\n", "column_unknown"),
    ],
)
def test_file_that_is_none_is_refused_at_once(shop: Living, content: bytes, code: str) -> None:
    assert problem(shop.upload(content, PEOPLE)) == (422, code)


@pytest.mark.parametrize("rest", [b'q2,"Bonn\nq3,Rome\n', b'q2,"Bonn', b'q2,"', b'"q2,Bonn\nq3,Rome\n', b'q2,"a""\n'])
def test_quote_that_is_never_closed_is_named(shop: Living, rest: bytes) -> None:
    begun = shop.upload(b"id,city\nq1,Oslo\n" + rest, PEOPLE)
    if begun.status_code == 202:
        shop.finish(begun.json()["job"]["id"])
        imported = shop.get(f"/imports/{begun.json()['id']}")
        assert (imported["state"], imported["reason"].split(":")[0]) == ("failed", "file_unreadable")
        return
    assert problem(begun) == (422, "file_unreadable")


def test_bytes_of_another_encoding_are_named(shop: Living) -> None:
    wrong = shop.upload("id,city\ne1,Zürich\n".encode("cp1252"), {**PEOPLE, "source": {"encoding": "utf-8"}})
    code = wrong.json()["code"] if wrong.status_code != 202 else None
    if code is None:
        shop.finish(wrong.json()["job"]["id"])
        code = shop.get(f"/imports/{wrong.json()['id']}")["reason"].split(":")[0]
    assert code == "encoding_unreadable"
    for name in ("klingon", "hex"):
        refused = shop.upload(b"id,city\na,b\n", {**PEOPLE, "source": {"encoding": name}})
        assert problem(refused) == (422, "encoding_unreadable")


def test_header_alone_is_a_file_of_no_rows(shop: Living) -> None:
    imported = shop.bring_in(b"id,city\n", PEOPLE)
    assert (imported["state"], imported["rows"], imported["counts"]) == ("done", 0, {})


def test_line_that_is_no_json_is_a_verdict(shop: Living) -> None:
    content = b'{"id":"j1","city":"Oslo"}\n{"id":"j2"\n[1]\n{"id":"j3","city":null}\n{"id":"\\ud800"}\n{"id":{"x":1}}'
    assert _judged(shop, content, PEOPLE) == [
        (1, "new", None),
        (2, "invalid", "not_json"),
        (3, "invalid", "not_json"),
        (4, "new", None),
        (5, "invalid", "not_json"),
        (6, "invalid", "missing"),
    ]


def test_column_may_be_called_what_muster_calls_its_own(shop: Living) -> None:
    mapping = {"kind": "customers", "row": {"external_id": "row_number", "traits": {"city": "position"}}}
    for content in (b'{"row_number":"n1","position":"Oslo"}\n', b"row_number,position\nn1,Oslo\n"):
        assert _judged(shop, content, mapping) == [(1, "new", None)]


@pytest.mark.parametrize(
    ("mapping", "code", "pointer"),
    [
        (b"{", "mapping_invalid", ""),
        (b"- 1", "mapping_invalid", ""),
        (b"&a [*a]", "mapping_invalid", ""),
        (b"[" * 5_000, "mapping_invalid", ""),
        (b"\xff\xfe\x00", "mapping_invalid", ""),
        ({"kind": "customer", "row": {"external_id": "id"}}, "mapping_invalid", "/kind"),
        ({"kind": "customers", "row": {"external_idd": "id"}}, "mapping_invalid", "/row/external_idd"),
        ({"kind": "customers", "row": {"external_id": "idd"}}, "column_unknown", "/row/external_id"),
        ({**PEOPLE, "source": {"delimiter": "ab"}}, "mapping_invalid", "/source/delimiter"),
        ({**PEOPLE, "source": {"format": "xlsx"}}, "mapping_invalid", "/source/format"),
        ({**PEOPLE, "row": {"external_id": "id", "traits": {"!!": "city"}}}, "mapping_invalid", "/row/traits/!!"),
        (
            {**ORDERS, "row": {"external_id": "id", "happened_at": {"column": "city", "format": "%Q"}}},
            "mapping_invalid",
            "/row/happened_at/format",
        ),
        (
            {**ORDERS, "row": {"external_id": "id", "happened_at": {"column": "city", "zone": "Mars"}}},
            "mapping_invalid",
            "/row/happened_at/zone",
        ),
        ({**ORDERS, "app": "none", "row": {"external_id": "id", "happened_at": "city"}}, "mapping_invalid", "/app"),
        ({**ORDERS, "app": ["x"], "row": {"external_id": "id", "happened_at": "city"}}, "mapping_invalid", "/app"),
    ],
)
def test_wrong_mapping_says_where(shop: Living, mapping: object, code: str, pointer: str) -> None:
    refused = shop.upload(b"id,city\na,2026-01-01\n", mapping)
    assert problem(refused) == (422, code)
    assert [error["pointer"] for error in refused.json()["errors"]] == ([pointer] if pointer else [])


def test_day_in_the_mapping_needs_no_quotes(shop: Living) -> None:
    mapping = b"kind: customers\nrow: {external_id: id, happened_at: {value: 2015-01-01}}\n"
    assert _judged(shop, b"id\nd1\n", mapping) == [(1, "new", None)]


def _dates(*texts: str) -> bytes:
    return csv_of("id,order,at,amount,currency", *(f"x,o{n},{text},1,EUR" for n, text in enumerate(texts)))


def test_dates_that_can_be_read_both_ways_are_never_guessed(shop: Living) -> None:
    """C-35"""
    refused = shop.upload(_dates("03/04/2026", "05/06/2026", "2026-01-01"), ORDERS)
    assert problem(refused) == (422, "date_ambiguous")
    assert {name: refused.json()[name] for name in ("column", "day_first", "month_first")} == {
        "column": "at",
        "day_first": 2,
        "month_first": 2,
    }
    assert refused.json()["errors"][0]["pointer"] == "/row/happened_at/format"
    both = shop.upload(_dates("25/12/2026", "12/25/2026", "01/02/2026"), ORDERS)
    assert (problem(both), both.json()["day_first"], both.json()["month_first"]) == ((422, "date_ambiguous"), 2, 2)
    birthday = {"kind": "customers", "row": {"external_id": "id", "traits": {"born": {"column": "b", "type": "date"}}}}
    assert problem(shop.upload(b"id,b\nx,4.8.66\n", birthday)) == (422, "date_ambiguous")


def test_dates_that_can_be_read_one_way_ask_for_their_format(shop: Living) -> None:
    refused = shop.upload(_dates("03/04/2026", "25/06/2026"), ORDERS)
    assert problem(refused) == (422, "mapping_invalid")
    assert 'format: "%d/%m/%Y"' in refused.json()["detail"]
    said = {**ORDERS, "row": {**ORDERS["row"], "happened_at": {"column": "at", "format": "%d/%m/%Y"}}}
    assert _judged(shop, _dates("03/04/2026", "25/06/2026", "06/25/2026"), said) == [
        (1, "new", None),
        (2, "new", None),
        (3, "invalid", "not_a_date"),
    ]


def test_odd_date_among_good_ones_is_a_verdict(shop: Living) -> None:
    texts = ("2026-01-01", "2026-01-01T10:00:00Z", "2026-02-30", "03/04/2026", "soon", "")
    assert _judged(shop, _dates(*texts), ORDERS) == [
        (1, "new", None),
        (2, "new", None),
        (3, "invalid", "not_a_date"),
        (4, "invalid", "not_a_date"),
        (5, "invalid", "not_a_date"),
        (6, "invalid", "missing"),
    ]


_CLOCKS = json.loads((DATA / "time" / "tz_and_age_edges.json").read_text(encoding="utf-8"))["schedule"]


def test_wall_clock_without_offset_is_of_the_zone_said(shop: Living) -> None:
    """A gap is read with the offset before it, a doubled hour as its first pass (kernel.civil)."""
    found = {}
    for number, clock in enumerate(_CLOCKS):
        row = {**ORDERS["row"], "happened_at": {"column": "at", "zone": clock["zone"]}}
        content = csv_of("id,order,at,amount,currency", f"clock{number},clock{number},{clock['local']},1,EUR")
        shop.bring_in(content, {**ORDERS, "row": row})
        [order] = shop.get(f"/customers/external:clock{number}")["orders"]
        found[f"{clock['zone']} {clock['local']}"] = order["happened_at"].replace(":00Z", "Z")
    first = {
        f"{one['zone']} {one['local']}": min(one["utc_fold0"], one["utc_fold1"])
        if one["kind"] == "ambiguous"
        else one["utc_fold0"]
        for one in _CLOCKS
    }
    assert found == first


def test_na_is_a_value_unless_it_is_said_to_be_none(shop: Living) -> None:
    shop.bring_in(b"id,city\nna1,NA\n", PEOPLE)
    shop.bring_in(b"id,city\nna2,NA\n", {**PEOPLE, "source": {"null": ["", "NA"]}})
    assert (_city(shop, "na1"), _city(shop, "na2")) == ("NA", None)


def test_repeated_rows_are_told_from_contradictions(shop: Living) -> None:
    """C-36"""
    content = csv_of("id,city", "r1,Oslo", "r1,Oslo", "r1,Bonn", "r2,Rome")
    assert _judged(shop, content, PEOPLE) == [
        (1, "new", None),
        (2, "duplicate_in_file", None),
        (3, "invalid", "conflict_in_file"),
        (4, "new", None),
    ]
    refused = shop.local.post(f"/imports/{shop.dry_run(content, PEOPLE)['id']}/apply", json={})
    assert (problem(refused), refused.json()["counts"]["invalid"]) == ((409, "import_invalid_rows"), 1) or (
        problem(refused) == (422, "import_invalid_rows")
    )
    assert shop.bring_in(content, PEOPLE, max_invalid=1)["applied"] == 2
    assert [verdict for _, verdict, _ in _judged(shop, content, PEOPLE)] == [
        "already_stored",
        "duplicate_in_file",
        "invalid",
        "already_stored",
    ]
    changed = csv_of("id,city", "r1,Rome", "r9,Rome")
    assert [verdict for _, verdict, _ in _judged(shop, changed, PEOPLE)] == ["updated", "new"]


def test_nobody_has_no_row(shop: Living) -> None:
    """C-8: placeholders are verdicts, not customers."""
    content = csv_of(
        "id,city", "null,Oslo", "undefined,Oslo", "0,Oslo", " ,Oslo", ",Oslo", "[object Object],Oslo", "0a,x"
    )
    assert [(verdict, reason) for _, verdict, reason in _judged(shop, content, PEOPLE)] == [
        ("invalid", "identity_placeholder"),
        ("invalid", "identity_placeholder"),
        ("invalid", "identity_placeholder"),
        ("invalid", "missing"),
        ("invalid", "missing"),
        ("invalid", "identity_placeholder"),
        ("new", None),
    ]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_naughty_strings_are_values_like_others(shop: Living, form: str) -> None:
    """As ids, as names of events, as traits: a verdict for each row; what is taken comes out as it went in."""
    people = [{"id": f"{form} {text}", "city": text} for text in NAUGHTY]
    for rows, mapping in (
        (people, PEOPLE),
        ([{"id": text, "city": "x"} for text in NAUGHTY], PEOPLE),
        ([{"id": f"{form} e", "event": text, "at": "2026-01-01"} for text in NAUGHTY], EVENTS),
    ):
        content = _written(rows, form)
        imported = shop.bring_in(content, mapping, max_invalid=len(rows))
        judged = shop.verdicts(imported["id"])
        assert [one["row"] for one in judged] == list(range(1, len(rows) + 1))
        assert (imported["state"], sum(imported["counts"].values())) == ("done", len(NAUGHTY))
        assert {one["reason"] for one in judged if one["verdict"] == "invalid"} <= {
            "missing",
            "identity_placeholder",
            "control_character",
            "too_long",
            "not_a_name",
            "conflict_in_file",
        }
    taken = shop.local.get("/customers", params={"search": f"external:{form} {NAUGHTY[100]}"}).json()["items"]
    shown = shop.get(f"/customers/{taken[0]['id']}")["attributes"]["city"]
    assert shown == NAUGHTY[100]


def _written(rows: list[Document], form: str) -> bytes:
    if form == "ndjson":
        return "\n".join(json.dumps(row) for row in rows).encode()
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def test_naughty_strings_are_names_of_groups_or_say_why_not(shop: Living) -> None:
    """All of them by the check every door uses, every tenth through the door."""
    everyone = {"version": 1, "app": "shop", "match": {"everyone": True}}
    refusals: set[tuple[str, str]] = set()
    for number, text in enumerate(NAUGHTY):
        try:
            name = check_name(text)
        except MusterError as error:
            name, refusals = None, refusals | {(error.code, error.pointer)}
        if number % 10:
            continue
        made = shop.local.post("/groups", json={"name": text, "definition": everyone, "active": False})
        if name is None:
            assert problem(made)[0] in (400, 422)
        else:
            assert (made.status_code, made.json()["name"]) == (201, name)
            assert shop.get(f"/groups/{made.json()['id']}")["name"] == name
    assert refusals == {("value_not_allowed", "/name")}


def test_dry_run_expires_with_its_day_and_its_file(shop: Living) -> None:
    old, changed = (shop.dry_run(csv_of("id,city", f"{name},x"), PEOPLE) for name in ("old", "changed"))
    with sqlite3.connect(shop.home / "control.sqlite3") as database:
        database.execute("UPDATE customers_import SET checked_at = '2020-01-01 00:00:00' WHERE id = ?", (old["id"],))
    database.close()
    (shop.home / "imports" / changed["id"] / "file").write_bytes(b"id,city\nother,y\n")
    for imported in (old, changed):
        refused = shop.local.post(f"/imports/{imported['id']}/apply", json={"max_invalid": 0})
        assert problem(refused) == (409, "import_expired")


def test_orders_wait_for_their_rate(shop: Living) -> None:
    """C-24"""
    order = "rated,rated1,2026-01-05T10:00:00Z,20.00,USD"
    shop.bring_in(csv_of("id,order,at,amount,currency", order), ORDERS)
    assert _spend(shop) == 0
    rates = {"kind": "rates", "row": {"day": "day", "currency": "currency", "rate": "rate"}}
    shop.bring_in(csv_of("day,currency,rate", "2026-01-05,USD,1.25"), rates)
    assert _spend(shop) == 16_000_000


def _spend(shop: Living) -> int:
    spend = shop.get("/customers/external:rated")["apps"]["shop"].get("app_spend")
    return 0 if spend is None else int(spend["amount_micros"])


def test_events_and_consents_come_in(shop: Living) -> None:
    """C-1: an event has many names; C-13: who objects is in no population."""
    content = csv_of(
        "id,event,at",
        "v1,Application Opened,2026-01-01T10:00:00Z",
        "v2,Level Up,2026-01-01T10:00:00Z",
        "v3,levelUp,2026-01-01T10:00:00Z",
        "v4,!!!,2026-01-01T10:00:00Z",
    )
    assert [reason for _, _, reason in _judged(shop, content, EVENTS)] == [None, None, None, "not_a_name"]
    shop.bring_in(content, EVENTS, max_invalid=1)
    keys = {one["key"] for one in shop.get("/apps/shop/events", limit=1000)["items"]}
    assert ("level_up" in keys, "application_opened" in keys) == (True, False)
    assert shop.get("/customers/external:v1")["apps"]["shop"]["last_used_at"] == "2026-01-01T10:00:00Z"
    consents = {"kind": "consents", "row": {"external_id": "id", "purpose": "purpose", "granted": "granted"}}
    judged = _judged(shop, csv_of("id,purpose,granted", "v1,profiling,no", "v2,profiling,perhaps"), consents)
    assert [reason for _, _, reason in judged] == [None, "not_yes_or_no"]
    shop.bring_in(csv_of("id,purpose,granted", "v1,profiling,no"), consents)
    assert shop.get("/customers/external:v1")["profiling_denied"] is True


def test_verdicts_are_read_page_by_page(shop: Living) -> None:
    rows = [f"p{number},x" if number % 3 else f"p{number}" for number in range(1, 31)]
    imported = shop.dry_run(csv_of("id,city", *rows), PEOPLE)
    first = shop.get(f"/imports/{imported['id']}/rows", verdict="invalid", limit=7)
    second = shop.get(f"/imports/{imported['id']}/rows", verdict="invalid", limit=7, cursor=first["next_cursor"])
    assert [one["row"] for one in first["items"] + second["items"]] == list(range(3, 31, 3))
    assert second["next_cursor"] is None
    for cursor in ("WyJhIl0", "LTE", "%%"):
        refused = shop.local.get(f"/imports/{imported['id']}/rows", params={"cursor": cursor})
        assert problem(refused) == (400, "cursor_invalid")
    assert problem(shop.local.get("/imports/imp_none/rows")) == (404, "import_unknown")


def test_what_is_done_to_an_import_is_on_the_record(shop: Living) -> None:
    done = shop.bring_in(b"id,city\naudited,x\n", PEOPLE)
    left = shop.dry_run(b"id,city\naudited2,x\n", PEOPLE)
    shop.post(f"/imports/{left['id']}/cancel")
    assert problem(shop.local.post(f"/imports/{left['id']}/apply", json={})) == (409, "import_state")
    with sqlite3.connect(shop.home / "control.sqlite3") as database:
        query = "SELECT action FROM audit_auditentry WHERE thing_id = ? ORDER BY id"
        found = [[action for (action,) in database.execute(query, (one["id"],))] for one in (done, left)]
    database.close()
    assert found == [["import.begun", "import.apply"], ["import.begun", "import.cancel"]]
