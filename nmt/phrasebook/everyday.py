"""The sentence patterns of everyday life, and how often each is used."""

from random import Random

from nmt.phrasebook import grammar, phrases
from nmt.phrasebook.actions import action, actor, definite, moment
from nmt.phrasebook.forms import Adjective, Agreement, Subject, Tense
from nmt.phrasebook.generate import Pattern
from nmt.phrasebook.grammar import NO_TIME, Predicate
from nmt.phrasebook.modifiers import ADJECTIVES, PRAISE
from nmt.phrasebook.nouns import ANIMALS, SPOTS
from nmt.phrasebook.people import ADULTS, CLINIC_PEOPLE, RELATIVES, WORKERS
from nmt.phrasebook.phrases import ALL_PLACES, ALL_THINGS, Phrase, tagged
from nmt.phrasebook.verbs import BE, BLOW, RAIN
from nmt.text.pair import Pair

_FINITE = (Tense.PAST, Tense.PAST, Tense.NOW, Tense.FUTURE, Tense.HABIT)
_QUESTION_WORDS = (("when", "எப்போது"), ("why", "ஏன்"))
_WEATHER = ((RAIN, "it"), (BLOW, "the wind"))
_TOWNS = tagged(ALL_PLACES, ("town",))
_OUTDOORS = tagged(ALL_PLACES, ("outdoors",))
_OPEN_AIR = tagged(ALL_PLACES, ("town", "outdoors"))
_PUBLIC = tagged(ALL_PLACES, ("public",))
_GROWING = tagged(ALL_THINGS, ("plant",))
_NEAR = tuple(
    thing for thing in ALL_THINGS if thing.tags & {"goods", "food"} and "load" not in thing.tags
)
_FRIENDS = tuple(person for person in ADULTS if person.english in {"Ravi", "Meena"})


def statement(random: Random) -> Pair:
    """Draw a plain statement."""
    predicate = action(random)
    tense = random.choice(_FINITE)
    return grammar.statement(actor(random, predicate), predicate, tense, moment(random, tense))


def negation(random: Random) -> Pair:
    """Draw a negative statement."""
    predicate = definite(random, action)
    tense = random.choice((Tense.PAST, Tense.FUTURE))
    return grammar.negation(actor(random, predicate), predicate, tense, moment(random, tense))


def question(random: Random) -> Pair:
    """Draw a yes/no question."""
    predicate = action(random)
    # Nobody asks about their own actions.
    avoided = Predicate(predicate.verb, people=predicate.people | {"first"})
    tense = random.choice((Tense.PAST, Tense.NOW, Tense.FUTURE))
    subject = actor(random, avoided)
    return grammar.question(subject, predicate, tense, moment(random, tense))


def question_with_word(random: Random) -> Pair:
    """Draw a question with a question word."""
    predicate = action(random)
    avoided = Predicate(predicate.verb, people=predicate.people | {"first"})
    word = random.choice(_QUESTION_WORDS)
    tense = random.choice((Tense.PAST, Tense.FUTURE))
    return grammar.question(actor(random, avoided), predicate, tense, NO_TIME, word)


def wish(random: Random) -> Pair:
    """Draw somebody's wish."""
    predicate = action(random)
    people = predicate.people
    subject = phrases.doer(random, people, adult="adult" in predicate.verb.tags).subject()
    tense = random.choice((Tense.HABIT, Tense.HABIT, Tense.PAST))
    return grammar.wish(subject, predicate, tense)


def request(random: Random) -> Pair:
    """Draw a request or a prohibition."""
    polite = random.random() < 0.65
    predicate = action(random) if polite else definite(random, action)
    # A person who is asked cannot also be the object of the request.
    if not predicate.verb.imperative or "you" in predicate.people:
        return request(random)
    time = moment(random, Tense.FUTURE) if random.random() < 0.5 else NO_TIME
    return grammar.request(predicate, time, polite)


def _someone_or_thing(random: Random, adjective: Adjective) -> Subject:
    nouns = (*tagged(ALL_THINGS, adjective.fits), *tagged(ALL_PLACES, adjective.fits))
    if "person" in adjective.fits and (not nouns or random.random() < 0.8):
        return phrases.doer(random, frozenset()).subject()
    return random.choice(nouns).subject()


def description(random: Random) -> Pair:
    """Draw a sentence such as "The house is very big"."""
    adjective = random.choice(ADJECTIVES)
    very, tamil_very = ("very", "மிகவும்") if random.random() < 0.4 else ("", "")
    subject = _someone_or_thing(random, adjective)
    predicate = Predicate(BE, f"{very} {adjective.english}", (tamil_very, adjective.predicate))
    tense = random.choice((Tense.HABIT, Tense.PAST))
    if subject.key != "first" and random.random() < 0.2:
        return grammar.question(subject, predicate, tense, NO_TIME)
    return grammar.statement(subject, predicate, tense, NO_TIME)


def possession(random: Random) -> Pair:
    """Draw a sentence such as "The boy has a ball"."""
    owner = phrases.doer(random, frozenset())
    # Tamil has no verb "have": a thing is "at" its owner.
    possessor = Subject(owner.english, owner.at, owner.agreement, owner.key)
    what = phrases.indefinite(random, random.choice(_NEAR))
    tense = random.choice((Tense.HABIT, Tense.PAST))
    asks = owner.key != "first" and random.random() < 0.25
    say = grammar.possession_question if asks else grammar.possession
    return say(possessor, what.agreement, what.english, what.tamil, tense)


def existence(random: Random) -> Pair:
    """Draw a sentence such as "There is a book on the table"."""
    tense = random.choice((Tense.HABIT, Tense.PAST))
    what, (where, tamil_where) = _thing_somewhere(random)
    verb = grammar.english_verb(BE, what.agreement, tense)
    finite = grammar.tamil_verb(BE, what.agreement, tense)
    return grammar.sentence(("there", verb, what.english, where), (tamil_where, what.tamil, finite))


def _thing_somewhere(random: Random) -> tuple[Phrase, tuple[str, str]]:
    choice = random.random()
    if choice < 0.5:
        return phrases.indefinite(random, random.choice(_NEAR)), random.choice(SPOTS)
    if choice < 0.75:
        where = phrases.located(random.choice(_OUTDOORS))
        what = phrases.indefinite(random, random.choice((*ANIMALS, *_GROWING)))
        return what, (where.english, where.tamil)
    where = phrases.located(random.choice(_TOWNS))
    building = random.choice(_PUBLIC)
    name = building.english.removeprefix("the ")
    return (
        Phrase(f"{phrases.article(name)} {name}", f"ஒரு {building.nominative}"),
        (where.english, where.tamil),
    )


def weather(random: Random) -> Pair:
    """Draw a sentence such as "It rained in Chennai yesterday"."""
    verb, what = random.choice(_WEATHER)
    where = phrases.located(random.choice(_OPEN_AIR))
    # Tamil names the rain and the wind next to the verb, after the place.
    subject = Subject(what, "", Agreement.IT, what)
    predicate = Predicate(verb, where.english, (where.tamil,))
    tense = random.choice((Tense.PAST, Tense.FUTURE))
    say = random.choice((grammar.statement, grammar.statement, grammar.negation, grammar.question))
    return say(subject, predicate, tense, moment(random, tense))


def profession(random: Random) -> Pair:
    """Draw a sentence such as "My father is a good farmer"."""
    who = random.choice((*RELATIVES, *_FRIENDS))
    praise, tamil_praise = random.choice(PRAISE)
    what = random.choice((*WORKERS, *CLINIC_PEOPLE))
    name = f"{praise} {what.english.removeprefix('the ')}".strip()
    return grammar.sentence(
        # Tamil has no verb here: "my father a farmer".
        (who.english, "is", phrases.article(name), name),
        (who.nominative, "ஒரு", tamil_praise, what.nominative),
    )


PATTERNS: tuple[tuple[Pattern, int], ...] = (
    (statement, 42),
    (negation, 10),
    (question, 10),
    (question_with_word, 4),
    (wish, 7),
    (request, 7),
    (description, 14),
    (possession, 6),
    (existence, 5),
    (weather, 2),
    (profession, 3),
)
