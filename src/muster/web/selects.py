"""Selects with hundreds of options, and the time zones they offer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from muster.kernel.civil import time_zones


class LongSelect(forms.Select):
    """Writes its options in one go: Django renders a template for each, a tenth of a second for the time zones."""

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:  # noqa: ARG002 - as Django calls it
        chosen = set(self.format_value(value))
        of_select = flatatt(self.build_attrs(self.attrs, {**(attrs or {}), "name": name}))
        options = ((key, mark_safe(" selected") if str(key) in chosen else "", label) for key, label in self.choices)
        listed = format_html_join("\n", '<option value="{}"{}>{}</option>', options)
        return format_html("<select{}>\n{}\n</select>", of_select, listed)


def zone_choices() -> list[tuple[str, str]]:
    return [(zone, zone) for zone in sorted(time_zones())]
