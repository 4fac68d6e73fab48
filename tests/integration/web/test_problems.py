"""Every error leaves as problem+json with a stable code under /api, and as a page elsewhere (D-41)."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.web.faulty_urls")]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("definition", 422, "definition_invalid"),
        ("place", 409, "key_taken"),
        ("use", 409, "in_use"),
        ("customer", 404, "customer_unknown"),
        ("column", 422, "column_unknown"),
        ("scope", 403, "scope_missing"),
        ("nothing", 404, "not_found"),
        ("denied", 403, "forbidden"),
        ("internal", 500, "internal_error"),
    ],
)
def test_fault_of_an_operation_has_its_status_and_code(client: Client, fault: str, status: int, code: str) -> None:
    answer = client.get(f"/api/test/fault/{fault}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:muster:problem:{code}")
    assert "secret" not in answer.content.decode()


def test_definition_tells_every_place(client: Client) -> None:
    """G-10"""
    assert client.get("/api/test/fault/definition").json() == {
        "type": "urn:muster:problem:definition_invalid",
        "title": "Definition invalid",
        "status": 422,
        "detail": "unknown attribute `contry` (1 more)",
        "code": "definition_invalid",
        "errors": [
            {
                "pointer": "/all/0/attribute",
                "code": "unknown_attribute",
                "message": "unknown attribute `contry`",
                "nearest": "country",
            },
            {
                "pointer": "/all/1/op",
                "code": "operator_not_allowed",
                "message": "`before` does not go with text.",
                "nearest": None,
            },
        ],
    }


def test_error_with_a_place_lists_it(client: Client) -> None:
    problem = client.get("/api/test/fault/place").json()
    assert problem["errors"] == [
        {"pointer": "/key", "code": "key_taken", "message": "The key is taken.", "nearest": None}
    ]


def test_error_keeps_what_else_it_knows(client: Client) -> None:
    assert client.get("/api/test/fault/use").json()["used_by"] == [{"kind": "flight", "id": "fl_1"}]


def test_internal_error_is_logged_under_its_reference(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "muster.web"):
        problem = client.get("/api/test/fault/internal").json()
    logged = [record for record in caplog.records if record.name == "muster.web"]
    assert [problem["reference"] in record.getMessage() for record in logged] == [True]
    assert problem["reference"] in problem["detail"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"name": ', "The body is not JSON: Expecting value in line 1, column 10."),
        (b'{"name": "a", "name": "b"}', "The field `name` stands twice in one object; keep one of them."),
        (b'{"name": "a", "size": NaN}', "The body is not JSON: NaN is not a number of JSON."),
        (b'{"name": "\xff"}', "The body is not UTF-8: byte 11 cannot be read."),
        (
            b'{"name": "\\u0000"}',
            "The body holds a character that no store can keep (NUL or half a surrogate pair).",
        ),
        (
            b'{"name": "\\ud800"}',
            "The body holds a character that no store can keep (NUL or half a surrogate pair).",
        ),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'{"name": "a", "size": ' + b"9" * 5000 + b"}", "The body holds a number of too many digits."),
    ],
)
def test_body_that_is_not_json_says_where(client: Client, body: bytes, sentence: str) -> None:
    answer = client.post("/api/test/body", body, content_type="application/json")
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["detail"]) == (400, "json_unreadable", sentence)


def test_emoji_written_as_a_surrogate_pair_is_read(client: Client) -> None:
    answer = client.post("/api/test/body", b'{"name": "\\ud83d\\ude00"}', content_type="application/json")
    assert answer.json() == {"name": "\N{GRINNING FACE}"}


def test_fields_of_the_wrong_kind_are_named_by_pointer(client: Client) -> None:
    answer = client.post("/api/test/body", b'{"size": "many"}', content_type="application/json")
    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/name", "missing"),
        ("/size", "int_parsing"),
    ]


def test_parameter_of_the_wrong_kind_is_named(client: Client) -> None:
    problem = client.get("/api/test/number?limit=many").json()
    assert [(error["pointer"], error["parameter"]) for error in problem["errors"]] == [("", "limit")]


def test_address_and_method_that_are_not_there(client: Client) -> None:
    missing = client.get("/api/v1/nothing/here")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    wrong = client.put("/api/v1/me")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["Allow"]) == (405, "method_not_allowed", "GET")


def test_body_larger_than_what_is_read_is_refused(client: Client) -> None:
    answer = client.post("/api/test/body", b" " * (5 * 1024 * 1024), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("header", "status", "answered"),
    [
        ('"3"', 200, {"revision": 3}),
        ("3", 200, {"revision": 3}),
        ('W/"3"', 200, {"revision": 3}),
        (None, 428, "revision_required"),
        ("*", 422, "revision_invalid"),
        ('"three"', 422, "revision_invalid"),
        ('"' + "9" * 30 + '"', 422, "revision_invalid"),
    ],
)
def test_change_names_the_revision_it_changes(
    client: Client, header: str | None, status: int, answered: object
) -> None:
    answer = client.patch("/api/test/thing", headers={} if header is None else {"If-Match": header})
    document = answer.json()
    assert (answer.status_code, document.get("code", document)) == (status, answered)


def test_who_is_nobody_is_asked_for_a_token(client: Client) -> None:
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Muster"'


@pytest.mark.parametrize(("fault", "status"), [("scope", 403), ("nothing", 404), ("use", 409), ("internal", 500)])
def test_fault_of_a_page_is_a_page_with_sentence_and_code(client: Client, fault: str, status: int) -> None:
    answer = client.get(f"/fault/{fault}")
    text = answer.content.decode()
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert ("<code>" in text, "secret" in text) == (True, False)


def test_address_without_a_page_sends_an_outsider_nowhere(client: Client) -> None:
    assert client.get("/nothing/here").status_code == 404
