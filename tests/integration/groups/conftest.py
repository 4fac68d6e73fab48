"""Sixty-one people of one app: who they are decides by hand which group has which size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.conftest import copied, environment_of
from tests.integration.living import Document, Living, csv_of, living
from tests.integration.pages import Browser

NOW = datetime.now(UTC).replace(microsecond=0)
BOUGHT_AT = NOW - timedelta(days=10)
_CUSTOMERS = {
    "kind": "customers",
    "row": {
        "external_id": "id",
        "email": "email",
        "traits": {
            "country": "country",
            "birthday": {"column": "birthday", "type": "date"},
            "points": {"column": "points", "type": "number"},
        },
    },
}
_EVENTS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
_CONSENTS = {"kind": "consents", "row": {"external_id": "id", "purpose": "purpose", "granted": "granted"}}
_ORDERS = {
    "kind": "orders",
    "app": "notes",
    "row": {"external_id": "id", "order_id": "order", "happened_at": "at", "amount": "amount", "currency": "currency"},
}


@pytest.fixture(scope="session")
def _peopled(begun: Path) -> Iterator[Path]:
    """The town, loaded once: every module begins with a copy."""
    with copied(begun) as home:
        with living(environment_of(home)) as installation:
            _load(installation)
        yield home


@pytest.fixture(scope="module")
def town(_peopled: Path) -> Iterator[Living]:
    """u1..u61 with as many points. u51..u55 are ten years old, u60 objects to profiling, u61 never came to the app:
    the population of `notes` is u1..u50 and u56..u59. u1..u30 live in France, the others in Germany. u1 bought."""
    with copied(_peopled) as home, living(environment_of(home)) as installation:
        yield installation


def _load(installation: Living) -> None:
    installation.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    installation.bring_in(csv_of("id,email,country,birthday,points", *map(_person, range(1, 62))), _CUSTOMERS)
    visits = [f"u{n},app_opened,{(NOW - timedelta(days=40)).isoformat()}" for n in range(1, 61)]
    installation.bring_in(csv_of("id,event,at", *visits), _EVENTS)
    installation.bring_in(csv_of("id,purpose,granted", "u60,profiling,no"), _CONSENTS)
    order = f"u1,o1,{BOUGHT_AT.isoformat()},12.50,EUR"
    installation.bring_in(csv_of("id,order,at,amount,currency", order), _ORDERS)


@pytest.fixture(scope="module")
def browser(town: Living) -> Iterator[Browser]:
    """The owner, set up through the one-time link as on the first day."""
    with httpx.Client(base_url=town.server.address, timeout=60) as client:
        opened = Browser(client)
        opened.set_up(town.server.setup_token)
        yield opened


def _person(number: int) -> str:
    birthday = (NOW - timedelta(days=3_700)).date().isoformat() if 51 <= number <= 55 else ""
    return f"u{number},u{number}@example.com,{'FR' if number <= 30 else 'DE'},{birthday},{number}"


def up_to(points: int) -> Document:
    """The first so many people: exactly `points` of them up to 50."""
    return {"version": 1, "app": "notes", "match": {"attribute": "points", "op": "lte", "value": points}}


def matching(match: Document) -> Document:
    return {"version": 1, "app": "notes", "match": match}


def in_group(reference: str) -> Document:
    return matching({"group": reference})


@pytest.fixture
def make(town: Living) -> Iterator[object]:
    """Creates groups and takes them away again after the test, users first."""
    made: list[str] = []

    def create(key: str, definition: Document, **fields: object) -> Document:
        group = town.post("/groups", {"key": key, "name": key.title(), "definition": definition, **fields}, 201)
        made.append(group["id"])
        return group

    yield create
    for identifier in reversed(made):
        town.local.delete(f"/groups/{identifier}")


@pytest.fixture
def testers(town: Living) -> Iterator[str]:
    """A known user group with nobody on its list, by id."""
    made = town.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
    yield made["id"]
    assert town.local.delete("/groups/testers").status_code == 204
