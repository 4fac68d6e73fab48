"""The log of consents, for who has them one by one: only ever added to, the newest entry counts (C-12)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from muster.warehouse.catalog import Catalog, Trust
from muster.warehouse.duckdb.append import naive, remember_data_time
from muster.warehouse.duckdb.derive import rederive_keys
from muster.warehouse.duckdb.scratch import registered
from muster.warehouse.duckdb.settings import install_settings


@dataclass(frozen=True)
class ConsentEntry:
    """`channel` of marketing only; `text_version`: which text the person agreed to or refused."""

    customer_key: int
    purpose: str
    granted: bool
    happened_at: datetime
    channel: str | None = None
    text_version: str | None = None
    trust: Trust = Trust.SERVER


def put_consents(connection: duckdb.DuckDBPyConnection, entries: Sequence[ConsentEntry], catalog: Catalog) -> BitMap:
    """Answers everybody whose rows may have changed."""
    rows = pa.table(
        {
            "customer_key": pa.array([one.customer_key for one in entries], pa.uint32()),
            "purpose": pa.array([one.purpose for one in entries], pa.string()),
            "channel": pa.array([one.channel for one in entries], pa.string()),
            "granted": pa.array([one.granted for one in entries], pa.bool_()),
            "text_version": pa.array([one.text_version for one in entries], pa.string()),
            "happened_at": pa.array([naive(one.happened_at) for one in entries], pa.timestamp("us")),
            "hash": pa.ExtensionArray.from_storage(
                pa.uuid(), pa.array([secrets.token_bytes(16) for _ in entries], pa.binary(16))
            ),
            "source": pa.array([0] * len(entries), pa.uint32()),
            "trust": pa.array([int(one.trust) for one in entries], pa.uint8()),
        }
    )
    with registered(connection, "new_consents", rows):
        connection.execute("INSERT INTO consents BY NAME SELECT * FROM new_consents")
    install_settings(connection, catalog)
    for one in entries:
        remember_data_time(connection, one.happened_at)
    return rederive_keys(connection, catalog, BitMap([one.customer_key for one in entries]))
