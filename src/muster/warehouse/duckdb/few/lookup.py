"""Which devices are known already."""

from __future__ import annotations

from collections.abc import Collection

import duckdb


def device_keys(
    connection: duckdb.DuckDBPyConnection, places: Collection[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """By app and device id; more than was asked for, where apps share an id."""
    texts = sorted({device_id for _, device_id in places})
    if not texts:
        return {}
    found = connection.execute(
        f"SELECT app_key, device_id, device_key FROM device_ids WHERE device_id IN ({', '.join('?' * len(texts))})",
        texts,
    ).fetchall()
    return {(app, device_id): key for app, device_id, key in found}
