"""One webhook with what was sent to it, and one delivery with its attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from muster.kernel.clock import system_clock
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED, unknown_parameters
from muster.web.hooks import preferences
from muster.webhooks.actions.emitting import send_test
from muster.webhooks.actions.replaying import replay, replay_failed
from muster.webhooks.errors import WebhookError
from muster.webhooks.forms import ReplayForm
from muster.webhooks.pages.webhooks import event_label, event_labels, state_text
from muster.webhooks.policies import may_read
from muster.webhooks.queries.deliveries import attempt_view, attempts, deliveries, delivery_row, delivery_view
from muster.webhooks.queries.webhooks import WebhookView, host_of, subject_names, webhook
from muster.webhooks.terms import FAILURE_TEXTS, STATE_TEXTS

_A_DAY = timedelta(days=1)


@require_http_methods(["GET", "POST"])
def show_webhook(request: HttpRequest, webhook_id: str) -> HttpResponse:
    """`do` says what the forms want: a test event, or everything again that failed since."""
    asker = permitted(request, "webhooks:read")
    one = webhook(webhook_id)
    form = ReplayForm(initial={"since": one.failing_since or system_clock() - _A_DAY})
    error: WebhookError | None = None
    if request.method == "POST":
        actor = permitted(request, "webhooks:write")
        try:
            if request.POST.get("do") == "test":
                send_test(actor, webhook_id)
                return redirect("webhooks:webhook", webhook_id=webhook_id)
            form = ReplayForm(request.POST)
            if form.is_valid():
                replay_failed(actor, webhook_id, form.cleaned_data["since"])
                return redirect("webhooks:webhook", webhook_id=webhook_id)
        except WebhookError as refused:
            error = refused
    shown = _webhook_page(request, asker, one) | {"form": form, "error": error}
    return render(request, "webhooks/webhook.html", shown, status=REFUSED if error or form.errors else 200)


def _webhook_page(request: HttpRequest, asker: Principal, one: WebhookView) -> dict[str, Any]:
    state = request.GET.get("state", "")
    state = state if state in STATE_TEXTS else ""
    page = deliveries(
        one.id,
        state=state,
        limit=preferences(request).rows,
        before=request.GET.get("before") or None,
        after=request.GET.get("after") or None,
    )
    names = subject_names()
    return {
        "webhook": one,
        "host": host_of(one.url),
        "events": event_labels(one.events),
        "subjects": [names.get(identifier, identifier) for identifier in one.subjects],
        "why_off": state_text(one),
        "rows": [(row, event_label(row.event), names.get(row.subject, row.subject)) for row in page.items],
        "state": state,
        "states": STATE_TEXTS.items(),
        "older": _address(state, before=page.older),
        "newer": _address(state, after=page.newer),
        "zone": timezone.get_current_timezone_name(),
        "refusal": refusal(asker, "webhooks:write"),
        "unknown": unknown_parameters(request, "state", "before", "after"),
    }


@require_http_methods(["GET", "POST"])
def show_delivery(request: HttpRequest, webhook_id: str, delivery_id: str) -> HttpResponse:
    """What was sent, and every attempt; a POST sends it again."""
    asker = permitted(request, "webhooks:read")
    error: WebhookError | None = None
    if request.method == "POST":
        try:
            replay(permitted(request, "webhooks:write"), webhook_id, delivery_id)
            return redirect("webhooks:delivery", webhook_id=webhook_id, delivery_id=delivery_id)
        except WebhookError as refused:
            error = refused
    row = delivery_row(webhook_id, delivery_id)
    view = delivery_view(row)
    names = subject_names()
    tried = [attempt_view(one) for one in attempts(row.id)]
    shown = {
        "delivery": view,
        "webhook": row.webhook,
        "host": host_of(row.webhook.url),
        "event": event_label(view.event),
        "subject": names.get(view.subject, view.subject),
        "reason": FAILURE_TEXTS.get(view.reason, view.reason),
        "body": row.body if may_read(asker, view.event) else "",
        "may_read": may_read(asker, view.event),
        "attempts": [(one, FAILURE_TEXTS.get(one.error, one.error), _length(one.milliseconds)) for one in tried],
        "refusal": refusal(asker, "webhooks:write"),
        "error": error,
    }
    return render(request, "webhooks/delivery.html", shown, status=REFUSED if error else 200)


def _length(milliseconds: int) -> timedelta:
    return timedelta(milliseconds=milliseconds)


def _address(state: str, **cursor: str | None) -> str:
    """The query of a further page; empty where there is none."""
    if not any(cursor.values()):
        return ""
    return "?" + urlencode({name: value for name, value in {"state": state, **cursor}.items() if value})
