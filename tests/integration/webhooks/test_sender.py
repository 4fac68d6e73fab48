"""What is sent, what is made of every kind of answer, and where nothing is ever sent to (N-18). Real sockets."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook

from muster.webhooks.channels.addresses import read_networks
from muster.webhooks.channels.requests import Message, Outcome
from muster.webhooks.channels.sending import Resolve, Sender
from muster.webhooks.channels.signing import new_secret
from tests.integration.webhooks.receivers import (
    Answer,
    drip_body,
    drip_headers,
    endless_body,
    hang,
    raw,
    receiver,
    reset,
    status,
)

_LOOPBACK = read_networks("127.0.0.0/8,::1/128")
_PATIENCE_SECONDS = 20
_BODY = json.dumps({"type": "webhook.test", "data": {"name": "Zoë"}}, ensure_ascii=False).encode()


class Line:
    """A sender, and waiting for what becomes of what it sends."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.secret = new_secret()

    def send(self, *urls: str, body: bytes = _BODY) -> list[Outcome]:
        found: dict[int, Outcome] = {}
        ended = threading.Event()

        def done(place: int, outcome: Outcome) -> None:
            found[place] = outcome
            if len(found) == len(urls):
                ended.set()

        for place, url in enumerate(urls):
            message = Message(f"whd_{place}", url, body, (self.secret,))
            self.sender.send(message, lambda outcome, place=place: done(place, outcome))  # type: ignore[misc]  # bound
        assert ended.wait(_PATIENCE_SECONDS)
        return [found[place] for place in range(len(urls))]


@pytest.fixture
def line() -> Iterator[Line]:
    sender = Sender(_LOOPBACK, "Muster/test", seconds=0.7)
    yield Line(sender)
    sender.close()


def test_request_is_a_signed_post_of_json(line: Line) -> None:
    """Standard Webhooks 1.0, judged by its own library."""
    with receiver(status(202, "thanks")) as one:
        [outcome] = line.send(f"{one.address}?token=a%20b")
    [heard] = one.heard
    assert heard.line == "POST /hook?token=a%20b HTTP/1.1"
    assert Webhook(line.secret).verify(heard.body, heard.headers) == {"type": "webhook.test", "data": {"name": "Zoë"}}
    assert {name: heard.headers[name] for name in ("webhook-id", "content-type", "user-agent", "host")} == {
        "webhook-id": "whd_0",
        "content-type": "application/json",
        "user-agent": "Muster/test",
        "host": one.address.split("/")[2],
    }
    assert ("cookie" in heard.headers, "referer" in heard.headers) == (False, False)
    assert (outcome.status, outcome.error, outcome.answer) == (202, "", "thanks")


@pytest.mark.parametrize(
    ("answer", "told", "error"),
    [
        (status(200), 200, ""),
        (status(204), 204, ""),
        (status(400, "no"), 400, ""),
        (status(410), 410, ""),
        (status(500), 500, ""),
        (drip_body, 200, ""),
        (endless_body, 200, ""),
        (hang, None, "timeout"),
        (drip_headers, None, "timeout"),
        (reset, None, "connection_lost"),
        (raw(b""), None, "connection_lost"),
        (raw(b"SSH-2.0-OpenSSH_9.2p1\r\n"), None, "answer_unreadable"),
        (raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1_000_000 + b"\r\n\r\n"), None, "answer_unreadable"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000 + b"\r\n"), None, "answer_unreadable"),
    ],
)
def test_every_answer_becomes_an_outcome(line: Line, answer: Answer, told: int | None, error: str) -> None:
    with receiver(answer) as one:
        [outcome] = line.send(one.address)
    assert (outcome.status, outcome.error, len(one.heard)) == (told, error, 1)
    assert outcome.milliseconds < 2_500


def test_beginning_of_an_answer_is_kept_as_text(line: Line) -> None:
    with receiver(raw(b"HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n\xff\x00" + "é".encode() * 499)) as one:
        [outcome] = line.send(one.address)
    assert outcome.answer == "\ufffd\ufffd" + "é" * 298


def test_compressed_answer_is_not_unpacked(line: Line) -> None:
    with receiver(status(200, "not gzip at all", Content_Encoding="gzip")) as one:
        [outcome] = line.send(one.address)
    assert (outcome.status, outcome.answer) == (200, "not gzip at all")


def test_redirect_is_not_followed(line: Line) -> None:
    """N-18"""
    with receiver(status(200)) as other, receiver(status(307, Location="http://127.0.0.1/")) as one:
        one.answers[:] = [status(code, Location=other.address) for code in (301, 302, 303, 307, 308)]
        outcomes = [line.send(one.address)[0] for _ in range(5)]
        assert ([outcome.status for outcome in outcomes], other.heard) == ([301, 302, 303, 307, 308], [])


def test_wait_that_is_asked_for_is_told(line: Line) -> None:
    with receiver(status(429, Retry_After="7"), status(503)) as one:
        waits = [line.send(one.address)[0].retry_after_seconds for _ in range(2)]
    assert waits == [7.0, None]


def test_nobody_there_is_an_outcome(line: Line) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        [outcome] = line.send(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert (outcome.status, outcome.error) == (None, "connection_failed")


def test_receiver_that_hangs_holds_nobody_else_up(line: Line) -> None:
    with receiver(hang) as slow, receiver(status(200)) as quick:
        outcomes = line.send(*[slow.address] * 20, quick.address)
    assert [outcome.error for outcome in outcomes] == [*["timeout"] * 20, ""]
    assert outcomes[-1].milliseconds < 500


def test_connection_is_kept_for_the_next(line: Line) -> None:
    with receiver(status(200)) as one:
        for _ in range(3):
            line.send(one.address)
        assert (len(one.heard), one.connections) == (3, 1)


def test_close_breaks_off_what_is_under_way() -> None:
    sender = Sender(_LOOPBACK, "Muster/test")
    outcomes: list[Outcome] = []
    with receiver(hang) as one:
        sender.send(Message("whd_1", one.address, _BODY, (new_secret(),)), outcomes.append)
        while not one.heard:
            time.sleep(0.01)
        began = time.monotonic()
        sender.close()
        assert (time.monotonic() - began < 2, outcomes) == (True, [])


# Names


def _resolving(*answers: list[str]) -> tuple[Resolve, list[str]]:
    """A name server that answers something else each time, and what it was asked."""
    left, asked = list(answers), list[str]()

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    return resolve, asked


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.0.0.1"],
        ["100.64.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["1.1.1.1", "127.0.0.1"],
    ],
)
def test_name_that_leads_to_a_private_address_is_not_connected_to(addresses: list[str]) -> None:
    """N-18: every address must be globally routable."""
    resolve, asked = _resolving(addresses)
    line = Line(Sender((), "Muster/test", resolve=resolve))
    try:
        [outcome] = line.send("https://receiver.example/")
    finally:
        line.sender.close()
    assert (outcome.status, outcome.error, asked) == (None, "address_refused", ["receiver.example"])


def test_name_that_changes_between_look_and_connection_is_looked_up_once(line: Line) -> None:
    """N-18: the connection goes to the address that was checked (DNS rebinding)."""
    with receiver(status(200)) as one:
        port = one.address.split(":")[2].split("/")[0]
        resolve, asked = _resolving(["127.0.0.1"], ["10.0.0.1"])
        named = Line(Sender(_LOOPBACK, "Muster/test", resolve=resolve, seconds=2))
        try:
            first = named.send(f"http://receiver.example:{port}/hook")[0]
            assert (first.status, asked) == (200, ["receiver.example"])
            # A new connection is a new look; the one that is kept leads where it was checked.
            assert named.send(f"http://receiver.example:{port}/hook")[0].status == 200
            assert (asked, one.connections) == (["receiver.example"], 1)
        finally:
            named.sender.close()
        assert one.heard[0].headers["host"] == f"receiver.example:{port}"


def test_address_that_changed_since_it_was_typed_is_judged_again() -> None:
    """A name is judged each time, not when the webhook was made."""
    with receiver(status(200)) as one:
        port = one.address.split(":")[2].split("/")[0]
        resolve, _ = _resolving(["10.0.0.1"], ["127.0.0.1"])
        named = Line(Sender(_LOOPBACK, "Muster/test", resolve=resolve, seconds=2))
        try:
            url = f"http://receiver.example:{port}/hook"
            assert [named.send(url)[0].error for _ in range(2)] == ["address_refused", ""]
        finally:
            named.sender.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0177.0.0.1", "localhost"])
def test_loopback_is_refused_unless_it_is_opened(host: str) -> None:
    line = Line(Sender((), "Muster/test", seconds=5))
    try:
        [outcome] = line.send(f"https://{host}/")
    finally:
        line.sender.close()
    assert (outcome.status, outcome.error) == (None, "address_refused")


def test_name_without_an_address_is_an_outcome() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    line = Line(Sender((), "Muster/test", resolve=resolve))
    try:
        [outcome] = line.send("https://receiver.example/")
    finally:
        line.sender.close()
    assert (outcome.status, outcome.error) == (None, "name_unresolved")


# TLS


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for receiver.example that this process trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("receiver.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "cert.pem").write_bytes(pem)
    (tmp_path / "key.pem").write_bytes(key.private_bytes(*form))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


def test_tls_is_for_the_name_although_the_connection_goes_to_the_address(certified: ssl.SSLContext) -> None:
    """N-18"""
    resolve, _ = _resolving(["127.0.0.1"])
    with receiver(status(200), tls=certified) as one:
        port = one.address.split(":")[2].split("/")[0]
        line = Line(Sender(_LOOPBACK, "Muster/test", resolve=resolve, seconds=5))
        try:
            outcomes = line.send(
                f"https://receiver.example:{port}/hook",
                f"https://other.example:{port}/hook",
                f"https://127.0.0.1:{port}/",
            )
        finally:
            line.sender.close()
    told = [(outcome.status, outcome.error) for outcome in outcomes]
    assert (told, len(one.heard)) == ([(200, ""), (None, "tls_failed"), (None, "tls_failed")], 1)
