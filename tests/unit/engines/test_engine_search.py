"""Translations, hypotheses and samples of an engine."""

from dataclasses import replace

import pytest

from nmt.decoding.length import output_limit
from nmt.decoding.settings import Sampling, Search
from nmt.engines import ctranslate2_engine
from nmt.engines.engine import SearchEngine, load_engine
from nmt.engines.translate import TranslateOptions, translate_texts
from nmt.storage import Storage
from tests.support.models.tiny_engine import serving_config

# This engine never ends a sentence by itself: the length limit alone does.
UNCUT = TranslateOptions(max_batch_tokens=1024, cut_endless=False)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_translation_does_not_depend_on_the_rest_of_the_batch(
    storage: Storage, beam_size: int
) -> None:
    serving = serving_config(beam_size=beam_size)
    engine = load_engine(storage.fetch("engines/water"), serving)
    texts = [
        "We",
        "We need water now.",
        "Where is the hospital? " * 3,
        "The doctor sees two patients " * 4,
    ]
    alone = [translate_texts(engine, [text], UNCUT).texts[0] for text in texts]
    assert len(set(map(len, alone))) > 2
    assert translate_texts(engine, texts, UNCUT).texts == alone
    assert translate_texts(engine, texts[::-1], UNCUT).texts == alone[::-1]
    rows = [engine.encode(text)[0] for text in texts[:2]]
    assert engine.translate(rows) == alone[:2]


def test_a_search_returns_several_hypotheses_with_their_probabilities(storage: Storage) -> None:
    engine = load_engine(storage.fetch("engines/water"), serving_config(beam_size=3))
    rows = [engine.encode(text)[0] for text in ("We", "We need water now.")]
    for row, found in zip(rows, engine.search(rows, Search(count=3), scored=True), strict=True):
        scores = [hypothesis.log_probability for hypothesis in found]
        assert len(scores) == 3
        assert scores == sorted(scores, reverse=True)
        assert max(scores) <= 0
        assert not any(hypothesis.is_complete for hypothesis in found)
        assert min(hypothesis.tokens for hypothesis in found) >= output_limit(len(row)) - 1
    assert [found[0].text for found in engine.search(rows)] == engine.translate(rows)


def test_a_search_may_have_more_beams_than_the_engine(storage: Storage) -> None:
    folder = storage.fetch("engines/water")
    greedy = load_engine(folder, serving_config(beam_size=1))
    wide = load_engine(folder, serving_config(beam_size=3))
    rows = [greedy.encode(text)[0] for text in ("We", "We need water now.")]
    expected = wide.search(rows, Search(count=3), scored=True)
    # A search for several hypotheses has as many beams.
    for options in (Search(count=3), Search(count=3, beam_size=2)):
        assert greedy.search(rows, options, scored=True) == expected
    best = greedy.search(rows, Search(beam_size=3), scored=True)
    assert best == [found[:1] for found in expected]
    assert wide.search(rows, Search(beam_size=1)) == greedy.search(rows)


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_search_may_allow_no_repetition(engine: SearchEngine, beam_size: int) -> None:
    rows = [engine.encode(text)[0] for text in ("We", "The doctor sees two patients " * 4)]
    usual = engine.search(rows, Search(beam_size=beam_size))
    assert any(_repeats(found[0].text) for found in usual)
    options = Search(beam_size=beam_size, no_repeat_ngram_size=1)
    together = engine.search(rows, options, scored=True)
    assert not any(_repeats(found[0].text) for found in together)
    for row, found in zip(rows, together, strict=True):
        ((alone,),) = engine.search([row], options, scored=True)
        assert alone.text == found[0].text
        assert alone.log_probability == pytest.approx(found[0].log_probability, abs=1e-3)


def _repeats(text: str) -> bool:
    words = text.split()
    return len(set(words)) < len(words)


def test_output_that_does_not_end_is_cut_and_counted(engine: SearchEngine) -> None:
    options = TranslateOptions(max_batch_tokens=1024)
    found = translate_texts(engine, ["We need water now.", "---", "x" * 20_000], options)
    assert found.cut == 2
    assert found.texts[1] == "---"
    assert len(found.texts[0]) < 30
    assert len(found.texts[2]) < 50_000


def test_whole_lines_are_not_split_into_sentences(engine: SearchEngine) -> None:
    text = "We need water. Where is it?"
    split = TranslateOptions(max_batch_tokens=1024, cut_endless=False)
    whole = replace(split, split_sentences=False)
    rows = engine.encode(text)
    assert translate_texts(engine, [text], whole).texts == [" ".join(engine.translate(rows))]
    assert (
        translate_texts(engine, [text], split).texts != translate_texts(engine, [text], whole).texts
    )


@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_confidence_does_not_depend_on_the_rest_of_the_batch(
    storage: Storage, beam_size: int
) -> None:
    engine = load_engine(storage.fetch("engines/water"), serving_config(beam_size=beam_size))
    options = replace(UNCUT, scored=True)
    texts = ["We", "The doctor sees two patients " * 4, "We need water now."]
    together = translate_texts(engine, texts, options).candidates
    for text, (found,) in zip(texts, together, strict=True):
        ((alone,),) = translate_texts(engine, [text], options).candidates
        assert (found.text, found.tokens) == (alone.text, alone.tokens)
        assert found.confidence == pytest.approx(alone.confidence, abs=1e-4)


def test_a_length_penalty_divides_the_score_by_a_power_of_the_length(storage: Storage) -> None:
    folder, row = storage.fetch("engines/water"), ["We need water now."]
    found = {}
    for penalty in (0.0, 1.0, 2.0):
        engine = load_engine(folder, serving_config(beam_size=3, length_penalty=penalty))
        found[penalty] = engine.search(engine.encode(row[0]), Search(count=3), scored=True)[0]
    best = found[0.0][0]
    length = best.tokens + 1  # with the language code
    for penalty, hypotheses in found.items():
        assert hypotheses[0].log_probability == pytest.approx(best.log_probability, abs=1e-3)
        assert hypotheses[0].score == pytest.approx(best.score / length**penalty, rel=1e-4)


def test_samples_of_a_certain_model_are_its_greedy_translation(engine: SearchEngine) -> None:
    texts = ["We need water now.", "We"]
    greedy = translate_texts(engine, texts, replace(UNCUT, scored=True)).candidates
    options = replace(UNCUT, scored=True, candidates=2, sampling=Sampling(4))
    for (found,), (expected,) in zip(
        translate_texts(engine, texts, options).candidates, greedy, strict=True
    ):
        # CTranslate2 rounds the limit of samples up.
        assert found.text.startswith(expected.text)
        assert found.confidence == pytest.approx(expected.confidence, abs=1e-2)
        assert found.score == pytest.approx(100)


def test_candidates_of_several_sentences_are_ranked_by_their_scores(storage: Storage) -> None:
    engine = load_engine(storage.fetch("engines/water"), serving_config(beam_size=3))
    text = "We need water now. Where is the hospital?"
    found = translate_texts(engine, [text], replace(UNCUT, candidates=3)).candidates[0]
    scores = [candidate.score for candidate in found]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert found[0].text == translate_texts(engine, [text], UNCUT).texts[0]


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\ufeff\n"])
def test_text_without_content_stays_empty(engine: SearchEngine, text: str) -> None:
    assert list(engine.encode(text)) == []
    for options in (UNCUT, replace(UNCUT, split_sentences=False, scored=True)):
        found = translate_texts(engine, [text, "We"], options)
        assert found.texts[0].strip() == ""
        assert found.candidates[0][0].confidence is None
        assert found.texts[1]
    assert engine.search([]) == []


def test_long_outputs_are_scored_with_bounded_memory(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load_engine(storage.fetch("engines/water"), serving_config())
    rows = [engine.encode(text)[0] for text in ("We", "We need water now.", "now now " * 9)]
    expected = [found[0].log_probability for found in engine.search(rows, scored=True)]
    for tokens in (1, 30, 60):
        # With so many tokens of this vocabulary at once; longer outputs are searched again.
        monkeypatch.setattr(ctranslate2_engine, "_MAX_LOGITS", tokens * 180)
        found = engine.search(rows, scored=True)
        assert [each[0].log_probability for each in found] == pytest.approx(expected, abs=1e-3)
