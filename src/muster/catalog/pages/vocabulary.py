"""Events and attributes: what an app's data brings, what is declared of it, and how often it is seen."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from muster.catalog import actions, hooks
from muster.catalog.forms import TYPE_LABELS, AttributeForm, EventForm, NewAttributeForm
from muster.catalog.pages.apps import app_head, show_label_error
from muster.catalog.pages.words import attribute_name, event_name
from muster.catalog.queries import (
    AttributeSummary,
    EventSummary,
    attribute_row,
    attribute_summaries,
    event_summaries,
)
from muster.catalog.terms import DRAFT
from muster.kernel.errors import MusterError
from muster.rules.vocabulary import Type
from muster.team.pages.permits import permitted
from muster.web.answers import REFUSED
from muster.web.kept_forms import keeps_draft, with_draft

SOURCES = {"standard": _("Standard"), "declared": _("Declared"), "observed": _("Found in data")}
SCOPES = {"customer": _("customer"), "app": _("customer and app"), "device": _("device")}


@dataclass(frozen=True)
class EventRow:
    event: EventSummary
    label: str
    source: str | Promise
    seen: hooks.Seen | None
    properties: list[tuple[str, str | Promise]]


@dataclass(frozen=True)
class AttributeRow:
    """`editable`: standard ones stay as they are."""

    attribute: AttributeSummary
    label: str
    type: str | Promise
    scope: str | Promise
    source: str | Promise

    @property
    def editable(self) -> bool:
        return self.attribute.source != "standard"


@require_GET
def show_words(request: HttpRequest, key: str) -> HttpResponse:
    """Seen first: what an app's data says is told before what it could say."""
    asker = permitted(request, "catalog:read")
    shown = app_head(asker, key, "events")
    figures = {name: one for answer in hooks.event_figures for name, one in answer(key).items()}
    events = [_event_row(one, figures.get(one.key)) for one in event_summaries()]
    events.sort(key=lambda row: (row.seen is None, row.event.source == "standard", row.event.key))
    attributes = [_attribute_row(one) for of_apps in (False, True) for one in attribute_summaries(of_apps=of_apps)]
    attributes.sort(key=lambda row: (not row.editable, row.attribute.key))
    shown |= {
        "seen": [row for row in events if row.seen],
        "unseen": [row for row in events if not row.seen],
        "own": [row for row in attributes if row.editable],
        "standard": [row for row in attributes if not row.editable],
    }
    return render(request, "catalog/words.html", shown)


def _event_row(one: EventSummary, seen: hooks.Seen | None) -> EventRow:
    properties: list[tuple[str, str | Promise]] = [
        (path, TYPE_LABELS[Type(kind)]) for path, kind in sorted(one.properties.items())
    ]
    return EventRow(one, event_name(one.key, one.label), SOURCES[one.source], seen, properties)


def _attribute_row(one: AttributeSummary) -> AttributeRow:
    return AttributeRow(
        one, attribute_name(one.key, one.label), TYPE_LABELS[Type(one.type)], SCOPES[one.scope], SOURCES[one.source]
    )


@require_http_methods(["GET", "POST"])
@keeps_draft("catalog:write", DRAFT)
def new_attribute(request: HttpRequest, key: str) -> HttpResponse:
    """Attributes are the publisher's; the app is where one came from."""
    actor = permitted(request, "catalog:write")
    form = NewAttributeForm(request.POST or None)
    with_draft(request, form)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.declare_attribute(
                actor,
                key=given["key"],
                type=given["type"],
                scope=given["scope"],
                label=form.texts(),
                personal=given["personal"],
            )
        except MusterError as error:
            show_label_error(form, error)
        else:
            return redirect("catalog:words", key=key)
    shown = app_head(actor, key, "events") | {"form": form}
    return render(request, "catalog/attribute_form.html", shown, status=REFUSED if form.errors else 200)


@require_http_methods(["GET", "POST"])
@keeps_draft("catalog:write", DRAFT)
def edit_attribute(request: HttpRequest, key: str, attribute: str) -> HttpResponse:
    """Label, type, personal; a type that would lose values is refused with their number."""
    actor = permitted(request, "catalog:write")
    row = attribute_row(attribute)
    initial = AttributeForm.initial_texts(row.label) | {"type": row.type, "personal": row.personal}
    form = AttributeForm(request.POST or None, initial=initial)
    with_draft(request, form)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        changes = {"label": form.texts(), "type": given["type"], "personal": given["personal"]}
        try:
            actions.edit_attribute(actor, attribute, **changes)
        except MusterError as error:
            show_label_error(form, error)
        else:
            return redirect("catalog:words", key=key)
    shown = app_head(actor, key, "events") | {"form": form, "attribute": row}
    return render(request, "catalog/attribute_form.html", shown, status=REFUSED if form.errors else 200)


@require_http_methods(["GET", "POST"])
@keeps_draft("catalog:write", DRAFT)
def new_event(request: HttpRequest, key: str) -> HttpResponse:
    actor = permitted(request, "catalog:write")
    form = EventForm(request.POST or None)
    with_draft(request, form)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.declare_event(
                actor,
                key=given["key"],
                label=form.texts(),
                is_activity=given["is_activity"],
                properties=form.property_types(),
            )
        except MusterError as error:
            show_label_error(form, error)
        else:
            return redirect("catalog:words", key=key)
    shown = app_head(actor, key, "events") | {"form": form}
    return render(request, "catalog/event_form.html", shown, status=REFUSED if form.errors else 200)
