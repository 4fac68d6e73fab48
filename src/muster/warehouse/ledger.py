"""The erasure ledger: who was erased when, as keyed hashes that name nobody without the installation's key (C-47).

One line an identity: the instant of the erasure (UTC, microseconds) and the hash in hex. The file is only appended to,
so that two copies are one by putting them together, and only rewritten to forget what is too old. It lies beside the
databases, not in them: a backup that is put back brings databases of before an erasure, never a ledger of before it
(ADR 0015).
"""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from muster.warehouse.subject import Name

KEPT = timedelta(days=400)
"""So long an erasure is remembered."""
_BLOCK = 64


class ErasureLedger:
    """Any thread of the process that owns the installation may use it. `secret`: the installation's own."""

    def __init__(self, path: Path, secret: str) -> None:
        self._path = path
        self._key = hmac.digest(secret.encode(), b"muster erasure ledger", "sha256")
        self._lock = threading.Lock()
        self._erased: dict[str, datetime] = {}
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._read()

    @property
    def path(self) -> Path:
        return self._path

    def __len__(self) -> int:
        return len(self._erased)

    @property
    def pads(self) -> tuple[bytes, bytes]:
        """The inner and the outer pad of HMAC (RFC 2104), for engines that only have SHA-256."""
        block = self._key.ljust(_BLOCK, b"\0")
        return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)

    def mark(self, name: Name) -> str:
        """The keyed hash of an identity, in hex."""
        return hmac.digest(self._key, spelled(name).encode(), "sha256").hex()

    def erased_at(self, name: Name) -> datetime | None:
        """When whoever had this identity was erased last."""
        return self._erased.get(self.mark(name))

    def add(self, names: Iterable[Name], erased_at: datetime) -> int:
        """Durable when it returns. Adding again changes nothing. Answers how many were new."""
        with self._lock:
            marks = {self.mark(name) for name in names}
            new = sorted(one for one in marks if self._erased.get(one, _NEVER) < erased_at)
            lines = "".join(_line(one, erased_at) for one in new)
            with self._path.open("a", encoding="ascii") as file:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            for one in new:
                self._take(one, erased_at)
            return len(new)

    def include(self, other: Path) -> int:
        """Takes over the lines of another copy, such as a backup's; answers how many were not here."""
        theirs = _lines(other)
        with self._lock:
            new = sorted({(mark, at) for mark, at in theirs if self._erased.get(mark, _NEVER) < at})
            for mark, at in new:
                self._take(mark, at)
            if new:
                self._write()
            return len(new)

    def forget(self, before: datetime) -> int:
        """Takes out the erasures of before an instant; answers how many lines."""
        with self._lock:
            kept = {mark: at for mark, at in self._erased.items() if at >= before}
            gone = len(self._erased) - len(kept)
            if gone:
                self._erased = kept
                self._write()
            return gone

    def table(self) -> pa.Table:
        """(mark, erased_at): the last erasure of every identity; instants in UTC without a zone."""
        with self._lock:
            marks, instants = list(self._erased), [at.replace(tzinfo=None) for at in self._erased.values()]
        return pa.table({"mark": pa.array(marks, pa.string()), "erased_at": pa.array(instants, pa.timestamp("us"))})

    def _take(self, mark: str, at: datetime) -> None:
        self._erased[mark] = max(at, self._erased.get(mark, _NEVER))

    def _read(self) -> None:
        for mark, at in _lines(self._path):
            self._take(mark, at)
        # What a crash cut short is written anew, so that the next line does not continue it.
        if self._path.exists() and self._path.read_bytes()[-1:] not in (b"", b"\n"):
            self._write()

    def _write(self) -> None:
        unfinished = self._path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="ascii") as file:
            file.writelines(_line(mark, at) for mark, at in self._erased.items())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)


_NEVER = datetime.min.replace(tzinfo=UTC)


def spelled(name: Name) -> str:
    """What is hashed of an identity."""
    kind, app, text = name
    return f"{kind}\x1f{app}\x1f{text}"


def _line(mark: str, at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')} {mark}\n"


def _lines(path: Path) -> list[tuple[str, datetime]]:
    """Whole lines only: the last one may have been cut short."""
    if not path.exists():
        return []
    text = path.read_text(encoding="ascii")
    found = []
    for line in text[: text.rfind("\n") + 1].splitlines():
        at, _, mark = line.partition(" ")
        found.append((mark, datetime.fromisoformat(at)))
    return found
