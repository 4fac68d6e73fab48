"""What an app sells."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from muster.catalog import actions
from muster.catalog.forms import KIND_LABELS, AddOnForm
from muster.catalog.pages.apps import app_head
from muster.catalog.queries import add_ons
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted
from muster.warehouse.catalog import AddOnKind
from muster.web.answers import REFUSED, show_error


@require_http_methods(["GET", "POST"])
def show_add_ons(request: HttpRequest, key: str) -> HttpResponse:
    """The add-ons of an app, and a form for another one."""
    asker = permitted(request, "catalog:read")
    shown = app_head(asker, key, "add-ons")
    form = AddOnForm(request.POST or None)
    if request.method == "POST":
        actor = permitted(request, "catalog:write")
        if form.is_valid():
            given = form.cleaned_data
            try:
                actions.create_add_on(
                    actor,
                    key,
                    product_id=given["product_id"],
                    name=given["name"],
                    kind=given["kind"],
                    skus=form.sku_list(),
                )
            except MusterError as error:
                show_error(form, error)
            else:
                return redirect("catalog:add_ons", key=key)
    rows = [(one, KIND_LABELS[AddOnKind(one.kind)]) for one in add_ons(key)]
    return render(
        request, "catalog/add_ons.html", shown | {"rows": rows, "form": form}, status=REFUSED if form.errors else 200
    )


@require_POST
def retire(request: HttpRequest, key: str, add_on_id: str) -> HttpResponse:
    actions.retire_add_on(permitted(request, "catalog:write"), key, add_on_id)
    return redirect("catalog:add_ons", key=key)
