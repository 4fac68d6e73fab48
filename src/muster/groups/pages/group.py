"""One group: what is shown depends on its kind."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from muster.groups.queries.groups import group_row
from muster.web.hooks import check_scope, identify


@require_GET
def show(request: HttpRequest, key: str) -> HttpResponse:
    check_scope(identify(request), "groups:read")
    return redirect(f"{reverse('groups:why')}?group={group_row(key).id}")
