import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from random import Random

import pytest

from nmt.phrasebook import (
    DOMAIN_MAXIMUM,
    GENERAL_MAXIMUM,
    Pair,
    actions,
    clinic_words,
    domain_pairs,
    general_pairs,
    grammar,
    people,
    treatment,
    verbs,
)
from nmt.phrasebook.forms import Agreement, Subject, Tense, Verb
from nmt.phrasebook.grammar import NO_TIME, Predicate, spell

GENERAL = general_pairs(8000, seed=1)
DOMAIN = domain_pairs(3000, seed=1)
EVERYDAY_VERBS = {
    verb.base: verb
    for verb in (*verbs.TRANSITIVE, *verbs.GIVING, *verbs.INTRANSITIVE, verbs.GO, verbs.COME)
}
CLINIC_VERBS = {
    verb.base: verb
    for verb in (
        *clinic_words.TAKING,
        *clinic_words.CARING,
        *clinic_words.SYMPTOMS,
        *clinic_words.HEALING,
        clinic_words.APPLY,
        clinic_words.AVOID,
        clinic_words.CONSULT,
        clinic_words.PRESCRIBE,
    )
}
CLINIC_NOUNS = {
    *(person.key.removeprefix("the ") for person in people.CLINIC_PEOPLE),
    *(place.english.removeprefix("the ") for place in clinic_words.CLINIC_PLACES),
    *(thing.english for thing in clinic_words.CLINIC_THINGS),
    *(thing.plural for thing in clinic_words.CLINIC_THINGS),
    *(
        each.definite.removeprefix("the ")
        for each in (*clinic_words.AILMENTS, *clinic_words.CONCERNS)
    ),
}
NOUNS_OF_THE_CLINIC_ALONE = {
    *(each.definite.removeprefix("the ") for each in clinic_words.AILMENTS_ONLY),
    *(part[0] for part in clinic_words.BODY_ONLY),
    "temperature",
    "pulse",
}
MINIMUM_CLINIC_SHARE, MAXIMUM_CLINIC_SHARE = 0.15, 0.30
DRAWN_ELSEWHERE = """
from nmt.phrasebook import domain_pairs, general_pairs
print(ascii((general_pairs(300, 5), domain_pairs(300, 5))))
"""


def mentions(words: set[str], sentence: str) -> set[str]:
    pattern = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return set(re.findall(rf"\b(?:{pattern})\b", sentence.lower()))


def drawn_with_hash_seed(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", DRAWN_ELSEWHERE],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_same_seed_gives_the_same_pairs_in_every_process():
    here = ascii((general_pairs(300, 5), domain_pairs(300, 5)))

    assert drawn_with_hash_seed("1").strip() == here
    assert drawn_with_hash_seed("2").strip() == here


@pytest.mark.parametrize("draw", [general_pairs, domain_pairs])
def test_another_seed_gives_another_selection(draw):
    first, second = set(draw(500, 1)), set(draw(500, 2))

    assert len(first & second) < 250


@pytest.mark.parametrize(
    ("draw", "maximum"), [(general_pairs, GENERAL_MAXIMUM), (domain_pairs, DOMAIN_MAXIMUM)]
)
def test_the_maximum_can_be_drawn_and_no_more(draw, maximum):
    assert len(set(draw(maximum, 3))) == maximum
    with pytest.raises(ValueError, match=str(maximum)):
        draw(maximum + 1, 3)


@pytest.mark.parametrize("pairs", [GENERAL, DOMAIN], ids=["general", "domain"])
def test_no_source_and_no_target_repeats(pairs):
    assert len({pair.source for pair in pairs}) == len(pairs)
    assert len({pair.target for pair in pairs}) == len(pairs)


def test_a_sentence_has_one_translation_whichever_seed_drew_it():
    targets: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    for seed in range(4):
        for pair in (*general_pairs(8000, seed), *domain_pairs(4000, seed)):
            targets.setdefault(pair.source, set()).add(pair.target)
            sources.setdefault(pair.target, set()).add(pair.source)

    assert [source for source, found in targets.items() if len(found) > 1] == []
    assert [target for target, found in sources.items() if len(found) > 1] == []


def test_the_parts_share_no_sentence():
    general, domain = general_pairs(GENERAL_MAXIMUM, 4), domain_pairs(DOMAIN_MAXIMUM, 4)

    assert not {pair.source for pair in general} & {pair.source for pair in domain}
    assert not {pair.target for pair in general} & {pair.target for pair in domain}


@pytest.mark.parametrize("pair", Random(0).sample([*GENERAL, *DOMAIN], 50))
def test_a_pair_is_one_well_written_sentence(pair: Pair):
    assert re.fullmatch(r"[A-Z][A-Za-z',]*( [A-Za-z',]+)+[.?]", pair.source)
    assert pair.target[-1] == pair.source[-1]


def test_targets_are_tamil_in_nfc():
    for pair in (*GENERAL, *DOMAIN):
        assert unicodedata.is_normalized("NFC", pair.target)
        assert re.fullmatch(r"[\u0B80-\u0BFF]+(,? [\u0B80-\u0BFF]+)*[.?]", pair.target), pair


def test_sentences_are_short():
    lengths = [len(pair.source.split()) for pair in (*GENERAL, *DOMAIN)]

    assert max(lengths) <= 12
    assert min(lengths) >= 3


@pytest.mark.parametrize(
    ("verb", "agreement", "tense", "expected"),
    [
        ("read", Agreement.I, Tense.NOW, "படிக்கிறேன்"),
        ("read", Agreement.WE, Tense.PAST, "படித்தோம்"),
        ("read", Agreement.YOU, Tense.FUTURE, "படிப்பீர்கள்"),
        ("write", Agreement.HE, Tense.PAST, "எழுதினான்"),
        ("write", Agreement.SHE, Tense.NOW, "எழுதுகிறாள்"),
        ("write", Agreement.IT, Tense.PAST, "எழுதியது"),
        ("eat", Agreement.RESPECT, Tense.PAST, "சாப்பிட்டார்"),
        ("go", Agreement.THEY, Tense.FUTURE, "செல்வார்கள்"),
        ("go", Agreement.IT, Tense.PAST, "சென்றது"),
        ("come", Agreement.IT, Tense.FUTURE, "வரும்"),
        ("sleep", Agreement.THINGS, Tense.NOW, "தூங்குகின்றன"),
        ("sleep", Agreement.THINGS, Tense.PAST, "தூங்கின"),
        ("walk", Agreement.THINGS, Tense.PAST, "நடந்தன"),
        ("walk", Agreement.IT, Tense.HABIT, "நடக்கிறது"),
        ("clean", Agreement.THEY, Tense.PAST, "சுத்தம் செய்தார்கள்"),
    ],
)
def test_a_finite_verb_agrees_in_person_gender_and_tense(verb, agreement, tense, expected):
    assert grammar.tamil_verb(EVERYDAY_VERBS[verb], agreement, tense) == expected


@pytest.mark.parametrize(
    ("agreement", "expected"),
    [
        (Agreement.I, "படிக்க மாட்டேன்"),
        (Agreement.SHE, "படிக்க மாட்டாள்"),
        (Agreement.THEY, "படிக்க மாட்டார்கள்"),
        (Agreement.IT, "படிக்காது"),
    ],
)
def test_the_negative_future_agrees(agreement, expected):
    assert grammar.negative_future(EVERYDAY_VERBS["read"], agreement) == expected


@pytest.mark.parametrize(
    ("statement", "question"),
    [
        ("படித்தான்", "படித்தானா"),
        ("படிக்கிறது", "படிக்கிறதா"),
        ("படிக்கும்", "படிக்குமா"),
        ("இருக்கின்றன", "இருக்கின்றனவா"),
    ],
)
def test_a_question_ends_in_aa(statement, question):
    assert grammar.as_question(statement) == question


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("புத்தகத்தை+", "படிக்கிறான்"), "புத்தகத்தைப் படிக்கிறான்"),
        (("பள்ளிக்கு+", "செல்கிறாள்"), "பள்ளிக்குச் செல்கிறாள்"),
        (("கடிதத்தை+", "கொடுத்தார்"), "கடிதத்தைக் கொடுத்தார்"),
        (("கதவை+", "திறந்தேன்"), "கதவைத் திறந்தேன்"),
        (("வீட்டை+", "விற்றார்"), "வீட்டை விற்றார்"),
        (("சிவப்பு+", "சட்டை"), "சிவப்புச் சட்டை"),
        (("பெரிய", "புத்தகம்"), "பெரிய புத்தகம்"),
        (("குழந்தை", "தூங்குகிறது"), "குழந்தை தூங்குகிறது"),
        (("ஒரு", "", "அழகான", "வீடு"), "ஓர் அழகான வீடு"),
        (("ஒரு", "யானை"), "ஒரு யானை"),
    ],
)
def test_hard_consonants_double_only_after_a_link(words, expected):
    assert spell(words) == expected


def who(english: str) -> Subject:
    everybody = (
        *people.PRONOUNS,
        *people.RELATIVES,
        *people.YOUNG,
        *people.ADULTS,
        *people.CLINIC_PEOPLE,
    )
    return next(person.subject() for person in everybody if person.english == english)


@pytest.mark.parametrize(
    ("subject", "verb", "english", "tamil", "tense", "expected"),
    [
        ("the boy", "read", "the book", ("புத்தகத்தை+",), Tense.NOW,
         Pair("The boy is reading the book.", "சிறுவன் புத்தகத்தைப் படிக்கிறான்.")),
        ("the girl", "go", "to the school", ("பள்ளிக்கு+",), Tense.PAST,
         Pair("The girl went to the school.", "சிறுமி பள்ளிக்குச் சென்றாள்.")),
        ("my mother", "buy", "a saree", ("ஒரு", "புடவை"), Tense.FUTURE,
         Pair("My mother will buy a saree.", "என் அம்மா ஒரு புடவை வாங்குவார்.")),
        ("the child", "eat", "rice", ("சோறு",), Tense.PAST,
         Pair("The child ate rice.", "குழந்தை சோறு சாப்பிட்டது.")),
        ("the doctor", "help", "the patient", ("நோயாளிக்கு+",), Tense.PAST,
         Pair("The doctor helped the patient.", "மருத்துவர் நோயாளிக்கு உதவினார்.")),
        ("I", "sleep", "in the house", ("வீட்டில்",), Tense.PAST,
         Pair("I slept in the house.", "நான் வீட்டில் தூங்கினேன்.")),
    ],
)  # fmt: skip
def test_a_statement_puts_the_tamil_verb_last(subject, verb, english, tamil, tense, expected):
    predicate = Predicate(EVERYDAY_VERBS[verb], english, tamil)

    assert grammar.statement(who(subject), predicate, tense, NO_TIME) == expected


def test_every_mood_of_one_predicate():
    letter = Predicate(EVERYDAY_VERBS["write"], "the letter", ("கடிதத்தை+",))
    she = who("she")

    assert [
        grammar.negation(she, letter, Tense.PAST, NO_TIME),
        grammar.negation(she, letter, Tense.FUTURE, NO_TIME),
        grammar.question(she, letter, Tense.PAST, NO_TIME),
        grammar.question(she, letter, Tense.PAST, NO_TIME, ("when", "எப்போது")),
        grammar.wish(she, letter, Tense.HABIT),
        grammar.request(letter, NO_TIME, polite=True),
        grammar.request(letter, NO_TIME, polite=False),
    ] == [
        Pair("She did not write the letter.", "அவள் கடிதத்தை எழுதவில்லை."),
        Pair("She will not write the letter.", "அவள் கடிதத்தை எழுத மாட்டாள்."),
        Pair("Did she write the letter?", "அவள் கடிதத்தை எழுதினாளா?"),
        Pair("When did she write the letter?", "அவள் எப்போது கடிதத்தை எழுதினாள்?"),
        Pair("She wants to write the letter.", "அவள் கடிதத்தை எழுத விரும்புகிறாள்."),
        Pair("Please write the letter.", "தயவுசெய்து கடிதத்தை எழுதுங்கள்."),
        Pair("Do not write the letter.", "கடிதத்தை எழுதாதீர்கள்."),
    ]


@pytest.mark.parametrize(
    ("verb", "condition"),
    [("cough", "இருமினால்"), ("vomit", "வாந்தி எடுத்தால்"), ("take", "உட்கொண்டால்")],
)
def test_a_condition_has_one_form(verb, condition):
    assert grammar.conditional(CLINIC_VERBS[verb]) == condition


def test_a_passive_agrees_with_the_one_it_happens_to():
    examined = grammar.passive(CLINIC_VERBS["examine"])
    by_doctor = Predicate(examined, "by the doctor", ("மருத்துவரால்",))

    assert [
        grammar.statement(who("the patient"), by_doctor, Tense.PAST, NO_TIME),
        grammar.statement(who("I"), by_doctor, Tense.FUTURE, NO_TIME),
        grammar.statement(who("the child"), by_doctor, Tense.PAST, NO_TIME),
    ] == [
        Pair("The patient was examined by the doctor.", "நோயாளி மருத்துவரால் பரிசோதிக்கப்பட்டார்."),
        Pair("I will be examined by the doctor.", "நான் மருத்துவரால் பரிசோதிக்கப்படுவேன்."),
        Pair("The child was examined by the doctor.", "குழந்தை மருத்துவரால் பரிசோதிக்கப்பட்டது."),
    ]


def stems(verb: Verb) -> tuple[str, ...]:
    return verb.tamil_present, verb.tamil_past, verb.tamil_future, verb.infinitive


def test_everyday_sentences_know_most_nouns_of_the_clinic():
    mentioned = [mentions(CLINIC_NOUNS, pair.source) for pair in GENERAL]
    share = sum(map(bool, mentioned)) / len(GENERAL)
    singular = {noun for noun in CLINIC_NOUNS if not noun.endswith("s")}
    counts = Counter(noun for found in mentioned for noun in found)

    assert MINIMUM_CLINIC_SHARE <= share <= MAXIMUM_CLINIC_SHARE
    assert min(counts[noun] for noun in singular) >= 30


def test_the_clinic_keeps_some_nouns_to_itself():
    for noun in NOUNS_OF_THE_CLINIC_ALONE:
        assert not any(mentions({noun}, pair.source) for pair in GENERAL), noun
        assert any(mentions({noun}, pair.source) for pair in DOMAIN), noun


@pytest.mark.parametrize("verb", CLINIC_VERBS.values(), ids=CLINIC_VERBS)
def test_the_verbs_of_the_clinic_are_its_own(verb: Verb):
    present = [stem for stem in stems(verb) if any(stem in pair.target for pair in DOMAIN)]

    assert present
    # இரும ("cough") begins இருமல் ("a cough"), which everyday sentences may name.
    distinct = [stem for stem in stems(verb) if stem != "இரும"]
    assert not [pair for pair in GENERAL for stem in distinct if f" {stem}" in pair.target]


@pytest.mark.parametrize(
    ("english", "tamil"),
    [
        (r"^If ", "ால், "),
        (r" must (?!not)", "வேண்டும்"),
        (r" must not ", "கூடாது"),
        (r" a day\b", " முறை "),
        (r" (before|after) (food|breakfast|lunch|dinner)\b", "உணவுக்கு"),
        (r" for (two|three|five|ten) days\b", "நாட்கள்"),
        (r" (can|cannot|could not) ", " முடி"),
        (r" by the ", "ப்பட"),
        (r" (hurts|hurt)\b", "வலி"),
        (r" does not have ", " இல்லை"),
        (r"^(?!If ).* has (a|an) (fever|headache|cough|toothache|allergy)\b", "இருக்கிறது"),
    ],
)
def test_the_patterns_of_the_clinic_are_its_own(english: str, tamil: str):
    used = [pair for pair in DOMAIN if re.search(english, pair.source)]

    assert len(used) >= 10
    assert all(tamil in pair.target for pair in used)
    assert not [pair for pair in GENERAL if re.search(english, pair.source)]


def test_everyday_sentences_are_a_mixture_of_kinds():
    kinds = {"questions": r"\?$", "negations": r" not ", "wishes": r" want(s|ed)? to "}
    shares = {
        kind: sum(bool(re.search(pattern, pair.source)) for pair in GENERAL) / len(GENERAL)
        for kind, pattern in kinds.items()
    }

    assert 0.1 <= shares["questions"] <= 0.3
    assert 0.08 <= shares["negations"] <= 0.25
    assert 0.04 <= shares["wishes"] <= 0.15


def test_nobody_acts_on_themselves():
    random = Random(2)
    for _ in range(300):
        predicate = treatment.caring(random)
        assert actions.actor(random, predicate).key not in predicate.people
