"""The page of one segment."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from muster.groups.models import Group


def segment_page(_request: HttpRequest, row: Group) -> HttpResponse:
    """Why somebody is in it or not, until there is more to see."""
    return redirect(f"{reverse('groups:why')}?group={row.id}")
