"""The reader's language, in which definitions and states are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy

from muster.groups.queries.evaluation import Named
from muster.groups.queries.wording import words_for
from muster.groups.terms import State
from muster.kernel.errors import MusterError
from muster.rules.codec import decode
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import Words
from muster.rules.vocabulary import Vocabulary


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
