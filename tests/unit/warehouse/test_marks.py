"""Which letters combine (Unicode)."""

from __future__ import annotations

import sys
import unicodedata

from muster.warehouse.messages.marks import MOST_MARKS, has_too_many_marks

_LONG = "x" * 2_000


def test_every_letter_that_combines_is_a_mark() -> None:
    for code in range(sys.maxunicode + 1):
        letter = chr(code)
        if unicodedata.combining(letter):
            assert has_too_many_marks(_LONG + letter * (MOST_MARKS + 1)), hex(code)
            assert not has_too_many_marks(_LONG + letter * MOST_MARKS)
