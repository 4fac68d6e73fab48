"""The server as a real process: two listeners, clean ends, clients that stall."""

from __future__ import annotations

import os
import signal
import socket
import stat
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx

from tests.integration.processes import COLD, kill, muster, serving

STALLED_CLIENTS = 100


def _locally(home: Path) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(home / "control.sock"))
    return httpx.Client(transport=transport, base_url="http://localhost", timeout=5)


def test_server_knows_who_came_by_its_own_socket(environment: dict[str, str], home: Path) -> None:
    with serving(environment) as server, _locally(home) as local:
        assert httpx.get(f"{server.address}/api/v1/me").status_code == 401
        assert httpx.get(f"{server.address}/api/v1/me", headers={"muster.local": "True"}).status_code == 401
        assert local.get("/api/v1/me").json()["kind"] == "local"
        mode = stat.S_IMODE((home / "control.sock").stat().st_mode)
        assert (oct(mode), oct(stat.S_IMODE(home.stat().st_mode))) == ("0o600", "0o700")
    assert not (home / "control.sock").exists()


def test_server_prints_a_link_until_somebody_owns_it(environment: dict[str, str]) -> None:
    """D-15"""
    with serving(environment) as server:
        assert server.setup_token is not None
        page = httpx.get(f"{server.address}/setup?token={server.setup_token}")
        assert page.status_code == 200
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
        password = muster(environment, "setup", "--owner", "alice@example.com", "--password-file", "-", stdin="x" * 9)
        assert (password.returncode, password.stderr.split(":")[0]) == (1, "error [value_not_allowed] at /password")
        made = muster(
            environment, "setup", "--owner", "alice@example.com", "--password-file", "-", stdin="long-Enough-1"
        )
        assert (made.returncode, made.stdout, made.stderr) == (0, "alice@example.com owns this installation.\n", "")
    with serving(environment) as server:
        assert server.setup_token is None


def test_server_answers_a_page_within_a_second_while_100_clients_stall(environment: dict[str, str], home: Path) -> None:
    """architecture.md, Processes: a slow client must not hold a worker thread."""
    stalled = (
        b"GET /api/v1/me HT",
        b"GET /login HTTP/1.1\r\nHost: localhost\r\nAccept: te",
        b"POST /api/v1/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
        # Whole ones, whose answers are never read.
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n" * 150,
    )
    with serving(environment) as server, ExitStack() as stack, _locally(home) as local:
        for number in range(STALLED_CLIENTS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            client.sendall(stalled[number % len(stalled)])
        for number in range(20):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(home / "control.sock"))
            client.sendall(stalled[number % 2])
        # What the never-reading ones asked for is answered first.
        assert httpx.get(f"{server.address}/login", timeout=60).status_code == 200
        answers = [httpx.get(f"{server.address}/login", timeout=5) for _ in range(9)]
        inside = [local.get("/api/v1/me").status_code for _ in range(5)]
    assert [*(answer.status_code for answer in answers), *inside] == [200] * 14
    # The middle one: a held thread would delay them all until the connection's time-out, two minutes later.
    assert median(answer.elapsed.total_seconds() for answer in answers) < 1


def test_killed_server_leaves_nothing_that_stops_the_next_one(environment: dict[str, str], home: Path) -> None:
    with serving(environment) as server:
        kill(server.process)
        assert (home / "control.sock").exists()
        # The command line does not mistake the file for somebody who answers.
        listed = muster(environment, "tokens", "list", "--json")
        assert (listed.returncode, listed.stdout, listed.stderr) == (0, '{\n  "items": []\n}\n', "")
        with serving(environment), _locally(home) as local:
            assert local.get("/api/v1/me").json()["kind"] == "local"
        server.process.returncode = 0


def test_second_server_does_not_start(environment: dict[str, str], home: Path) -> None:
    with serving(environment, COLD) as server:
        second = muster(environment, "serve", command=COLD)
        sentence = f"Process {server.process.pid} owns the installation in {home}. Stop it first."
        assert (second.returncode, second.stderr) == (1, f"error [installation_in_use]: {sentence}\n")


def test_port_that_is_taken_is_named(environment: dict[str, str], home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = muster({**environment, "MUSTER_PORT": str(port)}, "serve")
    sentence = f"127.0.0.1:{port} cannot be listened on (Address already in use). Set MUSTER_PORT to another port."
    assert (refused.returncode, refused.stderr) == (1, f"error [address_taken]: {sentence}\n")


def test_home_too_long_for_a_socket_is_named(environment: dict[str, str], home: Path) -> None:
    deep = home / ("d" * 100)
    refused = muster({**environment, "MUSTER_HOME": str(deep)}, "serve")
    sentence = f"The path {deep}/control.sock is too long for a socket; set MUSTER_HOME to a shorter one."
    assert (refused.returncode, refused.stderr) == (1, f"error [home_too_long]: {sentence}\n")


def test_wrong_setting_is_named(environment: dict[str, str]) -> None:
    refused = muster({**environment, "MUSTER_PORT": "web"}, "jobs", "list", command=COLD)
    sentence = "MUSTER_PORT='web' must be a whole number from 0 to 65535."
    assert (refused.returncode, refused.stderr) == (1, f"error [configuration_invalid]: {sentence}\n")


def test_database_of_a_newer_muster_is_left_alone(environment: dict[str, str], home: Path) -> None:
    import sqlite3

    assert muster(environment, "jobs", "list").returncode == 0
    with sqlite3.connect(home / "control.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('groups', '9999_later', '2030-01-01')"
        )
    database.close()
    refused = muster(environment, "jobs", "list")
    sentence = "A newer Muster has written this installation (groups.9999_later); start that one."
    assert (refused.returncode, refused.stderr) == (1, f"error [database_too_new]: {sentence}\n")


def test_interrupt_ends_the_server_cleanly(environment: dict[str, str], home: Path) -> None:
    with serving(environment, COLD) as server:
        os.kill(server.process.pid, signal.SIGINT)
        server.process.wait(30)
    assert not (home / "control.sock").exists()
