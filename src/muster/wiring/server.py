"""Serves the installation: one listener on the loopback, one on the installation's own socket."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from waitress import create_server, wasyncore

from muster.catalog.hooks import provide_edge_address
from muster.kernel.errors import MusterError
from muster.team.actions.setup import create_setup_link
from muster.team.queries import has_owner
from muster.wiring.configuration import Configuration
from muster.wiring.drain import DrainThread
from muster.wiring.edge import edge_of
from muster.wiring.figures import figures_of
from muster.wiring.installation import Installation, WsgiApplication, open_installation
from muster.wiring.listening import address_of, listen
from muster.wiring.static_files import with_static_files
from muster.wiring.webhooks import sending_webhooks

_THREADS = 8
# A stalled client costs a file descriptor and no thread: waitress hands requests on when they are complete.
_CONNECTIONS = 2000
_LARGEST_BODY_BYTES = 8 * 1024**3
# What a client has not read yet lies in a temporary file up to here; only beyond does its thread wait for it.
_LARGEST_UNREAD_BYTES = 256 * 1024**2
# The shortest limit of the systems Muster runs on (macOS; Linux has 108).
_LONGEST_SOCKET_PATH_BYTES = 103


class Server:
    """Both listeners and the loop that serves them until `stop`."""

    def __init__(self, installation: Installation) -> None:
        configuration = installation.configuration
        self._sockets: dict[int, Any] = {}
        self._stopping = False
        adjustments: dict[str, Any] = {
            "map": self._sockets,
            "threads": _THREADS,
            "connection_limit": _CONNECTIONS,
            "max_request_body_size": _LARGEST_BODY_BYTES,
            "outbuf_high_watermark": _LARGEST_UNREAD_BYTES,
            "asyncore_use_poll": True,
            "ident": "muster",
            "clear_untrusted_proxy_headers": True,
        }
        listener = listen(configuration.host, configuration.port, "MUSTER_PORT")
        self.address = address_of(configuration.host, listener)
        application = with_static_files(installation.application, configuration)
        self._network = create_server(application, sockets=[listener], **adjustments)
        self._local = create_server(
            as_local(installation.application),
            unix_socket=str(configuration.socket),
            unix_socket_perms="600",
            **adjustments,
        )
        self._socket_path = configuration.socket

    def run(self) -> None:
        while not self._stopping:
            wasyncore.loop(timeout=1, use_poll=True, map=self._sockets, count=1)

    def stop(self) -> None:
        """May be called from a signal handler or another thread."""
        self._stopping = True
        self._network.pull_trigger()

    def close(self) -> None:
        """Requests under way are finished first."""
        for server in (self._network, self._local):
            server.task_dispatcher.shutdown()
        wasyncore.close_all(self._sockets)
        self._socket_path.unlink(missing_ok=True)


def as_local(application: WsgiApplication) -> WsgiApplication:
    """The application as whoever may open the installation's socket sees it: everything is allowed."""

    def local(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        environ["muster.local"] = True
        return application(environ, start_response)

    return local


def serve(configuration: Configuration, say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. Tells the address, and the set-up link while nobody owns the installation."""
    check_socket_path(configuration.socket)
    with open_installation(configuration, takes_all_jobs=True, patience_seconds=5) as installation:
        server = Server(installation)
        try:
            with (
                figures_of(configuration, anew=True),
                draining(installation),
                sending_webhooks(),
                edge_of(configuration) as edge,
            ):
                _stop_on_signals(server)
                if edge is not None and not (configuration.edge_port or configuration.url):
                    # Any free port: only now it is known which.
                    provide_edge_address(edge)
                _greet(server, edge, say)
                server.run()
        finally:
            server.close()


@contextmanager
def draining(installation: Installation) -> Iterator[None]:
    drain = DrainThread(installation.configuration, installation.online)
    drain.start()
    try:
        yield
    finally:
        drain.close()


def _greet(server: Server, edge: str | None, say: Callable[[str], None]) -> None:
    if edge is not None:
        say(f"Apps send to {edge}")
    if not has_owner():
        say(f"Set it up (one use, 24 hours): {server.address}/setup?token={create_setup_link()}")
    say(f"Muster serves {server.address}")


def _stop_on_signals(server: Server) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def check_socket_path(path: Path) -> None:
    """`home_too_long`: the system's addresses of sockets are short."""
    if len(str(path).encode()) > _LONGEST_SOCKET_PATH_BYTES:
        message = f"The path {path} is too long for a socket; set MUSTER_HOME to a shorter one."
        raise MusterError(message, code="home_too_long")
