"""What the steps of an import have in common: who may take them, which import, for which app."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from muster.catalog.pages.words import reader_language
from muster.catalog.queries import apps
from muster.customers.errors import CustomerError, ImportUnknown
from muster.customers.models import Import
from muster.customers.queries import import_row
from muster.kernel.worded import worded
from muster.warehouse.files.choices import NEEDS_APP
from muster.warehouse.files.mapping import KINDS

# What a file holds is personal: who may not see it does not import.
IMPORTING = ("customers:write", "customers:personal")


@dataclass(frozen=True)
class Step:
    label: str
    done: bool = False
    current: bool = False
    address: str = ""


def steps_at(current: int, *, columns: bool = True, columns_address: str = "") -> list[Step]:
    """Source, Columns, Dry run, Apply; `current` counts all four from 1. Without `columns` there is no second."""
    labels = [_("Source"), _("Columns"), _("Dry run"), _("Apply")]
    return [
        Step(label, place < current, place == current, columns_address if place == 2 else "")
        for place, label in enumerate(labels, start=1)
        if columns or place != 2
    ]


def own_row(import_id: str) -> Import:
    """An import of this room; those of other rooms have pages of their own."""
    row = import_row(import_id)
    if row.kind not in KINDS:
        raise ImportUnknown(worded("There is no import `{import_id}` here.", import_id=import_id))
    return row


def checked_app(kind: str, app: str) -> str:
    """Orders and events belong to an app."""
    if app and app not in {key for key, _label in app_choices()}:
        raise CustomerError(_("There is no such app."), code="value_not_allowed", pointer="/app")
    if kind in NEEDS_APP and not app:
        raise CustomerError(_("Say which app the rows belong to."), code="value_not_allowed", pointer="/app")
    return app


def app_choices() -> list[tuple[str, str]]:
    return [(one.key, one.label(reader_language())) for one in apps()]
