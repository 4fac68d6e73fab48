"""Version numbers: SemVer 2.0 precedence, extended to 1 to 4 dotted numbers as Windows packages have.

`version_key` turns a version into text whose ordinary byte order is the precedence, so that stores compare versions
without knowing what they are.
"""

from __future__ import annotations

import re

_VERSION = re.compile(
    r"[vV=\s]{0,4}(?P<numbers>\d{1,16}(?:\.\d{1,16}){0,3})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
# The largest whole number every JSON reader keeps; node-semver refuses larger parts for the same reason.
_LARGEST = 2**53 - 1
_LONGEST = 256


def version_key(text: str) -> str:
    """Sortable text of a version; ValueError if it is none. Missing parts count as 0, build metadata does not count.

    Each number becomes 16 digits. A pre-release sorts before its release: `!` (0x21) stands before `~` (0x7e).
    Inside it, numeric identifiers (`0` + digits) sort before words (`1` + word), and fewer identifiers before more.
    """
    trimmed = text.strip()
    match = _VERSION.fullmatch(trimmed) if len(trimmed) <= _LONGEST else None
    if not match:
        raise ValueError(f"{text!r} is not a version such as 1.2.3 or 10.0.19041.1")
    numbers = [int(part) for part in match["numbers"].split(".")]
    if max(numbers) > _LARGEST:
        raise ValueError(f"{text!r} has a part above {_LARGEST}")
    numbers += [0] * (4 - len(numbers))
    release = ".".join(f"{number:016d}" for number in numbers)
    if match["pre"] is None:
        return release + "~"
    return release + "!" + "".join(_identifier_key(part) for part in match["pre"].split("."))


def _identifier_key(part: str) -> str:
    if part.isdigit():
        # The length in front makes longer numbers greater whatever their digits.
        digits = part.lstrip("0") or "0"
        return f" 0{len(digits):03d}{digits}"
    return f" 1{part}"


def is_version(text: str) -> bool:
    """Whether `version_key` accepts the text."""
    try:
        version_key(text)
    except ValueError:
        return False
    return True
