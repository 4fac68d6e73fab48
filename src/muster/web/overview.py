"""The first page: what wants looking after, what runs, how the apps do, what happened last (D-17)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.web import hooks
from muster.web.fragments import is_fragment
from muster.web.queries import jobs_page
from muster.web.wording import said

_JOBS_SHOWN = 10
_FAILURES_TOLD = timedelta(days=7)
_UNFINISHED = ("running", "waiting", "paused")


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Every room gives its part; whoever may not see something of it does not get it."""
    asker = hooks.identify(request)
    if is_fragment(request):
        return render(request, "web/overview_jobs.html", {"told": running_jobs(asker)})
    steps = [
        (step.label, reverse(step.url_name), step.done(), _refusal(asker, step.scope)) for step in hooks.first_steps
    ]
    attention = [one for ask in hooks.attentions for one in ask(asker)]
    parts = [(part.template, told) for part in hooks.overview_parts if (told := part.ask(asker)) is not None]
    shown = {
        # Once everything was done nobody needs to be told again.
        "steps": steps if not all(done for _, _, done, _ in steps) else [],
        "done": sum(done for _, _, done, _ in steps),
        "attention": attention,
        "parts": parts,
        "live": any(told.get("moving") for _, told in parts),
    }
    return render(request, "web/overview.html", shown)


def _refusal(asker: Any, scope: str) -> str:
    try:
        hooks.check_scope(asker, scope)
    except MusterError as error:
        return said(error.message)
    return ""


def running_jobs(asker: Any) -> dict[str, Any] | None:
    """Jobs that are not over, and what failed last."""
    if not hooks.can(asker, "jobs:read"):
        return None
    jobs = [job for state in _UNFINISHED for job in jobs_page(state, None, _JOBS_SHOWN)]
    return {"jobs": jobs[:_JOBS_SHOWN], "moving": any(job.state != "paused" for job in jobs)}


def failed_jobs(asker: Any) -> list[hooks.Attention]:
    """One line, where the list of jobs says more."""
    if not hooks.can(asker, "jobs:read"):
        return []
    since = system_clock() - _FAILURES_TOLD
    failed = [job for job in jobs_page("failed", None, _JOBS_SHOWN) if job.finished_at and job.finished_at > since]
    if not failed:
        return []
    text = ngettext(
        "%(count)s job failed in the last 7 days.", "%(count)s jobs failed in the last 7 days.", len(failed)
    ) % {"count": len(failed)}
    return [hooks.Attention(text, reverse("web:jobs"))]
