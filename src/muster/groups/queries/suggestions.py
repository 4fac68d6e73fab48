"""Values that data really holds, with how many customers have them."""

from __future__ import annotations

import ibis

from muster.catalog.queries import events, publisher
from muster.customers.queries import warehouse
from muster.rules.vocabulary import Type
from muster.warehouse.port import PropertyColumn

_MOST = 50
_TEXTS = (Type.TEXT, Type.CATEGORY)


def values_of(event: str, path: str) -> list[tuple[str, int]]:
    """The most frequent texts of an event's property; those of fewer customers than may be told are left out (G-21)."""
    known = events().get(event)
    if known is None or known.properties.get(path, Type.TEXT) not in _TEXTS:
        return []
    asked = warehouse()
    rows = asked.occurrences(known.number, [PropertyColumn("label", path, Type.TEXT)])
    labelled = rows.filter(rows.label.notnull())
    counted = labelled.group_by("label").agg(customers=labelled.customer_key.nunique())
    told = counted.filter(counted.customers >= publisher().minimum_size)
    with asked.reader() as reader:
        found = reader.table(told.order_by([ibis.desc("customers"), "label"]).limit(_MOST))
    return list(zip(found.column("label").to_pylist(), found.column("customers").to_pylist(), strict=True))
