"""Team and roles in the browser: who is in it, what each may do, inviting, deactivating. Alice owns, Bob looks."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.audit.queries import newest_deeds
from muster.kernel.clock import clock_of, system_clock
from muster.team.actions.invitations import invite
from muster.team.actions.members import create_member
from muster.team.models import Invitation, Member
from muster.team.policies import LOCAL, member_principal
from tests.conftest import PASSWORD
from tests.integration.team.forms import send, text_of
from tests.naughty import naughty_from

pytestmark = pytest.mark.django_db

_PAGES = ("/settings/team/", "/settings/team/invite/", "/settings/tokens/", "/settings/tokens/new/", "/settings/audit/")


@pytest.mark.parametrize("address", _PAGES)
def test_page_is_for_who_has_the_permission(as_alice: Client, as_bob: Client, as_charlie: Client, address: str) -> None:
    assert as_alice.get(address).status_code == 200
    refused = as_bob.get(address)
    scope = "audit:read" if "audit" in address else "team:admin"
    assert (refused.status_code, f"Needs permission {scope}; an owner can grant it." in text_of(refused)) == (403, True)
    assert as_charlie.get(address).headers["Location"] == f"/login?next={address}"
    # What one may not view is not in the menu (D-12).
    assert (f'href="{address}"' in text_of(as_bob.get("/profile/")), address in text_of(as_alice.get("/profile/"))) == (
        False,
        not address.endswith(("invite/", "new/")),
    )


def test_list_of_members_asks_as_much_for_three_as_for_one(as_alice: Client) -> None:
    as_alice.get("/settings/team/")

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert as_alice.get("/settings/team/").status_code == 200
        return len(asked)

    assert queries() == 4
    for name in ("bea", "cid"):
        create_member(LOCAL, f"{name}@example.com", PASSWORD, "viewer")
        invite(LOCAL, f"{name}@elsewhere.example", "viewer")
    assert queries() == 4


def _link(answer: Any) -> str:
    [link] = re.findall(r'value="http://testserver(/invitation\?token=[^"]+)"', text_of(answer))
    return str(link)


def test_invited_person_joins_by_the_link_once(as_alice: Client) -> None:
    made = send(as_alice, "/settings/team/invite/", {"email": " Eve@Example.com ", "role": "editor"})
    link = _link(made)
    assert (made.status_code, Invitation.objects.get().secret_hash in link) == (200, False)
    assert "Eve@Example.com" in text_of(as_alice.get("/settings/team/"))

    eve = Client(enforce_csrf_checks=True)
    token = link.partition("token=")[2]
    joined = send(eve, "/invitation", {"name": "Eve", "password": PASSWORD, "token": token}, seen=link)
    assert (joined.status_code, joined.headers["Location"]) == (302, "/")
    me = eve.get("/api/v1/me").json()
    assert (me["label"], me["role"], me["name"]) == ("Eve@Example.com", "editor", "Eve")
    again = eve.get(link)
    assert (again.status_code, "invitation_invalid" in text_of(again)) == (403, True)
    # Found whatever the case of the address.
    login = send(Client(), "/login", {"email": "eve@example.COM", "password": PASSWORD})
    assert login.headers["Location"] == "/"
    assert [(deed.actor_label, deed.action) for deed in newest_deeds(2)] == [
        ("Eve@Example.com", "invitation.accept"),
        ("alice@example.com", "invitation.create"),
    ]


def test_link_is_shown_once_and_only_its_hash_is_kept(as_alice: Client) -> None:
    link = _link(send(as_alice, "/settings/team/invite/", {"email": "eve@example.com", "role": "viewer"}))
    secret = link.partition("token=")[2]
    assert secret not in text_of(as_alice.get("/settings/team/"))
    assert secret not in " ".join(str(row) for row in Invitation.objects.values_list())


def test_link_that_is_old_revoked_repeated_or_made_up_opens_nothing(as_alice: Client, alice: Member) -> None:
    owner = member_principal(alice)
    _, first = invite(owner, "eve@example.com", "viewer")
    _, second = invite(owner, "EVE@example.com", "editor")
    browser = Client()

    def opens(secret: str) -> int:
        return browser.get("/invitation", {"token": secret}).status_code

    assert (opens(first), opens(second), opens("made-up"), opens("")) == (403, 200, 403, 403)
    later = system_clock() + timedelta(days=7, seconds=1)
    with clock_of(lambda: later):
        assert opens(second) == 403
    [row] = Invitation.objects.all()
    revoked = send(as_alice, f"/settings/team/invitations/{row.id}/revoke", {}, seen="/settings/team/")
    assert (revoked.status_code, opens(second)) == (302, 403)
    gone = send(as_alice, f"/settings/team/invitations/{row.id}/revoke", {}, seen="/settings/team/")
    assert (gone.status_code, "invitation_unknown" in text_of(gone)) == (404, True)


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("", "This field is required."),
        ("not an address", "This is not an e-mail address."),
        ("ALICE@example.com", "Somebody logs in with this address already."),
    ],
)
def test_invitation_that_cannot_be_made_says_why_at_the_field(as_alice: Client, email: str, said: str) -> None:
    refused = send(as_alice, "/settings/team/invite/", {"email": email, "role": "viewer"})
    page = text_of(refused)
    assert (refused.status_code, said in page, f'value="{email}"' in page or not email) == (422, True, True)
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"name": "", "password": PASSWORD}, "name"),
        ({"name": "Eve", "password": "short"}, "password"),
        ({"name": "a\nb", "password": PASSWORD}, "name"),
        ({"name": "x" * 201, "password": PASSWORD}, "name"),
    ],
)
def test_joining_says_what_is_wrong_and_uses_nothing_up(alice: Member, fields: dict[str, str], at: str) -> None:
    _, secret = invite(member_principal(alice), "eve@example.com", "viewer")
    link = f"/invitation?token={secret}"
    refused = send(Client(), "/invitation", {**fields, "token": secret}, seen=link)
    assert (refused.status_code, f'id="id_{at}_error"' in text_of(refused)) == (422, True)
    assert (Client().get(link).status_code, Member.objects.count()) == (200, 1)


@pytest.mark.untraced
def test_every_naughty_name_is_kept_as_typed_or_refused(alice: Member) -> None:
    """What is kept is shown as text; what is not says why."""
    browser = Client()
    browser.force_login(alice)
    kept, texts = 0, naughty_from(0)
    for naughty in texts:
        answer = browser.post("/profile/", {"do": "name", "name": naughty})
        alice.refresh_from_db()
        if answer.status_code == 302:
            kept += 1
            assert alice.name == unicodedata.normalize("NFC", naughty).strip()
            page = text_of(browser.get("/settings/team/"))
            assert "<script>alert" not in page, naughty
        else:
            assert (answer.status_code, 'id="id_name_error"' in text_of(answer)) == (422, True), naughty
    assert len(texts) * 0.9 < kept < len(texts)


@pytest.mark.untraced
def test_naughty_addresses_are_never_a_fault(as_alice: Client) -> None:
    as_alice.get("/settings/team/invite/")
    token = as_alice.cookies["csrftoken"].value
    for naughty in naughty_from(1):
        given = {"email": naughty, "role": "viewer", "csrfmiddlewaretoken": token}
        assert as_alice.post("/settings/team/invite/", given).status_code in (200, 422), naughty
        assert Client().get("/invitation", {"token": naughty}).status_code == 403, naughty
        assert Client().post("/login", {"email": naughty, "password": naughty}).status_code in (422, 429), naughty


def _change(browser: Client, member: Member, **fields: Any) -> Any:
    address = f"/settings/team/{member.id}/"
    return send(browser, address, fields)


def test_role_and_single_permissions_count_at_once(as_alice: Client, as_bob: Client, bob: Member) -> None:
    assert _change(as_alice, bob, do="role", role="editor").status_code == 302
    assert "groups:write" in as_bob.get("/api/v1/me").json()["scopes"]

    usual = ["groups:read", "members:read", "customers:read", "customers:write", "catalog:read", "jobs:read"]
    changed = _change(as_alice, bob, do="permissions", scope=[*usual, "audit:read"])
    assert changed.status_code == 302
    bob.refresh_from_db()
    assert (bob.granted, bob.withheld) == (
        ["audit:read"],
        ["groups:write", "customers:personal", "catalog:write", "webhooks:read"],
    )
    assert as_bob.get("/api/v1/me").json()["scopes"] == [*usual, "audit:read"]
    assert as_bob.get("/settings/audit/").status_code == 200
    page = text_of(as_alice.get(f"/settings/team/{bob.id}/"))
    assert (page.count("granted</span>"), page.count("withheld</span>")) == (1, 4)

    assert _change(as_alice, bob, do="role", role="viewer").status_code == 302
    bob.refresh_from_db()
    assert (bob.granted, bob.withheld) == ([], [])
    assert [(deed.action, deed.details["email"]) for deed in newest_deeds(3)] == [
        ("member.role", bob.email),
        ("member.permissions", bob.email),
        ("member.role", bob.email),
    ]


def test_last_owner_stays(as_alice: Client, alice: Member, bob: Member) -> None:
    for fields in ({"do": "role", "role": "editor"}, {"do": "deactivate"}):
        refused = _change(as_alice, alice, **fields)
        assert (refused.status_code, "last_owner" in text_of(refused)) == (422, True)
    page = text_of(as_alice.get(f"/settings/team/{alice.id}/"))
    assert page.count("This is the last owner. Make somebody else an owner first.") == 2
    _change(as_alice, bob, do="role", role="owner")
    assert _change(as_alice, alice, do="role", role="viewer").status_code == 302
    assert as_alice.get("/settings/team/").status_code == 403


def test_deactivated_member_is_out_at_once_and_comes_back(as_alice: Client, as_bob: Client, bob: Member) -> None:
    assert as_bob.get("/jobs/").status_code == 200
    assert _change(as_alice, bob, do="deactivate").status_code == 302
    assert (as_bob.get("/jobs/").status_code, as_bob.get("/api/v1/me").status_code) == (302, 401)
    refused = send(Client(), "/login", {"email": bob.email, "password": PASSWORD})
    assert (refused.status_code, "This account is deactivated." in text_of(refused)) == (403, True)
    wrong = send(Client(), "/login", {"email": bob.email, "password": "wrong password"})
    assert (wrong.status_code, "deactivated" in text_of(wrong)) == (422, False)
    _change(as_alice, bob, do="reactivate")
    assert send(Client(), "/login", {"email": bob.email, "password": PASSWORD}).headers["Location"] == "/"


def test_who_administers_changes_only_those_who_may_no_more(as_bob: Client, alice: Member, bob: Member) -> None:
    """Nobody raises themselves, hands out what they have not, or puts out whom they do not reach."""
    Member.objects.filter(pk=bob.pk).update(granted=["team:admin"])
    eve = create_member(LOCAL, "eve@example.com", PASSWORD, "viewer")
    assert as_bob.get("/settings/team/").status_code == 200
    for member, fields in (
        (bob, {"do": "role", "role": "owner"}),
        (bob, {"do": "permissions", "scope": ["team:admin", "customers:erase"]}),
        (eve, {"do": "role", "role": "editor"}),
        (alice, {"do": "deactivate"}),
        (alice, {"do": "second_factors"}),
        (alice, {"do": "role", "role": "viewer"}),
    ):
        refused = _change(as_bob, member, **fields)
        assert (refused.status_code, "scope_missing" in text_of(refused)) == (422, True), fields
    invited = send(as_bob, "/settings/team/invite/", {"email": "x@example.com", "role": "owner"})
    assert (invited.status_code, "Needs permission" in text_of(invited)) == (422, True)
    page = text_of(as_bob.get(f"/settings/team/{alice.id}/"))
    assert (page.count('aria-disabled="true"'), 'type="submit" name="do"' in page) == (4, False)
    assert _change(as_bob, eve, do="deactivate").status_code == 302


def test_member_or_change_nobody_knows_is_said(as_alice: Client, bob: Member) -> None:
    missing = as_alice.get("/settings/team/mem_nobody/")
    assert (missing.status_code, "member_unknown" in text_of(missing)) == (404, True)
    assert _change(as_alice, bob, do="explode").status_code == 422
    assert _change(as_alice, bob, do="role", role="king").status_code == 422
    assert _change(as_alice, bob, do="permissions", scope=["groups:steal"]).status_code == 422


def test_forgotten_password_is_set_anew_by_a_link_of_an_owner(as_alice: Client, bob: Member) -> None:
    address = f"/settings/team/{bob.id}/"
    inside = Client(enforce_csrf_checks=True)
    send(inside, "/login", {"email": bob.email, "password": PASSWORD})
    first, link = (
        re.findall(r'value="http://testserver(/password\?token=[^"]+)"', text_of(made))[0]
        for made in (send(as_alice, f"{address}password-link", {}, seen=address) for _ in range(2))
    )
    assert (Client().get(first).status_code, Client().get("/password?token=made-up").status_code) == (403, 403)
    token = link.partition("token=")[2]
    short = send(Client(), "/password", {"password": "short", "token": token}, seen=link)
    assert (short.status_code, 'id="id_password_error"' in text_of(short)) == (422, True)
    done = send(Client(), "/password", {"password": "another correct horse", "token": token}, seen=link)
    # Second factors stay what they are, so nobody is inside by this.
    assert (done.status_code, done.headers["Location"]) == (302, "/login")
    assert (inside.get("/jobs/").status_code, Client().get(link).status_code) == (302, 403)
    entered = send(Client(), "/login", {"email": bob.email, "password": "another correct horse"})
    assert entered.headers["Location"] == "/"
    later = system_clock() + timedelta(hours=24, seconds=1)
    made = send(as_alice, f"{address}password-link", {}, seen=address)
    [link] = re.findall(r'value="http://testserver(/password\?token=[^"]+)"', text_of(made))
    with clock_of(lambda: later):
        assert Client().get(link).status_code == 403


def test_nobody_takes_over_who_may_more(as_bob: Client, alice: Member, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(granted=["team:admin"])
    address = f"/settings/team/{alice.id}/"
    refused = send(as_bob, f"{address}password-link", {}, seen=address)
    assert (refused.status_code, "scope_missing" in text_of(refused)) == (422, True)
