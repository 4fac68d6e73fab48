"""One cycle after the other, in this process: order, words, repetition, and what cannot be drained (E-18 to E-20)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from muster.catalog.actions import create_app
from muster.catalog.queries import warehouse_catalog
from muster.customers.actions import judging
from muster.customers.actions.drain import Drain, drained_cursors
from muster.spool.entries import ITEMS, UNREADABLE, Entry
from muster.spool.reading import SpoolReader
from muster.spool.slots import take_slot
from muster.spool.writer import SpoolWriter
from muster.team.policies import LOCAL
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.items import Item
from muster.warehouse.messages.translation import Received
from muster.warehouse.refused import Asked
from tests.integration.personas import open_store
from tests.unit.spool.test_spool import Settlements

START_US = 1_795_286_695_000_000


class Town:
    """A warehouse, a spool with as many slots as are written to, and the drain between them."""

    def __init__(self, folder: Path, warehouse: DuckDBWarehouse, stack: ExitStack) -> None:
        self.warehouse = warehouse
        self._folder = folder
        self._stack = stack
        self._writers: dict[int, tuple[SpoolWriter[int], Settlements]] = {}
        self._reader = stack.enter_context(closing(SpoolReader(folder)))
        self.drain = Drain(self._reader)
        self._sent = 0

    def spool(self, *messages: dict[str, Any], slot: int = 1, seconds: int = 0, **about: Any) -> None:
        """One request with these messages, from a server."""
        body = about.pop("body", json.dumps({"batch": messages}).encode())
        told = {"kind": ITEMS, "call": None, "app": 1, "source": 7, "trust": 2, "subject": None, **about}
        entry = Entry(received_at_us=START_US + seconds * 1_000_000, items=len(messages), body=body, **told)
        writer, settlements = self._writer(slot)
        self._sent += 1
        writer.append(entry, self._sent)
        settlements.places(len(settlements.commits) + 1)

    def run(self) -> int:
        """Until nothing waits; answers how many cycles failed."""
        failed = 0
        while True:
            try:
                if self.drain.cycle() is None:
                    return failed
            except ValueError:
                failed += 1
                assert failed < 100

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        return self.warehouse.submit(lambda connection: connection.execute(question).fetchall()).result()

    def begin_again(self) -> None:
        """As a process that died before it told anybody how far it came."""
        self.drain = Drain(self._reader)

    def _writer(self, slot: int) -> tuple[SpoolWriter[int], Settlements]:
        while slot not in self._writers:
            settlements = Settlements()
            writer = SpoolWriter(take_slot(self._folder), settlements, least_free_bytes=0)
            self._stack.callback(writer.close)
            self._writers[writer.slot.number] = (writer, settlements)
        return self._writers[slot]


@pytest.fixture
def town(db: None, tmp_path: Path) -> Iterator[Town]:
    create_app(LOCAL, key="notes")
    with open_store(tmp_path) as warehouse, ExitStack() as stack:
        yield Town(tmp_path / "spool", warehouse, stack)


def page(number: int, user: str = "u1") -> dict[str, Any]:
    return {"type": "page", "userId": user, "messageId": f"m{number}"}


def test_slots_are_taken_in_order_of_arrival(town: Town) -> None:
    """Customers are numbered in that order, whoever took in what they sent."""
    town.spool(page(1, "second"), slot=1, seconds=2)
    town.spool(page(2, "first"), slot=2, seconds=1)
    town.spool(page(3, "third"), slot=2, seconds=3)
    assert town.run() == 0
    assert [town.warehouse.find_external(name) for name in ("first", "second", "third")] == [1, 2, 3]
    assert {slot: cursor.seq for slot, cursor in drained_cursors().items()} == {1: 1, 2: 2}


def test_what_was_committed_is_not_taken_again(town: Town) -> None:
    """C-32: the cursor stands in the same transaction."""
    town.spool(page(1))
    assert town.run() == 0
    town.begin_again()
    assert town.drain.cycle() is None
    assert town.ask("SELECT count(*) FROM all_events") == [(1,)]


def test_batch_that_is_sent_again_is_a_duplicate(town: Town) -> None:
    """C-19."""
    town.spool(page(1), page(2))
    town.run()
    town.spool(page(1), page(2), page(3))
    done = town.drain.cycle()
    assert done is not None
    assert done.outcome.counts == {"accepted": 1, "duplicate": 2}


def test_new_words_are_observed(town: Town) -> None:
    """C-2, C-3: events, and traits with the type of their first value."""
    town.spool({"type": "track", "userId": "u1", "event": "Level Up"})
    town.spool(
        {"type": "identify", "userId": "u1", "traits": {"shoeSize": 42, "Plan": None, "address": {"city": "Bodø"}}}
    )
    town.run()
    catalog = warehouse_catalog()
    assert catalog.knows_event("level_up")
    assert {key: one.type for key, one in catalog.attributes.items()} == {"shoe_size": "number", "address_city": "text"}
    assert town.ask("SELECT attribute, value FROM traits ORDER BY 1") == [
        ("address_city", '"Bodø"'),
        ("shoe_size", "42"),
    ]


def test_what_is_refused_is_kept_with_its_verdict(town: Town) -> None:
    """E-14: of one that could not be read, too."""
    good = page(1)
    bad = b'{"type":"track","userId":"u1","event":"E","properties":{"x":NaN}}'
    town.spool(good, good, body=b'{"batch":[' + json.dumps(good).encode() + b"," + bad + b"]}")
    town.spool(kind=UNREADABLE, call="invalid_json", body=b"hello")
    town.spool({"type": "track", "userId": "u1", "event": "?!"})
    town.run()
    assert town.ask("SELECT code, item, app_key, source FROM rejects ORDER BY 1, 2") == [
        ("invalid_json", "hello", 1, 7),
        ("item_invalid", bad.decode(), 1, 7),
        ("not_a_name", '{"type": "track", "userId": "u1", "event": "?!"}', 1, 7),
    ]
    assert town.ask("SELECT count(*) FROM all_events") == [(1,)]


def test_address_of_a_device_is_not_kept_beside_what_was_refused(town: Town) -> None:
    """E-40: neither the batch's nor the message's own; all else stays, and what cannot be read as it was sent."""
    own = {"type": "track", "userId": "u1", "event": "?!", "context": {"ip": "203.0.113.7", "locale": "nb-NO"}}
    said = {"ip": "203.0.113.8", "app": {"version": "2"}}
    town.spool(body=json.dumps({"batch": [own, {"ip": "is no context"}], "context": said}).encode())
    town.run()
    assert town.ask("SELECT code, item FROM rejects ORDER BY nth") == [
        ("not_a_name", '{"type":"track","userId":"u1","event":"?!","context":{"locale":"nb-NO"}}'),
        ("type_unknown", '{"ip": "is no context"}'),
    ]
    [kept] = town.warehouse.refused(Asked(code="not_a_name"), None, 10)
    assert json.loads(kept.told or "")["context"] == {"app": {"version": "2"}}


def test_one_that_cannot_be_drained_is_set_aside_and_the_rest_flows(town: Town) -> None:
    """E-20: after three tries, whole."""
    for number in range(9):
        town.spool(page(number), page(100 + number), trust=9 if number == 5 else 2)
    assert town.run() >= 3
    assert town.ask("SELECT count(*) FROM all_events") == [(16,)]
    assert town.ask("SELECT code, count(*) FROM rejects GROUP BY 1") == [("drain_failed", 2)]
    assert drained_cursors()[1].seq == 9


def test_message_that_nobody_foresaw_costs_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """E-13, E-20: at once, and it is kept to be taken again when somebody has mended what was wrong."""
    read = judging.item_of

    def reads(received: Received, catalog: Catalog) -> Item:
        if received.message["messageId"] == "m2":
            raise ZeroDivisionError("nobody foresaw it")
        return read(received, catalog)

    monkeypatch.setattr(judging, "item_of", reads)
    town.spool(page(1), page(2), page(3))
    assert town.run() == 0
    assert town.ask("SELECT count(*) FROM all_events") == [(2,)]
    assert town.ask("SELECT code, nth FROM rejects") == [("drain_failed", 1)]


def test_empty_batch_moves_the_cursor(town: Town) -> None:
    town.spool()
    assert town.run() == 0
    assert drained_cursors()[1].seq == 1
