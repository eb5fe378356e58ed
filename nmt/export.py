"""From trained weights to an engine: merge, compare, convert, file it under its content."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import torch
from ctranslate2.converters import TransformersConverter
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from nmt.config import Config, digest_of
from nmt.data.prepare import load_pairs
from nmt.engine_card import MODEL_FOLDER, TOKENIZER_FOLDER, EngineCard, Golden, write_card
from nmt.errors import ExportError
from nmt.models.adapters import attach, is_adapter, plain
from nmt.models.encoding import encode
from nmt.models.families import family_of
from nmt.models.load import ModelSource, license_of, load_model, load_tokenizer
from nmt.steps import EXPORT, PREPARE, TRAIN
from nmt.storage import Storage, describe_files
from nmt.traffic import engine_path
from nmt.training.base import base_source
from nmt.training.job import best_path

log = logging.getLogger(__name__)

_PROBES = 16
_ENGINE_FILES = (MODEL_FOLDER, TOKENIZER_FOLDER)


def export(config: Config, storage: Storage) -> dict[str, Any]:
    """Merge the best weights and leave an engine in `engines/<digest>/`.

    Beside it the step's folder holds `merged/` for plain transformers and, for an adapter,
    `adapter/` for plain PEFT.

    Raises:
        ExportError: the merged model's logits differ from the trained model's.
    """
    trained = storage.fetch(best_path(TRAIN.path(config.run)))
    source = base_source(config).on(storage)
    tokenizer = load_tokenizer(source, config.data.source_language, config.data.target_language)
    folder = EXPORT.path(config.run)
    difference = 0.0
    with storage.commit(f"{folder}/merged") as merged:
        difference = write_merged(config, storage, source, trained, tokenizer, merged)
        write_license(config, merged)
    log.info("export: merged, logits within %.1e of the trained model's", difference)
    if is_adapter(trained):
        with storage.commit(f"{folder}/adapter") as adapter:
            shutil.copytree(trained, adapter, dirs_exist_ok=True, ignore=_manifest)
            write_license(config, adapter)
    digest = write_engine(config, storage, storage.fetch(f"{folder}/merged"), tokenizer)
    log.info("export: engine %s in %s", digest, storage.locate(engine_path(digest)))
    return {
        "output": digest,
        "engine": digest,
        "logit_difference": difference,
        "license": license_of(config.model.name_or_path),
    }


def write_merged(
    config: Config,
    storage: Storage,
    source: ModelSource,
    trained: Path,
    tokenizer: PreTrainedTokenizerBase,
    destination: Path,
) -> float:
    """Merge into the unquantized base, write, load again, and compare logits.

    Returns:
        Largest absolute difference between the trained and the reloaded merged model.

    Raises:
        ExportError: it is above `export.logit_tolerance`.
    """
    batch = _probe_batch(config, storage, tokenizer)
    if is_adapter(trained):
        adapted = attach(load_model(source), trained)
        expected = logits_of(plain(adapted), batch)
        model = adapted.merge_and_unload()  # pyright: ignore[reportCallIssue]
    else:
        model = load_model(ModelSource(str(trained))).eval()
        expected = logits_of(model, batch)
    model.save_pretrained(destination)
    tokenizer.save_pretrained(destination)
    reloaded = load_model(ModelSource(str(destination))).eval()
    difference = float((logits_of(reloaded, batch) - expected).abs().max())
    if not difference <= config.export.logit_tolerance:
        raise ExportError(
            f"the merged model's logits differ from the trained model's by {difference:.2e}, more "
            f"than export.logit_tolerance={config.export.logit_tolerance:g}: nothing is published"
        )
    return difference


def write_engine(
    config: Config, storage: Storage, merged: Path, tokenizer: PreTrainedTokenizerBase
) -> str:
    """Convert the merged model for CTranslate2 and file it by content.

    Returns:
        The engine's digest; the same weights, languages and quantization give the same one.
    """
    staging = f"{EXPORT.path(config.run)}/engine"
    with storage.commit(staging) as folder:
        converter = TransformersConverter(str(merged))
        converter.convert(str(folder / MODEL_FOLDER), quantization=config.export.quantization)
        tokenizer.save_pretrained(folder / TOKENIZER_FOLDER)
        write_license(config, folder)
        card = engine_card(config, storage, folder, tokenizer)
        write_card(folder, card)
        files = describe_files(folder)
        content = {name: f["sha256"] for name, f in files.items() if _is_engine_file(name)}
        digest = digest_of([content, card.source_language, card.target_language])
        if not storage.is_committed(engine_path(digest)):
            with storage.commit(engine_path(digest), {"run": config.run}) as engine:
                shutil.copytree(folder, engine, dirs_exist_ok=True)
    storage.delete(staging)
    return digest


def engine_card(
    config: Config, storage: Storage, folder: Path, tokenizer: PreTrainedTokenizerBase
) -> EngineCard:
    """What a server must know of an engine, with one sentence it must translate as here."""
    pairs = load_pairs(storage.fetch(f"{PREPARE.path(config.run)}/pairs", verify=False), "train")
    by_length = sorted((pair.source for pair in pairs), key=lambda text: abs(len(text) - 40))
    golden = find_golden(folder / MODEL_FOLDER, tokenizer, by_length[:_PROBES])
    return EngineCard(
        run=config.run,
        base=config.model.name_or_path,
        license=license_of(config.model.name_or_path),
        source_language=config.data.source_language,
        target_language=config.data.target_language,
        max_source_tokens=config.model.max_source_tokens,
        golden=golden,
    )


def find_golden(
    model: Path, tokenizer: PreTrainedTokenizerBase, sentences: Sequence[str]
) -> Golden:
    """First sentence that the converted engine itself answers, greedily, on this machine's CPU.

    Raises:
        ExportError: it answers none of them.
    """
    translator = ctranslate2.Translator(str(model), device="cpu", inter_threads=1)
    for sentence in sentences:
        tokens = tokenizer.convert_ids_to_tokens(tokenizer(sentence)["input_ids"])
        result = translator.translate_batch(
            [tokens], target_prefix=[[str(tokenizer.tgt_lang)]], beam_size=1
        )[0]
        ids = tokenizer.convert_tokens_to_ids(result.hypotheses[0][1:])
        answer = str(tokenizer.decode(ids, skip_special_tokens=True)).strip()
        if answer:
            return Golden(source=sentence, target=answer)
    raise ExportError("the converted engine answers with nothing: train longer, then export again")


@torch.inference_mode()
def logits_of(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Logits at the positions that have a label."""
    family = family_of(model.config)
    hidden = family.hidden_states(model, batch)[batch["labels"] != -100]
    return hidden @ family.head(model).T


def write_license(config: Config, folder: Path) -> None:
    """Say beside the weights whose terms they inherit; Hugging Face reads the heading."""
    name = config.model.name_or_path
    license_name = license_of(name)
    (folder / "README.md").write_text(
        f"---\nlicense: {'other' if license_name == 'unknown' else license_name}\n"
        f"base_model: {name}\npipeline_tag: translation\n"
        f"language: [{config.data.source_language}, {config.data.target_language}]\n---\n"
        f"# {config.run}\n\nMade from `{name}`, whose licence it inherits: {license_name}.\n",
        encoding="utf-8",
    )


def _probe_batch(
    config: Config, storage: Storage, tokenizer: PreTrainedTokenizerBase
) -> dict[str, torch.Tensor]:
    folder = storage.fetch(f"{PREPARE.path(config.run)}/pairs")
    limits = config.model
    pairs = encode(
        tokenizer,
        load_pairs(folder, "train")[:200],
        limits.max_source_tokens,
        limits.max_target_tokens,
    )
    return pairs.batch(torch.arange(min(_PROBES, len(pairs))).numpy(), torch.device("cpu"))


def _is_engine_file(name: str) -> bool:
    return name.split("/")[0] in _ENGINE_FILES


def _manifest(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "manifest.json"]
