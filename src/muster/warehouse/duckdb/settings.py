"""The catalog as temporary tables, so that derivations join what people set."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.scratch import temp_table

_U8, _U16, _I32, _TEXT, _BOOL = pa.uint8(), pa.uint16(), pa.int32(), pa.string(), pa.bool_()


def install_settings(connection: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
    """Makes `set_app`, `set_event`, `set_addon`, `set_app_sku`, `set_listing`, `set_domain`, `set_attribute`."""
    apps = catalog.apps.values()
    _table(
        connection,
        "set_app",
        {"app_key": _U16, "default_currency": _TEXT, "commerce_trust": _U8, "signed": _BOOL, "reported": _BOOL},
        [(a.number, a.default_currency, int(a.commerce_trust), a.signed_identity, a.sessions_reported) for a in apps],
    )
    _table(
        connection,
        "set_event",
        {"event": _U16, "is_activity": _BOOL},
        [(event.number, event.is_activity) for event in catalog.events.values()],
    )
    _table(
        connection,
        "set_addon",
        {"app_key": _U16, "sku": _TEXT, "product_id": _TEXT, "kind": _TEXT},
        [
            (catalog.apps[addon.app].number, sku, addon.product_id, str(addon.kind))
            for addon in catalog.addons
            for sku in sorted({addon.product_id, *addon.skus})
        ],
    )
    _table(
        connection,
        "set_app_sku",
        {"app_key": _U16, "sku": _TEXT},
        [(app.number, sku) for app in apps for sku in sorted(set(app.store_ids))],
    )
    _table(
        connection,
        "set_listing",
        {"app_key": _U16, "prefix": _TEXT},
        [(app.number, prefix) for app in apps for prefix in app.listing_urls],
    )
    _table(
        connection,
        "set_domain",
        {"app_key": _U16, "domain": _TEXT},
        [(app.number, domain.casefold()) for app in apps for domain in app.own_domains],
    )
    attributes: list[tuple[object, ...]] = [
        (a.key, a.number, str(a.type), str(a.scope), int(a.accept_from)) for a in catalog.attributes.values()
    ]
    # Standard attributes have no number; only their trust matters here.
    attributes += [(key, None, "", "", int(trust)) for key, trust in catalog.standard_accept_from.items()]
    columns = {"attribute": _TEXT, "number": _I32, "type": _TEXT, "scope": _TEXT, "accept_from": _U8}
    _table(connection, "set_attribute", columns, attributes)


def _table(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: dict[str, pa.DataType],
    rows: Sequence[tuple[object, ...]],
) -> None:
    arrays = [pa.array([row[place] for row in rows], kind) for place, kind in enumerate(columns.values())]
    temp_table(connection, name, pa.Table.from_arrays(arrays, names=list(columns)))
