"""The base a run starts from: found as it is, or, for `tiny`, built and trained from nothing."""

from nmt.config import Config, NoAdapter, SingleStrategy, TrainingConfig
from nmt.data.prepare import has_split, load_pairs
from nmt.models.load import ModelSource, find_model, load_tokenizer
from nmt.models.tiny import build_model, build_tokenizer
from nmt.steps import BASE, PREPARE
from nmt.storage import Storage
from nmt.training.events import Report, ignore_report
from nmt.training.job import TrainingJob, best_path
from nmt.training.loop import Outcome, run_training


def base_source(config: Config) -> ModelSource:
    """Where the base of a run is loaded from.

    Raises:
        ModelError: no such folder, or an unsupported architecture.
        UnavailableError: a hub name that cannot be reached.
    """
    if config.model.is_tiny:
        return ModelSource(best_path(BASE.path(config.run)), stored=True)
    return find_model(config.model.name_or_path, config.model.revision)


def check_base(config: Config) -> None:
    """Load what is cheap to load, so that a wrong name or language code is known at once.

    Raises:
        ModelError: the model or a language code does not fit.
        UnavailableError: a hub name that cannot be reached.
    """
    source = base_source(config)
    load_tokenizer(source, config.data.source_language, config.data.target_language)


def train_tiny_base(config: Config, storage: Storage, report: Report = ignore_report) -> Outcome:
    """Build the tiny tokenizer and model once, and train all of it on the general part.

    Own data has no general part: there the training split takes its place.
    """
    folder = BASE.path(config.run)
    data = storage.fetch(f"{PREPARE.path(config.run)}/pairs")
    split = "general" if has_split(data, "general_train") else ""
    train_split = f"{split}_train" if split else "train"
    initial = f"{folder}/initial"
    if not storage.is_committed(initial):
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
        data=f"{PREPARE.path(config.run)}/pairs",
        name="base",
        train_split=train_split,
        validation_split=f"{split}_validation" if split else "validation",
        replay_split=None,
    )
    return run_training(job, report)


def base_training(config: Config) -> TrainingConfig:
    """Settings that bring the tiny model to its base in `model.base_steps` steps."""
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
        log_every_seconds=config.training.log_every_seconds,
    )
