"""Lists that are read page by page, and changes that name the revision they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from django.http import HttpRequest
from ninja import Query, Schema

from muster.kernel.digits import whole
from muster.kernel.paging import cursor_invalid, decode_cursor, encode_cursor
from muster.kernel.worded import worded
from muster.web.errors import RequestInvalid, RevisionRequired

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=1000)]
DEFAULT_LIMIT = 100


class Page(Schema, Generic[Item]):
    """`next_cursor` is empty on the last page; otherwise send it as `cursor` to read on."""

    items: list[Item]
    next_cursor: str | None = None


def read_page(
    cursor: str | None,
    limit: int,
    fetch: Callable[[Any, int], Sequence[Item]],
    position_of: Callable[[Item], Any],
) -> tuple[Sequence[Item], str | None]:
    """One page and the cursor of the next.

    `fetch(position, count)` answers up to `count` items after a position (None: from the start); `position_of` the
    JSON value that says where an item stands.
    """
    found = fetch(decode_cursor(cursor) if cursor else None, limit + 1)
    items = found[:limit]
    return items, encode_cursor(position_of(items[-1])) if len(found) > limit else None


def page_of(items: Iterable[Item], cursor: str | None, limit: int, name_of: Callable[[Item], str]) -> dict[str, Any]:
    """A page, as `Page` reads it, of a list short enough to be held whole; in order of the items' unique names."""
    ordered = sorted(items, key=name_of)

    def fetch(after: Any, count: int) -> Sequence[Item]:
        if after is not None and not isinstance(after, str):
            raise cursor_invalid()
        return [one for one in ordered if after is None or name_of(one) > after][:count]

    found, following = read_page(cursor, limit, fetch, name_of)
    return {"items": found, "next_cursor": following}


def revision_of(request: HttpRequest) -> int:
    """The revision in `If-Match: "3"`; `revision_required` (428) without one."""
    text = request.headers.get("If-Match")
    if text is None:
        message = worded('Say which revision you change: send `If-Match: "3"` with the `revision` you read.')
        raise RevisionRequired(message)
    revision = whole(text.strip().removeprefix("W/").strip('"'))
    if revision is None:
        raise RequestInvalid(
            worded('`If-Match: {text}` is not a revision such as `"3"`.', text=text[:60]), code="revision_invalid"
        )
    return revision


def etag_of(revision: int) -> str:
    return f'"{revision}"'
