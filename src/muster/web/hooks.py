"""What upper rooms give to `web`: kinds of jobs, who is asking and what they may, and the trail of who did what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.http import HttpRequest
from django.utils.functional import Promise


class Asker(Protocol):
    """Who asks, as far as this room needs to know; `team.policies.Principal` is one."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def label(self) -> str: ...


class RunningJob(Protocol):
    """What the function of a job is handed."""

    @property
    def id(self) -> str: ...
    @property
    def parameters(self) -> dict[str, Any]:
        """As given to `start_job`; read only."""

    @property
    def attempt(self) -> int:
        """1 at first; more if the process died while this job ran: whatever it did before is still there."""

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants the job to stop for good."""

    def progress(self, done: int, total: int | None = None, text: str = "") -> None:
        """Tells people how far it is. Cheap: written at most twice a second."""

    def check(self) -> None:
        """Leaves the job (JobStopped) if it is to be cancelled or paused, or if the process is about to end.

        Call it between steps, with everything done so far committed: the job runs again from the beginning later.
        """

    def run(self, job_id: str) -> None:
        """Runs another job that waits, or that a dead process left, here and now: the next begins after this one.

        Returns when it is done; raises what ended it otherwise, and JobStopped as `check` does.
        """


JobFunction = Callable[[RunningJob], dict[str, Any]]


@dataclass(frozen=True)
class JobKind:
    """`run` answers the job's result, a JSON object. `scope`: what is needed to cancel, pause, resume or retry one.

    `daily`: started by the runner of a server once a day, without parameters.
    """

    key: str
    run: JobFunction
    scope: str = "team:admin"
    unit: str = ""
    label: str | Promise = ""
    daily: bool = False


job_kinds: dict[str, JobKind] = {}


def register_job(
    kind: str,
    run: JobFunction,
    *,
    scope: str = "team:admin",
    unit: str = "",
    label: str | Promise = "",
    daily: bool = False,
) -> None:
    """Called in the `apps.py` of the room whose job it is. `label`: what people read instead of the kind."""
    job_kinds[kind] = JobKind(kind, run, scope, unit, label, daily)


due_starters: list[Callable[[], None]] = []
"""Each starts jobs whose time has come, or looks what its room keeps in mind; called by the runner of a server as it
begins and then about once a minute."""

# Told the id of every job that starts to wait, after its commit; the runner of this process listens.
job_listeners: list[Callable[[str], None]] = []


@dataclass(frozen=True)
class Doorkeeper:
    """`identify`: who sent a request, or None. `check`: raises unless they have the scope; `can` says it."""

    identify: Callable[[HttpRequest], Asker | None]
    check: Callable[[Any, str], None]
    can: Callable[[Any, str], bool]


@dataclass(frozen=True)
class MenuPage:
    """A page of the main menu. `section` and `label` are lazy translations; `order` sorts within everything."""

    order: int
    section: str | Promise
    label: str | Promise
    url_name: str
    icon: str
    scope: str


menu_pages: list[MenuPage] = []


def register_page(
    order: int, section: str | Promise, label: str | Promise, url_name: str, icon: str, scope: str
) -> None:
    """Called in the `apps.py` of the room whose page it is. Who lacks the scope does not see it (D-12); "": for all."""
    page = MenuPage(order, section, label, url_name, icon, scope)
    if page not in menu_pages:
        menu_pages.append(page)
        menu_pages.sort(key=lambda item: item.order)


@dataclass(frozen=True)
class Notice:
    """A line under the main menu of every page while `shown` says so, with a link. Asked often: `shown` is cheap."""

    shown: Callable[[], bool]
    text: str | Promise
    label: str | Promise
    url_name: str


notices: list[Notice] = []


def register_notice(shown: Callable[[], bool], text: str | Promise, label: str | Promise, url_name: str) -> None:
    """Called in the `apps.py` of the room that has to say it."""
    notice = Notice(shown, text, label, url_name)
    if notice not in notices:
        notices.append(notice)


@dataclass(frozen=True)
class Found:
    """Something with a page of its own. `kind`: what it is, in the reader's language."""

    kind: str | Promise
    name: str
    address: str


@dataclass(frozen=True)
class Attention:
    """Something that wants looking after. `text`: a sentence; `address`: where it is mended."""

    text: str
    address: str


@dataclass(frozen=True)
class FirstStep:
    """What a new installation is taken through (D-17). `done` is asked each time; `scope`: who can do it."""

    order: int
    label: str | Promise
    url_name: str
    scope: str
    done: Callable[[], bool]


@dataclass(frozen=True)
class OverviewPart:
    """A box of the Overview. `ask`: what its template shows to whoever asks, None for nothing."""

    order: int
    template: str
    ask: Callable[[Any], Mapping[str, Any] | None]


attentions: list[Callable[[Any], list[Attention]]] = []
first_steps: list[FirstStep] = []
overview_parts: list[OverviewPart] = []


def register_overview(
    *,
    part: OverviewPart | None = None,
    step: FirstStep | None = None,
    attention: Callable[[Any], list[Attention]] | None = None,
) -> None:
    """Called in the `apps.py` of a room: what of it stands on the first page."""
    if part is not None and part not in overview_parts:
        overview_parts.append(part)
        overview_parts.sort(key=lambda one: one.order)
    if step is not None and step not in first_steps:
        first_steps.append(step)
        first_steps.sort(key=lambda one: one.order)
    if attention is not None and attention not in attentions:
        attentions.append(attention)


Finder = Callable[[Any, str], list[Found]]
"""What somebody who asks may see of a room under a text; asked by the field on top of every page (D-13)."""

finders: list[Finder] = []


def register_finder(finder: Finder) -> None:
    """Called in the `apps.py` of the room whose things it finds."""
    if finder not in finders:
        finders.append(finder)


@dataclass(frozen=True)
class Preferences:
    """How whoever reads wants pages to be. `language`, `time_zone`, `theme` may be `auto`; `rows`: of a list's page.

    `hidden_columns`: by the key of a table (web/columns.py).
    """

    language: str = "auto"
    time_zone: str = "auto"
    theme: str = "auto"
    density: str = "comfortable"
    rows: int = 25
    hidden_columns: Mapping[str, Sequence[str]] = field(default_factory=dict)


Recorder = Callable[[Asker, str, str, str, Mapping[str, Any]], None]
"""Notes in the audit trail: who, action, kind and id of the thing, details."""

_doorkeepers: list[Doorkeeper] = []
_recorders: list[Recorder] = []
_preferences: list[Callable[[HttpRequest], Preferences]] = []


def register_doorkeeper(doorkeeper: Doorkeeper) -> None:
    _doorkeepers[:] = [doorkeeper]


def register_recorder(recorder: Recorder) -> None:
    _recorders[:] = [recorder]


def register_preferences(preferences_of: Callable[[HttpRequest], Preferences]) -> None:
    _preferences[:] = [preferences_of]


def preferences(request: HttpRequest) -> Preferences:
    """Of whoever reads the page."""
    return _preferences[0](request) if _preferences else Preferences()


def identify(request: HttpRequest) -> Asker | None:
    return _doorkeepers[0].identify(request)


def check_scope(asker: Any, scope: str) -> None:
    _doorkeepers[0].check(asker, scope)


def can(asker: Any, scope: str) -> bool:
    return _doorkeepers[0].can(asker, scope)


def record(actor: Asker, action: str, thing_kind: str, thing_id: str, details: Mapping[str, Any]) -> None:
    _recorders[0](actor, action, thing_kind, thing_id, details)
