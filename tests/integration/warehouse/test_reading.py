"""What `port.Warehouse` promises readers, on every backend."""

import json
import threading
import time
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from muster.rules.vocabulary import Type
from muster.warehouse.errors import QueryInterruptedError
from muster.warehouse.port import PropertyColumn
from muster.warehouse.relations import ASKABLE

NEW_YEAR = datetime(2026, 1, 1)
LEVEL_UP = 300


def _load_events(warehouse, *properties):
    count = len(properties)
    rows = {
        "customer_key": pa.array(range(1, count + 1), pa.uint32()),
        "app_key": pa.array([1] * count, pa.uint16()),
        "event": pa.array([LEVEL_UP] * count, pa.uint16()),
        "happened_at": pa.array([NEW_YEAR] * count, pa.timestamp("us")),
        "props": [json.dumps(p) for p in properties],
    }
    warehouse.load("events", pa.table(rows))


def _values(warehouse, path, type):
    rows = warehouse.occurrences(LEVEL_UP, [PropertyColumn("value", path, type)]).order_by("customer_key")
    with warehouse.reader() as reader:
        return reader.table(rows).column("value").to_pylist()


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize(
    ("type", "expected"),
    [
        (Type.NUMBER, [12.0, 2.5, 1000.0, None, None, None, None, None, None]),
        (Type.MONEY, [Decimal("12.000000"), Decimal("2.500000"), Decimal("1000.000000")] + [None] * 6),
        (Type.TEXT, ["12", "2.5", "1000", "12", "true", None, None, None, None]),
        (Type.CATEGORY, ["12", "2.5", "1000", "12", "true", None, None, None, None]),
        (Type.BOOLEAN, [None, None, None, None, None, True, None, None, None]),
        (Type.LIST, [None, None, None, None, None, None, ["x", "1", "2.5"], None, None]),
    ],
)
def test_property_is_only_what_the_sender_sent(warehouse, type, expected, on_disk):
    """A number is a number, text is text; nothing is guessed from the spelling (C-29)."""
    sent = [12, 2.5, 1e3, "12", "true", True, ["x", 1, None, 2.5, {"z": 1}, False], None, {"deeper": 1}]
    _load_events(warehouse, *({"value": value} for value in sent))
    if on_disk:
        warehouse.checkpoint()
    assert _values(warehouse, "value", type) == expected


def test_timestamp_property_needs_an_offset(warehouse):
    _load_events(
        warehouse,
        {"t": "2024-01-01T00:00:00+02:00"},
        {"t": "2024-01-01t00:00:00.25z"},
        {"t": "2024-01-01T00:00:00"},
        {"t": "2024-02-30T00:00:00Z"},
        {"t": 1704067200},
    )
    assert _values(warehouse, "t", Type.TIMESTAMP) == [
        datetime(2023, 12, 31, 22),
        datetime(2024, 1, 1, 0, 0, 0, 250_000),
        None,
        None,
        None,
    ]


def test_date_property_is_a_real_day(warehouse):
    _load_events(warehouse, {"d": "2024-02-29"}, {"d": "2023-02-29"}, {"d": "2024-02-29T00:00:00Z"})
    assert _values(warehouse, "d", Type.DATE) == [date(2024, 2, 29), None, None]


def test_dots_descend_into_objects(warehouse):
    _load_events(warehouse, {"address": {"city": "Oslo"}}, {"address": "Oslo"}, {})
    assert _values(warehouse, "address.city", Type.TEXT) == ["Oslo", None, None]


def test_hostile_paths_are_only_paths(warehouse):
    path = "it's\"; DROP TABLE events; --"
    _load_events(warehouse, {path: 5})
    assert _values(warehouse, path, Type.NUMBER) == [5.0]


def test_money_is_exact_where_doubles_are_not(warehouse):
    _load_events(warehouse, *({"price": 0.1} for _ in range(10)))
    rows = warehouse.occurrences(LEVEL_UP, [PropertyColumn("price", "price", Type.MONEY)])
    with warehouse.reader() as reader:
        assert reader.table(rows.aggregate(total=rows.price.sum())).to_pylist() == [{"total": Decimal("1.000000")}]


def test_two_occurrence_relations_join_in_one_query(warehouse):
    _load_events(warehouse, {"n": 1}, {"n": 2})
    one = warehouse.occurrences(LEVEL_UP, [PropertyColumn("n", "n", Type.NUMBER)])
    two = warehouse.occurrences(LEVEL_UP)
    rows = one.join(two, "customer_key").filter(one.n == 2).select("customer_key")
    with warehouse.reader() as reader:
        assert reader.table(rows).to_pylist() == [{"customer_key": 2}]


@pytest.mark.parametrize("event", [10, 11, 15, 16, 17, 18, 19, 23])
def test_derived_events_can_be_asked_any_property_as_any_type(warehouse, event):
    paths = ["order_id", "total", "quantity", "started_at", "nonsense"]
    columns = [PropertyColumn(f"{path}_{type}", path, type) for path in paths for type in Type]
    with warehouse.reader() as reader:
        assert reader.table(warehouse.occurrences(event, columns)).num_rows == 0


@pytest.mark.parametrize("name", sorted(ASKABLE))
def test_relation_has_the_promised_columns(warehouse, name):
    with warehouse.reader() as reader:
        rows = reader.table(warehouse.relation(name))
    assert rows.schema.names == list(ASKABLE[name])


def test_highest_key_is_the_greatest_ever_loaded(warehouse):
    assert warehouse.highest_key() == 0
    _load_events(warehouse, {}, {}, {})
    assert warehouse.highest_key() == 3


def test_batches_give_all_rows(warehouse):
    warehouse.load("profiles", pa.table({"customer_key": pa.array(range(1, 200_001), pa.uint32())}))
    with warehouse.reader() as reader:
        batches = reader.batches(warehouse.relation("profiles").select("customer_key"))
        assert sum(batch.num_rows for batch in batches) == 200_000
        assert reader.table(warehouse.relation("profiles").count().as_table()).num_rows == 1


def test_interrupt_stops_one_reader_and_no_other(warehouse):
    warehouse.load("profiles", pa.table({"customer_key": pa.array(range(1, 100_001), pa.uint32())}))
    profiles = warehouse.relation("profiles")
    endless = profiles.cross_join(profiles.view()).count().as_table()
    stopped = []
    with warehouse.reader() as slow, warehouse.reader() as other:

        def ask():
            try:
                slow.table(endless)
            except QueryInterruptedError as error:
                stopped.append(error.code)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.2)
        slow.interrupt()
        thread.join(10)
        assert stopped == ["query_interrupted"]
        assert other.table(profiles.count().as_table()).num_rows == 1
        with pytest.raises(QueryInterruptedError):
            slow.table(profiles)
