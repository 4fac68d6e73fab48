"""Sends deliveries over HTTP/1.1 on a thread of its own, many at once; says of each what became of it, never raises.

The name is resolved once a request and the connection goes to one of the addresses that were checked (N-18). A kept
connection leads to an address that was checked when it was opened.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from muster.webhooks.channels.addresses import (
    Networks,
    Target,
    check_addresses,
    is_literal,
    may_connect,
    read_target,
)
from muster.webhooks.channels.requests import ANSWER_CHARACTERS, Message, Outcome
from muster.webhooks.channels.signing import signed_headers
from muster.webhooks.errors import AddressRefused

logger = logging.getLogger("muster.webhooks")

REQUEST_SECONDS = 15.0
# What was answered is known by its status; how it goes on is worth no more than this.
_ANSWER_SECONDS = 2.0
# Servers close idle connections after five seconds or more; one closed meanwhile would cost an attempt.
_KEPT_SECONDS = 4.0
_CONNECTIONS = 100
# Names looked up at once: one whose server does not answer takes a thread for as long as the system is patient.
_LOOKUPS = 32

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host and port; OSError if there are none."""


Done = Callable[[Outcome], None]
# What the request that is under way in a task is for.
_asked: ContextVar[Target] = ContextVar("asked")


class Sender:
    """`done` of a message is called on this thread: it hands on what it hears and returns."""

    def __init__(
        self,
        opened: Networks,
        agent: str,
        *,
        seconds: float = REQUEST_SECONDS,
        resolve: Resolve | None = None,
    ) -> None:
        self._opened, self._agent, self._seconds = opened, agent, seconds
        self._resolve = resolve or _resolved
        self._loop = asyncio.new_event_loop()
        self._lookups = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="webhooks-names")
        self._loop.set_default_executor(self._lookups)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="webhooks-http", daemon=True)
        self._thread.start()

    def send(self, message: Message, done: Done) -> None:
        """Returns at once."""
        self._loop.call_soon_threadsafe(self._begin, message, done)

    def close(self) -> None:
        """Requests under way are broken off without a word: they are sent again, under the same id."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(self._end())
            self._loop.close()

    async def _end(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        # A name server that does not answer holds nobody up who wants to end.
        self._lookups.shutdown(wait=False, cancel_futures=True)

    def _begin(self, message: Message, done: Done) -> None:
        task = self._loop.create_task(self._tell(message, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, message: Message, done: Done) -> None:
        done(await self._send(message))

    async def _send(self, message: Message) -> Outcome:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(message)
            wait = retry_after(answer.headers, datetime.now(UTC))
            milliseconds = _milliseconds(began)
            return Outcome(answer.status, "", await _beginning(answer), milliseconds, wait)
        except Exception as error:
            code = _code_of(error)
            if code == "send_failed":
                logger.exception("delivery %s could not be sent", message.id)
            return Outcome(None, code, "", _milliseconds(began))

    async def _ask(self, message: Message) -> aiohttp.ClientResponse:
        """The answer as far as its headers."""
        target = read_target(message.url, self._opened)
        if is_literal(target.host):
            check_addresses(target, [target.host], self._opened)
        _asked.set(target)
        headers = {
            **signed_headers(message.id, int(time.time()), message.body, message.keys),
            "Content-Type": "application/json",
            "User-Agent": self._agent,
        }
        url = URL(target.url, encoded=True)
        return await self._pool().post(url, data=message.body, headers=headers, allow_redirects=False)

    def _pool(self) -> aiohttp.ClientSession:
        """Made on its own thread, as it wants."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=_CONNECTIONS,
                # What is looked up is checked, every time.
                use_dns_cache=False,
                resolver=_Guarded(self._opened, self._resolve),
                socket_factory=self._socket,
                # Of the system as it is now, with what the operator trusts beside it (SSL_CERT_FILE).
                ssl=ssl.create_default_context(),
                keepalive_timeout=_KEPT_SECONDS,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """The last look, at what is really connected to: whatever was found before, this one counts."""
        family, kind, protocol, _, place = address
        if not may_connect(_asked.get(), place[0], self._opened):
            raise OSError(f"{place[0]} was never checked")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


class _Guarded(AbstractResolver):
    """Answers the addresses of a name if all of them may be connected to."""

    def __init__(self, opened: Networks, resolve: Resolve) -> None:
        self._opened, self._resolve = opened, resolve

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - given by position; all families are looked up
    ) -> list[ResolveResult]:
        found = await self._resolve(host, port)
        check_addresses(_asked.get(), found, self._opened)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        """Holds nothing."""


async def _resolved(host: str, port: int) -> list[str]:
    """As the system resolves it, each address once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[4][0]) for place in found))


async def _beginning(answer: aiohttp.ClientResponse) -> str:
    """Of its body, as text; a body that does not come is none."""
    read = b""
    with suppress(aiohttp.ClientError, TimeoutError, OSError):
        async with asyncio.timeout(_ANSWER_SECONDS):
            while len(read) < ANSWER_CHARACTERS * 4 and (part := await answer.content.read(ANSWER_CHARACTERS * 4)):
                read += part
    if answer.content.at_eof():
        answer.release()
    else:
        answer.close()
    # What a database does not keep is no part of a text.
    return read.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[:ANSWER_CHARACTERS]


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that an answer asks to wait, said in seconds or as a date; None if it says nothing that can be read."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max((at - now).total_seconds(), 0.0)


def _code_of(error: Exception) -> str:
    match error:
        case AddressRefused():
            return "address_refused"
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorDNSError():
            return "name_unresolved"
        case aiohttp.ClientSSLError():
            return "tls_failed"
        case aiohttp.ClientConnectorError():
            return "connection_failed"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "answer_unreadable"
        case aiohttp.ClientError() | OSError():
            return "connection_lost"
    return "send_failed"


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
