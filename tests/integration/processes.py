"""Real `muster` processes for tests."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Protocol

from tests.integration.warm import Stove, is_like_ours

_MUSTER = "muster.wiring.main"
COLD = (sys.executable, "-m", _MUSTER)
"""As people start it; for tests about starting. Others begin warm, in a tenth of the time (`warm`)."""
PATIENCE_SECONDS = 60
Command = str | Sequence[str]
"""The name of a module whose `main` begins warm, or a command line as it stands."""


class Running(Protocol):
    """A process, forked or started."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, sig: int, /) -> None: ...

    def kill(self) -> None: ...


@dataclass(frozen=True)
class Serving:
    process: Running
    address: str
    """As printed: http://127.0.0.1:49152."""
    setup_token: str | None
    edge: str | None
    """Where apps send to, if it serves them."""
    complaints: IO[str]
    """What it writes to stderr."""

    def has_said(self, words: str) -> bool:
        """Whether it has complained so. Read beside it: to seek would move where the process writes."""
        descriptor = self.complaints.fileno()
        return words.encode() in os.pread(descriptor, os.fstat(descriptor).st_size, 0)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


def muster(
    environment: Mapping[str, str],
    *arguments: str,
    stdin: str = "",
    command: Command | None = None,
    seconds: float = PATIENCE_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """One command, to its end; `command`: another one than Muster's."""
    how = command or _MUSTER
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complaints:
        with tempfile.TemporaryFile("w+") as heard:
            heard.write(stdin)
            heard.seek(0)
            process = started(environment, arguments, how, (heard.fileno(), said.fileno(), complaints.fileno()))
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess([*_cold(how), *arguments], code, _read(said), _read(complaints))


@contextmanager
def serving(environment: Mapping[str, str], command: Sequence[str] | None = None) -> Iterator[Serving]:
    """`muster serve` that answers; ended by SIGTERM, which must succeed."""
    # A file: a pipe that nobody reads would stop a server that has much to complain about.
    with tempfile.TemporaryFile("w+") as complaints, Path(os.devnull).open() as nothing:
        reading, writing = os.pipe()
        with os.fdopen(reading) as output, os.fdopen(writing, "w") as input_:
            unbuffered = {**environment, "PYTHONUNBUFFERED": "1"}
            files = (nothing.fileno(), input_.fileno(), complaints.fileno())
            process = started(unbuffered, ["serve"], command or _MUSTER, files)
            input_.close()
            try:
                yield _greeting(process, output, complaints)
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
                process.wait(timeout=PATIENCE_SECONDS)
                said = _read(complaints)
                assert (process.returncode, said) == (0, ""), said
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()


def started(
    environment: Mapping[str, str], arguments: Sequence[str], command: Command, files: tuple[int, int, int]
) -> Running:
    """`files`: what it reads from, writes to and complains to."""
    if isinstance(command, str) and is_like_ours(environment):
        return _warm().start(command, arguments, environment, files)
    stdin, stdout, stderr = files
    whole = [*_cold(command), *arguments]
    return subprocess.Popen(whole, env=environment, stdin=stdin, stdout=stdout, stderr=stderr, text=True)


def _cold(command: Command) -> Sequence[str]:
    return (sys.executable, "-m", command) if isinstance(command, str) else command


@cache
def _warm() -> Stove:
    stove = Stove()
    atexit.register(stove.close)
    return stove


def _greeting(process: Running, output: IO[str], complaints: IO[str]) -> Serving:
    token = edge = None
    for line in output:
        if line.startswith("Apps send to "):
            edge = line.split()[-1]
        token = line.strip().partition("token=")[2] or token
        if line.startswith("Muster serves "):
            return Serving(process, line.split()[-1], token, edge, complaints)
    process.wait(timeout=PATIENCE_SECONDS)
    raise AssertionError(_read(complaints))


def _read(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def wait_until(happened: object, seconds: float = PATIENCE_SECONDS) -> None:
    """Until a function answers something true."""
    assert callable(happened)
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def line_count(file: Path) -> int:
    return file.read_text(encoding="utf-8").count("\n") if file.exists() else 0


def kill(process: Running) -> None:
    """As the system does when it runs out of memory."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
