"""The metrics that an endpoint exports, by name."""

from dataclasses import dataclass

from nmt.serving.monitoring.metrics import EngineInfo, ServingMetrics
from nmt.serving.types import TranslatedSentence, Translation


@dataclass(frozen=True)
class Exported:
    """A metric as Prometheus sees it."""

    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str
    series: frozenset[str]
    """Names of its time series, such as that of a histogram's buckets."""


def filled_metrics() -> ServingMetrics:
    """Observe something of everything, so that every metric has a sample."""
    metrics = ServingMetrics("replica-1")
    sentences = [TranslatedSentence("x", 10, -3.0)]
    metrics.observe_request("POST", "/v1/translate", 200, "engine", 0.1)
    metrics.observe_refusal("overloaded")
    metrics.observe_translation("engine", Translation(sentences, "engine", 12), [False])
    metrics.observe_batch("engine", 1, 12, 12, [0.1])
    metrics.observe_load("engine", 1.0, True)
    pair = "eng_Latn", "tam_Taml"
    metrics.set_engines([EngineInfo("engine", "eng_Latn-tam_Taml", *pair, "stable", 1000)])
    metrics.set_routes({"eng_Latn-tam_Taml": True})
    metrics.set_disk(50, 100)
    return metrics


def exported_metrics() -> list[Exported]:
    """Return every metric, in the order in which they are exported."""
    found = []
    for family in filled_metrics().registry.collect():
        labels = family.samples[0].labels.keys() - {"le"}
        found.append(
            Exported(
                family.name + "_total" * (family.type == "counter"),
                family.type,
                tuple(sorted(labels)),
                family.documentation,
                frozenset(sample.name for sample in family.samples),
            )
        )
    return found
