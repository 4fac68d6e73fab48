"""Entries of lists: what is typed, whom it names, how it leaves and comes back (groups spec, section 6)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.warehouse.files.reading import Source, open_rows
from muster.warehouse.lists.entries import EntryKind, exported, named, read_cell, words
from muster.warehouse.lists.files import SCHEMA, ListFiles
from muster.warehouse.lists.stage import MODES, MembersStage
from tests.naughty import NAUGHTY

NOBODY = pa.table({"kind": pa.array([], pa.uint8()), "identity": pa.array([], pa.string())})


class Nobody:
    """A warehouse without customers."""

    def matching_entries(self, entries: pa.RecordBatchReader, *, customers: bool) -> Iterator[pa.RecordBatch]:
        entries.read_all()
        assert isinstance(customers, bool)
        yield from ()


def _judge(
    directory: Path,
    content: bytes,
    *,
    column: str | None = None,
    expected: EntryKind = EntryKind.EMAIL,
    mode: str = "add",
    current: list[str] | None = None,
    encoding: str | None = None,
) -> tuple[list[tuple[int, str, str | None, str]], list[str]]:
    """(row, verdict, reason, entry) of every row, and the entries of the list afterwards."""
    path = directory / "file"
    path.write_bytes(content)
    rows = open_rows(path, Source(encoding=encoding))
    known = [named(entry) for entry in current or []]
    table = pa.table(
        {
            "kind": [one.kind for one in known],
            "entry": current or [],
            "identity": [one.identity for one in known],
        },
        schema=SCHEMA,
    )
    with MembersStage(directory, mode) as stage:
        counts = stage.fill(
            rows, column or rows.columns[0], expected, table.to_reader(), NOBODY, Nobody(), lambda read: None
        )
        judged = [(one.row, one.verdict, one.reason, one.value or "") for one in stage.rows(None, 0, 10_000)]
        after = [entry for batch in stage.result() for entry in batch.column("entry").to_pylist()]
        assert sum(counts.values()) == len(judged)
    return judged, after


def test_words_are_what_stands_between_separators() -> None:
    """G-24"""
    pasted = 'ann@x.org, bob@x.org;carl@x.org\r\n\n "Dora, D." <dora@x.org>; Emil E <emil@x.org>  no-address\t,;'
    assert list(words(pasted)) == [
        "ann@x.org",
        "bob@x.org",
        "carl@x.org",
        '"Dora',
        "dora@x.org",
        "emil@x.org",
        "no-address",
    ]


@pytest.mark.parametrize(
    ("entry", "expected", "kind", "identity", "reason"),
    [
        ("Ann@Example.COM", EntryKind.EMAIL, EntryKind.EMAIL, "ann@example.com", None),
        ("ann@BÜCHER.example", EntryKind.EMAIL, EntryKind.EMAIL, "ann@xn--bcher-kva.example", None),
        ("cus_2F", EntryKind.EMAIL, EntryKind.CUSTOMER, "79", None),
        ("cus_", EntryKind.EMAIL, EntryKind.CUSTOMER, None, "not_a_customer_id"),
        ("external: u1", EntryKind.EMAIL, EntryKind.EXTERNAL, "u1", None),
        ("u1", EntryKind.EXTERNAL, EntryKind.EXTERNAL, "u1", None),
        ("u1", EntryKind.EMAIL, EntryKind.EMAIL, None, "not_an_address"),
        ("", EntryKind.EMAIL, EntryKind.EMAIL, None, "empty"),
        ("a" * 256, EntryKind.EXTERNAL, EntryKind.EXTERNAL, None, "too_long"),
    ],
)
def test_entry_names_somebody_or_says_why_not(
    entry: str, expected: EntryKind, kind: EntryKind, identity: str | None, reason: str | None
) -> None:
    """G-23"""
    assert named(entry, expected) == (kind, identity, reason)


@given(st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip()))
def test_exported_entry_is_read_back(entry: str) -> None:
    """G-26"""
    assert read_cell(exported(entry)) == entry
    assert not exported(entry).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_every_row_has_one_verdict(tmp_path: Path) -> None:
    """G-25"""
    content = b"name,email\nAnn,ann@x.org\nBob,bob@x.org\nAnn again,ANN@x.org\nNo,nothing\nShort\nOld,old@x.org\n,\n"
    judged, after = _judge(tmp_path, content, column="email", current=["old@x.org"])
    assert judged == [
        (1, "pending", None, "ann@x.org"),
        (2, "pending", None, "bob@x.org"),
        (3, "duplicate_in_file", None, "ANN@x.org"),
        (4, "invalid", "not_an_address", "nothing"),
        (5, "invalid", "too_few_cells", "Short"),
        (6, "already_member", None, "old@x.org"),
        (7, "invalid", "empty", ""),
    ]
    assert after == ["old@x.org", "ann@x.org", "bob@x.org"]


@pytest.mark.parametrize(
    ("mode", "after", "verdicts"),
    [
        ("add", ["a@x", "b@x", "c@x"], ["already_member", "pending"]),
        ("replace", ["B@x", "c@x"], ["already_member", "pending"]),
        ("remove", ["a@x"], ["removed", "not_a_member"]),
    ],
)
def test_mode_decides_what_stays(tmp_path: Path, mode: str, after: list[str], verdicts: list[str]) -> None:
    """G-25"""
    assert mode in MODES
    judged, entries = _judge(tmp_path, b"email\nB@x\nc@x\n", mode=mode, current=["a@x", "b@x"])
    assert ([verdict for _, verdict, _, _ in judged], entries) == (verdicts, after)


def test_first_record_is_a_row_when_it_names_somebody(tmp_path: Path) -> None:
    """G-24: the header is optional."""
    judged, _ = _judge(tmp_path, b"ann@x.org;Ann\nbob@x.org\ncarl@x.org;Carl\n")
    assert [(row, verdict, reason) for row, verdict, reason, _ in judged] == [
        (1, "pending", None),
        (2, "invalid", "too_few_cells"),
        (3, "pending", None),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    """G-24"""
    text = "Name;E-Mail\nJörg Müller;jörg@müller.example\nÅsa;åsa@example.com\n"
    judged, after = _judge(tmp_path, text.encode(encoding), column="E-Mail")
    assert [verdict for _, verdict, _, _ in judged] == ["pending", "pending"]
    assert after == ["jörg@müller.example", "åsa@example.com"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *NAUGHTY,
                "ann@x.org",
                " ann@x.org ",
                "'=ann@x.org",
                "cus_2f",
                "\u00e9@x.org",
                "ann@@x.org",
                '"a@n"@x.org',
                "ann@x..org",
                "ann@.org",
                "ann@x.org.",
            ]
        ),
        max_size=12,
    )
)
def test_quick_way_and_plain_way_judge_alike(tmp_path_factory: pytest.TempPathFactory, entries: list[str]) -> None:
    """The verdicts of the stage are those of `named`, row by row, and no row is lost."""
    directory = tmp_path_factory.mktemp("stage")
    file = directory / "written"
    with file.open("w", encoding="utf-8", newline="") as written:
        csv.writer(written, quoting=csv.QUOTE_ALL).writerows([["email"], *[[one] for one in entries]])
    judged, after = _judge(directory, file.read_bytes(), encoding="utf-8")
    seen: set[tuple[int, str]] = set()
    expected, kept = [], []
    for number, cell in enumerate(entries, start=1):
        found = named(read_cell(cell))
        if found.identity is None:
            expected.append((number, "invalid", found.reason))
        elif (found.kind, found.identity) in seen:
            expected.append((number, "duplicate_in_file", None))
        else:
            seen.add((found.kind, found.identity))
            kept.append(read_cell(cell))
            expected.append((number, "pending", None))
    assert [(row, verdict, reason) for row, verdict, reason, _ in judged] == expected
    assert after == kept


def test_list_file_is_read_back_and_swept(tmp_path: Path) -> None:
    files = ListFiles(tmp_path)
    batch = pa.record_batch({"kind": [0], "entry": ["Ann@x"], "identity": ["ann@x"]}, schema=SCHEMA)
    assert files.write("grp_1", 1, [batch, batch]) == 2
    assert files.write("grp_1", 2, []) == 0
    assert files.read("grp_1", 1).read_all().to_pylist() == [{"kind": 0, "entry": "Ann@x", "identity": "ann@x"}] * 2
    assert files.read("grp_1", 0).read_all().num_rows == 0
    (tmp_path / "grp_1.3.unfinished").write_bytes(b"half")
    assert files.sweep({"grp_1": {1}}) == 2
    assert list(files.versions()) == [("grp_1", 1)]
