"""Model cards carry the scores in the form that Hugging Face reads."""

from typing import Any

import pytest
from huggingface_hub import ModelCard

from nmt.config import Config, load_config
from nmt.export.model_card import add_scores, lacks_scores, write_model_card
from nmt.runs.evaluation import TestSetInfo
from nmt.storage import Storage
from tests.support.runs.summaries import evaluation

MODEL = "facebook/nllb-200-distilled-600M"
WEIGHTS = b"\0" * 1000


@pytest.fixture
def config() -> Config:
    return load_config(overrides=["run=demo", f"model.name_or_path={MODEL}"])


@pytest.fixture
def storage(tmp_path) -> Storage:
    """A storage root with a merged model that has a card without scores."""
    storage = Storage(str(tmp_path / "runs"))
    with storage.commit("demo/export/merged", {"kept": 1}) as folder:
        (folder / "model.safetensors").write_bytes(WEIGHTS)
        (folder / "tokenizer").mkdir()
        (folder / "tokenizer" / "tokenizer.json").write_text("{}")
        (folder / "README.md").write_text("old")
    return storage


def test_a_card_names_what_hugging_face_asks_for(config, tmp_path):
    write_model_card(config, tmp_path)
    data: Any = ModelCard.load(tmp_path / "README.md").data
    assert (data.license, data.base_model) == ("cc-by-nc-4.0", MODEL)
    assert (data.language, data.pipeline_tag) == (["en", "ta"], "translation")
    assert data.eval_results is None


def test_the_scores_of_the_tuned_model_are_a_model_index(config, tmp_path):
    sets = {"test": TestSetInfo(sentences=60, digest="0123456789ab", references=1)}
    write_model_card(config, tmp_path, evaluation(20.0, 31.5, test_sets=sets))
    card = ModelCard.load(tmp_path / "README.md")
    data: Any = card.data
    assert data.model_name == "demo"
    found = {row.metric_type: row for row in data.eval_results}
    assert {name: row.metric_value for name, row in found.items()} == {
        "bleu": 31.5, "chrf++": 60.0, "ter": 68.5,
    }  # fmt: skip
    bleu = found["bleu"]
    assert (bleu.task_type, bleu.metric_name, bleu.dataset_type) == ("translation", "BLEU", "test")
    assert (bleu.dataset_revision, bleu.dataset_args) == (
        "0123456789ab",
        {"sentences": 60, "references": 1},
    )
    assert bleu.metric_args == {"signature": "nrefs:1|tok:13a"}
    assert "| test | 60 | BLEU | 20.00 | 31.50 | nrefs:1\\|tok:13a |" in card.text


def test_scores_are_added_to_a_card_and_every_other_file_stays(config, storage):
    before = storage.manifest("demo/export/merged")
    assert lacks_scores(storage, "demo")
    add_scores(config, storage, evaluation())
    assert not lacks_scores(storage, "demo")
    storage.verify("demo/export/merged")
    after = storage.manifest("demo/export/merged")
    changed = {name for name in after["files"] if after["files"][name] != before["files"][name]}
    assert changed == {"README.md"}
    assert after["files"].keys() == before["files"].keys()
    assert after["meta"] == {"kept": 1}
    assert not storage.exists("demo/export/adapter")


def test_adding_the_same_scores_again_changes_nothing(config, storage):
    add_scores(config, storage, evaluation())
    before = storage.manifest("demo/export/merged")
    add_scores(config, storage, evaluation())
    storage.verify("demo/export/merged")
    assert storage.manifest("demo/export/merged") == before


def test_scores_are_added_on_an_object_store_too(config, s3_url):
    storage = Storage(s3_url)
    with storage.commit("demo/export/adapter") as folder:
        (folder / "adapter.safetensors").write_bytes(WEIGHTS)
        (folder / "README.md").write_text("old")
    add_scores(config, storage, evaluation())
    storage.verify("demo/export/adapter")
    assert b"model-index" in storage.read_bytes("demo/export/adapter/README.md")
