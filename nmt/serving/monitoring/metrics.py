"""The Prometheus metrics of a replica; `docs/monitoring.md` lists them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from nmt.decoding.hypothesis import length_score
from nmt.serving.monitoring.metric_families import MetricFamilies
from nmt.serving.types import Translation

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
"""Content type of an exposition."""
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
"""Methods that are a label value; others are counted as `other`."""
PATHS = frozenset(
    (
        "/",
        "/detect",
        "/docs",
        "/download_file/{id}/{name}",
        "/frontend/settings",
        "/health",
        "/languages",
        "/metrics",
        "/openapi.json",
        "/ready",
        "/translate",
        "/translate_file",
        "/v1/documents",
        "/v1/documents/{id}",
        "/v1/documents/{id}/cancel",
        "/v1/documents/{id}/result",
        "/v1/documents/{id}/resume",
        "/v1/feedback",
        "/v1/translate",
        "/v2/glossary-language-pairs",
        "/v2/languages",
        "/v2/translate",
        "/v2/usage",
    )
)
"""Route templates that are a label value; others are counted as `other`."""
OTHER = "other"

# The counters of an engine stay for a while after it has left, since the requests that it counted
# after the last scrape would be lost.
_MAX_DEPARTED = 4

Role = Literal["stable", "canary", "shadow", "unused"]


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine that is loaded, and what it is loaded for."""

    engine: str
    """Digest."""
    route: str
    """Key in the traffic file."""
    source_language: str
    target_language: str
    role: Role
    memory_bytes: int

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the values of the labels of `nmt_engine_info`."""
        return self.engine, self.source_language, self.target_language, self.role, self.route


class ServingMetrics:
    """The metrics of one replica; its methods may be called in any thread."""

    def __init__(self, replica: str) -> None:
        """Create the metrics.

        Args:
            replica: id of the replica, the value of the label `replica` in `merge_expositions`.
        """
        # Else each counter and histogram has a second metric: the time at which it was created.
        disable_created_metrics()
        self.replica = replica
        self.registry = CollectorRegistry()
        ProcessCollector(namespace="nmt", registry=self.registry)
        self._families = MetricFamilies(self.registry)
        for result in ("ok", "failed"):
            # From zero, so that the first failure is an increase.
            self._families.loads.labels(result)
        self._by_request: dict[tuple[str, str, int, str], Counter] = {}
        self._by_path: dict[str, Histogram] = {}
        self._by_engine: dict[str, _EngineSeries] = {}
        self._infos: frozenset[EngineInfo] = frozenset()
        self._routes: frozenset[str] = frozenset()
        self._departed: list[str] = []
        self._disk: tuple[Gauge, Gauge] | None = None

    def observe_request(
        self, method: str, path: str | None, status: int, engine: str | None, seconds: float
    ) -> None:
        """Count a request that has been answered.

        Args:
            method: HTTP method; an unknown one is counted as `other`.
            path: template of the route; None or an unknown one is counted as `other`.
            status: HTTP status of the answer.
            engine: digest of the engine that translated, if any.
            seconds: time from the arrival of the request to its answer.
        """
        # A label value that a client chooses would grow the metrics without a limit.
        method = method if method in METHODS else OTHER
        path = path if path in PATHS else OTHER
        key = method, path, status, engine or ""
        counter = self._by_request.get(key)
        if counter is None:
            counter = self._by_request[key] = self._families.requests.labels(*key)
        counter.inc()
        duration = self._by_path.get(path)
        if duration is None:
            duration = self._by_path[path] = self._families.durations.labels(path)
        duration.observe(seconds)

    def observe_refusal(self, code: str) -> None:
        """Count a request that was answered with an error.

        Args:
            code: the error's code, which clients cannot choose.
        """
        self._families.refusals.labels(code).inc()

    def observe_translation(
        self, engine: str, translation: Translation, is_off_target: Sequence[bool]
    ) -> None:
        """Count the sentences of a request.

        Args:
            engine: digest.
            translation: what the engine returned.
            is_off_target: of each sentence, as `is_in_other_script` of `nmt.scoring.faults` tells.
        """
        series = self._of_engine(engine)
        sentences = translation.sentences
        series.sentences.inc(len(sentences))
        series.source_tokens.inc(translation.source_tokens)
        series.target_tokens.inc(sum(sentence.tokens for sentence in sentences))
        series.off_target.inc(sum(is_off_target))
        for each in sentences:
            series.confidence.observe(length_score(each.log_probability, each.tokens, 1.0))

    def observe_batch(
        self, engine: str, rows: int, tokens: int, padded_tokens: int, waits: Sequence[float]
    ) -> None:
        """Count a batch that an engine translated.

        Args:
            engine: digest.
            rows: number of rows.
            tokens: source tokens of the rows.
            padded_tokens: number of rows times the longest row.
            waits: seconds that each row waited.
        """
        series = self._of_engine(engine)
        series.rows.observe(rows)
        series.fill.observe(tokens / max(1, padded_tokens))
        for wait in waits:
            series.waits.observe(wait)

    def observe_cache(self, hits: int, misses: int) -> None:
        """Count the sentences of a request that were in the cache, and those that were not."""
        self._families.hits.inc(hits)
        self._families.misses.inc(misses)

    def observe_load(self, engine: str, seconds: float, ok: bool) -> None:
        """Count the load of an engine, and keep its time if it succeeded."""
        self._families.loads.labels("ok" if ok else "failed").inc()
        if ok:
            self._families.load_seconds.labels(engine).set(seconds)

    def observe_swap(self, seconds: float) -> None:
        """Record the time from reading a changed traffic file until its engine answers."""
        self._families.swaps.observe(seconds)

    def set_engines(self, infos: Iterable[EngineInfo]) -> None:
        """Record the engines that are loaded, and forget those that left."""
        infos = frozenset(infos)
        labels = {info.labels for info in infos}
        loaded = {info.engine for info in infos}
        gone = {info.engine for info in self._infos} - loaded
        for info in infos:
            self._families.info.labels(*info.labels).set(1)
            self._families.memory.labels(info.engine).set(info.memory_bytes)
        for old in {info.labels for info in self._infos} - labels:
            self._families.info.remove(*old)
        for engine in gone:
            _remove(engine, self._families.memory, self._families.load_seconds)
        self._infos = infos
        kept = [engine for engine in self._departed if engine not in loaded | gone]
        departed = [*kept, *sorted(gone)]
        self._departed = departed[-_MAX_DEPARTED:]
        for engine in departed[:-_MAX_DEPARTED]:
            self._forget(engine)

    def set_routes(self, routes: Mapping[str, bool]) -> None:
        """Record the routes, and whether each is served by the engine that is wanted."""
        for key, is_current in routes.items():
            self._families.routes.labels(key).set(is_current)
        for key in self._routes - routes.keys():
            self._families.routes.remove(key)
        self._routes = frozenset(routes)

    def set_failing(self, engines: int) -> None:
        """Record how many engines the traffic file names that cannot be loaded."""
        self._families.failing.set(engines)

    def set_traffic_read(self, seconds: float) -> None:
        """Record when the traffic file was last read, in seconds since 1970."""
        self._families.traffic_read.set(seconds)

    def set_disk(self, free_bytes: int, size_bytes: int) -> None:
        """Record the space of the storage's disk."""
        if self._disk is None:
            self._disk = self._families.create_disk_metrics(self.registry)
        free, size = self._disk
        free.set(free_bytes)
        size.set(size_bytes)

    def set_queue(self, requests: int, tokens: int) -> None:
        """Record the requests that are worked on, and the source tokens that wait."""
        self._families.in_work.set(requests)
        self._families.queued.set(tokens)

    def exposition(self) -> bytes:
        """Write the metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def _of_engine(self, engine: str) -> "_EngineSeries":
        series = self._by_engine.get(engine)
        if series is None:
            series = self._by_engine[engine] = _EngineSeries.bind(self._families, engine)
        return series

    def _forget(self, engine: str) -> None:
        """Remove the counters of an engine that left some time ago."""
        self._by_engine.pop(engine, None)
        for key in [key for key in self._by_request if key[-1] == engine]:
            del self._by_request[key]
        families = self._families
        _remove(engine, families.requests, *(getattr(families, name) for name in _SERIES))


@dataclass(frozen=True, slots=True)
class _EngineSeries:
    """The counters and histograms of one engine, without a look-up of labels for each value."""

    sentences: Counter
    source_tokens: Counter
    target_tokens: Counter
    off_target: Counter
    confidence: Histogram
    waits: Histogram
    rows: Histogram
    fill: Histogram

    @classmethod
    def bind(cls, families: MetricFamilies, engine: str) -> "_EngineSeries":
        """Bind the metrics to the label of an engine."""
        return cls(*(getattr(families, name).labels(engine) for name in _SERIES))


_SERIES = tuple(field.name for field in fields(_EngineSeries))


def _remove(engine: str, *families: Counter | Gauge | Histogram) -> None:
    for family in families:
        family.remove_by_labels({"engine": engine})
