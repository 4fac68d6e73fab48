"""Loading the bundled sample as one job: every step looks first whether it was done before (D-16)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import transaction

from muster.audit.actions import record
from muster.catalog.errors import KeyTaken
from muster.catalog.queries import app_numbers, publisher
from muster.customers.actions.imports import change_import
from muster.customers.actions.uploads import begin_import
from muster.customers.queries import ImportView, current_state, import_row
from muster.customers.terms import ImportState
from muster.groups.actions.imports import begin_members_import
from muster.groups.actions.lists import create_known
from muster.groups.actions.sample import counts, create_sample_app, mark_thing
from muster.groups.actions.segments import copy_template
from muster.groups.queries.groups import GroupView
from muster.groups.queries.sample import LOADING, SUBJECT, is_loaded, last_loading, sample
from muster.groups.sample import rows
from muster.groups.sample.files import FILES, SampleFile, sample_files
from muster.groups.sample.past import PAST
from muster.groups.terms import SAMPLE_NAME, SampleKind
from muster.kernel.clock import system_clock
from muster.kernel.worded import worded
from muster.team.policies import LOCAL, Principal
from muster.web.actions import change_job, start_job
from muster.web.hooks import RunningJob
from muster.web.persons import DEMO_DATA
from muster.web.queries import JobView

_STEPS = len(rows.APPS) + FILES + len(rows.SEGMENTS) + len(rows.LISTS)
# Who ordered it stands in the audit trail; what the job makes tells of itself where it is from.
_LOADER = replace(LOCAL, label=DEMO_DATA)
_UNFINISHED = (ImportState.CHECKING, ImportState.CHECKED, ImportState.APPLYING, ImportState.RESUMABLE)


def check_loadable() -> None:
    """`key_taken` where an app of one's own has the key of one of the sample's."""
    own = sorted(set(rows.APPS) & set(app_numbers()) - set(sample().apps))
    if own:
        raise KeyTaken(worded("The demo data has an app `{key}`, and so have you. It cannot be loaded.", key=own[0]))


def order_loading(actor: Principal, seed: int = rows.SEED) -> JobView | None:
    """The job that loads the sample: one that waits, runs or was left, or a new one. None if all is there."""
    if is_loaded():
        return None
    check_loadable()
    last = last_loading()
    if last is not None and not last.is_over:
        return change_job(actor, last.id, "resume") if last.state == "paused" else last
    with transaction.atomic():
        record(actor, "sample.ordered", "sample", SAMPLE_NAME, {"seed": seed})
        return start_job(LOADING, {"seed": seed}, key=SAMPLE_NAME, subject=SUBJECT)


def load_sample(job: RunningJob) -> dict[str, Any]:
    """Apps, files, groups. After a crash, or ordered again, it goes on where it was."""
    seed = job.parameters["seed"]
    customers = rows.read("customers")
    done = 0

    def step(text: str) -> None:
        nonlocal done
        job.progress(done, _STEPS, text)
        job.check()
        done += 1

    for key, name in rows.APPS.items():
        step(name)
        if key not in sample().apps:
            create_sample_app(_LOADER, key, {"en": name})
    for file in sample_files(system_clock(), customers, publisher().currency, seed):
        step(file.name)
        _take_in(job, file.name, partial(_begin, file))
    for app, template, title in rows.SEGMENTS:
        step(title)
        _group(f"{title}, {rows.APPS[app]}", partial(copy_template, _LOADER, template, app))
    for name in rows.LISTS:
        step(name)
        group = _group(name, _create_list)
        _take_in(job, f"{name}.csv", partial(_begin_list, group, name, rows.listed(customers, name, seed)))
    job.progress(_STEPS, _STEPS)
    start_job(PAST, {}, key=SAMPLE_NAME, subject=SUBJECT)
    return counts(sample())


def _begin(file: SampleFile) -> ImportView:
    return begin_import(_LOADER, file_name=file.name, chunks=[file.content()], document=file.mapping)


def _create_list(name: str) -> GroupView:
    return create_known(_LOADER, name=name)


def _begin_list(group: str, name: str, addresses: list[str]) -> ImportView:
    text = "\n".join(["email", *addresses]).encode()
    return begin_members_import(_LOADER, group, chunks=[text], file_name=f"{name}.csv")


def _take_in(job: RunningJob, name: str, begin: Callable[[], ImportView]) -> None:
    """An import of the sample, judged and applied here and now. Marked before anything of it is taken in."""
    identifier = _begun(name)
    if identifier is None:
        identifier = begin().id
        mark_thing(SampleKind.IMPORT, identifier)
    row = import_row(identifier)
    if current_state(row)[0] is ImportState.CHECKING:
        job.run(row.job_id)
    if current_state(import_row(identifier))[0] in (ImportState.CHECKED, ImportState.RESUMABLE):
        change_import(_LOADER, identifier, "apply")
    row = import_row(identifier)
    if row.state == ImportState.APPLYING:
        job.run(row.job_id)


def _begun(name: str) -> str | None:
    """The import of this file, if it was applied or can go on."""
    for row in sample().imports:
        if row.file_name == name and current_state(row)[0] in (ImportState.DONE, *_UNFINISHED):
            return row.id
    return None


def _group(name: str, make: Callable[[str], GroupView]) -> str:
    """The id of a group of the sample; made and marked together."""
    for row in sample().groups:
        if row.name == name:
            return row.id
    with transaction.atomic():
        made = make(name)
        mark_thing(SampleKind.GROUP, made.id)
    return made.id
