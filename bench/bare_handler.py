"""What a decision costs at least: a bare ASGI handler that reads JSON, looks up key, id and mask, and writes JSON."""

from __future__ import annotations

import asyncio
import socket
import sys
from hashlib import blake2b
from typing import Any

import lmdb
import msgspec
import orjson
import uvicorn

_GROUPS = [(f"group-{bit}", bit) for bit in range(10)]


class _Customer(msgspec.Struct):
    id: str


class _Asked(msgspec.Struct):
    customer: _Customer


class Handler:
    def __init__(self, directory: str) -> None:
        self._environment = lmdb.open(directory, readonly=True, map_size=64 * 1024**3, max_dbs=16, create=False)
        names = (b"meta", b"keys", b"ids.1", b"masks.1")
        self._meta, self._keys, self._ids, self._masks = (
            self._environment.open_db(name, create=False) for name in names
        )
        self._decode = msgspec.json.Decoder(_Asked).decode

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        event = await receive()
        if scope["path"] == "/healthz":
            await _send(send, b"{}")
            return
        key = dict(scope["headers"])[b"x-api-key"]
        asked = self._decode(event["body"])
        with self._environment.begin() as transaction:
            state = orjson.loads(transaction.get(b"state", db=self._meta))
            transaction.get(blake2b(key, digest_size=16).digest(), db=self._keys)
            name = blake2b(f"external\0{0}\0{asked.customer.id}".encode(), digest_size=16).digest()
            customer = int.from_bytes(transaction.get(name, db=self._ids), "big")
            block = transaction.get((customer >> 6).to_bytes(4, "big"), db=self._masks)
        begin = (customer & 63) * 16
        mask = int.from_bytes(block[begin : begin + 16], "little")
        flags = {
            f"group.{name}": {"value": bool(mask >> bit & 1), "variant": "in" if mask >> bit & 1 else "out",
                              "reason": "TARGETING_MATCH" if mask >> bit & 1 else "STATIC"}
            for name, bit in _GROUPS
        }  # fmt: skip  # one flag
        told = {
            "subject": {"known": True, "trust": "open"},
            "groups": [name for name, bit in _GROUPS if mask >> bit & 1],
            "flags": flags,
            "generation": state["generation"],
            "data_as_of": state["data_as_of"],
            "expires_in_seconds": 60,
        }
        await _send(send, orjson.dumps(told))


async def _send(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    config = uvicorn.Config(
        Handler(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    with socket.socket(fileno=int(sys.argv[2])) as listener:
        asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
