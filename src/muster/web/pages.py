"""The page of jobs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from muster.web.actions import change_job, possible_wishes
from muster.web.hooks import check_scope, identify
from muster.web.queries import job_view, jobs_page

_SHOWN = 50


@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    """The newest jobs; the address is the same whatever their state."""
    check_scope(identify(request), "jobs:read")
    return render(request, "web/jobs.html", {"jobs": jobs_page(None, None, _SHOWN)})


@require_GET
def job(request: HttpRequest, job_id: str) -> HttpResponse:
    check_scope(identify(request), "jobs:read")
    shown = job_view(job_id)
    labels = {"cancel": _("Cancel"), "pause": _("Pause"), "resume": _("Resume"), "retry": _("Retry")}
    wishes = [(wish, labels[wish]) for wish in possible_wishes(shown.state)]
    return render(request, "web/job.html", {"job": shown, "wishes": wishes})


@require_POST
def change(request: HttpRequest, job_id: str, wish: str) -> HttpResponse:
    asker = identify(request)
    assert asker is not None
    change_job(asker, job_id, wish)
    return redirect("web:job", job_id=job_id)
