"""Metrics of a replica: bounded labels, engines that come and go, one answer for all replicas."""

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from nmt.serving.monitoring.exposition import merge_expositions
from nmt.serving.monitoring.metrics import EngineInfo, ServingMetrics
from nmt.serving.types import TranslatedSentence, Translation

ENGINE, OTHER_ENGINE = "a" * 12, "b" * 12
PAIR = "eng_Latn", "tam_Taml"


@pytest.fixture
def metrics() -> ServingMetrics:
    return ServingMetrics("replica-1")


def info(engine: str, role: str = "stable", memory: int = 100) -> EngineInfo:
    return EngineInfo(engine, "eng_Latn-tam_Taml", *PAIR, role, memory)  # pyright: ignore[reportArgumentType]


def samples(exposition: bytes) -> Iterator[Sample]:
    for family in text_string_to_metric_families(exposition.decode()):
        yield from family.samples


def values(metrics: ServingMetrics, name: str) -> dict[tuple[str, ...], float]:
    """Return the values of a metric by the values of its labels, in the order of their names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for sample in samples(metrics.exposition())
        if sample.name == name
    }


def translation(*sentences: tuple[int, float]) -> Translation:
    return Translation([TranslatedSentence("x", *each) for each in sentences], ENGINE, 12)


def test_a_request_is_counted_by_method_path_status_and_engine(metrics):
    metrics.observe_request("POST", "/v1/translate", 200, ENGINE, 0.02)
    metrics.observe_request("POST", "/v1/translate", 200, ENGINE, 0.3)
    metrics.observe_request("GET", "/health", 200, None, 0.001)
    assert values(metrics, "nmt_requests_total") == {
        (ENGINE, "POST", "/v1/translate", "200"): 2,
        ("", "GET", "/health", "200"): 1,
    }
    assert values(metrics, "nmt_request_duration_seconds_count")["/v1/translate",] == 2
    assert values(metrics, "nmt_request_duration_seconds_sum")["/v1/translate",] == 0.32


def test_clients_cannot_add_label_values(metrics):
    before = len(list(samples(metrics.exposition())))
    for number in range(500):
        metrics.observe_request(f"M{number}", f"/v1/{number}", 404, None, 0.001)
        metrics.observe_request("GET", None, 404, None, 0.001)
    assert values(metrics, "nmt_requests_total") == {
        ("", "GET", "other", "404"): 500,
        ("", "other", "other", "404"): 500,
    }
    assert len(list(samples(metrics.exposition()))) < before + 30


def test_a_translation_counts_sentences_tokens_confidence_and_off_target(metrics):
    metrics.observe_translation(ENGINE, translation((10, -1.0), (5, -10.0)), [False, True])
    assert values(metrics, "nmt_sentences_total") == {(ENGINE,): 2}
    assert values(metrics, "nmt_source_tokens_total") == {(ENGINE,): 12}
    assert values(metrics, "nmt_target_tokens_total") == {(ENGINE,): 15}
    assert values(metrics, "nmt_off_target_total") == {(ENGINE,): 1}
    buckets = values(metrics, "nmt_confidence_bucket")
    assert (buckets[ENGINE, "-2.0"], buckets[ENGINE, "-0.1"]) == (1, 2)


def test_a_sentence_without_tokens_is_counted(metrics):
    metrics.observe_translation(ENGINE, translation((0, 0.0)), [False])
    assert values(metrics, "nmt_confidence_count") == {(ENGINE,): 1}


def test_a_batch_records_rows_padding_and_waits(metrics):
    metrics.observe_batch(ENGINE, 4, 30, 40, [0.002, 0.02, 0.2, 2])
    assert values(metrics, "nmt_batch_rows_sum") == {(ENGINE,): 4}
    assert values(metrics, "nmt_batch_fill_ratio_sum") == {(ENGINE,): 0.75}
    assert values(metrics, "nmt_queue_wait_seconds_count") == {(ENGINE,): 4}


def test_refusals_cache_queue_and_swaps_are_recorded(metrics):
    metrics.observe_refusal("overloaded")
    metrics.observe_cache(3, 7)
    metrics.set_queue(5, 900)
    metrics.observe_swap(1.5)
    metrics.set_routes({"eng_Latn-tam_Taml": True, "tam_Taml-eng_Latn": False})
    metrics.set_routes({"eng_Latn-tam_Taml": False})
    assert values(metrics, "nmt_refusals_total") == {("overloaded",): 1}
    assert values(metrics, "nmt_cache_hits_total") == {(): 3}
    assert values(metrics, "nmt_cache_misses_total") == {(): 7}
    assert values(metrics, "nmt_requests_in_work") == {(): 5}
    assert values(metrics, "nmt_queued_tokens") == {(): 900}
    assert values(metrics, "nmt_engine_swap_seconds_sum") == {(): 1.5}
    assert values(metrics, "nmt_route_current") == {("eng_Latn-tam_Taml",): 0}


def test_loads_count_from_zero_and_only_a_good_one_has_a_time(metrics):
    assert values(metrics, "nmt_engine_loads_total") == {("failed",): 0, ("ok",): 0}
    metrics.observe_load(ENGINE, 4.5, True)
    metrics.observe_load(OTHER_ENGINE, 9.5, False)
    assert values(metrics, "nmt_engine_loads_total") == {("failed",): 1, ("ok",): 1}
    assert values(metrics, "nmt_engine_load_seconds") == {(ENGINE,): 4.5}


def test_an_engine_that_leaves_is_no_longer_shown_as_loaded(metrics):
    metrics.set_engines([info(ENGINE), info(OTHER_ENGINE, "canary")])
    metrics.observe_load(ENGINE, 4.5, True)
    metrics.set_engines([info(OTHER_ENGINE, "stable", 120)])
    assert values(metrics, "nmt_engine_info") == {
        (OTHER_ENGINE, "stable", "eng_Latn-tam_Taml", *PAIR): 1
    }
    assert values(metrics, "nmt_engine_memory_bytes") == {(OTHER_ENGINE,): 120}
    assert values(metrics, "nmt_engine_load_seconds") == {}


def test_memory_that_changes_keeps_the_engine(metrics):
    metrics.set_engines([info(ENGINE, memory=100)])
    metrics.set_engines([info(ENGINE, memory=200)])
    assert values(metrics, "nmt_engine_memory_bytes") == {(ENGINE,): 200}
    assert len(values(metrics, "nmt_engine_info")) == 1


def test_counters_of_an_engine_survive_the_next_scrapes_but_not_many_promotions(metrics):
    engines = [f"engine{number}" for number in range(30)]
    for engine in engines:
        metrics.set_engines([info(engine)])
        metrics.observe_request("POST", "/v1/translate", 200, engine, 0.02)
        metrics.observe_translation(engine, translation((10, -1.0)), [False])
        metrics.observe_batch(engine, 1, 1, 1, [0.1])
    shown = {labels[0] for labels in values(metrics, "nmt_requests_total")}
    assert engines[-2] in shown
    assert len(shown) <= 6
    assert {labels[0] for labels in values(metrics, "nmt_sentences_total")} == shown
    assert {labels[0] for labels in values(metrics, "nmt_batch_rows_count")} == shown


def test_an_engine_that_comes_back_keeps_its_counters(metrics):
    for engine in (ENGINE, OTHER_ENGINE, ENGINE, OTHER_ENGINE, ENGINE):
        metrics.set_engines([info(engine)])
        metrics.observe_request("POST", "/v1/translate", 200, engine, 0.02)
    for number in range(4):
        metrics.set_engines([info(ENGINE), info(f"engine{number}", "canary")])
    assert values(metrics, "nmt_requests_total")[ENGINE, "POST", "/v1/translate", "200"] == 3


def test_two_replicas_are_one_exposition_with_each_family_once():
    first, second = ServingMetrics("replica-1"), ServingMetrics('odd "replica"\\\n2')
    for metrics in (first, second):
        metrics.observe_request("GET", "/health", 200, None, 0.001)
        metrics.set_engines([info(ENGINE)])
    merged = merge_expositions({each.replica: each.exposition() for each in (first, second)})
    lines = merged.decode().split("\n")
    for kind in ("HELP", "TYPE"):
        names = [line.split(" ")[2] for line in lines if line.startswith(f"# {kind} ")]
        assert len(names) == len(set(names)) > 20
    found = list(samples(merged))
    assert {sample.labels["replica"] for sample in found} == {first.replica, second.replica}
    alone = [*samples(first.exposition()), *samples(second.exposition())]
    assert len(found) == len(alone)
    kinds = {family.name: family.type for family in text_string_to_metric_families(merged.decode())}
    assert kinds["nmt_request_duration_seconds"] == "histogram"
    assert kinds["nmt_requests"] == "counter"


def test_label_values_with_braces_quotes_and_line_separators_survive_the_merge():
    metrics = ServingMetrics("r")
    odd = 'a{b="c"} 1\u2028\x85\\"\n'
    metrics.observe_refusal(odd)
    found = samples(merge_expositions({"r": metrics.exposition()}))
    assert {"code": odd, "replica": "r"} in [sample.labels for sample in found]


def test_families_that_only_one_release_has_are_kept():
    new = b"# HELP nmt_new New.\n# TYPE nmt_new gauge\nnmt_new 1.0\n"
    old = b"# HELP nmt_old Old.\n# TYPE nmt_old counter\nnmt_old_total 2.0\n"
    merged = merge_expositions({"a": old, "b": new, "c": old})
    assert merged.decode().split("\n") == [
        "# HELP nmt_old Old.",
        "# TYPE nmt_old counter",
        'nmt_old_total{replica="a"} 2.0',
        'nmt_old_total{replica="c"} 2.0',
        "# HELP nmt_new New.",
        "# TYPE nmt_new gauge",
        'nmt_new{replica="b"} 1.0',
        "",
    ]


def test_no_replica_is_an_empty_exposition():
    assert merge_expositions({}) == b""


def test_metrics_say_how_much_memory_the_process_takes(metrics):
    assert values(metrics, "nmt_process_resident_memory_bytes")[()] > 1e6
