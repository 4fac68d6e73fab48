"""Who did something, in the reader's words: people have names of their own, the command line has not."""

from __future__ import annotations

from django.utils.translation import gettext as _

COMMAND_LINE = "command line"


def person_label(label: str) -> str:
    """`label`: as the trail and the tables keep it."""
    return _("command line") if label == COMMAND_LINE else label
