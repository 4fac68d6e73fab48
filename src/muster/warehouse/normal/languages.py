"""Languages: canonical BCP 47 tags (C-16)."""

from __future__ import annotations

import langcodes
from langcodes.tag_parser import LanguageTagError

_NO_LANGUAGE = ("", "c", "posix", "und")


def language_tag(text: str) -> str | None:
    """`nb_no` -> `nb-NO`; "" for a locale that names no language; None if it is no tag.

    What POSIX locales add (`.UTF-8`, `@euro`) does not belong to the language.
    """
    bare = text.strip().partition(".")[0].partition("@")[0]
    if bare.casefold() in _NO_LANGUAGE:
        return ""
    try:
        tag: str = langcodes.standardize_tag(bare)
    except LanguageTagError:
        return None
    return tag if langcodes.tag_is_valid(tag) else None
