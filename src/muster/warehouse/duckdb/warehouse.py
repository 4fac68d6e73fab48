"""The warehouse in one DuckDB file: what `port.Warehouse` promises, and the writes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from muster.kernel.clock import system_clock
from muster.rules.vocabulary import Type
from muster.warehouse.batch import Batch, Outcome, Rate, Tell
from muster.warehouse.builder import batch_of
from muster.warehouse.catalog import Catalog
from muster.warehouse.duckdb import erase, erased, figures, lookup, refused, rejects, retention, schema, timeline
from muster.warehouse.duckdb.append import append_batch, read_cursors
from muster.warehouse.duckdb.categories import Categories
from muster.warehouse.duckdb.compacting import compact_step, is_due
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.consents import ConsentEntry, put_consents
from muster.warehouse.duckdb.derive import all_keys, derive_stale, rederive_keys
from muster.warehouse.duckdb.few.ahead import Ahead
from muster.warehouse.duckdb.few.append import MOST_ITEMS, append_few
from muster.warehouse.duckdb.instance import Instance
from muster.warehouse.duckdb.lateness import Lateness
from muster.warehouse.duckdb.listed import entry_hashes, named_by, names_of
from muster.warehouse.duckdb.load import load_rows
from muster.warehouse.duckdb.matching import matching_entries, matching_keys
from muster.warehouse.duckdb.migrations import SCHEMA_VERSION
from muster.warehouse.duckdb.narrowed import narrow
from muster.warehouse.duckdb.occurrences import Occurrences
from muster.warehouse.duckdb.past import copy_past, said_later
from muster.warehouse.duckdb.person import read_people
from muster.warehouse.duckdb.properties import literal
from muster.warehouse.duckdb.rates import known_rates, put_rates, read_rates
from muster.warehouse.duckdb.raw import raw_rows
from muster.warehouse.duckdb.reader import DuckDBReader
from muster.warehouse.duckdb.restating import rates_without, restate_rates
from muster.warehouse.duckdb.rows_of import read_few
from muster.warehouse.duckdb.said import read_said, said_in
from muster.warehouse.duckdb.said_rows import Tables
from muster.warehouse.duckdb.scrub import scrub
from muster.warehouse.duckdb.settings import install_settings
from muster.warehouse.duckdb.unchanged import unchanged_rows
from muster.warehouse.duckdb.undo import forget_app, remove_source
from muster.warehouse.duckdb.writer import T as Answer
from muster.warehouse.duckdb.writer import Write, Writer
from muster.warehouse.items import Item
from muster.warehouse.ledger import ErasureLedger
from muster.warehouse.port import Needed, Person, PropertyColumn
from muster.warehouse.refused import Asked, Refused, RefusedCount
from muster.warehouse.said import Said
from muster.warehouse.subject import Subject

FRUGAL_MEMORY = "128MiB"


class DuckDBWarehouse:
    """Owns `warehouse.duckdb` in `directory` until closed; any thread may use it."""

    def __init__(self, directory: Path, resources: Resources = Resources()) -> None:  # noqa: B008 - frozen
        self._resources = resources
        self._instance = Instance(directory, resources)
        with self._instance.cursor() as cursor:
            schema.prepare(cursor)
            self._columns = schema.askable_columns(cursor)
        self._occurrences = Occurrences()
        self._writer = Writer(self._instance.lasting_cursor, self._instance.renew)
        self._late = Lateness(self._writer, self._ask)
        self._ahead = Ahead(self._writer, self._ask)
        self._categories = Categories(self._ask_facts)
        self._catalog = Catalog(apps={})
        self._ledger: ErasureLedger | None = None

    def close(self) -> None:
        """Finishes the writes under way and lets go of the file."""
        self._writer.close()
        self._instance.close()

    def __enter__(self) -> DuckDBWarehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    schema_version = SCHEMA_VERSION
    """Of the tables in the file, since it was opened."""

    # Reading

    def relation(self, name: str) -> ir.Table:
        """The unbound table of `relations.ASKABLE`, custom columns included."""
        return ibis.table(self._columns[name], name=name)

    def occurrences(self, event: int, columns: Sequence[PropertyColumn] = ()) -> ir.Table:
        """Unbound table, grain event: customer_key, app_key, happened_at and the asked property columns."""
        return self._occurrences.table(event, columns)

    def categories(self, relation: str, column: str) -> Sequence[str] | None:
        """The labels a category column holds; None if there are more than `MOST_LABELS`."""
        return self._categories.labels(relation, column, self._writer.written)

    def labels(self, event: int, path: str) -> Sequence[str]:
        """The distinct texts of one event property."""
        rows = self.occurrences(event, [PropertyColumn("label", path, Type.TEXT)])
        with self.reader() as reader:
            found = reader.table(rows.filter(rows.label.notnull()).select("label").distinct())
        return [str(label) for label in found.column("label").to_pylist()]

    @contextmanager
    def reader(self) -> Iterator[DuckDBReader]:
        self.settle()
        with self._instance.cursor() as cursor:
            # One transaction for all of a task's questions: they see one state, whatever is written meanwhile (G-16).
            cursor.begin()
            yield DuckDBReader(cursor, self._occurrences)

    @contextmanager
    def narrowed(self, keys: npt.NDArray[np.uint32], needed: Needed) -> Iterator[DuckDBReader]:
        """A reader to whom the relations hold these customers alone, numbered by their place (see `narrowed`)."""
        self.settle()
        with self._instance.cursor() as cursor:
            cursor.begin()
            narrow(cursor, keys, needed)
            yield DuckDBReader(cursor, self._occurrences)

    def few(self, keys: Sequence[int], needed: Needed) -> dict[int, Person]:
        """What is needed of a handful of customers, all of one state, by key; who is none is absent."""

        def read(cursor: duckdb.DuckDBPyConnection) -> dict[int, Person]:
            cursor.begin()
            return read_few(cursor, keys, needed, self._catalog)

        return self._ask_facts(read)

    @property
    def written(self) -> int:
        """How many writes were committed since it was opened: whoever remembers what it read compares this."""
        return self._writer.written

    def highest_key(self) -> int:
        """The greatest customer_key ever given; 0 when empty."""
        return int(self._meta("highest_key") or 0)

    def data_as_of(self) -> datetime | None:
        """When the newest committed change of the data was received."""
        stamp = self._meta("data_as_of")
        return datetime.fromisoformat(stamp).astimezone(UTC) if stamp else None

    def person(self, customer_key: int) -> Person | None:
        """Everything about one customer; None if there is none of this key (never was, merged, erased)."""
        return self.people([customer_key]).get(customer_key)

    def people(self, customer_keys: Iterable[int], *, events: bool = True) -> dict[int, Person]:
        """Like `person` for many at once, by key; without `events` theirs are not read."""
        return self._ask_facts(lambda cursor: read_people(cursor, customer_keys, self._catalog, events=events))

    def said_of(self, customer_keys: Iterable[int]) -> Said | None:
        """All that was said of a few customers, whether or not their facts are derived; None if it is not all."""
        keys = list(customer_keys)
        rows = self._ahead.take(keys)
        return said_in(rows) if rows else self._ask(lambda cursor: read_said(cursor, keys, self._catalog))

    def happenings(
        self,
        customer_key: int,
        kinds: Collection[str],
        position: tuple[datetime, str] | None,
        limit: int,
        *,
        newer: bool = False,
    ) -> list[timeline.Happening]:
        """What happened with one customer, piece by piece (see `timeline`)."""
        return self._ask_facts(
            lambda cursor: timeline.happenings(cursor, customer_key, self._catalog, kinds, position, limit, newer=newer)
        )

    @contextmanager
    def as_of(
        self, at: datetime, directory: Path, catalog: Catalog, keys: BitMap | None = None
    ) -> Iterator[DuckDBWarehouse]:
        """A warehouse of what had happened by an instant, in an empty directory, which the caller removes (G-29).

        With `keys` it holds only these customers. It is derived by the same derivations, and may take as long as the
        imports did.
        """
        with DuckDBWarehouse(directory, self._resources) as past:
            past.use_catalog(catalog)
            with self._instance.cursor() as source:
                source.begin()
                past.submit(lambda target: copy_past(source, target, at, keys)).result()
                highest = schema.get_meta(source, "highest_key") or "0"
                past.submit(lambda target: schema.set_meta(target, "highest_key", highest)).result()
            past.rederive(keys, catalog)
            past.checkpoint()
            yield past

    def said_later(self, at: datetime) -> list[str]:
        """Attributes of which somebody's first value was said after the instant: of them `as_of` keeps today's."""
        return self._ask(lambda cursor: said_later(cursor, at))

    def find_external(self, text: str) -> int | None:
        """The customer of the publisher's own id."""
        return self._ask(lambda cursor: lookup.external_key(cursor, text))

    def find_email(self, address: str) -> int | None:
        """The customer (the first, if several) with this verified address."""
        return self._ask(lambda cursor: lookup.email_key(cursor, address))

    def email_holders(self, address: str) -> dict[int, bool]:
        """Everybody who holds the address, by key: whether it is verified."""
        return self._ask(lambda cursor: lookup.email_holders(cursor, address))

    def anonymous_holders(self, text: str) -> dict[int, list[int]]:
        """Numbers of the apps in which the anonymous id is somebody's, by customer."""
        return self._ask(lambda cursor: lookup.anonymous_holders(cursor, text))

    def survivor_of(self, customer_key: int) -> int | None:
        """Whom a key stands for after merges; None if it is nobody's."""
        return self._ask(lambda cursor: lookup.survivor(cursor, customer_key))

    def identities(self) -> Iterator[pa.RecordBatch]:
        """`kind`, `app_key`, `text`, `customer_key` of every identity."""
        with self._instance.cursor() as cursor:
            yield from lookup.identities(cursor)

    def identities_of(self, wanted: pa.Table) -> pa.Table:
        """Those of the wanted (`kind`, `app_key`, `text`) that are somebody's now, as `identities`."""
        return self._ask(lambda cursor: lookup.identities_of(cursor, wanted))

    def identity_count(self) -> int:
        return self._ask(lookup.identity_count)

    def known_hashes(self, hashes: pa.Array) -> pa.Array:
        """Which items were taken before; a boolean each."""
        return self._ask(lambda cursor: lookup.known_hashes(cursor, hashes))

    def known_orders(self, app_key: int, order_ids: pa.Array) -> pa.Array:
        return self._ask(lambda cursor: lookup.known_orders(cursor, app_key, order_ids))

    def known_external_ids(self, ids: pa.Array) -> pa.Array:
        return self._ask(lambda cursor: lookup.known_external_ids(cursor, ids))

    def matching_keys(self, entries: pa.RecordBatchReader, *, customers: bool) -> BitMap:
        """The customers that entries of a list (kind, identity) name, now."""
        return self._ask_facts(lambda cursor: matching_keys(cursor, entries, customers=customers))

    def matching_entries(self, entries: pa.RecordBatchReader, *, customers: bool) -> Iterator[pa.RecordBatch]:
        """Those of the entries that name somebody, now."""
        with self._instance.cursor() as cursor:
            yield from matching_entries(cursor, entries, customers=customers)

    def names_of(self, keys: Sequence[int]) -> pa.Table:
        """By which names these customers may stand on lists (see `listed`)."""
        return self._ask(lambda cursor: names_of(cursor, keys))

    def entry_hashes(self, entries: pa.RecordBatchReader) -> npt.NDArray[np.uint64]:
        """A list as it is looked into quickly (see `listed`)."""
        return self._ask(lambda cursor: entry_hashes(cursor, entries))

    def named_by(self, entries: pa.RecordBatchReader, names: pa.Table) -> tuple[BitMap, int]:
        """Whom a list names of those with these names, and by how many entries."""
        return self._ask(lambda cursor: named_by(cursor, entries, names))

    def rates(self, before: tuple[date, str] | None, currency: str | None, limit: int) -> list[Rate]:
        """Rates in force, newest day first, currencies of a day in order; `before`: the last one seen."""
        return self._ask(lambda cursor: read_rates(cursor, before, currency, limit))

    def known_rates(self, rows: pa.Table) -> list[Fraction | None]:
        """The rate in force of each row's `day` and `currency`; None where there is none."""
        return self._ask(lambda cursor: known_rates(cursor, rows))

    def rates_without(self, currency: str) -> list[Rate]:
        """Rates that could not be told in this currency, were it the publisher's, by day."""
        return self._ask(lambda cursor: rates_without(cursor, currency))

    def unchanged_rows(self, kind: str, app_key: int, rows: pa.Table, lines: pa.Table | None = None) -> pa.Array:
        """Which import rows of known customers or orders say nothing new (see `unchanged`); a boolean each."""
        return self._ask_facts(lambda cursor: unchanged_rows(cursor, kind, app_key, rows, lines))

    def said_attributes(self, keys: Collection[str]) -> set[str]:
        """Those of the attributes of which there is a value, from whatever source."""
        return self._ask(lambda cursor: lookup.said_attributes(cursor, keys))

    def seen_events(self, numbers: Collection[int]) -> set[int]:
        """Those of the events that ever happened."""
        return self._ask_facts(lambda cursor: lookup.seen_events(cursor, numbers))

    def last_taken(
        self, sources: Collection[int], since: datetime, counted_since: datetime
    ) -> dict[int, tuple[int, datetime]]:
        """By source how many items were taken since the later time, and when the last one since the earlier."""
        return self._ask(lambda cursor: refused.last_taken(cursor, sources, since, counted_since))

    def refused(self, asked: Asked, before: int | None, limit: int) -> list[Refused]:
        """What was refused, newest first; `before`: the number of the last one seen."""
        return self._ask(lambda cursor: refused.newest_refused(cursor, asked, before, limit))

    def refused_to_replay(self, asked: Asked, after: int, last: int, limit: int) -> list[Refused]:
        """What can be taken once more of numbers behind `after` up to `last`, in the order of refusal."""
        return self._ask(lambda cursor: refused.to_replay(cursor, asked, after, last, limit))

    def refused_counts(self, asked: Asked) -> list[RefusedCount]:
        """By app and verdict, the most frequent first."""
        return self._ask(lambda cursor: refused.count_refused(cursor, asked))

    def last_refused(self) -> int:
        """The greatest number ever given; 0 before the first."""
        return self._ask(rejects.last_number)

    def refused_naming(self, subject: Subject) -> list[Refused]:
        """What was refused and names these people somewhere, in the order of refusal."""

        def read(cursor: duckdb.DuckDBPyConnection) -> list[Refused]:
            cursor.begin()
            numbers = erase.refused_naming(cursor, subject)
            return refused.newest_refused(cursor, Asked(numbers=numbers), None, len(numbers))[::-1] if numbers else []

        return self._ask(read)

    def app_figures(self) -> dict[int, tuple[int, datetime | None]]:
        """By the number of an app: how many customers have it, and its newest use."""
        return self._ask_facts(figures.app_figures)

    def event_figures(self, app_key: int) -> dict[int, tuple[int, datetime]]:
        """By the number of an event: how often it happened in the app, and when last."""
        return self._ask_facts(lambda cursor: figures.event_figures(cursor, app_key))

    def values_lost(self, attribute: str, old: Type, new: Type) -> int:
        """How many customers have a value of the one type that is none of the other."""
        return self._ask_facts(lambda cursor: figures.values_lost(cursor, attribute, old, new))

    # Writing

    def submit(self, write: Write[Answer]) -> Future[Answer]:
        """Runs `write(connection)` on the writer's thread in a transaction of its own."""
        return self._writer.submit(write)

    def append(
        self, batch: Batch, catalog: Catalog, cursors: Mapping[str, Any] | None = None, *, derive: bool = True
    ) -> Outcome:
        """Takes a batch and the positions of who sent it in one transaction (C-32), facts derived when it returns.

        With `derive=False` the facts of the touched customers stay as they are until `derive_stale`, whatever comes
        between: a long import costs half.
        """
        self.use_catalog(catalog)
        return self.submit(
            lambda connection: append_batch(
                connection, batch, cursors or {}, catalog, derive=derive, ledger=self._ledger
            )
        ).result()

    def append_items(
        self,
        items: Sequence[Item],
        received_at: datetime,
        catalog: Catalog,
        cursors: Mapping[str, Any],
        tell: Tell | None = None,
    ) -> Outcome:
        """Like `append` of these items. A few are in within milliseconds; their facts are derived by `settle`.

        `tell`: see `Batch`.
        """
        if len(items) > MOST_ITEMS:
            return self.append(batch_of(items, received_at, tell), catalog, cursors)
        self.use_catalog(catalog)

        def write(connection: duckdb.DuckDBPyConnection) -> tuple[Outcome, Tables | None]:
            few = append_few(connection, items, received_at, cursors, catalog, self._ledger, tell)
            if few is not None:
                self._late.note()
                return few
            batch = batch_of(items, received_at, tell)
            return append_batch(connection, batch, cursors, catalog, ledger=self._ledger), None

        commits = self._writer.commits
        writing = self.submit(write)
        seen = self._ahead.look(items, commits, catalog)
        outcome, rows = writing.result()
        self._ahead.keep(seen, rows, outcome.touched)
        return outcome

    def replay(
        self, numbers: Sequence[int], items: Sequence[Item], received_at: datetime, catalog: Catalog, tell: Tell
    ) -> Outcome | None:
        """Takes items in the place of refused ones; None, and nothing done, if one of those is not there any more."""
        self.use_catalog(catalog)
        batch = batch_of(items, received_at, tell)
        return self.submit(
            lambda connection: refused.replay(connection, numbers, batch, catalog, self._ledger)
        ).result()

    @property
    def catalog(self) -> Catalog:
        """By which it reads and writes."""
        return self._catalog

    @property
    def is_late(self) -> bool:
        """Whether there are facts to be derived from what came alone. Whoever asks for facts does not see that."""
        return self._late.is_late

    def settle(self) -> None:
        """Derives them now."""
        self._late.settle(self._catalog)

    def take_settled(self) -> BitMap:
        """Everybody whose rows may have changed by settling, whoever caused it, since this was asked last."""
        return self._late.take_settled()

    def derive_stale(self, catalog: Catalog) -> BitMap:
        """Derives what appends without deriving left; answers everybody whose rows may have changed."""
        self.use_catalog(catalog)

        def write(connection: duckdb.DuckDBPyConnection) -> BitMap:
            install_settings(connection, catalog)
            return derive_stale(connection, catalog)

        return self.submit(write).result()

    def cursors(self) -> dict[str, Any]:
        """The committed position of every sender, by name."""
        return self._ask(read_cursors)

    def rederive(self, keys: BitMap | None, catalog: Catalog) -> BitMap:
        """Derives the customers (None: all) from their raw rows; answers everybody whose rows may have changed."""

        self.use_catalog(catalog)

        def write(connection: duckdb.DuckDBPyConnection) -> BitMap:
            install_settings(connection, catalog)
            return rederive_keys(connection, catalog, all_keys(connection) if keys is None else keys)

        return self.submit(write).result()

    def put_rates(self, rates: Sequence[Rate], catalog: Catalog, *, source: int = 0) -> BitMap:
        """Adds or replaces rates (C-24); answers the customers whose orders may have changed."""
        self.use_catalog(catalog)
        return self.submit(lambda connection: put_rates(connection, rates, catalog, source)).result()

    def restate_rates(self, old: str, new: str) -> None:
        """Tells all rates in another publisher's currency; nothing is derived."""
        self.submit(lambda connection: restate_rates(connection, old, new)).result()

    def remove_source(self, source: int, catalog: Catalog, *, cursor: str | None = None) -> BitMap:
        """Undoes all that came from one source (C-37), its cursor too; answers whose rows may have changed."""
        self.use_catalog(catalog)
        return self.submit(lambda connection: remove_source(connection, source, catalog, cursor)).result()

    def forget_app(self, app_key: int, catalog: Catalog) -> BitMap:
        """What no source removed of an app takes along; answers whose rows may have changed."""
        self.use_catalog(catalog)
        return self.submit(lambda connection: forget_app(connection, app_key, catalog)).result()

    def use_ledger(self, ledger: ErasureLedger | None) -> None:
        """From now on appends and dry runs refuse what is from before an erasure (C-47)."""
        self._ledger = ledger

    def subject_of(self, keys: BitMap) -> Subject:
        """Everything these customers are known by; retired keys stand for their survivors."""
        return self._ask(lambda cursor: erase.subject_of(cursor, keys))

    def erase_customers(self, subject: Subject, catalog: Catalog) -> tuple[dict[str, int], BitMap]:
        """Removes every row of theirs; answers the rows by relation, and everybody whose rows may have changed.

        What lies in the file is overwritten by `scrub`.
        """
        self.use_catalog(catalog)
        since = system_clock().isoformat(timespec="seconds")
        return self.submit(lambda connection: erase.erase_customers(connection, subject, catalog, since)).result()

    def count_customers(self, subject: Subject) -> dict[str, int]:
        """Rows of theirs by relation."""
        return self._ask(lambda cursor: erase.count_customers(cursor, subject))

    def remembers_erasures(self) -> bool:
        """Whether anybody was erased as far back as the ledger goes."""
        return bool(self._ledger)

    def erased_rows(self, app_key: int, rows: pa.Table, said_at: datetime) -> pa.Array:
        """Which import rows are from before an erasure (see `erased`); a boolean each."""
        ledger = self._ledger
        if not ledger:
            return pa.array([False] * rows.num_rows)
        return self._ask(lambda cursor: erased.erased_rows(cursor, ledger, app_key, rows, said_at))

    def erased_people(self) -> dict[datetime, BitMap]:
        """Who is there although they were erased, by the instant (UTC without a zone) of the erasure."""
        ledger = self._ledger
        return self._ask(lambda cursor: erased.erased_people(cursor, ledger)) if ledger else {}

    def put_consents(self, entries: Sequence[ConsentEntry], catalog: Catalog) -> BitMap:
        """Adds entries to the log of consents (C-12); answers everybody whose rows may have changed."""
        self.use_catalog(catalog)
        return self.submit(lambda connection: put_consents(connection, entries, catalog)).result()

    def raw_rows(self, keys: BitMap, names: Collection[str] | None = None) -> dict[str, list[dict[str, Any]]]:
        """All that was ever said of these customers, by raw relation (None: all), as it is kept (see `raw`)."""
        return self._ask(lambda cursor: raw_rows(cursor, keys, self._catalog, names))

    def drop_old_events(self, cut: datetime) -> dict[str, int]:
        """Retention of events (C-48): what both happened and came before; facts stay as they are (C-33)."""
        return self.submit(lambda connection: retention.drop_old_events(connection, cut)).result()

    def drop_old_rejects(self, cut: datetime) -> int:
        """What was refused before."""
        return self.submit(lambda connection: retention.drop_old_rejects(connection, cut)).result()

    def forget_repetitions(self, cut: datetime, first_key: int) -> int:
        """Which items came before, otherwise than by imports: their sources are smaller than `first_key`."""
        return self.submit(lambda connection: retention.forget_repetitions(connection, cut, first_key)).result()

    def unseen_visitors(self, cut: datetime, most: int) -> BitMap:
        """Customers without an external id who were last seen before; at most so many."""
        return self._ask_facts(lambda cursor: retention.unseen_visitors(cursor, cut, most))

    def customers_under(self, age: int, today: date, most: int) -> BitMap:
        """Who is known to be younger than `age` on the day; at most so many."""
        return self._ask_facts(lambda cursor: retention.customers_under(cursor, age, today, most))

    def compact(
        self, check: Callable[[], None], progress: Callable[[int, int], None] = lambda _done, _of: None
    ) -> bool:
        """Puts rows back in the order of customers, if it is due, in steps between which others write; answers whether
        it was. `check` may raise between steps: the next time goes on from there. `progress`: customers done, and all.
        """
        if not self._ask(is_due):
            return False
        while (done := self.submit(compact_step).result()) is not None:
            progress(done, self.highest_key())
            check()
        self.checkpoint()
        return True

    def scrub(self) -> bool:
        """Overwrites what erasures left in the file; answers whether there was anything (see `scrub`)."""
        return self._writer.submit_alone(scrub).result()

    def use_catalog(self, catalog: Catalog) -> None:
        """Reads and writes by this catalog from now on; adds the columns of its custom attributes if they are new."""
        if catalog == self._catalog:
            return
        # What came alone is derived as the catalog was when it came.
        self.settle()
        self.submit(lambda connection: schema.ensure_columns(connection, catalog)).result()
        self._columns = self._ask(schema.askable_columns)
        self._catalog = catalog

    @contextmanager
    def frugal(self) -> Iterator[None]:
        """For long imports: the engine keeps to `FRUGAL_MEMORY` and spills what does not fit."""
        usual = self.submit_setting("memory_limit", FRUGAL_MEMORY)
        try:
            yield
        finally:
            self.submit_setting("memory_limit", usual)

    def submit_setting(self, name: str, value: str) -> str:
        """Changes a setting of the engine; answers what it was."""

        def change(connection: duckdb.DuckDBPyConnection) -> str:
            [(before,)] = connection.execute("SELECT current_setting(?)", [name]).fetchall()
            connection.execute(f"SET GLOBAL {name} = {literal(value)}")
            return str(before)

        return self._writer.submit_alone(change).result()

    def load(self, table: str, rows: pa.Table) -> int:
        """Appends rows to one table, raw or derived, by column name; for benchmarks and tests. Answers their number.

        `props` of events is JSON text. Nothing is derived.
        """
        return self.submit(lambda connection: load_rows(connection, table, rows)).result()

    def clear(self) -> None:
        """Empties every table, for tests: the next customer has key 1 again."""
        self.submit(schema.clear).result()
        self._late.forget()

    def checkpoint(self) -> None:
        """Moves the log into the file; event properties are only asked fast from there (C-29)."""
        self._writer.submit_alone(lambda connection: connection.execute("CHECKPOINT")).result()

    def copy_to(self, directory: Path, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Copies the database into an empty directory, as it is at one instant; durable when it returns.

        `meanwhile` is called first, on the writer's thread: nothing is written from its beginning until the copy is
        done, so what it sees elsewhere belongs to the same instant. Readers go on.
        """

        def copy(connection: duckdb.DuckDBPyConnection) -> None:
            meanwhile()
            # Readers of an older state may hold it up; then the log is copied beside the file.
            with suppress(duckdb.TransactionException):
                connection.execute("CHECKPOINT")
            self._instance.copy_to(directory)

        self._writer.submit_alone(copy).result()

    def _ask_facts(self, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
        self.settle()
        return self._ask(question)

    def _meta(self, key: str) -> str | None:
        return self._ask(lambda cursor: schema.get_meta(cursor, key))

    def _ask(self, question: Callable[[duckdb.DuckDBPyConnection], Answer]) -> Answer:
        with self._instance.cursor() as cursor:
            return question(cursor)
