"""The examples of `deploy/`, run by the programs they are for (edge spec, section 12)."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.integration.edge.served import Served, served
from tests.integration.processes import wait_until

_DEPLOY = Path(__file__).parents[3] / "deploy"
_PROGRAMS = ("nginx", "caddy")


@pytest.fixture(scope="module")
def installation(module_environment: dict[str, str]) -> Iterator[Served]:
    limits = {"MUSTER_EDGE_REQUESTS_OF_ADDRESS": "1", "MUSTER_EDGE_BURST_OF_ADDRESS": "5"}
    with served(module_environment, MUSTER_TRUSTED_PROXIES="127.0.0.1", **limits) as running:
        running.living.post("/apps", {"key": "notes"}, 201)
        yield running


@contextmanager
def _proxy(program: str, installation: Served) -> Iterator[httpx.Client]:
    """The file as it stands, with the ports of this installation."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="mst-"))
    ports = {"8081": str(installation.edge.base_url.port), "8400": str(installation.living.server.port)}
    text = (_DEPLOY / ("nginx.conf" if program == "nginx" else "Caddyfile")).read_text(encoding="utf-8")
    for before, after in ports.items():
        text = text.replace(f"127.0.0.1:{before}", f"127.0.0.1:{after}")
    if program == "nginx":
        server = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
        paths = " ".join(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        whole = f"pid {folder}/pid; error_log {folder}/log; daemon off; events {{}}"
        (folder / "conf").write_text(f"{whole} http {{ access_log off; {paths} {server} }}", encoding="utf-8")
        command = [_found("nginx"), "-c", str(folder / "conf"), "-p", str(folder)]
    else:
        options = "{\n\tadmin off\n\tauto_https off\n}\n"
        (folder / "conf").write_text(options + text.replace(":80 {", f"http://:{port} {{"), encoding="utf-8")
        command = [_found("caddy"), "run", "--config", str(folder / "conf"), "--adapter", "caddyfile"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until(lambda: _answers(client))
            yield client
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)


def _found(program: str) -> str:
    path = shutil.which(program) or f"/usr/sbin/{program}"
    assert Path(path).exists(), f"install Debian's package {program}: `make proxies`"
    return path


def _answers(client: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return client.post("/v1/batch").status_code == 400
    return False


@pytest.mark.parametrize("program", _PROGRAMS)
def test_events_decisions_and_pages_pass(installation: Served, program: str) -> None:
    """Gzip is untouched, and each path goes to its process."""
    key = installation.key()
    messages = [{"type": "track", "userId": f"u-{program}", "event": "Level Up"}]
    packed = gzip.compress(json.dumps({"batch": messages}).encode())
    with _proxy(program, installation) as client:
        headers = {"X-API-Key": key, "Content-Encoding": "gzip", "Content-Type": "application/json"}
        sent = client.post("/v1/batch", content=packed, headers=headers)
        assert (sent.status_code, sent.json()) == (200, {"success": True})
        installation.wait_for(sent.headers["x-muster-position"])
        flags = client.post("/ofrep/v1/evaluate/flags", json={"context": {}}, headers={"X-API-Key": key})
        assert flags.status_code == 200
        page = client.get("/login", headers={"Host": "localhost"}, follow_redirects=True)
        assert (page.status_code, "Muster" in page.text) == (200, True)
    assert installation.living.get(f"/customers/external:u-{program}")["id"].startswith("cus_")


@pytest.mark.parametrize("program", _PROGRAMS)
def test_client_is_limited_by_its_own_address_and_not_by_what_it_says(installation: Served, program: str) -> None:
    """E-11: the proxy says who asks; a header that a stranger sends along changes nothing."""
    key = installation.key("publishable")
    message = {"type": "track", "anonymousId": "a1", "event": "Level Up"}
    with _proxy(program, installation) as client:
        answers = [
            client.post("/v1/track", json=message, headers={"X-API-Key": key, "X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(12)
        ]
    assert [one.status_code for one in answers].count(429) >= 4


@pytest.mark.parametrize("program", _PROGRAMS)
def test_stalled_clients_hold_nobody_up(installation: Served, program: str) -> None:
    key = installation.key()
    half = b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{"
    with _proxy(program, installation) as client:
        address = ("127.0.0.1", client.base_url.port)
        stalled = [socket.create_connection(address) for _ in range(100)]
        for one in stalled:
            one.sendall(half)
        begun = time.monotonic()
        message = {"type": "track", "userId": "u9", "event": "Level Up"}
        answer = client.post("/v1/track", json=message, headers={"X-API-Key": key})
        assert (answer.status_code, time.monotonic() - begun < 5) == (200, True)
        for one in stalled:
            one.close()


def test_unit_is_understood_by_systemd(tmp_path: Path) -> None:
    """Every line: what it starts is put in its place here."""
    unit = (_DEPLOY / "muster.service").read_text(encoding="utf-8")
    file = tmp_path / "muster.service"
    file.write_text(unit.replace("/opt/muster/bin/muster", "/bin/true"), encoding="utf-8")
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd here")
    ended = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    assert (ended.returncode, [line for line in ended.stderr.splitlines() if "muster.service" in line]) == (0, [])
