"""Signatures as Standard Webhooks 1.0 describes them, judged by its own libraries."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from muster.webhooks.channels.signing import new_secret, signed_headers

_BODY = '{"type":"group.member_joined","data":{"name":"Zoë"}}'.encode()


def test_signature_is_that_of_the_specifications_example() -> None:
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_receiver_verifies_under_either_secret_while_they_are_exchanged() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers("whd_1", int(time.time()), _BODY, [new, old])
    for secret in (old, new):
        assert Webhook(secret).verify(_BODY, headers)["data"] == {"name": "Zoë"}
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(_BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(_BODY + b" ", headers)


def _verified_by_node(secret: str, headers: dict[str, str], body: bytes) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node")
    assert node is not None, "These tests need Node.js: install Debian's package `nodejs`."
    program = Path(__file__).with_name("verify.mjs")
    command = [node, str(program), secret, json.dumps(headers), body.decode()]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_receiver_in_javascript_verifies_it_too() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers("whd_1", int(time.time()), _BODY, [new, old])
    for secret in (old, new):
        assert json.loads(_verified_by_node(secret, headers, _BODY).stdout)["data"] == {"name": "Zoë"}
    assert "No matching signature" in _verified_by_node(new_secret(), headers, _BODY).stderr


def test_secrets_have_the_length_that_is_asked_for() -> None:
    """24 to 64 bytes."""
    first, second = new_secret(), new_secret()
    assert (len(first), first[:6], first != second) == (50, "whsec_", True)
