"""The fields of the pages of webhooks; what a value may be, the actions say."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from muster.team.forms import KitForm
from muster.webhooks.hooks import event_kinds


class WebhookForm(KitForm):
    url = forms.CharField(
        label=_("Address"),
        strip=False,
        max_length=None,
        help_text=_("Where the receiver waits for POST requests; it begins with https://."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    description = forms.CharField(
        label=_("Description"),
        strip=False,
        required=False,
        help_text=_("Optional. What receives it, so that somebody knows later whether it may go."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, subjects: dict[str, str], *args: Any, **kwargs: Any) -> None:
        """`subjects`: what can be chosen, by id."""
        super().__init__(*args, **kwargs)
        self.fields["events"] = forms.MultipleChoiceField(
            label=_("Events"),
            required=False,
            choices=[(kind.key, kind.label) for kind in event_kinds.values()],
            widget=forms.CheckboxSelectMultiple,
        )
        self.fields["subjects"] = forms.MultipleChoiceField(
            label=_("Only of these customer groups"),
            required=False,
            choices=list(subjects.items()),
            widget=forms.CheckboxSelectMultiple,
            help_text=_("None is all of them, those that are made later, too."),
        )


class EditWebhookForm(WebhookForm):
    revision = forms.IntegerField(widget=forms.HiddenInput)


class ReplayForm(KitForm):
    since = forms.DateTimeField(
        label=_("Failed since"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
