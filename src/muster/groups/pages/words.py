"""The reader's language, in which definitions and states are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy

from muster.groups.queries.evaluation import Named
from muster.groups.queries.wording import words_for
from muster.groups.terms import State
from muster.kernel.errors import MusterError
from muster.rules.codec import decode
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import Words
from muster.rules.vocabulary import Vocabulary
from muster.web.templatetags.web import icon


class Look(NamedTuple):
    icon: str
    label: Promise


STATES = {
    State.ACTIVE: Look(icon="circle-check", label=gettext_lazy("Active")),
    State.BUILDING: Look(icon="refresh", label=gettext_lazy("Building")),
    State.FAILED: Look(icon="alert-triangle", label=gettext_lazy("Failed")),
    State.DRAFT: Look(icon="pencil", label=gettext_lazy("Draft")),
    State.INACTIVE: Look(icon="circle-dashed", label=gettext_lazy("Inactive")),
    State.ARCHIVED: Look(icon="archive", label=gettext_lazy("Archived")),
}


def group_state(state: str, failure: str = "") -> SafeString:
    """An icon and a word; why a group failed is in the title. In every row of a table: no template."""
    look = STATES[State(state)]
    failed = format_html(' bad" title="{}', failure) if state == State.FAILED else ""
    return format_html('<span class="state{}">{}{}</span>', failed, icon(look.icon), look.label)


def reader_words(names_of_groups: Sequence[Named] | None = None) -> Words:
    return words_for((get_language() or "en")[:2], names_of_groups)


def told_definition(definition: Mapping[str, Any] | None, known: Vocabulary, words: Words) -> str:
    """The sentence of a stored definition; empty where there is none, or where it names what is gone."""
    if definition is None:
        return ""
    try:
        return sentence(decode(definition, known), words)
    except MusterError:
        return ""
