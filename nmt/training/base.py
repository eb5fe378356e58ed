"""The base of a run: a given model, one built from an encoder, or a tiny one from scratch."""

import logging
from dataclasses import replace
from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError

from nmt.config import Config, NoAdapter, SingleStrategy, TrainingConfig
from nmt.data.saved import has_split, load_pairs
from nmt.errors import StepConflictError
from nmt.models.load import load_codec, load_outline
from nmt.models.model_config import find_model, is_encoder
from nmt.models.sources.source import ModelSource
from nmt.models.tiny import build_model, build_tokenizer
from nmt.models.tokenizer_check import check_tokenizer
from nmt.models.warm_start import build_encoder_decoder
from nmt.runs import layout
from nmt.runs.records import fetch_output, is_intact, require, result_of
from nmt.runs.steps import BASE
from nmt.storage import Storage
from nmt.training.events import Report, ignore_report
from nmt.training.job import TrainingJob
from nmt.training.trainer import Outcome, run_training

log = logging.getLogger(__name__)


def base_source(config: Config, storage: Storage) -> ModelSource:
    """Read what the base step of a run has found or made, with the fingerprint of its files.

    Raises:
        MissingStepError: there is no base yet.
        StepConflictError: the base was found by a release that kept no fingerprint.
    """
    record = require(storage, config.run, BASE)
    about = result_of(storage, config.run, BASE, record).model
    # Its files are the run's own, so no fingerprint of them is needed.
    if about is None and config.model.is_tiny:
        return made_base(config)
    try:
        source = TypeAdapter(ModelSource).validate_python(about)
    except ValidationError:
        raise StepConflictError(
            f"the step 'base' of run '{config.run}' does not say what the files of the base hold, "
            "as this release needs it: choose another run=NAME, or make the base and all steps "
            f"after it again, first `nmt base --restart run={config.run}`"
        ) from None
    if source.stored:  # a run's folder may have been copied or renamed since
        name = PurePosixPath(source.name).name
        return replace(source, name=f"{layout.step_folder(config.run, BASE)}/{name}")
    return source


def made_base(config: Config) -> ModelSource:
    """Name the base that a run trains for itself."""
    return ModelSource(layout.trained_base(config.run), stored=True)


def prepare_base(config: Config, storage: Storage) -> ModelSource:
    """Check that a base exists and fits, before a cluster is started to train it.

    Of an encoder an encoder-decoder is made, once: every worker must have the same.

    Returns:
        The base to train, with the fingerprint of its files.

    Raises:
        ModelError: the model, its tokenizer or a language code does not fit.
        UnavailableError: a hub name that cannot be reached.
    """
    source = find_model(config.model.name_or_path, config.model.revision).resolve(storage)
    # Only such a base is made here; others are used as they are, without a copy on the root.
    if is_encoder(source):
        return _encoder_decoder(config, storage, source)
    codec = load_codec(source, config.data.source_language, config.data.target_language)
    check_tokenizer(source.label, codec, load_outline(source))
    return source


def _encoder_decoder(config: Config, storage: Storage, source: ModelSource) -> ModelSource:
    made = ModelSource(layout.untrained_base(config.run), stored=True)
    if is_intact(storage, made.name):
        return made.resolve(storage)
    codec = load_codec(source, config.data.source_language, config.data.target_language)
    if not isinstance(config.adapter, NoAdapter):
        log.warning(
            "adapter.type=%s: the cross-attention between %s and its decoder is new, and an "
            "adapter trains little of it: use adapter.type=none",
            config.adapter.type,
            config.model.name_or_path,
        )
    tokenizer, model = build_encoder_decoder(source, config.seed)
    check_tokenizer(source.label, codec, model)
    with storage.commit(made.name) as place:
        tokenizer.save_pretrained(place)
        model.save_pretrained(place)
    return made.resolve(storage)


def train_tiny_base(config: Config, storage: Storage, report: Report = ignore_report) -> Outcome:
    """Build the tiny tokenizer and model once, and train all of it on the general part.

    Own data has no general part: there the training split takes its place.
    """
    folder = layout.step_folder(config.run, BASE)
    data = fetch_output(storage, layout.pairs(config.run))
    prefix = "general_" if has_split(data, "general_train") else ""
    train_split = f"{prefix}train"
    initial = layout.untrained_base(config.run)
    if not is_intact(storage, initial):
        # Of both parts, or the vocabulary would lack characters that only the own data has.
        lines = [
            text
            for name in {train_split, "train"}
            for pair in load_pairs(data, name)
            for text in (pair.source, pair.target)
        ]
        tokenizer = build_tokenizer(
            sorted(lines),
            config.data.source_language,
            config.data.target_language,
            config.model.vocabulary_size,
        )
        with storage.commit(initial) as place:
            tokenizer.save_pretrained(place)
            build_model(tokenizer, config.seed).save_pretrained(place)
    job = TrainingJob(
        config=config.model_copy(
            update={
                "adapter": NoAdapter(),
                "training": base_training(config),
                "strategy": SingleStrategy(),
            }
        ),
        storage=storage,
        folder=folder,
        base=ModelSource(initial, stored=True),
        data=layout.pairs(config.run),
        name="base",
        train_split=train_split,
        validation_split=f"{prefix}validation",
        replay_split=None,
    )
    return run_training(job, report)


def base_training(config: Config) -> TrainingConfig:
    """Return the settings that train the tiny base in `model.base_steps` steps."""
    # Not the user's: those are for an adapter on a trained model, and this model knows nothing yet.
    steps = config.model.base_steps
    return TrainingConfig(
        max_steps=steps,
        learning_rate=config.model.base_learning_rate,
        schedule="inverse_sqrt",
        warmup_steps=min(50, steps - 1),
        micro_batch_tokens=768,
        label_smoothing=0.05,
        weight_decay=0.0,
        replay_fraction=0.0,
        evaluate_every_steps=max(1, steps // 2),
        validation_sentences=100,
        validation_share=None,
        log_every_seconds=config.training.log_every_seconds,
    )
