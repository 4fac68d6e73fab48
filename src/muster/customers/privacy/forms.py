"""The fields of the pages of privacy; what a value may be, the actions say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from muster.catalog.forms import PlainField, Tick
from muster.catalog.terms import UNSET_CONSENTS
from muster.customers.forms import PURPOSE_LABELS
from muster.team.forms import KitForm

REASON_LABELS = {
    "manual": _("asked for"),
    "unsubscribed": _("unsubscribed"),
    "bounced": _("address does not exist"),
    "complained": _("complained"),
}


class TickedForm(KitForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, Tick):
                del field.widget.attrs["class"]


class ConsentForm(KitForm):
    about = forms.ChoiceField(label=_("What for"), choices=list(PURPOSE_LABELS.items()))
    granted = forms.ChoiceField(label=_("The customer"), choices=[("yes", _("allows it")), ("no", _("refuses it"))])
    text_version = PlainField(
        label=_("Version of the text"), help_text=_("Optional. Which text was agreed to or refused: proof for later.")
    )


class FloorForm(TickedForm):
    """Settings of the publisher that protect people."""

    minimum_size = forms.IntegerField(
        label=_("Privacy floor"),
        help_text=_(
            "A segment with fewer customers is Small: it has no size, no list, and cannot be used. 0 switches it off."
        ),
    )
    minimum_age = forms.IntegerField(
        label=_("Minimum age"),
        help_text=_("Who is known to be younger is in no segment and gets no marketing. 0 switches it off."),
    )
    require_known_age = Tick(label=_("Leave out whoever’s age is not known"))
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)


class UnsetForm(KitForm):
    """What holds where a customer said nothing: a field for everything that can be allowed."""

    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for about in UNSET_CONSENTS:
            answers = [("yes", _("allowed")), ("no", _("refused"))]
            field = forms.ChoiceField(label=PURPOSE_LABELS[about], choices=answers)
            field.widget.attrs["class"] = "sel"
            self.fields[_field_of(about)] = field

    @property
    def answer(self) -> dict[str, bool]:
        """What valid fields say, by purpose."""
        return {about: self.cleaned_data[_field_of(about)] == "yes" for about in UNSET_CONSENTS}


def unset_values(unset: dict[str, bool]) -> dict[str, str]:
    """What the form begins with."""
    return {_field_of(about): "yes" if allowed else "no" for about, allowed in unset.items()}


def _field_of(about: str) -> str:
    return about.replace(".", "_")


class KeptForm(TickedForm):
    """How long things are kept."""

    under_age_data = forms.ChoiceField(
        label=_("Customers known to be under the minimum age"),
        choices=[("keep", _("are kept, in no segment")), ("discard", _("are erased every night"))],
    )
    events_months = forms.IntegerField(label=_("Events, in months"))
    anonymous_months = forms.IntegerField(label=_("Anonymous customers nobody has seen, in months"))
    rejects_days = forms.IntegerField(label=_("Refused data, in days"))
    verdict_days = forms.IntegerField(label=_("Counts of verdicts, in days"))
    exports_days = forms.IntegerField(label=_("Files handed over to customers, in days"))
    grace_hours = forms.IntegerField(
        label=_("Time in which an erasure can be taken back, in hours"), help_text=_("0 to 72; 0 erases at once.")
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)


class SuppressionForm(KitForm):
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[("email", _("E-mail address")), ("external", _("Your own customer id"))]
    )
    identity = PlainField(label=_("Address or id"))
    reason = forms.ChoiceField(label=_("Reason"), choices=list(REASON_LABELS.items()))
