"""The metrics of a replica: names, labels, buckets and descriptions."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_WAITS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SWAPS = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
# -0.1 is a probability of 0.9 for each token, -1 one of 0.37, -3 one of 0.05.
_CONFIDENCES = (-5, -3, -2, -1.5, -1.25, -1, -0.8, -0.6, -0.5, -0.4, -0.3, -0.2, -0.1, -0.05, 0)


class MetricFamilies:
    """All metrics of a replica in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create the metrics and add them to a registry."""
        self._create_request_metrics(registry)
        self._create_translation_metrics(registry, ("engine",))
        self._create_batch_metrics(registry, ("engine",))
        self._create_engine_metrics(registry, ("engine",))

    def _create_request_metrics(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "nmt_requests",
            "Requests that were answered, by the engine that translated for them.",
            ("method", "path", "status", "engine"),
            registry=registry,
        )
        self.durations = Histogram(
            "nmt_request_duration_seconds",
            "Time from the arrival of a request to its answer.",
            ("path",),
            buckets=_DURATIONS,
            registry=registry,
        )
        self.refusals = Counter(
            "nmt_refusals",
            "Requests that were answered with an error, by its code.",
            ("code",),
            registry=registry,
        )
        self.in_work = Gauge(
            "nmt_requests_in_work", "Requests that are worked on now.", registry=registry
        )
        self.hits = Counter(
            "nmt_cache_hits",
            "Sentences whose translation was remembered, or already on its way.",
            registry=registry,
        )
        self.misses = Counter(
            "nmt_cache_misses", "Sentences that an engine had to translate.", registry=registry
        )

    def _create_translation_metrics(
        self, registry: CollectorRegistry, engine: Sequence[str]
    ) -> None:
        self.sentences = Counter(
            "nmt_sentences", "Sentences that were translated.", engine, registry=registry
        )
        self.source_tokens = Counter(
            "nmt_source_tokens", "Tokens of these sentences.", engine, registry=registry
        )
        self.target_tokens = Counter(
            "nmt_target_tokens", "Tokens of the translations.", engine, registry=registry
        )
        self.off_target = Counter(
            "nmt_off_target",
            "Translations that are not in the script of the target language.",
            engine,
            registry=registry,
        )
        self.confidence = Histogram(
            "nmt_confidence",
            "Mean log-probability of the tokens of a translation.",
            engine,
            buckets=_CONFIDENCES,
            registry=registry,
        )

    def _create_engine_metrics(self, registry: CollectorRegistry, engine: Sequence[str]) -> None:
        self.info = Gauge(
            "nmt_engine_info",
            "1 for each engine that is loaded, and what it is loaded for.",
            ("engine", "source", "target", "role", "route"),
            registry=registry,
        )
        self.memory = Gauge(
            "nmt_engine_memory_bytes", "Memory that an engine takes.", engine, registry=registry
        )
        self.load_seconds = Gauge(
            "nmt_engine_load_seconds",
            "Time that the last load of an engine took.",
            engine,
            registry=registry,
        )
        self.loads = Counter(
            "nmt_engine_loads", "Loads of engines.", ("result",), registry=registry
        )
        self.failing = Gauge(
            "nmt_engines_failing",
            "Engines that the traffic file names and the replica cannot load.",
            registry=registry,
        )
        self.swaps = Histogram(
            "nmt_engine_swap_seconds",
            "Time from reading a changed traffic file until its engine answers.",
            buckets=_SWAPS,
            registry=registry,
        )
        self.routes = Gauge(
            "nmt_route_current",
            "1 if a route is served by the engine that the traffic file names, else 0.",
            ("route",),
            registry=registry,
        )
        self.traffic_read = Gauge(
            "nmt_traffic_read_timestamp_seconds",
            "When the traffic file was last read from the storage, in seconds since 1970.",
            registry=registry,
        )

    def create_disk_metrics(self, registry: CollectorRegistry) -> tuple[Gauge, Gauge]:
        """Create the metrics of a disk, which a replica with a bucket does not have.

        Returns:
            The free bytes, and the size.
        """
        free = Gauge(
            "nmt_storage_free_bytes",
            "Space that is left on the disk of the storage.",
            registry=registry,
        )
        size = Gauge("nmt_storage_size_bytes", "Size of that disk.", registry=registry)
        return free, size

    def _create_batch_metrics(self, registry: CollectorRegistry, engine: Sequence[str]) -> None:
        self.queued = Gauge(
            "nmt_queued_tokens", "Source tokens that wait for a batch.", registry=registry
        )
        self.waits = Histogram(
            "nmt_queue_wait_seconds",
            "Time that a row waits for its batch.",
            engine,
            buckets=_WAITS,
            registry=registry,
        )
        self.rows = Histogram(
            "nmt_batch_rows", "Rows of a batch.", engine, buckets=_ROWS, registry=registry
        )
        self.fill = Histogram(
            "nmt_batch_fill_ratio",
            "Share of a batch that is not padding.",
            engine,
            buckets=_SHARES,
            registry=registry,
        )
