"""What is sent to a real edge process lies in the spool as it was sent, or is refused with the right status."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import socket
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from muster.spool.slots import try_slot, used_slots
from tests.integration.edge.conftest import DECIDING, OPEN, SECRET, Edge, running_edge
from tests.integration.processes import wait_until

TRACK = {"type": "track", "userId": "u1", "event": "Evt", "messageId": "m1"}
BATCH = {"batch": [TRACK]}
RECORDED = json.loads((Path(__file__).parents[2] / "data/contracts/tracking.json").read_text(encoding="utf-8"))


def test_batch_lies_in_the_spool_when_it_is_answered(edge: Edge) -> None:
    """E-13, E-15: 200, its position in a header, the body as received."""
    before = len(edge.rows())
    answer = edge.send(BATCH)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [row] = edge.rows()[before:]
    assert answer.headers["x-muster-position"] == f"1.{row.seq}"
    assert (row.entry.kind, row.entry.call, row.entry.app, row.entry.source, row.entry.trust, row.entry.items) == (
        "items", None, 1, 7, 0, 1,
    )  # fmt: skip  # one fact each
    assert json.loads(row.entry.body) == BATCH


@pytest.mark.parametrize(
    "request_of_a_library",
    RECORDED["requests"],
    ids=lambda one: str(one["headers"].get("User-Agent", one["headers"].get("user-agent"))),
)
def test_unmodified_libraries_are_understood(edge: Edge, request_of_a_library: dict) -> None:
    """Their headers and bodies as recorded, with a key of ours in place of theirs."""
    recorded = request_of_a_library
    body = json.dumps({name: value for name, value in recorded["body"].items() if name != "writeKey"}).encode()
    headers = {
        name: value
        for name, value in recorded["headers"].items()
        if name.lower() not in ("host", "content-length", "authorization", "connection")
    }
    headers["Authorization"] = "Basic " + b64encode(f"{SECRET}:".encode()).decode()
    packed = headers.get("Content-Encoding") == "gzip"
    answer = edge.http.post("/v1/batch", content=gzip.compress(body) if packed else body, headers=headers)
    assert answer.status_code == 200
    last = edge.rows()[-1].entry
    assert (last.body, last.trust, last.items) == (body, 2, len(recorded["body"]["batch"]))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Muster-Key": OPEN},
        {"X-API-Key": OPEN},
        {"Authorization": f"Bearer {OPEN}"},
        {"Authorization": "Basic " + b64encode(OPEN.encode()).decode()},
        {"Authorization": "basic " + b64encode(f"{OPEN}:".encode()).decode()},
        {"X-Muster-Key": OPEN, "X-API-Key": "mpk_nobody"},
    ],
)
def test_key_is_found_in_each_header(edge: Edge, headers: dict[str, str]) -> None:
    """E-5."""
    assert edge.http.post("/v1/batch", json=BATCH, headers=headers).status_code == 200


def test_key_is_found_in_body_and_address(edge: Edge) -> None:
    """E-5: of the address a publishable one only."""
    assert edge.http.post("/v1/batch", json={**BATCH, "writeKey": OPEN}).status_code == 200
    assert edge.http.post("/v1/t", json={**TRACK, "writeKey": OPEN}).status_code == 200
    assert edge.http.post("/v1/batch", params={"key": OPEN}, json=BATCH).status_code == 200
    assert edge.http.post("/v1/batch", params={"key": SECRET}, json=BATCH).status_code == 401


def test_header_beats_body(edge: Edge) -> None:
    answer = edge.send({**BATCH, "writeKey": OPEN}, key="mpk_nobody")
    assert (answer.status_code, answer.json()["code"]) == (401, "app_key_invalid")


@pytest.mark.parametrize("key", ["mpk_nobody", "x" * 5_000, "bad\xff"])
def test_unknown_key_is_refused(edge: Edge, key: str) -> None:
    answer = edge.http.post("/v1/batch", json=BATCH, headers={"X-API-Key": key.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (401, "app_key_invalid")


def test_key_without_the_scope_is_refused(edge: Edge) -> None:
    answer = edge.send(BATCH, key=DECIDING)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_verdicts_are_told_when_asked_for(edge: Edge) -> None:
    """E-15."""
    answer = edge.send({"batch": [TRACK, {"type": "track", "event": "Evt"}]}, params={"verdicts": "1"})
    assert answer.json() == {
        "success": True,
        "accepted": 1,
        "refused": [
            {
                "index": 1,
                "code": "identity_missing",
                "message": "`userId` or `anonymousId` must be a text or a number of 1 to 255 characters.",
            }
        ],
        "position": answer.headers["x-muster-position"],
    }


@pytest.mark.parametrize(
    ("body", "code"), [(b"", "invalid_json"), (b"nonsense", "invalid_json"), (b"{}", "batch_missing")]
)
def test_body_that_says_nothing_is_400_and_its_beginning_is_kept(edge: Edge, body: bytes, code: str) -> None:
    before = len(edge.rows())
    answer = edge.send(body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    wait_until(lambda: len(edge.rows()) == before + 1)
    kept = edge.rows()[-1].entry
    assert (kept.kind, kept.call, kept.body) == ("unreadable", code, body)


@pytest.mark.parametrize(
    ("path", "call"),
    [("/v1/b", None), ("/v1/import", None), ("/v1/t", "track"), ("/v1/identify", "identify"), ("/v1/alias", "alias")],
)
def test_path_says_the_call(edge: Edge, path: str, call: str | None) -> None:
    answer = edge.send(BATCH if call is None else TRACK, path)
    assert (answer.status_code, edge.rows()[-1].entry.call) == (200, call)


def test_gzip_is_known_by_its_first_bytes(edge: Edge) -> None:
    """A proxy may have packed or unpacked it and told nobody; members may be several."""
    plain = json.dumps(BATCH).encode()
    for body, headers in (
        (gzip.compress(plain), {}),
        (plain, {"Content-Encoding": "gzip"}),
        (gzip.compress(plain[:10]) + gzip.compress(plain[10:]), {"Content-Encoding": "gzip"}),
    ):
        assert edge.send(body, headers=headers).status_code == 200
        assert edge.rows()[-1].entry.body == plain


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"x" * (1024 * 1024 + 1), {}, 413, "body_too_large"),
        (gzip.compress(b" " * (1024 * 1024 + 1), mtime=0), {}, 413, "body_too_large"),
        (gzip.compress(b'{"batch":[]}', mtime=0)[:-9], {}, 400, "invalid_json"),
        (b"\x28\xb5\x2f\xfd", {"Content-Encoding": "zstd"}, 415, "encoding_unsupported"),
        (b"{}", {"X-Long": "x" * 17_000}, 413, "body_too_large"),
    ],
)
def test_limits_of_a_body(edge: Edge, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    """E-9: no bombs."""
    answer = edge.send(body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_chunked_body_beyond_the_limit_is_not_read(edge: Edge) -> None:
    answer = edge.http.post("/v1/batch", content=(b"x" * 65_536 for _ in range(40)), headers={"X-API-Key": OPEN})
    assert answer.status_code == 413


def test_routes_are_exact(edge: Edge) -> None:
    """E-3."""
    for path in ("/v1/batch/", "//v1/batch", "/v1", "/", "/v1/projects/x"):
        assert edge.http.post(path).status_code == 404
    answer = edge.http.get("/v1/batch")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    head = edge.http.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")


def test_request_id_is_taken_or_made(edge: Edge) -> None:
    """E-12."""
    assert edge.http.get("/healthz", headers={"X-Request-Id": "abc-1234"}).headers["x-request-id"] == "abc-1234"
    made = edge.http.get("/healthz", headers={"X-Request-Id": "not good"}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{24}", made)


def test_readiness_names_its_checks(edge: Edge) -> None:
    """E-42."""
    answer = edge.http.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ok", "checks": {"keys": "ok", "spool": "ok", "running": "ok", "online": "ok"}},
    )


def test_browsers_may_ask(edge: Edge) -> None:
    """E-10."""
    origin = {"Origin": "https://a.example"}
    asked = edge.http.options("/v1/t", headers={**origin, "Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.headers["access-control-max-age"], asked.content) == (204, "7200", b"")
    answer = edge.send(BATCH, headers=origin)
    assert (answer.headers["access-control-allow-origin"], answer.headers["vary"]) == ("https://a.example", "Origin")
    assert "access-control-allow-credentials" not in answer.headers
    refused = edge.send(BATCH, key="mpk_shop", headers=origin)
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert edge.send(BATCH, key="mpk_shop", headers={"Origin": "https://shop.example"}).status_code == 200


def test_browser_snippet_is_told_this_host(edge: Edge) -> None:
    answer = edge.http.get(f"/v1/projects/{OPEN}/settings")
    host = f"127.0.0.1:{edge.port}/v1"
    told = {"apiKey": OPEN, "apiHost": host, "protocol": "http"}
    assert answer.json() == {"integrations": {"Segment.io": told}}
    assert edge.http.get("/v1/projects/mpk_nobody/settings").status_code == 404


def test_stalled_client_harms_nobody(edge: Edge) -> None:
    """E-1."""
    stalled = []
    for _ in range(50):
        one = socket.create_connection(("127.0.0.1", edge.port))
        one.sendall(f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nX-API-Key: {OPEN}\r\nContent-Length: 99\r\n\r\n{{".encode())
        stalled.append(one)
    assert edge.send(BATCH).status_code == 200
    for one in stalled:
        one.close()


def test_position_is_drained_when_the_warehouse_has_it(edge: Edge) -> None:
    """E-21."""
    position = edge.send(BATCH).headers["x-muster-position"]
    address = f"/edge/v1/positions/{position}"
    assert edge.http.get(address).json() == {"drained": False, "published": False}
    assert edge.online is not None
    edge.online.publish_meta({"drained/1": f"another:{position.partition('.')[2]}"})
    assert edge.http.get(address).json() == {"drained": True, "published": False}
    assert edge.http.get("/edge/v1/positions/x").status_code == 404


def test_rate_of_an_address_is_limited(tmp_path: Path) -> None:
    """E-11: server keys have no limit of addresses."""
    with running_edge(tmp_path, requests_a_second_and_address=0.001, burst_of_address=2) as edge:
        assert [edge.send(BATCH).status_code for _ in range(3)] == [200, 200, 429]
        refused = edge.send(BATCH)
        assert (refused.json()["code"], int(refused.headers["retry-after"]) > 0) == ("rate_limited", True)
        assert edge.send(BATCH, key=SECRET).status_code == 200


def test_full_spool_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """E-23."""
    with running_edge(tmp_path, largest_spool_bytes=200_000) as edge:
        large = {"batch": [{**TRACK, "properties": {"x": "y" * 50_000}}]}
        answers = [edge.send(large).status_code for _ in range(4)]
        wait_until(lambda: edge.send(large).status_code == 429)
        refused = edge.send(large)
        assert (refused.json()["code"], refused.headers["retry-after"]) == ("spool_full", "60")
        assert len(edge.rows()) >= answers.count(200)
        assert edge.http.get("/readyz").json()["checks"]["spool"] == "failed"


def test_without_published_keys_it_is_503_never_401(tmp_path: Path) -> None:
    """E-5: senders throw away what is answered with 401."""
    with running_edge(tmp_path, published=False) as edge:
        answer = edge.send(BATCH)
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "plan_missing", "5")
        assert edge.http.get("/readyz").json()["checks"]["keys"] == "failed"
        edge.publish()
        wait_until(lambda: edge.send(BATCH).status_code == 200)


def test_process_that_dies_is_begun_again(tmp_path: Path) -> None:
    """What it had answered lies in its file; another takes its slot."""
    with running_edge(tmp_path) as edge:
        position = edge.send(BATCH).headers["x-muster-position"]
        [process] = edge.supervisor.pids
        os.kill(process, signal.SIGKILL)
        wait_until(lambda: edge.supervisor.pids != [process] and _answer_of(edge) == 200)
        assert edge.rows()[0].seq == int(position.partition(".")[2])


def _answer_of(edge: Edge) -> int:
    with suppress(httpx.TransportError):
        return edge.send(BATCH).status_code
    return 0


def test_two_processes_write_two_files(tmp_path: Path) -> None:
    """E-2."""
    with running_edge(tmp_path, processes=2) as edge:
        wait_until(lambda: len(used_slots(edge.spool)) == 2)
        slots = set()
        for _ in range(200):
            with httpx.Client(base_url=edge.http.base_url) as http:
                answer = http.post("/v1/batch", json=BATCH, headers={"X-API-Key": SECRET})
                slots.add(answer.headers["x-muster-position"].partition(".")[0])
            if len(slots) == 2:
                break
        assert slots == {"1", "2"}


def test_end_is_orderly(tmp_path: Path) -> None:
    """E-43: SIGTERM, the last commit, the slot is free; and with the process that began it."""
    with running_edge(tmp_path) as edge:
        edge.send(BATCH)
        [process] = edge.supervisor._processes
        edge.supervisor.close()
        assert (process.returncode, len(edge.rows())) == (0, 1)
        slot = try_slot(edge.spool, 1)
        assert slot is not None
        slot.release()


def test_whoever_keeps_a_connection_is_let_go_before_the_end(tmp_path: Path) -> None:
    """E-43: while it is not ready any more it still answers, and each connection ends with the answer."""
    with running_edge(tmp_path, seconds_before_end=3.0) as edge:
        assert "connection" not in edge.send(BATCH).headers
        [process] = edge.supervisor._processes
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: edge.http.get("/readyz").status_code == 503)
        answer = edge.send(BATCH)
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        rows = len(edge.rows())
        assert rows == 2


def test_address_of_who_sent_is_forgotten(edge: Edge) -> None:
    """E-40: limits count by it; neither the spool nor the edge's store has it."""
    edge.send(BATCH, headers={"X-Forwarded-For": "203.0.113.77"})
    assert edge.rows()[-1].entry.body
    files = [file for file in edge.folder.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"203.0.113.77" in file.read_bytes()]
