"""What the catalog knows, in the forms other rooms ask for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from muster.catalog import models
from muster.catalog.errors import AppUnknown, WordUnknown
from muster.catalog.terms import BEGINNING_CHARACTERS, EDDSA, UNSET_CONSENTS
from muster.kernel.origins import EVERY_ORIGIN
from muster.kernel.worded import worded
from muster.online.port import PublishedKey, TokenKey, app_digest
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Attribute, Event, Scope, Type
from muster.team.hooks import Organisation
from muster.warehouse.catalog import AddOn, AddOnKind, App, Catalog, CustomAttribute, EventKind, Trust
from muster.web.asked import once_a_page
from muster.web.stamps import Stamp, control_stamp, own_stamp

_TRUST = {"open": Trust.OPEN, "any": Trust.OPEN, "signed": Trust.SIGNED, "server": Trust.SERVER}


@dataclass(frozen=True)
class PublisherSettings:
    name: str
    language: str
    time_zone: str
    currency: str
    minimum_age: int
    require_known_age: bool
    minimum_size: int
    unset_consents: dict[str, bool]
    """By purpose, marketing by purpose and channel: whether it is allowed where nothing was said (C-12)."""
    revision: int

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class AppSummary:
    key: str
    number: int
    name: dict[str, str]
    state: str
    revision: int
    settings: dict[str, Any]

    def label(self, language: str) -> str:
        """The app's name in a language, else in any, else its key."""
        return self.name.get(language) or next(iter(self.name.values()), "") or self.key


@dataclass(frozen=True)
class AttributeSummary:
    """`source`: standard, declared (by somebody) or observed (met in data)."""

    key: str
    type: str
    scope: str
    category: str
    source: str
    values: tuple[str, ...] = ()
    label: dict[str, str] = field(default_factory=dict)
    personal: bool = False


@dataclass(frozen=True)
class EventSummary:
    """`source` as of an attribute; `properties`: type by path."""

    key: str
    number: int
    source: str
    properties: dict[str, str]
    label: dict[str, str] = field(default_factory=dict)
    is_activity: bool = False


@dataclass(frozen=True)
class KeyView:
    """`key`: what is sent; empty of a server key, which nobody can read again: of it there is the `beginning`.

    `source`: the number under which the warehouse has what was sent with it.
    """

    id: str
    name: str
    kind: str
    key: str
    beginning: str
    scopes: list[str]
    state: str
    created_at: datetime
    revoked_at: datetime | None
    source: int


@dataclass(frozen=True)
class TokenKeyView:
    """`id`: what tokens name as `kid`. `public_key`: of EdDSA; a secret is shown once, when it is made."""

    id: str
    algorithm: str
    public_key: str
    state: str
    created_at: datetime
    revoked_at: datetime | None


# Sources below are numbers of imports; this one is of what came with a customer token and no key.
FIRST_KEY_SOURCE = 2**31
MOST_ATTRIBUTES, MOST_EVENTS = 500, 2_000

APP_SETTINGS = (
    "platforms", "store_ids", "own_domains", "listing_urls", "link_schemes", "allowed_origins", "redeem_url", "strict",
    "respect_gpc", "default_currency", "spend_basis", "identity_mode", "session_source", "commerce_trust",
)  # fmt: skip  # a table, read by rows


@once_a_page
def publisher() -> PublisherSettings:
    """The publisher's settings; the defaults until somebody sets them."""
    row = models.Publisher.objects.filter(id=1).first() or models.Publisher()
    return PublisherSettings(
        name=row.name,
        language=row.language,
        time_zone=row.time_zone,
        currency=row.currency,
        minimum_age=row.minimum_age,
        require_known_age=row.require_known_age,
        minimum_size=row.minimum_size,
        unset_consents={about: bool(row.unset_consents.get(about, begun)) for about, begun in UNSET_CONSENTS.items()},
        revision=row.revision,
    )


def organisation() -> Organisation:
    """The publisher as the set-up form knows it."""
    now = publisher()
    return Organisation(now.name, now.language, now.time_zone, now.currency)


def apps(*, archived: bool = False) -> list[AppSummary]:
    """Apps by number."""
    return [one for one in _every_app() if archived or one.state == "active"]


@once_a_page
def _every_app() -> list[AppSummary]:
    return [_summary(row) for row in models.App.objects.all()]


def app(key: str) -> AppSummary:
    row = models.App.objects.filter(key=key).first()
    if row is None:
        raise AppUnknown(
            worded("There is no app `{key}`. The apps are listed at /api/v1/apps.", key=key), details={"key": key}
        )
    return _summary(row)


@once_a_page
def attributes() -> dict[str, Attribute]:
    """Standard and custom attributes a definition may name, by key."""
    custom = {
        row.key: Attribute(row.key, Type(row.type), Scope(row.scope), number=row.number)
        for row in models.Attribute.objects.exclude(state="retired")
    }
    return {**custom, **STANDARD_ATTRIBUTES}


@once_a_page
def events() -> dict[str, Event]:
    """Standard and custom events, by key."""
    found = {key: Event(key, event.number, event.properties) for key, event in STANDARD_EVENTS.items()}
    for row in models.Event.objects.exclude(state="ignored"):
        known = found.get(row.key)
        properties = {path: Type(kind) for path, kind in row.properties.items()}
        found[row.key] = Event(row.key, row.number, {**(known.properties if known else {}), **properties})
    return found


def attribute_summaries(*, of_apps: bool) -> list[AttributeSummary]:
    """The attributes a customer has once, or those it has per app (and per device of an app)."""
    custom = [summary_of(row) for row in models.Attribute.objects.exclude(state="retired")]
    standard = [
        AttributeSummary(one.key, one.type, one.scope, one.category, "standard", tuple(one.values))
        for one in STANDARD_ATTRIBUTES.values()
    ]
    return [one for one in (*custom, *standard) if (one.scope != Scope.CUSTOMER) == of_apps]


def summary_of(row: models.Attribute) -> AttributeSummary:
    """A custom attribute as people list it."""
    return AttributeSummary(row.key, row.type, row.scope, "custom", row.source, label=row.label, personal=row.personal)


def attribute_row(key: str) -> models.Attribute:
    """A custom attribute; `attribute_unknown` of a standard one too, which nobody changes."""
    row = models.Attribute.objects.filter(key=key).exclude(state="retired").first()
    if row is None:
        standard = key in STANDARD_ATTRIBUTES
        message = (
            worded("`{key}` comes with Muster and stays as it is.", key=key)
            if standard
            else worded("There is no attribute `{key}`.", key=key)
        )
        raise WordUnknown(message, code="attribute_unknown")
    return row


def attribute_labels() -> dict[str, dict[str, str]]:
    """What custom attributes are called, by key and language."""
    return {key: label for key, label in models.Attribute.objects.values_list("key", "label") if label}


def personal_attributes() -> set[str]:
    """Keys of the custom attributes whose values only some may see."""
    return set(models.Attribute.objects.filter(personal=True).values_list("key", flat=True))


def add_ons(app_key: str) -> list[models.AddOn]:
    """Of an app, retired ones last."""
    return list(models.AddOn.objects.filter(app__key=app_key).order_by("state", "product_id"))


def event_summaries() -> list[EventSummary]:
    """Every event as people list it."""
    rows = {row.key: row for row in models.Event.objects.exclude(state="ignored")}
    return [_event_summary(one, rows.get(one.key)) for one in events().values()]


def _event_summary(one: Event, row: models.Event | None) -> EventSummary:
    standard = STANDARD_EVENTS.get(one.key)
    return EventSummary(
        key=one.key,
        number=one.number,
        source="standard" if standard else row.source if row else "observed",
        properties=dict(one.properties),
        label=row.label if row else {},
        is_activity=row.is_activity if row else bool(standard and standard.is_activity),
    )


def app_keys(app_key: str) -> list[KeyView]:
    """Every key of an app, revoked ones too."""
    return [key_view(row) for row in models.AppKey.objects.filter(app__key=app_key)]


def key_view(row: models.AppKey) -> KeyView:
    """A key as people and programs may see it."""
    return KeyView(
        id=row.id,
        name=row.name,
        kind=row.kind,
        key=row.text,
        beginning=row.beginning or row.text[:BEGINNING_CHARACTERS],
        scopes=list(row.scopes),
        state="revoked" if row.revoked_at else "active",
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        source=FIRST_KEY_SOURCE + row.number,
    )


def key_of(app_key: str, identifier: str) -> KeyView:
    """`key_unknown` if the app has no such key."""
    row = models.AppKey.objects.filter(id=identifier, app__key=app_key).first()
    if row is None:
        raise WordUnknown(
            worded("App `{app}` has no key `{identifier}`.", app=app_key, identifier=identifier), code="key_unknown"
        )
    return key_view(row)


def token_keys(app_key: str) -> list[TokenKeyView]:
    """What customer tokens of an app are verified with, revoked ones too."""
    return [token_key_view(row) for row in models.TokenKey.objects.filter(app__key=app_key)]


def token_key_of(app_key: str, identifier: str) -> TokenKeyView:
    """`key_unknown` if the app has no such key for customer tokens."""
    row = models.TokenKey.objects.filter(key_id=identifier, app__key=app_key).first()
    if row is None:
        raise WordUnknown(
            worded("App `{app}` has no key `{identifier}` for customer tokens.", app=app_key, identifier=identifier),
            code="key_unknown",
        )
    return token_key_view(row)


def token_key_view(row: models.TokenKey) -> TokenKeyView:
    public = row.material if row.algorithm == EDDSA else ""
    state = "revoked" if row.revoked_at else "active"
    return TokenKeyView(row.key_id, row.algorithm, public, state, row.created_at, row.revoked_at)


def published_keys() -> dict[bytes, PublishedKey]:
    """What the edge must know of the keys in force and of the apps they are of, by digest."""
    rows = models.App.objects.filter(state="active").prefetch_related("keys", "token_keys")
    found = {}
    for row in rows:
        of_app = _published_app(row)
        found[app_digest(row.key)] = of_app
        for key in row.keys.all():
            if key.revoked_at is None:
                found[bytes.fromhex(key.digest)] = msgspec.structs.replace(
                    of_app, source=FIRST_KEY_SOURCE + key.number, kind=key.kind, scopes=tuple(key.scopes)
                )
    return found


def _published_app(row: models.App) -> PublishedKey:
    """What stands for the app where a customer token names it and no key is sent."""
    in_force = [key for key in row.token_keys.all() if key.revoked_at is None]
    return PublishedKey(
        app=row.number,
        source=FIRST_KEY_SOURCE,
        kind="app",
        origins=tuple(row.allowed_origins) or (EVERY_ORIGIN,),
        app_key=row.key,
        identity_mode=row.identity_mode,
        respect_gpc=row.respect_gpc,
        token_keys=tuple(TokenKey(key.key_id, key.algorithm, key.material) for key in in_force),
    )


def observed_words() -> tuple[set[str], set[str]]:
    """Keys of the attributes and of the events that only data brought into the catalog."""
    attributes = models.Attribute.objects.filter(source="observed").values_list("key", flat=True)
    events = models.Event.objects.filter(source="observed").values_list("key", flat=True)
    return set(attributes), set(events)


def free_event_count() -> int:
    """How many custom events may still be declared (C-4)."""
    return max(0, MOST_EVENTS - models.Event.objects.count())


def free_attribute_count() -> int:
    """How many custom attributes may still be declared (C-4)."""
    return max(0, MOST_ATTRIBUTES - models.Attribute.objects.count())


def app_numbers() -> dict[str, int]:
    """Every app's number by key, archived ones included: saved definitions go on naming them."""
    return {app.key: app.number for app in _every_app()}


def app_number(key: str) -> int:
    """`app_unknown` if there is no such app."""
    number = app_numbers().get(key)
    return app(key).number if number is None else number


@once_a_page
def source_names() -> dict[int, str]:
    """The id of every key, by the number under which the warehouse has what was sent with it."""
    return {FIRST_KEY_SOURCE + number: id for number, id in models.AppKey.objects.values_list("number", "id")}


@once_a_page
def warehouse_catalog() -> Catalog:
    """What the warehouse must know to derive facts. Kept by thread: an event that comes alone asks for it as well."""
    if connection.in_atomic_block:
        # What is rolled back later was never so.
        return _read_catalog()
    stamp = control_stamp()
    if stamp is None or stamp != _kept.stamp or _kept.catalog is None:
        _kept.catalog = _read_catalog()
        _kept.stamp = stamp
    return _kept.catalog


def keep_catalog() -> None:
    """Whatever this thread has written since it asked for the catalog was not of it: who drains writes all the time."""
    if _kept.stamp is not None:
        _kept.stamp = own_stamp(_kept.stamp)


class _Kept(threading.local):
    stamp: Stamp | None = None
    catalog: Catalog | None = None


_kept = _Kept()


def _read_catalog() -> Catalog:
    settings = publisher()
    kinds = {
        key: EventKind(key, event.number, event.is_activity, event.names) for key, event in STANDARD_EVENTS.items()
    }
    kinds |= {
        row.key: EventKind(row.key, row.number, row.is_activity, tuple(row.names)) for row in models.Event.objects.all()
    }
    return Catalog(
        apps={row.key: _app_of(row) for row in models.App.objects.all()},
        zone=settings.time_zone,
        currency=settings.currency,
        profiling_unset=settings.unset_consents["profiling"],
        addons=tuple(_addon_of(row) for row in models.AddOn.objects.select_related("app")),
        events=kinds,
        attributes={row.key: _custom_attribute(row) for row in models.Attribute.objects.all()},
    )


def _summary(row: models.App) -> AppSummary:
    settings = {name: getattr(row, name) for name in APP_SETTINGS}
    return AppSummary(row.key, row.number, row.name, row.state, row.revision, settings)


def _app_of(row: models.App) -> App:
    return App(
        key=row.key,
        number=row.number,
        own_domains=tuple(row.own_domains),
        listing_urls=tuple(row.listing_urls),
        default_currency=row.default_currency or None,
        sessions_reported=row.session_source == "reported",
        commerce_trust=_TRUST[row.commerce_trust],
        signed_identity=row.identity_mode == "signed",
        store_ids=tuple(row.store_ids.values()),
        strict=row.strict,
        spend_basis=row.spend_basis,
    )


def _addon_of(row: models.AddOn) -> AddOn:
    skus = (*row.skus, *row.store_ids.values())
    return AddOn(row.app.key, row.product_id, AddOnKind(row.kind), skus)


def _custom_attribute(row: models.Attribute) -> CustomAttribute:
    return CustomAttribute(row.key, row.number, Type(row.type), Scope(row.scope), _TRUST[row.accept_from])
