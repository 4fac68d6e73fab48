"""What `muster doctor` finds of the store that the edge answers from: complete, as it should be, read by whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from muster.customers.hooks import current_warehouse
from muster.groups.actions.publication import Publisher, current_publisher
from muster.groups.queries.exposure import exposed_groups
from muster.kernel.errors import InternalError
from muster.online.layout import file_of
from muster.online.port import StoreUnreadable
from muster.online.publication import Readers
from muster.online.reader import LmdbReader
from muster.wiring.configuration import Configuration
from muster.wiring.operation.check import Check

_KEY = "online"
_OLDEST_BEAT_SECONDS = 60
# Whoever reads so long in one go makes the file grow with each publication.
_MOST_BEHIND = 1_000
_MOST_PLACES_TAKEN = 0.9
_REBUILD = "`muster online rebuild` makes it anew; the edge goes on meanwhile."


def check_online_store(configuration: Configuration, *, inside: bool) -> Iterator[Check]:
    """Compares counts, not everybody: that is `muster online check`."""
    directory = configuration.online_directory
    if not inside:
        yield _closed(directory)
        return
    publisher = current_publisher()
    if publisher is None:
        raise InternalError("nothing is published by this process")
    wrong = [*_of_content(publisher), *_of_readers(publisher.readers())]
    for message, remedy in wrong:
        yield Check(_KEY, "warning", str(directory), message, remedy)
    if not wrong:
        yield _well(directory, str(publisher.status()["data_as_of"] or ""))


def _closed(directory: Path) -> Check:
    """Nobody publishes now; an edge process may answer from it."""
    if not file_of(directory).exists():
        return Check(_KEY, "warning", str(directory), "Nothing was published yet.", "`muster serve` publishes it.")
    try:
        with closing(LmdbReader(directory)) as store, store.snapshot() as now:
            state = now.state
    except StoreUnreadable:
        return Check(_KEY, "warning", str(directory), "It cannot be read.", "`muster serve` makes it anew.")
    if not state.complete:
        message = "Nobody is in it yet: the edge decides nothing."
        return Check(_KEY, "warning", str(directory), message, "`muster serve` completes it.")
    return _well(directory, state.data_as_of)


def _well(directory: Path, data_as_of: str) -> Check:
    return Check(_KEY, "ok", str(directory), f"Complete, data as of {data_as_of}." if data_as_of else "Complete.")


def _of_content(publisher: Publisher) -> Iterator[tuple[str, str]]:
    status = publisher.status()
    if not status["complete"]:
        yield "Nobody is in it yet: the edge decides nothing.", _REBUILD
        return
    if publisher.is_behind:
        yield "Something could not be published; it is tried again.", "Look at the log of the server, and at the disk."
    groups = len(exposed_groups())
    if status["groups"] != groups:
        yield f"{status['groups']} groups are published, and {groups} should be.", _REBUILD
    known = current_warehouse().identity_count()
    if status["identities"] != known:
        yield f"{status['identities']} names of customers are published, and {known} are known.", _REBUILD
    if publisher.seconds_since_beat > _OLDEST_BEAT_SECONDS:
        yield "For a minute nothing has said that the server is alive.", "Look at the log of the server."


def _of_readers(readers: Readers) -> Iterator[tuple[str, str]]:
    if readers.behind > _MOST_BEHIND:
        message = f"An edge process has read for {readers.behind} publications in one go: the file grows."
        yield message, "Start the edge processes again, one after the other."
    if readers.taken > readers.most * _MOST_PLACES_TAKEN:
        message = f"{readers.taken} of {readers.most} places for readers are taken."
        yield message, "Run fewer edge processes; places of those that died are free again within a minute."
