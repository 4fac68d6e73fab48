"""The fields of the set-up and log-in pages."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from muster.team.hooks import Organisation, organisation_now

# Those most publishers sell in come first in the list; any other may be typed over REST or the command line.
_CURRENCIES = (
    *("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "JPY", "CNY"),
    *("INR", "BRL", "MXN", "SEK", "NOK", "DKK", "PLN", "CZK"),
)


def _zones() -> list[tuple[str, str]]:
    return [(zone, zone) for zone in sorted(available_timezones())]


class KitForm(forms.Form):
    """Fields in the classes of the kit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "sel" if isinstance(field, forms.ChoiceField) else "field"


class SetupForm(KitForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    password = forms.CharField(label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))
    organisation = forms.CharField(label=_("Organisation"), max_length=200)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=lazy(_zones, list))
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


class LoginForm(KitForm):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    password = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
