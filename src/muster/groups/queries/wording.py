"""Definitions in words: the reader's language and formats, and this installation's names (G-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from muster.catalog import queries as catalog
from muster.groups.queries.evaluation import Named, every_name, vocabulary
from muster.rules.codec import decode
from muster.rules.describe.expression import expression
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import PlainNames, Words, load_words
from muster.web.formats import formats_for


@dataclass(frozen=True)
class InstallationNames(PlainNames):
    """The words of `rules`, with the publisher's own names of apps and groups."""

    apps: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)

    def app(self, key: str) -> str:
        return self.apps.get(key, key)

    def group(self, identifier: str) -> str:
        return self.groups.get(identifier, identifier)


def words_for(language: str, names_of_groups: Sequence[Named] | None = None) -> Words:
    """Everything a description needs to know about a reader of this installation."""
    groups = every_name() if names_of_groups is None else names_of_groups
    publisher = catalog.publisher()
    names = InstallationNames(
        translations=load_words(language).translations,
        attributes=catalog.attributes(),
        apps={app.key: app.label(language) for app in catalog.apps(archived=True)},
        groups={named.id: named.name for named in groups},
    )
    return load_words(language, formats_for(language, publisher.time_zone, publisher.currency), names)


def described(document: object, language: str) -> dict[str, str]:
    """The sentence and the expression of a definition."""
    definition = decode(document, vocabulary(archived=True))
    words = words_for(language)
    return {"sentence": sentence(definition, words), "expression": expression(definition, words)}
