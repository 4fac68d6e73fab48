"""Who did something, in the reader's words: people have names of their own, the command line has not."""

from __future__ import annotations

from django.utils.translation import gettext as _

COMMAND_LINE, DEMO_DATA = "command line", "demo data"


def person_label(label: str) -> str:
    """`label`: as the trail and the tables keep it."""
    if label == COMMAND_LINE:
        return _("command line")
    return _("demo data") if label == DEMO_DATA else label
