"""What uses a segment, whether it is well, and how programs reach it."""

from __future__ import annotations

import json

from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from muster.groups.models import Group
from muster.groups.pages.segment_head import head
from muster.groups.queries.groups import GroupView
from muster.rules.plan_text import plan_document, plan_text
from muster.web.hooks import can, identify
from muster.web.queries import jobs_page

_JOBS_LOOKED_AT, _JOBS_SHOWN = 200, 5
_REFRESH = "groups.refresh"


def used_by(request: HttpRequest, row: Group) -> HttpResponse:
    """Every segment and activity that refers to it (G-22)."""
    shown = head(request, row, "used-by")
    kinds = {"segment": _("Segment"), "notification": _("Notification"), "offer": _("Targeted offer")}
    kinds["flight"] = _("Package flight")
    view: GroupView = shown["group"]
    shown["uses"] = [(use, kinds.get(use.kind, use.kind)) for use in view.used_by]
    return render(request, "groups/segment/used_by.html", shown)


def health(request: HttpRequest, row: Group) -> HttpResponse:
    """The last evaluation, its error, and how long the last refreshes of all segments took."""
    shown = head(request, row, "health")
    changes = row.changes.defer("joined", "left")
    first, last = changes.first(), changes.last()
    shown |= {
        "evaluations": row.evaluations,
        "remembered_since": first.at if first else None,
        "last_change": last.at if last else None,
    }
    if can(identify(request), "jobs:read"):
        jobs = [job for job in jobs_page(None, None, _JOBS_LOOKED_AT) if job.kind.startswith(_REFRESH)]
        shown["jobs"] = [
            (job, job.finished_at - job.started_at if job.finished_at and job.started_at else None)
            for job in jobs[:_JOBS_SHOWN]
        ]
    return render(request, "groups/segment/health.html", shown)


def api(request: HttpRequest, row: Group) -> HttpResponse:
    """Key, id, a call that works, and the segment as `muster apply` reads it."""
    shown = head(request, row, "api")
    address = request.build_absolute_uri(f"/api/v1/groups/{row.key}")
    shown |= {
        "curl": f'curl -H "Authorization: Bearer $MUSTER_TOKEN" {address}',
        "members_curl": f'curl -H "Authorization: Bearer $MUSTER_TOKEN" "{address}/members?limit=100"',
        "json": json.dumps(row.definition, indent=2, ensure_ascii=False),
        "yaml": plan_text(plan_document([model_to_dict(row)])),
    }
    return render(request, "groups/segment/api.html", shown)
