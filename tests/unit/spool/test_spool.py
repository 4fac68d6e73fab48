"""What the spool says is stored is there again, whatever becomes of process and file (E-16, E-19)."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from muster.spool import files
from muster.spool.entries import ITEMS, Entry
from muster.spool.reading import Cursor, SpoolReader
from muster.spool.slots import NoSlotFree, slot_path, take_slot, try_slot
from muster.spool.writer import MOST_ENTRIES, Settled, SpoolWriter
from tests.integration.processes import wait_until


def entry(number: int, body: bytes = b"{}") -> Entry:
    return Entry(ITEMS, None, number, 1, 7, 2, None, 1, body)


class Settlements:
    """What a writer said, commit by commit."""

    def __init__(self) -> None:
        self.commits: list[Sequence[Settled[int]]] = []
        self._changed = threading.Condition()

    def __call__(self, settled: Sequence[Settled[int]]) -> None:
        with self._changed:
            self.commits.append(settled)
            self._changed.notify_all()

    def places(self, count: int) -> dict[int, int | None]:
        """By ticket, once so many are settled."""
        with self._changed:
            assert self._changed.wait_for(lambda: sum(map(len, self.commits)) >= count, 30)
        return {one.ticket: one.seq for commit in self.commits for one in commit}


@contextmanager
def writing(folder: Path, **settings: int) -> Iterator[tuple[SpoolWriter[int], Settlements]]:
    settlements = Settlements()
    told = {"least_free_bytes": 0, **settings}
    writer: SpoolWriter[int] = SpoolWriter(take_slot(folder), settlements, **told)
    try:
        yield writer, settlements
    finally:
        writer.close()


def waiting(folder: Path, cursors: dict[int, Cursor] | None = None) -> dict[int, list[int]]:
    """Places by slot."""
    reader = SpoolReader(folder)
    try:
        return {one.slot: [row.seq for row in one.rows] for one in reader.waiting(cursors or {}, 1_000_000)}
    finally:
        reader.close()


def test_entries_have_places_in_their_order(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, settlements):
        for number in range(3):
            writer.append(entry(number, b"%d" % number), number)
        assert settlements.places(3) == {0: 1, 1: 2, 2: 3}
        reader = SpoolReader(tmp_path)
        [found] = reader.waiting({}, 10)
        reader.close()
    assert [(row.seq, row.entry) for row in found.rows] == [(n + 1, entry(n, b"%d" % n)) for n in range(3)]


def test_all_who_wait_share_a_commit(tmp_path: Path) -> None:
    """E-16: at most 512 of them."""
    with writing(tmp_path) as (writer, settlements):
        with writer._changed:
            for number in range(1_000):
                writer._waiting.append((entry(number), number))
            writer._changed.notify()
        assert len(settlements.places(1_000)) == 1_000
        assert [len(commit) for commit in settlements.commits] == [MOST_ENTRIES, 1_000 - MOST_ENTRIES]


def test_second_process_has_a_slot_of_its_own(tmp_path: Path) -> None:
    first, second = take_slot(tmp_path), take_slot(tmp_path)
    assert (first.number, second.number, try_slot(tmp_path, 1)) == (1, 2, None)
    first.release()
    third = take_slot(tmp_path)
    assert third.number == 1
    second.release()
    third.release()


def test_no_slot_beyond_64(tmp_path: Path) -> None:
    slots = [take_slot(tmp_path) for _ in range(64)]
    with pytest.raises(NoSlotFree):
        take_slot(tmp_path)
    for slot in slots:
        slot.release()


def test_places_go_on_after_everything_was_forgotten(tmp_path: Path) -> None:
    """No place is used twice: the warehouse knows places, not rows."""
    with writing(tmp_path) as (writer, settlements):
        for number in range(3):
            writer.append(entry(number), number)
        settlements.places(3)
        writer.forget_until(3)
        wait_until(lambda: waiting(tmp_path) == {1: []})
    with writing(tmp_path) as (writer, settlements):
        writer.append(entry(9), 9)
        assert settlements.places(1) == {9: 4}


def test_places_of_a_new_file_begin_where_they_are_told(tmp_path: Path) -> None:
    with writing(tmp_path, first_seq=500) as (writer, settlements):
        writer.append(entry(1), 1)
        assert settlements.places(1) == {1: 500}


def test_cursor_of_another_file_counts_for_nothing(tmp_path: Path) -> None:
    with writing(tmp_path) as (writer, settlements):
        writer.append(entry(1), 1)
        settlements.places(1)
        assert waiting(tmp_path, {1: Cursor(writer.file_id, 1)}) == {1: []}
        assert waiting(tmp_path, {1: Cursor("another", 1)}) == {1: [1]}


def test_commit_that_fails_stores_nothing_and_says_so(tmp_path: Path) -> None:
    """503: what was not stored is sent again."""
    with writing(tmp_path) as (writer, settlements):
        writer._connection.execute("PRAGMA max_page_count = 12")
        writer.append(entry(1, b"x" * 200_000), 1)
        assert settlements.places(1) == {1: None}
        writer.append(entry(2), 2)
        assert settlements.places(2) == {1: None, 2: 1}
    assert waiting(tmp_path) == {1: [1]}


def test_what_cannot_be_written_at_all_ends_nothing(tmp_path: Path) -> None:
    """Nobody would ever be answered again."""
    with writing(tmp_path) as (writer, settlements):
        writer.append(entry(1)._replace(received_at_us=2**70), 1)
        assert settlements.places(1) == {1: None}
        writer.append(entry(2), 2)
        assert settlements.places(2) == {1: None, 2: 1}


def test_log_that_ends_in_the_middle_keeps_what_was_committed(tmp_path: Path) -> None:
    """The tail of a commit that was never answered."""
    child = os.fork()
    if not child:
        settlements = Settlements()
        writer: SpoolWriter[int] = SpoolWriter(take_slot(tmp_path), settlements, least_free_bytes=0)
        writer.append(entry(1), 1)
        settlements.places(1)
        os._exit(0)
    os.waitpid(child, 0)
    log = Path(f"{slot_path(tmp_path, 1)}-wal")
    with log.open("ab") as file:
        file.write(os.urandom(3_000))
    with writing(tmp_path) as (writer, settlements):
        writer.append(entry(2), 2)
        assert settlements.places(1) == {2: 2}
    assert waiting(tmp_path) == {1: [1, 2]}


def test_damaged_file_is_set_aside(tmp_path: Path) -> None:
    """E-19: the slot goes on with a new file, whose places were never used."""
    with writing(tmp_path) as (writer, settlements):
        writer.append(entry(1, b"x" * 100_000), 1)
        settlements.places(1)
    path = slot_path(tmp_path, 1)
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 8_192)
    with writing(tmp_path, first_seq=2) as (writer, settlements):
        writer.append(entry(2), 2)
        assert settlements.places(1) == {2: 1_000_002}
    assert len(list(tmp_path.glob("slot-01.damaged-????????"))) == 1


def test_sweep_removes_what_is_drained_and_nobodys(tmp_path: Path) -> None:
    """E-19: fewer processes than before."""
    with writing(tmp_path) as (writer, settlements):
        writer.append(entry(1), 1)
        settlements.places(1)
        done = {1: Cursor(writer.file_id, 1)}
        reader = SpoolReader(tmp_path)
        assert reader.sweep(done) == []
    assert (reader.sweep({}), reader.sweep(done)) == ([], [1])
    reader.close()
    assert not slot_path(tmp_path, 1).exists()


def test_full_spool_says_so(tmp_path: Path) -> None:
    """E-23."""
    with writing(tmp_path, largest_bytes=1_000_000) as (writer, settlements):
        assert not writer.is_full
        for number in range(20):
            writer.append(entry(number, b"x" * 100_000), number)
        settlements.places(20)
        wait_until(lambda: writer.is_full)
        assert files.used_bytes(writer._connection, writer.slot.path) > 1_000_000


def test_disk_that_is_nearly_full_takes_nothing(tmp_path: Path) -> None:
    with writing(tmp_path, least_free_bytes=2**62) as (writer, _):
        assert writer.is_full


def test_reader_writes_nothing(tmp_path: Path) -> None:
    with (
        writing(tmp_path),
        closing(files.open_to_read(slot_path(tmp_path, 1))) as connection,
        pytest.raises(sqlite3.OperationalError),
    ):
        connection.execute("DELETE FROM batch")


def test_what_lies_there_is_known_by_places_not_by_times(tmp_path: Path) -> None:
    """C-46: a clock that was set back since changes nothing of what must be let go of."""
    with writing(tmp_path) as (writer, settlements), closing(SpoolReader(tmp_path)) as reader:
        assert reader.newest() == {}
        for number, received_at_us in enumerate((2**50, 2**50 + 1), start=1):
            writer.append(entry(received_at_us), number)
        settlements.places(2)
        there = reader.newest()
        assert (there, reader.holds(there)) == ({1: Cursor(writer.file_id, 2)}, True)
        writer.append(entry(1), 3)
        settlements.places(3)
        writer.forget_until(2)
        wait_until(lambda: not reader.holds(there))
        assert reader.newest() == {1: Cursor(writer.file_id, 3)}


def test_disk_that_cannot_be_looked_at_ends_nothing(tmp_path: Path) -> None:
    """The next commit says what is the case; whoever waits is told."""
    with writing(tmp_path) as (writer, settlements):
        slot_path(tmp_path, 1).rename(tmp_path / "gone")
        writer.slot.directory = tmp_path / "nowhere"
        writer._look()
        writer.append(entry(1), 1)
        assert settlements.places(1) == {1: 1}
