"""The entries of the lexicon, and readers for its tables.

A Tamil form that ends in "+" doubles a following க, ச, த or ப; `grammar.spell` does that.
"""

from dataclasses import dataclass
from enum import Enum

LINK = "+"


class Agreement(Enum):
    """The person and number of a verb; the value is the ending of a Tamil finite verb."""

    I = "ேன்"  # noqa: E741 - the English pronoun is the clearest name
    WE = "ோம்"
    YOU = "ீர்கள்"
    HE = "ான்"
    SHE = "ாள்"
    RESPECT = "ார்"
    THEY = "ார்கள்"
    IT = "து"
    THINGS = "ன"


class Tense(Enum):
    """A tense; NOW is the English progressive and HABIT the simple present."""

    PAST = "past"
    NOW = "now"
    HABIT = "habit"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a sentence; no other person or thing of it may have the same key."""

    english: str
    tamil: str
    agreement: Agreement
    key: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person in every Tamil case; `at` is the -இடம் case, in which owners are."""

    key: str
    english: str
    english_object: str
    possessive: str
    agreement: Agreement
    nominative: str
    accusative: str
    dative: str
    sociative: str
    at: str
    genitive: str
    instrumental: str

    def subject(self) -> Subject:
        """Return the person as the subject of a sentence."""
        return Subject(self.english, self.nominative, self.agreement, self.key)


@dataclass(frozen=True, slots=True)
class Thing:
    """An object or animal; a mass noun ("rice") has no plural and is used without article."""

    english: str
    plural: str
    nominative: str
    accusative: str
    plural_nominative: str
    plural_accusative: str
    tags: frozenset[str]

    def subject(self) -> Subject:
        """Return the thing, with "the", as the subject of a sentence."""
        return Subject(f"the {self.english}", self.nominative, Agreement.IT, self.english)


@dataclass(frozen=True, slots=True)
class Place:
    """A place; its English name includes the article, if it has one."""

    english: str
    preposition: str
    nominative: str
    accusative: str
    dative: str
    locative: str
    tags: frozenset[str]

    def subject(self) -> Subject:
        """Return the place as the subject of a sentence."""
        return Subject(self.english, self.nominative, Agreement.IT, self.english)


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its English principal parts, and the Tamil stems for the personal endings."""

    base: str
    third: str
    past: str
    progressive: str
    tamil_present: str
    tamil_past: str
    tamil_future: str
    infinitive: str
    imperative: str
    tags: frozenset[str]
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective in its Tamil forms before a noun and before "to be"."""

    english: str
    attributive: str
    predicate: str
    fits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class When:
    """A time expression with the tenses that it fits."""

    english: str
    tamil: str
    tenses: frozenset[Tense]


def rows(table: str, columns: int) -> list[list[str]]:
    """Read the rows of a "|"-separated table; "-" is an empty cell."""
    lines = [line for line in table.strip().splitlines() if line.strip()]
    cells = [[cell.strip().removeprefix("-") for cell in line.split("|")] for line in lines]
    short = [row for row in cells if len(row) != columns]
    if short:
        raise ValueError(f"the row {short[0]} does not have {columns} columns")
    return cells


def things(table: str) -> tuple[Thing, ...]:
    """Read things: english | plural | nominative | accusative | both of the plural | tags."""
    return tuple(
        Thing(english, plural, name, the + LINK, names, them + LINK, frozenset(tags.split()))
        for english, plural, name, the, names, them, tags in rows(table, 7)
    )


def places(table: str) -> tuple[Place, ...]:
    """Read places: english | preposition | nominative | accusative | dative | locative | tags."""
    return tuple(
        Place(english, preposition, name, the + LINK, to + LINK, at, frozenset(tags.split()))
        for english, preposition, name, the, to, at, tags in rows(table, 7)
    )


def verbs(table: str) -> tuple[Verb, ...]:
    """Read verbs, in the order of the fields of `Verb`."""
    return tuple(
        Verb(
            base=row[0],
            third=row[1],
            past=row[2],
            progressive=row[3],
            tamil_present=row[4],
            tamil_past=row[5],
            tamil_future=row[6],
            infinitive=row[7],
            imperative=row[8],
            tags=frozenset(row[9].split()),
            objects=tuple(row[10].split()),
        )
        for row in rows(table, 11)
    )
