"""`POST /edge/v1/decide`: everything that is decided for somebody in one call (E-24 to E-31)."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from muster.edge.answers import Answer
from muster.edge.errors import EdgeError
from muster.edge.gate import Asker, Gate
from muster.edge.introductions import Introductions
from muster.edge.plans import Answers
from muster.edge.published import Look, Published
from muster.edge.request import Request
from muster.edge.subjects import Names, claimed_names, visitor_names, vouched_names
from muster.online.port import OPEN

PATH = "/edge/v1/decide"
LARGEST_BODY_BYTES = 64 * 1024
# Nothing starts or ends yet that would change an answer sooner.
SECONDS_UNTIL_NEXT = 60
VARIES = b"Origin, Authorization, X-API-Key, X-Muster-Key, X-Muster-Customer"
_NO_STORE = b"private, no-store"
_JSON = (b"content-type", b"application/json")
_TRUST = (b"open", b"signed", b"server")
_NOBODY: Names = ()


class _Customer(msgspec.Struct):
    id: str | int | None = None
    anonymous_id: str | int | None = None


class _Device(msgspec.Struct):
    """Nothing of it is read yet."""


class _Asked(msgspec.Struct):
    """What else an app tells is for what is decided later on: it changes no membership (E-26)."""

    want: list[str] | None = None
    customer: _Customer | None = None
    device: _Device | None = None


_decode = msgspec.json.Decoder(_Asked).decode


class Decided(NamedTuple):
    """`known`: whether an answer may say so (E-39)."""

    look: Look
    known: bool
    answers: Answers


def decided(published: Published, asker: Asker, names: Names) -> Decided:
    """What the groups of somebody are, as far as the asker may know."""
    look = published.look(asker.key.app, names)
    trust = asker.trust
    mask = look.mask & look.plan.answered[trust]
    # To whoever claims somebody, nobody is known but by what exposed groups say.
    known = look.customer is not None if trust != OPEN else mask != 0
    return Decided(look, known, look.plan.answers(trust, mask, known=known))


class Decide:
    def __init__(self, published: Published, gate: Gate, introductions: Introductions) -> None:
        self._published, self._gate, self._introductions = published, gate, introductions

    async def answer(self, request: Request) -> Answer:
        asker = self._gate.admitted(request, "decide")
        asked = _read(await request.body(LARGEST_BODY_BYTES))
        self._introductions.introduce(asker)
        found = decided(self._published, asker, _names(asker, asked.customer))
        headers = (_JSON, *age_headers(self._published, found.look))
        return Answer(200, _body(asker, asked.want, found), headers, _NO_STORE, VARIES)


def _read(body: bytes) -> _Asked:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise facts_invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EdgeError(400, "invalid_json", f"The body is not JSON: {error}.") from None


def _names(asker: Asker, customer: _Customer | None) -> Names:
    claimed = None if customer is None or customer.id is None else str(customer.id)
    if asker.vouched is not None:
        if claimed is not None and claimed != asker.vouched.subject:
            raise facts_invalid("`customer.id` is not the one that the customer token vouches for")
        return vouched_names(asker.vouched.subject)
    if claimed:
        return claimed_names(asker, claimed)
    if customer is not None and customer.anonymous_id:
        return visitor_names(asker, str(customer.anonymous_id))
    return _NOBODY


def _body(asker: Asker, want: list[str] | None, found: Decided) -> bytes:
    state, answers = found.look.state, found.answers
    known = b"true" if found.known else b"false"
    parts = [b'{"subject":{"known":%s,"trust":"%s"}' % (known, _TRUST[asker.trust])]
    if want is None or "groups" in want:
        parts.append(b'"groups":%s' % answers.groups)
    if want is None or "flags" in want:
        parts.append(b'"flags":%s' % answers.flags)
    as_of = b'"%s"' % state.data_as_of.encode("ascii") if state.data_as_of else b"null"
    parts.append(b'"generation":%d,"data_as_of":%s' % (state.generation, as_of))
    parts.append(b'"expires_in_seconds":%d}' % SECONDS_UNTIL_NEXT)
    return b",".join(parts)


def age_headers(published: Published, look: Look) -> list[tuple[bytes, bytes]]:
    """Which publication it is, and how old the data once control is silent."""
    headers = [(b"x-muster-generation", b"%d" % look.state.generation)]
    if published.stale_since:
        headers.append((b"x-muster-data-as-of", published.stale_since.encode("ascii")))
    return headers


def facts_invalid(reason: str) -> EdgeError:
    return EdgeError(422, "facts_invalid", f"{reason}.")
