"""Words that a file brings along: entered in the catalog as observed, and taken out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction

from muster.catalog import hooks as catalog_hooks
from muster.catalog.actions import declare_attribute, declare_event, withdraw_observed
from muster.catalog.queries import observed_words, warehouse_catalog
from muster.customers.hooks import current_warehouse
from muster.customers.models import Import
from muster.kernel.text import key_of
from muster.rules.vocabulary import Type
from muster.team.policies import LOCAL
from muster.warehouse.catalog import Catalog
from muster.warehouse.files.mapping import ImportMapping
from muster.warehouse.messages.words import KNOWN_TRAITS


def declare_observed(row: Import, mapping: ImportMapping, event_names: Iterable[str]) -> Catalog:
    """Unknown traits and events are taken and entered in the catalog as observed (C-2, C-3). Answers the catalog.

    The import remembers which it names, so that they can go when it is undone.
    """
    with transaction.atomic():
        enter_words({key: field.type or Type.TEXT for key, field in mapping.traits.items()}, event_names)
        catalog = warehouse_catalog()
        attributes, events = observed_words()
        named = {catalog.event_named(name).key for name in event_names}
        row.observed = {"attributes": sorted(attributes & set(mapping.traits)), "events": sorted(events & named)}
        row.save(update_fields=["observed"])
    return catalog


def enter_words(traits: Mapping[str, Type], event_names: Iterable[str]) -> None:
    """Enters what the catalog does not know yet: traits with their types, events by what the wire calls them."""
    known = warehouse_catalog()
    for key, type in traits.items():
        if key not in known.attributes and key not in KNOWN_TRAITS:
            declare_attribute(LOCAL, key=key, type=type, source="observed")
    unknown = {key_of(name): name for name in event_names if not known.knows_event(name)}
    for key, name in unknown.items():
        declare_event(LOCAL, key=key, names=[name], source="observed")


def forget_observed(row: Import) -> None:
    """Takes out of the catalog what nobody has said after all: nobody's data holds it, nothing refers to it."""
    attributes, events = set(row.observed.get("attributes", ())), set(row.observed.get("events", ()))
    attributes -= current_warehouse().said_attributes(attributes)
    numbers = {key: kind.number for key, kind in warehouse_catalog().events.items() if key in events}
    seen = current_warehouse().seen_events(numbers.values())
    events -= {key for key, number in numbers.items() if number in seen}
    for ask in catalog_hooks.words_in_use:
        used = ask()
        attributes -= used.attributes
        events -= used.events
    withdraw_observed(LOCAL, attributes=attributes, events=events)
