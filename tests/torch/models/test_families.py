import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PromptTuningConfig, get_peft_model
from torch import nn
from transformers.models.nllb_moe.modeling_nllb_moe import NllbMoeSparseMLP, NllbMoeTop2Router

from nmt.config import (
    LoraAdapter,
    NoAdapter,
    PrefixAdapter,
    PromptAdapter,
)
from nmt.decoding.generate import translate
from nmt.models.adapters import add_adapter, attach, save_weights, trainable
from nmt.models.families import family_of, unwrap
from nmt.models.families.head import bypassed_head
from nmt.models.tokenization.codec import Codec
from nmt.models.tokenization.encoded_pairs import encode_pairs
from nmt.models.tokenization.language_tags import ModelCodes
from nmt.text.pair import Pair
from nmt.training.loss import sum_cross_entropy
from tests.support.models.checkpoints import Checkpoint, change_config, copied, load
from tests.support.models.tiny_tokenizers import PAIRS

CPU = torch.device("cpu")
FORCING = ("nllb", "nllb_moe", "m2m100", "mbart50")
DECODER_ONLY = ("llama", "mistral", "qwen2", "qwen3", "gemma3", "bloom", "gpt2")


def batch_of(codec: Codec, pairs: list[Pair]) -> dict[str, torch.Tensor]:
    return encode_pairs(codec, pairs, 256, 256).batch(np.arange(len(pairs)), CPU)


def loss_of(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean loss per target token, as the training loop sums it."""
    family = family_of(unwrap(model).config)
    hidden = family.hidden_states(model, batch)
    head, bias = family.head(model)
    tokens = (batch["labels"] != -100).sum()
    return sum_cross_entropy(hidden, head, batch["labels"], 0.0, bias) / tokens


def train(model: nn.Module, batch: dict[str, torch.Tensor], steps: int, rate: float) -> list[float]:
    torch.manual_seed(0)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    losses = []
    model.train()
    for _ in range(steps):
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def own_loss(model: nn.Module, batch: dict[str, torch.Tensor], name: str) -> float:
    """The loss transformers itself gives for `labels`."""
    inputs = dict(batch)
    if name in DECODER_ONLY:  # it shifts the labels itself
        first = torch.full_like(inputs["labels"][:, :1], -100)
        end = torch.ones_like(first)
        inputs["labels"] = torch.cat([first, inputs["labels"]], 1)
        inputs["input_ids"] = torch.cat([inputs["input_ids"], end], 1)
        inputs["attention_mask"] = torch.cat([inputs["attention_mask"], end], 1)
    return float(model(**inputs, use_cache=False).loss)


def test_chunked_loss_equals_the_models_own(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    batch = batch_of(codec, PAIRS)
    with torch.inference_mode():
        assert float(loss_of(model, batch)) == pytest.approx(own_loss(model, batch, name), abs=1e-4)


def test_a_few_steps_lower_the_loss(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    losses = train(model, batch_of(codec, PAIRS), steps=8, rate=3e-3)
    assert losses[-1] < 0.9 * losses[0]


def test_a_lora_adapter_learns_and_leaves_the_rest(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    before = {key: p.clone() for key, p in model.state_dict().items()}
    batch = batch_of(codec, PAIRS)
    adapted = add_adapter(unwrap(model), LoraAdapter(rank=4, dropout=0), seed=0)
    losses = train(adapted, batch, steps=8, rate=1e-2)
    assert losses[-1] < losses[0] - 0.02
    after = {key.replace(".base_layer", ""): p for key, p in model.state_dict().items()}
    assert all(torch.equal(after[key], old) for key, old in before.items())


@pytest.mark.parametrize("name", ["nllb", "marian", "mt5", "llama", "gpt2"])
def test_a_learnt_prompt_does_not_shift_the_labels(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    family = family_of(model.config)
    batch = batch_of(codec, PAIRS)
    config = PromptTuningConfig(task_type=family.task_type, num_virtual_tokens=3)
    adapted = get_peft_model(model, config)
    hidden = family.hidden_states(adapted, batch)
    assert hidden.shape[:2] == batch["labels"].shape
    losses = train(adapted, batch, steps=8, rate=3e-2)
    assert losses[-1] < losses[0]


def test_saved_weights_give_the_same_loss(
    name: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    model, codec = load(checkpoint(name))
    train(model, batch_of(codec, PAIRS), steps=2, rate=1e-2)
    unwrap(model).save_pretrained(tmp_path)
    codec.save(tmp_path)
    again, codec_again = load(tmp_path)
    batch = batch_of(codec_again, PAIRS)
    with torch.inference_mode():
        expected = loss_of(model.eval(), batch_of(codec, PAIRS))
        assert float(loss_of(again, batch)) == pytest.approx(float(expected), abs=1e-5)


def test_what_was_learnt_by_heart_is_translated(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    pairs = PAIRS[:2] + PAIRS[4:6]
    train(model, batch_of(codec, pairs), steps=160, rate=5e-3)
    assert translate(model, codec, [p.source for p in pairs]) == [p.target for p in pairs]


@pytest.mark.parametrize("name", FORCING)
def test_every_answer_begins_with_the_target_language(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    batch = codec.pad(codec.encode_sources(["the cat is here"]))
    options = codec.generation_options()
    answer = model.generate(**batch, **options, max_new_tokens=3)  # pyright: ignore[reportCallIssue]
    code = codec.tokenizer.convert_ids_to_tokens(int(answer[0, 1]))
    assert code in {"tam_Taml", "__ta__", "ta_IN"}
    assert codec.encode_targets(["மழை"])[0][0] == answer[0, 1]


def test_a_multilingual_marian_is_told_the_target_by_a_tag(checkpoint: Checkpoint) -> None:
    _, codec = load(checkpoint("marian_multilingual"), target="mal_Mlym")
    tokens = codec.tokenizer.convert_ids_to_tokens(codec.encode_sources(["the cat"])[0])
    assert tokens[0] == ">>mal<<"


def test_a_marian_of_one_pair_gets_no_tag(checkpoint: Checkpoint) -> None:
    _, codec = load(checkpoint("marian"))
    tokens = codec.tokenizer.convert_ids_to_tokens(codec.encode_sources(["the cat"])[0])
    assert tokens == ["▁the", "▁cat", "</s>"]


def test_each_mbart50_code_means_one_language(checkpoint: Checkpoint) -> None:
    _, codec = load(checkpoint("mbart50"))
    languages = {"arb_Arab", "zho_Hans", "lvs_Latn", "npi_Deva", "swh_Latn", "pes_Arab"}
    found = {
        ModelCodes(codec.tokenizer, "eng_Latn", code).tokenizer.tgt_lang
        for code in sorted(languages)
    }
    assert found == {"ar_AR", "zh_CN", "lv_LV", "ne_NP", "sw_KE", "fa_IR"}


def test_only_the_target_of_a_prompt_is_learnt(checkpoint: Checkpoint) -> None:
    _, codec = load(checkpoint("llama"))
    batch = batch_of(codec, PAIRS[:2])
    learnt = [row[row != -100].tolist() for row in batch["labels"]]
    assert learnt == codec.encode_targets([pair.target for pair in PAIRS[:2]])


def test_each_label_of_a_prompt_follows_its_position(checkpoint: Checkpoint) -> None:
    _, codec = load(checkpoint("gpt2"))
    batch = batch_of(codec, PAIRS[:1])
    ids, labels = batch["input_ids"][0], batch["labels"][0]
    learnt = (labels != -100).nonzero().flatten()[:-1]
    assert torch.equal(labels[learnt], ids[learnt + 1])


def test_a_cut_source_leaves_the_prompt_whole(checkpoint: Checkpoint) -> None:
    _, codec = load(checkpoint("llama"))
    whole, cut = (
        codec.encode_sources(["the cat is here"])[0],
        codec.encode_sources(["the cat is here"], 12)[0],
    )
    text = codec.tokenizer.decode(cut, skip_special_tokens=True)
    assert len(whole) > len(cut) == 12
    assert text == "Translate English to Tamil:\nthe cat\n"


def test_translations_of_a_decoder_do_not_depend_on_their_batch(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("bloom"))
    train(model, batch_of(codec, PAIRS), steps=30, rate=5e-3)
    sentences = ["rain is here", "your book was there and this tree is here", "water"]
    together = translate(model, codec, sentences)
    assert together == [translate(model, codec, [sentence])[0] for sentence in sentences]


@pytest.mark.parametrize("name", ["nllb", "marian_multilingual", "t5", "multilingual_bert", "gpt2"])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_translation_does_not_depend_on_its_neighbours(
    name: str, beam_size: int, checkpoint: Checkpoint
) -> None:
    model, codec = load(checkpoint(name))  # untrained: it hardly ever ends by itself
    texts = ["a dog", "the cat is here " * 12, "my house was there " * 4]
    alone = [translate(model, codec, [text], beam_size=beam_size)[0] for text in texts]
    assert translate(model, codec, texts, beam_size=beam_size) == alone


def test_the_head_is_put_back_after_a_failure(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("marian"))
    batch = batch_of(codec, PAIRS[:1])
    with torch.inference_mode():
        before = unwrap(model)(**batch).logits
        with pytest.raises(RuntimeError, match="amid"), bypassed_head(unwrap(model)):
            raise RuntimeError("amid")
        assert torch.equal(unwrap(model)(**batch).logits, before)


@pytest.mark.parametrize("name", ["marian", "t5", "qwen3", "gemma3", "bloom", "gpt2"])
def test_a_learnt_prefix_fits_the_heads_of_the_model(name: str, checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint(name))
    adapted = add_adapter(unwrap(model), PrefixAdapter(virtual_tokens=3), seed=0)
    losses = train(adapted, batch_of(codec, PAIRS), steps=8, rate=3e-2)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("mbart50", {"decoder_layers": 2, "decoder_attention_heads": 4}),
        ("t5", {"num_decoder_layers": 3}),
    ],
)
def test_a_learnt_prefix_fits_a_decoder_of_other_sizes_than_the_encoder(
    name: str, sizes: dict[str, int], checkpoint: Checkpoint
) -> None:
    model, codec = load(checkpoint(name))
    unwrap(model).config.update(sizes)
    other = type(unwrap(model))(unwrap(model).config)
    adapted = add_adapter(other, PrefixAdapter(virtual_tokens=3), seed=0)
    losses = train(adapted, batch_of(codec, PAIRS), steps=8, rate=3e-2)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", ["llama", "qwen3", "gemma3", "bloom", "gpt2"])
@pytest.mark.parametrize("adapter", [PrefixAdapter(), PromptAdapter()], ids=["prefix", "prompt"])
@torch.no_grad()
def test_what_follows_a_learnt_start_does_not_depend_on_the_longest_row_of_its_batch(
    name: str, adapter: PrefixAdapter | PromptAdapter, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    model, codec = load(checkpoint(name))
    adapted = add_adapter(unwrap(model), adapter, seed=0).eval()
    torch.manual_seed(0)
    for parameter in trainable(adapted).values():
        parameter += 0.3 * torch.randn_like(parameter)
    save_weights(adapted, tmp_path)
    rows = codec.encode_sources(["rain", "the cat was there and a dog was here"])
    attached = attach(unwrap(load(checkpoint(name))[0]), tmp_path)
    for each in (adapted, attached):
        alone, beside = scores_of(each, codec, rows[:1]), scores_of(each, codec, rows)
        torch.testing.assert_close(beside[:, :1], alone, atol=1e-4, rtol=1e-4)


def scores_of(model: Any, codec: Codec, rows: list[list[int]]) -> torch.Tensor:
    """(steps, rows, vocabulary) of a greedy search."""
    found = model.generate(
        **codec.pad(rows),
        **codec.generation_options(),
        do_sample=False,
        min_new_tokens=3,
        max_new_tokens=3,
        output_scores=True,
        return_dict_in_generate=True,
    )
    return torch.stack(found.scores)


@pytest.mark.parametrize("name", ["gpt2", "xlm_r", "marian", "mbart50"])
def test_a_source_beyond_the_positions_is_cut_and_so_is_its_endless_answer(
    name: str, checkpoint: Checkpoint
) -> None:
    model, codec = load(checkpoint(name))
    assert len(translate(model, codec, ["the cat is here and there " * 60])) == 1


def test_every_trained_parameter_gets_a_gradient_since_ddp_waits_for_it(
    name: str, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint(name), tmp_path)
    if name in {"nllb", "nllb_moe", "m2m100", "mbart50", "marian"}:
        change_config(folder, encoder_layerdrop=1.0, decoder_layerdrop=1.0)
    model, codec = load(folder)
    model = add_adapter(unwrap(model), NoAdapter(), seed=0).train()
    loss_of(model, batch_of(codec, PAIRS[:1])).backward()
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    assert [key for key, p in trained.items() if p.grad is None] == []


def test_each_expert_answers_for_its_tokens(checkpoint: Checkpoint) -> None:
    model, _ = load(checkpoint("nllb_moe"))
    mixture = next(m for m in model.eval().modules() if isinstance(m, NllbMoeSparseMLP))
    hidden = torch.randn(3, 7, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        _, weights, _ = mixture.router(hidden.flatten(0, 1))
        answers = [mixture.experts[f"expert_{number}"](hidden) for number in range(4)]
        expected = torch.stack(answers, -1) @ weights.unflatten(0, (3, 7))[..., None]
        torch.testing.assert_close(mixture(hidden), expected.squeeze(-1))
    assert all(weights.any(0))


def test_a_translation_leaves_every_expert_its_places(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("nllb_moe"))
    batch, family = batch_of(codec, PAIRS), family_of(model.config)
    before = family.hidden_states(model.train(), batch)
    translate(model, codec, ["the cat is here", "rain"])
    torch.testing.assert_close(family.hidden_states(model.train(), batch), before)


def test_padding_of_targets_takes_no_place_with_an_expert(checkpoint: Checkpoint) -> None:
    model, codec = load(checkpoint("nllb_moe"))
    family, batch = family_of(model.config), batch_of(codec, PAIRS)
    wider = batch | {"labels": nn.functional.pad(batch["labels"], (0, 40), value=-100)}
    for module in model.train().modules():
        if isinstance(module, NllbMoeTop2Router):
            module.expert_capacity = batch["labels"].numel()
    real = batch["labels"] != -100
    hidden, padded = (family.hidden_states(model, each) for each in (batch, wider))
    torch.testing.assert_close(padded[:, : real.shape[1]][real], hidden[real])


def test_search_settings_of_a_checkpoint_bend_no_translation(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    folder = copied(checkpoint("marian"), tmp_path)
    pad = json.loads((folder / "config.json").read_text())["pad_token_id"]
    path = folder / "generation_config.json"
    own = json.loads(path.read_text()) | {"bad_words_ids": [[pad]]}
    path.write_text(json.dumps(own))
    expected = translate(*load(folder), ["the cat is here"])
    bent = {"repetition_penalty": 9.0, "no_repeat_ngram_size": 1, "return_dict_in_generate": True}
    path.write_text(json.dumps(own | bent | {"num_return_sequences": 2, "num_beams": 2}))
    model, codec = load(folder)
    assert translate(model, codec, ["the cat is here"]) == expected
    assert unwrap(model).generation_config.bad_words_ids == [[pad]]
