"""The command line: one door whether a server runs or not, errors as one line each, exit codes."""

from __future__ import annotations

import json

from tests.integration.processes import muster, serving

# Commands whose answers do not depend on when they are asked.
_QUESTIONS = (
    ("tokens", "list"),
    ("tokens", "list", "--json"),
    ("jobs", "list", "--state", "failed"),
    ("jobs", "list", "--state", "sleeping"),
    ("jobs", "show", "job_none"),
    ("tokens", "create", "ci", "--scope", "groups:steal"),
    ("tokens", "create", "", "--scope", "groups:read", "--json"),
    ("tokens", "revoke", "tok_none"),
)


def _answers(environment: dict[str, str]) -> list[tuple[int, str, str]]:
    done = [muster(environment, *question) for question in _QUESTIONS]
    return [(ended.returncode, ended.stdout, ended.stderr) for ended in done]


def test_server_or_not_the_answers_are_the_same(environment: dict[str, str]) -> None:
    made = muster(environment, "tokens", "create", "ci", "--scope", "jobs:read", "--scope", "groups:read")
    assert (made.returncode, made.stdout[:4], made.stderr) == (0, "mst_", "")
    alone = _answers(environment)
    with serving(environment):
        asked = _answers(environment)
    assert asked == alone
    assert [code for code, _, _ in alone] == [0, 0, 0, 2, 3, 1, 1, 3]


def test_errors_are_one_line_with_code_place_and_sentence(environment: dict[str, str]) -> None:
    refused = muster(environment, "tokens", "create", "ci", "--scope", "groups:steal")
    assert refused.stderr.startswith("error [value_not_allowed] at /scopes/0: `groups:steal` is no scope; there are ")
    missing = muster(environment, "jobs", "show", "job_none")
    assert (missing.stdout, missing.stderr) == ("", "error [job_unknown]: There is no job job_none.\n")
    document = json.loads(muster(environment, "jobs", "show", "job_none", "--json").stderr)
    assert (document["code"], document["status"]) == ("job_unknown", 404)


def test_command_that_starts_a_server_waits_for_it(environment: dict[str, str]) -> None:
    """A command that is given while a server runs asks it, and the token it makes opens the server's own door."""
    with serving(environment):
        secret = muster(environment, "tokens", "create", "ci", "--scope", "jobs:read").stdout.strip()
        listed = json.loads(muster(environment, "tokens", "list", "--json").stdout)
    assert [token["name"] for token in listed["items"]] == ["ci"]
    assert secret.startswith("mst_")
