"""A JSON value is the same number, text, instant or list in SQL as in plain Python (C-3, C-29)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from muster.engine.reference.derive import derive_people
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import App, Catalog, CustomAttribute
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item
from muster.warehouse.normal.values import property_value
from muster.warehouse.port import PropertyColumn

EVENT = 300
# Shrinking lists of lists takes minutes; the failing value is easily found in the answer.
PHASES = [Phase.explicit, Phase.reuse, Phase.generate]
NOW = datetime(2026, 11, 21, tzinfo=UTC)

_numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-1000, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e7, 1e7).map(lambda number: round(number, 7)),
    st.sampled_from(
        [
            0.0000005,
            -0.0000005,
            1.0000005,
            1e15,
            1e16,
            999_999_999_999_999.0,
            1e31,
            1e32,
            -0.0,
            2**63,
            2**64,
            -(2**63) - 1,
        ]
    ),
)
_stamps = st.builds(
    lambda moment, fraction, zone: moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + zone,
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.sampled_from(["", ".5", ".123456", ".1234567", ".999999999"]),
    st.sampled_from(["Z", "z", "+00:00", "-11:30", "+14:00", "+25:00", ""]),
)
_texts = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    _stamps,
    st.dates().map(str),
    _numbers.map(str),
    st.sampled_from(
        ["1.2.3", "2026-02-30", "2026-02-28T24:00:00Z", "2026-02-28T23:59:60Z", "true", "1e3", "01", "Infinity"]
    ),
)
_scalars = st.one_of(st.none(), st.booleans(), _numbers, _texts)
_values = st.one_of(
    _scalars,
    st.lists(st.one_of(_scalars, st.lists(_scalars, max_size=1)), max_size=3),
    st.dictionaries(st.text(max_size=2), _scalars, max_size=2),
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(Path(tmp_path_factory.mktemp("warehouse"))) as opened:
        yield opened


def _same(one, other):
    return one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))


@settings(
    max_examples=60,
    phases=PHASES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(values=st.lists(_values, min_size=1, max_size=60))
@example(values=["2026-01-01T00:00:00.1234567Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_property_is_the_same_in_sql_and_python(warehouse, values):
    warehouse.clear()
    rows = {
        "customer_key": pa.array(range(len(values)), pa.uint32()),
        "app_key": pa.array([1] * len(values), pa.uint16()),
        "event": pa.array([EVENT] * len(values), pa.uint16()),
        "happened_at": pa.array([NOW.replace(tzinfo=None)] * len(values), pa.timestamp("us")),
        "props": [json.dumps({"v": value}) for value in values],
    }
    warehouse.load("events", pa.table(rows))
    columns = [PropertyColumn(f"as_{type}", "v", type) for type in Type]
    with warehouse.reader() as reader:
        found = reader.table(warehouse.occurrences(EVENT, columns).order_by("customer_key"))
    for type in Type:
        expected = [property_value(value, type) for value in values]
        naive = [v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in expected]
        assert found.column(f"as_{type}").to_pylist() == naive, type


_CATALOG = Catalog(
    apps={"notes": App("notes", 1)},
    attributes={
        f"as_{type}": CustomAttribute(f"as_{type}", 10 + number, type, Scope.CUSTOMER)
        for number, type in enumerate(Type)
    },
)


@settings(
    max_examples=25,
    phases=PHASES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(values=st.lists(_values.filter(lambda value: not isinstance(value, dict)), min_size=1, max_size=60))
def test_trait_is_the_same_in_sql_and_python(warehouse, values):
    items = [
        Item(number.to_bytes(16, "big"), NOW, external_id=f"u{number}", traits={f"as_{type}": value for type in Type})
        for number, value in enumerate(values, start=1)
    ]
    warehouse.clear()
    warehouse.append(batch_of(items, NOW), _CATALOG)
    people = warehouse.people(range(1, len(values) + 1))
    for expected in derive_people(items, _CATALOG):
        assert people[expected.customer_key].profile == expected.profile
