"""The pages of jobs, of what was found, and the undoing of what was done."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from muster.web.actions import change_job, possible_wishes
from muster.web.columns import keep_shown
from muster.web.finding import found_by
from muster.web.fragments import is_fragment
from muster.web.hooks import check_scope, identify
from muster.web.queries import job_view, jobs_page
from muster.web.undo import undo

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
    template = "web/job_live.html" if is_fragment(request) else "web/job.html"
    return render(request, template, {"job": shown, "wishes": wishes, "live": shown.finished_at is None})


@require_POST
def change(request: HttpRequest, job_id: str, wish: str) -> HttpResponse:
    asker = identify(request)
    assert asker is not None
    change_job(asker, job_id, wish)
    return redirect("web:job", job_id=job_id)


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """Groups, apps, settings by name or key; customers by exact id or address only (D-13)."""
    text = request.GET.get("q", "").strip()[:200]
    found = found_by(identify(request), text) if text else []
    return render(request, "web/find.html", {"text": text, "found": found})


@require_POST
def undo_it(request: HttpRequest, undo_id: str) -> HttpResponse:
    """Back to the page that offered it."""
    asker = identify(request)
    assert asker is not None
    undo(asker, undo_id)
    return _back(request)


@require_POST
def columns(request: HttpRequest, table: str) -> HttpResponse:
    """Which columns of a table whoever sends it sees from now on; then the table again."""
    asker = identify(request)
    assert asker is not None
    keep_shown(asker, table, request.POST.getlist("show"))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page the form stood on, which is one of ours."""
    following = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        following = "/"
    return redirect(following)
