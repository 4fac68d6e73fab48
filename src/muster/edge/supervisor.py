"""Keeps the edge processes running, all on one listener, and ends them with itself."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import msgspec

from muster.edge.settings import EdgeSettings

logger = logging.getLogger("muster.edge")

# One that cannot start must not take the machine with trying.
_SECONDS_BEFORE_ANOTHER = 1.0
_SECONDS_TO_END = 20


class Supervisor:
    """Starts `settings.processes` processes; one that dies is replaced until `close`."""

    def __init__(self, settings: EdgeSettings, listener: socket.socket) -> None:
        self._listener = listener
        self._settings = msgspec.structs.replace(settings, listener=listener.fileno())
        self._closing = threading.Event()
        # Nothing is begun once it closes.
        self._beginning = threading.Lock()
        self._processes = [self._begun() for _ in range(settings.processes)]
        self._threads = [
            threading.Thread(target=self._keep, args=[place], name=f"edge-supervisor-{place}", daemon=True)
            for place in range(settings.processes)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def close(self) -> None:
        """Each finishes what it has begun; one that does not in time is killed: what it answered is on disk."""
        with self._beginning:
            self._closing.set()
        for process in self._processes:
            _let_go(process)
        deadline = time.monotonic() + _SECONDS_TO_END + self._settings.seconds_before_end
        for thread, process in zip(self._threads, self._processes, strict=True):
            thread.join(max(deadline - time.monotonic(), 0.1))
            if thread.is_alive():
                process.kill()
                thread.join()
        self._listener.close()

    def _keep(self, place: int) -> None:
        """Sleeps until the process of this place ends: to look now and then costs more than all else that rests."""
        while True:
            process = self._processes[place]
            process.wait()
            if self._closing.is_set():
                return
            logger.warning("edge process %s ended (%s) and is begun again", process.pid, process.returncode)
            _let_go(process)
            if self._closing.wait(_SECONDS_BEFORE_ANOTHER):
                return
            with self._beginning:
                if self._closing.is_set():
                    return
                self._processes[place] = self._begun()

    def _begun(self) -> subprocess.Popen[bytes]:
        told = msgspec.json.encode(self._settings).decode()
        return subprocess.Popen(  # noqa: S603 - this Python, and settings of our own
            [sys.executable, "-m", "muster.edge.process", told],
            stdin=subprocess.PIPE,
            pass_fds=[self._listener.fileno()],
            # Ctrl-C of a terminal is for the one in front, which then ends the others in order.
            process_group=0,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def _let_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


def wait_for_signal() -> None:
    """Until SIGTERM or SIGINT."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
