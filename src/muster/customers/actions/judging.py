"""From a message to an item, with the words it brings along: the same of what arrives and of what is replayed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction

from muster.catalog.queries import free_attribute_count, warehouse_catalog
from muster.customers.actions.observed import enter_words
from muster.customers.queries import judge_names
from muster.spool.entries import CONSENT
from muster.warehouse.catalog import Catalog
from muster.warehouse.items import Item
from muster.warehouse.messages.checks import read_message
from muster.warehouse.messages.consents import read_consent
from muster.warehouse.messages.envelope import Envelope
from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.translation import Received, item_of, refused_item
from muster.warehouse.messages.words import event_name, new_traits, traits_of

logger = logging.getLogger("muster.drain")

DRAIN_FAILED = "drain_failed"
"""The verdict on what could not be drained, for whatever reason (E-20)."""


def sort_in(
    raw: bytes, kind: str, call: str | None, about: Envelope, index: int, read: list[Received], refused: list[Item]
) -> None:
    """Puts a message to those that may be taken, or to those that may not, with its verdict.

    `kind` and `call` of its request are as in the spool.
    """
    try:
        message = read_consent(raw) if kind == CONSENT else read_message(raw, call)
        read.append(Received(message, raw, about, index))
    except MessageRefused as error:
        refused.append(refused_item(raw, about, index, error.code))
    except Exception:
        refused.append(_set_aside(raw, about, index))


def catalog_with(read: Sequence[Received]) -> Catalog:
    """The catalog with the words that these messages bring along, as far as there is room (C-2, C-4)."""
    catalog = warehouse_catalog()
    lenient = [one for one in read if not _is_strict(one, catalog)]
    names = dict.fromkeys(name for one in lenient if (name := event_name(one.message)) is not None)
    unknown = [name for name in names if not catalog.knows_event(name)]
    said = (pair for one in lenient for pair in traits_of(one.message, one.context).items())
    traits = new_traits(said, catalog.attributes)
    if not unknown and not traits:
        return catalog
    not_taken = judge_names(unknown)
    room = free_attribute_count()
    with transaction.atomic():
        enter_words(dict(list(traits.items())[:room]), [name for name in unknown if name not in not_taken])
    return warehouse_catalog()


def _is_strict(received: Received, catalog: Catalog) -> bool:
    app = catalog.apps.get(catalog.app_keys.get(received.envelope.app, ""))
    return app is not None and app.strict


def translated(received: Received, catalog: Catalog) -> Item:
    try:
        return item_of(received, catalog)
    except MessageRefused as error:
        return refused_item(received.raw, received.envelope, received.index, error.code)
    except Exception:
        return _set_aside(received.raw, received.envelope, received.index)


def _set_aside(raw: bytes, about: Envelope, index: int) -> Item:
    """What nobody foresaw: of one message, it is no reason to stop what came with it, or after it (E-20)."""
    logger.exception("a message of %s could not be read", about.place)
    return refused_item(raw, about, index, DRAIN_FAILED)
