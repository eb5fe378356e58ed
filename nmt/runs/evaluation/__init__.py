"""What an evaluation found: scores of named systems on named test sets, and how they compare.

Imports neither torch nor sacreBLEU: a small image reads this to decide on a promotion.
"""

from nmt.runs.evaluation.names import (
    BASE_SYSTEM,
    COMPARED_METRICS,
    ENGINE_SYSTEM,
    EVERY_METRIC,
    FLAGS,
    GENERAL_SET,
    LEARNED_METRICS,
    LOWER_IS_BETTER,
    METRIC_NAMES,
    TEST_SET,
    TUNED_SYSTEM,
)
from nmt.runs.evaluation.result import EvaluationResult, format_p_value
from nmt.runs.evaluation.rows import (
    Comparison,
    ConfidenceBin,
    ConfidenceSummary,
    Cost,
    Decoding,
    FlagCount,
    Interval,
    NgramChange,
    NotComputed,
    Sample,
    Sentences,
    SliceScore,
    SystemInfo,
    SystemScore,
    TestSetInfo,
    Verdict,
)

__all__ = [
    "BASE_SYSTEM",
    "COMPARED_METRICS",
    "ENGINE_SYSTEM",
    "EVERY_METRIC",
    "FLAGS",
    "GENERAL_SET",
    "LEARNED_METRICS",
    "LOWER_IS_BETTER",
    "METRIC_NAMES",
    "TEST_SET",
    "TUNED_SYSTEM",
    "Comparison",
    "ConfidenceBin",
    "ConfidenceSummary",
    "Cost",
    "Decoding",
    "EvaluationResult",
    "FlagCount",
    "Interval",
    "NgramChange",
    "NotComputed",
    "Sample",
    "Sentences",
    "SliceScore",
    "SystemInfo",
    "SystemScore",
    "TestSetInfo",
    "Verdict",
    "format_p_value",
]
