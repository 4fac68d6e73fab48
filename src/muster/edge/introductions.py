"""What the edge itself has to say of people, told to the warehouse as if their app's server had (E-28, E-41)."""

from __future__ import annotations

import time
from collections.abc import Hashable
from hashlib import blake2b

import orjson

from muster.edge.gate import Asker
from muster.edge.published import Published
from muster.edge.storing import Storing
from muster.edge.subjects import vouched_names
from muster.online.port import SERVER
from muster.spool.entries import ITEMS, Entry

_SECONDS_BETWEEN = 60 * 60
# Of the first that were told it is told again.
_MOST_REMEMBERED = 100_000


class Introductions:
    """Each at most once an hour; in other processes too, because what is said the same is one item (C-19)."""

    def __init__(self, published: Published, storing: Storing) -> None:
        self._published, self._storing = published, storing
        self._told: dict[Hashable, float] = {}

    def introduce(self, asker: Asker) -> None:
        """Whom a token names that nobody knows yet, and the address it says is theirs."""
        vouched = asker.vouched
        if vouched is None or self._was_told((asker.key.app, vouched.subject, vouched.email)):
            return
        if vouched.email is None and self._published.is_known(vouched_names(vouched.subject)):
            return
        traits = {} if vouched.email is None else {"email": vouched.email}
        self._say(asker, {"userId": vouched.subject, "traits": traits})

    def refuse_profiling(self, asker: Asker, anonymous_id: str) -> None:
        """Of a visitor whose browser asks for it."""
        if not self._was_told((asker.key.app, anonymous_id)):
            denied = [{"purpose": "profiling", "granted": False}]
            self._say(asker, {"anonymousId": anonymous_id, "context": {"consents": denied}})

    def _was_told(self, name: Hashable) -> bool:
        now = time.monotonic()
        before = self._told.get(name)
        if before is not None and now - before < _SECONDS_BETWEEN:
            return True
        self._told.pop(name, None)
        if len(self._told) >= _MOST_REMEMBERED:
            del self._told[next(iter(self._told))]
        self._told[name] = now
        return False

    def _say(self, asker: Asker, message: dict[str, object]) -> None:
        """With the trust of a server: it is the publisher's own signature that says it, or what takes nothing."""
        at = time.time_ns() // 1_000
        said = orjson.dumps([message, at // 1_000_000 // _SECONDS_BETWEEN])
        message["messageId"] = f"edge-{blake2b(said, digest_size=16).hexdigest()}"
        key = asker.key
        body = orjson.dumps(message)
        self._storing.store_soon(Entry(ITEMS, "identify", at, key.app, key.source, SERVER, None, 1, body))
