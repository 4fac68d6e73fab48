"""How the store lies in one LMDB file: databases, keys, sizes (edge spec, section 7).

Masks and ids have two databases each: one in force, one in which the next content is written aside (E-34). Readers have
all four open from the beginning, because a handle that is opened later is never given back.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from muster.online.port import State

# One size for all processes: address space, not disk.
MAP_BYTES = 64 * 1024**3
MOST_DATABASES = 16
MOST_READERS = 1_024
DATABASES = (b"meta", b"keys", b"plans", b"columns", b"masks.0", b"masks.1", b"ids.0", b"ids.1")
STATE, HEARTBEAT = b"state", b"heartbeat_at"
CUSTOMERS_A_BLOCK = 64
LEAST_WIDTH, MOST_WIDTH = 8, 128
"""Bytes of one customer's mask."""

encode_state = msgspec.json.Encoder().encode
decode_state = msgspec.json.Decoder(State).decode


def open_environment(directory: Path, *, readonly: bool) -> tuple[lmdb.Environment, dict[bytes, Any]]:
    """The store and its databases. `lmdb.Error` if it is not there, or no store, or cut off."""
    environment = lmdb.open(
        str(directory),
        map_size=MAP_BYTES,
        max_dbs=MOST_DATABASES,
        max_readers=MOST_READERS,
        mode=0o600,
        readonly=readonly,
        create=not readonly,
        metasync=True,
        sync=True,
    )
    try:
        _check_whole(environment, directory)
        return environment, {name: environment.open_db(name, create=not readonly) for name in DATABASES}
    except BaseException:
        environment.close()
        raise


def _check_whole(environment: lmdb.Environment, directory: Path) -> None:
    """What a file lacks at its end is not missed until it is read, and then ends the process."""
    pages = environment.info()["last_pgno"] + 1
    if pages * environment.stat()["psize"] > file_of(directory).stat().st_size:
        raise lmdb.CorruptedError(f"{directory} is cut off")


def file_of(directory: Path) -> Path:
    return directory / "data.mdb"


def identity_of(directory: Path) -> tuple[int, int]:
    """Of the file in place: another after a rebuild from nothing."""
    found = os.stat(file_of(directory))
    return found.st_dev, found.st_ino


def block_key(block: int) -> bytes:
    return block.to_bytes(4, "big")
