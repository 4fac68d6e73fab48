"""The fields of the pages of groups."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from muster.team.forms import KitForm


class NameForm(KitForm):
    """Values are taken as they are: what a name or a key may be, the action says."""

    name = forms.CharField(label=_("Name"), strip=False, required=False, max_length=None)


class NewKnownForm(NameForm):
    key = forms.CharField(
        label=_("Key"),
        required=False,
        help_text=_("Optional. a-z, 0-9 and hyphens; programs name the group by it, and it never changes."),
    )
