"""Sockets that listen, and what people type to reach them."""

from __future__ import annotations

import socket

from muster.kernel.errors import MusterError


def listen(host: str, port: int, variable: str) -> socket.socket:
    """A bound socket; `address_taken` names the variable that sets another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        message = f"{host}:{port} cannot be listened on ({error.strerror}). Set {variable} to another port."
        raise MusterError(message, code="address_taken") from error
    return listener


def address_of(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{shown}:{listener.getsockname()[1]}"
