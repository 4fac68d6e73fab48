"""Groups as something that webhooks may be told of."""

from __future__ import annotations

from muster.groups.models import Group
from muster.groups.terms import State
from muster.webhooks.hooks import Subject


def groups_to_tell_of() -> list[Subject]:
    """By name, without archived ones."""
    rows = Group.objects.exclude(state=State.ARCHIVED).order_by("name", "id")
    return [Subject(*row) for row in rows.values_list("id", "key", "name")]
