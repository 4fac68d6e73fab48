"""What one customer allows, what is handed over of them, and their erasure."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from muster.catalog.queries import publisher
from muster.customers.forms import PURPOSE_LABELS
from muster.customers.people.pages.person import head
from muster.customers.people.queries.person import key_of_id
from muster.customers.privacy.actions import consents, erasures, exports
from muster.customers.privacy.forms import ConsentForm
from muster.customers.privacy.queries import consents_of, exports_of, kept, open_erasure_of
from muster.kernel.errors import MusterError
from muster.kernel.ids import customer_id as id_of
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED, show_error

# Seconds until a file that is being put together is looked for again.
_LOOK_AGAIN_SECONDS = 2


@require_http_methods(["GET", "POST"])
def show_privacy(request: HttpRequest, customer_id: str) -> HttpResponse:
    """The log of consents with a form for the next entry; files handed over; the order to erase."""
    asker = permitted(request, "customers:read")
    key = key_of_id(customer_id)
    if id_of(key) != customer_id:
        return redirect("customers:privacy", customer_id=id_of(key))
    form = ConsentForm(request.POST or None)
    if request.method == "POST":
        actor = permitted(request, "customers:write")
        if form.is_valid():
            try:
                _consent(actor, customer_id, form)
            except MusterError as error:
                show_error(form, error)
            else:
                return redirect("customers:privacy", customer_id=customer_id)
    return _privacy_page(request, asker, key, form)


def _consent(actor: Principal, customer: str, form: ConsentForm) -> None:
    given = form.cleaned_data
    purpose, _sign, channel = given["about"].partition(".")
    consents.put_consent(
        actor,
        customer,
        purpose,
        granted=given["granted"] == "yes",
        channel=channel or None,
        text_version=given["text_version"].strip() or None,
    )


def _privacy_page(
    request: HttpRequest,
    asker: Principal,
    key: int,
    form: ConsentForm,
    error: MusterError | None = None,
    typed: str = "",
) -> HttpResponse:
    log = consents_of(key)
    personal = not refusal(asker, "customers:personal")
    files = exports_of(key) if personal else []
    shown: dict[str, Any] = head(asker, key, "privacy") | {
        "form": form,
        "log": [(one, PURPOSE_LABELS.get(one.about, one.about)) for one in log],
        "now": _now(log),
        "exports": files,
        "erasing": open_erasure_of(key),
        "grace_hours": kept().grace_hours,
        "write_refusal": refusal(asker, "customers:write"),
        "erase_refusal": refusal(asker, "customers:erase"),
        "error": error,
        "typed": typed,
    }
    response = render(request, "customers/privacy.html", shown, status=REFUSED if form.errors or error else 200)
    if any(one.state == "waiting" for one in files) and not (form.errors or error):
        response.headers["Refresh"] = str(_LOOK_AGAIN_SECONDS)
    return response


def _now(log: list[Any]) -> list[tuple[Any, bool, bool]]:
    """(what for, whether it is allowed now, whether somebody said so); the newest entry counts."""
    found = []
    for about, unset in publisher().unset_consents.items():
        purpose, _sign, channel = about.partition(".")
        said = [one for one in log if one.about == about or (channel and one.about == purpose)]
        found.append((PURPOSE_LABELS[about], said[0].granted if said else unset, bool(said)))
    return found


@require_POST
def export(request: HttpRequest, customer_id: str) -> HttpResponse:
    """Begins to put everything known into a file."""
    actor = permitted(request, "customers:personal")
    exports.request_export(actor, id_of(key_of_id(customer_id)))
    return redirect("customers:privacy", customer_id=customer_id)


@require_GET
def export_file(request: HttpRequest, export_id: str) -> FileResponse:
    """The file; who took it is noted."""
    path = exports.download(permitted(request, "customers:personal"), export_id)
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="application/zip")


@require_POST
def erase(request: HttpRequest, customer_id: str) -> HttpResponse:
    """Irreversible: the id of the customer is typed (D-37)."""
    actor = permitted(request, "customers:erase")
    key, typed = key_of_id(customer_id), request.POST.get("typed", "")
    try:
        order = erasures.request_erasure(actor, [id_of(key)], confirm=typed)
    except MusterError as error:
        return _privacy_page(request, actor, key, ConsentForm(), error, typed)
    return redirect("customers:erasure", erasure_id=order.id)
