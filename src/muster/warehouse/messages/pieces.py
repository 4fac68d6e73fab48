"""Takes a body of messages apart unread, so that one that cannot be read never costs the others (E-13)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from muster.warehouse.messages.errors import BodyUnreadable, MessageRefused
from muster.warehouse.messages.values import read_value

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Body:
    """`pieces`: the JSON text of each message. `context`, `sent_at`, `write_key`: what was said of all of them."""

    pieces: Sequence[bytes | msgspec.Raw]
    context: dict[str, Any] = field(default_factory=dict)
    sent_at: Any = None
    write_key: str | None = None

    @property
    def messages(self) -> list[bytes]:
        """Copies them: whoever only counts them needs none."""
        return [bytes(piece) for piece in self.pieces]

    def __len__(self) -> int:
        return len(self.pieces)


_NOTHING = msgspec.Raw(b"null")


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]
    # Read as messages are: what is in it is said of each of them.
    context: msgspec.Raw = _NOTHING
    sentAt: Any = None  # noqa: N815 - as on the wire
    writeKey: Any = None  # noqa: N815 - as on the wire


_decode_batch = msgspec.json.Decoder(_Batch).decode


def read_body(body: bytes, kind: str | None) -> Body:
    """The messages of a body; `kind` is the type that the path gives a single one, None of a batch.

    `BodyUnreadable` only where sending it again cannot help: it is not JSON, no object, or has no list `batch`.
    """
    body = body.removeprefix(_BYTE_ORDER_MARK)
    if kind is not None:
        members = _members(body)
        return Body([body], write_key=_text(_value(members.get("writeKey"))))
    try:
        batch = _decode_batch(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_roughly(body)
    context = {} if batch.context is _NOTHING else _object(_value(bytes(batch.context)))
    return Body(batch.batch, context, batch.sentAt, _text(batch.writeKey))


def _read_roughly(body: bytes) -> Body:
    members = _members(body)
    batch = members.get("batch", b"").strip()
    if not batch.startswith(b"["):
        raise BodyUnreadable("The body has no list `batch`.", code="batch_missing")
    told = {name: _value(members.get(name)) for name in ("context", "sentAt", "writeKey")}
    return Body(list(_parts(batch)), _object(told["context"]), told["sentAt"], _text(told["writeKey"]))


def _value(raw: bytes | None) -> Any:
    """None for what cannot be read: it is beside the messages, which stand without it."""
    try:
        return None if raw is None else read_value(raw)
    except MessageRefused:
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


# A text that does not end takes all that follows: trying again from each quote in it would take hours.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
_NAME = re.compile(rb'\s*("(?:[^"\\]|\\.)*+")\s*:', re.DOTALL)
_PAIRS = {b"]": b"[", b"}": b"{"}


def _members(body: bytes) -> dict[str, bytes]:
    """The JSON texts of an object's members, by name; the last of one name counts."""
    text = body.strip()
    if not text.startswith(b"{"):
        raise BodyUnreadable("The body is no JSON object.", code="invalid_json")
    members = {}
    for part in _parts(text):
        named = _NAME.match(part)
        if named is None:
            raise _not_json(body, part)
        try:
            name = read_value(named[1])
        except MessageRefused:
            raise _not_json(body, part) from None
        members[name] = part[named.end() :]
    return members


def _not_json(body: bytes, part: bytes) -> BodyUnreadable:
    place = body.find(part)
    return BodyUnreadable(f"The body is not JSON at byte {place}.", code="invalid_json")


def _parts(text: bytes) -> Iterator[bytes]:
    """What stands between the commas of the outermost brackets, which must end with the text."""
    opened: list[bytes] = []
    begin = 1
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in (b"[", b"{"):
            opened.append(sign)
        elif sign in _PAIRS:
            if not opened or opened.pop() != _PAIRS[sign]:
                raise _unclosed(token.start())
            if not opened:
                last = text[begin : token.start()].strip()
                if text[token.end() :].strip():
                    raise _unclosed(token.end())
                if last:
                    yield last
                elif begin > 1:
                    raise _unclosed(token.start())
                return
        elif sign == b"," and len(opened) == 1:
            part = text[begin : token.start()].strip()
            if not part:
                raise _unclosed(token.start())
            yield part
            begin = token.end()
    raise _unclosed(len(text))


def _unclosed(place: int) -> BodyUnreadable:
    return BodyUnreadable(f"The body is not JSON at byte {place}.", code="invalid_json")
