"""Signals that compare a canary or a shadow with the stable engine."""

import math

import pytest

from nmt.documents.translation.glossary import TermFinder
from nmt.serving.monitoring.signals import PairCounter, PairOutput, compare
from nmt.traffic import UsualLength

SOURCE = "On Monday, 1,250 people walked from the old harbour to the new station in the rain."
GOOD = "திங்கட்கிழமை 1,250 பேர் மழையில் பழைய துறைமுகத்திலிருந்து புதிய நிலையத்திற்கு நடந்து சென்றனர்."
CLOSE = "திங்கட்கிழமை 1,250 பேர் மழையில் பழைய துறைமுகத்திலிருந்து புதிய நிலையம் வரை நடந்தார்கள்."
HINDI = "सोमवार को 1,250 लोग बारिश में पुराने बंदरगाह से नए स्टेशन तक पैदल चले।"
ANOTHER = "நேற்று இரவு எங்கள் வீட்டில் 1,250 விளக்குகள் ஒளிர்ந்தன, அனைவரும் மகிழ்ந்தோம், பாடினோம், ஆடினோம்."
REPEATED = "1,250 பேர் " + "மழையில் நடந்து சென்றனர் " * 6
PAIR = "eng_Latn", "tam_Taml"
TERMS = TermFinder({"harbour": "துறைமுகம்", "station": "நிலையம்", "airport": "விமானம்"}).find(SOURCE)


def signs(other: str, stable: str = GOOD, source: str = SOURCE) -> dict[str, int]:
    return dict(compare(source, stable, other, *PAIR))


def counter() -> PairCounter:
    return PairCounter(
        "rollout1",
        2,
        "eng_Latn-tam_Taml",
        stable="aaa",
        other="bbb",
        source_language=PAIR[0],
        target_language=PAIR[1],
    )


def counts(counter: PairCounter) -> dict[str, tuple[int, int, int]]:
    return {each.signal: (each.plus, each.zero, each.minus) for each in counter.counts()}


@pytest.mark.parametrize("other", [GOOD, CLOSE])
def test_two_good_translations_differ_in_nothing(other):
    assert signs(other) == {"broken": 0, "short": 0, "num": 0, "tail": 0}


@pytest.mark.parametrize(
    "other",
    ["", " \u200b", HINDI, SOURCE, REPEATED, GOOD + " " + "привет мир"],
    ids=["empty", "invisible", "other script", "copy", "repeated", "third script"],
)
def test_a_translation_that_nobody_can_use_is_broken(other):
    assert signs(other)["broken"] == 1
    assert signs(GOOD, stable=other)["broken"] == -1
    assert signs(other, stable=other)["broken"] == 0


@pytest.mark.parametrize("other", ["", GOOD[:20], GOOD * 3], ids=["empty", "short", "long"])
def test_a_length_that_is_unusual_for_the_source_is_found(other):
    usual = UsualLength(engine="aaa", median=math.log(len(GOOD) / len(SOURCE)), deviation=0.1)
    assert compare(SOURCE, GOOD, other, *PAIR, usual)["len"] == 1
    assert compare(SOURCE, other, GOOD, *PAIR, usual)["len"] == -1
    assert compare(SOURCE, GOOD, CLOSE, *PAIR, usual)["len"] == 0


def test_a_greek_letter_as_a_symbol_is_not_a_third_script():
    assert signs("5 μg மருந்து எடு", stable="5 மருந்து எடு", source="Take 5 μg.")["broken"] == 0


def test_a_refrain_of_the_source_may_be_repeated():
    source = "We walked in the rain. " * 6
    stable = other = "நாங்கள் மழையில் நடந்தோம். " * 6
    assert signs(other, stable, source)["broken"] == 0
    assert signs(other, "நாங்கள் மழையில் நடந்தோம்.", "We walked.")["broken"] == 1


def test_a_translation_more_than_a_quarter_shorter_is_short():
    assert signs(GOOD[: len(GOOD) * 7 // 10])["short"] == 1
    assert signs(GOOD[: len(GOOD) * 8 // 10])["short"] == 0
    assert signs(GOOD, stable=GOOD[: len(GOOD) * 7 // 10])["short"] == -1


def test_a_missing_number_counts_where_the_source_has_numbers():
    assert signs(GOOD.replace("1,250", "1,350"))["num"] == 1
    assert signs(GOOD, stable=GOOD.replace("1,250", "1,350"))["num"] == -1
    assert signs(GOOD.replace("1,250", "௧௨௫௦"))["num"] == 0
    assert "num" not in signs("அவள் நடந்தாள்.", "அவள் நடந்தாள்.", "She walked.")


def test_a_missing_term_counts_where_the_source_has_a_term():
    without = GOOD.replace("துறைமுக", "மைதான")
    for stable, other, expected in (
        (GOOD, without, 1),
        (without, GOOD, -1),
        (without, without, 0),
        (GOOD, CLOSE, 0),
        (GOOD, "", 1),
    ):
        assert compare(SOURCE, stable, other, *PAIR, terms=TERMS)["glossary"] == expected
    assert "glossary" not in signs(without)


def test_a_term_that_the_source_has_twice_is_missing_if_it_is_there_once():
    source = "A harbour is near the harbour."
    terms = TermFinder({"harbour": "துறைமுகம்"}).find(source)
    once = "துறைமுகம் அதன் அருகில் உள்ளது."
    twice = "துறைமுகத்தின் அருகில் ஒரு துறைமுகம் உள்ளது."
    assert compare(source, twice, once, *PAIR, terms=terms)["glossary"] == 1


def test_the_tail_is_another_sentence_and_never_in_favour_of_the_other_engine():
    assert signs(ANOTHER)["tail"] == 1
    assert signs(GOOD, stable=ANOTHER)["tail"] == 1
    assert signs("பூனை", stable="நாய் ஓடியது")["tail"] == 0


def test_counts_only_grow_and_name_their_step():
    pairs = counter()
    assert pairs.counts() == ()
    for _ in range(3):
        pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(CLOSE, 1.0))
    pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(HINDI, 1.0))
    pairs.add("She walked.", PairOutput("", 1.0), PairOutput("அவள் நடந்தாள்.", 1.0))
    found = counts(pairs)
    assert found["broken"] == (1, 3, 1)
    assert found["num"] == (0, 4, 0)
    first = pairs.counts()[0]
    assert (first.rollout, first.step, first.route) == ("rollout1", 2, "eng_Latn-tam_Taml")
    assert (first.stable, first.other) == ("aaa", "bbb")


def test_terms_are_counted_only_for_pairs_that_have_any():
    pairs = counter()
    for terms in ((), TERMS, ()):
        pairs.add(SOURCE, PairOutput(GOOD), PairOutput(GOOD.replace("துறைமுக", "மைதான")), terms)
    assert counts(pairs)["glossary"] == (1, 0, 0)
    assert counts(pairs)["broken"] == (0, 3, 0)


def test_an_engine_that_fails_is_broken_and_never_left_out():
    pairs = counter()
    pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(None))
    pairs.add(SOURCE, PairOutput(None), PairOutput(GOOD, 1.0))
    pairs.add(SOURCE, PairOutput(None), PairOutput(None))
    assert counts(pairs)["broken"] == (1, 1, 1)


def test_twenty_pairs_are_one_vote_on_the_latency():
    pairs = counter()
    for seconds in [1.2] * 19:
        pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(GOOD, seconds))
    assert "latency_1.1" not in counts(pairs)
    pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(GOOD, 1000.0))
    assert counts(pairs)["latency_1.1"] == (1, 0, 0)
    assert counts(pairs)["latency_1.3"] == (0, 0, 1)
    for _ in range(20):
        pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(GOOD, 1.0))
    assert counts(pairs)["latency_1.1"] == (1, 0, 1)


def test_failures_are_slow_in_the_vote_on_the_latency():
    pairs = counter()
    for _ in range(9):
        pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(GOOD, 1.0))
    for _ in range(11):
        pairs.add(SOURCE, PairOutput(GOOD, 1.0), PairOutput(None))
    assert counts(pairs)["latency_1.3"] == (1, 0, 0)


def test_pairs_that_were_not_measured_do_not_vote():
    pairs = counter()
    for _ in range(40):
        pairs.add(SOURCE, PairOutput(GOOD), PairOutput(GOOD, 1.0))
    assert not {"latency_1.1", "latency_1.3"} & counts(pairs).keys()


def test_events_are_counted_by_arm():
    pairs = counter()
    pairs.event("canary", "errors")
    pairs.event("canary", "errors")
    pairs.event("stable", "errors")
    (errors,) = pairs.counts()
    assert (errors.signal, errors.events_canary, errors.events_stable) == ("errors", 2, 1)
