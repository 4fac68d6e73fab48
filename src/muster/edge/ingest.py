"""Takes in what tracking libraries send: 200 when all of it is on disk (E-13 to E-15)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from typing import Any

from muster.edge import gpc
from muster.edge.answers import Answer, json_answer
from muster.edge.credentials import key_in_headers, token_in_headers
from muster.edge.errors import EdgeError
from muster.edge.gate import Asker, Gate
from muster.edge.introductions import Introductions
from muster.edge.request import Request
from muster.edge.storing import Storing
from muster.spool.entries import ITEMS, UNREADABLE, Entry
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
    def __init__(self, gate: Gate, storing: Storing, introductions: Introductions) -> None:
        self._gate, self._storing, self._introductions = gate, storing, introductions

    async def answer(self, request: Request) -> Answer:
        call = PATHS[request.path]
        # Whom we do not know sends us no body.
        told = key_in_headers(request) or token_in_headers(request)
        known = self._gate.admitted(request, "ingest") if told else None
        body = await request.body(LARGEST_BODY_BYTES)
        try:
            read = read_body(body, call)
        except BodyUnreadable as error:
            if known is not None:
                self._storing.store_soon(_entry(known, UNREADABLE, error.code, 1, body[:_KEPT_BYTES]))
            raise EdgeError(400, error.code, error.message) from None
        asker = known or self._gate.admitted(request, "ingest", read.write_key)
        self._introductions.introduce(asker)
        if gpc.applies(request, asker):
            position, refused = await self._store_some(asker, body, read, call)
        else:
            position = await self._storing.store(_entry(asker, ITEMS, call, len(read), body))
            refused = frozenset()
        said: dict[str, Any] = {"success": True}
        if request.query("verdicts") == "1":
            said |= _verdicts(read, call, refused) | {"position": position}
        return json_answer(said, headers=((b"x-muster-position", position.encode("ascii")),))

    async def _store_some(self, asker: Asker, body: bytes, read: Body, call: str | None) -> tuple[str, Collection[int]]:
        """Of visitors who ask for it nothing but that; the position of the last, and the places of what is refused."""
        found = gpc.sorted_body(body, read, call)
        entries = [_entry(asker, UNREADABLE, gpc.VERDICT, 1, raw) for raw in found.refused.values()]
        if found.body is not None or not entries:
            entries.append(_entry(asker, ITEMS, call, found.items, found.body or body))
        for visitor in found.visitors:
            self._introductions.refuse_profiling(asker, visitor)
        positions = await asyncio.gather(*(self._storing.store(entry) for entry in entries))
        return positions[-1], found.refused.keys()


def _entry(asker: Asker, kind: str, call: str | None, items: int, body: bytes) -> Entry:
    key, subject = asker.key, asker.vouched.subject if asker.vouched else None
    return Entry(kind, call, time.time_ns() // 1_000, key.app, key.source, asker.trust, subject, items, body)


def _verdicts(read: Body, call: str | None, untracked: Collection[int]) -> dict[str, Any]:
    """What the drain will say of each, as far as that depends on nothing but the message."""
    refused = []
    for index, raw in enumerate(read.messages):
        try:
            read_message(raw, call)
        except MessageRefused as error:
            refused.append({"index": index, "code": error.code, "message": error.message})
        else:
            if index in untracked:
                refused.append({"index": index, "code": gpc.VERDICT, "message": gpc.SENTENCE})
    return {"accepted": len(read) - len(refused), "refused": refused}
