"""Predicates of everyday actions, and their subjects."""

from collections.abc import Callable
from random import Random

from nmt.phrasebook import phrases
from nmt.phrasebook.clinic_words import AILMENTS, CONCERNS
from nmt.phrasebook.forms import Place, Subject, Tense, Verb, When
from nmt.phrasebook.grammar import NO_TIME, Predicate
from nmt.phrasebook.modifiers import JOYFUL, MANNERS, QUANTITIES, TIMES
from nmt.phrasebook.nouns import SPOTS
from nmt.phrasebook.phrases import ALL_PLACES, ALL_THINGS, Phrase, tagged
from nmt.phrasebook.verbs import (
    ASK,
    COME,
    GIVING,
    GO,
    INTRANSITIVE,
    PUT,
    RETURN,
    TALK,
    TRANSITIVE,
)

HOME = next(place for place in ALL_PLACES if place.english == "the house")
_READ = next(verb for verb in TRANSITIVE if verb.base == "read")
_OBJECTS = {verb.base: tagged(ALL_THINGS, verb.objects) for verb in (*TRANSITIVE, *GIVING, PUT)}
_SIGHTS = {verb.base: tagged(ALL_PLACES, verb.objects) for verb in TRANSITIVE}
_SCENES = {verb.base: tagged(ALL_PLACES, verb.objects) for verb in INTRANSITIVE}
_DESTINATIONS = tuple(place for place in ALL_PLACES if "swim" not in place.tags)
_TOPICS = tuple(
    Phrase(noun.subject().english, noun.accusative)
    for noun in (*tagged(ALL_THINGS, ("topic",)), *tagged(ALL_PLACES, ("topic",)))
)
_CONCERNS = tuple(Phrase(each.definite, each.accusative) for each in (*AILMENTS, *CONCERNS))
_INDEFINITE = {"ஒரு", *(count for _, count in QUANTITIES)}


def moment(random: Random, tense: Tense) -> When:
    """Draw a time that fits the tense, or no time."""
    # Without a time, a habit could not be told from the progressive, which Tamil writes alike.
    if tense is not Tense.HABIT and random.random() < 0.6:
        return NO_TIME
    return random.choice([time for time in TIMES if tense in time.tenses])


def _manner(random: Random, verb: Verb) -> tuple[str, str]:
    plain = "manner" not in verb.tags or random.random() > 0.1
    if plain:
        return "", ""
    return random.choice((*MANNERS, JOYFUL) if "joyful" in verb.tags else MANNERS)


def _object(random: Random, verb: Verb) -> Phrase:
    things, places = _OBJECTS[verb.base], _SIGHTS.get(verb.base, ())
    if "person" in verb.objects and (not things or random.random() < 0.5):
        return phrases.person_phrase(random, dative="dative" in verb.tags)
    chosen = random.choice((*things, *places))
    if isinstance(chosen, Place):
        return phrases.place_phrase(chosen)
    return phrases.object_phrase(random, chosen)


def transitive(random: Random) -> Predicate:
    """Draw a predicate such as "read a book"."""
    return acting_on(random, random.choice(TRANSITIVE))


def acting_on(random: Random, verb: Verb) -> Predicate:
    """Give a transitive verb an object that fits it."""
    what = _object(random, verb)
    how, tamil_how = _manner(random, verb)
    return Predicate(verb, f"{what.english} {how}", (what.tamil, tamil_how), what.people)


def intransitive(random: Random) -> Predicate:
    """Draw a predicate such as "play in the park"."""
    verb = random.choice(INTRANSITIVE)
    where = phrases.located(random.choice(_SCENES[verb.base]))
    how, tamil_how = _manner(random, verb)
    if how or "company" not in verb.tags or random.random() < 0.6:
        return Predicate(verb, f"{how} {where.english}", (where.tamil, tamil_how))
    friend = phrases.person(random)
    return Predicate(
        verb,
        f"{where.english} with {friend.english_object}",
        (friend.sociative, where.tamil),
        frozenset((friend.key,)),
    )


def motion(random: Random) -> Predicate:
    """Draw a predicate such as "go to the market"."""
    verb = random.choice((GO, GO, COME, RETURN))
    place = random.choice(_DESTINATIONS)
    source = verb in {COME, RETURN} and random.random() < 0.5
    # -இல் loses its pulli before the vowel of இருந்து: சந்தையில் + இருந்து.
    tamil = f"{place.locative[:-1]}ிருந்து" if source else place.dative
    english = f"{'from' if source else 'to'} {place.english}"
    if random.random() < 0.7:
        return Predicate(verb, english, (tamil,))
    friend = phrases.person(random)
    people = frozenset((friend.key,))
    english = f"{english} with {friend.english_object}"
    return Predicate(verb, english, (friend.sociative, tamil), people)


def giving(random: Random) -> Predicate:
    """Give the book to the student."""
    verb = random.choice(GIVING)
    what = phrases.object_phrase(random, random.choice(_OBJECTS[verb.base]))
    whom = phrases.person_phrase(random, dative=True)
    people = what.people | whom.people
    return Predicate(verb, f"{what.english} to {whom.english}", (whom.tamil, what.tamil), people)


def putting(random: Random) -> Predicate:
    """Draw a predicate such as "put the key on the table"."""
    what = phrases.object_phrase(random, random.choice(_OBJECTS[PUT.base]))
    spot, tamil_spot = random.choice(SPOTS)
    return Predicate(PUT, f"{what.english} {spot}", (tamil_spot, what.tamil), what.people)


def about(random: Random) -> Predicate:
    """Draw a predicate such as "talk about the story"."""
    topic = random.choice(_CONCERNS if random.random() < 0.6 else _TOPICS)
    tamil = (topic.tamil, "பற்றி+")
    other = phrases.person(random)
    way = random.randrange(4)
    if way == 0:
        return Predicate(TALK, f"about {topic.english}", tamil)
    if way == 1:
        return Predicate(_READ, f"about {topic.english}", tamil)
    people = frozenset((other.key,))
    if way == 2:
        english = f"{other.english_object} about {topic.english}"
        return Predicate(ASK, english, (other.at, *tamil), people)
    english = f"with {other.english_object} about {topic.english}"
    return Predicate(TALK, english, (other.sociative, *tamil), people)


_PREDICATES = (transitive, intransitive, motion, giving, putting, about)
_PREDICATE_WEIGHTS = (41, 15, 13, 12, 4, 15)


def action(random: Random) -> Predicate:
    """Draw a predicate of any kind."""
    return random.choices(_PREDICATES, _PREDICATE_WEIGHTS)[0](random)


def actor(random: Random, predicate: Predicate) -> Subject:
    """Draw a person or an animal that can be the subject of a predicate."""
    tags = predicate.verb.tags
    if "animal" in tags and random.random() < 0.25:
        return phrases.creature(random, predicate.people)
    return phrases.doer(random, predicate.people, adult="adult" in tags).subject()


def definite(random: Random, draw: Callable[[Random], Predicate]) -> Predicate:
    """Draw a predicate again until it has no "a" and no number."""
    # "Did not read a book" would need ஒரு ...உம், which no other pattern teaches.
    while True:
        predicate = draw(random)
        if not any(part.split(" ")[0] in _INDEFINITE for part in predicate.tamil):
            return predicate
