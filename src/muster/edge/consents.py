"""`PUT /edge/v1/consents/{purpose}`: what a customer allows or refuses, on disk when it is answered (C-13)."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import orjson

from muster.edge.answers import Answer, json_answer
from muster.edge.decide import facts_invalid
from muster.edge.errors import EdgeError
from muster.edge.gate import Asker, Gate
from muster.edge.introductions import Introductions
from muster.edge.request import Request
from muster.edge.storing import Storing
from muster.online.port import SIGNED
from muster.spool.entries import CONSENT, Entry
from muster.warehouse.messages.consents import KIND, check_consent
from muster.warehouse.messages.errors import MessageRefused

PATH = "/edge/v1/consents/"
LARGEST_BODY_BYTES = 64 * 1024


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    state: Any = None
    channel: Any = None
    text_version: Any = None


_decode = msgspec.json.Decoder(_Said).decode


class Consents:
    def __init__(self, gate: Gate, storing: Storing, introductions: Introductions) -> None:
        self._gate, self._storing, self._introductions = gate, storing, introductions

    async def answer(self, request: Request) -> Answer:
        """202 with the position. An `Idempotency-Key` makes what is sent again one entry of the log."""
        asker = self._gate.admitted(request, "ingest")
        if asker.vouched is None:
            sentence = "Sign in: a customer token is needed. A server says it by PUT /api/v1/customers/{id}/consents."
            raise EdgeError(403, "signed_customer_required", sentence)
        said = _read(await request.body(LARGEST_BODY_BYTES))
        message = _message(request, asker.vouched.subject, said)
        self._introductions.introduce(asker)
        position = await self._storing.store(_entry(asker, message))
        return json_answer({"position": position}, 202, ((b"x-muster-position", position.encode("ascii")),))


def _read(body: bytes) -> _Said:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise facts_invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EdgeError(400, "invalid_json", f"The body is not JSON: {error}.") from None


def _message(request: Request, subject: str, said: _Said) -> dict[str, Any]:
    """As the drain reads it again; 422 `facts_invalid`."""
    told = {
        "type": KIND,
        "userId": subject,
        "purpose": request.path.removeprefix(PATH),
        "channel": said.channel,
        "state": said.state,
        "textVersion": said.text_version,
        "messageId": request.header(b"idempotency-key") or None,
    }
    message = {name: value for name, value in told.items() if value is not None}
    try:
        check_consent(message)
    except MessageRefused as error:
        raise facts_invalid(error.message.removesuffix(".")) from None
    return message


def _entry(asker: Asker, message: dict[str, Any]) -> Entry:
    """The customer's own word, whatever key stands beside their token."""
    key, at = asker.key, time.time_ns() // 1_000
    return Entry(CONSENT, None, at, key.app, key.source, SIGNED, message["userId"], 1, orjson.dumps(message))
