"""Keys of apps: what their programs send with everything, and what customer tokens are verified with."""

from __future__ import annotations

import binascii
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.db import transaction

from muster.audit.actions import record
from muster.catalog import models
from muster.catalog.actions import check_text, next_number, tell_of_keys
from muster.catalog.errors import CatalogError, KeyTaken, WordUnknown
from muster.catalog.queries import KeyView, TokenKeyView, app, key_of, key_view, token_key_view
from muster.catalog.terms import (
    BEGINNING_CHARACTERS,
    HS256,
    KEY_KINDS,
    KEY_SCOPES,
    LEAST_SECRET_BYTES,
    MOST_KEYS,
    MOST_TOKEN_KEYS,
    PUBLISHABLE,
    TOKEN_ALGORITHMS,
)
from muster.kernel.clock import system_clock
from muster.kernel.ids import encode_base32, new_id
from muster.kernel.worded import worded
from muster.online.port import key_digest
from muster.team.policies import Principal

_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def create_key(
    actor: Principal,
    app_key: str,
    *,
    kind: str,
    scopes: Collection[str] = KEY_SCOPES,
    name: str = "",
    replaces: str | None = None,
) -> tuple[KeyView, str]:
    """A new key of the app and its text, which of a server key is never shown again; in force when this returns.

    `replaces`: the id of the one it is to stand for, which the trail notes and which stays in force.
    """
    if kind not in KEY_KINDS:
        raise CatalogError(worded("A key is {kinds}.", kinds=" or ".join(KEY_KINDS)), pointer="/kind")
    strange = sorted(set(scopes) - set(KEY_SCOPES))
    if strange or not scopes:
        raise CatalogError(worded("A key may {scopes}.", scopes=", ".join(KEY_SCOPES)), pointer="/scopes")
    name = check_text(name, "/name") if name.strip() else ""
    text = _new_key(kind)
    with transaction.atomic():
        number = app(app_key).number
        if models.AppKey.objects.filter(app__number=number, revoked_at=None).count() >= MOST_KEYS:
            raise CatalogError(
                worded("The app has {most} keys already; revoke one first.", most=MOST_KEYS), code="key_limit"
            )
        row = models.AppKey.objects.create(
            id=new_id("key"),
            number=next_number(models.AppKey, "key", 1),
            app=models.App.objects.get(key=app_key),
            kind=kind,
            scopes=[scope for scope in KEY_SCOPES if scope in scopes],
            digest=key_digest(text).hex(),
            text=text if kind == PUBLISHABLE else "",
            name=name,
            beginning=text[:BEGINNING_CHARACTERS],
            created_at=system_clock(),
        )
        told = {"app": app_key, "kind": kind, "scopes": row.scopes}
        record(actor, "key.created", "key", row.id, told | ({"replaces": replaces} if replaces else {}))
    transaction.on_commit(tell_of_keys)
    return key_view(row), text


def replace_key(actor: Principal, app_key: str, identifier: str) -> tuple[KeyView, str]:
    """A second key like it, and its text. Both are in force, so that programs can be changed one after the other."""
    old = key_of(app_key, identifier)
    if old.revoked_at is not None:
        raise CatalogError("A revoked key is not replaced; make another.", code="state_not_allowed")
    return create_key(actor, app_key, kind=old.kind, scopes=old.scopes, name=old.name, replaces=old.id)


def revoke_key(actor: Principal, app_key: str, identifier: str) -> KeyView:
    """It opens nothing any more when this returns; again, nothing changes."""
    with transaction.atomic():
        row = models.AppKey.objects.filter(id=identifier, app__key=app_key).first()
        if row is None:
            raise WordUnknown(
                worded("App `{app}` has no key `{identifier}`.", app=app_key, identifier=identifier), code="key_unknown"
            )
        if row.revoked_at is None:
            row.revoked_at = system_clock()
            row.save(update_fields=["revoked_at"])
            record(actor, "key.revoked", "key", row.id, {"app": app_key})
    transaction.on_commit(tell_of_keys)
    return key_view(row)


def _new_key(kind: str) -> str:
    """130 or 260 random bits, the highest set: it has always the same length."""
    prefix, bits = ("mpk_", 130) if kind == PUBLISHABLE else ("msk_", 260)
    return prefix + encode_base32(secrets.randbits(bits) | 1 << (bits - 1))


def create_token_key(
    actor: Principal,
    app_key: str,
    *,
    algorithm: str,
    id: str | None = None,
    secret: str | None = None,
    public_key: str | None = None,
) -> tuple[TokenKeyView, str]:
    """What customer tokens that name it (`kid`) are verified with, and the secret of HS256: made here unless given,
    never shown again. `secret`: base64url; `public_key`: PEM or base64url. In force when it returns."""
    if algorithm not in TOKEN_ALGORITHMS:
        raise CatalogError(
            worded("The algorithm is {algorithms}.", algorithms=" or ".join(TOKEN_ALGORITHMS)), pointer="/algorithm"
        )
    if id is not None and not _KEY_ID.fullmatch(id):
        raise CatalogError(
            "The id, which tokens name as `kid`, has 1 to 64 of A-Z, a-z, 0-9, . _ and -.", pointer="/id"
        )
    material = _secret(secret, public_key) if algorithm == HS256 else _public_key(secret, public_key)
    with transaction.atomic():
        app(app_key)
        there = models.TokenKey.objects.filter(app__key=app_key)
        if there.filter(revoked_at=None).count() >= MOST_TOKEN_KEYS:
            raise CatalogError(
                worded("The app has {most} keys for customer tokens already; revoke one first.", most=MOST_TOKEN_KEYS),
                code="key_limit",
            )
        identifier = id or new_id("tok")
        if there.filter(key_id=identifier).exists():
            raise KeyTaken(
                worded("App `{app}` has had a key `{identifier}` already.", app=app_key, identifier=identifier),
                pointer="/id",
            )
        row = models.TokenKey.objects.create(
            app=models.App.objects.get(key=app_key),
            key_id=identifier,
            algorithm=algorithm,
            material=material,
            created_at=system_clock(),
        )
        record(actor, "token_key.created", "token_key", identifier, {"app": app_key, "algorithm": algorithm})
    transaction.on_commit(tell_of_keys)
    return token_key_view(row), material if algorithm == HS256 else ""


def revoke_token_key(actor: Principal, app_key: str, identifier: str) -> TokenKeyView:
    """Tokens that name it are worth nothing when this returns, and it is forgotten; again, nothing changes."""
    with transaction.atomic():
        row = models.TokenKey.objects.filter(key_id=identifier, app__key=app_key).first()
        if row is None:
            raise WordUnknown(
                worded(
                    "App `{app}` has no key `{identifier}` for customer tokens.", app=app_key, identifier=identifier
                ),
                code="key_unknown",
            )
        if row.revoked_at is None:
            row.revoked_at, row.material = system_clock(), ""
            row.save(update_fields=["revoked_at", "material"])
            record(actor, "token_key.revoked", "token_key", identifier, {"app": app_key})
    transaction.on_commit(tell_of_keys)
    return token_key_view(row)


def _secret(secret: str | None, public_key: str | None) -> str:
    if public_key is not None:
        raise CatalogError("HS256 has a secret and no public key.", pointer="/public_key")
    if secret is None:
        return _encoded(secrets.token_bytes(LEAST_SECRET_BYTES))
    decoded = _decoded(secret, "/secret")
    if len(decoded) < LEAST_SECRET_BYTES:
        raise CatalogError(
            worded("The secret has at least {least} bytes, in base64url.", least=LEAST_SECRET_BYTES), pointer="/secret"
        )
    return _encoded(decoded)


def _public_key(secret: str | None, public_key: str | None) -> str:
    if secret is not None:
        raise CatalogError("Of EdDSA only the public key is needed here; keep the private one.", pointer="/secret")
    if public_key is None:
        raise CatalogError("EdDSA needs the `public_key`.", pointer="/public_key")
    try:
        if "-----BEGIN" in public_key:
            loaded = load_pem_public_key(public_key.encode("ascii"))
        else:
            loaded = Ed25519PublicKey.from_public_bytes(_decoded(public_key, "/public_key"))
    except (ValueError, UnsupportedAlgorithm):
        loaded = None
    if not isinstance(loaded, Ed25519PublicKey):
        raise CatalogError(
            "The public key is one of Ed25519: PEM, or base64url of its 32 bytes.", pointer="/public_key"
        )
    return _encoded(loaded.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _decoded(text: str, pointer: str) -> bytes:
    try:
        return urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except (binascii.Error, ValueError):
        raise CatalogError("It is not base64url.", pointer=pointer) from None


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
