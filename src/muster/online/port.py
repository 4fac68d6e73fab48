"""What control publishes for the edge and how it is read, whatever keeps it: keys, plans, who is who, who is in what.

One implementation keeps it in LMDB (`reader`, `writer`). Nothing here, and nothing of the reader, loads the parts that
work on millions of customers at once: edge processes are small.
"""

from __future__ import annotations

import unicodedata
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Protocol

import msgspec

from muster.kernel.errors import MusterError

EXTERNAL, ANONYMOUS = "external", "anonymous"
MOST_GROUPS = 1_024
"""That are published at a time (E-32)."""
OPEN, SIGNED, SERVER = 0, 1, 2
"""How far a claim is believed (C-9); the same numbers as `warehouse.catalog.Trust`."""
_DIGEST_BYTES = 16


class StoreUnreadable(MusterError):
    """There is no online store yet, or it cannot be read."""

    code = "plan_missing"


class TokenKey(msgspec.Struct, frozen=True):
    """What customer tokens of an app are verified with. `algorithm`: HS256 or EdDSA; `material`: base64url of the
    secret, or of the 32 bytes of the public key."""

    id: str
    algorithm: str
    material: str


class PublishedKey(msgspec.Struct, frozen=True):
    """What the edge must know of a key and its app. `app`, `source`: numbers; `kind`: publishable, server, or app for
    what stands for the app itself, when a customer token names it and no key was sent."""

    app: int
    source: int
    kind: str
    scopes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ("*",)
    app_key: str = ""
    identity_mode: str = "open"
    respect_gpc: bool = False
    token_keys: tuple[TokenKey, ...] = ()


class PlanGroup(msgspec.Struct, frozen=True):
    """A published group. `exposure`: never, signed or open, as it is in effect. `guarded`: a claim that nobody vouches
    for does not make anybody its member (E-25): it is a list, or rests on one."""

    id: str
    key: str
    bit: int
    exposure: str
    guarded: bool = False


class Plan(msgspec.Struct, frozen=True):
    """What is decided in one app. `parts`: of rooms above groups, by name, as they understand them."""

    groups: tuple[PlanGroup, ...] = ()
    parts: dict[str, msgspec.Raw] = {}


class State(msgspec.Struct, frozen=True):
    """`generation` counts publications; `renewed` is the one that last changed keys or plans. `data_as_of`,
    `published_at`: RFC 3339, in UTC. Without `complete` nobody is in the store yet, and nothing can be decided."""

    generation: int = 0
    renewed: int = 0
    masks: int = 0
    ids: int = 0
    width: int = 8
    complete: bool = False
    data_as_of: str = ""
    published_at: str = ""


class Snapshot(Protocol):
    """One state of the store (E-33): either before a publication or after it, never a mixture."""

    state: State

    def key(self, digest: bytes) -> PublishedKey | None: ...
    def plan(self, app: int) -> bytes | None:
        """JSON of a `Plan`."""

    def customer(self, digest: bytes) -> int | None:
        """The key of whom `identity_digest` names."""

    def mask(self, customer: int) -> int:
        """The groups of a customer, a bit each."""


class View(Protocol):
    """All raise `StoreUnreadable`."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Closed soon: what is waited for in it makes the store grow (E-36)."""

    def meta(self, name: str) -> str | None: ...


class Reader(View, Protocol):
    """For one process that answers requests; opened after it was forked."""

    def is_current(self) -> bool:
        """Whether the store that was opened is still the one in place."""

    def close(self) -> None: ...


def key_digest(key: str) -> bytes:
    """Under which a key is published: whoever reads the store learns no key."""
    return blake2b(key.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()


def app_digest(app_key: str) -> bytes:
    """Under which an app is published; the same text as a key is another digest."""
    return blake2b(app_key.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES, person=b"app").digest()


def identity_digest(kind: str, app: int, text: str) -> bytes:
    """Under which an identity is published; `app` 0 for external ids. Texts are compared as the warehouse keeps them:
    composed, and without the sign that no text there has."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\0" in text:
        text = text.replace("\0", "")
    name = f"{kind}\0{app}\0{text}".encode("utf-8", "replace")
    return blake2b(name, digest_size=_DIGEST_BYTES).digest()
