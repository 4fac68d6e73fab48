"""OFREP 0.3: groups as flags for OpenFeature's clients, one at a time or all together (E-29, E-30)."""

from __future__ import annotations

import msgspec

from muster.edge.answers import Answer
from muster.edge.decide import LARGEST_BODY_BYTES, VARIES, age_headers, decided
from muster.edge.errors import EdgeError
from muster.edge.gate import Asker, Gate
from muster.edge.introductions import Introductions
from muster.edge.published import Published
from muster.edge.request import Request
from muster.edge.subjects import Names, claimed_names, vouched_names

BULK_PATH = "/ofrep/v1/evaluate/flags"
SINGLE_PATH = f"{BULK_PATH}/"
_JSON = (b"content-type", b"application/json")
_CACHE = b"private, no-cache"


class _Context(msgspec.Struct):
    """Attributes never change who is in a group (E-26): nothing else is read."""

    targetingKey: str | None = None  # noqa: N815 - as on the wire


class _Asked(msgspec.Struct):
    """Libraries leave out a context that nobody set."""

    context: _Context | None = None


_decode = msgspec.json.Decoder(_Asked).decode


class Ofrep:
    def __init__(self, published: Published, gate: Gate, introductions: Introductions) -> None:
        self._published, self._gate, self._introductions = published, gate, introductions

    async def all_flags(self, request: Request) -> Answer:
        asker = self._gate.admitted(request, "decide")
        asked = _read(await request.body(LARGEST_BODY_BYTES))
        self._introductions.introduce(asker)
        found = decided(self._published, asker, _names(asker, asked))
        etag = found.answers.etag
        headers = ((b"etag", etag), *age_headers(self._published, found.look))
        if _matches(request.headers.get(b"if-none-match", b""), etag):
            return Answer(304, b"", headers, _CACHE, VARIES)
        return Answer(200, found.answers.bulk, (_JSON, *headers), _CACHE, VARIES)

    async def one_flag(self, request: Request) -> Answer:
        asker = self._gate.admitted(request, "decide")
        asked = _read(await request.body(LARGEST_BODY_BYTES))
        self._introductions.introduce(asker)
        found = decided(self._published, asker, _names(asker, asked))
        trust, plan = asker.trust, found.look.plan
        mask = found.look.mask & plan.answered[trust]
        body = plan.flag(trust, request.path.removeprefix(SINGLE_PATH), mask, known=found.known)
        if body is None:
            # The same for what is not there and what is not to be seen.
            raise EdgeError(404, "flag_not_found", "no such flag")
        return Answer(200, body, (_JSON, *age_headers(self._published, found.look)), _CACHE, VARIES)


def _read(body: bytes) -> _Asked:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        raise _context_invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EdgeError(400, "invalid_json", f"The body is not JSON: {error}.") from None


def _names(asker: Asker, asked: _Asked) -> Names:
    claimed = asked.context.targetingKey if asked.context is not None else None
    if asker.vouched is not None:
        if claimed is not None and claimed != asker.vouched.subject:
            raise _context_invalid("`targetingKey` is not whom the customer token vouches for")
        return vouched_names(asker.vouched.subject)
    return claimed_names(asker, claimed) if claimed else ()


def _context_invalid(reason: str) -> EdgeError:
    return EdgeError(400, "context_invalid", f"{reason}.")


def _matches(asked: bytes, etag: bytes) -> bool:
    """As RFC 9110 compares tags that are asked with: weakly."""
    if not asked:
        return False
    return asked.strip() == b"*" or any(one.strip().removeprefix(b"W/") == etag for one in asked.split(b","))
