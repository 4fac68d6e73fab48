"""What the sample lacks before its pages are looked at: things in states of every kind, and a colleague."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pyotp

from tests.integration.living import Living, csv_of
from tests.integration.pages import Browser

PASSWORD = "correct horse battery"
# Of customers of the sample.
ADDRESSES = ("jon24@adventure-works.com", "eugene10@adventure-works.com", "ruben35@adventure-works.com")
MEMBER = ADDRESSES[0]
# Erased again before anybody looks; the rows of imports that named them are gone then.
_FORGOTTEN = "elizabeth5@adventure-works.com"
_LISTED = "\n".join((*ADDRESSES, ADDRESSES[0], "somebody@else.example", "max@@example"))
_NOBODY = {"version": 1, "app": "adventure-shop", "match": {"attribute": "annual_income", "op": "gt", "value": 9e8}}
_RICH = {"version": 1, "app": "adventure-shop", "match": {"attribute": "annual_income", "op": "gt", "value": 90_000}}
# More than nobody and fewer than may be told.
_FEW = {
    "version": 1,
    "app": "adventure-shop",
    "match": {
        "all": [
            {"attribute": "annual_income", "op": "gt", "value": 169_999},
            {"attribute": "gender", "op": "is", "value": "female"},
        ]
    },
}
_AS_THE_BROWSER_ASKS = {
    "do": "preferences",
    "language": "auto",
    "time_zone": "auto",
    "theme": "auto",
    "density": "comfortable",
    "rows": "25",
}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_LINK = re.compile(r"https?://[^/\s\"<]+(/(?:invitation|password)\?[^\s\"<]+)")


def prepare(installation: Living, owner: Browser, colleague: httpx.Client) -> dict[str, list[str]]:
    """Where each person begins to follow links."""
    assert owner.post("/profile/", _AS_THE_BROWSER_ASKS).status_code == 302
    groups = _groups(installation, owner)
    people = _people(installation, owner)
    team, outside = _team(installation, owner, colleague)
    keys = _keys(installation)
    return {
        "owner": ["/", *groups, *people, *team, *keys],
        "viewer": ["/", *_second_factor(colleague)],
        "nobody": outside,
    }


def _groups(installation: Living, owner: Browser) -> list[str]:
    installation.post("/groups", {"name": "Early testers", "key": "testers", "kind": "known"}, 201)
    applied = _import(installation, owner, text=_LISTED)
    owner.post(f"{applied}apply/", {"leave_out": "on"})
    installation.settle()
    judged = _import(installation, owner, text=_LISTED)
    # Its header leaves open which column is meant.
    file = csv_of("Name,Address,Ref", *(f"Ann,{address},{n}" for n, address in enumerate((MEMBER, _FORGOTTEN))))
    columns = _import(installation, owner, file=file)
    for key, name, definition in (
        ("nobody", "Nobody", _NOBODY),
        ("rich", "Well paid", _RICH),
        ("few", "Best paid women", _FEW),
    ):
        installation.post("/groups", {"name": name, "key": key, "definition": definition}, 201)
    installation.settle()
    installation.post("/groups/rich/archive")
    key = "loyal-adventure-shop"
    return [
        "/groups/?state=archived", "/groups/testers/", "/groups/nobody/", "/groups/rich/", "/groups/rich/manage/",
        judged, f"{judged}?verdict=invalid", f"{applied}apply/", columns, f"{columns}columns/", f"/groups/{key}/",
        f"/groups/{key}/members/", f"/groups/{key}/compare/?with=testers", f"/groups/{key}/edit/",
        f"/why?group={key}&customer={MEMBER}", f"/why?group=testers&customer={MEMBER}",
    ]  # fmt: skip  # a table, read by rows


def _import(installation: Living, owner: Browser, *, text: str = "", file: bytes | None = None) -> str:
    """The address of an import that is judged."""
    fields = {"mode": "add", "ids": "email", "text": text}
    files = {"file": ("testers.csv", file)} if file is not None else None
    begun = owner.post("/groups/testers/import/", fields, files=files)
    assert begun.status_code == 302, begun.text
    installation.settle()
    return str(begun.headers["Location"]).removesuffix("columns/")


def _people(installation: Living, owner: Browser) -> list[str]:
    """A customer with an export, one whose erasure is ordered, a suppression, an add-on, a file to import."""
    person, forgotten = (installation.get("/customers", search=one)["items"][0]["id"] for one in (MEMBER, _FORGOTTEN))
    installation.post(f"/customers/{person}/export", status=202)
    installation.post(f"/customers/{forgotten}/erase", {"confirm": forgotten}, 202)
    installation.post("/suppressions", {"kind": "email", "identity": "gone@example.com", "reason": "bounced"}, 201)
    installation.post(
        "/apps/adventure-shop/add-ons", {"product_id": "helmet", "kind": "durable", "name": "Helmet"}, 201
    )
    file = {"file": ("people.csv", csv_of("id,email,country", "n1,n1@example.com,FR", "n2,nobody,DE"))}
    begun = owner.post("/customers/imports/new/", {"kind": "customers", "app": ""}, files=file)
    assert begun.status_code == 302, begun.text
    installation.settle()
    imported = str(begun.headers["Location"])
    return [
        f"/customers/?search={MEMBER}",
        f"/customers/{person}/",
        f"/customers/{person}/timeline/",
        f"/customers/{person}/privacy/",
        "/apps/adventure-shop/add-ons/",
        "/find?q=loyal",
        imported,
        "/settings/privacy/erasures/",
    ]


def _team(installation: Living, owner: Browser, colleague: httpx.Client) -> tuple[list[str], list[str]]:
    """A viewer who has come, one who is invited, a token, a link for a new password."""
    _come(colleague, _invite(owner, "bob@example.com"))
    invited = _invite(owner, "carol@example.com")
    members = owner.get("/settings/team/").text
    addresses = re.findall(r'href="(/settings/team/mem_\w+/)"', members)
    owner.post("/profile/confirm/", {"password": PASSWORD, "next": "/profile/"})
    link = _LINK.search(unescape(owner.post(f"{addresses[-1].rstrip('/')}/password-link", {}).text))
    installation.post("/tokens", {"name": "Nightly export", "scopes": ["groups:read"]}, 201)
    return [*addresses, "/settings/tokens/", _webhook(installation)], ["/login", invited, *([link[1]] if link else [])]


def _keys(installation: Living) -> list[str]:
    """A key in force, one revoked, one of each kind for tokens; an app without any."""
    keys = "/apps/adventure-shop/keys"
    made = installation.post(keys, {"kind": "publishable", "name": "Adventure Shop for Windows"}, 201)
    revoked = installation.post(keys, {"kind": "server"}, 201)
    installation.post(f"{keys}/{revoked['id']}/revoke")
    public = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    for wanted in ({"algorithm": "HS256"}, {"algorithm": "EdDSA", "id": "server.1", "public_key": public}):
        installation.post("/apps/adventure-shop/token-keys", wanted, 201)
    return [
        f"{keys}/",
        f"{keys}/{made['id']}/",
        f"{keys}/{revoked['id']}/",
        f"{keys}/tokens/server.1/",
        "/apps/adventure-rides/keys/",
    ]


def _webhook(installation: Living) -> str:
    """One whose test event cannot be delivered, because its name leads to this machine."""
    wanted = {"url": "https://localhost/muster", "events": ["group.member_joined"], "description": "Our CRM"}
    made = installation.post("/webhooks", wanted, 201)
    installation.post(f"/webhooks/{made['id']}/test", status=202)
    return f"/settings/webhooks/{made['id']}/"


def _invite(owner: Browser, email: str) -> str:
    found = _LINK.search(unescape(owner.post("/settings/team/invite/", {"email": email, "role": "viewer"}).text))
    assert found is not None
    return found[1]


def _come(client: httpx.Client, invitation: str) -> None:
    person = Browser(client)
    assert _send(person, client, invitation, {"name": "Bob", "password": PASSWORD}).status_code == 302


def _second_factor(client: httpx.Client) -> list[str]:
    """Sets up an app; the codes for the day it is lost are shown only once."""
    person = Browser(client)
    _send(person, client, "/profile/confirm/", {"password": PASSWORD})
    # Every look at the page makes another key.
    address = "/profile/second-factors/app/"
    page = client.get(address).text
    secret, token = re.search(r'class="secret">(\w+)<', page), _TOKEN.search(page)
    assert secret is not None, page
    assert token is not None, page
    person._token = token[1]
    done = person.post(address, {"code": pyotp.TOTP(secret[1]).now()})
    assert done.status_code == 302, done.text
    return ["/profile/", "/profile/passkeys/add/", "/profile/confirm/code/", "/profile/second-factors/codes/"]


def _send(person: Browser, client: httpx.Client, page: str, fields: dict[str, str]) -> httpx.Response:
    token = _TOKEN.search(client.get(page).text)
    assert token is not None, page
    person._token = token[1]
    return person.post(page, fields)
