"""Engine folders: model, tokenizer and card, stored by the digest of their content."""

import shutil
from collections.abc import Callable, Sequence
from heapq import nsmallest
from itertools import islice
from pathlib import Path

from torch import nn

from nmt.config import Config
from nmt.data.prepared_rows import read_rows
from nmt.decoding.generate import translate
from nmt.engines.card import EngineCard, EngineFormat, Golden
from nmt.engines.folder import open_codec, open_model, save_tokenizer
from nmt.errors import ExportError
from nmt.export.trained_model import ReferenceLogits, TrainedModel
from nmt.models.families import unwrap
from nmt.models.license import license_of
from nmt.runs import layout
from nmt.runs.engine_digest import ADAPTER_FOLDER, MODEL_FOLDER, engine_digest
from nmt.runs.records import is_intact
from nmt.storage import MANIFEST, Storage, describe_files

Translate = Callable[[str], str]
"""Translates a sentence greedily with an engine folder, on this machine's CPU."""

_GOLDEN_CHARACTERS, _MAX_GOLDEN_TRIES, _MAX_GOLDEN_CANDIDATES = 40, 16, 1000
_NO_GOLDEN = Golden(source="-", target="-")


def fill_torch(
    folder: Path, model: nn.Module, trained: TrainedModel, reference: ReferenceLogits
) -> tuple[Translate, float]:
    """Write a plain model, or base and adapter, then load them again and compare logits.

    Returns:
        How the folder translates, and the largest difference of its logits.

    Raises:
        ExportError: the difference is above `export.logit_tolerance`.
    """
    has_adapter = not trained.is_plain_model
    unwrap(model).save_pretrained(folder / MODEL_FOLDER)
    save_tokenizer(trained.codec, folder)
    if has_adapter:
        copy_content(trained.weights, folder / ADAPTER_FOLDER)
    opened = open_model(folder, has_adapter=has_adapter)
    codec = open_codec(folder, trained.codec.source_language, trained.codec.target_language)
    difference = reference.compare(opened)
    return lambda sentence: translate(opened, codec, [sentence])[0], difference


def describe_engine(config: Config, form: EngineFormat, trained: TrainedModel) -> EngineCard:
    """Describe an engine for a server; its golden sentence is only a placeholder."""
    return EngineCard(
        format=form,
        has_adapter=not trained.is_plain_model,
        run=config.run,
        base=config.model.name_or_path,
        base_fingerprint=trained.base.fingerprint,
        license=license_of(config.model.name_or_path),
        source_language=config.data.source_language,
        target_language=config.data.target_language,
        max_source_tokens=config.model.max_source_tokens,
        golden=_NO_GOLDEN,
    )


def choose_golden(
    data: Path, config: Config, trained: TrainedModel, translate_sentence: Translate
) -> Golden:
    """Choose a training sentence that a server must translate as the engine does now.

    Raises:
        ExportError: the engine returns empty translations.
    """
    # A sentence of usual length is the best evidence, and quick to translate.
    sources = nsmallest(
        _MAX_GOLDEN_CANDIDATES,
        (text for rows in read_rows(data, "train", 10_000) for text in rows.sources),
        key=lambda text: abs(len(text) - _GOLDEN_CHARACTERS),
    )
    codec = trained.codec
    # A server splits longer sentences, and its translation would differ.
    short_enough = (
        s for s in sources if len(codec.encode_sources([s])[0]) <= config.model.max_source_tokens
    )
    return find_golden(translate_sentence, tuple(islice(short_enough, _MAX_GOLDEN_TRIES)))


def find_golden(translate_sentence: Translate, sentences: Sequence[str]) -> Golden:
    """Find the first sentence that the engine translates.

    Raises:
        ExportError: it translates none of them.
    """
    for sentence in sentences:
        if target := translate_sentence(sentence):
            return Golden(source=sentence, target=target)
    raise ExportError("the engine returns empty translations: train longer, then export again")


def store_by_digest(config: Config, storage: Storage, folder: Path) -> str:
    """Commit an engine folder under the digest of its content.

    Returns:
        The engine's digest; the same weights, languages and number format give the same one.
    """
    languages = config.data.source_language, config.data.target_language
    digest = engine_digest(describe_files(folder), *languages)
    if not is_intact(storage, layout.engine(digest)):
        with storage.commit(layout.engine(digest), {"run": config.run}) as engine:
            copy_content(folder, engine)
    return digest


def copy_content(source: Path, destination: Path) -> None:
    """Copy a folder commit without its manifest."""
    ignore = shutil.ignore_patterns(MANIFEST)
    shutil.copytree(source, destination, dirs_exist_ok=True, ignore=ignore)
