"""The edge does what its document says, and what OFREP's says: Schemathesis asks whatever they allow, and the rest.

`MUSTER_CASES` sets how many requests are made up for each call, beside those at the edges; `-s` shows figures.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from scripts import describe_edge

from muster.edge import ofrep
from muster.edge.app import EdgeApp
from muster.edge.settings import EdgeSettings
from tests.integration.edge.served import Served, served

# Unmodified, with requirements of its own: `make test` installs it.
_SCHEMATHESIS = Path(__file__).parents[3] / ".libraries/bin/schemathesis"
_OFREP = Path(__file__).parents[2] / "data/ofrep/openapi.patched.yaml"
CASES = int(os.environ.get("MUSTER_CASES", "5"))
_REFERENCE = {"$ref": "#/components/schemas/context"}
_METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def installation(module_environment: dict[str, str]) -> Iterator[Served]:
    with served(module_environment) as running:
        running.living.post("/apps", {"key": "notes"}, 201)
        told = running.living.local.patch("/publisher", json={"minimum_size": 0}, headers={"If-Match": '"1"'})
        assert told.status_code == 200, told.text
        everyone = {"version": 1, "match": {"everyone": True}}
        running.living.post("/groups", {"key": "all", "name": "All", "definition": everyone, "exposure": "open"}, 201)
        yield running


@pytest.fixture
def document(installation: Served) -> dict[str, Any]:
    answer = installation.edge.get("/edge/v1/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return dict(answer.json())


def test_document_is_what_the_code_says(document: dict[str, Any]) -> None:
    """`python -m scripts.describe_edge` writes it anew: limits, types and codes are those of the code."""
    assert describe_edge.FILE.read_text(encoding="utf-8") == describe_edge.text()
    assert document == json.loads(describe_edge.text())


def test_document_names_every_route_but_those_of_ofrep(document: dict[str, Any], tmp_path: Path) -> None:
    described = {(method.upper(), path) for path, told in document["paths"].items() for method in told}
    with_parameters = {
        ("GET", "/v1/projects/{key}/settings"),
        ("GET", "/edge/v1/positions/{position}"),
        ("PUT", "/edge/v1/consents/{purpose}"),
    }
    routes = {(method, path) for method, path in asyncio.run(_routes(tmp_path)) if method != "HEAD"}
    assert described - with_parameters == routes - {("POST", ofrep.BULK_PATH)}
    assert described >= with_parameters


async def _routes(folder: Path) -> set[tuple[str, str]]:
    app = EdgeApp(EdgeSettings(str(folder / "spool"), str(folder / "online"), str(folder / "drain.sock"), 0))
    app.open()
    found = app.routes
    await app.close()
    return found


def test_other_methods_are_told_which_are_allowed(installation: Served, document: dict[str, Any]) -> None:
    for path, told in document["paths"].items():
        allowed = {method.upper() for method in told} | ({"HEAD"} if "get" in told else set())
        address = re.sub(r"\{.*\}", "1.1", path)
        for method in _METHODS - set(told):
            answer = installation.edge.request(method.upper(), address)
            assert (answer.status_code, set(answer.headers["allow"].split(", "))) == (405, allowed)


@pytest.mark.parametrize("kind", ["server", "publishable"])
def test_own_document_is_kept(installation: Served, document: dict[str, Any], tmp_path: Path, kind: str) -> None:
    """Section 12: no fault, no answer that is not in it, of a server's key and of an app's."""
    key = installation.key(kind)
    [parameter] = document["paths"]["/v1/projects/{key}/settings"]["get"]["parameters"]
    # Nobody guesses one that there is.
    parameter["schema"] = {"anyOf": [{"const": key}, {"type": "string"}]}
    _check(installation, tmp_path, document, f"X-Muster-Key: {key}")


@pytest.mark.parametrize("kind", ["server", "publishable"])
def test_document_of_ofrep_is_kept(installation: Served, tmp_path: Path, kind: str) -> None:
    document = _patched(yaml.safe_load(_OFREP.read_text(encoding="utf-8")))
    name = document["paths"]["/ofrep/v1/evaluate/flags/{key}"]["post"]["parameters"][0]
    name["schema"] = {"anyOf": [{"const": "group.all"}, {"type": "string"}]}
    _check(installation, tmp_path, document, f"X-API-Key: {installation.key(kind)}")


def _patched(document: dict[str, Any]) -> dict[str, Any]:
    """With what it leaves open, as Muster has decided it (E-29, E-30)."""
    schemas = document["components"]["schemas"]
    # Who names nobody is evaluated as unknown: libraries leave out, or send as null, a context that nobody set.
    for asked in ("evaluationRequest", "bulkEvaluationRequest"):
        schemas[asked] = {"type": "object", "properties": {"context": {"anyOf": [{"type": "null"}, _REFERENCE]}}}
    del schemas["context"]["required"]
    schemas["context"]["properties"]["targetingKey"]["type"] = ["string", "null"]
    # What event streams tell is not read: Muster has none.
    for name in ("flagConfigEtag", "flagConfigLastModified"):
        document["components"]["parameters"][name]["schema"] = {"type": "string"}
    for path in document["paths"].values():
        responses = path["post"]["responses"]
        # Limits of bodies, and a server that has nothing to answer from yet.
        for status in ("408", "413", "415", "503"):
            responses[status] = {"description": "Not told by OFREP.", "content": responses["500"]["content"]}
        # Seconds, as the other call has it too.
        responses["429"]["headers"]["Retry-After"]["schema"] = {"type": "integer", "minimum": 1}
    return document


def _check(installation: Served, folder: Path, document: dict[str, Any], key: str) -> None:
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    told = ("--url", str(installation.edge.base_url), "--header", key, "--max-examples", str(CASES), "--checks", "all")
    quiet = ("--no-color", "--seed", "1", "--continue-on-failure", "--generation-database", "none", "--warnings", "off")
    command = [_SCHEMATHESIS, "run", file, *told, *quiet]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    sys.stdout.write(ended.stdout)
    assert installation.edge.get("/readyz").status_code == httpx.codes.OK
