"""Larger forms whose drafts are kept as they are typed, without a word of it in their views (D-14)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render

from muster.kernel.errors import MusterError
from muster.web.drafts import discard_draft, discard_with_undo, draft_of, keep_draft
from muster.web.fragments import is_fragment
from muster.web.hooks import Asker, check_scope, identify
from muster.web.models import Draft

View = Callable[..., HttpResponse]
_LONGEST_SUBJECT = 64
# Not of the form: who sent it, and which button was pressed.
_BESIDE = ("csrfmiddlewaretoken", "do")


def keeps_draft(scope: str, undo_kind: str) -> Callable[[View], View]:
    """For a view with one form, that answers a redirect once it is saved; its template includes `web/draft.html`.

    `scope`: what the form wants of who sends it; `undo_kind`: registered with `restore_discarded`.
    """

    def kept(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
            asker = identify(request)
            assert asker is not None
            kind, subject = _place(request)
            if request.method == "POST" and is_fragment(request):
                check_scope(asker, scope)
                return _keep(request, asker, kind, subject)
            if request.POST.get("do") == "discard":
                check_scope(asker, scope)
                discard_with_undo(request, asker, undo_kind, kind, subject)
                return redirect(request.path)
            if request.method == "GET":
                _set(request, draft_of(asker, kind, subject))
            response = view(request, *given, **named)
            if request.method == "POST" and response.status_code == 302:
                discard_draft(asker, kind, subject)
            return response

        return answer

    return kept


def with_draft(request: HttpRequest, form: Form) -> None:
    """A form that was not sent begins with the draft, if there is one, as it was typed."""
    draft: Draft | None = getattr(request, "draft", None)
    if draft is None or form.is_bound:
        return
    typed = QueryDict(draft.fields["query"])
    for name, field in form.fields.items():
        form.initial[name] = field.widget.value_from_datadict(typed, {}, form.add_prefix(name))


def _keep(request: HttpRequest, asker: Asker, kind: str, subject: str) -> HttpResponse:
    fields = request.POST.copy()
    for name in _BESIDE:
        fields.pop(name, None)
    shown: dict[str, Any] = {}
    try:
        _set(request, keep_draft(asker, kind, {"query": fields.urlencode()}, subject))
    except MusterError as error:
        shown["draft_error"] = error
    return render(request, "web/draft.html", shown)


def _set(request: HttpRequest, draft: Draft | None) -> None:
    """Where the template finds it."""
    request.draft = draft  # type: ignore[attr-defined]  # ours, for the length of the request


def _place(request: HttpRequest) -> tuple[str, str]:
    """Kind and subject of the draft: which form, of what."""
    match = request.resolver_match
    assert match is not None
    subject = "/".join(str(value) for value in match.kwargs.values())
    if len(subject) > _LONGEST_SUBJECT:
        subject = sha256(subject.encode()).hexdigest()
    return match.view_name, subject
