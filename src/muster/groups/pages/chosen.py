"""The table of groups, and what is done with those that are ticked: tags, archive, comparison (D-32)."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from muster.customers.errors import ConfirmMismatch
from muster.groups.actions.many import Done, archive_many, tag_many
from muster.groups.actions.undoing import MANY_ARCHIVED, TAGGED
from muster.groups.errors import ValueNotAllowed
from muster.groups.pages.listing import Refused, address_of, list_page, wanted_of
from muster.groups.pages.segment_overlap import overlap_shown
from muster.groups.queries.listing import choices, matching
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted
from muster.web.hooks import can, check_scope, identify
from muster.web.problems import status_of
from muster.web.refusals import tell_refusals
from muster.web.undo import offer_undo


@require_http_methods(["GET", "POST"])
def show_list(request: HttpRequest) -> HttpResponse:
    """One address for both, so that what is refused stands on the page whose links say what is shown."""
    return list_page(request) if request.method == "GET" else _do(request)


def _do(request: HttpRequest) -> HttpResponse:
    """`do` says what with which button."""
    given = request.POST
    actor = permitted(request, "groups:read" if given.get("do") == "compare" else "groups:write")
    tag = unicodedata.normalize("NFC", given.get("tag", "")).strip()
    try:
        identifiers = _identifiers(request)
        match given.get("do", ""):
            case "compare":
                return redirect(f"{reverse('groups:compare')}?{urlencode({'group': identifiers}, doseq=True)}")
            case "archive":
                _archive(request, actor, identifiers)
            case "tag" | "untag" as done:
                _tag(request, actor, identifiers, tag, add=done == "tag")
            case _:
                raise ValueNotAllowed("Send `do` as tag, untag, archive or compare.", pointer="/do")
    except MusterError as error:
        return list_page(request, Refused(error, frozenset(given.getlist("group")), "all" in given, tag))
    return redirect(reverse("groups:list") + address_of(wanted_of(request)).removesuffix("?"))


def _identifiers(request: HttpRequest) -> list[str]:
    """Of the groups that are ticked, or of every row on all pages where that is asked for by their number."""
    if "all" not in request.POST:
        ticked = request.POST.getlist("group")
        if not ticked:
            raise ValueNotAllowed(_("Tick the groups first."), pointer="/group")
        return ticked
    every = matching(wanted_of(request))
    if str(len(every)) != request.POST["all"]:
        count = ngettext("There is %(count)s group now.", "There are %(count)s groups now.", len(every))
        raise ConfirmMismatch(count % {"count": len(every)} + " " + _("Look at them, and choose again."))
    return every


def _archive(request: HttpRequest, actor: Any, identifiers: list[str]) -> None:
    done = archive_many(actor, identifiers)
    count = len(done.changed)
    text = ngettext("%(count)s group is archived.", "%(count)s groups are archived.", count) % {"count": count}
    _tell(request, actor, done, MANY_ARCHIVED, text)


def _tag(request: HttpRequest, actor: Any, identifiers: list[str], tag: str, *, add: bool) -> None:
    if not tag:
        raise ValueNotAllowed(_("Write the tag first."), pointer="/tag")
    done = tag_many(actor, identifiers, tag, add=add)
    count = len(done.changed)
    if add:
        text = ngettext(
            "%(count)s group has the tag “%(tag)s” now.", "%(count)s groups have the tag “%(tag)s” now.", count
        )
    else:
        text = ngettext(
            "%(count)s group has lost the tag “%(tag)s”.", "%(count)s groups have lost the tag “%(tag)s”.", count
        )
    _tell(request, actor, done, TAGGED, text % {"count": count, "tag": tag})


def _tell(request: HttpRequest, actor: Any, done: Done, kind: str, text: str) -> None:
    """On the next page: what was done, with the button that takes it back, and what was not."""
    if done.changed:
        offer_undo(request, actor, kind, text, {"groups": done.changed})
    if done.refused:
        count = len(done.refused)
        title = ngettext("Not done for %(count)s group:", "Not done for %(count)s groups:", count) % {"count": count}
        tell_refusals(request, title, done.refused)


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """`?group=` once for each of two to six groups, by id or key (G-19, D-11)."""
    asker = identify(request)
    check_scope(asker, "groups:read")
    wanted = request.GET.getlist("group")
    shown: dict[str, Any] = {"offered": [(one, one.id in wanted or one.key in wanted) for one in choices()]}
    status = 200
    if wanted:
        try:
            shown |= overlap_shown(wanted, may_list=can(asker, "members:read"))
        except MusterError as error:
            shown["error"] = error
            status = status_of(error)
    return render(request, "groups/compare.html", shown, status=status)
