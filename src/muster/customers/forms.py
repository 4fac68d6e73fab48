"""The fields of the pages of the organisation and its rates, and the words of what customers allow."""

from __future__ import annotations

from functools import cache
from typing import Any

import pycountry
from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from muster.catalog.forms import PlainField
from muster.team.forms import KitForm
from muster.web.selects import LongSelect, zone_choices

PURPOSE_LABELS = {
    "profiling": _("Profiling: being in segments"),
    "marketing": _("Marketing, on every channel"),
    "marketing.push": _("Marketing by push"),
    "marketing.email": _("Marketing by e-mail"),
    "marketing.webhook": _("Marketing by webhook"),
    "offers": _("Offers"),
}


@cache
def _currencies() -> list[tuple[str, str]]:
    return sorted((one.alpha_3, one.alpha_3) for one in pycountry.currencies)


class OrganisationForm(KitForm):
    name = PlainField(label=_("Name"))
    language = forms.ChoiceField(
        label=_("Language"), choices=settings.LANGUAGES, help_text=_("Of pages for whoever has chosen none.")
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        widget=LongSelect,
        help_text=_(
            "Days, months and ages are those of this zone. After a change all facts are derived again, as a job."
        ),
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=_currencies,
        widget=LongSelect,
        help_text=_(
            "Spend is told in it. Another currency takes the stored rates along and derives all facts again, as a job;"
            " it is refused while a rate cannot be told in it."
        ),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)


class RateForm(KitForm):
    day = PlainField(label=_("Day"), widget=forms.TextInput(attrs={"placeholder": "2026-01-31"}))
    currency = PlainField(label=_("Currency"), help_text=_("Three letters such as USD."))
    rate = PlainField(label=_("Rate"), help_text=_("With a point before its decimals: 1.0823."))
    direction = forms.ChoiceField(
        label=_("It is"),
        choices=[
            ("per_base", _("what one unit of our currency costs (as the ECB publishes)")),
            ("to_base", _("what one unit of the other currency is worth")),
        ],
    )

    def given(self) -> dict[str, Any]:
        return {name: str(text).strip() for name, text in self.cleaned_data.items()}
