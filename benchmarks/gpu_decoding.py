"""Sentences per second of engines on a GPU, at the real size of NLLB-200 600M.

A process measures one library: CTranslate2, or `generate` of transformers. Both get the same
batches of random sentences and write the same number of tokens for each.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu_updates import memory, pick_gpu, used_gib, wait
from lengths import draw_lengths
from train_sides import SOURCE_CODE, TARGET_CODE

from nmt.models.load import load_codec, load_model
from nmt.models.sources.source import ModelSource
from nmt.text.packing import batches_by_length

OUTPUT_TOKENS = 32
BUDGET = 16_384
"""Padded source tokens of a batch: what `nmt translate` takes on a GPU by default."""
LONGEST = 128

Translate = Callable[[list[list[int]], int], int]
"""Translates a batch of token ids with a beam size, and returns the number of tokens written."""


def main() -> None:
    """Measure the library named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=list(SIDES))
    parser.add_argument("--folder", type=Path, required=True, help="of the model")
    parser.add_argument("--converted", type=Path, required=True, help="of the converted model")
    parser.add_argument("--sentences", type=int, default=2048)
    options = parser.parse_args()
    print(json.dumps({name: measure(make, options) for name, make in SIDES[options.side].items()}))


def measure(make: Callable[[argparse.Namespace], Translate], options: argparse.Namespace) -> Any:  # noqa: ANN401 - JSON
    """Load an engine, and measure it with one beam and with four."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    before, started = used_gib(), time.monotonic()
    try:
        translate = make(options)
    # CTranslate2 refuses what a device cannot compute in, and finds no cuBLAS.
    except (ImportError, RuntimeError, ValueError) as error:
        return {"failed": str(error)}
    rows = draw_rows(options.sentences)
    batches = batches_by_length([len(row) for row in rows], BUDGET)
    translate([rows[place] for place in batches[-1]][:8], 1)
    loading = time.monotonic() - started
    figures: dict[str, Any] = {"seconds_until_first_answer": loading}
    for beams in (1, 4):
        for batch in batches:  # loads the kernels for each shape
            translate([rows[place] for place in batch], beams)
        begun = wait()
        tokens = sum(translate([rows[place] for place in batch], beams) for batch in batches)
        seconds = wait() - begun
        figures[f"beam_{beams}"] = {
            "sentences_per_second": len(rows) / seconds,
            "output_tokens_per_sentence": tokens / len(rows),
            "seconds": seconds,
            "batches": len(batches),
        }
    return {**figures, "used_gib": used_gib() - before, "peak_gib": memory("max_memory_allocated")}


def draw_rows(count: int) -> list[list[int]]:
    """Draw sentences as token ids with the lengths of real ones, without their language codes."""
    random = np.random.default_rng(1)
    source, _ = draw_lengths(random, count, LONGEST)
    return [random.integers(4, 600, size - 2).tolist() for size in source]


def open_converted(compute_type: str, options: argparse.Namespace) -> Translate:
    """Open the converted model in CTranslate2."""
    import ctranslate2

    codec = load_codec(ModelSource(str(options.folder)), SOURCE_CODE, TARGET_CODE)
    translator = ctranslate2.Translator(
        str(options.converted), device=pick_gpu().type, compute_type=compute_type
    )

    def translate(rows: list[list[int]], beams: int) -> int:
        tokens = [codec.tokenizer.convert_ids_to_tokens(row) for row in rows]
        found = translator.translate_batch(
            [[SOURCE_CODE, *row, "</s>"] for row in tokens],
            target_prefix=[[TARGET_CODE]] * len(rows),
            beam_size=beams,
            max_input_length=0,
            min_decoding_length=OUTPUT_TOKENS,
            max_decoding_length=OUTPUT_TOKENS,
        )
        return sum(len(answer.hypotheses[0]) for answer in found)

    return translate


def open_torch(dtype: torch.dtype, options: argparse.Namespace) -> Translate:
    """Open the model in transformers."""
    source, device = ModelSource(str(options.folder)), pick_gpu()
    model: Any = load_model(source, dtype).eval()
    model.to(device)
    codec = load_codec(source, SOURCE_CODE, TARGET_CODE)
    source_code, end = codec.tokenizer.convert_tokens_to_ids([SOURCE_CODE, "</s>"])

    @torch.inference_mode()
    def translate(rows: list[list[int]], beams: int) -> int:
        batch = codec.pad([[source_code, *row, end] for row in rows]).to(device)
        found = model.generate(
            **batch,
            **codec.generation_options(),
            do_sample=False,
            num_beams=beams,
            min_new_tokens=OUTPUT_TOKENS,
            max_new_tokens=OUTPUT_TOKENS,
        )
        return found[:, 1:].numel()

    return translate


SIDES: dict[str, dict[str, Callable[[argparse.Namespace], Translate]]] = {
    "ctranslate2": {
        name: partial(open_converted, name) for name in ("float16", "bfloat16", "int8_float16")
    },
    "transformers": {
        "bf16": partial(open_torch, torch.bfloat16),
        "fp32": partial(open_torch, torch.float32),
    },
}

if __name__ == "__main__":
    main()
