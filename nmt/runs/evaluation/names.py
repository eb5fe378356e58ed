"""Names of systems, test sets and metrics."""

BASE_SYSTEM = "base"
"""The model before the training."""
TUNED_SYSTEM = "tuned"
"""What the run trained, with its best weights."""
ENGINE_SYSTEM = "engine"
"""The run's exported engine at its serving settings: what users get."""
STABLE_SYSTEM = "stable"
"""The engine that serves, when a gate compares the run's engine with it."""

TEST_SET = "test"
"""Unseen text like the training data."""
GENERAL_SET = "general"
"""Text of what the base already knew, on which forgetting shows."""

METRIC_NAMES = {
    "bleu": "BLEU",
    "chrf": "chrF",
    "chrf++": "chrF++",
    "ter": "TER",
    "ter-char": "character TER",
    "spbleu": "spBLEU",
    "meteor": "METEOR (exact match)",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "comet": "COMET",
    "metricx": "MetricX",
    "bleu-13a": "BLEU of 13a tokens",
    "bleu-nfc": "BLEU of text in NFC",
    "chrf-nfc": "chrF of text in NFC",
    "chrf++-nfc": "chrF++ of text in NFC",
    "ter-normalized": "TER of normalized text",
}
"""Metric -> how it is written, in the order in which metrics are shown."""
LOWER_IS_BETTER = frozenset({"ter", "ter-char", "ter-normalized", "metricx"})
LEARNED_METRICS = ("comet", "metricx")
"""Metrics that are neural models, whose scores come from other processes."""
EVERY_METRIC = "all"
"""Stands for all metrics where a system has no translations that could be scored."""
COMPARED_METRICS = ("bleu", "chrf", "chrf++")
"""Metrics in which differences between systems are tested."""

FLAGS = {
    "empty": "empty",
    "copied": "copied from the source",
    "truncated": "cut short",
    "repeated": "repeats itself",
    "off_target": "in another language",
    "foreign_script": "has words of a foreign script",
    "numbers": "lacks a number of the source",
    "urls": "lacks a web address of the source",
    "names": "lacks or respells a name that the reference keeps",
    "placeholders": "lacks a placeholder of the source",
}
"""Fault of a translation that needs no person to find it -> how it is written. Numbers, addresses,
names and placeholders count only where every reference keeps them."""
