"""How an error leaves Muster: `application/problem+json` (RFC 9457) under /api, a page elsewhere; table of statuses.

A problem: `type, title, status, detail, code, errors[]`, each error `pointer, code, message, nearest`, and what else
the error knows (`used_by`, `path`, ...).
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from muster.kernel.errors import MusterError
from muster.kernel.room import disk_full
from muster.kernel.worded import worded
from muster.web import hooks
from muster.web.errors import NotFound, WebError

logger = logging.getLogger("muster.web")

CONTENT_TYPE = "application/problem+json"
# A code that is not here is 422, or 404 if it ends in `_unknown`.
STATUS: Mapping[str, int] = {
    "json_unreadable": 400,
    "request_unreadable": 400,
    "cursor_invalid": 400,
    "unauthenticated": 401,
    "csrf_failed": 403,
    "forbidden": 403,
    "person_needed": 403,
    "scope_missing": 403,
    "setup_token_invalid": 403,
    "invitation_invalid": 403,
    "password_link_invalid": 403,
    "member_inactive": 403,
    "provider_refused": 403,
    "provider_failed": 401,
    "not_found": 404,
    "method_not_allowed": 405,
    "confirmation_needed": 409,
    "erasure_running": 409,
    "erasure_state": 409,
    "export_expired": 410,
    "export_not_ready": 409,
    "exposure_limit": 409,
    "exposure_not_allowed": 422,
    "group_inactive": 409,
    "idempotency_in_progress": 409,
    "idempotency_key_reused": 409,
    "idempotency_secret_shown": 409,
    "import_expired": 409,
    "import_state": 409,
    "in_use": 409,
    "delivery_gone": 409,
    "job_state": 409,
    "key_limit": 409,
    "key_taken": 409,
    "last_owner": 409,
    "list_changed": 409,
    "overtaken": 409,
    "mapping_changed": 409,
    "merge_conflict": 409,
    "query_interrupted": 409,
    "revision_conflict": 409,
    "rotation_under_way": 409,
    "setup_done": 409,
    "state_conflict": 409,
    "type_change_loses": 409,
    "undo_expired": 410,
    "undo_stale": 409,
    "webhook_inactive": 409,
    "webhook_limit": 409,
    "body_too_large": 413,
    "draft_too_large": 413,
    "import_too_large": 413,
    "media_type_unsupported": 415,
    "column_unknown": 422,
    "revision_required": 428,
    "too_many_requests": 429,
    "internal_error": 500,
    "warehouse_locked": 503,
    "disk_full": 507,
}
# What Django and Ninja answer by themselves, in our words.
_BY_STATUS = {
    400: ("request_unreadable", worded("The request cannot be read.")),
    401: ("unauthenticated", worded("Say who you are: send `Authorization: Bearer` with a token, or log in.")),
    403: ("forbidden", worded("This is not allowed.")),
    404: ("not_found", worded("There is nothing here, or it is not visible to you.")),
    405: (
        "method_not_allowed",
        worded("This address does not take this method; the `Allow` header names those it does."),
    ),
    413: ("body_too_large", worded("The request is too large.")),
    415: ("media_type_unsupported", worded("The request is in a format that is not read here.")),
    429: ("too_many_requests", worded("Too many requests; wait a moment.")),
}


def status_of(error: MusterError) -> int:
    """The HTTP status of an error's code."""
    return STATUS.get(error.code, 404 if error.code.endswith("_unknown") else 422)


def problem_response(error: Exception) -> HttpResponse:
    """The error as problem+json. Anything but a MusterError is logged and answers a reference only."""
    known = _in_our_words(error)
    if known is None:
        return _response(500, _unknown_document(error))
    status = status_of(known)
    response = _response(status, problem_document(known, status))
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Muster"'
    return response


def problem_document(error: MusterError, status: int) -> dict[str, Any]:
    others = {key: value for key, value in error.details.items() if key != "errors"}
    errors = error.details.get("errors")
    if errors is None:
        one = {"pointer": error.pointer, "code": error.code, "message": error.message, "nearest": None}
        errors = [one] if error.pointer else []
    return {
        **others,
        "type": f"urn:muster:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status,
        "detail": error.message,
        "code": error.code,
        "errors": list(errors),
    }


def problem_of_status(status: int) -> MusterError:
    """The error that stands for an HTTP status somebody below us answered with."""
    code, message = _BY_STATUS.get(status, _BY_STATUS[400])
    return WebError(message, code=code)


def _in_our_words(error: Exception) -> MusterError | None:
    match error:
        case MusterError():
            return error
        case Http404():
            return NotFound(_BY_STATUS[404][1])
        case PermissionDenied():
            return problem_of_status(403)
        case RequestDataTooBig():
            return problem_of_status(413)
        case SuspiciousOperation() | MultiPartParserError() | UnreadablePostError():
            return problem_of_status(400)
    return disk_full(error)


def _unknown_document(error: Exception) -> dict[str, Any]:
    reference = secrets.token_hex(4)
    logger.error("reference %s", reference, exc_info=error)
    message = worded(
        "Something went wrong inside Muster. Its log says more under the reference {reference}.", reference=reference
    )
    internal = WebError(message, code="internal_error", details={"reference": reference})
    return problem_document(internal, 500)


def _response(status: int, document: Mapping[str, Any]) -> HttpResponse:
    return HttpResponse(json.dumps(document, default=str), status=status, content_type=CONTENT_TYPE)


class Problems:
    """Middleware: errors that views raise become a problem or a page, and so do Django's own refusals under /api."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not is_api(request) or response.status_code < 400 or response.headers["Content-Type"] == CONTENT_TYPE:
            return response
        if response.status_code >= 500:
            return response
        problem = problem_response(problem_of_status(response.status_code))
        if "Allow" in response.headers:
            problem.headers["Allow"] = response.headers["Allow"]
        return problem

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if is_api(request):
            return problem_response(error)
        known = _in_our_words(error)
        if known is not None:
            return problem_page(request, known, status_of(known))
        document = _unknown_document(error)
        return problem_page(request, WebError(document["detail"], code=document["code"]), 500)


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def problem_page(request: HttpRequest, error: MusterError, status: int) -> HttpResponse:
    """The page that says what happened, why, what next, and the stable code (D-41)."""
    heading = _("Not found") if status == HTTPStatus.NOT_FOUND else _("This did not work")
    # Who is not inside sees no menu.
    page = "web/base.html" if hooks.identify(request) else "web/plain.html"
    return render(request, "web/problem.html", {"error": error, "heading": heading, "page": page}, status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler404`."""
    error = NotFound(_BY_STATUS[404][1])
    return problem_response(error) if is_api(request) else problem_page(request, error, 404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`: what was refused before any view, such as a form with too long a text."""
    error = _in_our_words(exception) or problem_of_status(400)
    return problem_response(error) if is_api(request) else problem_page(request, error, status_of(error))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: an error outside every view, already logged by Django."""
    message = worded("Something went wrong inside Muster; its log says more.")
    return problem_response(WebError(message, code="internal_error"))


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """What allauth answers once somebody has tried too often."""
    return problem_page(request, problem_of_status(429), 429)
