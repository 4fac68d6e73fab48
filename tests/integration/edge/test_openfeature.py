"""OpenFeature's own clients, unmodified, ask a real edge for flags; tokens as others sign them (section 12)."""

from __future__ import annotations

import json
import subprocess
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pyroaring import BitMap

from muster.online.port import TokenKey
from muster.online.publication import Moved, Publication
from tests.integration.edge.conftest import Edge, running_edge
from tests.integration.edge.decided import ANN, EVE, HMAC, NOTES, SECRET, SERVER, decide, keys, publish

# Unmodified, with requirements of their own: `make test` installs them.
_PYTHON = Path(__file__).parents[3] / ".libraries/bin/python"
_NODE = Path(__file__).parent / "node"

_PROVIDER = """
import json, sys
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

address, key, asked = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
api.set_provider(OFREPProvider(address, headers_factory=lambda: {"X-API-Key": key}))
client = api.get_client()
told = []
for name, kind, default, subject, attributes in asked:
    context = None if subject is None and not attributes else EvaluationContext(subject, attributes)
    details = getattr(client, f"get_{kind}_details")(name, default, context)
    told.append([details.value, details.reason, details.variant, details.error_code, details.flag_metadata])
print(json.dumps(told))
"""

_SERVER_SDK = """
import { OpenFeature } from '@openfeature/server-sdk'
import { OFREPProvider } from '@openfeature/ofrep-provider'

const [address, key, asked] = process.argv.slice(1)
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: address, headers: [['X-API-Key', key]] }))
const client = OpenFeature.getClient()
const told = []
for (const [name, kind, preset, targetingKey, attributes] of JSON.parse(asked)) {
  const context = targetingKey === null ? attributes : { targetingKey, ...attributes }
  const found = await client[`get${kind}Details`](name, preset, context)
  told.push([found.value, found.reason, found.variant ?? null, found.errorCode ?? null, found.flagMetadata])
}
console.log(JSON.stringify(told))
"""

# Says what it is told, and asks again when a line comes in: what the test does in between, it has done by then.
_WEB_SDK = """
import { createInterface } from 'node:readline'
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk'
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider'

const [address, key, subject] = process.argv.slice(1)
let answers = [], events = []
const counted = async (request, init) => {
  const answer = await fetch(request, init)
  answers.push(answer.status)
  return answer
}
const provider = new OFREPWebProvider({
  baseUrl: address, headers: [['X-API-Key', key]], pollInterval: 50, fetchImplementation: counted,
})
OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, (told) => events.push(told.flagsChanged))
await OpenFeature.setContext({ targetingKey: subject })
await OpenFeature.setProviderAndWait(provider)
const client = OpenFeature.getClient()
const tell = () => {
  const flags = {}
  for (const name of ['group.loyal', 'group.staff', 'nope']) {
    const found = client.getBooleanDetails(name, false)
    flags[name] = [found.value, found.reason, found.errorCode ?? null]
  }
  console.log(JSON.stringify({ flags, answers, events }))
  answers = []
  events = []
}
tell()
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') break
  tell()
}
process.exit(0)
"""

_JOSE = """
import { SignJWT, importJWK } from 'jose'

const told = []
for (const { jwk, header, claims } of JSON.parse(process.argv[1])) {
  const key = await importJWK(jwk, header.alg)
  told.push(await new SignJWT(claims).setProtectedHeader(header).setIssuedAt().setExpirationTime('5m').sign(key))
}
console.log(JSON.stringify(told))
"""


@pytest.fixture(scope="module")
def served() -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(prefix="mst-") as folder, running_edge(Path(folder)) as running:
        publish(running)
        yield running


def address_of(edge: Edge) -> str:
    return str(edge.http.base_url).rstrip("/")


def ran(command: list[str], *arguments: str, folder: Path | None = None) -> Any:
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def in_node(program: str, *arguments: str) -> Any:
    return ran(["node", "--input-type=module", "-e", program, "--"], *arguments, folder=_NODE)


MEMBER, OUTSIDE, UNKNOWN = "TARGETING_MATCH", "STATIC", "UNKNOWN"
GROUP = {"kind": "group"}
CASES = [
    (["group.loyal", "boolean", False, "ann", {"plan": "pro"}], [True, MEMBER, "in", None, GROUP]),
    (["group.loyal", "boolean", True, "nobody", {}], [False, UNKNOWN, "out", None, GROUP]),
    (["group.loyal", "boolean", True, None, {"plan": "pro"}], [False, UNKNOWN, "out", None, GROUP]),
    (["group.loyal", "boolean", True, None, {}], [False, UNKNOWN, "out", None, GROUP]),
    (["group.staff", "boolean", True, "ann", {}], [True, "ERROR", None, "FLAG_NOT_FOUND", {}]),
    (["nope", "boolean", True, "ann", {}], [True, "ERROR", None, "FLAG_NOT_FOUND", {}]),
    (["group.loyal", "string", "red", "ann", {}], ["red", "ERROR", None, "TYPE_MISMATCH", {}]),
    (["group.loyal", "integer", 7, "ann", {}], [7, "ERROR", None, "TYPE_MISMATCH", {}]),
    (["group.loyal", "float", 7.5, "ann", {}], [7.5, "ERROR", None, "TYPE_MISMATCH", {}]),
    (["group.loyal", "object", {"a": 1}, "ann", {}], [{"a": 1}, "ERROR", None, "TYPE_MISMATCH", {}]),
]


def test_provider_of_python(served: Edge) -> None:
    """PyPI openfeature-provider-ofrep: each type, what is not there, nobody at all."""
    asked = json.dumps([case for case, _ in CASES])
    told = ran([str(_PYTHON), "-c", _PROVIDER], address_of(served), NOTES, asked)
    # In Python a truth value is a whole number, and the provider takes it for one.
    as_number = {7: [True, MEMBER, "in", None, GROUP]}
    assert told == [as_number.get(place, expected) for place, (_, expected) in enumerate(CASES)]


def test_provider_of_python_is_told_of_faults(served: Edge) -> None:
    ask = json.dumps([["group.loyal", "boolean", True, "ann", {}]])
    [told] = ran([str(_PYTHON), "-c", _PROVIDER], address_of(served), "mpk_none", ask)
    assert told[:4] == [True, "ERROR", None, "GENERAL"]
    ask = json.dumps([["group.payers", "boolean", False, "ann", {}]])
    [told] = ran([str(_PYTHON), "-c", _PROVIDER], address_of(served), SERVER, ask)
    assert told == [True, MEMBER, "in", None, GROUP]


_NAMES = {"boolean": "Boolean", "string": "String", "integer": "Number", "float": "Number", "object": "Object"}


def test_server_sdk_of_node(served: Edge) -> None:
    """npm @openfeature/ofrep-provider 0.1.3 with ofrep-core 0.1.4."""
    asked = json.dumps([[name, _NAMES[kind], *rest] for (name, kind, *rest), _ in CASES])
    told = in_node(_SERVER_SDK, address_of(served), NOTES, asked)
    assert [one[:4] for one in told] == [expected[:4] for _, expected in CASES]
    [refused] = in_node(
        _SERVER_SDK, address_of(served), "mpk_none", json.dumps([["group.loyal", "Boolean", True, "ann", {}]])
    )
    assert refused[:2] == [True, "ERROR"]


@contextmanager
def _page(edge: Edge, subject: str, key: str = NOTES) -> Iterator[subprocess.Popen[str]]:
    command = ["node", "--input-type=module", "-e", _WEB_SDK, "--", address_of(edge), key, subject]
    with subprocess.Popen(command, cwd=_NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.write("end\n")
        process.stdin.close()
        assert process.wait(timeout=30) == 0


def _told(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def _asked(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write("tell\n")
    process.stdin.flush()
    return _told(process)


def test_web_sdk_polls_and_is_told_only_of_changes(served: Edge) -> None:
    """Bulk, ETag, 304: a publication about others is no event; one about this person is, once."""
    assert served.online is not None
    with _page(served, "ann") as page:
        first = _told(page)
        assert first["flags"] == {
            "group.loyal": [True, MEMBER, None],
            "group.staff": [False, "ERROR", "FLAG_NOT_FOUND"],
            "nope": [False, "ERROR", "FLAG_NOT_FOUND"],
        }
        assert first["answers"][0] == 200
        served.online.publish(Publication(moved={0: Moved(BitMap([EVE]), BitMap())}))
        still = _until(page, lambda told: len(told["answers"]) >= 3)
        assert (set(still["answers"]), still["events"]) == ({304}, [])
        served.online.publish(Publication(moved={0: Moved(BitMap(), BitMap([ANN, EVE]))}))
        changed = _until(page, lambda told: bool(told["events"]))
        assert changed["flags"]["group.loyal"] == [False, UNKNOWN, None]
        assert (changed["events"], changed["answers"].count(200)) == ([["group.loyal"]], 1)
        served.online.publish(Publication(moved={0: Moved(BitMap([ANN]), BitMap())}))
        back = _until(page, lambda told: bool(told["events"]))
        assert back["flags"]["group.loyal"] == [True, MEMBER, None]


def _until(page: subprocess.Popen[str], holds: Any) -> dict[str, Any]:
    """What was told since the last time, once it holds."""
    answers: list[int] = []
    events: list[list[str]] = []
    for _ in range(10_000):
        told = _asked(page)
        answers += told["answers"]
        events += told["events"]
        whole = {"flags": told["flags"], "answers": answers, "events": events}
        if holds(whole):
            return whole
    raise AssertionError(whole)


PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def test_tokens_signed_by_jose_are_verified(served: Edge) -> None:
    """npm jose, both algorithms; what it signs with another key, or for another app, is refused."""
    assert served.online is not None
    public = _base64url(PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    private = _base64url(PRIVATE.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
    verified = (HMAC, TokenKey("ed-1", "EdDSA", public))
    served.online.publish_keys(
        {digest: msgspec.structs.replace(key, token_keys=verified) for digest, key in keys().items()}
    )
    secret = {"kty": "oct", "k": SECRET}
    pair = {"kty": "OKP", "crv": "Ed25519", "x": public, "d": private}
    other = {"kty": "oct", "k": _base64url(b"x" * 32)}
    claims = {"sub": "ann"}
    signed = in_node(
        _JOSE,
        json.dumps(
            [
                {"jwk": secret, "header": {"alg": "HS256", "kid": "hmac-1"}, "claims": claims},
                {"jwk": pair, "header": {"alg": "EdDSA", "kid": "ed-1"}, "claims": {**claims, "aud": ["notes"]}},
                {"jwk": other, "header": {"alg": "HS256", "kid": "hmac-1"}, "claims": claims},
                {"jwk": secret, "header": {"alg": "HS256", "kid": "ed-1"}, "claims": claims},
                {"jwk": secret, "header": {"alg": "HS512", "kid": "hmac-1"}, "claims": claims},
                {"jwk": secret, "header": {"alg": "HS256", "kid": "hmac-1"}, "claims": {**claims, "aud": "shop"}},
            ]
        ),
    )
    told = [decide(served, {}, **{"X-Muster-Customer": token}) for token in signed]
    assert [answer.status_code for answer in told] == [200, 200, 401, 401, 401, 401]
    assert [answer.json()["groups"] for answer in told[:2]] == [["loyal", "payers", "staff", "careless"]] * 2
