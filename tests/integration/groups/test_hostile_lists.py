"""Lists as people really send them: every row has its verdict, nothing crashes, nothing is lost (groups spec, 10)."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from tests.integration.groups.test_known_groups import apply, begin, export, judge
from tests.integration.living import Living, problem
from tests.naughty import NAUGHTY

DATA = Path(__file__).parents[2] / "data"


def test_naughty_strings_as_cells_have_a_verdict_each(town: Living, testers: str) -> None:
    cells = "\r\n".join('"{}"'.format(one.replace('"', '""')) for one in ["email", *NAUGHTY])
    checked = judge(town, testers, file=cells.encode("utf-8", "surrogatepass"), encoding="utf-8")
    assert sum(checked["counts"].values()) == checked["rows"] == len(NAUGHTY)
    apply(town, checked, max_invalid=len(NAUGHTY))
    first = export(town, testers)
    assert first.count("\r\n") - 1 == town.get(f"/groups/{testers}")["entries"]


def test_naughty_strings_as_pasted_text_have_a_verdict_each(town: Living, testers: str) -> None:
    checked = judge(town, testers, file="\n".join(NAUGHTY).encode("utf-8", "surrogatepass"), format="text")
    rows = town.verdicts(checked["id"])
    assert len(rows) == checked["rows"] == sum(checked["counts"].values())
    assert [one["row"] for one in rows] == list(range(1, len(rows) + 1))


def test_naughty_strings_as_names_are_kept_or_refused(town: Living, testers: str) -> None:
    revision = 1
    for text in NAUGHTY:
        renamed = town.local.patch(f"/groups/{testers}", json={"name": text}, headers={"If-Match": f'"{revision}"'})
        if renamed.status_code == 200:
            revision += 1
            assert renamed.json()["name"] == unicodedata.normalize("NFC", text).strip()
        else:
            assert problem(renamed) in ((422, "value_not_allowed"), (422, "request_invalid"))
    assert revision > len(NAUGHTY) // 2


@pytest.mark.parametrize("path", sorted((DATA / "csv/csvs").iterdir()), ids=lambda path: path.stem)
def test_files_of_the_csv_suite_have_a_verdict_for_every_record(town: Living, testers: str, path: Path) -> None:
    expected = json.loads((DATA / "csv/json" / f"{path.stem}.json").read_text(encoding="utf-8"))
    column = next(iter(expected[0])) if expected else None
    begun = begin(town, testers, file=path.read_bytes(), **({"column": column} if column else {}))
    assert begun.status_code == 202, begun.text
    town.finish(begun.json()["job"]["id"])
    checked = town.get(f"/imports/{begun.json()['id']}")
    assert (checked["rows"], sum(checked["counts"].values())) == (len(expected), len(expected))


def test_large_paste_is_judged_whole(town: Living, testers: str) -> None:
    """6 MB on one line, without an end."""
    count = 200_000
    text = " ".join(f"person{number}@some-example.com" for number in range(count))
    checked = judge(town, testers, file=text.encode(), format="text")
    assert checked["counts"] == {"pending": count}
    apply(town, checked)
    assert town.get(f"/groups/{testers}")["pending"] == count


def test_file_with_two_encodings_is_read_or_refused_but_never_cut(town: Living, testers: str) -> None:
    mixed = b"email\n" + "jörg@müller.example\n".encode() * 3 + "jörg@müller.example\n".encode("cp1252")
    begun = begin(town, testers, file=mixed)
    if begun.status_code == 202:
        town.finish(begun.json()["job"]["id"])
        shown = town.get(f"/imports/{begun.json()['id']}")
        assert shown["rows"] == 4 or shown["reason"].startswith("encoding_unreadable")
    else:
        assert problem(begun) == (422, "encoding_unreadable")


def test_named_encoding_that_does_not_fit_is_refused(town: Living, testers: str) -> None:
    begun = begin(town, testers, file="email\njörg@x.example\n".encode("cp1252"), encoding="utf-8")
    reason = begun.json()["code"] if begun.status_code != 202 else ""
    if not reason:
        town.finish(begun.json()["job"]["id"])
        reason = town.get(f"/imports/{begun.json()['id']}")["reason"]
    assert reason.startswith("encoding_unreadable")
