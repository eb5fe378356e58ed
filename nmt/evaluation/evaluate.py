"""Base and adapter on the same test sentences: scores, significance, and what was forgotten."""

import logging
from typing import Any

from pydantic import TypeAdapter

from nmt.config import Config
from nmt.data.prepare import has_split, load_pairs
from nmt.errors import DataError
from nmt.evaluation.hypotheses import translate_with_both
from nmt.evaluation.significance import paired_bootstrap
from nmt.evaluation.systems import summarize_system
from nmt.metrics import score_all
from nmt.runs.comparison import Significance
from nmt.runs.steps import PREPARE, fetch_made
from nmt.storage import Storage
from nmt.text.pair import Pair

log = logging.getLogger(__name__)


def evaluate(config: Config, storage: Storage) -> dict[str, Any]:
    """Plain values for `evaluation.json`: base, best, significance, samples.

    Raises:
        DataError: the test split is missing or empty.
    """
    folder = fetch_made(storage, f"{PREPARE.path(config.run)}/pairs")
    if not has_split(folder, "test"):
        raise DataError(
            f"run '{config.run}' has no test split: set data.test_fraction or data.test_path"
        )
    test = _first(load_pairs(folder, "test"), config)
    general = []  # of what the base had learnt
    if has_split(folder, "general_test"):
        general = _first(load_pairs(folder, "general_test"), config)
    pairs = [*test, *general]
    found = translate_with_both(config, storage, [pair.source for pair in pairs])
    log.info(
        "evaluate: %d test and %d general sentences translated by base and best",
        len(test), len(general),
    )  # fmt: skip
    references = [pair.target for pair in pairs]
    base, best = found.base[: len(test)], found.best[: len(test)]
    significance = paired_bootstrap(
        base,
        best,
        references[: len(test)],
        config.data.target_language,
        samples=config.evaluation.bootstrap_samples,
        seed=config.seed,
    )
    return {
        "base": _summary(found.base, references, len(test), config),
        "best": _summary(found.best, references, len(test), config),
        "p_value": significance.p_value,
        "significance": TypeAdapter(Significance).dump_python(significance, mode="json"),
        "samples": _samples(test, base, best, config.evaluation.report_samples),
        "parameters": found.parameters,
    }


def _summary(
    hypotheses: list[str], references: list[str], tests: int, config: Config
) -> dict[str, Any]:
    """Scores of the test sentences, and of the general ones after them where there are any."""
    general, language = None, config.data.target_language
    if len(references) > tests:
        general = score_all(hypotheses[tests:], references[tests:], language)
    scores = score_all(hypotheses[:tests], references[:tests], language)
    return summarize_system(scores, general).model_dump()


def _first(pairs: list[Pair], config: Config) -> list[Pair]:
    return pairs[: config.evaluation.max_sentences]


def _samples(
    test: list[Pair], base: list[str], best: list[str], count: int
) -> list[dict[str, str]]:
    """Evenly spaced test sentences, so that the choice flatters nobody."""
    stride = max(1, len(test) // max(1, count))
    chosen = range(0, len(test), stride)[:count]
    return [
        {
            "source": test[i].source,
            "reference": test[i].target,
            "base": base[i],
            "best": best[i],
        }
        for i in chosen
    ]
