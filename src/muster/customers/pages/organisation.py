"""Settings > Organisation: name, language, time zone, currency; and the exchange rates to that currency."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.catalog.actions import edit_publisher
from muster.catalog.queries import publisher
from muster.catalog.terms import DRAFT
from muster.customers.actions.facts import put_rates
from muster.customers.forms import OrganisationForm, RateForm
from muster.customers.pages.steps import IMPORTING
from muster.customers.queries import rates
from muster.customers.schemas import RateIn, rate_from, rate_json
from muster.kernel.errors import MusterError
from muster.kernel.paging import decode_cursor, encode_cursor
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import REFUSED, show_error, unknown_parameters
from muster.web.kept_forms import keeps_draft, with_draft

_FIELDS = ("name", "language", "time_zone", "currency", "revision")
_RATES_SHOWN = 50


@require_http_methods(["GET", "POST"])
@keeps_draft("catalog:write", DRAFT)
def show_organisation(request: HttpRequest) -> HttpResponse:
    """Somebody else's changes since are not overwritten (D-40)."""
    asker = permitted(request, "catalog:read")
    now = publisher()
    form = OrganisationForm(request.POST or None, initial={name: getattr(now, name) for name in _FIELDS})
    with_draft(request, form)
    if request.method == "POST":
        actor = permitted(request, "catalog:write")
        if form.is_valid():
            given = dict(form.cleaned_data)
            revision = given.pop("revision")
            try:
                edit_publisher(actor, revision=revision, **given)
            except MusterError as error:
                show_error(form, error)
            else:
                return redirect("customers:settings_organisation")
    shown = {"form": form, "refusal": refusal(asker, "catalog:write")}
    return render(request, "customers/settings_organisation.html", shown, status=REFUSED if form.errors else 200)


@require_http_methods(["GET", "POST"])
def show_rates(request: HttpRequest) -> HttpResponse:
    """Newest day first, and a form for another one; many come as a file."""
    asker = permitted(request, "catalog:read")
    form = RateForm(request.POST or None)
    if request.method == "POST":
        actor = permitted(request, "catalog:write")
        if form.is_valid():
            try:
                put_rates(actor, [rate_from(RateIn(**form.given()), "/rates/0")])
            except MusterError as error:
                error.pointer = error.pointer.removeprefix("/rates/0")
                show_error(form, error)
            else:
                return redirect("customers:rates")
    cursor, currency = request.GET.get("cursor", ""), request.GET.get("currency", "").strip()
    found = rates(decode_cursor(cursor) if cursor else None, currency or None, _RATES_SHOWN + 1)
    older = ""
    if len(found) > _RATES_SHOWN:
        last = found[_RATES_SHOWN - 1]
        older = _address(currency, encode_cursor([last.day.isoformat(), last.currency]))
    shown: dict[str, Any] = {
        "form": form,
        "rows": [rate_json(one) for one in found[:_RATES_SHOWN]],
        "older": older,
        "is_first": not cursor,
        "unknown": unknown_parameters(request, "cursor", "currency"),
        "currency": currency,
        "own": publisher().currency,
        "refusal": refusal(asker, "catalog:write"),
        "import_refusal": refusal(asker, *IMPORTING),
    }
    return render(request, "customers/rates.html", shown, status=REFUSED if form.errors else 200)


def _address(currency: str, cursor: str) -> str:
    return "?" + urlencode({**({"currency": currency} if currency else {}), "cursor": cursor})
