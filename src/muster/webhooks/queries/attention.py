"""What of the webhooks wants looking after, for the first page and for `muster doctor`."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from muster.web.hooks import Attention, can
from muster.webhooks.models import Webhook
from muster.webhooks.terms import Disabled


def switched_off() -> list[tuple[str, str, str]]:
    """Id, address and why of those that Muster itself switched off."""
    rows = Webhook.objects.exclude(disabled=Disabled.NOT)
    return list(rows.values_list("id", "url", "disabled"))


def webhooks_in_trouble(asker: Any) -> list[Attention]:
    """Those that are sent nothing any more, and nobody wanted that."""
    if not can(asker, "webhooks:read"):
        return []
    text = _("The webhook to %(url)s was switched off; it is sent nothing.")
    return [
        Attention(text % {"url": url}, reverse("webhooks:webhook", args=[identifier]))
        for identifier, url, _why in switched_off()
    ]
