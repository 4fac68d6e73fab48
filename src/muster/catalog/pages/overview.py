"""What the first page shows of the apps."""

from __future__ import annotations

from typing import Any

from muster.catalog.pages.apps import app_rows
from muster.catalog.queries import apps, publisher
from muster.team.policies import can


def apps_part(asker: Any) -> dict[str, Any] | None:
    """The apps in use with their figures; nothing before there is one."""
    if not can(asker, "catalog:read"):
        return None
    minimum = publisher().minimum_size
    rows = [row for row in app_rows(asker, minimum) if row.app.state == "active"]
    return {"rows": rows, "minimum": minimum} if rows else None


def any_app() -> bool:
    return bool(apps())
