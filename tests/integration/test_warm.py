"""A command that begins warm is the command: the same answers, errors and codes as when people start it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import environment_of
from tests.integration.processes import COLD, muster, serving


@pytest.mark.parametrize(
    "arguments",
    [("--version",), ("--help",), ("nonsense",), ("groups", "show", "nobody"), ("groups", "list", "--json")],
)
def test_warm_and_cold_say_the_same(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    cold, warm = (muster(environment, *arguments, command=command) for command in (COLD, None))
    assert (warm.returncode, warm.stdout, warm.stderr) == (cold.returncode, cold.stdout, cold.stderr)


def test_what_is_piped_in_is_read(environment: dict[str, str]) -> None:
    for command, key in ((COLD, "cold"), (None, "warm")):
        assert muster(environment, "groups", "create", key, "--known", command=command).returncode == 0
        arguments = ("groups", "import", key, "-", "--text")
        assert muster(environment, *arguments, stdin="ann@example.com", command=command).returncode == 0
        exported = muster(environment, "groups", "export", key, command=command)
        assert exported.stdout.splitlines() == ["entry", "ann@example.com"]


def test_two_at_once_know_nothing_of_each_other(environment: dict[str, str], empty_home: Path) -> None:
    with serving(environment) as first, serving(environment_of(empty_home)) as second:
        assert first.process.pid != second.process.pid
        assert first.address != second.address


def test_end_that_takes_too_long_is_said(environment: dict[str, str]) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        muster(environment, "serve", seconds=0.5)
