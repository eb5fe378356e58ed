"""spBLEU: computed where its tokenizer is at hand, and never downloaded."""

from pathlib import Path

import pytest
import sentencepiece
from sacrebleu import utils
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.tokenizers import tokenizer_spm

from nmt.metrics import score_all

TAMIL = "tam_Taml"
HYPOTHESES, REFERENCE = ["the cat sat on a mat"], ["the cat sat on the mat"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of sacreBLEU's models."""
    monkeypatch.setattr(utils, "SACREBLEU_DIR", str(tmp_path))
    monkeypatch.setattr(tokenizer_spm, "SACREBLEU_DIR", str(tmp_path))
    monkeypatch.setattr(tokenizer_spm, "download_file", lambda *places: pytest.fail("downloaded"))
    models = tmp_path / "models"
    models.mkdir()
    return models


def test_without_its_tokenizer_spbleu_is_not_computed_and_says_what_to_do(folder: Path):
    scores = score_all(HYPOTHESES, [REFERENCE], TAMIL)
    assert "spbleu" not in scores.computed
    reason = scores.not_computed["spbleu"]
    assert str(folder / "flores200sacrebleuspm") in reason
    assert "SACREBLEU" in reason


def test_with_its_tokenizer_spbleu_is_that_of_sacrebleu(folder: Path):
    model = folder / "flores200sacrebleuspm"
    lines = ["the cat sat on the mat", "a dog lay on a rug", "cats and dogs sat on mats"] * 20
    with model.open("wb") as writer:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=writer, vocab_size=24, minloglevel=2
        )
    original = BLEU(tokenize="flores200")
    score = score_all(HYPOTHESES, [REFERENCE], TAMIL).computed["spbleu"]
    assert score.value == pytest.approx(original.corpus_score(HYPOTHESES, [REFERENCE]).score)
    assert score.value > 0
    assert score.signature == str(original.get_signature())


def test_a_file_that_is_no_tokenizer_is_named(folder: Path):
    model = folder / "flores200sacrebleuspm"
    model.write_bytes(b"<html>not found</html>")
    reason = score_all(HYPOTHESES, [REFERENCE], TAMIL).not_computed["spbleu"]
    assert str(model) in reason
    assert "replace the file" in reason
