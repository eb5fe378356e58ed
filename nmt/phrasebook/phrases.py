"""Noun phrases and subjects, drawn at random from the everyday lexicon."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import TypeVar

from nmt.phrasebook.clinic_words import CLINIC_PLACES, CLINIC_THINGS
from nmt.phrasebook.forms import Adjective, Agreement, Person, Place, Subject, Thing
from nmt.phrasebook.modifiers import ADJECTIVES, DEMONSTRATIVES, QUANTITIES
from nmt.phrasebook.nouns import ANIMALS, PLACES, THINGS
from nmt.phrasebook.people import (
    ADULTS,
    CLINIC_PEOPLE,
    PRONOUNS,
    RELATIVES,
    YOUNG,
)

Noun = TypeVar("Noun", Thing, Place)

_OWNERS = (*PRONOUNS[:3], *RELATIVES, *YOUNG, *ADULTS, *CLINIC_PEOPLE)
_DETERMINERS = ("the", "one", "owned", "this", "all", "counted")
# Most things in everyday speech are known to both speakers, so "the" is the most frequent.
_DETERMINER_WEIGHTS = (46, 22, 7, 10, 5, 10)
_ADJECTIVE_SHARE = 0.14
_CLINIC_PERSON_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase in both languages, with the keys of the people it mentions."""

    english: str
    tamil: str
    people: frozenset[str] = frozenset()
    agreement: Agreement = Agreement.IT


def tagged(nouns: Iterable[Noun], tags: Iterable[str]) -> tuple[Noun, ...]:
    """Return the nouns that have one of the tags."""
    wanted = set(tags)
    return tuple(noun for noun in nouns if wanted & noun.tags)


def article(noun: str) -> str:
    """Return "a" or "an" for a word of this lexicon."""
    return "an" if noun[0] in "aeiou" and not noun.startswith("use") else "a"


def person(random: Random) -> Person:
    """Draw a person, but not a pronoun; sometimes one of the clinic."""
    if random.random() < _CLINIC_PERSON_SHARE:
        return random.choice(CLINIC_PEOPLE)
    return random.choice(random.choice((RELATIVES, ADULTS, ADULTS, YOUNG)))


def doer(random: Random, avoid: frozenset[str], *, adult: bool = False) -> Person:
    """Draw a person as the subject, except those to avoid."""
    # Drawing again keeps the shares of the kinds, whoever is to be avoided.
    while True:
        chosen = random.choice(PRONOUNS) if random.random() < 0.35 else person(random)
        if chosen.key not in avoid and not (adult and chosen in YOUNG):
            return chosen


def creature(random: Random, avoid: frozenset[str]) -> Subject:
    """Draw an animal, or several of one kind, as the subject."""
    animal = random.choice([animal for animal in ANIMALS if animal.english not in avoid])
    if random.random() < 0.7:
        return animal.subject()
    plural = f"the {animal.plural}"
    return Subject(plural, animal.plural_nominative, Agreement.THINGS, animal.english)


def describing(random: Random, tags: frozenset[str]) -> Adjective | None:
    """Draw an adjective that fits the tags of a noun; None if none fits."""
    fitting = [adjective for adjective in ADJECTIVES if tags.intersection(adjective.fits)]
    return random.choice(fitting) if fitting else None


def _described(random: Random, thing: Thing) -> tuple[str, str]:
    chosen = describing(random, thing.tags) if random.random() < _ADJECTIVE_SHARE else None
    return (f"{chosen.english} ", chosen.attributive) if chosen else ("", "")


def indefinite(random: Random, thing: Thing) -> Phrase:
    """Write a thing with "a", a number or, if it is a mass noun, nothing, in the nominative."""
    english, tamil = _described(random, thing)
    if not thing.plural:
        return Phrase(f"{english}{thing.english}", f"{tamil} {thing.nominative}")
    if random.random() < 0.65:
        name = f"{english}{thing.english}"
        return Phrase(f"{article(name)} {name}", f"ஒரு {tamil} {thing.nominative}")
    number, count = random.choice(QUANTITIES)
    return Phrase(
        f"{number} {english}{thing.plural}",
        f"{count} {tamil} {thing.plural_nominative}",
        agreement=Agreement.THINGS,
    )


def _definite(random: Random, thing: Thing, determiner: str) -> Phrase:
    english, tamil = _described(random, thing)
    if determiner == "owned":
        owner = random.choice(_OWNERS)
        words = f"{owner.possessive} {english}{thing.english}"
        return Phrase(
            words, f"{owner.genitive} {tamil} {thing.accusative}", frozenset((owner.key,))
        )
    if determiner == "this":
        this, tamil_this = random.choice(DEMONSTRATIVES)
        return Phrase(
            f"{this} {english}{thing.english}", f"{tamil_this} {tamil} {thing.accusative}"
        )
    if determiner == "all" and thing.plural:
        return Phrase(f"the {english}{thing.plural}", f"{tamil} {thing.plural_accusative}")
    return Phrase(f"the {english}{thing.english}", f"{tamil} {thing.accusative}")


def object_phrase(random: Random, thing: Thing) -> Phrase:
    """Write a thing as the object of a verb."""
    (determiner,) = random.choices(_DETERMINERS, _DETERMINER_WEIGHTS)
    # In Tamil, an object is in the accusative only if it is definite or alive.
    alive = "animal" in thing.tags
    if determiner in {"one", "counted"} and not alive:
        return indefinite(random, thing)
    phrase = _definite(random, thing, determiner)
    return Phrase(phrase.english, phrase.tamil, phrase.people | {thing.english})


def person_phrase(random: Random, *, dative: bool = False) -> Phrase:
    """Draw a person or a pronoun as the object of a verb."""
    chosen = random.choice(PRONOUNS) if random.random() < 0.2 else person(random)
    form = chosen.dative if dative else chosen.accusative
    return Phrase(chosen.english_object, form, frozenset((chosen.key,)))


def place_phrase(place: Place) -> Phrase:
    """Write a place as the object of a verb."""
    return Phrase(place.english, place.accusative, frozenset((place.english,)))


def located(place: Place) -> Phrase:
    """Write a place as an adverb: "in the place"."""
    return Phrase(f"{place.preposition} {place.english}", place.locative)


ALL_THINGS = tuple(chain(THINGS, ANIMALS, CLINIC_THINGS))
ALL_PLACES = tuple(chain(PLACES, CLINIC_PLACES))
