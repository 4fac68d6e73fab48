"""What a warehouse promises writers: verdicts, repetition, cursors, merges, rates, undo (C-7 to C-9, C-19 to C-37)."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from fractions import Fraction

import pyarrow as pa
import pytest
from pyroaring import BitMap

from muster.kernel.errors import MusterError
from muster.rules.vocabulary import Type
from muster.warehouse.batch import Batch, Merge, Note, Rate
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import App, Catalog, CustomAttribute, Trust
from muster.warehouse.duckdb import schema
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item, Occurrence, OrderEntry
from tests.spec.customers.told import CATALOG, NOTES, RECEIVED, at, event, item, order

MICROS = 1_000_000


def _append(warehouse, *items, **more):
    return warehouse.append(batch_of(items, RECEIVED), CATALOG, **more)


def test_outcome_tells_each_verdict(warehouse):
    known = item()
    _append(warehouse, known)
    outcome = _append(
        warehouse,
        known,
        again := item(user="u2"),
        again,
        item(user="null"),
        item(user=None),
        event("app_opened", user="u3", app=3, trust=Trust.OPEN),
        item(user="u4", anonymous_id="undefined", app=NOTES, traits={"country": "Atlantis"}),
        event("app_opened", app=0),
    )
    assert outcome.counts == {
        "accepted": 2,
        "duplicate": 2,
        "identity_placeholder": 1,
        "identity_missing": 1,
        "signed_customer_required": 1,
        "app_missing": 1,
    }
    assert outcome.warnings == {"identity_placeholder": 1, "country_unknown": 1}
    assert outcome.notes == (
        Note(0, "duplicate", refused=True),
        Note(2, "duplicate", refused=True),
        Note(3, "identity_placeholder", refused=True),
        Note(4, "identity_missing", refused=True),
        Note(5, "signed_customer_required", refused=True),
        Note(6, "country_unknown", refused=False),
        Note(6, "identity_placeholder", refused=False),
        Note(7, "app_missing", refused=True),
    )
    assert (outcome.touched, outcome.new_customers) == (BitMap([2, 3]), 2)


def test_refused_item_may_come_again_right(warehouse):
    wrong = item(user="null")
    right = dataclasses.replace(wrong, external_id="u1")
    assert _append(warehouse, wrong).counts == {"identity_placeholder": 1}
    assert _append(warehouse, right).counts == {"accepted": 1}


def test_merge_not_allowed_is_a_refusal(warehouse):
    _append(warehouse, item(user="u1"), item(user="u2"))
    outcome = _append(warehouse, item(user="u2", previous_id="u1", trust=Trust.SIGNED))
    assert outcome.counts == {"merge_not_allowed": 1}


def test_merge_is_told_and_touches_both(warehouse):
    _append(warehouse, item(user="u1"), event("app_opened", user=None, anonymous_id="a1"))
    outcome = _append(warehouse, event("app_opened", user="u1", anonymous_id="a1"))
    assert (outcome.merges, outcome.touched) == ((Merge(2, 1),), BitMap([1, 2]))
    assert warehouse.person(2) is None
    assert len(warehouse.person(1).identities) == 2


def test_keys_are_never_reused(warehouse):
    _append(warehouse, item(user="u1"), event("app_opened", user=None, anonymous_id="a1"))
    _append(warehouse, event("app_opened", user="u1", anonymous_id="a1"))
    _append(warehouse, item(user="u2"))
    assert (warehouse.highest_key(), warehouse.person(3).profile["subject"]) == (3, "c:u2")


def test_warnings_name_low_trust_and_assumed_currency(warehouse):
    outcome = _append(
        warehouse,
        item(trust=Trust.OPEN, traits={"seats": 5}),
        order("completed", "o1", 5, app=2, trust=Trust.OPEN, currency=None),
        item(traits={"age": 300}, emails=()),
        item(traits={"email": "nobody"}),
    )
    assert outcome.warnings == {
        "trust_too_low": 2,
        "currency_assumed": 1,
        "value_out_of_range": 1,
        "email_invalid": 1,
    }


def test_cursors_are_committed_with_the_rows(warehouse):
    _append(warehouse, item(), cursors={"spool-1": {"offset": 7}, "import": 3})
    _append(warehouse, item(), cursors={"import": 4})
    assert warehouse.cursors() == {"spool-1": {"offset": 7}, "import": 4}


def test_batch_that_fails_leaves_nothing(warehouse):
    broken = Batch(
        RECEIVED, batch_of([item(app=NOTES)], RECEIVED).items, {"events": pa.table({"item": [0], "props": ["{"]})}
    )
    with pytest.raises(Exception, match="JSON"):
        warehouse.append(broken, CATALOG, {"spool": 1})
    assert (warehouse.highest_key(), warehouse.cursors(), warehouse.data_as_of()) == (0, {}, None)
    assert _append(warehouse, item()).counts == {"accepted": 1}


def test_data_as_of_is_the_newest_receipt(warehouse):
    _append(warehouse, item())
    earlier = RECEIVED - timedelta(hours=1)
    warehouse.append(batch_of([item()], earlier), CATALOG)
    assert warehouse.data_as_of() == RECEIVED


def test_items_without_a_time_happened_when_received(warehouse):
    items = pa.table({"external_id": ["u1"], "hash": pa.array([b"0" * 16], pa.binary(16))})
    warehouse.append(Batch(RECEIVED, items), CATALOG)
    assert warehouse.person(1).profile["first_seen_at"] == RECEIVED


def test_empty_batch_moves_the_cursor(warehouse):
    outcome = _append(warehouse, cursors={"spool": 2})
    assert (outcome.counts, outcome.touched, warehouse.cursors()) == ({}, BitMap(), {"spool": 2})


def test_rates_put_later_touch_whom_they_concern(warehouse):
    _append(
        warehouse,
        order("completed", "o1", 8 * MICROS, currency="USD"),
        order("completed", "o2", 8 * MICROS, currency="JPY", user="u2"),
    )
    assert warehouse.person(1).profile["store_spend_micros"] is None
    day = date(2026, 11, 1)
    assert warehouse.put_rates([Rate(day, "USD", Fraction(1, 2))], CATALOG) == BitMap([1])
    assert warehouse.person(1).profile["store_spend_micros"] == 4 * MICROS
    warehouse.put_rates([Rate(day, "usd", Fraction(1, 4))], CATALOG)
    assert warehouse.person(1).profile["store_spend_micros"] == 2 * MICROS


def test_rates_of_another_currency_wait_until_those_of_before_are_told_in_it(warehouse):
    day, dollars = date(2026, 11, 1), dataclasses.replace(CATALOG, currency="USD")
    warehouse.put_rates([Rate(day, "GBP", Fraction(5, 4)), Rate(day, "USD", Fraction(4, 5))], CATALOG)
    with pytest.raises(MusterError) as refused:
        warehouse.put_rates([Rate(day, "CHF", Fraction(1))], dollars)
    assert refused.value.code == "state_conflict"
    assert (warehouse.rates_without("USD"), len(warehouse.rates_without("JPY"))) == ([], 2)
    for _ in range(2):
        warehouse.restate_rates(CATALOG.currency, "USD")
    assert warehouse.rates(None, None, 9) == [Rate(day, "EUR", Fraction(5, 4)), Rate(day, "GBP", Fraction(25, 16))]
    warehouse.put_rates([Rate(day, "CHF", Fraction(1))], dollars)
    assert [rate.currency for rate in warehouse.rates((day, "CHF"), None, 9)] == ["EUR", "GBP"]


def test_rates_of_an_undone_source_give_way_to_those_of_before(warehouse):
    day = date(2026, 11, 1)
    _append(warehouse, order("completed", "o1", 8 * MICROS, currency="USD"), cursors={"import:x": 1})
    warehouse.put_rates([Rate(day, "USD", Fraction(1, 2))], CATALOG)
    warehouse.put_rates([Rate(day, "USD", Fraction(1, 4)), Rate(day, "JPY", Fraction(1))], CATALOG, source=9)
    assert warehouse.person(1).profile["store_spend_micros"] == 2 * MICROS
    assert warehouse.remove_source(9, CATALOG, cursor="import:x") == BitMap([1])
    assert warehouse.person(1).profile["store_spend_micros"] == 4 * MICROS
    assert (warehouse.rates(None, None, 9), warehouse.cursors()) == ([Rate(day, "USD", Fraction(1, 2))], {})


def test_stale_facts_are_derived_when_asked(warehouse):
    _append(warehouse, order("completed", "o1", 5), derive=False)
    _append(warehouse, order("completed", "o2", 5), derive=False)
    assert warehouse.person(1) is None
    assert warehouse.derive_stale(CATALOG) == BitMap([1])
    assert warehouse.person(1).profile["purchase_count"] == 2
    assert warehouse.derive_stale(CATALOG) == BitMap()


def test_undone_source_is_as_if_never_sent(warehouse):
    kept = [order("completed", "o1", 5, at(1)), item(traits={"name": "Ann"})]
    undone = [
        order("updated", "o1", 7, at(2), source=9),
        order("completed", "o2", 7, source=9),
        item(at(9), traits={"name": "Eve"}, source=9),
        event("app_opened", at(9), user="u2", source=9, anonymous_id="a2"),
    ]
    _append(warehouse, *kept)
    before = warehouse.person(1)
    _append(warehouse, *undone)
    assert warehouse.remove_source(9, CATALOG) == BitMap([1, 2])
    assert warehouse.person(1) == before
    assert warehouse.person(2) is None
    assert _append(warehouse, *undone).counts == {"accepted": 4}
    assert warehouse.person(3).profile["subject"] == "c:u2"


def test_changed_catalog_counts_after_rederiving(warehouse):
    """C-5: what the settings decide is derived again from the kept rows."""
    _append(warehouse, event("app_opened", at(1)), item(traits={"shoe": "42"}))
    assert warehouse.person(1).app_facts["notes"]["session_count"] == 1
    quiet = dataclasses.replace(CATALOG.events["app_opened"], is_activity=False)
    changed = dataclasses.replace(
        CATALOG,
        events={**CATALOG.events, "app_opened": quiet},
        attributes={**CATALOG.attributes, "shoe": CustomAttribute("shoe", 77, Type.NUMBER)},
    )
    assert warehouse.rederive(None, changed) == BitMap([1])
    person = warehouse.person(1)
    assert (person.app_facts["notes"]["session_count"], person.profile["shoe"]) == (None, 42.0)
    assert warehouse.relation("profiles").schema()["c_77"].is_floating()


def test_app_the_catalog_does_not_know_is_kept_by_number(warehouse):
    told = Item(b"9" * 16, at(1), app=77, external_id="u1", event=Occurrence(2))
    warehouse.append(batch_of([told], RECEIVED), Catalog(apps={"notes": App("notes", 1)}))
    assert list(warehouse.person(1).app_facts) == ["77"]


def test_orders_by_columns_alone(warehouse):
    """What an import of orders sends: external ids only, everything in columns."""
    count = 1_000
    items = pa.table(
        {
            "app_key": pa.array([NOTES] * count, pa.uint16()),
            "external_id": [f"c{number % 10}" for number in range(count)],
            "happened_at": pa.array([at(number / 100).replace(tzinfo=None) for number in range(count)]),
            "hash": pa.array([number.to_bytes(16, "big") for number in range(count)], pa.binary(16)),
            "trust": pa.array([2] * count, pa.uint8()),
        }
    )
    orders = pa.table(
        {
            "item": pa.array(range(count), pa.uint32()),
            "kind": ["completed"] * count,
            "order_id": [f"o{number}" for number in range(count)],
            "amount_micros": pa.array([MICROS] * count, pa.int64()),
            "currency": ["EUR"] * count,
        }
    )
    outcome = warehouse.append(Batch(RECEIVED, items, {"orders": orders}), CATALOG)
    assert (outcome.counts, outcome.new_customers) == ({"accepted": count}, 10)
    people = warehouse.people(range(1, 11))
    assert [person.profile["subject"] for person in people.values()] == [f"c:c{number}" for number in range(10)]
    assert {person.profile["store_spend_micros"] for person in people.values()} == {100 * MICROS}


def test_identity_limit_gives_further_ids_customers_of_their_own(warehouse):
    """C-8: a kiosk never swallows the crowd."""
    kiosk = [event("app_opened", user="u1", anonymous_id=f"a{number}") for number in range(1_001)]
    outcome = _append(warehouse, *kiosk, event("app_opened", user=None, anonymous_id="a1000"))
    assert (outcome.warnings, outcome.new_customers) == ({"identity_limit": 1}, 2)


def test_order_part_is_the_orders_grain(warehouse):
    _append(warehouse, order("completed", "o1", 5), item(order=OrderEntry("cancelled", "o1"), app=NOTES, user=None))
    with warehouse.reader() as reader:
        rows = reader.table(warehouse.relation("orders").select("order_id", "state")).to_pylist()
    assert rows == [{"order_id": "o1", "state": "cancelled"}]


def test_file_without_entries_of_rates_gets_them(tmp_path):
    day = date(2026, 11, 1)
    with DuckDBWarehouse(tmp_path) as before:
        before.put_rates([Rate(day, "USD", Fraction(1, 2))], CATALOG)
        # As the version before last left it.
        before.submit(lambda connection: connection.execute("DROP TABLE rate_entries")).result()
        before.submit(lambda connection: schema.set_meta(connection, "schema_version", "1")).result()
    with DuckDBWarehouse(tmp_path) as opened:
        opened.put_rates([Rate(day, "USD", Fraction(1, 4))], CATALOG, source=9)
        opened.remove_source(9, CATALOG)
        assert opened.rates(None, None, 9) == [Rate(day, "USD", Fraction(1, 2))]


@pytest.mark.parametrize("value", [-212_779, 300_000, 2**62, "300000-01-01", "infinity", "-2127790000", 1e300])
def test_traits_of_any_size_hold_nothing_up(warehouse, value):
    """E-20: ages and birthdays are reckoned, and no other trait with them."""
    told = {"groupId": value, "country": "DE"}
    outcome = _append(warehouse, *(item(user="u1", traits=told) for _ in range(4)), item(user="u2", traits=told))
    assert outcome.counts == {"accepted": 5}
    assert [person.profile["country"] for person in warehouse.people([1, 2]).values()] == ["DE", "DE"]
