from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from nmt.config import Config
from nmt.decoding.generate import translate
from nmt.engines.card import EngineCard, read_card
from nmt.engines.engine import load_engine
from nmt.errors import ExportError
from nmt.export import trained_model, vocabulary
from nmt.export.model_card import write_model_card
from nmt.export.publish import export
from nmt.models.sources.source import ModelSource
from nmt.text.pair import Pair
from nmt.training.job import TrainingJob
from nmt.training.trainer import run_training


@pytest.fixture(autouse=True, scope="module")
def _base_of_the_job(prepared: Path) -> Iterator[None]:
    source = ModelSource(str(prepared / "base"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trained_model, "base_source", lambda config, storage: source)
        yield


@pytest.fixture(scope="module")
def engine(trained: TrainingJob) -> str:
    return export(trained.config, trained.storage).engine


def test_the_engine_lies_under_its_content_and_says_what_it_is(
    trained: TrainingJob, engine: str
) -> None:
    folder = trained.storage.fetch(f"engines/{engine}")
    card = read_card(folder)
    assert (card.run, card.target_language) == ("small", "tam_Taml")
    assert "license: apache-2.0" in (folder / "README.md").read_text()


def test_the_same_weights_give_the_same_digest(trained: TrainingJob, engine: str) -> None:
    assert export(trained.config, trained.storage).engine == engine


def test_the_adapter_loads_with_plain_peft_and_the_merged_model_with_plain_transformers(
    trained: TrainingJob, engine: str
) -> None:
    folder = trained.storage.locate("small/export")
    tokenizer = AutoTokenizer.from_pretrained(f"{folder}/merged")
    base = AutoModelForSeq2SeqLM.from_pretrained(trained.base.name)
    adapted = PeftModel.from_pretrained(base, f"{folder}/adapter").eval()
    merged = AutoModelForSeq2SeqLM.from_pretrained(f"{folder}/merged").eval()
    batch = tokenizer(["The doctor is at home."], text_target=["மருத்துவர்"], return_tensors="pt")
    batch["decoder_input_ids"] = batch.pop("labels")
    with torch.inference_mode():
        assert float((adapted(**batch).logits - merged(**batch).logits).abs().max()) < 1e-3


@pytest.mark.parametrize("form", ["mapped", "trimmed"])
def test_an_engine_with_fewer_tokens_translates_the_validation_set_alike(
    trained: TrainingJob, engine: str, form: str
) -> None:
    config = trained.config.with_overrides({"export.vocabulary": form})
    result = export(config, trained.storage)
    found = result.vocabulary
    assert found
    assert found.form == form
    assert found.written_tokens <= found.known_tokens <= found.model_tokens
    assert found.sentences > 0
    assert set(found.scores) == {"chrf++", "bleu"}
    assert all("version:" in score.signature for score in found.scores.values())
    assert all(score.limited == pytest.approx(score.full, abs=1) for score in found.scores.values())
    folder = trained.storage.fetch(f"engines/{result.engine}")
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["model", "tokenizer"]
    engines = [
        load_engine(trained.storage.fetch(f"engines/{digest}"), config.serving)
        for digest in (engine, result.engine)
    ]
    rows = [each.encode("The doctor is at home.") for each in engines]
    assert rows[0] == rows[1]
    assert engines[0].translate(rows[0]) == engines[1].translate(rows[1])


@pytest.mark.parametrize(("loss", "form"), [(101, "trimmed"), (0, "full")])
def test_a_large_vocabulary_is_trimmed_unless_the_translations_get_worse(
    trained: TrainingJob,
    monkeypatch: pytest.MonkeyPatch,
    loss: float,
    form: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(vocabulary, "_MAX_TOKENS_TO_KEEP", 10)
    translate = vocabulary._translate

    def worse(folder: Path, card: EngineCard, pairs: list[Pair]) -> list[str]:
        texts = translate(folder, card, pairs)
        return [pair.target for pair in pairs] if folder.name == "full" else texts

    monkeypatch.setattr(vocabulary, "_translate", worse)
    config = trained.config.with_overrides({"export.max_vocabulary_loss": loss})
    found = export(config, trained.storage).vocabulary
    assert found
    assert found.form == form
    assert found.scores["bleu"].full == pytest.approx(100)
    assert ("keeps all" in caplog.text) == (form == "full")


def test_the_tiny_model_keeps_all_tokens_without_a_comparison(
    trained: TrainingJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "_find_tokens", None)
    found = export(trained.config, trained.storage).vocabulary
    assert found
    assert (found.form, found.sentences) == ("full", 0)


def test_a_merge_that_changes_the_logits_publishes_nothing(job: TrainingJob) -> None:
    run_training(job)
    strict = job.config.with_overrides({"export.logit_tolerance": 1e-30})
    with pytest.raises(ExportError, match="nothing is published"):
        export(strict, job.storage)
    assert job.storage.list("engines") == []
    assert not job.storage.is_committed("small/export/merged")


def test_a_fully_tuned_model_is_exported_too(job: TrainingJob) -> None:
    config = job.config.with_overrides({"adapter.type": "none"})
    run_training(replace(job, config=config))
    assert job.storage.is_committed(f"engines/{export(config, job.storage).engine}")
    assert not job.storage.exists("small/export/adapter")


def test_hypotheses_come_in_the_order_of_the_sentences(job: TrainingJob) -> None:
    from nmt.models.load import load_codec, load_model

    codec = load_codec(job.base, "eng_Latn", "tam_Taml")
    model = load_model(ModelSource(job.base.name))
    sentences = ["The plate is big.", "Where?", "The children will read the cheap book today."]
    together = translate(model, codec, sentences, batch_tokens=16)
    assert together == [translate(model, codec, [text])[0] for text in sentences]


def test_licence_of_nllb_is_written_beside_the_weights(tmp_path: Path, config: Config) -> None:
    nllb = config.with_overrides({"model.name_or_path": "facebook/nllb-200-distilled-600M"})
    write_model_card(nllb, tmp_path)
    assert "license: cc-by-nc-4.0" in (tmp_path / "README.md").read_text()
