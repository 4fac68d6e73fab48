"""The builder of segments: a form that works without scripts, and follows every change with them (D-19 to D-23)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from muster.catalog import queries as catalog
from muster.customers.queries import warehouse
from muster.groups.actions import segments
from muster.groups.actions.undoing import DISCARDED
from muster.groups.errors import ValueNotAllowed
from muster.groups.models import Group, GroupVersion
from muster.groups.pages.audience import alone_of, audience_of, previewed
from muster.groups.pages.builder.clauses import Clauses
from muster.groups.pages.builder.documents import Blank
from muster.groups.pages.builder.form import BuilderForm, Read, blank_form, drafted, form_of, posted, read, settled
from muster.groups.pages.builder.rows import Rows
from muster.groups.pages.builder.suggestions import labels_of
from muster.groups.pages.words import reader_words
from muster.groups.queries.evaluation import definition_of, vocabulary
from muster.groups.queries.groups import group_row
from muster.groups.queries.listing import Choice, choices
from muster.groups.queries.templates import template
from muster.groups.queries.turns import TURNS, Turn
from muster.groups.terms import Kind
from muster.kernel.digits import whole
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.kernel.worded import worded
from muster.rules.codec import decode, decode_json, encode
from muster.rules.describe.expression import expression
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import Words
from muster.rules.vocabulary import Vocabulary
from muster.team.pages.permits import permitted
from muster.team.policies import Principal
from muster.web.answers import REFUSED
from muster.web.asked import asked_once
from muster.web.drafts import discard_draft, discard_with_undo, draft_of, keep_draft
from muster.web.errors import NotFound
from muster.web.formats import BabelFormats, formats_for
from muster.web.fragments import is_fragment, moved, turn_of
from muster.web.hooks import can
from muster.web.models import Draft
from muster.web.sent_once import sent_once
from muster.web.wording import said

DRAFT = "segment"
# Without a body: a later question of the same page was asked, and its answer is the one to show.
OVERTAKEN = 204


@dataclass
class _Desk:
    """What one request works with. `row`: the segment that is edited, None for a new one."""

    asker: Principal
    row: Group | None
    known: Vocabulary
    words: Words
    formats: BabelFormats
    turn: Turn
    draft: Draft | None = None
    problems: list[str] = field(default_factory=list)
    conflict: bool = False

    @property
    def subject(self) -> str:
        return self.row.id if self.row else ""


@require_http_methods(["GET", "POST"])
def new_segment(request: HttpRequest) -> HttpResponse:
    """`?template=` and `?app=` begin with a template, `?copy=` with a segment there is."""
    return _saved_once(request, None) if request.POST.get("do") == "save" else _answer(request, None)


@require_http_methods(["GET", "POST"])
def edit_segment(request: HttpRequest, key: str) -> HttpResponse:
    row = group_row(key)
    if row.kind != Kind.SEGMENT:
        return redirect("groups:import_source", key=row.key)
    return _answer(request, row)


def _answer(request: HttpRequest, row: Group | None) -> HttpResponse:
    asker = permitted(request, "groups:write")
    # What is saved is judged by everything as it is at that moment.
    asked = nullcontext() if request.POST.get("do") == "save" else asked_once()
    with asked, TURNS.turn(request.POST.get("editor"), turn_of(request)) as turn:
        return _at_desk(request, row, asker, turn)


_saved_once = sent_once(_answer)


def _at_desk(request: HttpRequest, row: Group | None, asker: Principal, turn: Turn) -> HttpResponse:
    words = reader_words()
    publisher = catalog.publisher()
    formats = formats_for((get_language() or "en")[:2], publisher.time_zone, publisher.currency)
    desk = _Desk(asker, row, vocabulary(), words, formats, turn)
    if request.method == "GET":
        form = _begun(request, desk)
        return _page(request, desk, replace(form, editor=new_id("edt")))
    return _changed(request, desk)


def _begun(request: HttpRequest, desk: _Desk) -> BuilderForm:
    """The draft if there is one, else what is saved, else what the address asks to begin with."""
    if desk.row is not None and request.GET.get("version"):
        version = _version(desk.row, request.GET["version"])
        return _form_of(version.name, desk.row.tags, version.definition, desk, str(desk.row.revision))
    desk.draft = draft_of(desk.asker, DRAFT, desk.subject)
    if desk.draft is not None:
        form = drafted(desk.draft.fields)
        return settled(form, "", desk.known, _typed(form, desk), desk.formats)
    if desk.row is not None:
        return _form_of(desk.row.name, desk.row.tags, desk.row.definition, desk, str(desk.row.revision))
    apps = list(desk.known.apps)
    app = request.GET.get("app", "")
    app = app if app in desk.known.apps else apps[0] if len(apps) == 1 else ""
    if request.GET.get("copy"):
        copied = group_row(request.GET["copy"])
        name = _("%(name)s (copy)") % {"name": copied.name}
        return _form_of(name, copied.tags, copied.definition, desk)
    if request.GET.get("template"):
        chosen = template(request.GET["template"])
        text = json.dumps(chosen.definition(app or apps[0]))
        form = form_of(chosen.title, (), decode_json(text, desk.known), desk.known, desk.formats)
    else:
        form = blank_form(app, desk.formats.locale.language)
    return settled(form, "", desk.known, desk.formats, desk.formats)


def _version(row: Group, revision: str) -> GroupVersion:
    """An older version, not restored yet: whoever restores it sees first what would change."""
    number = whole(revision)
    version = None if number is None else row.versions.filter(revision=number).first()
    if version is None:
        raise NotFound(worded("“{name}” has no version {revision}.", name=row.name, revision=revision))
    return version


def _form_of(name: str, tags: Sequence[str], document: Any, desk: _Desk, revision: str = "") -> BuilderForm:
    """`document`: a definition that was valid when it was saved (G-13)."""
    form = form_of(name, tags, decode(document, vocabulary(archived=True)), desk.known, desk.formats)
    return replace(settled(form, "", desk.known, desk.formats, desk.formats), revision=revision)


def _typed(form: BuilderForm, desk: _Desk) -> BabelFormats:
    """How the numbers of a form were written: a draft may be from another language."""
    if form.language not in ("en", "de", "fr") or form.language == desk.formats.locale.language:
        return desk.formats
    publisher = catalog.publisher()
    return formats_for(form.language, publisher.time_zone, publisher.currency)


def _changed(request: HttpRequest, desk: _Desk) -> HttpResponse:
    """`do` says which button was pressed; without one the form only follows what was typed."""
    fields = [(name, str(text)) for name, texts in request.POST.lists() for text in texts]
    form = posted(fields)
    command = request.POST.get("do", "")
    if command == "discard":
        discard_with_undo(request, desk.asker, DISCARDED, DRAFT, desk.subject)
        return moved(request, request.path)
    form = settled(form, command, desk.known, _typed(form, desk), desk.formats)
    form = _did(form, command, desk)
    if command == "save":
        saved = _saved(form, desk)
        if saved is not None:
            discard_draft(desk.asker, DRAFT, desk.subject)
            return moved(request, saved)
    if desk.turn.overtaken:
        # The draft is that of the later question, or is gone with what that one saved.
        return HttpResponse(status=OVERTAKEN)
    try:
        desk.draft = keep_draft(desk.asker, DRAFT, form.kept(), desk.subject)
    except MusterError as error:
        desk.problems.append(said(error.message))
    return _page(request, desk, form)


def _did(form: BuilderForm, command: str, desk: _Desk) -> BuilderForm:
    verb, _sign, what = command.partition(":")
    match verb:
        # Enter in the field of a person tests them too.
        case "test" | "update":
            return replace(form, tested=form.person)
        case "view":
            return replace(form, view=what if what in ("sentence", "expression", "json") else form.view)
        case "untag":
            return replace(form, tags=tuple(tag for tag in form.tags if tag != what))
        case "json":
            return _from_json(form, desk)
        case "mine" if desk.row is not None:
            return replace(form, revision=str(desk.row.revision))
    return form


def _from_json(form: BuilderForm, desk: _Desk) -> BuilderForm:
    """The rows made anew from the JSON; a mistake in it changes nothing."""
    try:
        definition = decode_json(form.json, desk.known)
    except MusterError as error:
        desk.problems.append(f"JSON: {said(error.message)} {error.pointer}".strip())
        return form
    made = form_of(form.name, form.tags, definition, desk.known, desk.formats)
    made = settled(made, "", desk.known, desk.formats, desk.formats)
    return replace(form, tree=made.tree, app=made.app, json="")


def _saved(form: BuilderForm, desk: _Desk) -> str | None:
    """Where the saved segment is, or None with the reasons in the problems."""
    found = read(form, desk.known, desk.formats)
    if not found.complete:
        desk.problems.append(_("Some conditions are not complete: what is missing stands beside them."))
        return None
    assert found.definition is not None
    try:
        if desk.row is None:
            made = segments.create_segment(
                desk.asker, name=form.name, definition=encode(found.definition), tags=list(form.tags)
            )
        else:
            made = segments.edit_group(
                desk.asker,
                desk.row.id,
                revision=whole(form.revision),
                name=form.name,
                tags=list(form.tags),
                definition=encode(found.definition),
            )
    except MusterError as error:
        desk.conflict = error.code == "revision_conflict"
        desk.problems.append(_refusal(error))
        return None
    return reverse("groups:group", args=[made.key])


def _refusal(error: MusterError) -> str:
    if isinstance(error, ValueNotAllowed) and error.pointer == "/name":
        return _("Give the segment a name of 1 to 200 characters.")
    return f"{said(error.message)} ({error.code})"


def _page(request: HttpRequest, desk: _Desk, form: BuilderForm) -> HttpResponse:
    with asked_once():
        return _answered(request, desk, form)


def _answered(request: HttpRequest, desk: _Desk, form: BuilderForm) -> HttpResponse:
    found = read(form, desk.known, desk.formats)
    blanks = [*found.written.blanks, *(Blank(path, "", said) for path, all in found.errors.items() for said in all)]
    may_list = can(desk.asker, "members:read")
    preview = previewed(form, found, desk.turn, edited=_edited(desk), may_list=may_list)
    if desk.turn.overtaken:
        return HttpResponse(status=OVERTAKEN)
    others = [one for one in choices() if desk.row is None or one.id != desk.row.id]
    included, excluded = Rows(_clauses(desk, form, others), alone_of(preview, found, desk.words), blanks).shown(
        form.tree
    )
    audience = audience_of(preview, form, found, (included, excluded), desk.words, may_list=may_list)
    shown = _shown(desk, form, found) | {
        "audience": audience,
        "groups": others,
        "include": included,
        "exclude": excluded,
        "missing": len({one.path for one in blanks}),
        "may_list": may_list,
    }
    template_name = "groups/builder/form.html" if is_fragment(request) else "groups/builder/page.html"
    return render(request, template_name, shown, status=REFUSED if desk.problems else 200)


def _edited(desk: _Desk) -> str:
    """The group whose members now are compared with; none before the first evaluation."""
    return desk.row.id if desk.row is not None and desk.row.generation else ""


def _clauses(desk: _Desk, form: BuilderForm, others: list[Choice]) -> Clauses:
    return Clauses(
        known=desk.known,
        words=desk.words,
        currency=catalog.publisher().currency,
        of_app=bool(form.app),
        groups={one.id: one.name for one in others},
        apps={app.key: app.label(get_language() or "en") for app in catalog.apps()},
        labels_of=lambda key: labels_of(warehouse(), desk.known.attributes[key]),
    )


def _shown(desk: _Desk, form: BuilderForm, found: Read) -> dict[str, Any]:
    definition = found.definition
    return {
        "form": form,
        "row": desk.row,
        "draft": desk.draft,
        "problems": desk.problems,
        "conflict": desk.conflict,
        "theirs": sentence(definition_of(desk.row, desk.known), desk.words) if desk.conflict and desk.row else "",
        "apps": [(app.key, app.label(get_language() or "en")) for app in catalog.apps()],
        "minimum_size": catalog.publisher().minimum_size,
        "sentence": sentence(definition, desk.words) if definition else "",
        "expression": expression(definition, desk.words) if definition else "",
        "json": form.json or (json.dumps(encode(definition), indent=2, ensure_ascii=False) if definition else ""),
        "views": [("sentence", _("Sentence")), ("expression", _("Expression")), ("json", "JSON")],
    }
