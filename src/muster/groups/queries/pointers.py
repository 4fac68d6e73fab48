"""Which files the rows of groups point to; also in a copy of the control database, by another alias."""

from __future__ import annotations

from datetime import datetime

from muster.groups.models import Group, ListVersion


def current_generations(database: str = "default") -> dict[str, int]:
    """The membership file of every evaluated group: id and generation."""
    rows = Group.objects.using(database).filter(generation__gt=0)
    return dict(rows.values_list("id", "generation"))


def current_lists(database: str = "default") -> dict[str, int]:
    """The list file of every known group with a list: id and version."""
    rows = Group.objects.using(database).filter(list_version__gt=0)
    return dict(rows.values_list("id", "list_version"))


def kept_lists(since: datetime, database: str = "default") -> dict[str, set[int]]:
    """The lists in force, and those that an undo may need of what was made since an instant."""
    kept = {identifier: {version} for identifier, version in current_lists(database).items()}
    recent = ListVersion.objects.using(database).filter(made_at__gte=since).values_list("group", "version", "before")
    for identifier, version, before in recent:
        kept.setdefault(identifier, set()).update((version, before))
    return kept
