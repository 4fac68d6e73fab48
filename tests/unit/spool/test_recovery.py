"""What a damaged file still holds comes back, once (E-19)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from muster.spool import files
from muster.spool.entries import Spooled
from muster.spool.looking import look, newest
from muster.spool.reading import Cursor, SpoolReader
from muster.spool.recovery import recover, set_aside_files, set_damaged_aside, unreadable_files
from muster.spool.slots import slot_path, take_slot
from tests.unit.spool.test_spool import entry, writing


def fill(folder: Path, count: int = 200) -> str:
    """Each request on a page of its own, in places 1 to `count`; answers the file's name."""
    with writing(folder) as (writer, settlements):
        for number in range(1, count + 1):
            writer.append(entry(number, b"x" * 3_000), number)
        settlements.places(count)
        return writer.file_id


def hurt(path: Path, page: int, pages: int = 1) -> None:
    with path.open("r+b") as file:
        file.seek((page - 1) * 4_096)
        file.write(b"\xff" * 4_096 * pages)


def rows(folder: Path) -> dict[int, list[Spooled]]:
    with closing(SpoolReader(folder)) as reader:
        return {one.slot: one.rows for one in reader.waiting({}, 10_000)}


def test_what_can_be_read_comes_back_under_its_places(tmp_path: Path) -> None:
    """A page of the middle is lost, what lies before and behind it is not."""
    name = fill(tmp_path)
    hurt(slot_path(tmp_path, 1), 100)
    [aside] = set_damaged_aside(tmp_path)
    [found] = recover(tmp_path, {})
    back = rows(tmp_path)[64]
    lost = set(range(1, 201)) - {row.seq for row in back}
    assert 1 <= len(lost) <= 2
    assert (found.file, found.requests, found.slot) == (aside.name, 200 - len(lost), 64)
    assert [row.entry for row in back] == [entry(row.seq, b"x" * 3_000) for row in back]
    with closing(files.open_to_read(slot_path(tmp_path, 64))) as connection:
        assert files.file_id(connection) == name
    assert set_aside_files(tmp_path) == []
    assert [path.name for path in unreadable_files(tmp_path)] == [found.kept]
    assert recover(tmp_path, {}) == []


def test_what_the_warehouse_has_does_not_come_back(tmp_path: Path) -> None:
    name = fill(tmp_path, 10)
    files.set_aside(slot_path(tmp_path, 1))
    [found] = recover(tmp_path, {name: 7})
    assert (found.requests, found.kept) == (3, None)
    assert [row.seq for row in rows(tmp_path)[64]] == [8, 9, 10]
    assert list(tmp_path.glob("slot-01*")) == [tmp_path / "slot-01.lock"]


def test_file_that_is_none_is_kept(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    files.set_aside(slot_path(tmp_path, 1))
    [aside] = set_aside_files(tmp_path)
    aside.write_bytes(b"\xff" * 100_000)
    [found] = recover(tmp_path, {})
    assert (found.requests, found.slot) == (0, None)
    assert [path.read_bytes()[:1] for path in unreadable_files(tmp_path)] == [b"\xff"]
    assert rows(tmp_path) == {}


def test_file_in_use_is_not_looked_at(tmp_path: Path) -> None:
    """Its process does so when it begins."""
    fill(tmp_path, 50)
    hurt(slot_path(tmp_path, 1), 20)
    held = take_slot(tmp_path)
    assert set_damaged_aside(tmp_path) == []
    held.release()
    assert len(set_damaged_aside(tmp_path)) == 1


def test_look_tells_what_waits(tmp_path: Path) -> None:
    name = fill(tmp_path, 5)
    [found] = look(tmp_path, {1: Cursor(name, 2)})
    assert (found.slot, found.held, found.readable, found.drained) == (1, False, True, 2)
    assert (found.requests, found.items, found.body_bytes) == (3, 3, 9_000)
    assert found.oldest_us == entry(3).received_at_us
    with writing(tmp_path):
        [held] = look(tmp_path, {1: Cursor("another", 2)})
        assert (held.held, held.drained, held.requests) == (True, None, 5)
    shown = newest(tmp_path, {1: Cursor(name, 4)}, 2)
    assert [(one.slot, one.seq, one.drained) for one in shown] == [(1, 5, False), (1, 4, True)]


def test_look_at_a_file_that_is_none(tmp_path: Path) -> None:
    slot_path(tmp_path, 3).write_bytes(b"\xff" * 10_000)
    [found] = look(tmp_path, {})
    assert (found.slot, found.readable, found.requests, found.bytes) == (3, False, 0, 10_000)
    assert newest(tmp_path, {}, 5) == []


def test_no_row_is_read_twice_where_rows_are_few(tmp_path: Path) -> None:
    """The gap is looked through place by place."""
    fill(tmp_path, 3)
    path = slot_path(tmp_path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM batch WHERE seq = 2")
        connection.commit()
    files.set_aside(path)
    [found] = recover(tmp_path, {})
    assert (found.requests, [row.seq for row in rows(tmp_path)[64]]) == (2, [1, 3])
