"""Version order against the fixtures of node-semver (tests/data/versions, ISC)."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from muster.kernel.versions import is_version, version_key

_FIXTURES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data/versions/semver_node_semver.json").read_text()
)


def _pairs(section: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in _FIXTURES[section]]


@pytest.mark.parametrize(("greater", "smaller"), _pairs("comparisons") + _pairs("strict_comparisons"))
def test_greater_version_sorts_after_smaller(greater: str, smaller: str) -> None:
    assert version_key(smaller) < version_key(greater)


@pytest.mark.parametrize(("one", "other"), _pairs("equality"))
def test_equal_versions_have_one_key(one: str, other: str) -> None:
    assert version_key(one) == version_key(other)


@pytest.mark.parametrize("text", [row[0] for row in _FIXTURES["valid_versions"]])
def test_valid_version_is_accepted(text: str) -> None:
    assert is_version(text)


@pytest.mark.parametrize("text", [row[0] for row in _FIXTURES["invalid_versions"] if isinstance(row[0], str)])
def test_invalid_version_is_refused(text: str) -> None:
    assert not is_version(text)


@pytest.mark.parametrize("text", ["1", "1.2", "10.0.19041.1", "v2", "01.2.3"])
def test_grammar_takes_one_to_four_numbers_where_semver_takes_three(text: str) -> None:
    """Windows packages have four numbers, stores and people write two: more than SemVer allows, on purpose."""
    assert is_version(text)


@pytest.mark.parametrize(
    "text", ["", " ", "1.2.3.4.5", "1.", ".1", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3 beta", "१.२"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    assert not is_version(text)


def test_missing_numbers_count_as_zero() -> None:
    assert version_key("1") == version_key("1.0") == version_key("1.0.0") == version_key("1.0.0.0")


def test_precedence_of_the_semver_specification_holds() -> None:
    """SemVer 2.0, section 11, with the fourth number of Windows at the end."""
    ordered = [
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
        "1.0.0-rc.1", "1.0.0", "1.0.0.1", "1.0.1", "1.2", "1.10", "2",
    ]  # fmt: skip  # a table, read by rows
    assert all(version_key(low) < version_key(high) for low, high in pairwise(ordered))
