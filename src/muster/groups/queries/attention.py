"""What of the groups wants looking after, for the first page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from muster.groups.models import Group
from muster.groups.queries.groups import use_counts
from muster.groups.terms import State
from muster.web.hooks import Attention, can


def groups_in_trouble(asker: Any) -> list[Attention]:
    """Failed ones, and inactive ones that something uses."""
    if not can(asker, "groups:read"):
        return []
    groups = list(Group.objects.order_by("name", "id"))
    uses = use_counts([row for row in groups if row.state == State.INACTIVE], groups)
    found = []
    for row in groups:
        if row.state == State.FAILED:
            text = _("“%(name)s” could not be evaluated; its members are those of the last good evaluation.")
        elif uses.get(row.id):
            text = _("“%(name)s” is used and has too few customers to be.")
        else:
            continue
        found.append(Attention(text % {"name": row.name}, reverse("groups:group", args=[row.key])))
    return found


def any_group() -> bool:
    return Group.objects.exclude(state=State.ARCHIVED).exists()
