"""Erasure in the warehouse: nothing of a person is left, everything of everybody else is (C-45 to C-47)."""

from __future__ import annotations

import dataclasses
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyroaring import BitMap

from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.consents import ConsentEntry
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.errors import SubjectWidenedError
from muster.warehouse.items import Consent, Device, Email, Line
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.subject import Subject, subject_from_json
from tests.spec.customers.told import CATALOG, DAY, NOTES, RECEIVED, at, event, item, order

MARK = "mark7e31"


def _append(warehouse: DuckDBWarehouse, *items, **more):
    return warehouse.append(batch_of(items, RECEIVED), CATALOG, **more)


def _marked(user: str = MARK, visitor: str = f"a-{MARK}") -> list:
    """A person with the marker in every field, some of it under another key that was merged."""
    return [
        item(user=user),
        event("app_opened", user=None, anonymous_id=visitor, props={"note": f"first {MARK}"}),
        item(
            user=user,
            app=NOTES,
            anonymous_id=visitor,
            traits={"name": f"Ann {MARK}", "plan": f"plan {MARK}", "phone": f"0{MARK}", "birthday": "1990-02-03"},
            emails=(Email(f"{user}@Example.com", verified=True),),
            consents=(Consent("marketing", True, "email", f"text {MARK}"),),
            device=Device(f"dev-{MARK}", "phone", f"os {MARK}", "1", "1.2", f"model {MARK}", "en", "Europe/Oslo"),
        ),
        event(
            "listing_viewed", user=user, props={"url": f"https://x.example/{MARK}", "referrer": f"https://{MARK}.io"}
        ),
        order(
            "completed", f"o-{MARK}", 5_000_000, user=user, coupon=f"C{MARK}", lines=(Line(f"p-{MARK}", MARK, MARK),)
        ),
        # A refund that names nobody is of whom the order is.
        order("refunded", f"o-{MARK}", 1_000_000, at(hours=1), user=None),
        dataclasses.replace(event("app_opened", user="null"), body=f'{{"userId":"{user}","name":"{MARK}"}}'),
    ]


def _state(warehouse: DuckDBWarehouse, keys) -> object:
    return warehouse.people(keys)


def _dump(warehouse: DuckDBWarehouse) -> str:
    """Every row of every table as text."""

    def read(connection):
        tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        found = []
        for table in tables:
            text = connection.execute(f"SELECT CAST(t AS VARCHAR) FROM {table} t").fetchall()
            found += [f"{table}: {row}" for (row,) in text if not table.startswith("in_")]
        return "\n".join(found)

    return warehouse.submit(read).result()


def _files_with(directory: Path, text: str) -> list[str]:
    found = subprocess.run(
        ["grep", "-a", "-r", "-l", "-i", text, str(directory)], capture_output=True, text=True, check=False
    )
    return found.stdout.split()


def test_erased_person_is_nowhere_and_others_are_as_before(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    _append(warehouse, item(user="other", app=NOTES, emails=(Email("o@example.com", True),)), *_marked())
    other = _state(warehouse, [1])
    assert (warehouse.find_external(MARK), warehouse.survivor_of(3)) == (2, 2)
    warehouse.checkpoint()
    assert _files_with(tmp_path, MARK) != []
    subject = warehouse.subject_of(BitMap([3]))  # the retired key stands for its survivor
    assert subject == Subject(
        keys=BitMap([2, 3]),
        external_ids=(MARK,),
        anonymous_ids=((NOTES, f"a-{MARK}"),),
        addresses=(f"{MARK}@example.com",),
        written=(f"{MARK}@Example.com",),
    )
    assert subject_from_json(subject.as_json()) == subject
    removed, touched = warehouse.erase_customers(subject, CATALOG)
    assert touched == BitMap([2, 3])
    assert {name: removed[name] for name in ("identities", "order_entries", "order_lines", "rejects", "merges")} == {
        "identities": 2,
        "order_entries": 2,
        "order_lines": 1,
        "rejects": 1,
        "merges": 1,
    }
    assert (warehouse.count_customers(subject), warehouse.people([2, 3]), _state(warehouse, [1])) == ({}, {}, other)
    assert MARK not in _dump(warehouse)
    assert warehouse.scrub()
    assert _files_with(tmp_path, MARK) == []
    assert not warehouse.scrub()
    assert _state(warehouse, [1]) == other


def test_whoever_was_merged_since_they_were_named_is_named_anew(warehouse: DuckDBWarehouse) -> None:
    """What was theirs is the other's by now, and would stay."""
    _append(warehouse, event("app_opened", user=None, anonymous_id="a1", props={"secret": MARK}), item(user="u9"))
    [visitor] = warehouse.anonymous_holders("a1")
    before = warehouse.subject_of(BitMap([visitor]))
    _append(warehouse, item(at(hours=2), user="u9", app=NOTES, anonymous_id="a1"))
    with pytest.raises(SubjectWidenedError):
        warehouse.erase_customers(before, CATALOG)
    now = warehouse.subject_of(before.keys)
    assert (set(before.keys) < set(now.keys), now.external_ids) == (True, ("u9",))
    warehouse.erase_customers(before.with_those_of(now), CATALOG)
    assert MARK not in _dump(warehouse)


def test_names_are_found_however_json_spells_them(warehouse: DuckDBWarehouse) -> None:
    """Blanks and signs for letters as common libraries write them."""
    bodies = ('{"userId": 4711, "x": 1}', '{"userId":"team\\/ann"}', '{"traits":{"email":"ann\\u0040example.com"}}')
    _append(
        warehouse,
        *(dataclasses.replace(event("app_opened", user="null"), body=body) for body in bodies),
        dataclasses.replace(event("app_opened", user="null"), body='{"userId": 47110}'),
    )
    subject = Subject(BitMap(), ("4711", "team/ann"), (), ("ann@example.com",))
    assert len(warehouse.refused_naming(subject)) == 3


def test_key_is_never_given_again(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, item(user="u1"), item(user="u2"))
    warehouse.erase_customers(warehouse.subject_of(BitMap([2])), CATALOG)
    _append(warehouse, item(user="u2"))
    assert (warehouse.find_external("u2"), warehouse.highest_key()) == (3, 3)


def test_shared_order_device_and_address_stay_the_others(warehouse: DuckDBWarehouse) -> None:
    """What is left is what would be there had the erased person never been."""
    shared = Device("shared", "tablet")
    theirs = [
        item(user="stays", app=NOTES, device=shared, emails=(Email("home@example.com", True),)),
        order("completed", "o1", 3_000_000, at(hours=2), user="stays"),
    ]
    mine = [
        item(at(hours=3), user="goes", app=NOTES, device=shared, emails=(Email("home@example.com", True),)),
        order("updated", "o1", 4_000_000, at(hours=3), user="goes"),
    ]
    _append(warehouse, *theirs, *mine)
    assert warehouse.person(1).orders == ()
    subject = warehouse.subject_of(BitMap([2]))
    assert (subject.addresses, subject.external_ids) == ((), ("goes",))
    warehouse.erase_customers(subject, CATALOG)
    assert warehouse.count_customers(subject) == {}
    [order_left] = warehouse.person(1).orders
    assert (order_left["amount_micros"], [one["device_id"] for one in warehouse.person(1).devices]) == (
        3_000_000,
        ["shared"],
    )


def test_many_are_erased_in_one_pass(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, *(item(user=f"u{number}", traits={"name": f"n{number}"}) for number in range(1, 41)))
    subject = warehouse.subject_of(BitMap(range(1, 31)))
    removed, _ = warehouse.erase_customers(subject, CATALOG)
    assert (removed["profiles"], removed["traits"], len(warehouse.people(range(1, 41)))) == (30, 30, 10)


def test_items_from_before_an_erasure_are_refused(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    """C-47: those after it make a new customer."""
    ledger = ErasureLedger(tmp_path / "ledger" / "erasures", "secret")
    warehouse.use_ledger(ledger)
    known = item(user="u1", app=NOTES, anonymous_id="a1", emails=(Email("U1@example.com", True),))
    _append(warehouse, known, item(user="neighbour", emails=(Email("x@example.com", True),)))
    subject = warehouse.subject_of(BitMap([1]))
    ledger.add(subject.names(), at(days=1))
    warehouse.erase_customers(subject, CATALOG)
    outcome = _append(
        warehouse,
        dataclasses.replace(known, body="secret words"),
        event("app_opened", user=None, anonymous_id="a1"),
        item(user="other", emails=(Email("u1@Example.com", True),)),
        # The same address of somebody who is known otherwise, and another app's visitor of the same id.
        item(user="neighbour", emails=(Email("u1@example.com", True),)),
        event("app_opened", user=None, anonymous_id="a1", app=2),
        item(at(days=2), user="u1"),
    )
    assert outcome.counts == {"erased": 3, "accepted": 3}
    assert [note.item for note in outcome.notes] == [0, 1, 2]
    assert "secret words" not in _dump(warehouse)
    assert warehouse.find_external("u1") == 4
    assert warehouse.erased_people() == {}


def test_rows_of_an_import_are_judged_by_the_ledger(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    rows = pa.table({"external_id": ["u1", "u2", "u1"], "happened_at": pa.array([DAY, DAY, None], pa.timestamp("us"))})
    assert (warehouse.remembers_erasures(), warehouse.erased_rows(0, rows, DAY).to_pylist()) == (False, [False] * 3)
    ledger = ErasureLedger(tmp_path / "ledger" / "erasures", "secret")
    ledger.add([("external", 0, "u1")], at(hours=1))
    warehouse.use_ledger(ledger)
    assert warehouse.erased_rows(0, rows, at(hours=2)).to_pylist() == [True, False, False]
    assert warehouse.erased_rows(0, rows, DAY).to_pylist() == [True, False, True]


def test_whoever_was_erased_is_found_in_an_older_warehouse(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    ledger = ErasureLedger(tmp_path / "ledger" / "erasures", "secret")
    warehouse.use_ledger(ledger)
    _append(warehouse, item(user="u1"), item(user="u2"))
    later = RECEIVED + timedelta(days=1)
    ledger.add([("external", 0, "u1")], later)
    assert warehouse.erased_people() == {later.replace(tzinfo=None): BitMap([1])}


def test_ledger_outlives_a_cut_and_takes_in_copies(tmp_path: Path) -> None:
    path = tmp_path / "ledger" / "erasures"
    ledger = ErasureLedger(path, "secret")
    names = [("external", 0, "u1"), ("email", 0, "ä@example.com")]
    assert (ledger.add(names, DAY), ledger.add(names, DAY), len(ledger)) == (2, 0, 2)
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    with path.open("a") as file:
        file.write("2026-11-02T00:00:00.000000+00:00 abc")
    again = ErasureLedger(path, "secret")
    assert (len(again), again.erased_at(names[1]), again.erased_at(("external", 1, "u1"))) == (2, DAY, None)
    again.add([("external", 0, "u2")], at(days=1))
    assert ErasureLedger(path, "secret").erased_at(("external", 0, "u2")) == at(days=1)
    fresh = ErasureLedger(tmp_path / "fresh" / "erasures", "secret")
    fresh.add([("external", 0, "u1")], at(days=-1))
    assert (fresh.include(copy), fresh.include(copy), fresh.erased_at(names[0])) == (2, 0, DAY)
    assert (fresh.forget(at(days=1)), len(ErasureLedger(fresh.path, "secret"))) == (2, 0)
    assert ErasureLedger(path, "another").erased_at(names[0]) is None


def test_consent_is_added_to_the_log(warehouse: DuckDBWarehouse) -> None:
    """C-12: nothing is overwritten, the newest counts; C-13: an objection is seen in the profile."""
    _append(warehouse, item(user="u1", consents=(Consent("profiling", True),)))
    warehouse.put_consents([ConsentEntry(1, "profiling", False, at(days=1), text_version="v2")], CATALOG)
    assert warehouse.person(1).profile["profiling_denied"]
    log = warehouse.raw_rows(BitMap([1]))["consents"]
    assert [(one["granted"], one["text_version"], one["import"]) for one in log] == [
        (True, None, None),
        (False, "v2", None),
    ]


def test_raw_rows_tell_everything_that_was_said(warehouse: DuckDBWarehouse) -> None:
    _append(warehouse, *_marked())
    rows = warehouse.raw_rows(warehouse.subject_of(BitMap([1])).keys | BitMap([2]))
    assert {name: len(found) for name, found in rows.items()} == {
        "identities": 2, "merges": 1, "attributes": 4, "emails": 1, "consents": 1, "seen": 2, "devices": 2, "orders": 1,
        "events": 2, "churn": 0,
    }  # fmt: skip  # a table, read by rows
    [bought] = rows["orders"]
    assert (bought["app"], bought["trust"], [line["product_id"] for line in bought["lines"]]) == (
        "notes",
        "server",
        [f"p-{MARK}"],
    )
    assert rows["events"][0]["properties"] == {"note": f"first {MARK}"}


def test_nobody_of_an_empty_catalog_is_somebody(warehouse: DuckDBWarehouse) -> None:
    subject = warehouse.subject_of(BitMap([7]))
    assert subject == Subject(keys=BitMap([7]))
    assert warehouse.erase_customers(subject, Catalog(apps={})) == ({}, BitMap([7]))
    assert datetime.now(UTC) > DAY
