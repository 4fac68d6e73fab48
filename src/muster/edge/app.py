"""The device-facing plane: one bare ASGI callable, a dict of routes, no framework (E-1, E-3)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from muster.edge import consents, decide, description, health, ofrep
from muster.edge.answers import Answer, error_answer, preflight, send_answer
from muster.edge.consents import Consents
from muster.edge.counting import Counts, know_routes, route_of
from muster.edge.decide import Decide
from muster.edge.errors import EdgeError, MethodNotAllowed, not_found
from muster.edge.gate import Gate
from muster.edge.ingest import PATHS, Ingest
from muster.edge.introductions import Introductions
from muster.edge.limits import Limits
from muster.edge.ofrep import Ofrep
from muster.edge.positions import position
from muster.edge.published import Published
from muster.edge.request import ClientGone, Receive, Request, Scope, Send, end_slow_bodies
from muster.edge.settings import EdgeSettings
from muster.edge.snippet import snippet_settings
from muster.edge.storing import Storing

logger = logging.getLogger("muster.edge")

Handler = Callable[[Request], Awaitable[Answer]]
_SECONDS_BETWEEN_LOOKS = 1
_SETTINGS_PATH = ("/v1/projects/", "/settings")
_POSITIONS_PATH = "/edge/v1/positions/"
_READING = ("GET", "HEAD")


class EdgeApp:
    """Answers requests between `open` and `close`, which the server's lifespan calls."""

    def __init__(self, settings: EdgeSettings) -> None:
        self._settings = settings
        self._routes: dict[tuple[str, str], Handler] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.stopping = False

    @property
    def routes(self) -> set[tuple[str, str]]:
        """Methods and paths that are looked up as they stand; those with parameters are not among them."""
        return set(self._routes)

    def open(self) -> None:
        """Takes a slot; on the event loop that will serve."""
        settings = self._settings
        self._published = Published(settings)
        self._storing = Storing(settings, self._published, asyncio.get_running_loop())
        limits = Limits(
            settings.requests_a_second,
            settings.requests_a_second_and_address,
            settings.burst_of_address,
            settings.processes,
        )
        self._counts = Counts(settings.figures)
        self._storing.on_commit = self._counts.committed
        gate = Gate(self._published, limits, settings.trusted_proxies)
        introductions = Introductions(self._published, self._storing)
        ingest = Ingest(gate, self._storing, introductions)
        self._ofrep = Ofrep(self._published, gate, introductions)
        self._consents = Consents(gate, self._storing, introductions)
        self._routes = {("POST", path): ingest.answer for path in PATHS}
        self._routes[("POST", decide.PATH)] = Decide(self._published, gate, introductions).answer
        self._routes[("POST", ofrep.BULK_PATH)] = self._ofrep.all_flags
        self._routes |= {(method, "/healthz"): self._alive for method in _READING}
        self._routes |= {(method, "/readyz"): self._ready for method in _READING}
        self._routes |= {(method, description.PATH): self._describe for method in _READING}
        know_routes({path for _, path in self._routes})
        task = asyncio.get_running_loop().create_task(self._look())
        self._tasks.add(task)

    async def close(self) -> None:
        """The last commit, then the slot is free."""
        for task in self._tasks:
            task.cancel()
        self._storing.end()
        await asyncio.to_thread(self._storing.close)
        self._published.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(Request(scope, receive), send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, request: Request, send: Send) -> None:
        try:
            answer = await self._answer(request)
        except ClientGone:
            self._counts.answered(route_of(request.path), 499)
            return
        except EdgeError as error:
            answer = error_answer(request, error)
        except Exception:
            # Neither address nor body: both may name people.
            logger.exception("request %s failed", request.id)
            answer = error_answer(request, EdgeError(500, "internal_error", "This went wrong; it is logged."))
        self._counts.answered(route_of(request.path), answer.status)
        # Whoever keeps a connection finds another process with the next one.
        await send_answer(send, request, answer, closing=self.stopping)

    async def _answer(self, request: Request) -> Answer:
        request.check_head()
        if request.method == "OPTIONS" and b"access-control-request-method" in request.headers:
            return preflight(request)
        handler = self._routes.get((request.method, request.path)) or self._by_prefix(request)
        if handler is None:
            self._check_method(request)
            raise not_found()
        return await handler(request)

    def _by_prefix(self, request: Request) -> Handler | None:
        if request.path.startswith(ofrep.SINGLE_PATH):
            if request.method != "POST":
                raise MethodNotAllowed(["POST"])
            return self._ofrep.one_flag
        if request.path.startswith(consents.PATH):
            if request.method != "PUT":
                raise MethodNotAllowed(["PUT"])
            return self._consents.answer
        begin, end = _SETTINGS_PATH
        if request.path.startswith(begin) and request.path.endswith(end):
            handler = self._snippet
        elif request.path.startswith(_POSITIONS_PATH):
            handler = self._position
        else:
            return None
        if request.method not in _READING:
            raise MethodNotAllowed(list(_READING))
        return handler

    def _check_method(self, request: Request) -> None:
        """405 where another method would have done."""
        allowed = sorted(method for method, path in self._routes if path == request.path)
        if allowed:
            raise MethodNotAllowed(allowed)

    async def _alive(self, _request: Request) -> Answer:
        return health.alive()

    async def _ready(self, _request: Request) -> Answer:
        return health.ready(self._published, self._storing, stopping=self.stopping)

    async def _describe(self, _request: Request) -> Answer:
        return description.description()

    async def _position(self, request: Request) -> Answer:
        return position(request.path.removeprefix(_POSITIONS_PATH), self._published)

    async def _snippet(self, request: Request) -> Answer:
        key = request.path.removeprefix(_SETTINGS_PATH[0]).removesuffix(_SETTINGS_PATH[1])
        if self._published.key(key) is None:
            raise not_found()
        return snippet_settings(request, key)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                self.open()
                await send({"type": "lifespan.startup.complete"})
            elif event["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _look(self) -> None:
        while True:
            end_slow_bodies(time.monotonic())
            self._published.look_around()
            self._storing.forget_drained()
            self._counts.hand_on()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
