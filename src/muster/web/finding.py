"""Finding things by name, whatever room they are in."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from muster.web import hooks
from muster.web.hooks import Found

MOST_OF_A_ROOM = 20


def found_by(asker: Any, text: str) -> list[Found]:
    """What every room finds, pages of the menu last."""
    found = [one for finder in hooks.finders for one in finder(asker, text)[:MOST_OF_A_ROOM]]
    return [*found, *_pages(asker, text)]


def folded(text: str) -> str:
    """Without case and accents."""
    marks = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in marks if not unicodedata.combining(sign)).casefold()


def _pages(asker: Any, text: str) -> list[Found]:
    return [
        Found(_("Page"), str(page.label), reverse(page.url_name))
        for page in hooks.menu_pages
        if (not page.scope or hooks.can(asker, page.scope)) and folded(text) in folded(str(page.label))
    ]
