"""What the lower rooms word in English, in the reader's language."""

from __future__ import annotations

from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from django.utils.translation import get_language, gettext, pgettext

from muster.kernel.worded import Worded, fill


def said(message: str) -> str:
    """The message in the language of the request; what was stored as plain text is translated only as a whole."""
    if not isinstance(message, Worded):
        return gettext(message) if message else ""
    template = pgettext(message.context, message.template) if message.context else gettext(message.template)
    values = {name: said(value) if isinstance(value, Worded) else value for name, value in message.values.items()}
    return fill(template, values, _grouped)


def _grouped(number: Any) -> str:
    return format_decimal(number, locale=Locale.parse(get_language() or "en", sep="-"))
