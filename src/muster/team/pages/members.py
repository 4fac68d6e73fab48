"""Team and roles: who is in the team, what each may do, and inviting others."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from muster.kernel.errors import MusterError
from muster.team import queries
from muster.team.actions import invitations, members
from muster.team.actions.passwords import make_password_link
from muster.team.errors import ScopeMissing, ValueNotAllowed
from muster.team.forms import InviteForm
from muster.team.pages.entrance import show
from muster.team.pages.permits import permitted
from muster.team.policies import Principal, can, check_may_change, check_other_owner, check_role, refusal
from muster.team.terms import ROLE_SCOPES, ROLE_TEXTS, SCOPE_TEXTS
from muster.web.answers import REFUSED
from muster.web.wording import said


@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """Everybody, and a matrix of what each role may do."""
    actor = permitted(request, "team:admin")
    shown = {
        "members": [(one, ROLE_TEXTS[one.role]) for one in queries.members()],
        "invitations": [(one, ROLE_TEXTS[one.role]) for one in queries.invitations()],
        "roles": list(ROLE_TEXTS.values()),
        "matrix": [
            (scope, text, [scope in ROLE_SCOPES[role] for role in ROLE_TEXTS]) for scope, text in SCOPE_TEXTS.items()
        ],
        "self_id": actor.id,
    }
    return render(request, "team/members.html", shown)


@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """The link is in the answer to the form and nowhere else."""
    actor = permitted(request, "team:admin")
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = invitations.invite(actor, form.cleaned_data["email"], form.cleaned_data["role"])
        except ValueNotAllowed as error:
            show(form, error)
        except MusterError as error:
            form.add_error("role", said(error.message))
        else:
            link = request.build_absolute_uri(f"/invitation?token={secret}")
            shown = {"invited": made, "link": link, "days": invitations.INVITATION_DAYS}
            return render(request, "team/invited.html", shown)
    return render(request, "team/invite.html", {"form": form}, status=REFUSED if form.errors else 200)


@require_POST
def revoke_invitation(request: HttpRequest, invitation_id: str) -> HttpResponse:
    invitations.revoke_invitation(permitted(request, "team:admin"), invitation_id)
    return redirect("team:members")


@require_http_methods(["GET", "POST"])
def member(request: HttpRequest, member_id: str) -> HttpResponse:
    """One member; one form for each change, `do` says which was sent."""
    actor = permitted(request, "team:admin")
    if request.method == "GET":
        return _member_page(request, actor, member_id)
    try:
        _change(actor, member_id, request)
    except MusterError as error:
        return _member_page(request, actor, member_id, error)
    return redirect("team:member", member_id=member_id)


@require_POST
def password_link(request: HttpRequest, member_id: str) -> HttpResponse:
    """The link is in the answer and nowhere else."""
    actor = permitted(request, "team:admin")
    try:
        secret = make_password_link(actor, member_id)
    except ScopeMissing as error:
        return _member_page(request, actor, member_id, error)
    link = request.build_absolute_uri(f"/password?token={secret}")
    return render(request, "team/password_link.html", {"one": queries.member(member_id), "link": link})


def _change(actor: Principal, member_id: str, request: HttpRequest) -> None:
    match request.POST.get("do", ""):
        case "role":
            members.change_role(actor, member_id, request.POST.get("role", ""))
        case "permissions":
            chosen = set(request.POST.getlist("scope"))
            members.change_scopes(actor, member_id, {scope: scope in chosen for scope in [*SCOPE_TEXTS, *chosen]})
        case "deactivate":
            members.deactivate(actor, member_id)
        case "reactivate":
            members.reactivate(actor, member_id)
        case "second_factors":
            members.remove_second_factors(actor, member_id)
        case _:
            raise ValueNotAllowed(_("This page does not know what was sent."), pointer="/do")


def _member_page(
    request: HttpRequest, actor: Principal, member_id: str, error: MusterError | None = None
) -> HttpResponse:
    one = queries.member(member_id)
    shown: dict[str, Any] = {
        "one": one,
        "role": ROLE_TEXTS[one.role],
        "roles": [(role, text, _why_not(actor, role)) for role, text in ROLE_TEXTS.items()],
        "refusals": _refusals(actor, member_id),
        "scopes": [
            {
                "key": scope,
                "text": text,
                "given": scope in one.scopes,
                "usual": scope in ROLE_SCOPES[one.role],
                # Nobody hands out what they have not.
                "fixed": not can(actor, scope),
            }
            for scope, text in SCOPE_TEXTS.items()
        ],
        "is_self": actor.id == member_id,
        "error": error,
        "done": request.POST.get("do", ""),
    }
    return render(request, "team/member.html", shown, status=REFUSED if error else 200)


def _refusals(actor: Principal, member_id: str) -> dict[str, str]:
    """Why the actor may not change this member at all, and why the member may not stop being an owner."""
    row = queries.member_row(member_id)
    return {
        "change": refusal(lambda: check_may_change(actor, row)),
        "leave": refusal(lambda: check_other_owner(row)),
    }


def _why_not(actor: Principal, role: str) -> str:
    return refusal(lambda: check_role(actor, role))
