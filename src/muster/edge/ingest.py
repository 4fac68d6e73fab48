"""Takes in what tracking libraries send: 200 when all of it is on disk (E-13 to E-15)."""

from __future__ import annotations

import time
from typing import Any

from muster.edge.answers import Answer, json_answer
from muster.edge.credentials import SERVER, key_in_headers, permitted_key
from muster.edge.errors import EdgeError
from muster.edge.limits import Limits, client_address
from muster.edge.published import Published
from muster.edge.request import Request
from muster.edge.storing import Storing
from muster.online.port import PublishedKey
from muster.spool.entries import ITEMS, UNREADABLE, Entry
from muster.warehouse.catalog import Trust
from muster.warehouse.messages.checks import read_message
from muster.warehouse.messages.errors import BodyUnreadable, MessageRefused
from muster.warehouse.messages.pieces import Body, read_body

LARGEST_BODY_BYTES = 1024 * 1024
# Of a body that says nothing, for whoever looks for the cause.
_KEPT_BYTES = 1024
_CALLS = {"identify": "i", "track": "t", "page": "p", "screen": "s", "group": "g", "alias": "a"}
PATHS: dict[str, str | None] = {
    **dict.fromkeys(("/v1/batch", "/v1/import", "/v1/b")),
    **{f"/v1/{path}": call for call, short in _CALLS.items() for path in (call, short)},
}
"""The type that the path gives a single message; None of a batch."""


class Ingest:
    def __init__(
        self, published: Published, storing: Storing, limits: Limits, trusted_proxies: tuple[str, ...]
    ) -> None:
        self._published, self._storing, self._limits = published, storing, limits
        self._trusted_proxies = trusted_proxies

    async def answer(self, request: Request) -> Answer:
        call = PATHS[request.path]
        told = key_in_headers(request)
        # Whom we do not know sends us no body.
        known = self._permitted(request, told) if told else None
        body = await request.body(LARGEST_BODY_BYTES)
        try:
            read = read_body(body, call)
        except BodyUnreadable as error:
            if known is not None:
                self._storing.store_soon(_entry(known, UNREADABLE, error.code, 1, body[:_KEPT_BYTES]))
            raise EdgeError(400, error.code, error.message) from None
        key = known or self._permitted(request, read.write_key)
        position = await self._storing.store(_entry(key, ITEMS, call, len(read.messages), body))
        said: dict[str, Any] = {"success": True}
        if request.query("verdicts") == "1":
            said |= _verdicts(read, call) | {"position": position}
        return json_answer(said, headers=((b"x-muster-position", position.encode("ascii")),))

    def _permitted(self, request: Request, key: str | None) -> PublishedKey:
        found = permitted_key(request, key, self._published, "ingest")
        address = client_address(request.peer, request.header(b"x-forwarded-for"), self._trusted_proxies)
        self._limits.check(found.source, None if found.kind == SERVER else address, time.monotonic())
        return found


def _entry(key: PublishedKey, kind: str, call: str | None, items: int, body: bytes) -> Entry:
    trust = Trust.SERVER if key.kind == SERVER else Trust.OPEN
    return Entry(kind, call, time.time_ns() // 1_000, key.app, key.source, int(trust), None, items, body)


def _verdicts(read: Body, call: str | None) -> dict[str, Any]:
    """What the drain will say of each, as far as that depends on nothing but the message."""
    refused = []
    for index, raw in enumerate(read.messages):
        try:
            read_message(raw, call)
        except MessageRefused as error:
            refused.append({"index": index, "code": error.code, "message": error.message})
    return {"accepted": len(read.messages) - len(refused), "refused": refused}
