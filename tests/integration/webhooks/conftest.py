"""An installation that may send to receivers on this machine, and thirty people of it in a segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.living import Document, Living, csv_of, living
from tests.integration.processes import kill

BOTH = ["group.member_joined", "group.member_left"]
LIVES = ["group.archived", "group.restored", "group.deleted"]
PEOPLE = {
    "kind": "customers",
    "app": "notes",
    "row": {"external_id": "id", "email": "email", "traits": {"country": "country"}},
}
VISITS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
NORWAY = {"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "NO"}}
GERMANY = {"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "DE"}}


@pytest.fixture
def opened(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "MUSTER_WEBHOOK_ALLOW_PRIVATE": "127.0.0.0/8"}


@contextmanager
def killed_later(environment: Mapping[str, str]) -> Iterator[Living]:
    """An installation that is killed at the end of the block, as by kill -9."""
    with suppress(_Killed), living(environment) as town:
        yield town
        kill(town.server.process)
        raise _Killed


class _Killed(Exception):
    """Keeps `serving` from waiting for an orderly end."""


def made(installation: Living, url: str, **fields: Any) -> Document:
    """A webhook with its secret, told of every group unless `subjects` are given."""
    return installation.post("/webhooks", {"url": url, "events": BOTH, **fields}, 201)


def people(*rows: str) -> bytes:
    return csv_of("id,email,country", *rows)


def fill(town: Living, count: int = 30) -> None:
    """`count` people in Norway, external ids u1, u2, ..., in the segment `north`."""
    town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    arrive(town, *(f"u{n}" for n in range(1, count + 1)))
    town.bring_in(people(*(f"u{n},u{n}@example.com,NO" for n in range(1, count + 1))), PEOPLE)
    town.post("/groups", {"name": "North", "key": "north", "definition": NORWAY}, 201)


def arrive(town: Living, *external_ids: str) -> None:
    """They have opened the app: of others no segment of it knows."""
    opened_at = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    town.bring_in(csv_of("id,event,at", *(f"{one},app_opened,{opened_at}" for one in external_ids)), VISITS)


def move(town: Living, *rows: str) -> None:
    """People with their new countries; groups have been refreshed when this returns."""
    town.bring_in(people(*rows), PEOPLE)


def customer(town: Living, external_id: str) -> str:
    return str(town.get(f"/customers/external:{external_id}")["id"])
