"""What pages ask of a warehouse: figures over everybody, holders of names, what happened piece by piece."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Type
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import App, Catalog, CustomAttribute, Trust
from muster.warehouse.duckdb.timeline import KINDS, Happening
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Device, Email, Item, Line, Occurrence, OrderEntry

AT = datetime(2026, 1, 1, tzinfo=UTC)
CATALOG = Catalog(
    apps={"notes": App("notes", 1), "atlas": App("atlas", 2)},
    attributes={"size": CustomAttribute("size", 1, Type.TEXT)},
)
OPENED = STANDARD_EVENTS["app_opened"].number
_numbers = count()


def _item(minutes: int = 0, app: int = 1, **said: object) -> Item:
    digest = hashlib.blake2b(str(next(_numbers)).encode(), digest_size=16).digest()
    return Item(digest, AT + timedelta(minutes=minutes), app, **said)  # type: ignore[arg-type]  # fields by name


def _append(warehouse: DuckDBWarehouse, *items: Item) -> None:
    warehouse.append(batch_of(items, AT + timedelta(days=30)), CATALOG)


def _opened(minutes: int, who: str = "u1", app: int = 1) -> Item:
    return _item(minutes, app, external_id=who, event=Occurrence(OPENED), device=Device("d"))


def test_figures_count_who_has_an_app_and_what_happens_in_it(warehouse: DuckDBWarehouse) -> None:
    """Who only viewed a listing of an app does not have it; orders tell events too."""
    line = Line("pen", price_micros=1, quantity=None)
    _append(
        warehouse,
        _opened(0),
        _opened(600, "u2"),
        _opened(5, "u1", app=2),
        _item(7, external_id="u1", order=OrderEntry("completed", "o1", amount_micros=5, currency="EUR", lines=(line,))),
        _item(9, 2, external_id="u3", event=Occurrence(STANDARD_EVENTS["listing_viewed"].number)),
    )
    assert warehouse.app_figures() == {1: (2, AT + timedelta(minutes=600)), 2: (1, AT + timedelta(minutes=5))}
    keys = {event.number: key for key, event in STANDARD_EVENTS.items()}
    seen = {keys[number]: told[0] for number, told in warehouse.event_figures(1).items()}
    assert seen == {"app_opened": 2, "session": 2, "order_completed": 1, "product_purchased": 1}
    assert warehouse.event_figures(3) == {}


def test_holders_of_names_are_told_exactly(warehouse: DuckDBWarehouse) -> None:
    """C-10: one address may be several people's, verified of some; an anonymous id is one app's."""
    _append(
        warehouse,
        _item(external_id="u1", emails=(Email("Ann@Example.com", verified=True),)),
        _item(external_id="u2", emails=(Email("ann@example.com"),), trust=Trust.OPEN),
        _item(anonymous_id="a1"),
        _item(app=2, anonymous_id="a1"),
    )
    first, second = warehouse.find_external("u1"), warehouse.find_external("u2")
    assert warehouse.email_holders(" ann@EXAMPLE.com") == {first: True, second: False}
    assert (warehouse.email_holders("nobody@example.com"), warehouse.email_holders("no address")) == ({}, {})
    assert sorted(warehouse.anonymous_holders("a1").values()) == [[1], [2]]
    assert warehouse.anonymous_holders("A1") == {}


@pytest.mark.parametrize(
    ("new", "lost"), [(Type.CATEGORY, 0), (Type.NUMBER, 2), (Type.VERSION, 1), (Type.BOOLEAN, 4), (Type.DATE, 3)]
)
def test_values_that_another_type_cannot_hold_are_counted(warehouse: DuckDBWarehouse, new: Type, lost: int) -> None:
    """Of each customer the newest value counts; what was removed is no value."""
    said = {"u1": "12", "u2": 3, "u3": "wide", "u4": "2026-01-31", "u5": None, "u6": True}
    _append(warehouse, *(_item(external_id=who, traits={"size": value}) for who, value in said.items()))
    _append(warehouse, _item(5, external_id="u2", traits={"size": "1.2"}))
    assert warehouse.values_lost("size", Type.TEXT, new) == lost


def _walk(warehouse: DuckDBWarehouse, kinds: tuple[str, ...], step: int, *, newer: bool = False) -> list[Happening]:
    found: list[Happening] = []
    position = (AT - timedelta(days=1), "") if newer else None
    while True:
        page = warehouse.happenings(1, kinds, position, step, newer=newer)
        found += page
        if len(page) < step:
            return found
        position = (page[-1].at, page[-1].place)


@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_happenings_are_the_same_in_pieces_of_any_size(warehouse: DuckDBWarehouse, step: int) -> None:
    """Also where an order has the same line twice in the same instant, and both ways."""
    twice = tuple(Line("pen", price_micros=1) for _ in range(3))
    _append(
        warehouse,
        *(_opened(60 * number) for number in range(4)),
        _item(60, external_id="u1", order=OrderEntry("completed", "o1", amount_micros=3, currency="EUR", lines=twice)),
        _opened(60, "u2"),
    )
    every = _walk(warehouse, KINDS, step)
    assert [one.at for one in every] == sorted((one.at for one in every), reverse=True)
    assert len({(one.at, one.place) for one in every}) == len(every) == 4 + 4 + 1 + 3
    assert list(reversed(_walk(warehouse, KINDS, step, newer=True))) == every
    for kind in KINDS:
        assert _walk(warehouse, (kind,), step) == [one for one in every if one.kind == kind]
    assert _walk(warehouse, (), step) == []
