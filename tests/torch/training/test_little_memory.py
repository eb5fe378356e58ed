"""Translating on a machine whose memory does not hold the batches."""

import pytest
import torch

from nmt.decoding import generate
from nmt.decoding.generate import translate
from nmt.errors import InsufficientMemoryError
from nmt.training.job import TrainingJob
from nmt.training.loading import LoadedTraining, load_material

SENTENCES = ["the river", "a house", "water", "we go home", "the child reads a book"]


@pytest.fixture
def material(job: TrainingJob) -> LoadedTraining:
    material = load_material(job, torch.device("cpu"))
    torch.manual_seed(0)
    for parameter in material.model.parameters():  # else all sentences have the same hypothesis
        torch.nn.init.normal_(parameter, std=0.5)
    return material


def limit_sentences(monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Let the search run out of memory beyond so many sentences; the sentences of each call."""
    seen: list[int] = []
    whole = generate.search

    def search(model: object, codec: object, sources: list[list[int]], settings: object) -> object:
        seen.append(len(sources))
        if len(sources) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return whole(model, codec, sources, settings)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(generate, "search", search)
    return seen


def test_a_batch_that_does_not_fit_is_halved_with_the_same_result(
    material: LoadedTraining, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Of one length, so that each may have as long a hypothesis in every batch.
    words = [word for word in material.codec.tokenizer.get_vocab() if word.isalpha()]
    lengths = [len(ids) for ids in material.codec.encode_sources(words, 64)]
    sentences = [word for word, length in zip(words, lengths, strict=True) if length == 4][:5]
    whole = translate(material.model, material.codec, sentences)
    assert len(set(whole)) > 1
    seen = limit_sentences(monkeypatch, 2)
    assert translate(material.model, material.codec, sentences) == whole
    assert seen == [5, 3, 2, 1, 1, 1]
    assert "translating 5 sentences at once does not fit" in caplog.text


def test_batches_that_come_later_are_halved_too(
    material: LoadedTraining, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = limit_sentences(monkeypatch, 2)
    translate(material.model, material.codec, ["water"] * 8, batch_tokens=16)
    assert seen[0] > 2
    assert max(seen[1:]) <= 2


@pytest.mark.parametrize(
    ("beam_size", "advice"), [(1, ": leave out the longest"), (4, ": take a smaller beam, or")]
)
def test_a_single_sentence_that_does_not_fit_is_named(
    material: LoadedTraining, monkeypatch: pytest.MonkeyPatch, beam_size: int, advice: str
) -> None:
    limit_sentences(monkeypatch, 0)
    with pytest.raises(InsufficientMemoryError, match=f"a single sentence{advice}"):
        translate(material.model, material.codec, SENTENCES, beam_size=beam_size)
    assert material.model.training, "as it was before"
