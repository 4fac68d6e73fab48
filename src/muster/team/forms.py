"""The fields of the team's pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from muster.team.hooks import Organisation, organisation_now
from muster.team.terms import ROLE_TEXTS, ROWS, SCOPE_TEXTS
from muster.web.selects import LongSelect, zone_choices

# Those most publishers sell in come first in the list; any other may be typed over REST or the command line.
_CURRENCIES = (
    *("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "JPY", "CNY"),
    *("INR", "BRL", "MXN", "SEK", "NOK", "DKK", "PLN", "CZK"),
)
_NEW = {"autocomplete": "new-password"}
_PASSWORD_HELP = _("At least 10 characters, and none of those everybody uses.")


class KitForm(forms.Form):
    """Fields in the classes of the kit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.CheckboxSelectMultiple):
                continue
            field.widget.attrs["class"] = "sel" if isinstance(field, forms.ChoiceField) else "field"


class SetupForm(KitForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput(attrs=_NEW), help_text=_PASSWORD_HELP)
    organisation = forms.CharField(label=_("Organisation"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=zone_choices, widget=LongSelect)
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in _CURRENCIES])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begins with what is the case: another currency would leave the sample's orders without a rate."""
        now = organisation_now[0]()
        language = (get_language() or now.language)[:2]
        initial = {"language": language, "time_zone": now.time_zone, "currency": now.currency}
        super().__init__(*args, initial=initial, **kwargs)

    @property
    def answer(self) -> Organisation:
        """What valid fields say about the publisher."""
        given: dict[str, Any] = self.cleaned_data
        return Organisation(given["organisation"], given["language"], given["time_zone"], given["currency"])


class AcceptForm(KitForm):
    """Values are taken as they are: what a name may be, the action says."""

    name = forms.CharField(label=_("Name"), strip=False, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"), strip=False, widget=forms.PasswordInput(attrs=_NEW), help_text=_PASSWORD_HELP
    )


class NewPasswordForm(KitForm):
    password = forms.CharField(
        label=_("New password"), strip=False, widget=forms.PasswordInput(attrs=_NEW), help_text=_PASSWORD_HELP
    )


class LoginForm(KitForm):
    email = forms.EmailField(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username webauthn"})
    )
    password = forms.CharField(
        label=_("Password"),
        # What was typed at set-up was taken as it was.
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class InviteForm(KitForm):
    email = forms.CharField(label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(label=_("Role"), choices=[(key, ROLE_TEXTS[key]) for key in ("viewer", "editor", "owner")])


class TokenForm(KitForm):
    name = forms.CharField(
        label=_("Name"),
        strip=False,
        help_text=_("What it is for, so that somebody knows later whether it may go."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, scopes: Iterable[str], *args: Any, **kwargs: Any) -> None:
        """`scopes`: those that may be given."""
        super().__init__(*args, **kwargs)
        self.fields["scopes"] = forms.MultipleChoiceField(
            label=_("Permissions"),
            required=False,
            choices=[(scope, SCOPE_TEXTS[scope]) for scope in SCOPE_TEXTS if scope in set(scopes)],
            widget=forms.CheckboxSelectMultiple,
        )


class NameForm(KitForm):
    name = forms.CharField(
        label=_("Name"),
        strip=False,
        required=False,
        help_text=_("Shown to colleagues instead of your e-mail address."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class PreferencesForm(KitForm):
    language = forms.ChoiceField(
        label=_("Language"), choices=[("auto", _("As the browser asks for")), *settings.LANGUAGES]
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=lambda: [("auto", _("The organisation’s")), *zone_choices()], widget=LongSelect
    )
    theme = forms.ChoiceField(
        label=_("Colours"), choices=[("auto", _("As the system is set")), ("light", _("Light")), ("dark", _("Dark"))]
    )
    density = forms.ChoiceField(
        label=_("Density"), choices=[("comfortable", _("Comfortable")), ("compact", _("Compact"))]
    )
    rows = forms.TypedChoiceField(label=_("Rows in lists"), choices=[(rows, rows) for rows in ROWS], coerce=int)


class PasswordForm(KitForm):
    old = forms.CharField(
        label=_("Password until now"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = forms.CharField(
        label=_("New password"), strip=False, widget=forms.PasswordInput(attrs=_NEW), help_text=_PASSWORD_HELP
    )
