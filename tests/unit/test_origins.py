"""What may be given as the origin of a page, and how it is kept: as browsers send it (E-10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.kernel.origins import normal_origin


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://shop.example", "https://shop.example"),
        ("  HTTPS://Shop.Example:443/ ", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("chrome-extension://abcdef", "chrome-extension://abcdef"),
        ("*", "*"),
    ],
)
def test_origin_is_kept_as_browsers_send_it(given: str, kept: str) -> None:
    assert normal_origin(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "shop.example", "https://", "https://shop.example/path", "https://shop.example?", "https://shop.example#x",
        "https://user@shop.example", "https://shop.example:99999", "https://shop.example:x", "http://[zz]", "null",
        "https://*.shop.example", "https://shop example", "https://shop..example", "https://a,b", "file:///home",
    ],
)  # fmt: skip  # a table, read by rows
def test_what_no_browser_sends_is_none(given: str) -> None:
    assert normal_origin(given) is None


@given(st.text())
def test_whatever_is_given_is_an_origin_or_none(text: str) -> None:
    """And one that is kept is kept as it is."""
    found = normal_origin(text)
    assert found is None or normal_origin(found) == found
