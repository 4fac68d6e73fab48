"""The tutorial of the manual, run line for line, and its result held against pandas."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.integration.data.conftest import unpacked
from tests.integration.data.test_adventureworks import Frames
from tests.integration.processes import muster, serving

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "first-segment.md"
_FILES = re.compile(r'```\w+ title="([^"]+)"\n(.*?)```', re.DOTALL)
_COMMANDS = re.compile(r"^\$ muster (.+)$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the reader works: the files of the tutorial and of the sample."""
    for name in ("customers", "orders-adventure-shop", "orders-adventure-rides"):
        (tmp_path / f"{name}.csv").write_bytes(unpacked(name))
    for name, text in _FILES.findall(TUTORIAL.read_text(encoding="utf-8")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_tutorial_runs_and_its_members_are_right(folder: Path, environment: dict[str, str]) -> None:
    """Imports AdventureWorks, defines a group, explains one person, exports the members."""
    commands = _COMMANDS.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert len(commands) == 12
    with serving(environment):
        for command in commands:
            done = muster(environment, *shlex.split(command))
            assert done.returncode == 0, (command, done.stdout, done.stderr)
        group = json.loads(muster(environment, "groups", "show", "silent-french", "--json").stdout)
        customer = _one_member(folder)
        why = json.loads(
            muster(environment, "groups", "explain", "silent-french", "--customer", customer, "--json").stdout
        )
    # Another process, which has imported nothing itself, knows the same.
    again = muster(environment, "groups", "explain", "silent-french", "--customer", customer, "--json")
    assert json.loads(again.stdout)["tree"] == why["tree"]
    frames = Frames()
    spent = frames.spend()
    expected = frames.where(frames.country == "FR") & set(spent.index[spent > 100_000_000])
    members = list(csv.reader(io.StringIO((folder / "members.csv").read_text(encoding="utf-8-sig"))))[1:]
    assert group["size"] == len(expected) == len(members)
    assert group["sentence"].startswith("Customers")
    assert (why["member"], why["changes_at"]) == (True, None)
    assert [node["truth"] for node in why["tree"]["children"]] == [True, True, True]


def _one_member(folder: Path) -> str:
    return (folder / "members.csv").read_text(encoding="utf-8-sig").splitlines()[1].split(",")[0].strip('"')
