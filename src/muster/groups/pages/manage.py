"""Renaming, putting away, bringing back and deleting a group, whatever its kind."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from muster.customers.errors import ConfirmMismatch
from muster.groups.actions import segments
from muster.groups.actions.lists import check_freezable, freeze, frozen_name
from muster.groups.actions.undoing import ARCHIVED, EXPOSED, RENAMED, RESTORED, TAGGED
from muster.groups.errors import GroupError, ValueNotAllowed
from muster.groups.models import Group
from muster.groups.policies import check_can, check_unused
from muster.groups.queries.exposure import exposure_refusal
from muster.groups.queries.groups import group, group_row, uses_of
from muster.groups.terms import Exposure, State
from muster.kernel.digits import whole
from muster.kernel.errors import MusterError
from muster.kernel.worded import word, worded
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.answers import REFUSED
from muster.web.undo import offer_undo
from muster.web.wording import said

_FREEZING = ("groups:write", "members:read")


@require_http_methods(["GET", "POST"])
def manage(request: HttpRequest, key: str) -> HttpResponse:
    """One form for each; `do` says which was sent."""
    actor = permitted(request, "groups:write")
    row = group_row(key)
    if request.method == "GET":
        return _manage_page(request, actor, row)
    done = request.POST.get("do", "")
    try:
        if done == "freeze":
            permitted(request, *_FREEZING)
            return redirect("groups:group", key=freeze(actor, row.id, name=request.POST.get("copy", "").strip()).key)
        _change(actor, row, done, request.POST)
        _offer_undo(request, actor, row, done)
    except MusterError as error:
        typed = ("name", "typed", "tags", "copy")
        given = {name: request.POST.get(name, "") for name in typed if name in request.POST}
        return _manage_page(request, actor, group_row(row.id), {"error": error, "done": done, **given})
    return redirect("groups:list") if done == "delete" else redirect("groups:group", key=row.key)


def _change(actor: Principal, row: Group, done: str, given: Any) -> None:
    match done:
        case "rename":
            segments.edit_group(actor, row.id, revision=_revision(given), name=given.get("name", ""))
        case "tags":
            segments.edit_group(actor, row.id, revision=_revision(given), tags=_tags(given.get("tags", "")))
        case "exposure":
            segments.edit_group(actor, row.id, revision=_revision(given), exposure=given.get("exposure", ""))
        case "archive" | "restore":
            segments.change_state(actor, row.id, done)
        case "delete":
            # As names are kept: keyboards compose letters in either way.
            if unicodedata.normalize("NFC", given.get("typed", "")).strip() != row.name:
                raise ConfirmMismatch(worded("It is “{name}” now; type that.", name=row.name), pointer="/typed")
            segments.delete_group(actor, row.id)
        case _:
            verbs = "rename, tags, exposure, archive, restore, delete or freeze"
            raise ValueNotAllowed(worded("Send `do` as {verbs}.", verbs=verbs), pointer="/do")


def _revision(given: Any) -> int | None:
    """Of the page on which it was typed."""
    return whole(given.get("revision", ""))


def _tags(text: str) -> list[str]:
    """One in each line: a tag may hold any sign but that."""
    lines = (unicodedata.normalize("NFC", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _offer_undo(request: HttpRequest, actor: Principal, before: Group, done: str) -> None:
    """`before`: the row as it was; deleting is for good."""
    if done == "delete":
        return
    now = group_row(before.id)
    kinds = {
        "rename": (RENAMED, _("“%(name)s” is now called so.")),
        "tags": (TAGGED, _("“%(name)s” has other tags now.")),
        "exposure": (EXPOSED, _("What apps are told of “%(name)s” is changed.")),
        "archive": (ARCHIVED, _("“%(name)s” is archived.")),
        "restore": (RESTORED, _("“%(name)s” is restored.")),
    }
    kind, text = kinds[done]
    given: dict[str, Any] = {"group": now.id, "name": before.name, "revision": now.revision}
    if done == "exposure":
        given["exposure"] = before.exposure
    if done == "tags":
        given = {"groups": [(now.id, now.revision, before.tags)]}
    offer_undo(request, actor, kind, text % {"name": now.name}, given)


def _manage_page(
    request: HttpRequest, asker: Principal, row: Group, more: dict[str, Any] | None = None
) -> HttpResponse:
    shown: dict[str, Any] = {
        "group": group(row.id),
        "name": row.name,
        "tags": "\n".join(row.tags),
        "exposures": exposure_choices(row),
        "archived": row.state == State.ARCHIVED,
        "archive_refusal": "" if row.state == State.ARCHIVED else _refusal(row, "archive"),
        "delete_refusal": _refusal(row, "delete"),
        "freeze_refusal": refusal(asker, *_FREEZING) or _refusal(row, "freeze"),
        "copy": frozen_name(row),
        **(more or {}),
    }
    return render(request, "groups/manage.html", shown, status=REFUSED if "error" in shown else 200)


def exposure_choices(row: Group) -> list[tuple[str, str, str, str]]:
    """Value, label, what it means, and why it may not be chosen."""
    never, signed, opened = (
        (Exposure.NEVER, _("Never"), _("Apps are not told who is in it.")),
        (Exposure.SIGNED, _("With a customer token"), _("Apps are told when their own server vouches for who asks.")),
        (
            Exposure.OPEN,
            _("To everybody"),
            _("Whoever names a customer is told: for what nobody gains anything by pretending."),
        ),
    )
    return [(*never, ""), (*signed, ""), (*opened, exposure_refusal(row, Exposure.OPEN))]


def _refusal(row: Group, verb: str) -> str:
    """Why it cannot be put away, deleted or frozen now, in the words of the API; nothing if it can."""
    try:
        if verb == "freeze":
            check_freezable(row)
        elif verb == "archive":
            check_can("archive", State(row.state), row.name)
            check_unused(row.name, uses_of(row), word("group", "archived"))
        else:
            check_unused(row.name, uses_of(row, archived=True), word("group", "deleted"))
    except GroupError as error:
        return said(error.message)
    return ""
