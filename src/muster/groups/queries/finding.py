"""Groups by name, key or tag, for the field on top of every page (D-13)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from muster.groups.models import Group
from muster.groups.terms import Kind, State
from muster.web.finding import folded
from muster.web.hooks import Found, can


def find_groups(asker: Any, text: str) -> list[Found]:
    """Those that are not archived, by name; none for who may not see groups."""
    if not can(asker, "groups:read"):
        return []
    rows = Group.objects.exclude(state=State.ARCHIVED).only("id", "key", "name", "kind", "tags")
    wanted = folded(text)
    found = [row for row in rows if wanted in folded(" ".join((row.name, row.key, row.id, *row.tags)))]
    labels = {Kind.SEGMENT: _("Segment"), Kind.KNOWN: _("Known users")}
    return [Found(labels[Kind(row.kind)], row.name, reverse("groups:group", args=[row.key])) for row in found]
