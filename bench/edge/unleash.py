"""Unleash with ten flags, if it is in `var/unleash` and PostgreSQL on the machine: started, and ended, here."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.edge.load import request
from bench.edge.servers import wait_for

_PACKAGE = Path("var/unleash/node_modules/unleash-server")
_FLAGS = 10
_ADMIN, _FRONTEND = "*:*.bench-admin", "*:development.bench-frontend"
_POSTGRES = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin")


@dataclass(frozen=True)
class Unleash:
    port: int
    pids: list[int]

    def request(self, name: str) -> bytes:
        path = f"/api/frontend?userId={name}&appName=bench&environment=development"
        return request(path, b"", f"Authorization: {_FRONTEND}", method="GET")


@contextmanager
def unleash() -> Iterator[Unleash | None]:
    programs = next((Path(one) for one in _POSTGRES if Path(one).exists()), None)
    if not _PACKAGE.exists() or programs is None or shutil.which("node") is None:
        yield None
        return
    with ExitStack() as stack:
        database = stack.enter_context(_postgres(programs))
        yield stack.enter_context(_server(database))


@contextmanager
def _postgres(programs: Path) -> Iterator[int]:
    """A cluster of its own on loopback; PostgreSQL refuses to be root."""
    folder = Path(tempfile.mkdtemp(prefix="mst-pg-"))
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    shutil.chown(folder, user)
    port = _free_port()
    told = {"user": user} if os.getuid() == 0 else {}
    data = folder / "data"
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "unleash", "-A", "trust", "-E", "UTF8"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **told,
    )  # fmt: skip  # one command
    process = subprocess.Popen(
        [programs / "postgres", "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **told,
    )  # fmt: skip  # one command
    try:
        _wait_for_port(port)
        subprocess.run(
            [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "unleash", "unleash"], check=True
        )
        yield port
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(database: int) -> Iterator[Unleash]:
    port = _free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://unleash@127.0.0.1:{database}/unleash",
        "DATABASE_SSL": "false",
        "HTTP_PORT": str(port),
        "HTTP_HOST": "127.0.0.1",
        "INIT_ADMIN_API_TOKENS": _ADMIN,
        "INIT_FRONTEND_API_TOKENS": _FRONTEND,
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "LOG_LEVEL": "error",
        "NODE_ENV": "production",
    }
    start = "import('unleash-server').then(m => (m.start ?? m.default.start)())"
    process = subprocess.Popen(
        ["node", "--input-type=module", "-e", start],
        cwd=_PACKAGE.parents[1],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        _make_flags(port)
        _check_flags(port)
        yield Unleash(port, [process.pid])
    finally:
        process.terminate()
        process.wait(30)


def _make_flags(port: int) -> None:
    """On for everybody, as the default strategy has it."""
    root = f"http://127.0.0.1:{port}/api/admin/projects/default/features"
    for number in range(_FLAGS):
        _post(root, {"name": f"flag-{number}", "type": "release"})
        base = f"{root}/flag-{number}/environments/development"
        _post(f"{base}/strategies", {"name": "default", "parameters": {}, "constraints": []})
        _post(f"{base}/on", {})


def _check_flags(port: int) -> None:
    """It answers from a copy of its database, which it renews every few seconds."""
    address = f"http://127.0.0.1:{port}/api/frontend?userId=u1&appName=bench"
    deadline = time.monotonic() + 60
    while True:
        asked = urllib.request.Request(address, headers={"Authorization": _FRONTEND})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            if len(json.loads(answer.read())["toggles"]) == _FLAGS:
                return
        if time.monotonic() > deadline:
            raise RuntimeError("Unleash does not answer with its flags")
        time.sleep(0.5)


def _post(address: str, document: object) -> None:
    sent = urllib.request.Request(
        address,
        json.dumps(document).encode(),
        {"Content-Type": "application/json", "Authorization": _ADMIN},
        method="POST",
    )
    with urllib.request.urlopen(sent, timeout=30) as answer:
        answer.read()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
