"""Pages against their limits (dashboard.md, section 10): `make bench-pages`.

    python -m bench.pages [--world sample|generated] [--rounds 30] [--no-lighthouse] [--only-lighthouse]

An installation of its own, in a folder that is removed unless `--directory` names one to keep: the sample, or a hundred
thousand generated customers, with fifty
groups. The server runs in this process, so that engine and page are asked of the same warehouse in the same run.
Every figure is a line `bench NAME RATIO LIMIT ok|short`; limits that are no ratios are measured in units of the limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx

from bench.groups import pairs, report, short

ROWS = 50
KILOBYTE = 1000
LISTS = (
    "/groups/?rows=50",
    "/jobs/",
    "/settings/team/",
    "/settings/tokens/",
    "/apps/",
    "/customers/imports/",
    "/settings/audit/",
)
CONDITION = {"attribute": "country", "op": "in"}
COUNTRIES = ("DE", "FR", "GB", "US", "CA", "AU")


def main() -> int:
    reader = argparse.ArgumentParser()
    reader.add_argument("--world", choices=("sample", "generated"), default="sample")
    reader.add_argument("--rounds", type=int, default=30)
    reader.add_argument("--no-lighthouse", action="store_true")
    reader.add_argument("--only-lighthouse", action="store_true")
    reader.add_argument("--directory", type=Path)
    wanted = reader.parse_args()
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder, ExitStack() as stack:
        home = wanted.directory or Path(folder)
        environment = _environment(home)
        if (home / "control.sqlite3").exists():
            pass
        elif wanted.world == "sample":
            command = [sys.executable, "-m", "muster.wiring.main", "demo", "load"]
            subprocess.run(command, env=environment, check=True, capture_output=True)
        else:
            _generate(home)
        address, session = stack.enter_context(_serving(environment))
        if not wanted.only_lighthouse:
            _measure(address, session, wanted)
        if wanted.world == "sample" and not wanted.no_lighthouse:
            from bench.lighthouse import bench_lighthouse

            bench_lighthouse(address, session, report)
    return int(short())


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "MUSTER_HOME": str(home),
        "MUSTER_PORT": "0",
        "DJANGO_SETTINGS_MODULE": "bench.admin.settings",
    }


def _generate(home: Path) -> None:
    from bench.generate import SIZES, prepare
    from bench.groups import RESOURCES

    prepare(home / "warehouse", SIZES["small"], RESOURCES).close()


@contextmanager
def _serving(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Its address, and the session of an owner who is logged in; fifty groups are there."""
    os.environ.update(environment)
    import django

    django.setup()
    from muster.wiring.configuration import read_configuration
    from muster.wiring.installation import open_installation
    from muster.wiring.server import Server

    with open_installation(read_configuration(), takes_all_jobs=True) as installation:
        session = _inhabit()
        server = Server(installation)
        loop = threading.Thread(target=server.run)
        loop.start()
        try:
            yield server.address, session
        finally:
            server.stop()
            loop.join()
            server.close()


def _inhabit() -> str:
    from django.test import Client

    from muster.catalog.actions import create_app
    from muster.catalog.queries import apps
    from muster.groups.actions.segments import create_segment
    from muster.groups.models import Group
    from muster.team.actions.setup import create_owner
    from muster.team.hooks import Organisation
    from muster.team.models import Member
    from muster.team.policies import LOCAL

    owner = Member.objects.first() or create_owner(
        "alice@example.com", "correct horse battery", Organisation("Example", "en", "UTC", "EUR")
    )
    if not apps():
        create_app(LOCAL, key="notes", name={"en": "Notes"})
    for number in range(ROWS - Group.objects.exclude(state="inactive").count()):
        create_segment(LOCAL, name=f"Segment {number:02}", definition=_definition(number))
    client = Client()
    client.force_login(owner)
    return client.cookies["sessionid"].value


def _definition(number: int) -> dict[str, Any]:
    """Another one for every number: none is answered from an answer before."""
    countries = sorted({COUNTRIES[number % 6], COUNTRIES[(number // 6) % 6], COUNTRIES[(number // 36) % 6]})
    spent = {"attribute": "store_spend", "op": "gt", "value": number}
    return {"version": 1, "match": {"any": [{**CONDITION, "value": countries}, spent]}}


def _measure(address: str, session: str, wanted: argparse.Namespace) -> None:
    cookies = {"sessionid": session}
    with httpx.Client(base_url=address, cookies=cookies, timeout=60) as browser:
        if wanted.world == "sample":
            bench_bytes(browser)
            bench_queries(session)
            bench_list(session, wanted.rounds)
        bench_preview(browser, wanted.world, wanted.rounds)


def bench_bytes(browser: httpx.Client) -> None:
    """As transferred: Brotli where there is Brotli, headers included neither here nor in the limits."""
    from muster.groups.models import Group

    segment = f"/groups/{Group.objects.filter(kind='segment').order_by('-size').values_list('key', flat=True)[0]}/"
    for name, address, limit in (("page", "/groups/?rows=50", 100), ("chart", segment, 320)):
        page, sizes = _page(browser, address)
        report(
            f"bytes-cold-{name}",
            sum(sizes.values()) / (limit * KILOBYTE),
            1.0,
            f"{sum(sizes.values()):,} of {limit} KB",
        )
        report(f"bytes-warm-{name}", sizes[address] / (15 * KILOBYTE), 1.0, f"{sizes[address]:,} of 15 KB")
        counter = _Nodes()
        counter.feed(page)
        report(f"nodes-{name}", counter.count / 1500, 1.0, f"{counter.count:,} of 1,500")
    size = len(_raw(browser.build_request("GET", "/groups/new/segment/", headers={"HX-Request": "true"}), browser)[1])
    report("bytes-fragment", size / (10 * KILOBYTE), 1.0, f"{size:,} of 10 KB, the builder's form")


class _Nodes(HTMLParser):
    count = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.count += 1


def _page(browser: httpx.Client, address: str) -> tuple[str, dict[str, int]]:
    """The text, and the bytes of itself and of every file it names."""
    import re

    text, packed = _raw(browser.build_request("GET", address), browser)
    sizes = {address: len(packed)}
    for asset in set(re.findall(r'(?:href|src)="(/static/[^"#]+)', text)):
        sizes[asset] = len(_raw(browser.build_request("GET", asset), browser)[1])
    return text, sizes


def _raw(request: httpx.Request, browser: httpx.Client) -> tuple[str, bytes]:
    """Content as read, and as it came over the wire."""
    request.headers["Accept-Encoding"] = "gzip, br"
    answer = browser.send(request, stream=True)
    packed = b"".join(answer.iter_raw())
    assert answer.status_code == 200, (str(request.url), answer.status_code)
    decoded = httpx.Response(
        200, headers={"Content-Encoding": answer.headers.get("Content-Encoding", "")}, content=packed
    )
    return decoded.text, packed


def _client(session: str) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.cookies["sessionid"] = session
    return client


def bench_queries(session: str) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = _client(session)
    for address in LISTS:
        with CaptureQueriesContext(connection) as asked:
            status = client.get(address).status_code
        if status == 200:
            name = address.partition("?")[0].strip("/").replace("/", "-")
            report(f"queries-{name}", len(asked) / 8, 1.0, f"{len(asked)} of 8")
        else:
            print(f"  {address} answers {status}", file=sys.stderr)


def bench_list(session: str, rounds: int) -> None:
    """CPU of this process, in pairs, without sockets: the same for both."""
    client = _client(session)
    ours, theirs = (partial(_answered, client, address) for address in ("/groups/?rows=50", "/admin/groups/group/"))
    assert client.get("/admin/groups/group/").content.count(b'<th class="field-name') == ROWS
    ratio, mine, other = cpu_pairs(ours, theirs, rounds)
    report("list-50-vs-admin", ratio, 1.0, f"{mine * 1000:.1f} ms of CPU against {other * 1000:.1f} ms")


def _answered(client: Any, address: str) -> None:
    assert client.get(address).status_code == 200, address


def cpu_pairs(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    for work in (ours, theirs) * 3:
        work()
    timed = [(_cpu(ours), _cpu(theirs)) for _ in range(rounds)]
    mine, other = (statistics.median(column) for column in zip(*timed, strict=True))
    return statistics.median(one / two for one, two in timed), mine, other


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def bench_preview(browser: httpx.Client, world: str, rounds: int) -> None:
    """One edit of the builder's form as htmx sends it, against the engine's answer and one page without content."""
    from muster.groups.queries.evaluation import vocabulary
    from muster.groups.queries.previews import preview_definition
    from muster.rules.codec import decode

    numbers = iter(range(10**6))
    turn = [0]

    def page() -> None:
        turn[0] = next(numbers)
        answer = browser.post("/groups/new/segment/", data=_form(turn[0]), headers=headers)
        assert (answer.status_code, 'class="big"' in answer.text) == (200, True), answer.text[:500]

    def baseline() -> None:
        definition = decode(_definition(turn[0]), vocabulary())
        preview_definition(definition, may_list=True, editor="bench", every_node=True)
        assert browser.get("/find").status_code == 200

    headers = {"HX-Request": "true", "Referer": str(browser.base_url), "X-CSRFToken": _token(browser)}
    ratio, mine, other = pairs(page, baseline, rounds)
    report(f"builder-{world}", ratio, 1.2, f"{mine * 1000:.1f} ms against {other * 1000:.1f} ms")


def _token(browser: httpx.Client) -> str:
    import re

    return re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/groups/new/segment/").text)[0]


def _form(number: int) -> dict[str, str]:
    """The rows of `_definition(number)` as the page sends them."""
    any_of, spent = _definition(number)["match"]["any"]
    country = {f"in.nodes.0.values.{place}": value for place, value in enumerate(any_of["value"])}
    return {
        "language": "en", "app": "", "name": "Bench", "in.match": "any",
        "in.nodes.0.kind": "attribute/demographic", "in.nodes.0.attribute": "country", "in.nodes.0.op": "in", **country,
        "in.nodes.1.kind": "attribute/store_spend", "in.nodes.1.attribute": "store_spend", "in.nodes.1.op": "gt",
        "in.nodes.1.value": str(spent["value"]),
    }  # fmt: skip  # a table, read by rows


if __name__ == "__main__":
    sys.exit(main())
