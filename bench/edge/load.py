"""Asks a server over loopback, on kept connections, and reads what that cost the server's processes in CPU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Load:
    """`requests` were answered in `seconds`; `cpu`: seconds of the server's processors; `slow`: the 99th percentile."""

    requests: int
    seconds: float
    cpu: float
    slow: float

    @property
    def cpu_us(self) -> float:
        """A request, in microseconds of CPU."""
        return self.cpu / self.requests * 1e6

    @property
    def a_second(self) -> float:
        return self.requests / self.seconds


def request(path: str, body: bytes, *headers: str, method: str = "POST", host: str = "bench") -> bytes:
    """A whole request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def ask(port: int, requests: Sequence[bytes], pids: Sequence[int], *, connections: int = 8, status: int = 200) -> Load:
    """Sends all of them, each connection one after the other; an answer of another status is an error."""
    return asyncio.run(_ask(port, requests, pids, connections, status))


async def _ask(port: int, requests: Sequence[bytes], pids: Sequence[int], connections: int, status: int) -> Load:
    wanted = b"HTTP/1.1 %d" % status
    times: list[float] = []
    waiting = list(reversed(requests))
    before, begun = cpu_of(pids), time.perf_counter()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            asked = waiting.pop()
            at = time.perf_counter()
            writer.write(asked)
            await _answer(reader, wanted)
            times.append(time.perf_counter() - at)
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    seconds, cpu = time.perf_counter() - begun, cpu_of(pids) - before
    return Load(len(times), seconds, cpu, sorted(times)[int(len(times) * 0.99)])


async def _answer(reader: asyncio.StreamReader, wanted: bytes) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(wanted):
        rest = await reader.read(2_000)
        raise RuntimeError(f"answered {head[:200]!r} {rest[:300]!r}")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while (size := int((await reader.readline()).strip(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readexactly(2)
        return
    place = lower.find(b"content-length:")
    if place >= 0:
        length = int(lower[place + 15 : lower.index(b"\r\n", place)])
        await reader.readexactly(length)


def cpu_of(pids: Sequence[int]) -> float:
    """Seconds of CPU the processes have used, theirs alone."""
    return sum(_cpu(pid) for pid in pids)


def _cpu(pid: int) -> float:
    """The clock of its CPU time, to the nanosecond: clock_getcpuclockid(3) of all its threads."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_of(pid: int) -> int:
    """Bytes that are the process's own: mapped files are everybody's."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    told = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Rss")}
    return int(told["RssAnon"]) * 1024


def descendants(pid: int) -> list[int]:
    """The process and all that it began, and those began."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in descendants(int(child)))]
