"""The model card beside exported weights, with scores in Hugging Face's model-index form."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from nmt.config import Config
from nmt.languages import iso_code
from nmt.models.license import license_of
from nmt.runs import layout
from nmt.runs.evaluation import (
    BASE_SYSTEM,
    METRIC_NAMES,
    TUNED_SYSTEM,
    EvaluationResult,
    SystemScore,
)
from nmt.storage import MANIFEST, Storage, link_or_copy

CARD_FILE = "README.md"
_TASK = "translation"


def write_model_card(
    config: Config, folder: Path, evaluation: EvaluationResult | None = None
) -> None:
    """Write a README.md that names the base model, the licence of the weights, and their scores."""
    name = config.model.name_or_path
    license_name = license_of(name)
    rows = list(_scores(evaluation)) if evaluation else []
    data = ModelCardData(
        # Hugging Face accepts only licences that it knows, or `other`.
        license="other" if license_name == "unknown" else license_name,
        base_model=name,
        pipeline_tag=_TASK,
        language=[iso_code(config.data.source_language), iso_code(config.data.target_language)],
        model_name=config.run,
        eval_results=[_eval_result(evaluation, row) for row in rows] if evaluation else None,
    )
    text = f"---\n{data.to_yaml()}\n---\n# {config.run}\n\nMade from `{name}`, "
    text += f"whose licence it inherits: {license_name}.\n"
    if evaluation:
        text += "\n".join(["\n## Scores\n", *_table(evaluation, rows), ""])
    (folder / CARD_FILE).write_text(text, encoding="utf-8")


def add_scores(config: Config, storage: Storage, evaluation: EvaluationResult) -> None:
    """Write the scores of a run into the model cards beside its merged model and its adapter."""
    # Not into that of the engine: replicas may be loading its folder.
    for path in _folders(storage, config.run):
        old = storage.fetch(path)
        with storage.commit(path, storage.manifest(path)["meta"]) as folder:
            ignored = shutil.ignore_patterns(MANIFEST, CARD_FILE)
            shutil.copytree(
                old, folder, ignore=ignored, copy_function=link_or_copy, dirs_exist_ok=True
            )
            write_model_card(config, folder, evaluation)


def lacks_scores(storage: Storage, run: str) -> bool:
    """Tell whether one of these cards has no scores."""
    cards = [f"{path}/{CARD_FILE}" for path in _folders(storage, run)]
    return any(
        not storage.exists(card) or b"model-index:" not in storage.read_bytes(card)
        for card in cards
    )


def _folders(storage: Storage, run: str) -> list[str]:
    paths = (layout.merged_model(run), layout.exported_adapter(run))
    return [path for path in paths if storage.is_committed(path)]


def _scores(evaluation: EvaluationResult) -> Iterator[SystemScore]:
    """Yield the scores of the tuned model over whole test sets."""
    for row in evaluation.scores:
        if row.system == TUNED_SYSTEM and row.part == "all":
            yield row


def _eval_result(evaluation: EvaluationResult, row: SystemScore) -> EvalResult:
    test_set = evaluation.test_sets[row.test_set]
    return EvalResult(
        task_type=_TASK,
        dataset_type=row.test_set,
        dataset_name=f"{row.test_set} ({test_set.source_language}-{test_set.target_language})",
        # What identifies the sentences, in place of a revision of a data set on the hub.
        dataset_revision=test_set.digest or None,
        dataset_args={"sentences": test_set.sentences, "references": test_set.references},
        metric_type=row.metric,
        metric_name=METRIC_NAMES.get(row.metric, row.metric),
        metric_value=round(row.value, 4),
        metric_args={"signature": row.signature},
    )


def _table(evaluation: EvaluationResult, rows: list[SystemScore]) -> Iterator[str]:
    yield "| test set | sentences | metric | base | this model | signature |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        base = evaluation.score(BASE_SYSTEM, row.test_set, row.metric)
        before = f"{base.value:.2f}" if base else "-"
        sentences = evaluation.test_sets[row.test_set].sentences
        name = METRIC_NAMES.get(row.metric, row.metric)
        # A bar would end the cell.
        signature = row.signature.replace("|", "\\|")
        yield (
            f"| {row.test_set} | {sentences} | {name} | {before} | {row.value:.2f} | {signature} |"
        )
