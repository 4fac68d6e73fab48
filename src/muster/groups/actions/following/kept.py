"""What the follower keeps in memory between cycles, and reads again once somebody else has stored something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap

from muster.catalog.queries import publisher
from muster.customers.queries import warehouse
from muster.engine.atoms import Ranked
from muster.engine.changes import Change
from muster.engine.context import Context
from muster.engine.follow.needs import needed
from muster.engine.follow.program import Program
from muster.engine.follow.questions import Questions
from muster.engine.plan import Plan, plan, with_limits
from muster.engine.turning import Sources, sources_of
from muster.groups.actions.followed import FOLLOWED
from muster.groups.actions.membership import readable
from muster.groups.errors import Overtaken
from muster.groups.models import Group
from muster.groups.queries.evaluation import context, delta_of, membership_files
from muster.groups.terms import EVALUATED, Kind, State
from muster.kernel.errors import InternalError
from muster.rules.canonical import condition_hash
from muster.rules.nodes import Definition
from muster.warehouse.port import Needed
from muster.web.stamps import Stamp, control_stamp, own_stamp

_STANDING = ("revision", "evaluations", "generation", "state", "list_version")
Standing = dict[str, tuple[object, ...]]


@dataclass
class Kept:
    """One group as it is stored: its members, and how they differ from the file of their generation."""

    id: str
    kind: Kind
    state: State
    app: str | None
    generation: int
    members: BitMap
    delta: Change
    file_bytes: int
    available: int | None
    list_version: int
    pending: int

    def take(self, change: Change) -> None:
        """Once it is stored."""
        self.members |= change.joined
        self.members -= change.left
        self.delta = self.delta.then(change)


@dataclass(frozen=True)
class Prepared:
    """Everything that follows from definitions and settings, made once for as long as they stand."""

    program: Program
    definitions: Mapping[str, Definition]
    """Of the segments that can be evaluated, by id."""
    plans: Mapping[str, Plan]
    needed: Needed
    sources: Sources
    questions: Questions
    has_ranks: bool


@dataclass
class Memory:
    """Not shared between threads but under the follower's lock."""

    groups: dict[str, Kept] = field(default_factory=dict)
    minimum_size: int = 0
    data_as_of: datetime | None = None
    """Of the warehouse, if it is known without asking."""
    evaluated_from: datetime | None = None
    """Since when whoever changes by time must be looked for among those whom others evaluated."""
    settings_changed: bool = False
    """Who is in a population at all is decided otherwise than it was: of nobody it is known any more."""
    _context: Context | None = None
    _prepared: Prepared | None = None
    _standing: Standing = field(default_factory=dict)
    _stamp: Stamp | None = None
    _stored_at: Stamp | None = None
    _begun: int = -1

    @property
    def context(self) -> Context:
        """Of whichever instant; read by `renew`."""
        if self._context is None:
            raise InternalError("nothing was read yet")
        return self._context

    @property
    def rules(self) -> tuple[object, ...]:
        """What of the publisher's settings decides who is in a population."""
        return _rules_of(self.context)

    @property
    def prepared(self) -> Prepared:
        if self._prepared is None:
            raise InternalError("nothing was read yet")
        return self._prepared

    def renew(self) -> None:
        """Reads what others have stored since; microseconds if nobody has."""
        stamp, begun = control_stamp(), FOLLOWED.begun_anew
        if stamp is not None and stamp == self._stamp and begun == self._begun:
            return
        anew = begun != self._begun
        found = _standing()
        changed = {one for one, standing in found.items() if anew or self._standing.get(one) != standing}
        gone = self._standing.keys() - found.keys()
        for identifier in gone:
            self.groups.pop(identifier, None)
        rows = list(Group.objects.filter(id__in=changed)) if changed else []
        for row in rows:
            self.groups[row.id] = _kept(row)
        self._take_settings()
        if changed or gone or self._prepared is None:
            self._prepare()
            instants = [self.evaluated_from, *(row.refreshed_at for row in rows)]
            self.evaluated_from = min((instant for instant in instants if instant is not None), default=None)
        self._standing, self._stamp, self._begun = found, stamp, begun

    def _take_settings(self) -> None:
        self.minimum_size = publisher().minimum_size
        # It knows people by the catalog as it is now.
        warehouse()
        here, before = context(), self._context
        if before is not None and here.at(before.now) == before:
            return
        if before is not None and _rules_of(before) != _rules_of(here):
            self.settings_changed = True
        self._context, self._prepared = here, None

    def _prepare(self) -> None:
        here = self.context
        rows = list(Group.objects.filter(kind=Kind.SEGMENT, state__in=EVALUATED, generation__gt=0))
        definitions = readable(rows, here.vocabulary)
        limits = {row.id: limits_of(row) for row in rows}
        plans = {one: _planned(definition, here, limits[one]) for one, definition in definitions.items()}
        program = Program(definitions, plans, here)
        before = self._prepared
        same = before is not None and program.atoms == before.program.atoms
        self._prepared = Prepared(
            program,
            definitions,
            plans,
            needed(program.atoms, here),
            sources_of(program.atoms, here),
            # The same questions were compiled already.
            before.questions if before is not None and same else Questions(program.atoms),
            any(row.thresholds for row in rows),
        )

    def check_unchanged(self) -> None:
        """`Overtaken` if others have stored since `renew`; asked inside the transaction that is to store."""
        self._stored_at = stamp = control_stamp()
        if FOLLOWED.begun_anew != self._begun:
            raise Overtaken("Groups are being read again.")
        if (stamp is None or stamp != self._stamp) and _standing() != self._standing:
            raise Overtaken("Groups were stored meanwhile.")

    def note_stored(self, identifiers: Iterable[str]) -> None:
        """What was stored here is known already."""
        for identifier in identifiers:
            revision, evaluations, _, _, version = self._standing[identifier]
            group = self.groups[identifier]
            self._standing[identifier] = (revision, evaluations, group.generation, group.state.value, version)
        if self._stamp is not None and self._stamp == self._stored_at:
            # Nobody else stored anything before that transaction; whoever did since is seen by the next look.
            self._stamp = own_stamp(self._stamp)


def _standing() -> Standing:
    rows = Group.objects.filter(generation__gt=0).exclude(state__in=(State.ARCHIVED, State.DRAFT))
    return {row[0]: tuple(row[1:]) for row in rows.values_list("id", *_STANDING)}


def _kept(row: Group) -> Kept:
    files = membership_files()
    members = files.read(row.id, row.generation)
    delta = delta_of(row.id, row.generation)
    return Kept(
        id=row.id,
        kind=Kind(row.kind),
        state=State(row.state),
        app=row.app,
        generation=row.generation,
        members=delta.applied_to(members),
        delta=delta,
        file_bytes=files.bytes_of(row.id, row.generation),
        available=row.available_customers,
        list_version=row.list_version if row.entry_count else 0,
        pending=row.pending_count,
    )


def _rules_of(here: Context) -> tuple[object, ...]:
    return (here.zone, here.minimum_age, here.require_known_age)


def _planned(definition: Definition, here: Context, limit: Callable[[Ranked], float | None]) -> Plan:
    whole = plan(definition, here)
    return Plan(whole.population, with_limits(whole.members, limit))


def limits_of(row: Group) -> Callable[[Ranked], float | None]:
    """Where each rank of a segment begins, as its last evaluation of everybody found it."""
    known = {(one["condition"], one["app"]): one["value"] for one in row.thresholds}
    return lambda ranked: known.get((condition_hash(ranked.condition), ranked.population.app))
