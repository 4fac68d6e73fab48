"""The fields of the pages of apps; what a value may be, the actions say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from muster.catalog.terms import EDDSA, HS256, KEY_SCOPES, PUBLISHABLE, SERVER
from muster.rules.vocabulary import Type
from muster.team.forms import KitForm
from muster.warehouse.catalog import AddOnKind

_LANGUAGES = ("en", "de", "fr")
TYPE_LABELS = {
    Type.TEXT: _("Text"),
    Type.CATEGORY: _("Category"),
    Type.NUMBER: _("Number"),
    Type.MONEY: _("Money"),
    Type.BOOLEAN: _("Yes or no"),
    Type.DATE: _("Date"),
    Type.TIMESTAMP: _("Point in time"),
    Type.VERSION: _("Version"),
    Type.LIST: _("List"),
}
KIND_LABELS = {
    AddOnKind.DURABLE: _("Durable: bought once, kept for good"),
    AddOnKind.CONSUMABLE: _("Consumable: bought again and again"),
    AddOnKind.SUBSCRIPTION: _("Subscription: owned until it expires"),
}


def _types() -> list[tuple[str, Any]]:
    return [(one.value, label) for one, label in TYPE_LABELS.items()]


class PlainField(forms.CharField):
    """A text taken as it is, as long as it is."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"strip": False, "required": False, "max_length": None, **given})


class Tick(forms.BooleanField):
    """Yes or no; a box that is not ticked is an answer too."""

    def __init__(self, **given: Any) -> None:
        super().__init__(required=False, **given)


class LabelledForm(KitForm):
    """A name in each language the pages are in; one is enough."""

    name_en = PlainField(label=_("Name in English"))
    name_de = PlainField(label=_("Name in German"))
    name_fr = PlainField(label=_("Name in French"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, Tick):
                del field.widget.attrs["class"]

    def texts(self) -> dict[str, str]:
        """Those that were given, by language."""
        given = {language: self.cleaned_data[f"name_{language}"] for language in _LANGUAGES}
        return {language: text for language, text in given.items() if text.strip()}

    @staticmethod
    def initial_texts(texts: dict[str, str]) -> dict[str, str]:
        return {f"name_{language}": texts.get(language, "") for language in _LANGUAGES}


def _listed(text: str) -> list[str]:
    parts = (part.strip() for part in text.split(","))
    return list(dict.fromkeys(part for part in parts if part))


class AppForm(LabelledForm):
    platforms = PlainField(
        label=_("Platforms"), help_text=_("Optional. Separated by commas, for example windows, android, web.")
    )
    default_currency = PlainField(
        label=_("Currency of its orders"),
        help_text=_("Optional. Three letters such as EUR; taken for orders that name none."),
    )

    def settings(self) -> dict[str, Any]:
        """As the actions take them."""
        return {
            "platforms": _listed(self.cleaned_data["platforms"]),
            "default_currency": self.cleaned_data["default_currency"].strip(),
        }


class NewAppForm(AppForm):
    key = PlainField(
        label=_("Key"),
        help_text=_("a-z, 0-9 and hyphens; programs name the app by it, and it never changes."),
    )
    field_order = ("key",)


class EditAppForm(AppForm):
    revision = forms.IntegerField(widget=forms.HiddenInput)
    allowed_origins = PlainField(
        label=_("Sites that may send"),
        help_text=_(
            "Optional. Separated by commas, for example https://shop.example. If none is named, every site may."
        ),
    )
    is_signed = Tick(
        label=_("Who somebody is must be signed"),
        help_text=_("Then only servers and customer tokens say it; what a page or a program says is not believed."),
    )
    respect_gpc = Tick(
        label=_("Visitors who ask not to be tracked are not"),
        help_text=_(
            "Their browsers say so (Global Privacy Control); of what they send nothing is kept but that it came."
        ),
    )
    strict = Tick(
        label=_("Unknown events and attributes are refused"),
        help_text=_("Otherwise they are taken, and listed under Events and attributes."),
    )

    def settings(self) -> dict[str, Any]:
        given = self.cleaned_data
        return super().settings() | {
            "allowed_origins": _listed(given["allowed_origins"]),
            "identity_mode": "signed" if given["is_signed"] else "open",
            "respect_gpc": given["respect_gpc"],
            "strict": given["strict"],
        }

    @staticmethod
    def initial_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "platforms": ", ".join(settings["platforms"]),
            "default_currency": settings["default_currency"],
            "allowed_origins": ", ".join(settings["allowed_origins"]),
            "is_signed": settings["identity_mode"] == "signed",
            "respect_gpc": settings["respect_gpc"],
            "strict": settings["strict"],
        }


class AddOnForm(KitForm):
    product_id = PlainField(
        label=_("Product ID"), help_text=_("What the app and its orders call it; it never changes.")
    )
    name = PlainField(label=_("Name"))
    kind = forms.ChoiceField(label=_("Kind"), choices=[(one.value, label) for one, label in KIND_LABELS.items()])
    skus = PlainField(
        label=_("Other product IDs"), help_text=_("Optional. Separated by commas; order lines may name it by them.")
    )

    def sku_list(self) -> list[str]:
        return [part.strip() for part in self.cleaned_data["skus"].split(",") if part.strip()]


KEY_KIND_LABELS = {PUBLISHABLE: _("Publishable key"), SERVER: _("Server key")}
KEY_SCOPE_LABELS = {"ingest": _("Send what happens"), "decide": _("Ask who somebody is to you")}


class KeyForm(KitForm):
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=list(KEY_KIND_LABELS.items()),
        widget=forms.RadioSelect,
        initial=PUBLISHABLE,
    )
    name = PlainField(label=_("Name"), help_text=_("Optional. What sends with it, so that you know it again."))
    scopes = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=list(KEY_SCOPE_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=list(KEY_SCOPES),
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["kind"].widget.attrs["class"]


class TokenKeyForm(KitForm):
    algorithm = forms.ChoiceField(
        label=_("Algorithm"),
        choices=[
            (HS256, _("HS256: a secret, made here, that your server has as well")),
            (EDDSA, _("EdDSA: a private key that only your server has")),
        ],
    )
    id = PlainField(label=_("Id"), help_text=_("Optional. What tokens name it by, their kid; made up if empty."))
    public_key = PlainField(
        label=_("Public key"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Of EdDSA only: Ed25519, as PEM or base64url. The private key stays with you."),
    )


class AttributeForm(LabelledForm):
    type = forms.ChoiceField(label=_("Type"), choices=lazy(_types, list))
    personal = Tick(label=_("Personal"), help_text=_("Its values are shown only to those who may see personal data."))


class NewAttributeForm(AttributeForm):
    key = PlainField(
        label=_("Key"),
        help_text=_(
            "Small letters, digits and single underscores; data and segments name it so, and it never changes."
        ),
    )
    scope = forms.ChoiceField(
        label=_("Has a value"),
        choices=[("customer", _("once per customer")), ("app", _("once per customer and app"))],
    )
    field_order = ("key",)


class EventForm(LabelledForm):
    key = PlainField(label=_("Key"), help_text=_("Small letters, digits and single underscores; it never changes."))
    is_activity = Tick(label=_("Counts as use of the app"))
    properties = PlainField(
        label=_("Properties"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Optional. One a line: its name, a colon, and text, number, boolean, date, timestamp or list."),
    )
    field_order = ("key",)

    def property_types(self) -> dict[str, str]:
        lines = (line.partition(":") for line in self.cleaned_data["properties"].splitlines() if line.strip())
        return {path.strip(): kind.strip() for path, _sign, kind in lines}
