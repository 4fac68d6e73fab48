"""What happened with one customer, fifty moments a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from muster.catalog.pages.words import event_name
from muster.customers import hooks
from muster.customers.forms import PURPOSE_LABELS
from muster.customers.pages.columns import KIND_LABELS
from muster.customers.people.pages.person import head
from muster.customers.people.queries.person import key_of_id
from muster.customers.people.queries.timeline import Told, timeline
from muster.kernel.ids import customer_id as id_of
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import unknown_parameters
from muster.web.templatetags.web import reader_formats

_A_PAGE = 50
_LONGEST_TEXT, _MOST_DETAILS = 200, 12
_EVENTS = ("events", "orders", "sessions")
_SENT = ("events", "orders")
# Of what is in an order anybody who may see customers sees this; anything else that was sent may name somebody.
_OPEN = frozenset({
    "order_id", "total", "currency", "product_id", "category", "price", "quantity", "addon", "acquisition_type",
})  # fmt: skip  # a table, read by rows


@dataclass(frozen=True)
class Line:
    """A moment as the page shows it; `withheld`: it has details that the asker may not see."""

    told: Told
    icon: str
    kind: str | Promise
    title: str | Promise
    details: list[tuple[str, str]]
    withheld: bool

    @property
    def is_event(self) -> bool:
        """Its title is what the publisher's programs call it, in whatever language."""
        return self.told.kind in _EVENTS


@require_GET
def show_timeline(request: HttpRequest, customer_id: str) -> HttpResponse:
    asker = permitted(request, "customers:read")
    key = key_of_id(customer_id)
    if id_of(key) != customer_id:
        return redirect("customers:timeline", customer_id=id_of(key))
    shown = head(asker, key, "timeline")
    kind = request.GET.get("kind", "")
    kind = kind if kind in hooks.timeline_sources else ""
    refused = {name: refusal(asker, one.scope) for name, one in hooks.timeline_sources.items()}
    sources = [one for name, one in hooks.timeline_sources.items() if not refused[name] and kind in ("", name)]
    page = timeline(key, sources, older=request.GET.get("older", ""), newer=request.GET.get("newer", ""), limit=_A_PAGE)
    shown |= {
        "kind": kind,
        "kinds": _kinds(kind),
        "refused": sorted({reason for name, reason in refused.items() if reason and kind in ("", name)}),
        "lines": [
            (_line(one, personal=not shown["personal_refusal"]), shown["app_names"].get(one.moment.app, one.moment.app))
            for one in page.items
        ],
        "older": _address(kind, older=page.older) if page.older else "",
        "newer": _address(kind, newer=page.newer) if page.newer else "",
        "from_now": _address(kind),
        "is_first": not (request.GET.get("older") or request.GET.get("newer")),
        "unknown": unknown_parameters(request, "kind", "older", "newer"),
    }
    return render(request, "customers/timeline.html", shown)


def _kinds(current: str) -> list[tuple[str | Promise, str, bool]]:
    """Label and address of every kind, all of them first."""
    every: list[tuple[str | Promise, str, bool]] = [(_("All"), _address(""), not current)]
    return every + [(one.label, _address(name), name == current) for name, one in hooks.timeline_sources.items()]


def _address(kind: str, **cursor: str) -> str:
    return "?" + urlencode({**({"kind": kind} if kind else {}), **cursor})


def _line(told: Told, *, personal: bool) -> Line:
    source = hooks.timeline_sources[told.kind]
    moment = told.moment
    details = _READ[told.kind](moment.details) if told.kind in _READ else list(moment.details)
    seen = [(name, text) for name, text in details if personal or told.kind not in _SENT or name in _OPEN]
    title = event_name(str(moment.title)) if told.kind in _EVENTS else moment.title
    cut = [(name, text[:_LONGEST_TEXT]) for name, text in seen[:_MOST_DETAILS]]
    return Line(told, source.icon, source.label, title, cut, withheld=len(seen) < len(details))


Details = tuple[tuple[str, str], ...]


def _session(details: Details) -> list[tuple[str, str]]:
    told = dict(details)
    length = datetime.fromisoformat(told["ended_at"]) - datetime.fromisoformat(told["started_at"])
    return [(_("Length"), reader_formats().duration(length))]


def _import(details: Details) -> list[tuple[str, str]]:
    return [(str(KIND_LABELS.get(kind, kind)), name) for kind, name in details]


def _consent(details: Details) -> list[tuple[str, str]]:
    return [(_("What for"), str(PURPOSE_LABELS.get(about, about))) for _name, about in details]


# Kinds whose details are told in other words.
_READ: dict[str, Callable[[Details], list[tuple[str, str]]]] = {
    "sessions": _session,
    "imports": _import,
    "consents": _consent,
}
