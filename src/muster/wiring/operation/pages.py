"""Settings > System: what `muster doctor` and `muster backups` know, for whoever administers the installation."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from muster.team.pages.permits import permitted
from muster.web.answers import unknown_parameters
from muster.wiring.operation.checks import examine
from muster.wiring.operation.facts import gather
from muster.wiring.operation.jobs import order_backup


@require_GET
def system(request: HttpRequest) -> HttpResponse:
    """`?checks=1` looks at everything the installation needs, which reads every file that groups point to."""
    permitted(request, "team:admin")
    asked = request.GET.get("checks") == "1"
    shown = {
        "facts": gather(settings.MUSTER),
        "nightly": settings.MUSTER.nightly_backup,
        "checks": examine(settings.MUSTER, inside=True) if asked else None,
        "unknown": unknown_parameters(request, "checks"),
    }
    return render(request, "operation/system.html", shown)


@require_POST
def back_up(request: HttpRequest) -> HttpResponse:
    job = order_backup(permitted(request, "team:admin"))
    return redirect("web:job", job_id=job.id)
