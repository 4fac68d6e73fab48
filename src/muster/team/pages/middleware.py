"""What happens to every request: who may see pages at all, for how long, and in which language and zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone, translation
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from muster.team.actions.sessions import keep_limits
from muster.team.hooks import Organisation, organisation_now
from muster.team.models import Member
from muster.web.problems import is_api


class SessionLimits:
    """Sessions end after a while, whatever their cookie says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        keep_limits(request)
        return self.get_response(request)


class LoginRequired(LoginRequiredMiddleware):
    """Sends whoever is not logged in to the log-in page; views that are for everybody carry `login_not_required`."""

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        # The API lets in by its own door (team.api.MusterAuth) and never redirects.
        if is_api(request):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:
        """A form that was sent too late leads back to its page: there is nothing to look at where it was sent."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        page = urlsplit(request.headers.get("Referer", ""))
        following = f"{page.path}?{page.query}".rstrip("?") if page.netloc == request.get_host() else "/"
        return redirect_to_login(following, resolve_url(settings.LOGIN_URL))


class ReaderPreferences:
    """Pages speak the reader's language and show the reader's clock.

    The language: the profile's, else what the browser asks for, else the organisation's (D-45). The zone: the
    profile's, else the organisation's (D-48).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_api(request):
            return self.get_response(request)
        user = getattr(request, "user", None)
        member = user if isinstance(user, Member) else None
        language = (member.language if member else "") or _asked_language(request)
        zone = _zone(member.time_zone if member else "")
        if not language or (member and not zone):
            organisation = organisation_now[0]()
            language, zone = language or organisation.language, zone or _zone_of(organisation)
        with translation.override(language), timezone.override(zone):
            response = self.get_response(request)
            response.headers["Content-Language"] = language
            return response


def _asked_language(request: HttpRequest) -> str:
    """One of ours that the browser asks for; empty if it wants none. Programs that ask for nothing read English."""
    header = request.headers.get("Accept-Language")
    if header is None:
        return "en"
    for language, _ in parse_accept_lang_header(header.lower()):
        try:
            return get_supported_language_variant(language)
        except LookupError:
            continue
    return ""


def _zone_of(organisation: Organisation) -> ZoneInfo | None:
    return _zone(organisation.time_zone)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
