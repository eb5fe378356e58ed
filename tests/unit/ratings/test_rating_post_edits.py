"""What corrections tell: HTER, and the time for each word of the source."""

import pytest

from nmt.ratings.design import Outputs
from nmt.ratings.statistics.post_editing import measure_post_edits
from tests.support.ratings.studies import design, rating


def measured(edits, minutes=0.5, language="tam_Taml", texts=("one two three four", "a b c d")):
    sources = ["six words are in this source"] * len(texts)
    other = [f"other {number}" for number in range(len(texts))]
    given = Outputs("t", "eng_Latn", language, sources, {"old": texts, "new": other}, {})
    study = design(given, protocol="post-editing")
    places = {segment.translations[0]: at for at, segment in enumerate(study.segments)}
    ratings = [
        rating(
            places[text], {}, row=text, texts={"old": edit}, values={"old": {"minutes": minutes}}
        )
        for text, edit in zip(texts, edits, strict=True)
    ]
    return measure_post_edits(ratings, study)


def test_hter_counts_the_edits_for_each_word_of_the_corrections():
    (found,) = measured(["one two three five", "a b c d"])
    assert (found.system, found.sentences, found.unchanged) == ("old", 2, 1)
    assert found.hter == pytest.approx(100 * 1 / 8)
    assert "tok:tercom" in found.signature


def test_the_example_of_snover_has_four_edits():
    # Snover et al. 2006, section 3.1: a shift, two substitutions and an insertion; 13 words.
    reference = "SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york times"
    hypothesis = "THIS WEEK THE SAUDIS denied information published in the new york times"
    (found,) = measured([reference, "a b c d"], texts=(hypothesis, "a b c d"))
    assert found.hter == pytest.approx(100 * 4 / (13 + 4))


def test_time_is_counted_for_each_word_of_the_source():
    (found,) = measured(["one two three four", "a b c d"], minutes=0.2)
    assert found.seconds_per_word == pytest.approx(12 / 6)


def test_scripts_without_spaces_are_compared_by_characters():
    texts = ("今天天气好", "你好")
    (found,) = measured(["今天天气坏", "你好"], language="zho_Hans", texts=texts)
    assert found.hter == pytest.approx(100 * 1 / 7)
    assert "char-ter" in found.signature
