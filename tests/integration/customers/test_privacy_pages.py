"""Consents, export and erasure of a customer, suppressions, the settings of privacy and of the organisation."""

from __future__ import annotations

import html
import io
import re
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client
from pyroaring import BitMap

from muster.customers.models import Erasure, Suppression
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.living import Document, Living, csv_of, living
from tests.integration.pages import Browser
from tests.integration.personas import Sender, open_store, owner_of, viewer_of
from tests.naughty import naughty_from

_PEOPLE: Document = {"kind": "customers", "row": {"external_id": "id", "email": "email", "traits": {"city": "city"}}}
_ORDERS: Document = {
    "kind": "orders",
    "app": "notes",
    "row": {"external_id": "id", "happened_at": "at", "amount": "amount", "currency": "currency"},
}
SETTINGS = (
    "/settings/organisation/",
    "/settings/organisation/rates/",
    "/settings/privacy/",
    "/settings/privacy/suppressions/",
    "/settings/privacy/erasures/",
)


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as found:
        found.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        found.bring_in(csv_of("id,email,city", *(f"u{n},u{n}@example.com,Oslo" for n in range(1, 10))), _PEOPLE)
        yield found


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(town: Living, owner: Browser) -> Iterator[Browser]:
    with viewer_of(town) as browser:
        yield browser


def _page_of(town: Living, external: str) -> str:
    return f"/customers/{town.get(f'/customers/external:{external}')['id']}/"


def _text(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split())


def _table(page: str, heading: str) -> list[list[str]]:
    section = page.split(f'id="{heading}"')[1].split("</section>", maxsplit=1)[0]
    rows = re.findall(r"<tr>(.*?)</tr>", section.split("<tbody>")[1].split("</tbody>")[0], re.S)
    return [[_text(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)] for row in rows]


def test_consent_is_noted_and_the_newest_counts(town: Living, owner: Browser) -> None:
    """C-12: the log is only added to; what was never said has its default."""
    address = f"{_page_of(town, 'u1')}privacy/"
    now = {row[0]: row[1:] for row in _table(owner.get(address).text, "now")}
    assert now["Marketing by e-mail"] == ["refused", "nothing was said"]
    for about, granted in (("marketing", "yes"), ("marketing.push", "no"), ("profiling", "no")):
        sent = {"about": about, "granted": granted, "text_version": "2026-11"}
        assert owner.post(address, sent).status_code == 302
    page = owner.get(address).text
    assert [row[1:4] for row in _table(page, "log")] == [
        ["Profiling: being in segments", "refused", "2026-11"],
        ["Marketing by push", "refused", "2026-11"],
        ["Marketing, on every channel", "allowed", "2026-11"],
    ]
    now = {row[0]: row[1:] for row in _table(page, "now")}
    assert now["Marketing by e-mail"] == ["allowed", "the customer said so"]
    assert (now["Marketing by push"][0], now["Offers"][1]) == ("refused", "nothing was said")
    assert "Profiling is not allowed: in no segment" in owner.get(_page_of(town, "u1")).text
    timeline = owner.get(f"{_page_of(town, 'u1')}timeline/?kind=consents").text
    assert timeline.count("What for:") == 3


@pytest.mark.parametrize(
    ("about", "granted"), [("fun", "yes"), ("marketing.pigeon", "no"), ("offers", "perhaps"), ("", "")]
)
def test_consent_that_is_none_is_refused(town: Living, owner: Browser, about: str, granted: str) -> None:
    refused = owner.post(f"{_page_of(town, 'u2')}privacy/", {"about": about, "granted": granted, "text_version": "v7"})
    assert (refused.status_code, 'value="v7"' in refused.text) == (422, True)
    assert town.get("/customers/external:u2/consents")["items"] == []


def test_export_is_put_together_and_fetched(town: Living, owner: Browser) -> None:
    """C-44; who took it stands in the audit trail."""
    page = _page_of(town, "u3")
    assert owner.post(f"{page}export", {}).headers["Location"] == f"{page}privacy/"
    town.settle()
    [link] = re.findall(r'href="(/exports/[^"]+)"', owner.get(f"{page}privacy/").text)
    answer = owner.get(link)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert "customer.json" in archive.namelist()
    with closing(sqlite3.connect(town.home / "control.sqlite3")) as database:
        found = database.execute(
            "SELECT action, actor_label FROM audit_auditentry WHERE action LIKE '%export%' ORDER BY id"
        ).fetchall()
    assert found == [("customer.export", "alice@example.com"), ("export.downloaded", "alice@example.com")]


def test_erasure_wants_the_id_typed_and_gives_a_receipt(town: Living, owner: Browser) -> None:
    """D-37, C-46: irreversible, so what is shown is typed; nothing is left afterwards."""
    page = _page_of(town, "u4")
    customer = page.split("/")[2]
    assert f"Type {customer} to confirm" in owner.get(f"{page}privacy/").text
    for typed in ("", "u4", "cus_1x"):
        refused = owner.post(f"{page}erase", {"typed": typed})
        assert (refused.status_code, "confirm_mismatch" in refused.text) == (422, True)
        assert f'value="{typed}"' in refused.text
    ordered = owner.post(f"{page}erase", {"typed": customer})
    address = ordered.headers["Location"]
    assert (ordered.status_code, address.startswith("/settings/privacy/erasures/era_")) == (302, True)
    town.settle()
    done = owner.get(address)
    assert ("Erased" in done.text, "Refresh" in done.headers) == (True, False)
    receipt = owner.get(f"{address}receipt").json()
    assert [one["found"] for one in receipt["places"]] == [0] * len(receipt["places"])
    assert [owner.get(page + tab).status_code for tab in ("", "timeline/", "privacy/")] == [404] * 3
    assert address in owner.get("/settings/privacy/erasures/").text


def test_erasure_can_be_taken_back_while_its_grace_lasts(town: Living, owner: Browser) -> None:
    sent = {
        "do": "kept",
        "kept-under_age_data": "keep",
        "kept-events_months": "26",
        "kept-anonymous_months": "13",
        "kept-rejects_days": "7",
        "kept-verdict_days": "400",
        "kept-exports_days": "7",
        "kept-grace_hours": "1",
    }
    assert owner.post("/settings/privacy/", sent).status_code == 302
    page = _page_of(town, "u5")
    assert "It can be taken back for 1 hour." in owner.get(f"{page}privacy/").text
    ordered = owner.post(f"{page}erase", {"typed": page.split("/")[2]}).headers["Location"]
    assert "The erasure of this customer was ordered." in owner.get(f"{page}privacy/").text
    again = owner.post(f"{page}erase", {"typed": page.split("/")[2]})
    assert (again.status_code, "erasure_running" in again.text) == (422, True)
    assert owner.get(f"{ordered}receipt").status_code == 404
    assert owner.post(f"{ordered}withdraw", {}).status_code == 302
    late = owner.post(f"{ordered}withdraw", {})
    assert (late.status_code, "erasure_state" in late.text, "Taken back" in late.text) == (422, True, True)
    assert owner.post("/settings/privacy/", sent | {"kept-grace_hours": "0"}).status_code == 302


def test_settings_are_saved_part_by_part(town: Living, owner: Browser) -> None:
    floor = {"do": "floor", "floor-minimum_size": "30", "floor-minimum_age": "16", "floor-require_known_age": "on"}
    assert owner.post("/settings/privacy/", floor).status_code == 302
    now = town.get("/publisher")
    assert (now["minimum_size"], now["minimum_age"], now["require_known_age"]) == (30, 16, True)
    stale = owner.post("/settings/privacy/", floor | {"floor-revision": str(now["revision"] - 1)})
    assert (stale.status_code, "revision_conflict" in stale.text) == (422, True)
    back = {"do": "floor", "floor-minimum_size": "25", "floor-minimum_age": "17"}
    assert owner.post("/settings/privacy/", back).status_code == 302
    assert town.get("/publisher")["require_known_age"] is False


def test_what_an_unset_consent_means_is_chosen(town: Living, owner: Browser, viewer: Browser) -> None:
    """C-12: on the page of settings, and then on that of whoever said nothing."""
    page = f"{_page_of(town, 'u8')}privacy/"
    sent = {f"unset-{about}": "yes" for about in ("profiling", "marketing_push", "marketing_webhook", "offers")}
    sent |= {"do": "unset", "unset-marketing_email": "yes"}
    assert viewer.post("/settings/privacy/", sent).status_code == 403
    assert 'aria-describedby="unset-refusal"' in viewer.get("/settings/privacy/").text
    told = [_allowed(owner.get(page).text)]
    assert owner.post("/settings/privacy/", sent).status_code == 302
    told.append(_allowed(owner.get(page).text))
    assert told == [["profiling", "push", "offers"], ["profiling", "push", "e-mail", "webhook", "offers"]]
    assert town.get("/publisher")["unset_consents"]["marketing.email"] is True
    wrong = owner.post("/settings/privacy/", sent | {"unset-offers": "perhaps"})
    assert (wrong.status_code, 'href="#id_unset-offers"' in wrong.text) == (422, True)
    back = {"unset-marketing_email": "no", "unset-marketing_webhook": "no"}
    assert owner.post("/settings/privacy/", sent | back).status_code == 302


def _allowed(page: str) -> list[str]:
    """What is allowed now, by the last word of each purpose or the first of profiling."""
    page = page.split('id="now"')[1].split("</table>", maxsplit=1)[0]
    found = re.findall(r'<th scope="row">([^<]+)</th><td[^>]*>.*?</svg>([a-z]+)<', page)
    names = {"Profiling: being in segments": "profiling", "Offers": "offers"}
    return [names.get(label, label.split()[-1]) for label, answer in found if answer == "allowed"]


@pytest.mark.parametrize(
    ("form", "field", "value"),
    [
        ("floor", "minimum_size", "-1"),
        ("floor", "minimum_size", "many"),
        ("floor", "minimum_age", "121"),
        ("floor", "minimum_age", ""),
        ("kept", "grace_hours", "73"),
        ("kept", "events_months", "0"),
        ("kept", "exports_days", "31"),
        ("kept", "under_age_data", "sell"),
        ("kept", "rejects_days", "9" * 40),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_their_field(
    town: Living, owner: Browser, form: str, field: str, value: str
) -> None:
    before = (town.get("/publisher"), town.get("/privacy"))
    given = {
        "floor-minimum_size": "25",
        "floor-minimum_age": "17",
        "kept-under_age_data": "keep",
        "kept-events_months": "26",
        "kept-anonymous_months": "13",
        "kept-rejects_days": "7",
        "kept-verdict_days": "400",
        "kept-exports_days": "7",
        "kept-grace_hours": "0",
    }
    refused = owner.post("/settings/privacy/", given | {"do": form, f"{form}-{field}": value})
    assert (refused.status_code, f'href="#id_{form}-{field}"' in refused.text) == (422, True)
    assert (town.get("/publisher"), town.get("/privacy")) == before


def test_suppression_is_put_on_and_lifted(town: Living, owner: Browser) -> None:
    """C-14: an address is kept in its normal form; the same again is the one there is."""
    for identity in (" U6@Example.com", "u6@example.com"):
        sent = {"kind": "email", "identity": identity, "reason": "bounced"}
        assert owner.post("/settings/privacy/suppressions/", sent).status_code == 302
    [one] = town.get("/suppressions")["items"]
    page = owner.get("/settings/privacy/suppressions/").text
    assert (one["identity"], "u6@example.com" in page) == ("u6@example.com", True)
    for wrong in (
        {"kind": "email", "identity": "nobody"},
        {"kind": "pigeon", "identity": "x"},
        {"kind": "external", "identity": ""},
    ):
        refused = owner.post("/settings/privacy/suppressions/", {"reason": "manual"} | wrong)
        assert refused.status_code == 422
    assert owner.post(f"/settings/privacy/suppressions/{one['id']}/lift", {}).status_code == 302
    assert owner.post(f"/settings/privacy/suppressions/{one['id']}/lift", {}).status_code == 404
    assert town.get("/suppressions")["items"] == []


def test_organisation_is_changed_and_facts_follow(town: Living, owner: Browser) -> None:
    """ADR 0019: another currency takes the rates along, or says which are missing."""
    town.bring_in(csv_of("id,at,amount,currency", "u7,2026-01-05T10:00:00Z,10,EUR"), _ORDERS)
    now = town.get("/publisher")
    sent = {"name": "Zoë & <b>", "language": "de", "time_zone": "Europe/Oslo", "currency": "EUR"}
    assert owner.post("/settings/organisation/", sent | {"revision": str(now["revision"])}).status_code == 302
    town.settle()
    assert (town.get("/publisher")["name"], town.get("/publisher")["time_zone"]) == ("Zoë & <b>", "Europe/Oslo")
    stale = owner.post("/settings/organisation/", sent | {"revision": str(now["revision"])})
    assert (stale.status_code, "revision_conflict" in stale.text) == (422, True)
    assert html.escape("Zoë & <b>") in stale.text
    rate = {"day": "2026-01-05", "currency": "usd", "rate": "2", "direction": "per_base"}
    assert owner.post("/settings/organisation/rates/", rate).status_code == 302
    assert (
        owner.post("/settings/organisation/rates/", rate | {"currency": "GBP", "day": "2026-02-05"}).status_code == 302
    )
    missing = owner.post("/settings/organisation/", sent | {"currency": "USD"})
    assert (missing.status_code, "rate_missing" in missing.text) == (422, True)
    assert 'href="#id_currency"' in missing.text
    page = owner.get("/settings/organisation/rates/").text
    assert re.findall(r'data-name="Currency">(\w+)<', page) == ["GBP", "USD"]
    only = owner.get("/settings/organisation/rates/?currency=usd").text
    assert re.findall(r'data-name="Currency">(\w+)<', only) == ["USD"]
    assert "There is no rate of this currency." in owner.get("/settings/organisation/rates/?currency=CHF").text


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("day", "yesterday", "value_not_allowed"),
        ("currency", "EURO", "value_not_allowed"),
        ("currency", "EUR", "value_not_allowed"),
        ("rate", "1,08", "value_not_allowed"),
        ("rate", "0", "value_not_allowed"),
        ("rate", "-1", "value_not_allowed"),
        ("rate", "1e400", "value_not_allowed"),
        ("rate", "NaN", "value_not_allowed"),
        ("rate", "", "value_not_allowed"),
    ],
)
def test_rate_that_is_none_is_refused_at_its_field(owner: Browser, field: str, value: str, code: str) -> None:
    given = {"day": "2026-01-05", "currency": "USD", "rate": "2", "direction": "per_base"} | {field: value}
    refused = owner.post("/settings/organisation/rates/", given)
    assert (refused.status_code, f"({code})" in refused.text) == (422, True)
    assert f'href="#id_{field}"' in refused.text


@pytest.mark.parametrize(
    ("field", "value"), [("language", "tlh"), ("time_zone", "Mars/Olympus"), ("currency", "XYZ"), ("name", "x" * 121)]
)
def test_organisation_that_is_none_is_refused_at_its_field(owner: Browser, field: str, value: str) -> None:
    given = {"name": "Example", "language": "en", "time_zone": "UTC", "currency": "EUR"} | {field: value}
    refused = owner.post("/settings/organisation/", given)
    assert (refused.status_code, f'href="#id_{field}"' in refused.text) == (422, True)


def test_viewer_reads_what_a_viewer_may(town: Living, owner: Browser, viewer: Browser) -> None:
    """D-42: every button stands there with the sentence that the API would answer."""
    page = viewer.get("/settings/privacy/").text
    assert page.count('aria-disabled="true"') == 3
    for scope in ("catalog:write", "team:admin", "customers:personal"):
        assert f"Needs permission {scope}; an owner can grant it." in page
    assert 'aria-disabled="true"' in viewer.get("/settings/organisation/").text
    assert viewer.get("/settings/privacy/suppressions/").status_code == 403
    person = _page_of(town, "u8")
    assert viewer.post(f"{person}privacy/", {"about": "offers", "granted": "no"}).status_code == 403
    for address in (
        f"{person}export",
        f"{person}erase",
        "/settings/privacy/suppressions/sup_1/lift",
        "/settings/privacy/erasures/era_1/withdraw",
    ):
        assert viewer.post(address, {"typed": person.split("/")[2]}).status_code == 403
    for address, sent in (
        ("/settings/privacy/", {"do": "floor"}),
        ("/settings/privacy/", {"do": "kept"}),
        ("/settings/organisation/", {}),
        ("/settings/organisation/rates/", {}),
    ):
        assert viewer.post(address, sent).status_code == 403
    erasures = viewer.get("/settings/privacy/erasures/")
    assert (
        erasures.status_code,
        "@example.com" in erasures.text.replace("alice@example.com", "").replace("bob@example.com", ""),
    ) == (200, False)


def test_outsider_is_sent_to_the_door(town: Living) -> None:
    for address in SETTINGS:
        answer = httpx.get(town.server.address + address)
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={address}")


@pytest.mark.parametrize("address", SETTINGS)
def test_settings_work_in_every_language(owner: Browser, address: str) -> None:
    for language in ("en", "de", "fr"):
        page = owner._client.get(address, headers={"Accept-Language": language})
        assert (page.status_code, page.text.count("<h1>"), " style=" in page.text) == (200, 1, False)


def test_unknown_parameters_and_cursors_are_named(owner: Browser) -> None:
    for address in SETTINGS[1:2] + SETTINGS[3:]:
        assert "This page does not know: colour." in owner.get(f"{address}?colour=red").text
        assert owner.get(f"{address}?cursor=NQ").status_code == 400


@pytest.fixture
def store(db: None, tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with open_store(tmp_path) as warehouse:
        yield warehouse


@pytest.mark.parametrize("count", [1, 3])
def test_lists_ask_as_little_for_many_rows(
    store: DuckDBWarehouse, as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    """D-28: session, member, rows."""
    now = datetime.now(UTC)
    for number in range(count):
        Suppression.objects.create(
            id=f"sup_{number}",
            kind="email",
            identity="a@example.com",
            mark=str(number),
            reason="manual",
            since=now,
            made_by="a",
        )
        Erasure.objects.create(
            id=f"era_{number}",
            keys=BitMap([number + 1]).serialize(),
            customer_count=1,
            requested_at=now,
            requested_by="a",
            due_at=now,
        )
    for address in SETTINGS[3:]:
        with django_assert_num_queries(3):
            assert as_alice.get(address).status_code == 200


@pytest.mark.untraced
def test_naughty_texts_are_taken_or_refused(store: DuckDBWarehouse, as_alice: Client) -> None:
    """Names of the organisation, and addresses and ids that get no message: kept or refused, shown as typed."""
    organisation = Sender(as_alice, "/settings/organisation/")
    suppressions = Sender(as_alice, "/settings/privacy/suppressions/")
    answers = set()
    for text in naughty_from(1):
        named = {"name": text, "language": "en", "time_zone": "UTC", "currency": "EUR"}
        answers.add(organisation.post("/settings/organisation/", named).status_code)
        for kind in ("email", "external"):
            sent = {"kind": kind, "identity": text, "reason": "manual"}
            answers.add(suppressions.post("/settings/privacy/suppressions/", sent).status_code)
    assert answers == {302, 422}
    for address in SETTINGS:
        assert "<script>alert" not in as_alice.get(address).content.decode()
