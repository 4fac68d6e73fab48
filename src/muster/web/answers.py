"""What pages answer in common: a refused form, what an address says too much, a download."""

from __future__ import annotations

from collections.abc import Iterable

from django.forms import Form
from django.http import HttpRequest, StreamingHttpResponse

from muster.kernel.errors import MusterError
from muster.web.wording import said

REFUSED = 422
"""A form that is refused has the status a program would get (D-39)."""


def show_error(form: Form, error: MusterError) -> None:
    """At the field it points to, with its stable code (D-41)."""
    field = error.pointer.removeprefix("/").partition("/")[0]
    form.add_error(field if field in form.fields else None, f"{said(error.message)} ({error.code})")


def unknown_parameters(request: HttpRequest, *known: str) -> list[str]:
    """What an address says that its page does not know: named, not ignored (D-29)."""
    return sorted(set(request.GET) - set(known))


def csv_download(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    """A CSV as it is made, line after line; `name` without its ending."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
