"""`muster groups` for known user groups: typed, piped, exported, undone (groups spec, section 6)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.living import Living, csv_of, living
from tests.integration.processes import muster

_PEOPLE = {"kind": "customers", "row": {"external_id": "id", "email": "email"}}


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as installation:
        installation.bring_in(csv_of("id,email", *(f"u{n},u{n}@example.com" for n in range(40))), _PEOPLE)
        yield installation


def test_list_is_piped_in_exported_and_undone(town: Living) -> None:
    assert town.command("groups", "create", "testers", "--known", "--name", "Testers")[0] == 0
    typed = "u1@example.com; Bob <u2@example.com>\nnobody@example.com rubbish"
    arguments = ("groups", "import", "testers", "-", "--text")
    status, refused = town.command(*arguments, stdin=typed)
    assert (status, refused["state"], refused["counts"]["invalid"]) == (1, "checked", 1)
    status, done = town.command(*arguments, "--max-invalid", "1", stdin=typed)
    assert (status, done["state"], done["counts"]) == (0, "done", {"new": 2, "pending": 1, "invalid": 1})
    exported = muster(town.environment, "groups", "export", "testers")
    assert exported.stdout.splitlines() == ["entry", "u1@example.com", "u2@example.com", "nobody@example.com"]
    (town.home / "list.csv").write_text(exported.stdout, encoding="utf-8")
    status, again = town.command("groups", "import", "testers", str(town.home / "list.csv"))
    assert (status, again["counts"]) == (0, {"already_member": 3})
    changes = muster(town.environment, "groups", "changes", "testers")
    assert (changes.returncode, changes.stdout.splitlines()[0].split()) == (
        0,
        ["ID", "AT", "CAUSE", "JOINED", "LEFT", "SIZE"],
    )
    # The file that changed nothing came later: it goes first.
    undone = [
        muster(town.environment, "customers", "imports", "undo", one["id"]).returncode for one in (done, again, done)
    ]
    assert undone == [1, 0, 0]
    assert town.get("/groups/testers")["entries"] == 0


def test_large_removal_wants_to_be_confirmed(town: Living) -> None:
    town.command("groups", "create", "large", "--known")
    town.command("groups", "import", "large", "-", "--text", stdin="u1@example.com u2@example.com u3@example.com")
    remove = ("groups", "import", "large", "-", "--text", "--mode", "replace")
    assert town.command(*remove, stdin="u3@example.com")[1]["code"] == "confirmation_needed"
    assert town.command(*remove, "--confirm", stdin="u3@example.com")[1]["state"] == "done"


def test_segment_is_frozen(town: Living) -> None:
    everybody = {"version": 1, "app": None, "match": {"everyone": True}}
    town.post("/groups", {"name": "Nobody here", "key": "nobody-here", "definition": everybody}, 201)
    status, frozen = town.command("groups", "freeze", "nobody-here", "--key", "frozen", "--name", "Frozen")
    assert (status, frozen["kind"], frozen["entries"]) == (0, "known", 0)
