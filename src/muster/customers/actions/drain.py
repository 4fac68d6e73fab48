"""From the spool into the warehouse, exactly once: a cycle is one transaction with its cursors (C-32, E-18)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from muster.catalog.queries import warehouse_catalog
from muster.customers.actions.judging import DRAIN_FAILED, catalog_with, sort_in, translated
from muster.customers.hooks import current_warehouse
from muster.kernel.room import disk_full
from muster.spool.entries import CONSENT, UNREADABLE, Entry, Spooled
from muster.spool.reading import Cursor, SpoolReader, Waiting
from muster.warehouse.batch import Outcome
from muster.warehouse.catalog import Trust
from muster.warehouse.items import Item
from muster.warehouse.messages.envelope import Envelope
from muster.warehouse.messages.errors import BodyUnreadable
from muster.warehouse.messages.kept import without_address
from muster.warehouse.messages.pieces import Body, read_body
from muster.warehouse.messages.telling import Request
from muster.warehouse.messages.translation import Received, refused_item

logger = logging.getLogger("muster.drain")

MOST_ITEMS = 50_000
MOST_REQUESTS = 5_000
MOST_TRIES = 3
_CURSOR = "spool:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Place = tuple[int, Spooled]
"""A slot and an entry of it."""


@dataclass(frozen=True)
class Drained:
    """One committed cycle: `cursors` by slot, the last request came at `received_at`, the first at `first_at`."""

    items: int
    cursors: Mapping[int, Cursor]
    received_at: datetime
    first_at: datetime
    outcome: Outcome


@dataclass
class Drain:
    """Takes what waits, cycle by cycle. What fails three times is set aside whole, so that the rest flows (E-20)."""

    spool: SpoolReader
    _most: int = MOST_REQUESTS
    _tries: Counter[tuple[int, int]] = field(default_factory=Counter)
    # As the last cycle left them: nobody else moves them while this one drains.
    _cursors: dict[int, Cursor] | None = None

    def cycle(self) -> Drained | None:
        """None if nothing waits. Raises what the warehouse raises; nothing has moved then."""
        if self._cursors is None:
            self._cursors = drained_cursors()
        cursors = self._cursors
        waiting = self.spool.waiting(cursors, self._most)
        places = list(islice(_chosen(waiting), self._most))
        if not places:
            return None
        files = {one.slot: one.file for one in waiting}
        first = (places[0][0], places[0][1].seq)
        give_up = self._tries[first] >= MOST_TRIES
        try:
            done = _append(places[:1] if give_up else places, files, cursors, give_up=give_up)
        except Exception as error:
            # It may have been committed all the same.
            self._cursors = None
            self._note_failure(first, len(places), error)
            raise
        self._cursors = dict(done.cursors)
        self._most = min(self._most * 2, MOST_REQUESTS)
        self._tries.pop(first, None)
        if give_up:
            logger.error("what lay at %d.%d was set aside: it could not be drained", *first)
        return done

    def _note_failure(self, first: tuple[int, int], count: int, error: Exception) -> None:
        """Ever fewer at a time, until what is to blame is alone. Of a full disk nobody is to blame."""
        self._most = max(count // 2, 1)
        if count == 1 and disk_full(error) is None:
            self._tries[first] += 1
        logger.warning("a cycle of the drain failed at %d.%d: %s", *first, type(error).__name__)


def drained_cursors() -> dict[int, Cursor]:
    """How far the warehouse has each slot, by its own word."""
    stored = current_warehouse().cursors()
    return {
        int(name.removeprefix(_CURSOR)): Cursor(told["file"], int(told["seq"]))
        for name, told in stored.items()
        if name.startswith(_CURSOR)
    }


def _chosen(waiting: Iterable[Waiting]) -> Iterator[Place]:
    """By time of arrival, each slot in its own order, up to `MOST_ITEMS`; of a request all or nothing."""
    queues = {one.slot: one.rows for one in waiting if one.rows}
    heads = dict.fromkeys(queues, 0)
    left = MOST_ITEMS
    while heads and left > 0:
        slot = min(heads, key=lambda one: (queues[one][heads[one]].entry.received_at_us, one))
        row = queues[slot][heads[slot]]
        yield slot, row
        left -= max(row.entry.items, 1)
        heads[slot] += 1
        if heads[slot] == len(queues[slot]):
            del heads[slot]


def _append(
    places: Sequence[Place], files: Mapping[int, str], before: Mapping[int, Cursor], *, give_up: bool
) -> Drained:
    moved = {slot: Cursor(files[slot], row.seq) for slot, row in places}
    received_at = max(_received_at(row.entry) for _, row in places)
    if give_up:
        catalog = warehouse_catalog()
        items = [item for place in places for item in _set_aside(place, files)]
    else:
        read, items = _read_all(places, files)
        catalog = catalog_with(read)
        items += [translated(one, catalog) for one in read]
    told = {f"{_CURSOR}{slot}": {"file": cursor.file, "seq": cursor.seq} for slot, cursor in moved.items()}
    entries = {_place(slot, row, files): row.entry for slot, row in places}
    outcome = current_warehouse().append_items(
        items, received_at, catalog, told, lambda place: _request(entries[place]).told()
    )
    first_at = min(_received_at(row.entry) for _, row in places)
    return Drained(len(items), {**before, **moved}, received_at, first_at, outcome)


def _read_all(places: Sequence[Place], files: Mapping[int, str]) -> tuple[list[Received], list[Item]]:
    """The messages that may be taken, and those that may not, with their verdicts."""
    read: list[Received] = []
    refused: list[Item] = []
    for slot, row in places:
        entry = row.entry
        about = _envelope(slot, row, files)
        if entry.kind == UNREADABLE:
            # Its beginning only, or what its visitor's browser asked not to be taken: it stays what it is.
            refused.append(replace(refused_item(entry.body, about, 0, entry.call or "invalid_json"), place=None))
            continue
        body = _body(entry)
        about = _envelope(slot, row, files, context=body.context, sent_at=body.sent_at)
        for index, raw in enumerate(body.messages):
            sort_in(raw, entry.kind, entry.call, about, index, read, refused)
    return read, refused


def _envelope(slot: int, row: Spooled, files: Mapping[int, str], **said: object) -> Envelope:
    entry = row.entry
    return Envelope(
        app=entry.app,
        trust=Trust(entry.trust),
        received_at=_received_at(entry),
        place=_place(slot, row, files),
        source=entry.source,
        subject=entry.subject,
        **said,  # type: ignore[arg-type]  # context and sent_at, as they were read
    )


def _body(entry: Entry) -> Body:
    return Body([entry.body]) if entry.kind == CONSENT else read_body(entry.body, entry.call)


def _place(slot: int, row: Spooled, files: Mapping[int, str]) -> str:
    return f"{files[slot]}.{row.seq}"


def _request(entry: Entry) -> Request:
    """What is kept of a request beside what of it was refused. Of one that cannot be read it is little."""
    try:
        body = _body(entry)
    except BodyUnreadable:
        body = Body([])
    return Request(
        kind=entry.kind,
        call=entry.call,
        received_at_us=entry.received_at_us,
        trust=entry.trust,
        subject=entry.subject,
        sent_at=body.sent_at,
        context=without_address(body.context),
    )


def _received_at(entry: Entry) -> datetime:
    return _EPOCH + timedelta(microseconds=entry.received_at_us)


def _set_aside(place: Place, files: Mapping[int, str]) -> Iterator[Item]:
    """Every message of a request that could not be drained, to be replayed once its cause is mended."""
    slot, row = place
    # Nothing of it is believed: it may be this that cannot be read.
    about = _envelope(slot, Spooled(row.seq, row.entry._replace(trust=int(Trust.OPEN), subject=None)), files)
    try:
        messages = _body(row.entry).messages
    except BodyUnreadable:
        yield replace(refused_item(row.entry.body, about, 0, DRAIN_FAILED), place=None)
        return
    for index, raw in enumerate(messages):
        yield refused_item(raw, about, index, DRAIN_FAILED)
