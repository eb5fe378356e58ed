"""Translations with their confidence, the length penalty, and sampled translations."""

from typing import Any

import pytest
import torch

from nmt.decoding import probability
from nmt.decoding.generate import translate, translate_scored
from nmt.decoding.ranking import best_hypotheses
from nmt.decoding.sampling import EPSILON, EpsilonSampling, random_numbers
from nmt.decoding.search import search
from nmt.decoding.settings import SearchSettings
from tests.support.models.checkpoints import Checkpoint, load
from tests.support.models.tiny_tokenizers import PAIRS

SENTENCES = [pair.source for pair in PAIRS[:4]]
MBR = SearchSettings("mbr", mbr_samples=6)


@pytest.mark.parametrize("beam_size", [1, 2])
def test_probabilities_are_those_of_the_librarys_search(
    name: str, beam_size: int, checkpoint: Checkpoint
) -> None:
    model, codec = load(checkpoint(name))
    model.eval()
    (source,) = codec.encode_sources(SENTENCES[:1])
    settings = SearchSettings(beam_size=beam_size)
    found = search(model, codec, [source], settings)
    (best,) = best_hypotheses(model, codec, [source], found, ["text"], settings, scored=True)[0]
    with torch.inference_mode():
        output: Any = model.generate(  # pyright: ignore[reportCallIssue]
            **codec.pad([source]),
            **codec.generation_options(),
            num_beams=beam_size,
            do_sample=False,
            max_new_tokens=len(found.tokens[0]),
            output_scores=True,
            return_dict_in_generate=True,
        )
    if beam_size == 1:
        chosen = output.sequences[0, -len(output.scores) :]
        each = zip(chosen, output.scores, strict=True)
        expected = sum(float(logits[0].log_softmax(-1)[token]) for token, logits in each)
    else:
        expected = float(output.sequences_scores[0]) * len(found.tokens[0])
    assert best.log_probability == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("settings", [SearchSettings(), SearchSettings(beam_size=3), MBR])
@pytest.mark.parametrize("name", ["nllb", "mt5", "llama"])
def test_neither_text_nor_confidence_depends_on_the_batch(
    name: str, settings: SearchSettings, checkpoint: Checkpoint
) -> None:
    model, codec = load(checkpoint(name))
    alone = [translate_scored(model, codec, [text], settings=settings)[0] for text in SENTENCES]
    together = translate_scored(model, codec, SENTENCES[::-1], settings=settings)[::-1]
    small = translate_scored(model, codec, SENTENCES, settings=settings, batch_tokens=1)
    for each in (together, small):
        assert [found.text for found in each] == [found.text for found in alone]
        assert [found.confidence for found in each] == pytest.approx(
            [found.confidence for found in alone], abs=1e-4
        )


def test_the_text_is_that_of_a_translation_without_confidence(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("nllb"))
    found = translate_scored(model, codec, SENTENCES, settings=SearchSettings(beam_size=2))
    assert [each.text for each in found] == translate(model, codec, SENTENCES, beam_size=2)


def test_logits_are_computed_in_parts(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, codec = load(checkpoint("nllb"))
    expected = translate_scored(model, codec, SENTENCES)
    monkeypatch.setattr(probability, "LOGITS_BYTES", 1)
    assert [each.confidence for each in translate_scored(model, codec, SENTENCES)] == pytest.approx(
        [each.confidence for each in expected], abs=1e-5
    )


@pytest.mark.parametrize("settings", [SearchSettings(), MBR])
def test_text_without_content_stays_empty(settings: SearchSettings, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("nllb"))
    counts: list[int] = []
    texts = ["", SENTENCES[0], " \u200b", "\n"]
    found = translate_scored(model, codec, texts, settings=settings, after_batch=counts.append)
    assert [(each.text, each.confidence) for each in (found[0], *found[2:])] == [("", None)] * 3
    assert found[1] == translate_scored(model, codec, SENTENCES[:1], settings=settings)[0]
    assert counts == [1]
    assert translate(model, codec, texts)[::2] == ["", ""]
    assert translate_scored(model, codec, []) == []


def test_a_source_that_is_cut_is_reported(
    checkpoint: Checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    model, codec = load(checkpoint("gpt2"))
    translate_scored(model, codec, ["rain", "the cat is here and there " * 60])
    assert "1 sentences have more than" in caplog.text


def test_a_higher_length_penalty_gives_longer_output(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("marian"))
    # The model is untrained: let it end at any place, so that beams of several lengths compete.
    bias = model.get_buffer("final_logits_bias")
    bias[0, model.generation_config.eos_token_id] = 4.0  # pyright: ignore
    sources = codec.encode_sources(SENTENCES)
    searches = [SearchSettings(beam_size=4, length_penalty=penalty) for penalty in (0.0, 1.0, 4.0)]
    found = [search(model.eval(), codec, sources, settings) for settings in searches]
    lengths = [sum(map(len, each.tokens)) for each in found]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[-1]


def test_mbr_takes_the_sample_that_is_most_like_the_others(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("nllb"))
    sources = codec.encode_sources(SENTENCES[:2])
    found = search(model.eval(), codec, sources, MBR)
    texts = found.decode(codec)
    assert len(texts) == 12
    assert len(set(texts)) > 2
    ranked = best_hypotheses(model, codec, sources, found, texts, MBR, count=3)
    chosen = translate_scored(model, codec, SENTENCES[:2], settings=MBR)
    for row, hypotheses in enumerate(ranked):
        own = texts[6 * row : 6 * row + 6]
        assert chosen[row].text == hypotheses[0].text
        assert len(hypotheses) <= 3
        assert {each.text for each in hypotheses} <= set(own)
        assert hypotheses[0].score == max(each.score for each in hypotheses)


def test_another_seed_gives_other_samples_and_fewer_samples_are_the_first_of_more() -> None:
    sources, limits = [[5, 6, 7], [5, 6]], [4, 3]
    numbers = random_numbers(sources, limits, 3, seed=1)
    assert numbers.shape == (6, 4)
    assert torch.equal(random_numbers(sources[1:], limits[1:], 2, seed=1), numbers[3:5, :3])
    assert not torch.equal(random_numbers(sources, limits, 3, seed=2), numbers)


def test_samples_follow_the_probabilities_of_the_tokens_above_the_threshold() -> None:
    probabilities = torch.tensor([0.5, 0.005, 0.3, 0.015, 0.18])
    draws = 10_000
    numbers = random_numbers([[1]], [1], draws, seed=3)
    scores = probabilities.log().expand(draws, -1).clone()
    chosen = EpsilonSampling(numbers)(torch.empty(draws, 0), scores).argmax(-1)
    expected = torch.where(probabilities < EPSILON, 0, probabilities)
    shares = torch.bincount(chosen, minlength=5) / draws
    assert shares.tolist() == pytest.approx((expected / expected.sum()).tolist(), abs=0.02)
    assert shares[1] == shares[3] == 0


def test_the_most_probable_token_is_sampled_however_improbable() -> None:
    flat = torch.zeros(2, 100)
    flat[:, 7] = 0.01
    chosen = EpsilonSampling(torch.tensor([[0.0], [0.999]]))(torch.empty(2, 0), flat).argmax(-1)
    assert chosen.tolist() == [7, 7]
