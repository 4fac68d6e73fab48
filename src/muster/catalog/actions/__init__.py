"""Everything that changes the catalog; each is one transaction with its audit entry."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Any

import pycountry
from django.db import transaction
from django.db.models import Max

from muster.audit.actions import record
from muster.catalog import hooks, models
from muster.catalog.errors import AppUnknown, CatalogError, InUse, KeyTaken, TypeChangeLoses, WordUnknown
from muster.catalog.queries import (
    APP_SETTINGS,
    MOST_ATTRIBUTES,
    MOST_EVENTS,
    AppSummary,
    PublisherSettings,
    app,
    attribute_row,
    publisher,
)
from muster.catalog.terms import APP_CHOICES, UNSET_CONSENTS
from muster.kernel.civil import time_zones
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.kernel.origins import normal_origin
from muster.kernel.worded import worded
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.standard_events import FIRST_CUSTOM_NUMBER, STANDARD_EVENTS
from muster.rules.vocabulary import Scope, Type
from muster.team.hooks import Organisation
from muster.team.policies import Principal
from muster.warehouse.catalog import AddOnKind

_LONGEST_NAME = 120
_STATES = ("active", "archived")
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_WORD = re.compile(r"[^\W_](?:\w{0,98}[^\W_])?")
_Numbered = type[models.Attribute] | type[models.Event] | type[models.App] | type[models.AppKey]
_PUBLISHER_FIELDS = (
    "name",
    "language",
    "time_zone",
    "currency",
    "minimum_age",
    "require_known_age",
    "minimum_size",
    "unset_consents",
)


def save_organisation(actor: Principal, organisation: Organisation) -> None:
    """What the set-up form says of the organisation."""
    edit_publisher(actor, revision=None, **vars(organisation))


@transaction.atomic
def edit_publisher(actor: Principal, *, revision: int | None, **changes: Any) -> PublisherSettings:
    """Changes some settings; `revision` None does not compare."""
    _check_publisher(changes)
    row, _ = models.Publisher.objects.get_or_create(id=1)
    check_revision(row.revision, revision)
    before = {name: getattr(row, name) for name in _PUBLISHER_FIELDS}
    if "unset_consents" in changes:
        # What is not named stays as it is.
        changes["unset_consents"] = {**before["unset_consents"], **changes["unset_consents"]}
    changed = {name: value for name, value in changes.items() if value != before[name]}
    for tell in hooks.publisher_changing:
        tell(before, changed)
    for name, value in changes.items():
        setattr(row, name, value)
    row.revision += 1
    row.save()
    record(actor, "publisher.edited", "publisher", "1", changes)
    return publisher()


def check_revision(current: int, expected: int | None) -> None:
    """`revision_conflict` if somebody saved in between."""
    if expected is not None and expected != current:
        raise MusterError(
            worded(
                "Somebody else saved this meanwhile: it is at revision {current}, you edited {expected}. Load"
                " it again.",
                current=current,
                expected=expected,
            ),
            code="revision_conflict",
            details={"current": current, "expected": expected},
        )


def _check_publisher(changes: dict[str, Any]) -> None:
    unknown = set(changes) - set(_PUBLISHER_FIELDS)
    if changes.get("name"):
        changes["name"] = check_text(changes["name"], "/name")
    if unknown:
        raise CatalogError(
            worded("A publisher has no setting {name}.", name=repr(sorted(unknown)[0])),
            pointer=f"/{sorted(unknown)[0]}",
        )
    if "time_zone" in changes and changes["time_zone"] not in time_zones():
        raise CatalogError(
            worded("{zone} is not an IANA time zone such as Europe/Berlin.", zone=repr(changes["time_zone"])),
            pointer="/time_zone",
        )
    if "currency" in changes:
        changes["currency"] = check_currency(changes["currency"], "/currency")
    if changes.get("language", "en") not in ("en", "de", "fr"):
        raise CatalogError("The language is en, de or fr.", pointer="/language")
    if not 0 <= changes.get("minimum_age", 0) <= 120:
        raise CatalogError("The minimum age is 0 to 120; 0 switches it off.", pointer="/minimum_age")
    if not 0 <= changes.get("minimum_size", 0) <= 1_000_000:
        raise CatalogError("The privacy floor is 0 to 1,000,000; 0 switches it off.", pointer="/minimum_size")
    strange = sorted(set(changes.get("unset_consents") or {}) - set(UNSET_CONSENTS))
    if strange:
        raise CatalogError(
            worded(
                "{name} is nothing a customer may allow; there are {names}.",
                name=repr(strange[0]),
                names=", ".join(UNSET_CONSENTS),
            ),
            pointer=f"/unset_consents/{strange[0]}",
        )


def check_currency(code: str, pointer: str) -> str:
    """The ISO 4217 code in capitals."""
    if pycountry.currencies.get(alpha_3=code.upper()) is None:
        raise CatalogError(
            worded("{code} is not an ISO 4217 currency code such as EUR.", code=repr(code)), pointer=pointer
        )
    return code.upper()


@transaction.atomic
def create_app(actor: Principal, *, key: str, name: dict[str, str] | None = None, **settings: Any) -> AppSummary:
    """A new app with the next free number."""
    if not _KEY.fullmatch(key):
        raise CatalogError(
            worded("{key} is not a key: up to 64 of a-z, 0-9 and hyphens, not starting with a hyphen.", key=repr(key)),
            pointer="/key",
        )
    if models.App.objects.filter(key=key).exists():
        raise KeyTaken(
            worded("There is an app `{key}` already. Keys are permanent; choose another.", key=key), pointer="/key"
        )
    # The warehouse keeps its rows under the number, and so do backups: none is given twice.
    row = models.App(key=key, number=next_number(models.App, "app", 1), name=_check_labels(name or {}, "/name"))
    _set_app(row, settings)
    row.save()
    record(actor, "app.created", "app", key, settings)
    return app(key)


@transaction.atomic
def edit_app(actor: Principal, key: str, *, revision: int | None, **changes: Any) -> AppSummary:
    row = models.App.objects.filter(key=key).first()
    if row is None:
        raise AppUnknown(worded("There is no app `{key}`.", key=key), details={"key": key})
    check_revision(row.revision, revision)
    row.name = _check_labels(changes.pop("name", row.name), "/name")
    row.state = _one_of(_STATES, changes.pop("state", row.state), "/state")
    _set_app(row, changes)
    row.revision += 1
    row.save()
    record(actor, "app.edited", "app", key, changes)
    transaction.on_commit(tell_of_keys)
    return app(key)


@transaction.atomic
def delete_app(actor: Principal, key: str) -> None:
    """With its add-ons; whoever calls has taken out what was known of it. Again, nothing changes."""
    row = models.App.objects.filter(key=key).first()
    if row is None:
        return
    _last_number(models.App, "app").save()
    transaction.on_commit(tell_of_keys)
    row.add_ons.all().delete()
    row.delete()
    record(actor, "app.deleted", "app", key, {"number": row.number})


def check_text(text: str, pointer: str) -> str:
    """What something is called: 1..120 characters, NFC, trimmed, without control characters."""
    cleaned = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(cleaned) <= _LONGEST_NAME:
        raise CatalogError(worded("A name has 1 to {longest} characters.", longest=_LONGEST_NAME), pointer=pointer)
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cn") for letter in cleaned):
        raise CatalogError("A name has no control characters.", pointer=pointer)
    return cleaned


def _check_labels(texts: dict[str, str], pointer: str) -> dict[str, str]:
    """Names by language."""
    return {language: check_text(text, f"{pointer}/{language}") for language, text in texts.items()}


def _set_app(row: models.App, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        if name not in APP_SETTINGS:
            raise CatalogError(worded("An app has no setting {name}.", name=repr(name)), pointer=f"/{name}")
        setattr(row, name, _checked(name, value))


def _checked(name: str, value: Any) -> Any:
    """As it is stored: what nobody can read later stops whatever reads the catalog."""
    if name in APP_CHOICES:
        return _one_of(APP_CHOICES[name], value, f"/{name}")
    if name == "default_currency" and value:
        return check_currency(value, "/default_currency")
    if name == "allowed_origins":
        return list(dict.fromkeys(_check_origin(one) for one in value))
    return value


def _one_of(choices: Collection[str], value: str, pointer: str) -> str:
    if value not in choices:
        raise CatalogError(
            worded("{value} is none of {choices}.", value=repr(value), choices=", ".join(choices)), pointer=pointer
        )
    return value


def _check_origin(text: str) -> str:
    origin = normal_origin(text)
    if origin is None:
        raise CatalogError(
            worded("{origin} is no site: give scheme and host, such as https://shop.example.", origin=repr(text)),
            pointer="/allowed_origins",
        )
    return origin


@transaction.atomic
def create_add_on(
    actor: Principal, app_key: str, *, product_id: str, name: str, kind: str, skus: list[str] | None = None
) -> models.AddOn:
    row = models.App.objects.filter(key=app_key).first()
    if row is None:
        raise AppUnknown(worded("There is no app `{app}`.", app=app_key), details={"key": app_key})
    if not 1 <= len(product_id) <= 100 or not product_id.isprintable():
        raise CatalogError("A product id is 1 to 100 printable characters.", pointer="/product_id")
    name = check_text(name, "/name")
    if kind not in set(AddOnKind):
        raise CatalogError("The kind is durable, consumable or subscription.", pointer="/kind")
    if row.add_ons.filter(product_id=product_id).exists():
        raise KeyTaken(
            worded("App `{app}` has an add-on `{product_id}` already.", app=app_key, product_id=product_id),
            pointer="/product_id",
        )
    add_on = models.AddOn.objects.create(
        id=new_id("add"), app=row, product_id=product_id, name=name, kind=kind, skus=skus or []
    )
    record(actor, "add_on.created", "add_on", add_on.id, {"app": app_key, "product_id": product_id})
    return add_on


@transaction.atomic
def declare_attribute(
    actor: Principal,
    *,
    key: str,
    type: str,
    scope: str = "customer",
    label: dict[str, str] | None = None,
    source: str = "declared",
    personal: bool = False,
) -> models.Attribute:
    """A custom attribute; its number names its column in the warehouse and is never used again."""
    _check_word(key)
    if key in STANDARD_ATTRIBUTES or models.Attribute.objects.filter(key=key).exists():
        raise KeyTaken(worded("There is an attribute `{key}` already.", key=key), pointer="/key")
    if type not in set(Type):
        raise CatalogError(
            worded("{type} is not a type; the types are {types}.", type=repr(type), types=", ".join(Type)),
            pointer="/type",
        )
    if scope not in (Scope.CUSTOMER, Scope.APP):
        raise CatalogError("The scope is customer or app.", pointer="/scope")
    if models.Attribute.objects.count() >= MOST_ATTRIBUTES:
        raise CatalogError(
            worded("There are {most} custom attributes already.", most=MOST_ATTRIBUTES), code="attribute_limit"
        )
    row = models.Attribute.objects.create(
        key=key,
        number=next_number(models.Attribute, "attribute", 1),
        type=type,
        scope=scope,
        label=_check_labels(label or {}, "/label"),
        source=source,
        personal=personal,
    )
    record(actor, "attribute.declared", "attribute", key, {"type": type, "scope": scope})
    return row


@transaction.atomic
def edit_attribute(actor: Principal, key: str, **changes: Any) -> models.Attribute:
    """Changes label, `personal` or type of a custom attribute; `type_change_loses` with how many values would be lost.

    Another type is another column of the warehouse, filled again from what was said (C-3, C-5).
    """
    row = attribute_row(key)
    unknown = set(changes) - {"label", "personal", "type"}
    if unknown:
        raise CatalogError(
            worded("An attribute has no setting {name}.", name=repr(sorted(unknown)[0])),
            pointer=f"/{sorted(unknown)[0]}",
        )
    if "label" in changes:
        changes["label"] = _check_labels(changes["label"], "/label")
    retyped = changes.get("type", row.type) != row.type
    if retyped:
        _check_retyping(row, changes["type"])
        row.number = next_number(models.Attribute, "attribute", 1)
    for name, value in changes.items():
        setattr(row, name, value)
    # Somebody has said what it is: it stays when the data that brought it goes.
    row.source = "declared"
    row.save()
    record(actor, "attribute.edited", "attribute", key, changes)
    if retyped:
        for tell in hooks.meaning_changed:
            tell()
    return row


def _check_retyping(row: models.Attribute, type: str) -> None:
    if type not in set(Type):
        raise CatalogError(
            worded("{type} is not a type; the types are {types}.", type=repr(type), types=", ".join(Type)),
            pointer="/type",
        )
    if any(row.key in ask().attributes for ask in hooks.words_in_use):
        raise InUse(
            worded(
                "A segment asks `{attribute}` as {type}. Take it out there before you change it.",
                attribute=row.key,
                type=row.type,
            ),
            pointer="/type",
        )
    lost = sum(count(row.key, Type(row.type), Type(type)) for count in hooks.values_lost)
    if lost:
        raise TypeChangeLoses(
            worded(
                "{lost:,} customers have a value of `{attribute}` that is no {type}; it would be lost.",
                lost=lost,
                attribute=row.key,
                type=type,
            ),
            pointer="/type",
            details={"count": lost},
        )


def tell_of_keys() -> None:
    """What the edge must know of apps and keys is another."""
    for tell in hooks.keys_changed:
        tell()


@transaction.atomic
def retire_add_on(actor: Principal, app_key: str, identifier: str) -> models.AddOn:
    """It is not offered any more; what customers have of it stays theirs. Again, nothing changes."""
    row = models.AddOn.objects.filter(id=identifier, app__key=app_key).first()
    if row is None:
        raise WordUnknown(
            worded("App `{app}` has no add-on `{identifier}`.", app=app_key, identifier=identifier),
            code="add_on_unknown",
        )
    if row.state != "retired":
        row.state = "retired"
        row.save(update_fields=["state"])
        record(actor, "add_on.retired", "add_on", row.id, {"app": app_key, "product_id": row.product_id})
    return row


@transaction.atomic
def declare_event(
    actor: Principal,
    *,
    key: str,
    names: list[str] | None = None,
    label: dict[str, str] | None = None,
    is_activity: bool = False,
    properties: dict[str, str] | None = None,
    source: str = "declared",
) -> models.Event:
    """A custom event; its number is stored with every occurrence and never used again."""
    _check_word(key)
    if key in STANDARD_EVENTS or models.Event.objects.filter(key=key).exists():
        raise KeyTaken(worded("There is an event `{key}` already.", key=key), pointer="/key")
    for path, kind in (properties or {}).items():
        if kind not in set(Type):
            raise CatalogError(worded("{kind} is not a type.", kind=repr(kind)), pointer=f"/properties/{path}")
    if models.Event.objects.count() >= MOST_EVENTS:
        raise CatalogError(worded("There are {most} custom events already.", most=MOST_EVENTS), code="event_limit")
    row = models.Event.objects.create(
        key=key,
        number=next_number(models.Event, "event", FIRST_CUSTOM_NUMBER),
        names=names or [],
        source=source,
        label=_check_labels(label or {}, "/label"),
        is_activity=is_activity,
        properties=properties or {},
    )
    record(actor, "event.declared", "event", key, {"properties": properties or {}})
    return row


@transaction.atomic
def withdraw_observed(actor: Principal, *, attributes: Collection[str], events: Collection[str]) -> None:
    """Takes out of the catalog what only data brought in, once that data is gone; what is declared stays."""
    for kind, model, keys in (("attribute", models.Attribute, attributes), ("event", models.Event, events)):
        _last_number(model, kind).save()
        for row in model.objects.filter(key__in=keys, source="observed"):
            row.delete()
            record(actor, f"{kind}.withdrawn", kind, row.key, {"number": row.number})


def next_number(model: _Numbered, kind: str, first: int) -> int:
    """A number that nothing of the kind ever had: the warehouse keeps its column, or its rows, under it."""
    last = _last_number(model, kind)
    last.number = max(last.number, first - 1) + 1
    last.save()
    return last.number


def _last_number(model: _Numbered, kind: str) -> models.LastNumber:
    last, _ = models.LastNumber.objects.get_or_create(kind=kind)
    last.number = max(last.number, model.objects.aggregate(last=Max("number"))["last"] or 0)
    return last


def _check_word(key: str) -> None:
    if not _WORD.fullmatch(key) or key != key.casefold():
        raise CatalogError(
            worded("{key} is not a key: small letters, digits and single underscores, 1 to 100.", key=repr(key)),
            pointer="/key",
        )
