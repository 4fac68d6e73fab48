"""What the catalog's API takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from muster.catalog.terms import KEY_SCOPES


class Strict(Schema):
    """Fields nobody reads are mistakes of the caller, not decoration."""

    model_config = ConfigDict(extra="forbid", strict=True)


class PublisherOut(Schema):
    name: str
    language: str
    time_zone: str
    currency: str
    minimum_age: int
    require_known_age: bool
    minimum_size: int
    unset_consents: dict[str, bool]
    revision: int


class PublisherEdit(Strict):
    name: str | None = None
    language: str | None = None
    time_zone: str | None = None
    currency: str | None = None
    minimum_age: int | None = None
    require_known_age: bool | None = None
    minimum_size: int | None = None
    unset_consents: dict[str, bool] | None = None


class AppOut(Schema):
    key: str
    number: int
    name: dict[str, str]
    state: str
    revision: int
    settings: dict[str, Any]


_Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
_Texts = Annotated[list[_Text], Field(max_length=100)]


class AppSettings(Strict):
    """Those that are given are set; the others stay as they are, or begin as they are here."""

    platforms: _Texts = []
    store_ids: dict[Literal["microsoft", "apple", "google", "other"], _Text] = {}
    own_domains: _Texts = []
    listing_urls: _Texts = []
    link_schemes: _Texts = []
    allowed_origins: _Texts = []
    redeem_url: Annotated[str, StringConstraints(max_length=500)] = ""
    strict: bool = False
    respect_gpc: bool = False
    default_currency: str = ""
    spend_basis: Literal["revenue", "total"] = "revenue"
    identity_mode: Literal["open", "signed"] = "open"
    session_source: Literal["derived", "reported"] = "derived"
    commerce_trust: Literal["any", "signed", "server"] = "any"


class AppIn(Strict):
    key: str
    name: dict[str, str] = {}
    settings: AppSettings = AppSettings()


class AppEdit(Strict):
    name: dict[str, str] | None = None
    state: Literal["active", "archived"] | None = None
    settings: AppSettings = AppSettings()


class AddOnOut(Schema):
    id: str
    product_id: str
    name: str
    kind: str
    skus: list[str]
    state: str


class AddOnIn(Strict):
    product_id: str
    name: str
    kind: str
    skus: list[str] = []


class KeyOut(Schema):
    """`key`: empty of a server key, but in the answer that made it; `beginning` is what is known of it afterwards."""

    id: str
    name: str
    kind: str
    key: str
    beginning: str
    scopes: list[str]
    state: str
    created_at: datetime
    revoked_at: datetime | None


class KeyIn(Strict):
    kind: str
    name: str = ""
    scopes: list[str] = list(KEY_SCOPES)


class TokenKeyOut(Schema):
    id: str
    algorithm: str
    public_key: str
    state: str
    created_at: datetime
    revoked_at: datetime | None


class TokenKeyMade(TokenKeyOut):
    """`secret`: base64url; of HS256, shown this once."""

    secret: str


class TokenKeyIn(Strict):
    """`id`: what tokens name as `kid`; made up if none is given. `secret`: for HS256, base64url, made if none is given.
    `public_key`: for EdDSA, PEM or base64url."""

    algorithm: str
    id: str | None = None
    secret: str | None = None
    public_key: str | None = None


class AttributeOut(Schema):
    key: str
    type: str
    scope: str
    category: str
    source: str
    values: list[str] = []


class AttributeIn(Strict):
    key: str
    type: str
    label: dict[str, str] = {}
    personal: bool = False


class AttributeEdit(Strict):
    type: str | None = None
    label: dict[str, str] | None = None
    personal: bool | None = None


class EventOut(Schema):
    key: str
    number: int
    source: str
    properties: dict[str, str]


class EventIn(Strict):
    key: str
    names: list[str] = []
    label: dict[str, str] = {}
    is_activity: bool = False
    properties: dict[str, str] = {}
