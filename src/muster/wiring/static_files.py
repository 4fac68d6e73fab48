"""Style, scripts and icons as browsers get them: named by content, kept for ever, compressed beforehand (ADR 0021)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from whitenoise import WhiteNoise
from whitenoise.storage import CompressedManifestStaticFilesStorage

from muster.web.headers import CONTENT_SECURITY_POLICY
from muster.wiring.configuration import Configuration

_PREFIX = "/static/"
_NAMED_BY_CONTENT = re.compile(r"\.[0-9a-f]{12}\.[a-z0-9]+$")
# Written last: where it is missing or says something else, the folder is made anew.
_STAMP = "collected.txt"


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Knows the names by content. A process that serves nobody has collected nothing and writes plain names."""

    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else str(name)

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {}

    def url(self, name: str, force: bool = False) -> str:  # type: ignore[override]  # as Django's own class has it
        """Kept once it is known: a page asks for its sprite of icons a hundred times."""
        if not self.hashed_files:
            return str(super().url(name, force))
        if name not in self._addresses:
            self._addresses[name] = super().url(name, force)
        return self._addresses[name]


def collect(directory: Path) -> None:
    """Fills the folder, unless it holds exactly what this Muster's files give. Only the installation's owner does."""
    stamp = directory / _STAMP
    digest = _digest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    stamp.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest, encoding="ascii")


def with_static_files(application: Callable[..., Any], configuration: Configuration) -> Callable[..., Any]:
    """The application behind its static files, which cost no session and no query."""
    door = WhiteNoise(
        application,
        autorefresh=configuration.debug,
        max_age=0,
        allow_all_origins=False,
        add_headers_function=_secured,
        immutable_file_test=_is_named_by_content,
    )
    for folder in _folders(configuration):
        door.add_files(folder, _PREFIX)  # type: ignore[no-untyped-call]  # WhiteNoise's few functions without types
    return door


class CompressedPages(GZipMiddleware):
    """Pages are compressed, what is downloaded goes out as it is."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not isinstance(response, HttpResponse) or not response.headers["Content-Type"].startswith("text/html"):
            return response
        return super().process_response(request, response)


def _is_named_by_content(_path: str, url: str) -> bool:
    return _NAMED_BY_CONTENT.search(url) is not None


def _secured(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY


def _folders(configuration: Configuration) -> set[str]:
    """Whoever is changing files sees their sources, under plain names."""
    if configuration.debug:
        return {storage.location for _, storage in _sources()}
    collect(configuration.static_directory)
    return {str(configuration.static_directory)}


def _sources() -> Iterator[tuple[str, Any]]:
    for finder in get_finders():
        yield from finder.list([])


def _digest() -> str:
    """Of every name and content, and of where they are answered."""
    digest = hashlib.sha256(f"1 {settings.STATIC_URL}".encode())
    for name, storage in sorted(_sources(), key=lambda one: one[0]):
        content = Path(storage.path(name)).read_bytes()
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
