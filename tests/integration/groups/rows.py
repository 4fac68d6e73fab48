"""Groups as rows alone, for what reads nothing else of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from muster.groups.models import Group
from muster.groups.terms import Kind, State


def stored_group(number: int, at: datetime, **fields: Any) -> Group:
    """Active, a list unless `fields` say otherwise."""
    return Group.objects.create(
        id=f"grp_{number:02}",
        key=f"g{number:02}",
        name=f"G{number:02}",
        state=State.ACTIVE,
        created_at=at,
        updated_at=at,
        **{"kind": Kind.KNOWN, **fields},
    )
