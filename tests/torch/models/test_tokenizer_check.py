"""A tokenizer and a model that do not belong together are refused before a training."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from transformers import AddedToken, AutoTokenizer

from nmt.config import load_config
from nmt.errors import ModelError
from nmt.models.load import load_codec, load_outline
from nmt.models.model_config import find_model
from nmt.models.tokenizer_check import check_tokenizer
from nmt.storage import Storage
from nmt.training.base import prepare_base
from tests.support.models.checkpoints import Checkpoint, change_config, copied


def check(folder: Path) -> None:
    source = find_model(str(folder))
    check_tokenizer(source.label, load_codec(source, "eng_Latn", "tam_Taml"), load_outline(source))


def test_every_architecture_is_accepted_with_its_own_tokenizer(
    name: str, checkpoint: Checkpoint
) -> None:
    check(checkpoint(name))


def change_tokenizer(folder: Path, change: Callable[..., object]) -> int:
    """Change and write a tokenizer; its number of tokens before."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    before = len(tokenizer)
    change(tokenizer)
    tokenizer.save_pretrained(folder)
    return before


@pytest.mark.parametrize("architecture", ["nllb", "mbart50", "marian", "t5", "llama", "xlm_r"])
def test_a_word_beyond_the_embeddings_is_refused_with_both_numbers(
    architecture: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint(architecture), tmp_path)
    change_tokenizer(folder, lambda t: t.add_tokens([f"hospital{n}" for n in range(20)]))
    embedding: Any = load_outline(find_model(str(folder))).get_input_embeddings()
    rows = len(embedding.weight)
    with pytest.raises(
        ModelError, match=rf"ids up to \d+ \('hospital19'\), and the model has {rows} embeddings"
    ):
        check(folder)


def test_a_word_with_the_id_of_a_language_code_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("m2m100"), tmp_path)
    first = change_tokenizer(folder, lambda t: t.add_tokens(["hospital"]))
    with pytest.raises(ModelError, match=rf"has id {first} for the language code 'af' and for 'ho"):
        check(folder)


def test_language_codes_beyond_the_embeddings_are_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("m2m100"), tmp_path)
    weights = load_file(folder / "model.safetensors")
    rows = 160  # of the words and the first nine codes
    embeddings = {n: t for n, t in weights.items() if n.endswith("shared.weight")}
    save_file(
        {n: t[:rows] if n in embeddings else t for n, t in weights.items()},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    change_config(folder, vocab_size=rows)
    with pytest.raises(ModelError, match=rf"ids up to \d+ .*, and the model has {rows} embeddings"):
        check(folder)


def test_a_padding_token_beyond_the_embeddings_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("gpt2"), tmp_path)
    rows = change_tokenizer(folder, lambda t: t.add_special_tokens({"pad_token": "<more>"}))
    with pytest.raises(ModelError, match=rf"ids up to {rows} \('<more>'\).*has {rows} embeddings"):
        check(folder)


def test_a_control_token_that_no_text_leads_to_may_lie_beyond_the_embeddings(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("gemma3"), tmp_path)
    image = AddedToken("<image_soft_token>", special=True)
    change_tokenizer(folder, lambda t: t.add_tokens([image], special_tokens=True))
    check(folder)


def test_more_embeddings_than_tokens_are_accepted(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = copied(checkpoint("llama"), tmp_path)
    weights = load_file(folder / "model.safetensors")
    for key in ("model.embed_tokens.weight", "lm_head.weight"):
        weights[key] = weights[key].repeat(2, 1)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    change_config(folder, vocab_size=len(weights["lm_head.weight"]))
    check(folder)


@pytest.mark.parametrize(
    ("architecture", "change", "reason"),
    [
        ("nllb", {"pad_token_id": 0}, r"pad_token_id is 0 in config.json and 1 \('<pad>'\)"),
        ("t5", {"pad_token_id": 3}, r"pad_token_id is 3 in config.json and 0 \('<pad>'\)"),
        ("marian_untied", {"pad_token_id": 9}, r"pad_token_id is 9 in config.json and 2 "),
        ("nllb", {"bos_token_id": 2}, r"bos_token_id is 2 in config.json and 0 \('<s>'\)"),
        ("nllb", {"pad_token_id": None}, "pad_token_id=None in config.json is not a token id"),
        ("mbart50", {"decoder_start_token_id": None}, "decoder_start_token_id=None in config.json"),
    ],
)
def test_special_tokens_of_another_version_are_refused(
    architecture: str,
    change: dict[str, int | None],
    reason: str,
    checkpoint: Checkpoint,
    tmp_path: Path,
) -> None:
    folder = copied(checkpoint(architecture), tmp_path)
    change_config(folder, **change)
    (folder / "generation_config.json").unlink()
    with pytest.raises(ModelError, match=reason):
        check(folder)


@pytest.mark.parametrize(
    ("architecture", "change", "reason"),
    [
        ("nllb", {"eos_token_id": 1}, r"eos_token_id is 1 .*ends a sentence with 2 \('</s>'\)"),
        ("marian", {"eos_token_id": 5}, r"eos_token_id is 5 .*ends a sentence with 0 \('</s>'\)"),
        ("nllb", {"decoder_start_token_id": 0}, r"is 2 in config.json and 0 in generation_config"),
        ("nllb", {"forced_bos_token_id": 40}, r"forced_bos_token_id is 40 .*not a control token"),
        ("m2m100", {"forced_bos_token_id": 40}, r"forced_bos_token_id is 40 .*not a control token"),
    ],
)
def test_generation_settings_of_another_version_are_refused(
    architecture: str,
    change: dict[str, int],
    reason: str,
    checkpoint: Checkpoint,
    tmp_path: Path,
) -> None:
    folder = copied(checkpoint(architecture), tmp_path)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=reason):
        check(folder)


def test_a_decoder_that_starts_with_a_word_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("nllb"), tmp_path)
    change_config(folder, decoder_start_token_id=50)
    (folder / "generation_config.json").unlink()
    with pytest.raises(
        ModelError, match=r"decoder_start_token_id is 50 in the model, and .* 50 is '.+' and not"
    ):
        check(folder)


@pytest.mark.parametrize("several", [1, [2, 1]])
def test_a_model_may_stop_at_several_tokens(
    several: int | list[int], checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("t5"), tmp_path)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": several}))
    check(folder)


def test_the_base_step_refuses_what_does_not_fit_and_leaves_nothing(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("nllb"), tmp_path)
    change_tokenizer(folder, lambda t: t.add_tokens(["hospital"]))
    config = load_config([], ["run=demo", f"model.name_or_path={folder}"])
    storage = Storage(str(tmp_path / "storage"))
    with pytest.raises(ModelError, match=rf"model.name_or_path={folder}: the tokenizer has ids"):
        prepare_base(config, storage)
    assert storage.list("") == []


def drop_one(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights.pop(sorted(name for name in weights if name.endswith("weight"))[-1])
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize("architecture", ["nllb", "llama"])
@pytest.mark.parametrize(
    ("damage", "reason"), [(drop_one, "are in none of its files"), (cut, "weights are damaged")]
)
def test_weights_that_are_not_all_there_are_refused_without_loading_them(
    damage: Callable[[Path], None],
    reason: str,
    architecture: str,
    checkpoint: Checkpoint,
    tmp_path: Path,
) -> None:
    folder = copied(checkpoint(architecture), tmp_path)
    damage(folder)
    with pytest.raises(ModelError, match=reason):
        load_outline(find_model(str(folder)))


def test_an_encoder_without_all_its_weights_is_not_filled_up_at_random(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("xlm_r") / "encoder", tmp_path)
    drop_one(folder)
    weights = load_file(folder / "model.safetensors")
    weights.pop("embeddings.word_embeddings.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = load_config([], ["run=demo", f"model.name_or_path={folder}"])
    with pytest.raises(ModelError, match=r"are in none of its files, such as embeddings.word"):
        prepare_base(config, Storage(str(tmp_path / "storage")))
