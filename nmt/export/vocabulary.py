"""The choice of a CTranslate2 engine's vocabulary, and what translations lose by it."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from nmt.config import Config, ServingConfig
from nmt.data.prepared_rows import first_pairs, read_rows
from nmt.data.saved import has_split
from nmt.engines.card import EngineCard
from nmt.engines.ctranslate2_engine import CTranslate2Engine
from nmt.engines.translate import TranslateOptions, translate_texts
from nmt.errors import ExportError
from nmt.export.byte_pairs import BytePairs
from nmt.export.ctranslate2_folder import convert, convert_trimmed, limit_output
from nmt.export.kept_tokens import KeptTokens, choose_tokens
from nmt.metrics.segment_statistics import statistics
from nmt.metrics.texts import compose
from nmt.models.tokenization.codec import Codec
from nmt.runs.results import EngineVocabulary, VocabularyScore
from nmt.text.pair import Pair

log = logging.getLogger(__name__)

_MAX_TOKENS_TO_KEEP = 32_768
"""Up to so many tokens, `auto` does not look for fewer: the gain would be small."""
_MAX_SENTENCES, _MAX_BATCH_TOKENS = 500, 1024
_METRICS = ("chrf++", "bleu")
_FULL, _LIMITED = "full", "limited"


def fill_ctranslate2(
    folder: Path, merged: Path, data: Path, config: Config, codec: Codec, card: EngineCard
) -> EngineVocabulary:
    """Convert a merged NLLB model to CTranslate2 with the vocabulary that the settings ask for.

    Args:
        folder: of the engine.
        merged: the model in transformers' format.
        data: the prepared pairs.
        config: of the run.
        codec: the model's tokenizer.
        card: of the engine; its golden sentence is not used.

    Raises:
        ExportError: the vocabulary cannot be cut, but shall be.
    """
    wanted, tokens = config.export.vocabulary, len(codec.tokenizer)
    kept = None
    if wanted != "full" and not (wanted == "auto" and tokens <= _MAX_TOKENS_TO_KEEP):
        kept = _find_tokens(config, codec, data)
    if kept is None:
        convert(folder, merged, codec, config.export.quantization)
        return EngineVocabulary(
            form="full", model_tokens=tokens, known_tokens=tokens, written_tokens=tokens
        )
    for name in (_FULL, _LIMITED):
        (folder / name).mkdir()
    convert(folder / _FULL, merged, codec, config.export.quantization)
    _write_limited(folder, merged, config, codec, kept)
    found = _compare(folder, data, config, card, kept, tokens)
    _keep_one(folder, _FULL if found.form == "full" else _LIMITED)
    return found


def open_ctranslate2(folder: Path, card: EngineCard) -> Callable[[str], str]:
    """Open an engine's folder, and return how it translates a golden sentence."""
    engine = _open_engine(folder, card)
    return lambda sentence: engine.answer_golden(sentence)[0]


def _find_tokens(config: Config, codec: Codec, data: Path) -> KeptTokens | None:
    """Find the tokens to keep; None if `auto` keeps all because the tokenizer cannot be cut."""
    try:
        pairs = BytePairs(codec.tokenizer.backend_tokenizer.to_str())
    except ExportError as error:
        if config.export.vocabulary != "auto":
            raise
        log.info("export: the engine keeps all tokens: %s", error)
        return None
    sources, targets = set[int](), set[int]()
    for rows in read_rows(data, "train", 10_000):
        for row in codec.encode_sources(rows.sources):
            sources.update(row)
        for row in codec.encode_targets(rows.targets):
            targets.update(row)
    names = codec.tokenizer.convert_ids_to_tokens
    languages = config.data.source_language, config.data.target_language
    return choose_tokens(pairs, names(list(sources)), names(list(targets)), *languages)


def _write_limited(
    folder: Path, merged: Path, config: Config, codec: Codec, kept: KeptTokens
) -> None:
    """Write the engine that uses fewer tokens."""
    limited = folder / _LIMITED
    if config.export.vocabulary == "mapped":
        shutil.copytree(folder / _FULL, limited, dirs_exist_ok=True)
        limit_output(limited, kept)
    else:
        # No list of what it may write: CTranslate2 would keep a copy of these rows, 40 MB of them.
        convert_trimmed(limited, merged, codec, config.export.quantization, kept.known)


def _compare(
    folder: Path, data: Path, config: Config, card: EngineCard, kept: KeptTokens, tokens: int
) -> EngineVocabulary:
    """Score both engines on the validation set, and choose one."""
    has_pairs = has_split(data, "validation")
    pairs = first_pairs(data, "validation", _MAX_SENTENCES) if has_pairs else []
    scores: dict[str, VocabularyScore] = {}
    if pairs:
        outputs = [_translate(folder / name, card, pairs) for name in (_FULL, _LIMITED)]
        scores = {name: _score(name, outputs, pairs, card.target_language) for name in _METRICS}
    wanted = config.export.vocabulary
    loss = max((score.full - score.limited for score in scores.values()), default=None)
    keeps_all = wanted == "auto" and (loss is None or loss > config.export.max_vocabulary_loss)
    if keeps_all:
        reason = (
            "there are no validation sentences to measure the loss"
            if loss is None
            else (
                f"fewer would lose {loss:.2f} on the validation set, more than "
                f"export.max_vocabulary_loss={config.export.max_vocabulary_loss:g}"
            )
        )
        log.warning("export: the engine keeps all %s tokens: %s", f"{tokens:,}", reason)
    cuts_files = wanted != "mapped" and not keeps_all
    found = EngineVocabulary(
        form="full" if keeps_all else "trimmed" if cuts_files else "mapped",
        model_tokens=tokens,
        known_tokens=len(kept.known) if cuts_files else tokens,
        written_tokens=len(kept.known if cuts_files else kept.written) if not keeps_all else tokens,
        sentences=len(pairs),
        scores=scores,
    )
    log.info("export: %s", found.describe())
    return found


def _translate(folder: Path, card: EngineCard, pairs: list[Pair]) -> list[str]:
    """Translate the sources of pairs with an engine's folder."""
    engine = _open_engine(folder, card)
    options = TranslateOptions(max_batch_tokens=_MAX_BATCH_TOKENS)
    texts = translate_texts(engine, [pair.source for pair in pairs], options).texts
    engine.close()
    return texts


def _open_engine(folder: Path, card: EngineCard) -> CTranslate2Engine:
    """Open a folder without comparing its golden sentence, to translate greedily."""
    serving = ServingConfig(beam_size=1, cpus_per_replica=torch.get_num_threads())
    return CTranslate2Engine(folder, folder.name, card, serving)


def _score(
    metric: str, outputs: list[list[str]], pairs: list[Pair], language: str
) -> VocabularyScore:
    """Score the translations of both engines in one metric."""
    references = [compose([pair.target for pair in pairs])]
    found = [statistics(metric, compose(texts), references, language) for texts in outputs]
    full, limited = (float(each.corpus(each.counts.sum(axis=0))) for each in found)
    return VocabularyScore(full=full, limited=limited, signature=found[0].signature)


def _keep_one(folder: Path, name: str) -> None:
    """Move the content of one of both engines to its place, and delete the other."""
    for part in (folder / name).iterdir():
        part.rename(folder / part.name)
    for each in (_FULL, _LIMITED):
        shutil.rmtree(folder / each)
