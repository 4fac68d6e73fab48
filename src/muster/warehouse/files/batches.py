"""From the items of a stage to batches a warehouse appends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from muster.kernel.ahead import ahead
from muster.warehouse.batch import Batch
from muster.warehouse.catalog import Catalog
from muster.warehouse.files.mapping import ImportMapping
from muster.warehouse.files.stage import Stage, batch_items

# A row group of DuckDB: rows that fill one go straight into the file, fewer through the log as well. Smaller than the
# 200,000 rows of C-37, so that memory stays within 512 MiB (ADR 0007).
CHUNK_ITEMS = 122_880
_DEVICE = ("device_id", "device_family", "os", "os_version", "app_version", "device_model")


def batches_from(
    stage: Stage, mapping: ImportMapping, catalog: Catalog, start: int, *, source: int, received_at: datetime
) -> Iterator[tuple[Batch, int]]:
    """What is still to be appended from position `start`, chunk by chunk, each with the position behind it."""
    end = stage.end()

    def chunks() -> Iterator[tuple[Batch, int]]:
        for begin in range(start, end, CHUNK_ITEMS):
            batch = batch_of(stage, mapping, catalog, begin, CHUNK_ITEMS, source=source, received_at=received_at)
            yield batch, min(begin + CHUNK_ITEMS, end)

    yield from ahead(chunks())


def batch_of(
    stage: Stage,
    mapping: ImportMapping,
    catalog: Catalog,
    start: int,
    count: int,
    *,
    source: int,
    received_at: datetime,
) -> Batch:
    """Items `start`..`start + count` of an import as one batch, believed as a server is."""
    units = stage.items(start, count)
    app_key = catalog.apps[mapping.app].number if mapping.app else 0
    items = batch_items(units, app_key, source, received_at)
    parts = _PARTS[mapping.kind](units, catalog)
    if mapping.lines:
        parts["lines"] = stage.lines(start, count)
    return Batch(received_at, items, parts)


def _customers(units: pa.Table, _: Catalog) -> dict[str, pa.Table]:
    parts = {}
    if "email" in units.column_names:
        given = units.filter(pc.is_valid(units.column("email")))
        parts["emails"] = pa.table(
            {
                "item": given.column("item").cast(pa.uint32()),
                "address": given.column("email"),
                "verified": pa.array([True] * given.num_rows, pa.bool_()),
            }
        )
    parts["traits"] = _traits(units)
    return parts


def _traits(units: pa.Table) -> pa.Table:
    """Lists of key, value, key, value ... as rows; values that are missing say nothing."""
    lists = units.column("traits").combine_chunks()
    pairs = pc.list_value_length(lists)
    width = (pc.max(pairs).as_py() or 0) // 2
    items, keys, values = [], [], []
    for index in range(width):
        key = pc.list_element(lists, index * 2) if width else lists
        value = pc.list_element(lists, index * 2 + 1)
        said = pc.is_valid(value)
        items.append(units.column("item").combine_chunks().filter(said).cast(pa.uint32()))
        keys.append(key.filter(said))
        values.append(value.filter(said))
    if not width:
        return pa.table(
            {
                "item": pa.array([], pa.uint32()),
                "attribute": pa.array([], pa.string()),
                "value": pa.array([], pa.string()),
            }
        )
    return pa.table(
        {
            "item": pa.chunked_array(items),
            "attribute": pa.chunked_array(keys),
            "value": pa.chunked_array(values),
        }
    )


def _orders(units: pa.Table, _: Catalog) -> dict[str, pa.Table]:
    kinds = pc.if_else(pc.equal(units.column("stored"), "updated").fill_null(False), "updated", "completed")
    names = ("order_id", "amount_micros", "currency", "coupon", "market")
    columns = {name: units.column(name) for name in names if name in units.column_names}
    return {"orders": pa.table({"item": units.column("item").cast(pa.uint32()), "kind": kinds, **columns})}


def _events(units: pa.Table, catalog: Catalog) -> dict[str, pa.Table]:
    # Names on the wire are many for one event (C-1); the import has declared every key before it is applied.
    numbers = {name: catalog.event_named(name).number for name in set(units.column("event").to_pylist())}
    item = units.column("item").cast(pa.uint32())
    events = pa.table(
        {
            "item": item,
            "event": pa.array([numbers[name] for name in units.column("event").to_pylist()], pa.uint16()),
            "props": pa.array([_object(pairs) for pairs in units.column("properties").to_pylist()], pa.string()),
        }
    )
    parts = {"events": events}
    if pc.any(pc.is_valid(units.column("device_id"))).as_py():
        devices = pa.table({"item": item, **{name: units.column(name) for name in _DEVICE}})
        parts["devices"] = devices.filter(pc.is_valid(devices.column("device_id")))
    return parts


def _object(pairs: list[str | None] | None) -> str:
    """A JSON object of keys and values (JSON texts already); dots in a key descend, missing values are left out."""
    said: dict[str, Any] = {}
    for key, value in zip((pairs or [])[0::2], (pairs or [])[1::2], strict=True):
        if key is None or value is None:
            continue
        *path, last = key.split(".")
        inside = said
        for step in path:
            inside = inside.setdefault(step, {})
        inside[last] = orjson.Fragment(value)
    return orjson.dumps(said).decode()


def _consents(units: pa.Table, _: Catalog) -> dict[str, pa.Table]:
    names = ("purpose", "channel", "granted", "text_version")
    return {
        "consents": pa.table(
            {"item": units.column("item").cast(pa.uint32()), **{name: units.column(name) for name in names}}
        )
    }


_PARTS = {"customers": _customers, "orders": _orders, "events": _events, "consents": _consents}
