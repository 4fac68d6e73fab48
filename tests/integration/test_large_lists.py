"""Lists far larger than the memory they are given (G-28): nothing is lost, nothing runs out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from muster.warehouse.files.reading import Source, open_rows
from muster.warehouse.lists.entries import EntryKind
from muster.warehouse.lists.files import ListFiles
from muster.warehouse.lists.stage import MembersStage

NOBODY = pa.table({"kind": pa.array([], pa.uint8()), "identity": pa.array([], pa.string())})


class EveryThird:
    """A warehouse that knows the addresses whose number divides by three."""

    def matching_entries(self, entries: pa.RecordBatchReader, *, customers: bool) -> Iterator[pa.RecordBatch]:
        assert not customers
        for batch in entries:
            numbers = pa.compute.utf8_slice_codeunits(batch.column("identity"), 6, 14).cast(pa.int64())
            thirds = pa.compute.subtract(numbers, pa.compute.multiply(pa.compute.divide(numbers, 3), 3))
            yield batch.filter(pa.compute.equal(thirds, 0))


def _write(path: Path, people: int) -> None:
    """Every tenth person stands there twice, the second time far below the first and in capitals."""
    with path.open("w") as file:
        file.write("email\n")
        file.writelines(f"person{number:08}@example.com\n" for number in range(people))
        file.writelines(f"PERSON{number:08}@example.com\n" for number in range(0, people, 10))


def _through_every_mode(directory: Path, people: int, **room: Any) -> None:
    path = directory / "list.csv"
    _write(path, people)
    files = ListFiles(directory / "lists")
    known = -(-people // 3)
    repeated = -(-people // 10)
    expected = {
        "add": {"new": known, "pending": people - known},
        "replace": {"already_member": people},
        "remove": {"removed": people},
    }
    for version, mode in enumerate(expected, start=1):
        (stage_directory := directory / mode).mkdir()
        with MembersStage(stage_directory, mode, **room) as stage:
            counts = stage.fill(
                open_rows(path, Source()),
                "email",
                EntryKind.EMAIL,
                files.read("grp_1", version - 1),
                NOBODY,
                EveryThird(),
                lambda _: None,
            )
            written = files.write("grp_1", version, stage.result())
        assert counts == {**expected[mode], "duplicate_in_file": repeated}
        assert written == (0 if mode == "remove" else people)
        entries = [one.column("entry") for one in files.read("grp_1", version)]
        first = [str(entry) for entry in entries[0][:3]] if entries else []
        assert first == ([] if mode == "remove" else [f"person{number:08}@example.com" for number in range(3)])
        in_order = pa.chunked_array(entries, pa.string()).to_pylist()
        assert in_order == sorted(in_order)


def test_list_larger_than_its_memory(tmp_path: Path) -> None:
    """G-28: what is joined and sorted does not fit, and is done in pieces or spilled."""
    _through_every_mode(tmp_path, 600_000, memory="48MiB", piece=50_000)


@pytest.mark.scale
def test_list_of_ten_million(tmp_path: Path) -> None:
    """G-28"""
    _through_every_mode(tmp_path, 10_000_000)
