"""Everything that changes what is known of customers; in this issue: imports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db import transaction

from muster.audit.actions import record
from muster.catalog import hooks as catalog_hooks
from muster.catalog.actions import check_currency, declare_attribute, declare_event, withdraw_observed
from muster.catalog.queries import observed_words, publisher, warehouse_catalog
from muster.customers import hooks
from muster.customers.errors import (
    ImportExpired,
    ImportHasInvalid,
    ImportStateWrong,
    ImportTooLarge,
    MappingChanged,
    RateMissing,
)
from muster.customers.hooks import current_warehouse
from muster.customers.models import Import
from muster.customers.queries import (
    ImportView,
    check_file,
    current_state,
    import_directory,
    import_row,
    import_view,
    job_of,
    undo_refusal,
)
from muster.customers.terms import (
    EVENTS,
    EXPIRES_AFTER_HOURS,
    IMPORT_STATES,
    IMPORT_VERBS,
    KEPT_DAYS,
    TRANSITIONS,
    ImportState,
)
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.ids import new_id
from muster.kernel.text import key_of
from muster.kernel.worded import either, worded
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Type
from muster.team.policies import LOCAL, Principal
from muster.warehouse.batch import Rate
from muster.warehouse.catalog import Catalog
from muster.warehouse.files.choices import document_of
from muster.warehouse.files.dates import check_dates
from muster.warehouse.files.errors import FileUnreadable, MappingInvalid
from muster.warehouse.files.guess import head_of, propose
from muster.warehouse.files.mapping import KINDS, ImportMapping, mapping_digest, read_mapping, read_source
from muster.warehouse.files.reading import file_digest, open_rows
from muster.warehouse.normal.traits import STANDARD_TRAITS
from muster.web.actions import change_job, possible_wishes, start_job

_PIECE = 1 << 22
# Traits that identity, contact and consent are made of, not custom attributes.
_NOT_CUSTOM = frozenset(STANDARD_TRAITS) | frozenset(STANDARD_ATTRIBUTES) | {"email"}


def begin_import(actor: Principal, *, file_name: str, chunks: Iterable[bytes], document: Any) -> ImportView:
    """Keeps the file, checks the mapping (see `parsed_mapping`) against its columns, and starts the dry run (C-36)."""
    sweep_imports()
    identifier = new_id("imp")
    directory = import_directory(identifier)
    directory.mkdir(parents=True)
    path = directory / "file"
    try:
        _keep(path, chunks)
        kind, facts = _prepared(document, path)
    except BaseException:
        shutil.rmtree(directory)
        raise
    with transaction.atomic():
        row = Import.objects.create(
            id=identifier,
            kind=kind,
            file_name=Path(file_name).name[:255],
            digest=file_digest(path),
            mapping=document,
            facts=facts,
            created_by=actor.label,
            created_at=system_clock(),
        )
        row.job_id = start_job("customers.check", {"import": identifier}, subject=("import", identifier)).id
        row.save(update_fields=["job_id"])
        record(actor, "import.begun", "import", identifier, {"kind": kind, "file": row.file_name})
    return import_view(row)


def keep_upload(
    actor: Principal,
    *,
    file_name: str,
    chunks: Iterable[bytes],
    kind: str,
    app: str = "",
    source: Mapping[str, Any] | None = None,
) -> ImportView:
    """Keeps the file and proposes what its columns are (C-35); `judge_upload` starts the dry run."""
    sweep_imports()
    if kind not in KINDS:
        raise MappingInvalid(
            worded("The kind is one of {kinds}, not {kind}.", kinds=", ".join(KINDS), kind=repr(kind)),
            pointer="/kind",
        )
    identifier = new_id("imp")
    directory = import_directory(identifier)
    directory.mkdir(parents=True)
    path = directory / "file"
    try:
        _keep(path, chunks)
        document = proposal(path, kind, app, source or {})
    except BaseException:
        shutil.rmtree(directory)
        raise
    with transaction.atomic():
        row = Import.objects.create(
            id=identifier,
            kind=kind,
            state=ImportState.UPLOADED,
            file_name=Path(file_name).name[:255],
            digest=file_digest(path),
            mapping=document,
            created_by=actor.label,
            created_at=system_clock(),
        )
        record(actor, "import.uploaded", "import", identifier, {"kind": kind, "file": row.file_name})
    return import_view(row)


def judge_upload(actor: Principal, identifier: str, document: Any) -> ImportView:
    """Starts the dry run of an upload by this mapping.

    What was judged already is left as it is: the same file becomes another import, and the earlier one is cancelled.
    """
    row = import_row(identifier)
    state, _ = current_state(row)
    path = check_file(row)
    if state is not ImportState.UPLOADED:
        return _judge_anew(actor, row, state, path, document)
    mapping = _checked_mapping(document, path)
    with transaction.atomic():
        row = import_row(identifier)
        if row.state != ImportState.UPLOADED:
            raise ImportStateWrong(
                worded(
                    "Import {identifier} is {state}; somebody has started its dry run.",
                    identifier=identifier,
                    state=IMPORT_STATES[ImportState(row.state)],
                )
            )
        row.mapping, row.kind, row.state = document, mapping.kind, TRANSITIONS["judge"][ImportState.UPLOADED]
        row.job_id = start_job("customers.check", {"import": row.id}, subject=("import", row.id)).id
        row.save(update_fields=["mapping", "kind", "state", "job_id"])
        record(actor, "import.begun", "import", identifier, {"kind": row.kind, "file": row.file_name})
    return import_view(row)


def _judge_anew(actor: Principal, row: Import, state: ImportState, path: Path, document: Any) -> ImportView:
    if mapping_digest(document) == mapping_digest(row.mapping) and state in (ImportState.CHECKING, ImportState.CHECKED):
        return import_view(row)
    _check_before(row, state)
    begun = begin_import(actor, file_name=row.file_name, chunks=pieces_of(path), document=document)
    if TRANSITIONS["cancel"].get(state) is ImportState.CANCELLED:
        change_import(actor, row.id, "cancel")
    return begun


def _check_before(row: Import, state: ImportState) -> None:
    """What its columns are is said before anything of it is taken in."""
    if state is not ImportState.CANCELLED and TRANSITIONS["cancel"].get(state) is not ImportState.CANCELLED:
        raise ImportStateWrong(
            worded(
                "Import {id} is {state}; its columns are chosen before it is applied.",
                id=row.id,
                state=IMPORT_STATES[state],
            )
        )


def read_upload_anew(actor: Principal, identifier: str, kind: str, app: str, source: Mapping[str, Any]) -> ImportView:
    """Proposes again, the file read in another way or as another kind; what was judged becomes another upload."""
    row = import_row(identifier)
    state, _ = current_state(row)
    path = check_file(row)
    if state is not ImportState.UPLOADED:
        _check_before(row, state)
        return keep_upload(actor, file_name=row.file_name, chunks=pieces_of(path), kind=kind, app=app, source=source)
    row.mapping, row.kind = proposal(path, kind, app, source), kind
    row.save(update_fields=["mapping", "kind"])
    return import_view(row)


def pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_PIECE), b"")


def proposal(path: Path, kind: str, app: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping that the file's header and first rows suggest."""
    rows = open_rows(path, read_source(source))
    if not rows.columns:
        raise FileUnreadable("The file is empty: it has not even a header.", pointer="/file")
    known = {key: one.type for key, one in warehouse_catalog().attributes.items()}
    chosen = propose(kind, head_of(rows), known, app=app, zone=publisher().time_zone)
    return document_of(replace(chosen, source=source))


def _keep(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes the file; `import_too_large` before the disk is full of what nobody wants."""
    most = settings.MUSTER.import_megabytes
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            if file.tell() > most * 1_000_000:
                raise ImportTooLarge(
                    worded(
                        "The file is larger than {most:,} MB. Send it in parts, or set MUSTER_IMPORT_MEGABYTES.",
                        most=most,
                    ),
                    pointer="/file",
                )


def parsed_mapping(text: bytes, kind: str) -> Any:
    """The YAML document; `kind` says what it leaves out, and must not say otherwise."""
    try:
        document = _plain(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise MappingInvalid(worded("The mapping is not YAML: {error}", error=error)) from error
    if not isinstance(document, dict) or not kind:
        return document
    if document.setdefault("kind", kind) != kind:
        raise MappingInvalid(
            worded("The mapping is for {told_kind}, not for {kind}.", told_kind=document["kind"], kind=kind),
            pointer="/kind",
        )
    return document


def _plain(document: Any) -> Any:
    """Days, instants and keys of other kinds become what they would be in JSON, which is how the mapping is kept."""
    return json.loads(json.dumps(document, default=lambda one: float(one) if isinstance(one, Decimal) else str(one)))


def _prepared(document: Any, path: Path) -> tuple[str, dict[str, Any]]:
    """The kind of an import, and what is known of its file before it is judged."""
    kind = hooks.import_kinds.get(document["kind"]) if isinstance(document, dict) and "group" in document else None
    if kind is not None:
        return kind.key, kind.prepare(document, path)
    return _checked_mapping(document, path).kind, {}


def _checked_mapping(document: Any, path: Path) -> ImportMapping:
    rows = open_rows(path, _source_of(document))
    if not rows.columns:
        raise FileUnreadable("The file is empty: it has not even a header.")
    mapping = read_mapping(document, rows.columns)
    check_dates(mapping, rows)
    if mapping.app is not None and mapping.app not in warehouse_catalog().apps:
        raise MappingInvalid(worded("There is no app `{app}`. Create it first.", app=mapping.app), pointer="/app")
    return mapping


def _source_of(document: Any) -> Any:
    """How to read the file, before its columns are known: the mapping's own `source`, wrong fields aside."""
    return read_source(document.get("source") if isinstance(document, dict) else None)


def mapping_of(row: Import) -> tuple[ImportMapping, Any]:
    """The mapping of an import and its file's rows."""
    rows = open_rows(import_directory(row.id) / "file", _source_of(row.mapping))
    return read_mapping(row.mapping, rows.columns), rows


def change_import(
    actor: Principal,
    identifier: str,
    verb: str,
    *,
    max_invalid: int = 0,
    confirm: bool = False,
    consented: bool = False,
    digest: str | None = None,
    mapping: dict[str, Any] | None = None,
) -> ImportView:
    """apply, pause, cancel or undo.

    Of apply: `digest` and `mapping` are what the caller takes the dry run's file and mapping to be; `confirm` that a
    large removal is meant; `consented` that whoever applies it says these people agreed: noted, nothing else.
    """
    if verb == "apply":
        _check_as_judged(import_row(identifier), digest, mapping)
    with transaction.atomic():
        row = import_row(identifier)
        state, reason = current_state(row)
        target = TRANSITIONS[verb].get(state)
        if target is None:
            raise ImportStateWrong(
                worded(
                    "Import {identifier} is {state}; {verb} is possible when it is {states}.{reason}",
                    identifier=identifier,
                    state=IMPORT_STATES[state],
                    verb=IMPORT_VERBS[verb],
                    states=either(IMPORT_STATES[one] for one in TRANSITIONS[verb]),
                    reason=f" {reason}" if reason else "",
                )
            )
        match verb:
            case "apply":
                _apply(actor, row, state, max_invalid, confirm=confirm)
            case "pause":
                change_job(actor, row.job_id, "pause")
            case "cancel":
                _cancel(actor, row, target)
            case "undo":
                _undo(actor, row, state)
        # That an application has stopped is for its job to say: see `current_state`.
        row.state = ImportState.APPLYING if target is ImportState.RESUMABLE else target
        noted = {"consented": True} if verb == "apply" and consented else {}
        row.facts |= noted
        row.save(update_fields=["state", "job_id", "facts"])
        details = {"max_invalid": max_invalid, **noted} if verb == "apply" else {}
        record(actor, f"import.{verb}", "import", identifier, details)
    return import_view(row)


def _check_as_judged(row: Import, digest: str | None, mapping: dict[str, Any] | None) -> None:
    """The dry run is of this file and this mapping, and not too old; otherwise it has expired."""
    state, _ = current_state(row)
    if state is ImportState.EXPIRED:
        raise ImportExpired(
            worded(
                "The dry run of {id} is older than {hours} hours, or was of another file or mapping. Import"
                " the file again.",
                id=row.id,
                hours=EXPIRES_AFTER_HOURS,
            )
        )
    if state not in TRANSITIONS["apply"]:
        return
    path = check_file(row)
    if mapping is not None and mapping_digest({"kind": row.kind, **_plain(mapping)}) != mapping_digest(row.mapping):
        _expire(row)
        raise MappingChanged(
            worded("The dry run of {id} was made with another mapping. Import the file again with it.", id=row.id)
        )
    changed = state is ImportState.CHECKED and file_digest(path) != row.digest
    if changed or digest not in (None, row.digest):
        _expire(row)
        raise ImportExpired(worded("The dry run of {id} was made of another file. Import this one again.", id=row.id))


def _expire(row: Import) -> None:
    """Only what has not begun expires: an application goes on with what was judged."""
    Import.objects.filter(id=row.id, state=ImportState.CHECKED).update(
        state=EVENTS["mapping or file changed"][ImportState.CHECKED]
    )


def _apply(actor: Principal, row: Import, state: ImportState, max_invalid: int, *, confirm: bool) -> None:
    invalid = row.counts.get("invalid", 0)
    if state is ImportState.CHECKED and invalid > max_invalid:
        raise ImportHasInvalid(
            worded(
                "{invalid:,} of {rows:,} rows are invalid, {max_invalid:,} are allowed. Mend the file, or"
                " apply with a higher `max_invalid` to leave them out.",
                invalid=invalid,
                rows=row.row_count,
                max_invalid=max_invalid,
            ),
            details={"counts": row.counts},
        )
    if state is ImportState.CHECKED and row.kind in hooks.import_kinds:
        hooks.import_kinds[row.kind].allow(row, confirm)
    _work(actor, row, "customers.apply")


def _cancel(actor: Principal, row: Import, target: ImportState) -> None:
    """Stops what is under way; what has been taken in goes out again."""
    job = job_of(row)
    if job is not None and "cancel" in possible_wishes(job.state):
        change_job(actor, job.id, "cancel")
    if target is ImportState.UNDOING:
        _work(actor, row, "customers.undo")


def _undo(actor: Principal, row: Import, state: ImportState) -> None:
    if state is ImportState.DONE and (refused := undo_refusal(row)):
        raise ImportExpired(refused)
    _work(actor, row, "customers.undo")


def _work(actor: Principal, row: Import, kind: str) -> None:
    """Sees to it that a job of the kind is under way: the one that is, the one that stopped, or a new one."""
    job = job_of(row)
    if job is not None and job.kind == kind and not job.wish:
        match job.state:
            case "waiting" | "running":
                return
            case "paused":
                change_job(actor, job.id, "resume")
                return
            case "failed" | "cancelled":
                change_job(actor, job.id, "retry")
                return
    row.job_id = start_job(kind, {"import": row.id}, key=row.id, subject=("import", row.id)).id


def note_download(actor: Principal, row: Import, verdict: str | None) -> None:
    """Somebody took rows of a file, with what stands in them."""
    record(actor, "import.rows_downloaded", "import", row.id, {"verdict": verdict})


def declare_observed(row: Import, mapping: ImportMapping, event_names: Iterable[str]) -> Catalog:
    """Unknown traits and events are taken and entered in the catalog as observed (C-2, C-3). Answers the catalog.

    The import remembers which it names, so that they can go when it is undone.
    """
    with transaction.atomic():
        known = warehouse_catalog()
        for key, field in mapping.traits.items():
            if key not in known.attributes and key not in _NOT_CUSTOM:
                declare_attribute(LOCAL, key=key, type=field.type or Type.TEXT, source="observed")
        unknown = {key_of(name): name for name in event_names if not known.knows_event(name)}
        for key, name in unknown.items():
            declare_event(LOCAL, key=key, names=[name], source="observed")
        catalog = warehouse_catalog()
        attributes, events = observed_words()
        named = {catalog.event_named(name).key for name in event_names}
        row.observed = {"attributes": sorted(attributes & set(mapping.traits)), "events": sorted(events & named)}
        row.save(update_fields=["observed"])
    return catalog


def forget_observed(row: Import) -> None:
    """Takes out of the catalog what nobody has said after all: nobody's data holds it, nothing refers to it."""
    attributes, events = set(row.observed.get("attributes", ())), set(row.observed.get("events", ()))
    attributes -= current_warehouse().said_attributes(attributes)
    numbers = {key: kind.number for key, kind in warehouse_catalog().events.items() if key in events}
    seen = current_warehouse().seen_events(numbers.values())
    events -= {key for key, number in numbers.items() if number in seen}
    for ask in catalog_hooks.words_in_use:
        used = ask()
        attributes -= used.attributes
        events -= used.events
    withdraw_observed(LOCAL, attributes=attributes, events=events)


def put_rates(actor: Principal, rates: Sequence[Rate]) -> tuple[list[Rate], int]:
    """Adds or replaces rates; the orders they concern are derived again. Answers them and how many customers that
    touched. The pointer of an error is into `{"rates": [...]}`.
    """
    named = [replace(rate, currency=_foreign(rate.currency, place)) for place, rate in enumerate(rates)]
    touched = current_warehouse().put_rates(named, warehouse_catalog())
    record(actor, "rates.put", "rates", "rates", {"count": len(named)})
    announce_change()
    return named, len(touched)


def _foreign(currency: str, place: int) -> str:
    pointer = f"/rates/{place}/currency"
    code = check_currency(currency.strip(), pointer)
    if code == publisher().currency:
        raise MusterError(
            worded("{code} is the publisher's own currency; rates are of others to it.", code=code),
            code="value_not_allowed",
            pointer=pointer,
        )
    return code


def follow_publisher(before: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """What another currency, time zone or unset consent to profiling means for the facts.

    `rate_missing` if rates cannot follow: an order without a rate waits, but a rate that cannot be told in the new
    currency would be lost (ADR 0019).
    """
    unset = changes.get("unset_consents", before["unset_consents"])
    profiled = unset.get("profiling") == before["unset_consents"].get("profiling")
    if profiled and not {"currency", "time_zone"} & set(changes):
        return
    old, new = before["currency"], changes.get("currency", before["currency"])
    lost = current_warehouse().rates_without(new) if new != old else []
    if lost:
        raise RateMissing(
            worded(
                "{count:,} rates cannot be told in {new}, the first of {day}: there is no rate of {new} for"
                " that day or the 7 before. Put these rates first.",
                count=len(lost),
                new=new,
                day=lost[0].day,
            ),
            pointer="/currency",
            details={"count": len(lost), "day": lost[0].day.isoformat()},
        )
    start_job("customers.derive", {"old_currency": old, "new_currency": new})


def derive_again() -> None:
    """Every fact anew from what is kept, as a job: what the catalog says of it has changed (C-5)."""
    currency = publisher().currency
    start_job("customers.derive", {"old_currency": currency, "new_currency": currency})


def announce_change() -> None:
    """Tells the rooms above that the data is another."""
    for changed in hooks.data_changed:
        changed()


def sweep_imports(*, at_start: bool = False) -> None:
    """Deletes the uploads nobody can undo any more; at the start of a process also those that came to nothing."""
    border = system_clock() - timedelta(days=KEPT_DAYS)
    root: Path = settings.MUSTER.import_directory
    lying = {path.name for path in root.iterdir()} if root.exists() else set()
    old = Import.objects.filter(id__in=lying, created_at__lt=border).exclude(done_at__gte=border)
    gone = set(old.exclude(state=ImportState.APPLYING).values_list("id", flat=True))
    if at_start:
        gone |= lying - set(Import.objects.filter(id__in=lying).values_list("id", flat=True))
    for identifier in gone:
        shutil.rmtree(root / identifier)
