"""The list of webhooks, making one, changing one."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.views.decorators.http import require_GET, require_http_methods

from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted, refusal
from muster.web.answers import REFUSED, show_error
from muster.webhooks.actions.webhooks import create_webhook
from muster.webhooks.actions.webhooks import edit_webhook as save
from muster.webhooks.forms import EditWebhookForm, WebhookForm
from muster.webhooks.hooks import event_kinds
from muster.webhooks.queries.webhooks import WebhookView, host_of, subject_names, webhook, webhooks
from muster.webhooks.terms import DISABLED_TEXTS, TEST, TEST_TEXT


@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    """Those that are on first."""
    asker = permitted(request, "webhooks:read")
    rows = [(one, host_of(one.url), event_labels(one.events), state_text(one)) for one in webhooks()]
    rows.sort(key=lambda row: (not row[0].active, row[1], row[0].id))
    return render(request, "webhooks/list.html", {"rows": rows, "refusal": refusal(asker, "webhooks:write")})


@require_http_methods(["GET", "POST"])
def new_webhook(request: HttpRequest) -> HttpResponse:
    """The secret is in the answer to the form and nowhere else."""
    actor = permitted(request, "webhooks:write")
    form = WebhookForm(subject_names(), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = create_webhook(actor, **_given(form))
        except MusterError as error:
            show_error(form, error)
        else:
            return show_secret(request, made, secret)
    return render(request, "webhooks/form.html", {"form": form}, status=REFUSED if form.errors else 200)


@require_http_methods(["GET", "POST"])
def edit_webhook(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """Somebody else's changes since are not overwritten (D-40)."""
    actor = permitted(request, "webhooks:write")
    one = webhook(webhook_id)
    initial = {name: getattr(one, name) for name in ("url", "description", "events", "subjects", "revision")}
    # What was chosen and is not there any more stays chosen until somebody takes it out.
    choices = {**{identifier: identifier for identifier in one.subjects}, **subject_names()}
    form = EditWebhookForm(choices, request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            save(actor, webhook_id, revision=form.cleaned_data["revision"], **_given(form))
        except MusterError as error:
            show_error(form, error)
        else:
            return redirect("webhooks:webhook", webhook_id=webhook_id)
    shown = {"form": form, "webhook": one, "host": host_of(one.url)}
    return render(request, "webhooks/form.html", shown, status=REFUSED if form.errors else 200)


def show_secret(request: HttpRequest, one: WebhookView, secret: str) -> HttpResponse:
    shown = {"webhook": one, "host": host_of(one.url), "secret": secret}
    return render(request, "webhooks/secret.html", shown)


def event_label(key: str) -> str | Promise:
    if key == TEST:
        return TEST_TEXT
    return event_kinds[key].label if key in event_kinds else key


def event_labels(keys: list[str]) -> list[str | Promise]:
    return [event_label(key) for key in keys]


def state_text(one: WebhookView) -> str | Promise:
    """Why Muster switched it off; nothing if it did not."""
    return DISABLED_TEXTS.get(one.disabled, "")


def _given(form: WebhookForm) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("url", "description", "events", "subjects")}
