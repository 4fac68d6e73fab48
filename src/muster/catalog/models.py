"""Tables of the catalog: the publisher, apps, add-ons, custom attributes and custom events."""

from __future__ import annotations

from typing import Any

from django.db import models

from muster.catalog.terms import KEY_KINDS, TOKEN_ALGORITHMS, UNSET_CONSENTS
from muster.rules.vocabulary import Scope, Type
from muster.warehouse.catalog import AddOnKind

_STATES = [("active", "active"), ("archived", "archived")]
_TRUST = [("open", "open"), ("any", "any"), ("signed", "signed"), ("server", "server")]


def _labels() -> dict[str, str]:
    return {}


def _texts() -> list[str]:
    return []


def _unset_consents() -> dict[str, bool]:
    return dict(UNSET_CONSENTS)


class Publisher(models.Model):
    """The organisation whose installation this is; one row."""

    name = models.CharField(max_length=120, default="")
    language = models.CharField(max_length=8, default="en")
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="EUR")
    minimum_age = models.PositiveSmallIntegerField(default=17)
    require_known_age = models.BooleanField(default=False)
    minimum_size = models.PositiveIntegerField(default=25)
    unset_consents = models.JSONField(default=_unset_consents)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_publisher")]


class App(models.Model):
    """`number` is what the warehouse stores; it and `key` never change."""

    key = models.CharField(max_length=64, unique=True)
    number = models.PositiveIntegerField(unique=True)
    name = models.JSONField(default=_labels)
    platforms = models.JSONField(default=_texts)
    store_ids = models.JSONField(default=_labels)
    own_domains = models.JSONField(default=_texts)
    listing_urls = models.JSONField(default=_texts)
    link_schemes = models.JSONField(default=_texts)
    allowed_origins = models.JSONField(default=_texts)
    redeem_url = models.CharField(max_length=500, default="", blank=True)
    strict = models.BooleanField(default=False)
    respect_gpc = models.BooleanField(default=False)
    default_currency = models.CharField(max_length=3, default="", blank=True)
    spend_basis = models.CharField(max_length=8, default="revenue")
    identity_mode = models.CharField(max_length=8, default="open")
    session_source = models.CharField(max_length=8, default="derived")
    commerce_trust = models.CharField(max_length=8, default="any", choices=_TRUST)
    state = models.CharField(max_length=8, default="active", choices=_STATES)
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(condition=models.Q(number__range=(1, 65_535)), name="app_number_fits"),
        ]

    def __str__(self) -> str:
        return self.key


class AddOn(models.Model):
    id = models.CharField(max_length=32, primary_key=True)
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="add_ons")
    product_id = models.CharField(max_length=100)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in AddOnKind])
    store_ids = models.JSONField(default=_labels)
    skus = models.JSONField(default=_texts)
    list_prices = models.JSONField(default=dict)
    state = models.CharField(max_length=8, default="active")

    class Meta:
        ordering = ["app", "product_id"]
        constraints = [models.UniqueConstraint(fields=["app", "product_id"], name="product_id_once_per_app")]


class Attribute(models.Model):
    """A custom attribute; `number` names its column. Standard ones are code (rules/standard.py)."""

    key = models.CharField(max_length=100, unique=True)
    number = models.PositiveIntegerField(unique=True)
    label = models.JSONField(default=_labels)
    type = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in Type])
    scope = models.CharField(max_length=10, choices=[(scope.value, scope.value) for scope in Scope])
    source = models.CharField(max_length=10, default="declared")
    personal = models.BooleanField(default=False)
    accept_from = models.CharField(max_length=8, default="open", choices=_TRUST)
    value_labels = models.JSONField(default=dict)
    state = models.CharField(max_length=8, default="active")

    class Meta:
        ordering = ["key"]


class Event(models.Model):
    """A custom event, or what an installation has learned or changed of a standard one (same number)."""

    key = models.CharField(max_length=100, unique=True)
    number = models.PositiveIntegerField(unique=True)
    names = models.JSONField(default=_texts)
    label = models.JSONField(default=_labels)
    category = models.CharField(max_length=12, default="custom")
    source = models.CharField(max_length=10, default="declared")
    is_activity = models.BooleanField(default=False)
    properties: models.JSONField[Any, Any] = models.JSONField(default=dict)
    state = models.CharField(max_length=8, default="active")

    class Meta:
        ordering = ["key"]


class AppKey(models.Model):
    """What an app's programs send with everything: publishable ones stand in the app, server keys are secret.

    `number` stands with what came in by it; `digest` is what it is published under; `text` is kept of publishable ones,
    and of server keys only its `beginning`, by which one that turns up somewhere is known again.
    """

    id = models.CharField(max_length=32, primary_key=True)
    number = models.PositiveIntegerField(unique=True)
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in KEY_KINDS])
    scopes = models.JSONField(default=_texts)
    digest = models.CharField(max_length=32, unique=True)
    text = models.CharField(max_length=64, default="", blank=True)
    name = models.CharField(max_length=120, default="", blank=True)
    beginning = models.CharField(max_length=8, default="", blank=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]


class TokenKey(models.Model):
    """What customer tokens of an app are verified with (E-6); tokens name it by `key_id`.

    `material`: base64url of the secret, or of the public key. The edge must be able to read it, so a secret is kept as
    it is; of what is revoked nothing is kept.
    """

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="token_keys")
    key_id = models.CharField(max_length=64)
    algorithm = models.CharField(max_length=8, choices=[(one, one) for one in TOKEN_ALGORITHMS])
    material = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["app", "id"]
        constraints = [models.UniqueConstraint(fields=["app", "key_id"], name="token_key_once_per_app")]

    def __str__(self) -> str:
        return self.key_id


class LastNumber(models.Model):
    """The last number given to an app, attribute or event: what is withdrawn takes its number along for ever."""

    kind = models.CharField(max_length=10, primary_key=True)
    number = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
