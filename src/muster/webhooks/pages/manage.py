"""Switching a webhook on and off, exchanging its secret, deleting it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.team.pages.permits import permitted
from muster.team.policies import Principal
from muster.web.answers import REFUSED
from muster.webhooks.actions.webhooks import delete_webhook, edit_webhook, rotate_secret
from muster.webhooks.errors import WebhookError
from muster.webhooks.pages.webhooks import show_secret
from muster.webhooks.queries.webhooks import host_of, webhook


@require_http_methods(["GET", "POST"])
def manage(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """One form for each; `do` says which was sent."""
    actor = permitted(request, "webhooks:write")
    done = request.POST.get("do", "")
    error: MusterError | None = None
    if request.method == "POST":
        try:
            return _answer(request, actor, webhook_id, done)
        except MusterError as refused:
            error = refused
    one = webhook(webhook_id)
    until = one.two_secrets_until
    shown: dict[str, Any] = {
        "webhook": one,
        "host": host_of(one.url),
        "two_until": until if until is not None and until > system_clock() else None,
        "typed": request.POST.get("typed", ""),
        "done": done,
        "error": error,
    }
    return render(request, "webhooks/manage.html", shown, status=REFUSED if error else 200)


def _answer(request: HttpRequest, actor: Principal, webhook_id: str, done: str) -> HttpResponse:
    one = webhook(webhook_id)
    match done:
        case "on" | "off":
            edit_webhook(actor, webhook_id, revision=None, active=done == "on")
            return redirect("webhooks:webhook", webhook_id=webhook_id)
        case "rotate":
            at_once = request.POST.get("at_once") == "on"
            return show_secret(request, *rotate_secret(actor, webhook_id, at_once=at_once))
        case "delete":
            host = host_of(one.url)
            if request.POST.get("typed", "").strip() != host:
                message = worded("It goes to “{host}”; type that.", host=host)
                raise WebhookError(message, code="confirm_mismatch", pointer="/typed")
            delete_webhook(actor, webhook_id)
            return redirect("webhooks:list")
    raise WebhookError("Send `do` as on, off, rotate or delete.", pointer="/do")
