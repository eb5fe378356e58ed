"""Predicates of what patients and staff of a clinic do."""

from random import Random

from nmt.phrasebook import actions, phrases
from nmt.phrasebook.clinic_words import (
    APPLY,
    AVOID,
    BODY_ONLY,
    BREATHE,
    CARING,
    CLINIC,
    CONSULT,
    HOSPITAL,
    MEALS,
    MEDICINE,
    OINTMENT,
    PRESCRIBE,
    READINGS_ONLY,
    RECOVER,
    REST,
    SPANS,
    SYMPTOMS,
    TABLET,
    TAKING,
    TIMES_A_DAY,
)
from nmt.phrasebook.forms import Agreement, Person, Verb
from nmt.phrasebook.grammar import Predicate
from nmt.phrasebook.modifiers import DEMONSTRATIVES, MANNERS
from nmt.phrasebook.nouns import THINGS
from nmt.phrasebook.people import (
    DENTIST,
    DOCTOR,
    NURSE,
    PATIENT,
    PHARMACIST,
    PRONOUNS,
    RELATIVES,
    YOUNG,
)
from nmt.phrasebook.phrases import Phrase
from nmt.phrasebook.verbs import COME, GO, INTRANSITIVE, TRANSITIVE

# The patient is drawn about as often as all pronouns, or all relatives, together.
SICK = (*[PATIENT] * 8, *PRONOUNS, *RELATIVES[::2], *YOUNG, *YOUNG)
STAFF = (DOCTOR, NURSE)
# Persons in the singular, of whom "the hand" is one hand.
OWNERS = tuple(person for person in SICK if person.agreement not in {Agreement.WE, Agreement.THEY})
_ADVISERS = (DOCTOR, NURSE, PHARMACIST, DENTIST)
_UNHEALTHY = tuple(
    thing for thing in THINGS if thing.english in {"meat", "fish", "rice", "bread", "coffee", "tea"}
)
EVERYDAY = {verb.base: verb for verb in (*TRANSITIVE, *INTRANSITIVE)}
_THE = ("the", "")


def _dose(random: Random) -> tuple[str, str]:
    often, tamil_often = random.choice(TIMES_A_DAY)
    meal, tamil_meal = random.choice(MEALS)
    side, tamil_side = random.choice((("before", "முன்"), ("after", "பிறகு")))
    daily, tamil_daily = f"{often} a day", f"ஒரு நாளைக்கு+ {tamil_often}"
    meals, tamil_meals = f"{side} {meal}", f"{tamil_meal} {tamil_side}"
    return random.choice(
        (
            (daily, tamil_daily),
            (meals, tamil_meals),
            (f"{daily} {meals}", f"{tamil_meals} {tamil_daily}"),
            _span(random),
        )
    )


def _span(random: Random) -> tuple[str, str]:
    span, tamil = random.choice(SPANS)
    return f"for {span}", tamil


def taking(random: Random) -> Predicate:
    """Draw a predicate such as "take this tablet twice a day"."""
    what = random.choice((MEDICINE, TABLET))
    which, tamil_which = random.choice((_THE, *DEMONSTRATIVES))
    dose, tamil_dose = _dose(random)
    tamil = (tamil_dose, tamil_which, what.accusative)
    return Predicate(random.choice(TAKING), f"{which} {what.english} {dose}", tamil)


def applying(random: Random) -> Predicate:
    """Draw a predicate such as "apply the ointment to the wound once a day"."""
    part, _, _, on_part = random.choice(BODY_ONLY)
    which, tamil_which = random.choice((_THE, *DEMONSTRATIVES))
    often, tamil_often = random.choice(TIMES_A_DAY)
    dose, tamil_dose = random.choice(
        (("", ""), (f"{often} a day", f"ஒரு நாளைக்கு+ {tamil_often}"), _span(random))
    )
    tamil = (tamil_dose, on_part, tamil_which, OINTMENT.accusative)
    return Predicate(APPLY, f"{which} ointment to the {part} {dose}", tamil)


def avoiding(random: Random) -> Predicate:
    """Draw a predicate such as "avoid meat for two days"."""
    food = random.choice(_UNHEALTHY)
    span, tamil_span = _span(random)
    return Predicate(AVOID, f"{food.english} {span}", (tamil_span, food.accusative))


def resting(random: Random) -> Predicate:
    """Draw a predicate such as "rest in the house for three days"."""
    where = phrases.located(random.choice((HOSPITAL, CLINIC, actions.HOME)))
    span, tamil_span = _span(random)
    if random.random() < 0.5:
        return Predicate(REST, span, (tamil_span,))
    return Predicate(REST, f"{where.english} {span}", (where.tamil, tamil_span))


def consulting(random: Random) -> Predicate:
    """Draw a predicate such as "consult the doctor"."""
    adviser = random.choice(_ADVISERS)
    verb = random.choice((CONSULT, CONSULT, EVERYDAY["call"], EVERYDAY["meet"]))
    people = frozenset((adviser.key,))
    return Predicate(verb, adviser.english, (adviser.accusative,), people)


def visiting(random: Random) -> Predicate:
    """Draw a predicate such as "come to the clinic"."""
    place = random.choice((HOSPITAL, CLINIC))
    return Predicate(random.choice((GO, COME)), f"to {place.english}", (place.dative,))


def prescribed_course(random: Random) -> Predicate:
    """Draw a predicate of what a patient is prescribed: a remedy, a diet or rest."""
    return random.choices((taking, applying, avoiding, resting), (10, 6, 3, 2))[0](random)


def seeking_help(random: Random) -> Predicate:
    """Draw a predicate of looking for help, such as "consult the doctor"."""
    return random.choice((consulting, consulting, visiting))(random)


def advice(random: Random) -> Predicate:
    """Draw a predicate of what a sick person is advised to do."""
    return random.choices((prescribed_course, seeking_help), (20, 8))[0](random)


def belonging(random: Random, verb: Verb, owner: Person) -> tuple[Phrase, str] | None:
    """Draw a part of the body or a reading for a verb, with its accusative; None if it has none."""
    if "reading" in verb.objects and ("person" not in verb.objects or random.random() < 0.6):
        reading = random.choice(READINGS_ONLY)
        name, tamil, accusative = reading.definite, reading.nominative, reading.accusative
    elif "body" in verb.objects and random.random() < 0.5:
        name, tamil, accusative, _ = random.choice(BODY_ONLY)
    else:
        return None
    whose = f"{owner.possessive} {name}"
    return Phrase(whose, f"{owner.genitive} {tamil}"), f"{owner.genitive} {accusative}"


def caring(random: Random) -> Predicate:
    """Draw a predicate such as "examine the patient" or "measure her pulse"."""
    verb = random.choice(CARING)
    owner = random.choice(OWNERS if "body" in verb.objects else SICK)
    people = frozenset((owner.key,))
    thing = belonging(random, verb, owner)
    if thing:
        return Predicate(verb, thing[0].english, (thing[1],), people)
    form = owner.dative if "dative" in verb.tags else owner.accusative
    return Predicate(verb, owner.english_object, (form,), people)


def prescribing(random: Random) -> Predicate:
    """Draw a predicate such as "prescribe two tablets for the child"."""
    what = phrases.indefinite(random, random.choice((MEDICINE, TABLET, OINTMENT)))
    whom = random.choice(SICK)
    english = f"{what.english} for {whom.english_object}"
    return Predicate(PRESCRIBE, english, (whom.dative, what.tamil), frozenset((whom.key,)))


def ailing(random: Random) -> Predicate:
    """Draw a predicate such as "cough" or "recover"."""
    verb = random.choice((*SYMPTOMS, RECOVER))
    where = phrases.located(random.choice((HOSPITAL, CLINIC, actions.HOME)))
    return Predicate(verb, where.english, (where.tamil,))


def straining(random: Random) -> Predicate:
    """Draw a predicate of what a sick person cannot or must not do."""
    kind = random.randrange(4)
    if kind == 0:
        return actions.intransitive(random)
    if kind == 1:
        return actions.motion(random)
    if kind == 2:
        what = random.choice((MEDICINE, TABLET))
        return Predicate(TAKING[1], f"the {what.english}", (what.accusative,))
    verb = EVERYDAY[random.choice(("eat", "drink", "carry", "read"))]
    return actions.acting_on(random, verb)


def breathing(random: Random) -> Predicate:
    """Draw a predicate such as "breathe slowly"."""
    # Slowly or quickly: nobody is told to breathe quietly.
    how, tamil_how = random.choice((("", ""), *MANNERS[:2]))
    return Predicate(BREATHE, how, (tamil_how,))
