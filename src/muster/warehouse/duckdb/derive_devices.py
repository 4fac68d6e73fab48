"""Devices from their sightings: whose each is, and what is newest known of it (C-11)."""

from __future__ import annotations

import duckdb

from muster.warehouse.duckdb.scratch import count_of

_DESCRIPTION = (
    "device_family",
    "os",
    "os_version",
    "os_version_key",
    "app_version",
    "app_version_key",
    "device_model",
    "locale",
    "time_zone",
)
_NEWEST = ", ".join(f"max_by({column}, row(happened_at, hash)) AS {column}" for column in _DESCRIPTION)


def derive_devices(connection: duckdb.DuckDBPyConnection) -> None:
    """Replaces the devices that touched customers were seen on; former and present owners are added to `touched`."""
    connection.execute(_TOUCHED)
    if count_of(connection, "SELECT count(*) FROM touched_devices"):
        connection.execute(_REPLACE)


_OWNERS = """
INSERT INTO touched SELECT DISTINCT customer_key FROM devices SEMI JOIN touched_devices USING (device_key)
    ANTI JOIN touched USING (customer_key);
"""

_TOUCHED = """
CREATE OR REPLACE TEMP TABLE touched_devices AS
    SELECT device_key FROM device_sightings SEMI JOIN touched USING (customer_key)
    UNION SELECT device_key FROM devices SEMI JOIN touched USING (customer_key);
"""

# A device is whose who last signed in there, and of an anonymous visitor only while nobody ever did. Version texts and
# their keys are each other's: both are null together, so the newest of each are of one sighting.
_REPLACE = f"""
{_OWNERS}
DELETE FROM devices d USING touched_devices t WHERE d.device_key = t.device_key;
INSERT INTO devices BY NAME
WITH sightings_now AS (
    SELECT * FROM device_sightings SEMI JOIN touched_devices USING (device_key)),
signed_in AS (
    SELECT DISTINCT customer_key FROM identities SEMI JOIN sightings_now USING (customer_key) WHERE kind = 'external')
SELECT max_by(customer_key, row(i.customer_key IS NOT NULL, happened_at, hash)) AS customer_key, app_key, device_key,
    device_id, {_NEWEST}, min(first_at) AS first_seen_at, max(happened_at) AS last_seen_at
FROM sightings_now LEFT JOIN signed_in i USING (customer_key) JOIN device_ids USING (device_key, app_key)
GROUP BY app_key, device_key, device_id;
{_OWNERS}
"""
