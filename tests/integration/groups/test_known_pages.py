"""Known user groups as people make and fill them in the browser, without scripts: forms, redirects, pages."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
import pytest
from django.test import Client

from muster.groups.models import Group
from tests.integration.groups.conftest import in_group
from tests.integration.groups.test_known_groups import Make, _numbers, apply, judge
from tests.integration.living import Document, Living, csv_of
from tests.integration.pages import Browser

# Right to left, an emoji of several signs, markup, quotes, and a template's own signs.
_NAUGHTY = "<script>alert(1)</script> \"x\" 'y' & {{ 7 }} {% now %} \u202eabc \U0001f469\u200d\U0001f680"
_PASTED = "u1@example.com, U2@Example.com;someone@else.example\nu1@example.com <b>bold</b>"


def _begin(town: Living, browser: Browser, group: str, **fields: str) -> str:
    """The address of the import, judged."""
    begun = browser.post(f"/groups/{group}/import/", {"mode": "add", "ids": "email", "text": "", **fields})
    assert begun.status_code == 302, begun.text
    town.settle()
    return re.sub(r"columns/$", "", begun.headers["Location"])


def _counts(page: str) -> dict[str, int]:
    found = re.findall(r'href="\?verdict=(\w+)"(?: aria-current="true")?><b>.*?</svg>(\d+)</b>', page)
    return {verdict: int(count) for verdict, count in found}


def _rows(page: str) -> list[tuple[str, str]]:
    return re.findall(r'<td class="r m">(\d+)</td><td class="val"><bdi>(.*?)</bdi>', page)


def test_group_is_made_by_its_form(town: Living, browser: Browser) -> None:
    """POST, then redirect to the group's page."""
    made = browser.post("/groups/new/known/", {"name": "Beta testers", "key": ""})
    assert (made.status_code, made.headers["Location"]) == (302, "/groups/beta-testers/")
    page = browser.get("/groups/beta-testers/")
    assert (page.status_code, "Nobody has changed it yet" in page.text) == (200, True)
    assert 'href="/groups/beta-testers/"' in browser.get("/groups/").text
    town.local.delete("/groups/beta-testers")


def test_form_keeps_what_was_typed_and_says_what_is_wrong(town: Living, browser: Browser, testers: str) -> None:
    """D-39: 422, the sentence and its code at the field."""
    for fields, code in (
        ({"name": "  ", "key": "fine"}, "value_not_allowed"),
        ({"name": "Again", "key": "testers"}, "key_taken"),
        ({"name": "Bad key", "key": "No Key"}, "value_not_allowed"),
    ):
        refused = browser.post("/groups/new/known/", fields)
        assert (refused.status_code, f"({code})" in refused.text) == (422, True)
        assert f'value="{fields["key"]}"' in refused.text


def test_name_is_shown_as_it_was_typed(town: Living, browser: Browser) -> None:
    made = browser.post("/groups/new/known/", {"name": _NAUGHTY, "key": "naughty"})
    assert made.status_code == 302
    for address in ("/groups/naughty/", "/groups/naughty/import/", "/groups/"):
        page = browser.get(address).text
        assert ("<script>alert" in page, "&lt;script&gt;alert(1)" in page, "{{ 7 }} {% now %}" in page) == (
            False,
            True,
            True,
        )
    town.local.delete("/groups/naughty")


def test_pasted_text_is_judged_applied_and_undone(town: Living, browser: Browser, testers: str) -> None:
    """G-25: the verdicts sum up to the rows; nothing changes before it is applied, and all of it comes back."""
    address = _begin(town, browser, "testers", text=_PASTED)
    page = browser.get(address).text
    counts = {"new": 2, "pending": 1, "already_member": 0, "duplicate_in_file": 1, "invalid": 1, "suppressed": 0}
    assert (_counts(page), "Dry run: 5 rows, 5 verdicts" in page) == (counts, True)
    # The invalid rows are opened by themselves, the others by their links.
    assert _rows(page) == [("5", "&lt;b&gt;bold&lt;/b&gt;")]
    assert _rows(browser.get(f"{address}?verdict=new").text) == [("1", "u1@example.com"), ("2", "U2@Example.com")]
    assert [number for number, _ in _rows(browser.get(f"{address}?verdict=").text)] == ["1", "2", "3", "4", "5"]
    assert _numbers(town, testers) == (0, 0, 0)

    refused = browser.post(f"{address}apply/", {"consented": "on"})
    assert (refused.status_code, "import_invalid_rows" in refused.text) == (422, True)
    assert 'name="consented" id="consented" checked' in refused.text
    applied = browser.post(f"{address}apply/", {"leave_out": "on"})
    assert (applied.status_code, applied.headers["Location"]) == (302, f"{address}apply/")
    town.settle()
    assert _numbers(town, testers) == (2, 3, 1)
    result = browser.get(f"{address}apply/")
    assert (result.status_code, "What has changed" in result.text, "Refresh" in result.headers) == (200, True, False)

    undone = browser.post(f"{address}undo", {})
    assert undone.status_code == 302
    town.settle()
    assert _numbers(town, testers) == (0, 0, 0)
    assert "Undone" in browser.get("/groups/testers/").text


def test_consent_is_noted_with_the_import(town: Living, browser: Browser, testers: str) -> None:
    """It says what whoever applied it said; nobody's consents change."""
    address = _begin(town, browser, "testers", text="u1@example.com")
    assert "Consent of these people" not in browser.get(address).text
    browser.post(f"{address}apply/", {"consented": "on"})
    town.settle()
    assert "<dt>Consent of these people</dt><dd>confirmed</dd>" in browser.get(f"{address}apply/").text
    assert town.get(f"/imports/{address.split('/')[4]}")["facts"]["consented"] is True
    assert town.get("/customers/external:u1/consents")["items"] == []
    removing = _begin(town, browser, "testers", text="u1@example.com", mode="remove")
    assert 'name="consented"' not in browser.get(removing).text


def test_rows_go_out_as_csv(town: Living, browser: Browser, testers: str) -> None:
    """D-31: a mark for spreadsheets, formulas quoted."""
    address = _begin(town, browser, "testers", text="u1@example.com =1+1")
    answer = browser.get(f"{address}rows.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = ["\ufeffrow,entry,verdict,reason", "1,u1@example.com,new,", "2,'=1+1,invalid,not_an_address", ""]
    assert answer.text == "\r\n".join(lines)
    assert browser.get(f"{address}rows.csv?verdict=new").text == "\r\n".join([lines[0], lines[1], ""])


def test_columns_are_shown_and_another_can_be_chosen(town: Living, browser: Browser, testers: str) -> None:
    """G-24, D-24: the column is found, shown with its values, and may be another one."""
    file = csv_of("Name,E-mail,Ref", "Ann,u1@example.com,u7", "Bea,u2@example.com,u8", "Cid,u3@example.com,u9")
    fields = {"mode": "add", "ids": "email", "text": ""}
    begun = browser.post("/groups/testers/import/", fields, files={"file": ("list.csv", file)})
    address = begun.headers["Location"]
    assert (begun.status_code, address.endswith("/columns/")) == (302, True)
    page = browser.get(address).text
    assert re.findall(r'name="column" value="([^"]+)"( checked)?', page) == [
        ("Name", ""),
        ("E-mail", " checked"),
        ("Ref", ""),
    ]
    assert re.findall(r'<td class="val">(.*?)</td>', page)[:3] == ["Ann", "Bea", "Cid"]
    town.settle()
    same = browser.post(address, {"column": "E-mail", "ids": "email"})
    assert same.headers["Location"] == address.removesuffix("columns/")
    wrong = browser.post(address, {"column": "Nowhere", "ids": "email"})
    assert (wrong.status_code, "column_unknown" in wrong.text) == (422, True)
    other = browser.post(address, {"column": "Ref", "ids": "external"})
    town.settle()
    assert _rows(browser.get(f"{other.headers['Location']}?verdict=new").text) == [
        ("1", "u7"),
        ("2", "u8"),
        ("3", "u9"),
    ]
    assert "Cancelled" in browser.get(address.removesuffix("columns/")).text


def test_file_without_a_column_of_addresses_asks_for_it(town: Living, browser: Browser, testers: str) -> None:
    """What cannot be found out is asked for; the file need not be sent again."""
    fields = {"mode": "add", "ids": "external", "text": ""}
    file = {"file": ("ids.csv", csv_of("Name,Ref", "Ann,u7"))}
    begun = browser.post("/groups/testers/import/", fields, files=file)
    assert (begun.status_code, begun.headers["Location"].endswith("/columns/")) == (302, True)
    other = browser.post(begun.headers["Location"], {"column": "Ref", "ids": "external"})
    town.settle()
    assert _counts(browser.get(other.headers["Location"]).text)["new"] == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"text": "  "}, "value_not_allowed"),
        ({"text": "a@example.com", "mode": "shuffle"}, "value_not_allowed"),
        ({"text": "a@example.com", "ids": "names"}, "value_not_allowed"),
    ],
)
def test_source_says_what_is_wrong(browser: Browser, testers: str, fields: Document, code: str) -> None:
    refused = browser.post("/groups/testers/import/", {"mode": "add", "ids": "email", **fields})
    assert (refused.status_code, code in refused.text, fields["text"] in refused.text) == (422, True, True)


def test_text_that_is_too_long_is_refused_with_a_page(browser: Browser, testers: str) -> None:
    """So long a text is sent as a file."""
    refused = browser.post(
        "/groups/testers/import/", {"mode": "add", "ids": "email", "text": "u1@example.com " * 300_000}
    )
    assert (refused.status_code, re.findall(r"<code>(.*?)</code>", refused.text)) == (413, ["body_too_large"])


def test_large_removal_wants_its_number_typed(town: Living, browser: Browser, testers: str) -> None:
    """G-25, D-37: not a tick, the number of entries that leave."""
    apply(town, judge(town, testers, text="u1@example.com u2@example.com u3@example.com"))
    address = _begin(town, browser, "testers", text="u9@example.com", mode="replace")
    assert "Type 3 to confirm" in browser.get(address).text
    for typed, code in (("", "confirmation_needed"), ("2", "confirm_mismatch")):
        refused = browser.post(f"{address}apply/", {"typed": typed})
        assert (refused.status_code, code in refused.text) == (422, True)
    assert browser.post(f"{address}apply/", {"typed": "3"}).status_code == 302
    town.settle()
    assert _numbers(town, testers) == (1, 1, 0)


def test_only_the_newest_change_can_be_undone(town: Living, browser: Browser, testers: str) -> None:
    """The button stays with its reason (D-42), and asking all the same is refused before anything begins."""
    first = apply(town, judge(town, testers, text="u1@example.com"))
    second = apply(town, judge(town, testers, text="u2@example.com"))
    page = browser.get("/groups/testers/").text
    assert re.findall(r'action="(/groups/testers/imports/[^"]+/undo)"', page) == [
        f"/groups/testers/imports/{second['id']}/undo"
    ]
    assert "Undo the later changes first" in browser.get(f"/groups/testers/imports/{first['id']}/apply/").text
    refused = browser.post(f"/groups/testers/imports/{first['id']}/undo", {})
    assert (refused.status_code, "list_changed" in refused.text) == (422, True)
    assert town.get(f"/imports/{first['id']}")["state"] == "done"


def test_import_can_be_cancelled(town: Living, browser: Browser, testers: str) -> None:
    address = _begin(town, browser, "testers", text="u1@example.com")
    assert browser.post(f"{address}cancel", {}).status_code == 302
    assert "Cancelled" in browser.get(address).text
    assert (browser.get(f"{address}apply/").headers["Location"], _numbers(town, testers)) == (address, (0, 0, 0))


def test_import_of_another_group_is_not_there(town: Living, browser: Browser, testers: str) -> None:
    address = _begin(town, browser, "testers", text="u1@example.com")
    town.post("/groups", {"key": "others", "name": "Others", "kind": "known"}, 201)
    other = address.replace("/testers/", "/others/")
    assert [browser.get(f"{other}{part}").status_code for part in ("", "columns/", "apply/", "rows.csv")] == [404] * 4
    town.local.delete("/groups/others")


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "A name has 1 to 200 characters."),
        ("de", "Ein Name hat 1 bis 200 Zeichen."),
        ("fr", "Un nom a de 1 à 200 caractères."),
    ],
)
def test_refused_name_is_told_in_the_language_of_the_reader(
    town: Living, browser: Browser, testers: str, language: str, sentence: str
) -> None:
    """Programs read English whatever they accept."""
    shown = {"do": "preferences", "time_zone": "auto", "theme": "auto", "density": "comfortable", "rows": "25"}
    assert browser.post("/profile/", {**shown, "language": language}).status_code == 302
    name = "x" * 201
    page = browser.post("/groups/testers/manage/", {"do": "rename", "name": name})
    assert browser.post("/profile/", {**shown, "language": "en"}).status_code == 302
    assert (page.status_code, sentence in page.text) == (422, True)
    told = {"Accept-Language": language, "If-Match": f'"{town.get("/groups/testers")["revision"]}"'}
    answer = town.local.patch("/groups/testers", json={"name": name}, headers=told)
    assert (answer.status_code, answer.json()["detail"]) == (422, "A name has 1 to 200 characters.")


def test_group_is_renamed_archived_restored_and_deleted(town: Living, browser: Browser) -> None:
    """D-37: what can be undone happens at once; what cannot wants the name typed."""
    town.post("/groups", {"key": "brief", "name": "Brief", "kind": "known"}, 201)
    page = browser.get("/groups/brief/manage/").text
    revision = re.findall(r'name="revision" value="(\d+)"', page)[0]
    renamed = browser.post("/groups/brief/manage/", {"do": "rename", "name": "Short", "revision": revision})
    assert (renamed.status_code, town.get("/groups/brief")["name"]) == (302, "Short")
    late = browser.post("/groups/brief/manage/", {"do": "rename", "name": "Later", "revision": revision})
    assert (late.status_code, "revision_conflict" in late.text, 'value="Later"' in late.text) == (422, True, True)
    assert browser.post("/groups/brief/manage/", {"do": "archive"}).status_code == 302
    assert "This group is archived" in browser.get("/groups/brief/").text
    assert browser.post("/groups/brief/manage/", {"do": "restore"}).status_code == 302
    assert town.get("/groups/brief")["state"] == "active"
    kept = browser.post("/groups/brief/manage/", {"do": "delete", "typed": "Brief"})
    assert (kept.status_code, "confirm_mismatch" in kept.text) == (422, True)
    gone = browser.post("/groups/brief/manage/", {"do": "delete", "typed": "Short"})
    assert (gone.status_code, gone.headers["Location"]) == (302, "/groups/")
    assert browser.get("/groups/brief/").status_code == 404


def test_group_in_use_says_by_what(town: Living, browser: Browser, testers: str, make: Make) -> None:
    """G-22, D-42: the sentence of the API stands beside the buttons."""
    make("uses", in_group("testers"))
    page = browser.get("/groups/testers/manage/").text
    assert "“Testers” cannot be archived: it is used by segment “Uses”. Remove it there first." in page
    assert "“Testers” cannot be deleted: it is used by segment “Uses”. Remove it there first." in page
    assert page.count('aria-disabled="true"') == 2
    refused = browser.post("/groups/testers/manage/", {"do": "archive"})
    assert (refused.status_code, "in_use" in refused.text) == (422, True)


@pytest.mark.django_db
def test_viewer_reads_the_figures_and_the_reason(as_bob: Client) -> None:
    """D-42: the buttons stand there with the sentence that the API would answer."""
    now = datetime.now(UTC)
    Group.objects.create(
        id="grp_1",
        key="staff",
        name="Staff",
        kind="known",
        state="active",
        size=3,
        entry_count=4,
        pending_count=1,
        created_at=now,
        updated_at=now,
    )
    page = as_bob.get("/groups/staff/").content.decode()
    assert re.findall(r'<span class="big">(.*?)</span>', page) == ["3", "1", "4", "0"]
    assert page.count('aria-disabled="true" aria-describedby="refusal"') == 3
    assert '<p class="m" id="refusal">Needs permission members:read; an owner can grant it.</p>' in page
    for language, said in (("de", "Kunden, die die Liste nennt"), ("fr", "clients que la liste désigne")):
        assert said in as_bob.get("/groups/staff/", headers={"Accept-Language": language}).content.decode()
    addresses = ("/groups/new/known/", "/groups/staff/import/", "/groups/staff/export")
    assert [as_bob.get(address).status_code for address in addresses] == [403, 403, 403]


def test_outsider_is_sent_to_the_door(town: Living, testers: str) -> None:
    with httpx.Client(base_url=town.server.address) as charlie:
        for address in ("/groups/new/known/", "/groups/testers/", "/groups/testers/import/"):
            answer = charlie.get(address)
            assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={address}")
