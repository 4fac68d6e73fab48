"""One edge process: `python -m muster.edge.process SETTINGS`, begun by `supervisor`, ended with whoever began it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

import msgspec
import uvicorn

from muster.edge.app import EdgeApp
from muster.edge.settings import EdgeSettings
from muster.metrics.figures import keep_in

# Longer than what proxies keep theirs, so that they close first.
_SECONDS_KEPT_ALIVE = 75
_SECONDS_TO_FINISH = 10
# It brings the date of answers up to date.
_SECONDS_BETWEEN_TICKS = 1.0


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = msgspec.json.decode(sys.argv[1], type=EdgeSettings)
    if settings.figures:
        keep_in(Path(settings.figures), anew=False)
    app = EdgeApp(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        # Strangers send what is no HTTP as often as they like: of that nothing is said.
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_SECONDS_KEPT_ALIVE,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    server = _Server(config, app, settings.seconds_before_end)
    with socket.socket(fileno=settings.listener) as listener:
        server.run(sockets=[listener])
    sys.exit(0 if server.started else 1)


class _Server(uvicorn.Server):
    """Ends, as by SIGTERM, with the process that began it: that holds the other end of our input."""

    def __init__(self, config: uvicorn.Config, app: EdgeApp, seconds_before_end: float) -> None:
        super().__init__(config)
        self._app = app
        self._seconds_before_end = seconds_before_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._loop.add_reader(sys.stdin.fileno(), self._heard)

    async def main_loop(self) -> None:
        """As uvicorn's, but woken once a second instead of ten times, and by the end itself."""
        while not await self.on_tick(counter=0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _SECONDS_BETWEEN_TICKS)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._app.stopping or not self._seconds_before_end:
            self._app.stopping = True
            super().handle_exit(sig, frame)
            self._loop.call_soon_threadsafe(self._ended.set)
            return
        self._app.stopping = True
        self._loop.call_soon_threadsafe(self._end_soon)

    def _end_soon(self) -> None:
        """Whoever shares requests out sees meanwhile that this one is not ready any more."""
        self._loop.call_later(self._seconds_before_end, self._end)

    def _end(self) -> None:
        self.should_exit = True
        self._ended.set()

    def _heard(self) -> None:
        if not os.read(sys.stdin.fileno(), 1):
            self._loop.remove_reader(sys.stdin.fileno())
            self._app.stopping = True
            self._end_soon()


if __name__ == "__main__":
    main()
