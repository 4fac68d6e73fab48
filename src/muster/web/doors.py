"""What every API of Muster has in common: strict JSON in, problems out."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.web.errors import RequestInvalid
from muster.web.problems import problem_of_status, problem_response


def answer_with_problems(api: NinjaAPI) -> None:
    """Every exception inside an operation becomes problem+json."""
    for kind in (MusterError, Http404, SuspiciousOperation, Exception):
        api.add_exception_handler(kind, _problem)
    api.add_exception_handler(HttpError, _refused)
    api.add_exception_handler(ValidationError, _invalid)


def _problem(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    assert isinstance(error, Exception)
    return problem_response(error)


def _refused(request: HttpRequest, error: HttpError | type[HttpError]) -> HttpResponse:
    assert isinstance(error, HttpError)
    # Ninja wraps what our parser of bodies raises.
    cause = error.__cause__
    if isinstance(cause, MusterError):
        return problem_response(cause)
    return problem_response(problem_of_status(error.status_code))


def _invalid(request: HttpRequest, error: ValidationError | type[ValidationError]) -> HttpResponse:
    assert isinstance(error, ValidationError)
    errors = [_error_of(item) for item in error.errors]
    first = errors[0]
    place = first["pointer"] or first["parameter"] or "the request"
    message = worded("{place}: {problem}", place=place, problem=first["message"])
    if len(errors) > 1:
        message = worded("{problem} ({others} more)", problem=message, others=len(errors) - 1)
    return problem_response(RequestInvalid(message, errors=errors))


def _error_of(item: dict[str, Any]) -> dict[str, Any]:
    """Pydantic's (source, argument, field, ...) as a JSON Pointer into the body, or the name of a parameter."""
    source, *path = item["loc"]
    in_body = source == "body"
    steps = path[1:] if in_body else path
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
    return {
        "pointer": pointer if in_body else "",
        "parameter": None if in_body else ".".join(str(step) for step in steps),
        "code": "field_unknown" if item["type"] == "extra_forbidden" else item["type"],
        "message": f"{item['msg'][:300]}.",
        "nearest": None,
    }
