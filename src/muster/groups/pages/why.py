"""The box that answers why somebody is in a group or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from muster.engine.explain import Explained
from muster.groups.pages.words import reader_words
from muster.groups.queries import groups, people
from muster.groups.queries.evaluation import definition_of, vocabulary
from muster.groups.queries.listing import choices
from muster.groups.queries.values import seen_text
from muster.groups.terms import Kind
from muster.kernel.errors import MusterError
from muster.rules.describe.sentence import clause, sentence
from muster.rules.describe.words import Words
from muster.rules.nodes import All, AnyOf, NoneOf
from muster.web.answers import REFUSED
from muster.web.hooks import check_scope, identify


@dataclass(frozen=True)
class Line:
    """One node of the explanation as a row of the page; `depth` 0..7."""

    depth: int
    truth: bool
    number: str
    text: str
    seen: str
    changes_at: datetime | None
    events: tuple[Any, ...] = ()


@require_GET
def why(request: HttpRequest) -> HttpResponse:
    """The explanation of one customer in one group (G-18); the form is kept, an error stands at it."""
    asker = identify(request)
    check_scope(asker, "members:read")
    chosen, customer = request.GET.get("group", ""), request.GET.get("customer", "").strip()
    shown: dict[str, Any] = {
        "groups": choices(),
        "chosen": chosen,
        "customer": customer,
        "may_ask": True,
    }
    status = 200
    if chosen and customer:
        try:
            shown |= _explained(chosen, customer)
        except MusterError as error:
            shown["error"] = error
            status = REFUSED
    return render(request, "groups/why.html", shown, status=status)


def _explained(group: str, customer: str) -> dict[str, Any]:
    row = groups.group_row(group)
    if row.kind == Kind.KNOWN:
        return {"listed": people.why_listed(row, customer)}
    found = people.why(group, customer)
    words = reader_words()
    return {
        "why": found,
        "sentence": sentence(definition_of(found.group, vocabulary()), words),
        "lines": lines_of(found.explanation.tree, words),
    }


def lines_of(tree: Explained, words: Words) -> list[Line]:
    """The tree of an explanation, row after row."""
    return list(_lines(tree, words, 0, ""))


def _lines(node: Explained, words: Words, depth: int, number: str) -> Iterator[Line]:
    if isinstance(node.node, All | AnyOf | NoneOf):
        holding = sum(child.truth for child in node.children)
        seen = _("%(count)s of %(total)s") % {"count": holding, "total": len(node.children)}
        yield Line(depth, node.truth, number, _heading(node), seen, node.changes_at)
        for index, child in enumerate(node.children, start=1):
            yield from _lines(child, words, depth + 1, f"{number}.{index}" if number else str(index))
        return
    yield Line(
        depth, node.truth, number, clause(node.node, words), seen_text(node, words), node.changes_at, node.events
    )


def _heading(node: Explained) -> str:
    return {"all": _("Match all of"), "any": _("Match any of"), "none": _("Match none of")}[node.kind]
