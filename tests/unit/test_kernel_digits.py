from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.kernel.digits import whole


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_digits_are_read(text: str, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "²", "١", "1.0", "9" * 19, "9" * 5_000])
def test_anything_else_is_none(text: str) -> None:
    assert whole(text) is None


def test_how_many_digits_may_be_said() -> None:
    assert (whole("123456", most_digits=6), whole("1234567", most_digits=6)) == (123_456, None)


@given(st.text())
def test_no_text_raises(text: str) -> None:
    assert whole(text) is None or str(whole(text)) == text.lstrip("0") or set(text) == {"0"}
