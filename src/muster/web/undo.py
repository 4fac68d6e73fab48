"""Undo: what was done at once can be taken back for a day, unless somebody changed it since (D-38)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.web.errors import NotFound, UndoExpired, UndoStale
from muster.web.hooks import Asker, check_scope
from muster.web.models import Undo

KEPT = timedelta(hours=24)
_LINE = "undo_line"
# Errors that say: the thing is not as it was left.
_CHANGED = frozenset({"revision_conflict", "state_conflict", "state_not_allowed", "group_unknown"})

Inverse = Callable[[Any, Mapping[str, Any]], None]
_inverses: dict[str, tuple[Inverse, str]] = {}


def register_undo(kind: str, inverse: Inverse, *, scope: str) -> None:
    """Called in the `apps.py` of a room: `inverse(actor, parameters)` takes one kind of action back."""
    _inverses[kind] = (inverse, scope)


def offer_undo(request: HttpRequest, actor: Asker, kind: str, text: str, parameters: Mapping[str, Any]) -> Undo:
    """Remembers how to take it back, and has the next page say so."""
    now = system_clock()
    Undo.objects.filter(created_at__lte=now - KEPT).delete()
    made = Undo.objects.create(
        id=new_id("und"),
        owner=f"{actor.kind}:{actor.id}",
        kind=kind,
        parameters=dict(parameters),
        text=text[:300],
        created_at=now,
    )
    request.session[_LINE] = made.id
    return made


def line_of(request: HttpRequest) -> Undo | None:
    """What the status line of this page offers to undo: once, for the page after the action."""
    session = getattr(request, "session", None)
    if session is None or _LINE not in session:
        return None
    return Undo.objects.filter(id=session.pop(_LINE), used_at=None).first()


def undo(actor: Asker, identifier: str) -> Undo:
    """Takes it back. `undo_stale` if the thing was changed since, `undo_expired` after a day or the second time."""
    row = Undo.objects.filter(id=identifier, owner=f"{actor.kind}:{actor.id}").first()
    if row is None:
        raise NotFound("There is nothing of yours to undo under this address.")
    if row.used_at is not None or row.created_at <= system_clock() - KEPT:
        raise UndoExpired("Undo was possible once, for 24 hours.")
    inverse, scope = _inverses[row.kind]
    check_scope(actor, scope)
    try:
        with transaction.atomic():
            inverse(actor, row.parameters)
            Undo.objects.filter(id=row.id).update(used_at=system_clock())
    except MusterError as error:
        if error.code in _CHANGED:
            raise UndoStale(
                worded("It was changed since, so this cannot be undone: {reason}", reason=error.message)
            ) from error
        raise
    return row
