"""Real `muster` processes for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MUSTER = [sys.executable, "-m", "muster.wiring.main"]
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Serving:
    process: subprocess.Popen[str]
    address: str
    """As printed: http://127.0.0.1:49152."""
    setup_token: str | None

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


def muster(
    environment: Mapping[str, str],
    *arguments: str,
    stdin: str = "",
    command: Sequence[str] = MUSTER,
    seconds: float = PATIENCE_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*command, *arguments],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def serving(environment: Mapping[str, str], command: Sequence[str] = MUSTER) -> Iterator[Serving]:
    """`muster serve` that answers; ended by SIGTERM, which must succeed."""
    # A file: a pipe that nobody reads would stop a server that has much to complain about.
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [*command, "serve"],
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        try:
            yield _greeting(process, complaints)
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_SECONDS)
            said = _read(complaints)
            assert (process.returncode, said) == (0, ""), said
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def _greeting(process: subprocess.Popen[str], complaints: IO[str]) -> Serving:
    assert process.stdout is not None
    token = None
    for line in process.stdout:
        token = line.strip().partition("token=")[2] or token
        if line.startswith("Muster serves "):
            return Serving(process, line.split()[-1], token)
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


def kill(process: subprocess.Popen[str]) -> None:
    """As the system does when it runs out of memory."""
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
