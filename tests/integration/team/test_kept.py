"""What outlives the process, and the version before: failures that were counted, members, passwords, tokens."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import zstandard

from tests.integration.pages import Browser
from tests.integration.processes import Serving, serving

_RELEASE = Path(__file__).parents[2] / "data" / "releases" / "0.1.0.tar.zst"
_PASSWORD = "correct horse battery"
_SECRET = "mst_of the version before"


@contextmanager
def _browser(served: Serving) -> Iterator[Browser]:
    with httpx.Client(base_url=served.address, timeout=60) as client:
        yield Browser(client)


def _log_in(served: Serving, email: str, password: str) -> httpx.Response:
    with httpx.Client(base_url=served.address, timeout=60) as client:
        [token] = re.findall(r'csrfmiddlewaretoken" value="([^"]+)"', client.get("/login").text)[:1]
        fields = {"email": email, "password": password, "csrfmiddlewaretoken": token}
        return client.post("/login", data=fields, headers={"Referer": served.address})


def test_failed_attempts_are_counted_across_a_restart(environment: dict[str, str]) -> None:
    with serving(environment) as served:
        with _browser(served) as browser:
            browser.set_up(served.setup_token)
        answers = [_log_in(served, "alice@example.com", "wrong").status_code for _ in range(5)]
        assert answers == [422] * 5
    with serving(environment) as served:
        locked = _log_in(served, "alice@example.com", _PASSWORD)
        assert (locked.status_code, "Too many attempts have failed." in locked.text) == (422, True)


def _written_by_the_version_before(home: Path) -> None:
    """A member with a hash as Django's scrypt writes it, and a token; made without our code."""
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(_RELEASE.read_bytes())).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        for member in tar.getmembers():
            if member.name.startswith("home/"):
                member.name = member.name.removeprefix("home/")
                tar.extract(member, home, filter="data")
    home.chmod(0o700)
    key = hashlib.scrypt(_PASSWORD.encode(), salt=b"a salt", n=2**14, r=8, p=5, maxmem=2**26, dklen=64)
    password = f"scrypt$16384$a salt$8$5${base64.b64encode(key).decode()}"
    row = ("mem_1", "Ada@Example.com", password, "Ada", "owner", "de", "Europe/Berlin", 1, "2026-01-01 00:00:00")
    with sqlite3.connect(home / "control.sqlite3") as database:
        database.execute(
            "INSERT INTO team_member (id, email, password, name, role, language, time_zone, is_active, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )
        database.execute(
            "INSERT INTO team_apitoken (id, name, secret_hash, scopes, created_by, created_at)"
            " VALUES ('tok_1', 'ci', ?, '[\"groups:read\"]', 'Ada@Example.com', '2026-01-01 00:00:00')",
            (hashlib.sha256(_SECRET.encode()).hexdigest(),),
        )


def test_members_passwords_and_tokens_of_the_version_before_go_on(environment: dict[str, str], home: Path) -> None:
    _written_by_the_version_before(home)
    with serving(environment) as served:
        assert served.setup_token is None
        entered = _log_in(served, "ada@example.com", _PASSWORD)
        assert (entered.status_code, entered.headers.get("Location")) == (302, "/")
        bearer = {"Authorization": f"Bearer {_SECRET}"}
        me = httpx.get(f"{served.address}/api/v1/me", headers=bearer).json()
        assert me == {"kind": "token", "id": "tok_1", "label": "ci", "scopes": ["groups:read"]}
        cookies = {"sessionid": entered.cookies["sessionid"]}
        mine = httpx.get(f"{served.address}/api/v1/me", cookies=cookies).json()
        assert (mine["role"], mine["preferences"]["theme"], len(mine["scopes"])) == ("owner", "auto", 14)
        page = httpx.get(f"{served.address}/settings/team/", cookies=cookies).text
        # allauth's own migration writes addresses in lower case; they are found whatever their case.
        assert ('<html lang="de">' in page, "ada@example.com" in page) == (True, True)
