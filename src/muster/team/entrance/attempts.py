"""How often somebody may try, and when they may try again."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from muster.web.templatetags.web import reader_formats

LOCKED = "too_many_login_attempts"


def locked_error(request: HttpRequest, key: str) -> ValidationError:
    """Says when; `key` is what allauth counts failures under."""
    again = reader_formats().time(datetime.fromtimestamp(_again_at(request, key), UTC))
    message = _("Too many attempts have failed. Try again after %(time)s.") % {"time": again}
    return ValidationError(message, code=LOCKED)


def _again_at(request: HttpRequest, key: str) -> float:
    """When the oldest of the attempts that fill a limit is forgotten; the later one if two limits are full."""
    now = time.time()
    latest = now
    for rate in ratelimit.get_rates(app="allauth.account", action="login_failed"):
        name = ratelimit.get_cache_key(request, app="allauth.account", action="login_failed", rate=rate, key=key)
        # Newest first.
        history = cache.get(name, [])
        if len(history) >= rate.amount:
            latest = max(latest, history[rate.amount - 1] + rate.duration)
    return latest
