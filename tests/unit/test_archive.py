"""The file of a backup: what is written is read back, and nothing else is believed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from muster.kernel.errors import MusterError
from muster.wiring.operation.archive import Manifest, extract_archive, read_manifest, write_archive

MADE_AT = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)
CONTENTS = {"control.sqlite3": b"rows" * 1_000_000, "membership/grp_1.7.roaring": b"", "ledger/erased": b"line\n"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    sources = {}
    for number, (name, content) in enumerate(CONTENTS.items()):
        sources[name] = tmp_path / f"source{number}"
        sources[name].write_bytes(content)
    sizes = {name: len(content) for name, content in CONTENTS.items()}
    manifest = Manifest("0.1.0", MADE_AT, {"groups": "0003_lists"}, 2, sizes)
    write_archive(tmp_path / "backup.tar.zst", manifest, sources)
    return tmp_path / "backup.tar.zst"


def test_archive_gives_back_what_was_put_in(archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "restored"
    target.mkdir()
    told: list[int] = []
    manifest = extract_archive(archive, target, told.append)
    assert manifest == read_manifest(archive)
    assert (manifest.created_at, manifest.muster, manifest.format) == (MADE_AT, "0.1.0", 1)
    found = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert found == CONTENTS
    assert (told[-1], oct(archive.stat().st_mode & 0o777)) == (sum(map(len, CONTENTS.values())), "0o600")
    assert {oct(path.stat().st_mode & 0o777) for path in target.rglob("*") if path.is_file()} == {"0o600"}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_archive_cut_short_is_refused(archive: Path, share: float) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(len(whole) * share)])
    assert _refusal(archive) == "backup_damaged"


def test_every_changed_byte_is_noticed(archive: Path) -> None:
    whole = archive.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 0x10
        archive.write_bytes(bytes(changed))
        # A flag of the compression that says nothing about the content may differ; content may not.
        code = _code(archive)
        assert code in (None, "backup_damaged", "backup_too_new")
        if code is None:
            assert zstandard.ZstdDecompressor().stream_reader(io.BytesIO(bytes(changed))).read() == _plain(whole)


def _code(archive: Path) -> str | None:
    try:
        extract_archive(archive, None)
    except MusterError as error:
        return error.code
    return None


def _plain(archive: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(archive)).read()


Entry = tuple[tarfile.TarInfo, bytes]


def _entry(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname, info.size = "/etc/passwd", 0
    return info, content


def _archive_of(path: Path, members: list[Entry], sizes: dict[str, int] | None = None, **manifest: object) -> Path:
    """An archive whose hashes are right, whatever its members are."""
    document = {
        "format": 1,
        "muster": "0.1.0",
        "created_at": MADE_AT.isoformat(),
        "control_schema": {},
        "warehouse_schema": 1,
        "sizes": {info.name: len(content) for info, content in members} if sizes is None else sizes,
        "missing": [],
    }
    hashes = {info.name: hashlib.sha256(content).hexdigest() for info, content in members}
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as tar:
        everything = [
            _entry("manifest.json", json.dumps({**document, **manifest}).encode()),
            *members,
            _entry("hashes.json", json.dumps(hashes).encode()),
        ]
        for info, content in everything:
            tar.addfile(info, io.BytesIO(content))
    path.write_bytes(zstandard.ZstdCompressor().compress(text.getvalue()))
    return path


CONTROL = _entry("control.sqlite3")


@pytest.mark.parametrize(
    "name",
    [
        "../outside", "/etc/cron.d/job", "membership/../../outside", "membership/grp_1.7.roaring/../x",
        "warehouse/tmp/x", "imports/imp_1/../../x", "imports/imp_1/other",
        "ledger/.hidden", "ledger/a/b", "owner.lock", "restore.json",
        "control.sqlite3\n", "membership/GRP.1.roaring", "",
    ],
)  # fmt: skip  # a table, read by rows
def test_name_that_is_no_part_is_refused(tmp_path: Path, name: str) -> None:
    archive = _archive_of(tmp_path / "a", [CONTROL, _entry(name)])
    (tmp_path / "in").mkdir()
    assert _refusal(archive, tmp_path / "in") == "backup_damaged"
    assert sorted(os.listdir(tmp_path)) == ["a", "in"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    archive = _archive_of(tmp_path / "a", [CONTROL, _entry("secret.key", b"", kind)])
    (tmp_path / "in").mkdir()
    assert _refusal(archive, tmp_path / "in") == "backup_damaged"


@pytest.mark.parametrize(
    ("members", "sizes"),
    [
        # Twice, not announced, announced smaller, announced and absent, without a control database.
        ([CONTROL, CONTROL], None),
        ([CONTROL, _entry("secret.key")], {"control.sqlite3": 1}),
        ([CONTROL, _entry("secret.key", b"long")], {"control.sqlite3": 1, "secret.key": 1}),
        ([CONTROL], {"control.sqlite3": 1, "secret.key": 1}),
        ([_entry("secret.key")], None),
        ([CONTROL], {"control.sqlite3": "1"}),
    ],
)
def test_archive_that_is_not_as_its_manifest_says_is_refused(
    tmp_path: Path, members: list[Entry], sizes: dict[str, int] | None
) -> None:
    assert _refusal(_archive_of(tmp_path / "a", members, sizes)) == "backup_damaged"


def test_wrong_hash_is_refused(tmp_path: Path) -> None:
    archive = _archive_of(tmp_path / "a", [CONTROL])
    plain = _plain(archive.read_bytes())
    right = hashlib.sha256(b"x").hexdigest().encode()
    wrong = hashlib.sha256(b"y").hexdigest().encode()
    archive.write_bytes(zstandard.ZstdCompressor().compress(plain.replace(right, wrong)))
    assert _refusal(archive) == "backup_damaged"


def test_format_of_a_newer_muster_is_named(tmp_path: Path) -> None:
    assert _refusal(_archive_of(tmp_path / "a", [CONTROL], format=2)) == "backup_too_new"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"x" * 100_000])
def test_other_files_are_no_backups(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert _refusal(tmp_path / "a") == "backup_damaged"


def test_endless_archive_ends(tmp_path: Path) -> None:
    """A small file that becomes gigabytes is given up when it is longer than its manifest says."""
    head = _plain(_archive_of(tmp_path / "a", [CONTROL]).read_bytes()).rstrip(b"\0")
    compressor = zstandard.ZstdCompressor()
    with (tmp_path / "a").open("wb") as file, compressor.stream_writer(file) as stream:
        stream.write(head + bytes(-len(head) % 512))
        for _ in range(1_100):
            stream.write(bytes(1_000_000))
    assert (tmp_path / "a").stat().st_size < 200_000
    assert _refusal(tmp_path / "a") == "backup_damaged"


def _refusal(archive: Path, directory: Path | None = None) -> str:
    with pytest.raises(MusterError) as refused:
        extract_archive(archive, directory)
    return refused.value.code
