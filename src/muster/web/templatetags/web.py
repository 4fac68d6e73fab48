"""The only tags that write values (D-47): numbers, money, days and lists as the reader's language writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from muster.kernel.clock import system_clock
from muster.web import hooks
from muster.web.columns import shown_columns, tables
from muster.web.formats import BabelFormats
from muster.web.persons import person_label
from muster.web.refusals import refusals_of
from muster.web.undo import line_of
from muster.web.wording import said

register = template.Library()
register.filter("said", said)

NOTHING = "–"


def reader_formats(currency: str = "EUR") -> BabelFormats:
    """Those of the language and time zone in which this request is answered."""
    return _formats(get_language() or "en", timezone.get_current_timezone(), currency)


@lru_cache
def _formats(language: str, zone: tzinfo, currency: str) -> BabelFormats:
    return BabelFormats(_locale(language), zone, currency)


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language, sep="-")


@register.simple_tag
def number(value: Decimal | int | None) -> str:
    return NOTHING if value is None else reader_formats().number(value)


@register.simple_tag
def percent(ratio: Decimal | float | None) -> str:
    """Of a ratio from 0 to 1; at most one decimal."""
    return NOTHING if ratio is None else reader_formats().share(ratio)


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> str:
    return NOTHING if amount is None else reader_formats().money(amount, currency)


@register.simple_tag
def day(value: date | None) -> str:
    if value is None:
        return NOTHING
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), reader_formats().day(value))


@register.simple_tag
def when(value: datetime | None) -> str:
    """Day and time on the reader's clock."""
    return NOTHING if value is None else _time(value, reader_formats().instant(value))


@register.simple_tag
def ago(value: datetime | None) -> str:
    """How long ago, with the exact time in its title."""
    return NOTHING if value is None else _time(value, reader_formats().ago(value, system_clock()))


@register.filter
def person(label: str) -> str:
    """Who did something: the command line has no name of its own."""
    return person_label(label)


@register.simple_tag
def duration(length: timedelta | None) -> str:
    return NOTHING if length is None else reader_formats().duration(length)


@register.simple_tag
def seconds(length: timedelta | None) -> str:
    """How long something took, to a tenth of a second."""
    return NOTHING if length is None else reader_formats().seconds(length)


@register.simple_tag(name="bytes")
def byte_count(count: int | None) -> str:
    return NOTHING if count is None else reader_formats().bytes(count)


@register.simple_tag
def country(code: str | None) -> str:
    return reader_formats().country(code) if code else NOTHING


@register.simple_tag(name="list")
def listed(items: Sequence[str]) -> str:
    return reader_formats().list_and(items)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A Tabler icon of the sprite; always beside a word that says the same. Tables have hundreds: no template."""
    return format_html('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>', static("vendor/icons.svg"), name)


@register.inclusion_tag("web/undo_line.html", takes_context=True)
def undo_line(context: template.Context) -> dict[str, Any]:
    """What was just done, and the button that takes it back."""
    request = context.get("request")
    return {"undo": line_of(request) if request else None, "request": request, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("web/refusals.html", takes_context=True)
def refusals(context: template.Context) -> dict[str, Any]:
    """What was not done of what was asked for many things at once."""
    request = context.get("request")
    return {"refusals": refusals_of(request) if request else None}


@register.inclusion_tag("web/columns.html", takes_context=True)
def columns_menu(context: template.Context, table: str) -> dict[str, Any]:
    """The menu in which a reader hides columns of a table and brings them back."""
    request = context["request"]
    shown = shown_columns(request, table)
    columns = [(column, label, column in shown) for column, label in tables[table].items()]
    return {"table": table, "columns": columns, "request": request, "csrf_token": context.get("csrf_token")}


@dataclass(frozen=True)
class _Item:
    label: str | Promise
    address: str
    icon: str
    current: bool


@dataclass
class _Section:
    label: str | Promise
    items: list[_Item] = field(default_factory=list)


@register.inclusion_tag("web/navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, Any]:
    """The pages this member may see, in the order their rooms gave them."""
    request = context["request"]
    asker = hooks.identify(request)
    sections: list[_Section] = []
    for page in hooks.menu_pages:
        if asker is None or (page.scope and not hooks.can(asker, page.scope)):
            continue
        if not sections or sections[-1].label != page.section:
            sections.append(_Section(page.section))
        address = reverse(page.url_name)
        # The start page is a prefix of every address and current only as itself.
        current = request.path == address if address == "/" else request.path.startswith(address)
        sections[-1].items.append(_Item(page.label, address, page.icon, current))
    notices = [] if asker is None else [notice for notice in hooks.notices if notice.shown()]
    return {"sections": sections, "notices": notices}


@register.simple_tag(takes_context=True)
def look(context: template.Context) -> SafeString:
    """Attributes of `<html>`: the reader's colours and density. What the system decides has none."""
    request = context.get("request")
    chosen = hooks.preferences(request) if request else hooks.Preferences()
    theme = format_html(' data-bs-theme="{}"', chosen.theme) if chosen.theme != "auto" else ""
    density = format_html(' data-density="{}"', chosen.density) if chosen.density != "comfortable" else ""
    return format_html("{}{}", theme, density)


def _time(value: datetime, text: str) -> SafeString:
    exact = reader_formats().instant(value)
    return format_html('<time datetime="{}" title="{}">{}</time>', value.isoformat(), exact, text)
