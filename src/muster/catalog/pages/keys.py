"""Keys of an app: what its programs send with everything; made, shown once, replaced, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.views.decorators.http import require_GET, require_http_methods

from muster.audit.queries import Deed, deeds_about_many
from muster.audit.terms import ACTIONS
from muster.catalog import hooks
from muster.catalog.actions.keys import create_key, replace_key, revoke_key
from muster.catalog.errors import CatalogError
from muster.catalog.forms import KEY_KIND_LABELS, KEY_SCOPE_LABELS, KeyForm
from muster.catalog.pages.apps import app_head
from muster.catalog.queries import KeyView, TokenKeyView, app_keys, key_of, token_keys
from muster.catalog.terms import KEY_SCOPES
from muster.kernel.errors import MusterError
from muster.team.pages.permits import permitted
from muster.team.policies import Principal, can
from muster.web.answers import REFUSED, show_error
from muster.web.sent_once import sent_once
from muster.web.shown_once import keep_secret, take_secret

# A guess at what anybody looks through; the others are in the trail and over REST.
_MOST_REVOKED = 25
# Nobody can read it again, and a secret does not belong into the history of a shell.
_IN_A_VARIABLE = '"${MUSTER_KEY}:"'
_SOME_KEY = "'mpk_…:'"

ToldDeed = tuple[Deed, str | Promise]


@dataclass(frozen=True)
class KeyRow:
    """A key as pages show it. `replaces`: the id of another key of the app; `replaced_by`: of one that is in force."""

    key: KeyView
    made_by: str
    use: hooks.KeyUse | None
    replaces: str
    replaced_by: str
    deeds: list[Deed]

    @property
    def kind(self) -> str | Promise:
        return KEY_KIND_LABELS[self.key.kind]

    @property
    def label(self) -> str | Promise:
        return self.key.name or self.kind

    @property
    def scopes(self) -> list[str | Promise]:
        return [KEY_SCOPE_LABELS[one] for one in self.key.scopes]


@dataclass(frozen=True)
class Snippet:
    """A command to try: what it shows, and its lines."""

    scope: str
    command: str


@require_GET
def show_keys(request: HttpRequest, key: str) -> HttpResponse:
    """Those in force first, then the revoked, which the trail still names."""
    asker = permitted(request, "catalog:read")
    shown = app_head(asker, key, "keys")
    keys, tokens = app_keys(key), token_keys(key)
    deeds = deeds_of_keys(key, keys, tokens)
    rows = _rows(keys, deeds)
    revoked = [row for row in rows if row.key.revoked_at]
    revoked.sort(key=lambda row: str(row.key.revoked_at), reverse=True)
    shown |= {
        "rows": [row for row in rows if not row.key.revoked_at] + revoked[:_MOST_REVOKED],
        "unshown": len(revoked[_MOST_REVOKED:]),
        "tokens": [(one, made_by(deeds, one.id)) for one in sorted(tokens, key=lambda one: one.revoked_at is not None)],
        "snippets": _snippets(_SOME_KEY, KEY_SCOPES),
    }
    return render(request, "catalog/keys.html", shown)


@require_http_methods(["GET", "POST"])
@sent_once
def new_key(request: HttpRequest, key: str) -> HttpResponse:
    """The secret of a server key waits for the page that follows, which shows it once."""
    actor = permitted(request, "catalog:write")
    shown = app_head(actor, key, "keys")
    form = KeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = create_key(actor, key, kind=given["kind"], scopes=given["scopes"], name=given["name"])
        except MusterError as error:
            show_error(form, error)
        else:
            return _to_made(request, key, *made)
    return render(request, "catalog/key_form.html", shown | {"form": form}, status=REFUSED if form.errors else 200)


@require_http_methods(["GET", "POST"])
@sent_once
def show_key(request: HttpRequest, key: str, key_id: str) -> HttpResponse:
    """What it is and who did what to it; a POST replaces or revokes it, as `do` says."""
    asker = permitted(request, "catalog:read")
    error: MusterError | None = None
    if request.method == "POST":
        actor = permitted(request, "catalog:write")
        try:
            return _done(request, actor, key, key_id)
        except CatalogError as refused:
            error = refused
    shown = app_head(asker, key, "keys")
    key_of(key, key_id)
    keys = app_keys(key)
    row = next(row for row in _rows(keys, deeds_of_keys(key, keys, [])) if row.key.id == key_id)
    shown |= {
        "row": row,
        "secret": "" if error else take_secret(request, f"key:{key_id}"),
        "deeds": told(asker, row.deeds),
        "may_audit": can(asker, "audit:read"),
        "snippets": _snippets(f"'{row.key.key}:'" if row.key.key else _IN_A_VARIABLE, row.key.scopes),
        "error": error,
    }
    return render(request, "catalog/key.html", shown, status=REFUSED if error else 200)


def _done(request: HttpRequest, actor: Principal, key: str, key_id: str) -> HttpResponse:
    match request.POST.get("do", ""):
        case "replace":
            return _to_made(request, key, *replace_key(actor, key, key_id))
        case "revoke":
            check_sure(request)
            revoke_key(actor, key, key_id)
            return redirect("catalog:keys", key=key)
    raise CatalogError("Send `do` as replace or revoke.", pointer="/do")


def check_sure(request: HttpRequest) -> None:
    """`confirmation_needed` where the box beside the button is not ticked; browsers see to it before."""
    if request.POST.get("sure") != "on":
        message = "Revoking cannot be undone: tick the box beside it."
        raise CatalogError(message, code="confirmation_needed", pointer="/sure")


def _to_made(request: HttpRequest, app_key: str, made: KeyView, text: str) -> HttpResponse:
    if not made.key:
        keep_secret(request, f"key:{made.id}", text)
    return redirect("catalog:key", key=app_key, key_id=made.id)


def _rows(keys: Sequence[KeyView], deeds: dict[str, list[Deed]]) -> list[KeyRow]:
    uses = {source: use for answer in hooks.key_uses for source, use in answer([one.source for one in keys]).items()}
    replaced = {one.id: str(deed.details.get("replaces", "")) for one in keys for deed in deeds.get(one.id, [])[-1:]}
    successors = {replaced[one.id]: one.id for one in keys if replaced.get(one.id) and not one.revoked_at}
    return [
        KeyRow(
            key=one,
            made_by=made_by(deeds, one.id),
            use=uses.get(one.source),
            replaces=replaced.get(one.id, ""),
            replaced_by=successors.get(one.id, ""),
            deeds=deeds.get(one.id, []),
        )
        for one in keys
    ]


def deeds_of_keys(app_key: str, keys: Sequence[KeyView], tokens: Sequence[TokenKeyView]) -> dict[str, list[Deed]]:
    """By id what was done to keys, newest first, the making last. Two apps may have keys for tokens of the same id."""
    asked = {"key": [one.id for one in keys], "token_key": [one.id for one in tokens]}
    found: dict[str, list[Deed]] = {}
    for deed in deeds_about_many({kind: ids for kind, ids in asked.items() if ids}):
        if deed.details.get("app") == app_key:
            found.setdefault(deed.thing_id, []).append(deed)
    return found


def made_by(deeds: dict[str, list[Deed]], identifier: str) -> str:
    return next((deed.actor_label for deed in deeds.get(identifier, []) if deed.action.endswith(".created")), "")


def told(asker: Principal, deeds: Sequence[Deed]) -> list[ToldDeed]:
    """Deeds in words, for those who may read the trail."""
    return [(deed, ACTIONS.get(deed.action, deed.action)) for deed in deeds] if can(asker, "audit:read") else []


def _snippets(credentials: str, scopes: Sequence[str]) -> list[Snippet]:
    """Commands to try a key with, as far as it may. The visitor is nobody's customer; the event is of Muster's own."""
    edge = hooks.edge_address()
    bodies = {
        "ingest": ("/v1/track?verdicts=1", '{"anonymousId": "first-try", "event": "Application Opened"}'),
        "decide": ("/ofrep/v1/evaluate/flags", '{"context": {"targetingKey": "first-try"}}'),
    }
    found = []
    for scope in scopes:
        path, body = bodies[scope]
        lines = (f"curl '{edge}{path}'", f"-u {credentials}", "-H 'Content-Type: application/json'", f"-d '{body}'")
        found.append(Snippet(scope, " \\\n  ".join(lines)))
    return found
