"""What the edge is measured against: handlers that do the same JSON and the same look-ups, and nothing else.

`python -m bench.edge.bare FD KIND ...`. `decide ONLINE`: no limits, no request ids, no origins, no trust, no errors.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import lmdb
import orjson
import uvicorn

from muster.online.layout import open_environment
from muster.online.port import identity_digest, key_digest

Handler = Callable[[dict[bytes, bytes], bytes], bytes]
_HEAD = [(b"content-type", b"application/json")]


class Bare:
    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            return
        body = b""
        more = True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        answer = b"{}" if scope["path"] == "/healthz" else self._handler(dict(scope["headers"]), body)
        length = (b"content-length", b"%d" % len(answer))
        await send({"type": "http.response.start", "status": 200, "headers": [*_HEAD, length]})
        await send({"type": "http.response.body", "body": answer})


def deciding(folder: str) -> Handler:
    """Key, customer and groups out of the store, and the flags of those ten groups that are shown."""
    environment, databases = open_environment(Path(folder), readonly=True)
    keys, plans = databases[b"keys"], databases[b"plans"]
    ids, masks, meta = databases[b"ids.0"], databases[b"masks.0"], databases[b"meta"]
    with environment.begin() as transaction:
        names = [name for name, _ in transaction.cursor(db=meta)]
        known = transaction.get((1).to_bytes(2, "big"), db=plans)
        for place in (0, 1):
            if transaction.stat(databases[b"ids.%d" % place])["entries"]:
                ids = databases[b"ids.%d" % place]
            if transaction.stat(databases[b"masks.%d" % place])["entries"]:
                masks = databases[b"masks.%d" % place]
    assert names
    shown = [(group["bit"], f"group.{group['key']}") for group in orjson.loads(known)["groups"] if _open(group)]
    width = len(_any_block(environment, masks)) // 64

    def decide(headers: dict[bytes, bytes], body: bytes) -> bytes:
        asked = orjson.loads(body)
        name = asked["context"]["targetingKey"] if "context" in asked else asked["customer"]["id"]
        with environment.begin() as transaction:
            key = orjson.loads(transaction.get(key_digest(headers[b"x-api-key"].decode()), db=keys))
            customer = transaction.get(identity_digest("external", 0, name), db=ids)
            number = int.from_bytes(customer, "big")
            block = transaction.get((number >> 6).to_bytes(4, "big"), db=masks)
        begin = (number & 63) * width
        mask = int.from_bytes(block[begin : begin + width], "little")
        assert key["app"] == 1
        flags = [
            {
                "key": flag,
                "value": bool(mask >> bit & 1),
                "reason": "TARGETING_MATCH" if mask >> bit & 1 else "STATIC",
                "variant": "in" if mask >> bit & 1 else "out",
                "metadata": {"kind": "group"},
            }
            for bit, flag in shown
        ]
        return orjson.dumps({"flags": flags, "metadata": {}})

    return decide


def _open(group: dict[str, Any]) -> bool:
    return group["exposure"] == "open" and not group.get("guarded")


def _any_block(environment: lmdb.Environment, masks: Any) -> bytes:
    with environment.begin() as transaction:
        cursor = transaction.cursor(db=masks)
        cursor.first()
        return bytes(cursor.value())


def main() -> None:
    descriptor, kind, *arguments = sys.argv[1:]
    handler = {"decide": deciding}[kind](*arguments)
    config = uvicorn.Config(
        Bare(handler),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    with socket.socket(fileno=int(descriptor)) as listener:
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
