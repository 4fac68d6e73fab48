"""The list of apps, making one, and the page of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from muster.catalog import actions, hooks
from muster.catalog.forms import EditAppForm, NewAppForm
from muster.catalog.pages.words import reader_language
from muster.catalog.policies import People, told_people
from muster.catalog.queries import AppSummary, app, apps, publisher
from muster.catalog.terms import DRAFT
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal, can
from muster.web.answers import REFUSED, show_error
from muster.web.kept_forms import keeps_draft, with_draft


@dataclass(frozen=True)
class AppRow:
    """An app as lists show it."""

    app: AppSummary
    label: str
    customers: People
    last_used_at: datetime | None


@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """Archived ones last; there are never so many that they need pages."""
    asker = permitted(request, "catalog:read")
    minimum = publisher().minimum_size
    rows = app_rows(asker, minimum)
    rows.sort(key=lambda row: (row.app.state != "active", row.label.casefold(), row.app.key))
    shown = {"rows": rows, "refusal": refusal(asker, "catalog:write"), "minimum": minimum}
    return render(request, "catalog/apps.html", shown)


def app_rows(asker: Principal, minimum: int) -> list[AppRow]:
    """Every app with its figures, as far as they may be told."""
    figures = {key: one for answer in hooks.app_figures for key, one in answer().items()}
    may_list = can(asker, "members:read")
    rows = []
    for one in apps(archived=True):
        known = figures.get(one.key, hooks.AppFigures(0, None))
        customers = told_people(known.customers, minimum, may_list=may_list)
        # When the one person who uses an app did so is theirs to tell.
        last = None if customers.small else known.last_used_at
        rows.append(AppRow(one, one.label(reader_language()), customers, last))
    return rows


@require_http_methods(["GET", "POST"])
@keeps_draft("catalog:write", DRAFT)
def new_app(request: HttpRequest) -> HttpResponse:
    actor = permitted(request, "catalog:write")
    form = NewAppForm(request.POST or None)
    with_draft(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.create_app(actor, key=form.cleaned_data["key"], name=form.texts(), **form.settings())
        except MusterError as error:
            show_label_error(form, error)
        else:
            return redirect("catalog:app", key=made.key)
    return render(request, "catalog/app_form.html", {"form": form}, status=REFUSED if form.errors else 200)


@require_GET
def show_app(request: HttpRequest, key: str) -> HttpResponse:
    """What it is and how it is used."""
    asker = permitted(request, "catalog:read")
    shown = app_head(asker, key, "overview")
    shown["row"] = next(row for row in app_rows(asker, shown["minimum"]) if row.app.key == key)
    return render(request, "catalog/app.html", shown)


def app_head(asker: Principal, key: str, tab: str) -> dict[str, Any]:
    """What every page of an app shows above its tab."""
    one = app(key)
    return {
        "app": one,
        "label": one.label(reader_language()),
        "tab": tab,
        "tabs": [one for one in hooks.app_tabs if can(asker, one.scope)],
        "refusal": refusal(asker, "catalog:write"),
        "minimum": publisher().minimum_size,
    }


@require_http_methods(["GET", "POST"])
@keeps_draft("catalog:write", DRAFT)
def edit_app(request: HttpRequest, key: str) -> HttpResponse:
    """Names and settings; somebody else's changes since are not overwritten (D-40)."""
    actor = permitted(request, "catalog:write")
    one = app(key)
    initial = EditAppForm.initial_texts(one.name) | EditAppForm.initial_settings(one.settings)
    initial["revision"] = one.revision
    form = EditAppForm(request.POST or None, initial=initial)
    with_draft(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_app(actor, key, revision=form.cleaned_data["revision"], name=form.texts(), **form.settings())
        except MusterError as error:
            show_label_error(form, error)
        else:
            return redirect("catalog:app", key=key)
    shown = app_head(actor, key, "") | {"form": form}
    return render(request, "catalog/app_form.html", shown, status=REFUSED if form.errors else 200)


def show_label_error(form: Any, error: MusterError) -> None:
    """Names by language stand in fields of their own."""
    for part in ("/name/", "/label/"):
        if error.pointer.startswith(part):
            error.pointer = f"/name_{error.pointer.removeprefix(part)}"
    show_error(form, error)
