"""Which pages there are: all addresses of the URL configuration, and those that following every link reaches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import httpx
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404

# Addresses without pages.
_PREFIXES = ("api:", "static", "health")
# Which of several values a part of an address has makes another page of it.
_TELLING = ("tab", "verb", "wish")
_VARIANTS = 2
Kind = tuple[str, tuple[str, ...], tuple[str, ...]]
_LINK = re.compile(r'<a\b[^>]*?\bhref="([^"]*)"')
_FORM = re.compile(r'<form\b[^>]*?\baction="([^"]*)"')


def names() -> list[str]:
    """Of all addresses that are no program's, as `room:name`."""
    return sorted(set(_walk(get_resolver().url_patterns, "")))


def _walk(patterns: list[URLPattern | URLResolver], room: str) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if not str(pattern.pattern).startswith("api/"):
                yield from _walk(pattern.url_patterns, f"{pattern.namespace}:" if pattern.namespace else room)
        elif pattern.name and not pattern.name.startswith(_PREFIXES):
            yield f"{room}{pattern.name}"


@dataclass
class Found:
    """What the addresses answered. `pages`: addresses of pages by name, with the HTML of each in `html`."""

    pages: dict[str, list[str]] = field(default_factory=dict)
    html: dict[str, str] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    """Answer something else than a page."""
    changes: set[str] = field(default_factory=set)
    """Only take a POST."""
    broken: list[str] = field(default_factory=list)

    @property
    def reached(self) -> set[str]:
        return {*self.pages, *self.files, *self.changes}


def follow(client: httpx.Client, starts: list[str]) -> Found:
    """Every link and every form of every page, one address of each kind."""
    found, waiting = Found(), list(starts)
    linked: set[str] = set(starts)
    kinds: set[Kind] = set()
    asked: set[str] = set()
    variants: dict[str, int] = {}
    while waiting:
        address = waiting.pop(0)
        kind = _kind(address)
        if kind is None or address in asked:
            continue
        name, _, query = kind
        if address not in starts and (kind in kinds or (query and variants.get(name, 0) >= _VARIANTS)):
            continue
        asked.add(address)
        kinds.add(kind)
        variants[name] = variants.get(name, 0) + bool(query)
        answer = client.get(address)
        links, forms = _linked(address, answer, _LINK), _linked(address, answer, _FORM)
        if not answer.is_redirect:
            linked.update(links)
        waiting += [*links, *forms]
        if answer.status_code in (200, 405) or address in linked:
            _sort_in(found, name, address, answer)
    return found


def _kind(address: str) -> Kind | None:
    """Two addresses of a kind show the same page about other things."""
    parts = urlsplit(address)
    try:
        match = resolve(parts.path)
    except Resolver404:
        return None
    if match.view_name.startswith(_PREFIXES):
        return None
    told = tuple(str(match.kwargs[key]) for key in _TELLING if key in match.kwargs)
    return match.view_name, told, tuple(sorted({key for key, _ in parse_qsl(parts.query)}))


def _linked(address: str, answer: httpx.Response, way: re.Pattern[str]) -> list[str]:
    """Where the page leads; the address of a form without its fields may well be refused."""
    if answer.is_redirect:
        return [answer.headers["Location"]]
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    linked = (str(httpx.URL(f"http://x{address}").join(unescape(link))) for link in way.findall(answer.text))
    return [link.removeprefix("http://x").partition("#")[0] for link in linked if link.startswith("http://x/")]


def _sort_in(found: Found, name: str, address: str, answer: httpx.Response) -> None:
    if answer.status_code == 405:
        found.changes.add(name)
    elif answer.is_redirect:
        pass
    elif answer.status_code != 200:
        found.broken.append(f"{address}: {answer.status_code}")
    elif answer.headers["Content-Type"].startswith("text/html"):
        found.pages.setdefault(name, []).append(address)
        found.html[address] = answer.text
    else:
        found.files.add(name)
