"""Who is in a population, and who falls into a sample."""

from __future__ import annotations

from dataclasses import replace

import ibis.expr.types as ir

from muster.engine.atoms import Acquired, Excluded
from muster.engine.compile.attributes import of_ages
from muster.engine.compile.comparison import naive
from muster.engine.compile.registry import Subjects, Where, compiles
from muster.engine.context import Context
from muster.kernel.civil import OLDEST_AGE_YEARS
from muster.rules.nodes import SampleCondition
from muster.warehouse.port import Relations


@compiles(Acquired)
def acquired_keys(atom: Acquired, context: Context, warehouse: Relations) -> Where:
    """Customers who have acquired the app, or any app, by now."""
    facts = warehouse.relation("app_facts")
    table = facts if atom.app is None else facts.filter(facts.app_key == context.vocabulary.apps[atom.app])
    return Where(table, table.acquired_at <= naive(context.now))


@compiles(Excluded)
def excluded_keys(atom: Excluded, context: Context, warehouse: Relations) -> Where:
    """Customers outside every population (G-1)."""
    if atom.reason == "too_young":
        return of_ages([(0, context.minimum_age - 1)], context, warehouse)
    if atom.reason == "age_unknown":
        known = of_ages([(0, OLDEST_AGE_YEARS)], context, warehouse)
        return replace(known, complement=True)
    profiles: ir.Table = warehouse.relation("profiles")
    return Where(profiles, profiles.profiling_denied)


@compiles(SampleCondition)
def sample_subjects(condition: SampleCondition, _: Context, warehouse: Relations) -> Subjects:
    """Everybody's bucketing subject (F-31)."""
    rows = warehouse.relation("profiles").select("customer_key", "subject")
    return Subjects(rows, condition.basis_points, condition.salt)
