"""White space and invisible characters of a sentence are in its translation too."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.documents.translation.spacing import restore_spacing
from nmt.text.normalise import NOISE, normalise


@pytest.mark.parametrize(
    ("source", "translation", "language", "expected"),
    [
        pytest.param(
            "one two three\nfour five six",
            "ek do teen char paanch chhe",
            "hin_Deva",
            "ek do teen\nchar paanch chhe",
            id="a line break at the same word of as many",
        ),
        pytest.param(
            "one two three\nfour five six",
            "அஅஅஅ ஆஆஆஆ இஇஇஇ ஈஈஈஈ",
            "tam_Taml",
            "அஅஅஅ ஆஆஆஆ\nஇஇஇஇ ஈஈஈஈ",
            id="a line break at the same share of the text",
        ),
        pytest.param(
            "about 10\u00a0km to the\tnext old  town",
            "அடுத்த ஊருக்கு சுமார் 10 கிமீ",
            "tam_Taml",
            "அடுத்த ஊருக்கு\tசுமார்  10\u00a0கிமீ",
            id="a no-break space stays beside its number",
        ),
        pytest.param(
            "walk\u00a0away now",
            "போ",
            "tam_Taml",
            "போ\u00a0",
            id="a no-break space without a space for it",
        ),
        pytest.param(
            "It is 10\u00a0km\nfrom  here",
            "离这里有10公里",
            "zho_Hans",
            "离这里有10\u00a0公里",
            id="without spaces between words, only no-break spaces",
        ),
        pytest.param(
            "co\u00adoperate with NA\u2060SA\u200f.",
            "NASA உடன் ஒத்துழைக்க.",
            "tam_Taml",
            "NA\u2060SA\u00ad\u200f உடன் ஒத்துழைக்க.",
            id="invisible characters beside the same word",
        ),
        pytest.param(
            "plain and simple", "எளிய  ஒன்று", "tam_Taml", "எளிய  ஒன்று", id="nothing to put back"
        ),
    ],
)
def test_spacing_is_put_back(source: str, translation: str, language: str, expected: str):
    assert restore_spacing(source, translation, language) == expected


SPACED = st.text("ab 7\n\t\u00a0\u202f\u00ad\u200b\u200fநி大.", max_size=40)


@given(SPACED)
def test_a_translation_that_is_the_source_gives_the_source(source: str):
    core = source.strip()
    assert restore_spacing(core, normalise(core), "tam_Taml") == core


@given(SPACED, SPACED.map(normalise), st.sampled_from(["tam_Taml", "zho_Hans"]))
def test_only_spacing_changes_and_what_must_be_kept_is_kept(
    source: str, translation: str, language: str
):
    restored = restore_spacing(source, translation, language)
    assert NOISE.sub("", re.sub(r"\s", "", restored)) == translation.replace(" ", "")
    if translation != normalise(source):
        # One by one: what is left out between two of them may make them neighbours.
        for kept in set("".join(re.findall(rf"[\u00a0\u202f]|{NOISE.pattern}", source))):
            assert restored.count(kept) == source.count(kept)
