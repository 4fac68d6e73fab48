"""What happens to groups and customers is what the edge answers by, in a whole installation (edge spec, section 7)."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.conftest import copied, environment_of
from tests.integration.edge.served import Served, served
from tests.integration.groups.conftest import in_group, matching, up_to
from tests.integration.groups.test_known_groups import apply, judge
from tests.integration.living import Document, csv_of
from tests.integration.processes import kill, wait_until

_SWAPS = int(os.environ.get("MUSTER_SWAPS", "20"))
_PEOPLE = {"kind": "customers", "row": {"external_id": "id", "email": "email"}}


@contextmanager
def installation(home: Path) -> Iterator[Served]:
    with served(environment_of(home)) as running:
        wait_until(lambda: running.edge.get("/readyz").json()["checks"]["online"] == "ok")
        yield running


@pytest.fixture(scope="module")
def loaded(_peopled: Path) -> Path:
    return _peopled


@pytest.fixture(scope="module")
def town(loaded: Path) -> Iterator[Served]:
    with copied(loaded) as home, installation(home) as running:
        yield running


@pytest.fixture(scope="module")
def key(town: Served) -> str:
    return town.key()


@pytest.fixture(scope="module")
def open_key(town: Served) -> str:
    return town.key("publishable")


@pytest.fixture
def make(town: Served) -> Iterator[Any]:
    """Creates groups and takes them away again, users first."""
    made: list[str] = []

    def create(key: str, definition: Document | None, exposure: str = "signed") -> Document:
        fields = {"key": key, "name": key.title(), "exposure": exposure}
        fields |= {"kind": "known"} if definition is None else {"definition": definition}
        group = town.living.post("/groups", fields, 201)
        made.append(group["id"])
        return group

    yield create
    for identifier in reversed(made):
        town.living.local.delete(f"/groups/{identifier}")


def edit(town: Served, group: str, **changes: object) -> Document:
    told = {"If-Match": f'"{town.living.get(f"/groups/{group}")["revision"]}"'}
    answer = town.living.local.patch(f"/groups/{group}", json=changes, headers=told)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def decided(town: Served, key: str, person: str) -> list[str]:
    answer = town.edge.post("/edge/v1/decide", json={"customer": {"id": person}}, headers={"X-Muster-Key": key})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["groups"])


def test_group_is_answered_when_the_call_that_exposed_it_returns(town: Served, key: str, make: Any) -> None:
    """E-32."""
    make("shown", up_to(30), "never")
    assert decided(town, key, "u1") == []
    edit(town, "shown", exposure="signed")
    assert [decided(town, key, one) for one in ("u1", "u30", "u31", "nobody")] == [["shown"], ["shown"], [], []]
    edit(town, "shown", exposure="never")
    assert decided(town, key, "u1") == []


def test_exposure_decides_who_is_told(town: Served, key: str, open_key: str, make: Any) -> None:
    """E-8, with a token made as an app's server makes it."""
    made = town.living.post("/apps/notes/token-keys", {"algorithm": "HS256"}, 201)
    secret = urlsafe_b64decode(made["secret"] + "=")
    now = int(time.time())
    token = jwt.encode({"sub": "u1", "iat": now, "exp": now + 60}, secret, "HS256", headers={"kid": made["id"]})
    make("for-all", up_to(30), "open")
    make("for-signed", up_to(30))
    make("listed", None)
    signed = {"X-Muster-Key": open_key, "X-Muster-Customer": token}
    assert decided(town, open_key, "u1") == ["for-all"]
    assert town.edge.post("/edge/v1/decide", json={}, headers=signed).json()["groups"] == ["for-all", "for-signed"]
    assert decided(town, key, "u1") == ["for-all", "for-signed"]
    town.living.post(f"/apps/notes/token-keys/{made['id']}/revoke")
    assert town.edge.post("/edge/v1/decide", json={}, headers=signed).status_code == 401


def test_edited_group_has_other_members_at_once(town: Served, key: str, make: Any) -> None:
    """E-35, G-16: also those of the groups that refer to it."""
    make("inner", up_to(30))
    make("outer", in_group("inner"))
    edit(town, "inner", definition=up_to(40))
    assert decided(town, key, "u35") == ["inner", "outer"]
    edit(town, "inner", definition=up_to(30))
    assert decided(town, key, "u35") == []


def test_group_that_is_put_away_is_answered_no_more(town: Served, key: str, make: Any) -> None:
    made = make("brief", up_to(30))
    town.living.post(f"/groups/{made['id']}/archive")
    assert decided(town, key, "u1") == []
    town.living.post(f"/groups/{made['id']}/restore")
    assert decided(town, key, "u1") == ["brief"]
    assert town.living.local.delete(f"/groups/{made['id']}").status_code == 204
    assert decided(town, key, "u1") == []


def test_bit_of_a_group_that_is_gone_serves_another(town: Served, key: str, make: Any) -> None:
    """E-32: nobody of the one is left in the other."""
    first = make("first", up_to(40))
    town.living.local.delete(f"/groups/{first['id']}")
    make("second", up_to(26))
    assert [decided(town, key, one) for one in ("u26", "u27", "u40")] == [["second"], [], []]
    assert town.living.post("/online/check") == {"wrong": {}}


def test_complementary_groups_are_never_seen_apart(town: Served, key: str, make: Any) -> None:
    """E-33: `others` is all who are not in `some`; while that is edited, everybody is in exactly one.

    `MUSTER_SWAPS` sets how often: 10,000 once, by hand (section 12).
    """
    make("some", up_to(26))
    make("others", matching({"none": [{"group": "some"}]}))
    ending = threading.Event()
    seen: set[tuple[str, ...]] = set()

    def ask() -> None:
        with httpx.Client(base_url=town.edge.base_url, headers={"X-Muster-Key": key}) as client:
            while not ending.is_set():
                answer = client.post("/edge/v1/decide", json={"customer": {"id": "u40"}})
                seen.add(tuple(answer.json()["groups"]))

    readers = [threading.Thread(target=ask) for _ in range(2)]
    for reader in readers:
        reader.start()
    for points in itertools.islice(itertools.cycle((45, 26)), _SWAPS):
        edit(town, "some", definition=up_to(points))
    ending.set()
    for reader in readers:
        reader.join()
    assert seen == {("some",), ("others",)}


def test_new_customer_is_known_and_on_the_list_that_waited(town: Served, key: str, make: Any) -> None:
    """G-23, G-28: an address that named nobody names the imported customer."""
    make("testers", None)
    apply(town.living, judge(town.living, "testers", text="new@example.com"))
    assert decided(town, key, "n1") == []
    town.living.bring_in(csv_of("id,email", "n1,new@example.com"), _PEOPLE)
    wait_until(lambda: decided(town, key, "n1") == ["testers"])


def test_erased_customer_is_nobody_when_it_is_done(town: Served, key: str, make: Any) -> None:
    """E-35, C-45: a place of its own in the receipt."""
    make("loved", up_to(30))
    assert decided(town, key, "u7") == ["loved"]
    customer = town.living.get("/customers/external:u7")["id"]
    ordered = town.living.post("/customers/external:u7/erase", {"confirm": customer}, 202)
    town.living.finish(town.living.get(f"/erasures/{ordered['id']}")["job"]["id"])
    asked = {"customer": {"id": "u7"}}
    told = town.edge.post("/edge/v1/decide", json=asked, headers={"X-Muster-Key": key}).json()
    assert (told["groups"], told["subject"]["known"]) == ([], False)
    places = {one["place"]: one for one in town.living.get(f"/erasures/{ordered['id']}")["receipt"]["places"]}
    assert places["published"]["found"] == 0


def test_undone_import_leaves_no_name(town: Served, key: str) -> None:
    made = town.living.bring_in(csv_of("id,email", "gone1,gone@example.com"), _PEOPLE)
    before = town.living.get("/online")["identities"]
    undone = town.living.post(f"/imports/{made['id']}/undo", {}, 202)
    town.living.finish(undone["job"]["id"])
    wait_until(lambda: town.living.get("/online")["identities"] == before - 1)


def test_store_is_told_about_checked_and_made_anew(town: Served, make: Any) -> None:
    """E-44."""
    make("kept", up_to(30))
    town.living.settle()
    status, shown = town.living.command("online", "status")
    assert (status, shown["complete"], shown["groups"], shown["mask_bytes"]) == (0, True, 1, 8)
    assert town.living.command("online", "check") == (0, {"wrong": {}})
    status, rebuilt = town.living.command("online", "rebuild")
    assert (status, rebuilt["groups"], rebuilt["identities"]) == (0, 1, shown["identities"])
    assert town.living.command("online", "check") == (0, {"wrong": {}})
    status, found = town.living.command("online", "get", "external:u1")
    assert (status, found["groups"]) == (0, [{"key": "kept", "exposure": "signed", "guarded": False}])
    status, refused = town.living.command("online", "get", "external:nobody")
    assert (status, refused["code"]) == (3, "customer_unknown")


@pytest.mark.parametrize("damage", ["lost", "unreadable", "killed"])
def test_store_is_right_again_after_a_restart(loaded: Path, damage: str) -> None:
    """E-38: whatever became of it, and of whoever was about to publish."""
    with copied(loaded) as home:
        with installation(home) as running:
            key = running.key()
            fields = {"key": "kept", "name": "Kept", "exposure": "signed", "definition": up_to(30)}
            running.living.post("/groups", fields, 201)
            assert decided(running, key, "u1") == ["kept"]
            if damage == "killed":
                kill(running.living.server.process)
                running.living.server.process.returncode = 0
        store = home / "online" / "data.mdb"
        if damage == "lost":
            store.unlink()
        elif damage == "unreadable":
            store.write_bytes(b"\0" * store.stat().st_size)
        # It says so, which no server of a test otherwise does.
        said = pytest.raises(AssertionError, match="it is set aside and made again")
        with said if damage == "unreadable" else nullcontext(), installation(home) as running:
            shown = [decided(running, key, one) for one in ("u1", "u31")], running.living.post("/online/check")
        assert shown == ([["kept"], []], {"wrong": {}})


def test_edge_answers_while_control_is_stopped(town: Served, key: str, make: Any) -> None:
    """Section 8: the last publication."""
    make("lasting", up_to(30))
    process = town.living.server.process
    os.kill(process.pid, signal.SIGSTOP)
    try:
        assert decided(town, key, "u1") == ["lasting"]
    finally:
        os.kill(process.pid, signal.SIGCONT)
