"""Customer tokens: the app's own server vouches for who somebody is (E-6, E-7)."""

from __future__ import annotations

import binascii
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from muster.edge.errors import EdgeError
from muster.online.port import TokenKey

LARGEST_BYTES = 4 * 1024
TOLERANCE_SECONDS = 60
LONGEST_SECONDS = 24 * 60 * 60
_MOST_KEPT = 10_000
_LONGEST_ID = 255


class _Claims(msgspec.Struct):
    sub: str
    exp: int | float
    iat: int | float
    nbf: int | float | None = None
    aud: str | list[str] | None = None
    email: str | None = None


class Vouched(NamedTuple):
    """`subject`: the external id; `email`: an address that is theirs. `key`: what it was verified with."""

    subject: str
    email: str | None
    expires_at: float
    audience: tuple[str, ...]
    key: TokenKey


_decode_claims = msgspec.json.Decoder(_Claims).decode


class Tokens:
    """Verifies each token once, and remembers until it ends whom it vouches for."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept: dict[bytes, Vouched] = {}
        self._signatures = jwt.PyJWS(algorithms=["HS256", "EdDSA"])

    def vouched(self, token: str, keys: Sequence[TokenKey], app_key: str, *, for_app: bool) -> Vouched:
        """401 for whatever is wrong with it. `for_app`: it must name the app, because no key does."""
        now = self._clock()
        digest = blake2b(token.encode("utf-8", "replace"), digest_size=16).digest()
        found = self._kept.get(digest)
        if found is None or found.key not in keys:
            found = self._verified(token, keys, now)
            if len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[digest] = found
        if now >= found.expires_at + TOLERANCE_SECONDS:
            raise expired()
        if (found.audience or for_app) and app_key not in found.audience:
            raise invalid(f"its audience is not {app_key}")
        return found

    def _verified(self, token: str, keys: Sequence[TokenKey], now: float) -> Vouched:
        key = self._key_of(token, keys)
        try:
            told = self._signatures.decode_complete(token, material_of(key), algorithms=[key.algorithm])
        except (jwt.InvalidTokenError, RecursionError):
            raise invalid("its signature is wrong") from None
        try:
            claims = _decode_claims(told["payload"])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise invalid("its claims need `sub`, `exp` and `iat`") from None
        _check_claims(claims, now)
        audience = (claims.aud,) if isinstance(claims.aud, str) else tuple(claims.aud or ())
        return Vouched(claims.sub, claims.email or None, claims.exp, audience, key)

    def _key_of(self, token: str, keys: Sequence[TokenKey]) -> TokenKey:
        """The key that the token names; how it is verified is the key's to say, not the token's."""
        if len(token) > LARGEST_BYTES:
            raise invalid("it is larger than 4 KiB")
        header = _header_of(token)
        key = next((one for one in keys if one.id == header.get("kid")), None)
        if key is None:
            raise invalid("its `kid` names no verification key of the app")
        if header.get("alg") != key.algorithm:
            raise invalid(f"its key is verified with {key.algorithm}")
        if header.get("crit") is not None:
            raise invalid("it has critical headers that nobody here understands")
        return key


def _header_of(token: str) -> dict[str, Any]:
    try:
        return dict(jwt.get_unverified_header(token))
    except (jwt.InvalidTokenError, RecursionError):
        raise invalid("it is no JSON Web Token") from None


def _check_claims(claims: _Claims, now: float) -> None:
    if not 1 <= len(claims.sub) <= _LONGEST_ID or not claims.sub.strip():
        raise invalid(f"its `sub` has 1 to {_LONGEST_ID} characters")
    if not 0 < claims.exp - claims.iat <= LONGEST_SECONDS:
        raise invalid("it is valid for more than 24 hours, or for no time")
    if claims.iat > now + TOLERANCE_SECONDS:
        raise invalid("it was issued in the future")
    if claims.nbf is not None and claims.nbf > now + TOLERANCE_SECONDS:
        raise invalid("it is not valid yet")
    if now >= claims.exp + TOLERANCE_SECONDS:
        raise expired()


def material_of(key: TokenKey) -> bytes | Ed25519PublicKey:
    """The secret of HS256, the public key of EdDSA."""
    material = decoded(key.material)
    return material if key.algorithm == "HS256" else Ed25519PublicKey.from_public_bytes(material)


def decoded(text: str) -> bytes:
    """Of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def audiences_of(token: str) -> list[str]:
    """The apps that a token says it is for, before anything of it is believed."""
    try:
        _, payload, _ = token.split(".")
        claims = msgspec.json.decode(decoded(payload))
    except (ValueError, binascii.Error, msgspec.DecodeError, RecursionError):
        return []
    said = claims.get("aud") if isinstance(claims, dict) else None
    return [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)]


def invalid(which: str) -> EdgeError:
    message = f"The token's signature, audience or age is wrong: {which}."
    return EdgeError(401, "customer_token_invalid", message)


def expired() -> EdgeError:
    message = "The token's signature, audience or age is wrong: it has expired."
    return EdgeError(401, "customer_token_expired", message)
