"""Starts the edge of an installation, beside the server or alone. Needs no Django."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from muster.edge.settings import EdgeSettings
from muster.edge.supervisor import Supervisor, wait_for_signal
from muster.wiring.configuration import Configuration
from muster.wiring.figures import figures_of
from muster.wiring.listening import address_of, listen

_WAITING_CONNECTIONS = 2048


@contextmanager
def edge_of(configuration: Configuration) -> Iterator[str | None]:
    """Its address while its processes run; None if none are wanted here."""
    if not configuration.edge_processes:
        yield None
        return
    listener = listen(configuration.edge_host, configuration.edge_port, "MUSTER_EDGE_PORT")
    listener.listen(_WAITING_CONNECTIONS)
    address = address_of(configuration.edge_host, listener)
    supervisor = Supervisor(_settings(configuration), listener)
    try:
        yield address
    finally:
        supervisor.close()


def serve_edge(configuration: Configuration, say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT; it needs no control process, and goes on without it."""
    with figures_of(configuration, anew=False), edge_of(configuration) as address:
        say(f"Apps send to {address}")
        wait_for_signal()


def _settings(configuration: Configuration) -> EdgeSettings:
    return EdgeSettings(
        spool=str(configuration.spool_directory),
        online=str(configuration.online_directory),
        poke=str(configuration.drain_socket),
        listener=0,
        processes=configuration.edge_processes,
        requests_a_second=configuration.edge_requests,
        requests_a_second_and_address=configuration.edge_requests_of_address,
        burst_of_address=configuration.edge_burst_of_address,
        trusted_proxies=configuration.trusted_proxies,
        seconds_before_end=configuration.edge_leaving_seconds,
        figures=str(configuration.figure_directory) if configuration.metrics else "",
    )
