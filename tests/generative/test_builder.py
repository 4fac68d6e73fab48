"""The builder's rows say every definition: read into rows, posted and written again, it means the same (G-12)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from babel import Locale
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.groups.pages.builder.documents import tree_of, write_match
from muster.groups.pages.builder.settle import Settler
from muster.groups.pages.builder.tree import Tree, change, read_tree, written
from muster.rules.canonical import canonical
from muster.rules.codec import decode
from muster.rules.nodes import Definition
from muster.web.formats import BabelFormats
from tests.generative.definitions import definitions
from tests.spec.rules.vocabularies import VOCABULARY

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
FORMATS = {name: BabelFormats(Locale.parse(name), ZoneInfo("UTC"), "EUR") for name in ("en", "de", "fr")}


def _said(tree: Tree, app: str | None, formats: BabelFormats) -> Definition:
    found = write_match(tree, formats)
    assert found.blanks == []
    return decode({"version": 1, "app": app, "match": found.match}, VOCABULARY)


@_SETTINGS
@given(definitions(VOCABULARY), st.sampled_from(sorted(FORMATS)), st.sampled_from(sorted(FORMATS)))
def test_definition_survives_rows_form_and_language(definition: Definition, first: str, second: str) -> None:
    """G-13: read in one language, posted, opened in another and posted again."""
    there, here = FORMATS[first], FORMATS[second]
    tree = Settler(VOCABULARY, there, there).tree(tree_of(definition, VOCABULARY, there))
    tree = Settler(VOCABULARY, there, here).tree(read_tree(written(tree)))
    tree = Settler(VOCABULARY, here, here).tree(read_tree(written(tree)))
    assert canonical(_said(tree, definition.app, here).match) == canonical(definition.match)


@_SETTINGS
@given(definitions(VOCABULARY), st.data())
def test_removing_a_row_touches_nothing_else(definition: Definition, data: st.DataObject) -> None:
    """G-13: the other rows are the same in the same order."""
    settler = Settler(VOCABULARY, FORMATS["en"], FORMATS["en"])
    tree = settler.tree(tree_of(definition, VOCABULARY, FORMATS["en"]))
    place = data.draw(st.integers(0, len(tree["in"]["nodes"]) - 1))
    rest = [one for index, one in enumerate(tree["in"]["nodes"]) if index != place]
    assert settler.tree(change(tree, f"drop:in.nodes.{place}"))["in"]["nodes"] == rest


@_SETTINGS
@given(st.lists(st.tuples(st.text("in.out.nodes.0123.matchkinduvales", max_size=30), st.text(max_size=5)), max_size=30))
def test_no_form_breaks_the_builder(fields: list[tuple[str, str]]) -> None:
    settler = Settler(VOCABULARY, FORMATS["en"], FORMATS["de"])
    tree = settler.tree(read_tree(fields))
    assert settler.tree(read_tree(written(tree)))["in"]["match"] == tree["in"]["match"]
    write_match(tree, FORMATS["de"])
