"""The first real use, small and without a hub: a folder shaped like the published NLLB-200 600M.

The folder has what tells the published one from the model built on the spot: all 202 language
codes, a vocabulary padded beyond the tokenizer's, dropout, and generation settings of its own.
Commands run as a user gives them, with configs/en_ta_lora.yaml, each in a process of its own.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    M2M100Config,
    M2M100ForConditionalGeneration,
    NllbTokenizer,
)

from nmt.phrasebook import domain_pairs
from tests.support.project import PROJECT

RUN = "en-ta-lora"
PAIRS = 60
PADDING_WORDS = 2
"""The published model has two more rows than its tokenizer has tokens."""


def nmt(folder: Path, *words: str) -> str:
    """Standard output of a command that ends well."""
    done = subprocess.run(
        [sys.executable, "-m", "ray_jobs.cli.main", *words],
        cwd=folder,
        env={
            **{key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"},
            "PYTHONPATH": str(PROJECT),
            "HF_HUB_OFFLINE": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def settings(folder: Path) -> list[str]:
    """What a user without hub and GPU adds to the command line, and a training of few steps."""
    return [
        f"--config={PROJECT}/configs/en_ta_lora.yaml",
        f"data.path={folder / 'data'}",
        f"model.name_or_path={folder / 'nllb-small'}",
        "model.revision=null",
        "scaling.gpus_per_worker=0",
        "scaling.cpus_per_worker=1",
        "training.max_steps=2",
        "training.warmup_steps=1",
        "training.allow_worse_than_base=true",
        "training.evaluate_every_steps=1",
        "training.micro_batch_tokens=256",
        "training.validation_sentences=2",
        "evaluation.beam_size=1",
        "evaluation.bootstrap_samples=100",
    ]


def write_data_set(folder: Path) -> list[str]:
    """A folder as `datasets` reads it; the answer is the text of both languages."""
    folder.mkdir()
    pairs = domain_pairs(PAIRS, seed=1)
    with (folder / "train.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["en", "ta"])
        table.writerows((pair.source, pair.target) for pair in pairs)
    return [text for pair in pairs for text in (pair.source, pair.target)]


def write_model(folder: Path, lines: list[str]) -> None:
    """An NLLB tokenizer over these lines and an M2M100 model of random weights."""
    bpe = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    bpe.train_from_iterator(lines, trainer)
    state = json.loads(bpe.to_str())["model"]
    merges = [tuple(merge) for merge in state["merges"]]
    tokenizer = NllbTokenizer(
        vocab=state["vocab"],
        merges=merges,  # pyright: ignore[reportArgumentType]
        model_max_length=1024,
    )
    torch.manual_seed(1)
    model = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(tokenizer) + PADDING_WORDS,
            d_model=64,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            encoder_layerdrop=0.0,
            decoder_layerdrop=0.0,
            dropout=0.1,
            attention_dropout=0.1,
            max_position_embeddings=1024,
            scale_embedding=True,
            tie_word_embeddings=True,
            bos_token_id=0,
            pad_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=2,
        )
    )
    french = tokenizer.convert_tokens_to_ids("fra_Latn")
    model.generation_config = GenerationConfig(
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_bos_token_id=french,
        max_length=200,
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, model, and a run with all steps done, as separate commands."""
    folder = tmp_path_factory.mktemp("first-use")
    write_model(folder / "nllb-small", write_data_set(folder / "data"))
    for step in ("prepare", "train", "export", "evaluate"):
        nmt(folder, step, *settings(folder))
    return folder


def result(folder: Path, step: str) -> dict:
    record = json.loads((folder / "runs" / RUN / step / "step.json").read_text("utf-8"))
    assert record["done"]
    return record["result"]


def test_a_folder_of_csv_is_cut_into_three_splits(folder):
    sizes = result(folder, "data")["sizes"]
    assert sizes.keys() == {"train", "validation", "test"}
    assert sum(sizes.values()) <= PAIRS


def test_the_base_is_the_folder_with_the_licence_that_its_name_tells(folder):
    assert result(folder, "base")["license"] == "cc-by-nc-4.0"
    assert not (folder / "runs" / RUN / "base" / "best").exists()


def test_training_takes_its_steps_with_an_adapter_alone(folder):
    trained = result(folder, "train")
    assert trained["steps"] == 2
    best = folder / "runs" / RUN / "train" / "best"
    assert (best / "adapter_config.json").is_file()
    assert not (best / "model.safetensors").exists()


def test_evaluation_scores_base_adapter_and_engine_on_the_test_split(folder):
    scores = result(folder, "evaluation")
    assert {"systems", "test_sets", "scores", "comparisons", "samples"} <= scores.keys()
    assert list(scores["systems"]) == ["base", "tuned", "engine"]
    assert list(scores["test_sets"]) == ["test"]


def test_the_merged_model_answers_as_the_adapter(folder):
    assert result(folder, "export")["logit_difference"] < 1e-3


def test_merging_keeps_every_row_of_a_vocabulary_beyond_the_tokenizer(folder):
    merged = folder / "runs" / RUN / "export" / "merged"
    size = json.loads((merged / "config.json").read_text())["vocab_size"]
    tokenizer = NllbTokenizer.from_pretrained(merged)
    assert size == len(tokenizer) + PADDING_WORDS


def test_the_exported_tokenizer_still_knows_all_languages(folder):
    tokenizer = NllbTokenizer.from_pretrained(folder / "runs" / RUN / "export" / "merged")
    codes = [token for token in tokenizer.all_special_tokens if token[3:4] == "_"]
    assert len(codes) == 202
    assert (tokenizer.src_lang, tokenizer.tgt_lang) == ("eng_Latn", "tam_Taml")


def test_the_exports_name_the_licence_that_they_inherit(folder):
    digest = result(folder, "export")["engine"]
    for place in (f"{RUN}/export/adapter", f"{RUN}/export/merged", f"engines/{digest}"):
        assert "license: cc-by-nc-4.0" in (folder / "runs" / place / "README.md").read_text()


def test_the_engine_translates_in_the_shell(folder):
    out = nmt(folder, "translate", f"run={RUN}", "The doctor is at home.")
    assert len(out.splitlines()) == 1
    assert out.strip()
