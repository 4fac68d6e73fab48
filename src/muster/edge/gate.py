"""Who asks: the key of an app, the customer token beside it, how often they may (E-5 to E-7, E-11)."""

from __future__ import annotations

import time
from typing import NamedTuple

from muster.edge.credentials import SERVER_KIND, key_in_headers, token_in_headers
from muster.edge.errors import EdgeError, key_invalid
from muster.edge.limits import Limits, client_address
from muster.edge.published import Published
from muster.edge.request import Request
from muster.edge.tokens import LARGEST_BYTES, Tokens, Vouched, audiences_of
from muster.kernel.origins import EVERY_ORIGIN
from muster.online.port import OPEN, SERVER, SIGNED, PublishedKey

_LONGEST_KEY = 200
# Names that a token tells are looked for in the store: not as many as it likes.
_MOST_AUDIENCES = 10


class Asker(NamedTuple):
    """`trust`: how far it is believed whom the request says it is about; `vouched`: by a token."""

    key: PublishedKey
    trust: int
    vouched: Vouched | None


class Gate:
    def __init__(
        self, published: Published, limits: Limits, trusted_proxies: tuple[str, ...], tokens: Tokens | None = None
    ) -> None:
        self._published, self._limits = published, limits
        self._trusted_proxies = trusted_proxies
        self._tokens = tokens or Tokens()

    def admitted(self, request: Request, scope: str, key: str | None = None) -> Asker:
        """`key`: as the body says it, where no header does. 401 for a key or token that is none, 403 for a key that may
        not, 429, and 503 while keys cannot be read: senders throw away what is answered with 401."""
        told = key_in_headers(request) or key
        token = token_in_headers(request)
        by_token = not told and bool(token)
        found = self._app_of(token) if by_token else self._key(told)
        is_server = found.kind == SERVER_KIND
        if is_server:
            request.is_shared = False
            if scope not in found.scopes:
                raise EdgeError(403, "scope_missing", f"This key may not {scope}.")
        elif b"origin" in request.headers:
            _check_origin(request, found)
        self._check_limits(request, found)
        if not token:
            return Asker(found, SERVER if is_server else OPEN, None)
        vouched = self._tokens.vouched(token, found.token_keys, found.app_key, for_app=by_token)
        return Asker(found, SERVER if is_server else SIGNED, vouched)

    def _key(self, key: str | None) -> PublishedKey:
        if not key or len(key) > _LONGEST_KEY:
            raise key_invalid()
        found = self._published.key(key)
        if found is None:
            raise key_invalid()
        return found

    def _app_of(self, token: str) -> PublishedKey:
        if len(token) <= LARGEST_BYTES:
            for audience in audiences_of(token)[:_MOST_AUDIENCES]:
                found = self._published.app(audience)
                if found is not None:
                    return found
        raise key_invalid()

    def _check_limits(self, request: Request, key: PublishedKey) -> None:
        address = None
        if key.kind != SERVER_KIND:
            forwarded = request.header(b"x-forwarded-for") if self._trusted_proxies else ""
            address = client_address(request.peer, forwarded, self._trusted_proxies)
        self._limits.check(key.source, address, time.monotonic())


def _check_origin(request: Request, key: PublishedKey) -> None:
    origin = request.header(b"origin")
    if EVERY_ORIGIN not in key.origins and origin not in key.origins:
        raise EdgeError(403, "origin_not_allowed", f"{origin} is not allowed for this app.")
