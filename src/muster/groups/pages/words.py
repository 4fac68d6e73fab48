"""The reader's language, in which definitions are told."""

from __future__ import annotations

from django.utils.translation import get_language

from muster.groups.queries.wording import words_for
from muster.rules.describe.words import Words


def reader_words() -> Words:
    return words_for((get_language() or "en")[:2])
