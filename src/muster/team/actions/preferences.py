"""How a member wants pages to be: language, zone, colours, density, rows; and their name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from muster.kernel.civil import time_zones
from muster.rules.describe.words import LANGUAGES
from muster.team.errors import MemberUnknown, ValueNotAllowed
from muster.team.models import Member
from muster.team.policies import Principal, clean_name
from muster.team.queries import AUTO, preferences
from muster.team.terms import DENSITIES, ROWS, THEMES
from muster.web.columns import tables
from muster.web.hooks import Preferences


def change_preferences(actor: Principal, changes: Mapping[str, Any]) -> Preferences:
    """One's own; what is not named stays. ValueNotAllowed with a pointer to the field."""
    row = _own(actor)
    for name, value in changes.items():
        if name == "hidden_columns":
            row.hidden_columns = row.hidden_columns | _checked_columns(value)
            continue
        allowed = {
            "language": (AUTO, *LANGUAGES),
            "time_zone": (AUTO, *time_zones()),
            "theme": THEMES,
            "density": DENSITIES,
            "rows": ROWS,
        }.get(name)
        if allowed is None or value not in allowed:
            raise ValueNotAllowed(_("%(value)s is not possible here.") % {"value": value}, pointer=f"/{name}")
        setattr(row, name, "" if value == AUTO and name in ("language", "time_zone") else value)
    row.save(update_fields=["language", "time_zone", "theme", "density", "rows", "hidden_columns"])
    return preferences(row)


def hide_columns(actor: Any, hidden: Mapping[str, Sequence[str]]) -> Preferences:
    """Of the tables that are named; those of the others stay as they are."""
    return change_preferences(actor, {"hidden_columns": hidden})


def _checked_columns(hidden: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    for table, columns in hidden.items():
        wrong = [table] if table not in tables else [one for one in columns if one not in tables[table]]
        if wrong:
            message = _("%(value)s is not possible here.") % {"value": wrong[0]}
            raise ValueNotAllowed(message, pointer=f"/hidden_columns/{table}")
    return {table: sorted(set(columns)) for table, columns in hidden.items()}


def change_name(actor: Principal, name: str) -> None:
    """One's own; empty takes it away."""
    row = _own(actor)
    row.name = clean_name(name)
    row.save(update_fields=["name"])


def _own(actor: Principal) -> Member:
    row = Member.objects.filter(pk=actor.id).first() if actor.kind == "member" else None
    if row is None:
        raise MemberUnknown(actor.id)
    return row
