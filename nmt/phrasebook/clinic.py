"""The sentence patterns of a clinic, which everyday sentences do not use."""

from random import Random

from nmt.phrasebook import actions, grammar, treatment
from nmt.phrasebook.clinic_words import (
    ADMIT,
    AILMENTS,
    AILMENTS_ONLY,
    APPLY,
    AVOID,
    BODY_ONLY,
    CARING,
    CLINIC,
    HOSPITAL,
    HURT,
    PRESCRIBE,
    REST,
    SYMPTOMS,
    TAKING,
)
from nmt.phrasebook.forms import Agreement, Person, Subject, Tense
from nmt.phrasebook.generate import Pattern
from nmt.phrasebook.grammar import NO_TIME, Predicate
from nmt.phrasebook.people import YOU
from nmt.phrasebook.treatment import OWNERS, SICK, STAFF
from nmt.phrasebook.verbs import HAVE
from nmt.text.pair import Pair

_ALL_AILMENTS = (*AILMENTS, *AILMENTS_ONLY)
_TENSES = (Tense.PAST, Tense.PAST, Tense.NOW, Tense.FUTURE)
# Objects of these verbs already say how often or how long.
_DOSED = {*TAKING, APPLY, AVOID, REST}
# Only what is in the accusative in Tamil can become the subject of a passive.
_DIRECT_CARE = tuple(verb for verb in CARING if "dative" not in verb.tags)


def _other(random: Random, people: tuple[Person, ...], avoid: frozenset[str]) -> Person:
    return random.choice([person for person in people if person.key not in avoid])


def _staff_work(random: Random) -> tuple[Subject, Predicate]:
    predicate = random.choice((treatment.caring, treatment.caring, treatment.prescribing))(random)
    return _other(random, STAFF, predicate.people).subject(), predicate


def _sick_work(random: Random) -> tuple[Subject, Predicate]:
    predicate = random.choice((treatment.prescribed_course, treatment.ailing))(random)
    return random.choice(SICK).subject(), predicate


def activity(random: Random) -> Pair:
    """Draw a sentence such as "The doctor examined the patient", its negation or its question."""
    subject, predicate = random.choice((_staff_work, _sick_work))(random)
    say = random.choice((grammar.statement, grammar.statement, grammar.negation, grammar.question))
    # "Did not prescribe a tablet" has the same difficulty as in `actions.definite`, and nobody asks
    # about their own actions.
    counted = say is grammar.negation and predicate.verb is PRESCRIBE
    if counted or (say is grammar.question and subject.key == "first"):
        say = grammar.statement
    tense = random.choice((Tense.PAST, Tense.FUTURE) if say is grammar.negation else _TENSES)
    time = NO_TIME if predicate.verb in _DOSED else actions.moment(random, tense)
    return say(subject, predicate, tense, time)


def ailment(random: Random) -> Pair:
    """Draw a sentence such as "The child has a headache"."""
    # In Tamil, a fever is "to" somebody; a thing is "at" its owner.
    person = random.choice(SICK)
    sick = Subject(person.english, person.dative, person.agreement, person.key)
    what = random.choice(_ALL_AILMENTS)
    tense = random.choice((Tense.HABIT, Tense.PAST))
    ask = sick.key != "first" and random.random() < 0.3
    say = grammar.possession_question if ask else grammar.possession
    return say(sick, Agreement.IT, what.english, what.nominative, tense)


def no_ailment(random: Random) -> Pair:
    """Draw a sentence such as "The child does not have a headache"."""
    sick = random.choice(SICK)
    what = random.choice(_ALL_AILMENTS)
    does = grammar.auxiliary(sick.agreement)
    return grammar.sentence(
        (sick.english, does, "not have", what.english), (sick.dative, what.nominative, "இல்லை")
    )


def _condition(random: Random, who: Person) -> tuple[str, str]:
    if random.random() < 0.7:
        has = grammar.english_verb(HAVE, who.agreement, Tense.HABIT)
        what = random.choice(_ALL_AILMENTS)
        tamil = f"{who.dative} {what.nominative} {grammar.conditional(HAVE)}"
        return f"if {who.english} {has} {what.english},", f"{tamil},"
    verb = random.choice(SYMPTOMS)
    does = grammar.english_verb(verb, who.agreement, Tense.HABIT)
    return f"if {who.english} {does},", f"{who.nominative} {grammar.conditional(verb)},"


def advice(random: Random) -> Pair:
    """Draw a sentence such as "If you have a fever, take this medicine after food"."""
    who = YOU if random.random() < 0.65 else _other(random, SICK, frozenset(("first",)))
    condition, tamil_condition = _condition(random, who)
    # Only the sick person can be told to take the medicine.
    predicate = (treatment.advice if who is YOU else treatment.seeking_help)(random)
    verb = predicate.verb
    return grammar.sentence(
        (condition, verb.base, predicate.english),
        (tamil_condition, *predicate.tamil, verb.imperative),
    )


def instruction(random: Random) -> Pair:
    """Draw a sentence such as "Take this tablet twice a day"."""
    predicate = treatment.prescribed_course(random)
    return grammar.sentence(
        (predicate.verb.base, predicate.english), (*predicate.tamil, predicate.verb.imperative)
    )


def obligation(random: Random) -> Pair:
    """Draw a sentence such as "The patient must rest for two days"."""
    predicate = treatment.advice(random)
    subject = _other(random, SICK, predicate.people).subject()
    # Staff have duties too, though mostly the sick are told what to do.
    if random.random() < 0.3:
        subject, predicate = _staff_work(random)
    return grammar.sentence(
        (subject.english, "must", predicate.verb.base, predicate.english),
        (subject.tamil, *predicate.tamil, predicate.verb.infinitive, "வேண்டும்"),
    )


def prohibition(random: Random) -> Pair:
    """Draw a sentence such as "The patient must not walk in the street"."""
    predicate = actions.definite(random, treatment.straining)
    subject = _other(random, SICK, predicate.people).subject()
    return grammar.sentence(
        (subject.english, "must not", predicate.verb.base, predicate.english),
        (subject.tamil, *predicate.tamil, f"{predicate.verb.infinitive}+", "கூடாது"),
    )


def ability(random: Random) -> Pair:
    """Draw a sentence such as "The patient cannot swallow the tablet"."""
    choose = random.choice((treatment.straining, treatment.straining, treatment.breathing))
    predicate = actions.definite(random, choose)
    who = _other(random, SICK, predicate.people)
    can, tamil_can = random.choice(
        (("can", "முடியும்"), ("cannot", "முடியாது"), ("could not", "முடியவில்லை"))
    )
    return grammar.sentence(
        (who.english, can, predicate.verb.base, predicate.english),
        # In Tamil, something can be done "by" somebody, so the verb does not agree with the person.
        (who.instrumental, *predicate.tamil, predicate.verb.infinitive, tamil_can),
    )


def received_care(random: Random) -> Pair:
    """Draw a sentence such as "The patient's hand was examined by the nurse"."""
    verb = random.choice(_DIRECT_CARE)
    who = random.choice(OWNERS if "body" in verb.objects else SICK)
    thing = treatment.belonging(random, verb, who)
    subject = who.subject()
    if thing:
        subject = Subject(thing[0].english, thing[0].tamil, Agreement.IT, who.key)
    agent = _other(random, STAFF, frozenset((who.key,)))
    predicate = Predicate(verb, f"by {agent.english}", (agent.instrumental,))
    return _passive(random, subject, predicate)


def admission(random: Random) -> Pair:
    """Draw a sentence such as "The child was admitted to the hospital yesterday"."""
    place = random.choice((HOSPITAL, CLINIC))
    predicate = Predicate(ADMIT, f"to {place.english}", (place.locative,))
    return _passive(random, random.choice(SICK).subject(), predicate)


def _passive(random: Random, subject: Subject, predicate: Predicate) -> Pair:
    tense = random.choice((Tense.PAST, Tense.PAST, Tense.FUTURE))
    time = actions.moment(random, tense)
    passive = grammar.passive(predicate.verb)
    return grammar.statement(
        subject, Predicate(passive, predicate.english, predicate.tamil), tense, time
    )


def pain(random: Random) -> Pair:
    """Draw a sentence such as "The child's leg hurts"."""
    who = random.choice(OWNERS)
    part, tamil_part, *_ = random.choice(BODY_ONLY)
    subject = Subject(
        f"{who.possessive} {part}", f"{who.genitive} {tamil_part}", Agreement.IT, who.key
    )
    say = random.choice((grammar.statement, grammar.question))
    tense = random.choice((Tense.HABIT, Tense.PAST))
    time = NO_TIME if tense is Tense.HABIT else actions.moment(random, tense)
    return say(subject, Predicate(HURT), tense, time)


PATTERNS: tuple[tuple[Pattern, int], ...] = (
    (activity, 18),
    (ailment, 6),
    (no_ailment, 3),
    (advice, 18),
    (instruction, 9),
    (obligation, 15),
    (prohibition, 11),
    (ability, 8),
    (received_care, 7),
    (admission, 3),
    (pain, 2),
)
