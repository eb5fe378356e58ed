"""Greedy and beam search over many sentences, in batches of like length."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedTokenizerBase

from nmt.models.families import device_of
from nmt.models.load import check_code

_OUTPUT_FACTOR, _OUTPUT_SLACK = 2, 16


@torch.inference_mode()
def translate(
    model: torch.nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    sentences: Sequence[str],
    *,
    beam_size: int = 1,
    batch_tokens: int = 8192,
    max_source_tokens: int = 512,
) -> list[str]:
    """Hypotheses in the order of the sentences, in the tokenizer's target language.

    A source beyond `max_source_tokens` is cut. A hypothesis ends after twice its batch's
    source tokens plus 16 at the latest.
    """
    was_training = model.training
    model.eval()
    forced = check_code(tokenizer, "data.target_language", str(tokenizer.tgt_lang))
    encoded = tokenizer(list(sentences), truncation=True, max_length=max_source_tokens)["input_ids"]
    hypotheses = [""] * len(sentences)
    for rows in _batches([len(ids) for ids in encoded], batch_tokens):
        batch = tokenizer.pad(
            {"input_ids": [encoded[row] for row in rows]}, return_tensors="pt"
        ).to(device_of(model))
        width = batch["input_ids"].shape[1]
        generated = model.generate(  # pyright: ignore[reportCallIssue]
            **batch,
            forced_bos_token_id=forced,
            num_beams=beam_size,
            do_sample=False,
            max_new_tokens=_OUTPUT_FACTOR * width + _OUTPUT_SLACK,
        )
        texts = tokenizer.batch_decode(generated, skip_special_tokens=True)
        for row, text in zip(rows, texts, strict=True):
            hypotheses[row] = text.strip()
    model.train(was_training)
    return hypotheses


def _batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Rows sorted from long to short, cut by padded tokens: memory peaks in the first batch."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    batches: list[list[int]] = []
    for row in order:
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches
