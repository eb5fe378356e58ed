import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import Gemma2Config, Gemma2ForCausalLM, MBartTokenizer, ViTConfig

from nmt.config import (
    AdapterConfig,
    LoraAdapter,
    OftAdapter,
    PrefixAdapter,
    PromptAdapter,
    load_config,
)
from nmt.errors import ModelError
from nmt.models.adapters import add_adapter
from nmt.models.families import family_of, unwrap
from nmt.models.families.head import bypassed_head
from nmt.models.load import load_model, load_tokenizer
from nmt.models.model_config import find_model
from nmt.models.sources.source import ModelSource
from nmt.models.tokenization.language_tags import ModelCodes
from nmt.storage import Storage
from nmt.training import loading as job_module
from nmt.training.job import TrainingJob
from nmt.training.loading import load_material
from tests.support.models.checkpoints import Checkpoint, change_config, copied, load

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("gpt2", "wte"), ("bloom", "word_embeddings"), ("mbart50", "embed_positions"),
        ("mt5", "relative_attention_bias"), ("llama", "input_layernorm"),
        ("nllb_moe", "classifier"), ("xlm_r", "decoder"),
    ],
)  # fmt: skip
def test_what_is_no_linear_layer_of_a_block_is_refused_as_a_target(
    name: str, layer: str, checkpoint: Checkpoint
) -> None:
    model, _ = load(checkpoint(name))
    with pytest.raises(ModelError, match=f"no linear layer named {layer}; they have: "):
        add_adapter(unwrap(model), LoraAdapter(target_modules=(layer,)), seed=0)


def test_oft_says_that_it_cannot_rotate_the_layers_of_gpt2(checkpoint: Checkpoint) -> None:
    model, _ = load(checkpoint("gpt2"))
    with pytest.raises(ModelError, match=r"adapter.type=oft: GPT2.*use adapter.type=lora"):
        add_adapter(unwrap(model), OftAdapter(block_size=4), seed=0)


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("nllb", "tel_Telu"), ("nllb_moe", "tel_Telu"), ("m2m100", "tel_Telu"),
        ("mbart50", "kan_Knda"), ("marian_multilingual", "tel_Telu"),
    ],
)  # fmt: skip
def test_a_language_the_model_lacks_is_refused(
    name: str, language: str, checkpoint: Checkpoint
) -> None:
    with pytest.raises(ModelError, match=f"data.target_language={language}.*tam_Taml"):
        load(checkpoint(name), target=language)


def test_a_tokenizer_that_puts_the_code_last_is_refused() -> None:
    pieces = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("▁a", -1.0)]
    with pytest.raises(ModelError, match="does not put the language code first"):
        ModelCodes(MBartTokenizer(vocab=pieces), "eng_Latn", "hin_Deva")


def test_an_nllb_tokenizer_of_the_old_layout_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("nllb"), tmp_path)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"legacy_behaviour": True}))
    with pytest.raises(ModelError, match=r"code last.*set legacy_behaviour to false"):
        load(folder)


def test_capped_logits_are_refused() -> None:
    config = Gemma2Config(
        vocab_size=16, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=1, num_key_value_heads=1, head_dim=8,
    )  # fmt: skip
    with (
        pytest.raises(ModelError, match="final_logit_softcapping=30"),
        bypassed_head(Gemma2ForCausalLM(config)),
    ):
        pass


def test_an_unknown_architecture_lists_the_supported_ones() -> None:
    with pytest.raises(ModelError, match=r"'vit' is not supported; supported: m2m_100, .*bert"):
        family_of(ViTConfig())


def test_indictrans2_is_refused_with_what_to_use_instead(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        '{"model_type": "IndicTrans", "auto_map": {"AutoConfig": "x.IndicTransConfig"}}'
    )
    with pytest.raises(ModelError, match=r"IndicTrans.*its own code.*NLLB-200 or mBART-50"):
        find_model(str(tmp_path))


@pytest.mark.parametrize("adapter", [PrefixAdapter(), PromptAdapter()], ids=["prefix", "prompt"])
def test_nothing_can_be_put_in_front_of_an_encoder_decoder_of_two_kinds(
    adapter: AdapterConfig, checkpoint: Checkpoint
) -> None:
    model, _ = load(checkpoint("xlm_r"))
    with pytest.raises(ModelError, match=r"adapter.type=pr.*use adapter.type=none, or lora"):
        add_adapter(unwrap(model), adapter, seed=0)


def test_a_prompt_is_refused_where_it_would_leave_the_source_unscaled(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("marian"), tmp_path)
    change_config(folder, scale_embedding=True)
    model, _ = load(folder)
    with pytest.raises(ModelError, match=r"adapter.type=prompt: MarianMT.*use adapter.type=prefix"):
        add_adapter(unwrap(model), PromptAdapter(), seed=0)


def test_token_limits_beyond_the_positions_are_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    config = load_config([], ["model.max_source_tokens=200", "model.max_target_tokens=100"])
    base = ModelSource(str(checkpoint("gpt2")))
    job = TrainingJob(config, Storage(str(tmp_path)), folder="train", base=base, data="pairs")
    with pytest.raises(ModelError, match=r"max_source_tokens.*=200, 100.*positions for 256 tokens"):
        load_material(job, CPU)


def test_padding_counts_among_the_positions(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(checkpoint("gpt2"), tmp_path)
    change_config(folder, n_positions=252)
    (folder / "model.safetensors").unlink()
    model, _ = load(checkpoint("gpt2"))
    weights = {
        name: (value[:252] if name == "transformer.wpe.weight" else value).clone()
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = load_config([], ["model.max_source_tokens=150", "model.max_target_tokens=101"])
    job = TrainingJob(
        config, Storage(str(tmp_path)), folder="train", base=ModelSource(str(folder)), data="pairs"
    )
    monkeypatch.setattr(job_module, "width_multiple", lambda device: 8)
    with pytest.raises(ModelError, match=r"=150, 101.*positions for 252 tokens"):
        load_material(job, CPU)


def test_code_beside_a_model_of_a_known_architecture_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("llama"), tmp_path)
    change_config(folder, auto_map={"AutoModelForCausalLM": "modeling_x.OtherLlama"})
    with pytest.raises(ModelError, match="names its own code"):
        find_model(str(folder))


def test_code_beside_a_model_of_an_unknown_architecture_is_what_its_refusal_speaks_of(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "own", "auto_map": {"AutoModel": "x.M"}}')
    with pytest.raises(ModelError, match=r"\(auto_map\) for architecture 'own'.*one of: m2m_100"):
        find_model(str(tmp_path))


def test_a_model_without_a_vocabulary_is_refused(
    name: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    shutil.copy(checkpoint(name) / "config.json", tmp_path)
    shutil.copy(checkpoint(name) / "tokenizer_config.json", tmp_path)
    with pytest.raises(ModelError, match=r"no vocabulary of a tokenizer \(tokenizer.json.*fetch"):
        load_tokenizer(ModelSource(str(tmp_path)))


def test_a_tokenizer_that_lacks_one_of_its_files_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("marian"), tmp_path)
    (folder / "source.spm").unlink()
    with pytest.raises(ModelError, match="lacks a file of its tokenizer: fetch all files"):
        load_tokenizer(ModelSource(str(folder)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_hidden_layers": 3}, r"\d+ weights that config.json asks for.*layers\.2\."),
        ({"vocab_size": 9999}, "their shapes differ from config.json"),
    ],
)
def test_weights_that_do_not_fill_the_model_are_refused(
    change: dict[str, int], words: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("llama"), tmp_path)
    change_config(folder, **change)
    with pytest.raises(ModelError, match=words):
        load_model(ModelSource(str(folder)))


def test_a_file_of_weights_that_was_cut_off_is_refused(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("llama"), tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="the weights are damaged"):
        load_model(ModelSource(str(folder)))
