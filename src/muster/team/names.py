"""Names people give: kept as they are typed, but for what cannot be shown."""

from __future__ import annotations

import unicodedata

from django.utils.translation import gettext as _

from muster.team.errors import ValueNotAllowed


def clean_name(name: str, *, longest: int = 200) -> str:
    """Composed, without spaces around it; ValueNotAllowed for one too long or with control characters."""
    name = unicodedata.normalize("NFC", name).strip()
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise ValueNotAllowed(_("A name is one line without control characters."), pointer="/name")
    if len(name) > longest:
        message = _("A name has at most %(longest)s characters.") % {"longest": longest}
        raise ValueNotAllowed(message, pointer="/name")
    return name
