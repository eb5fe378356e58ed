"""The metrics of the operator."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class _Phases(Collector):
    def __init__(self, phases: Callable[[], Iterable[str]]) -> None:
        self._phases = phases

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count the campaigns anew at each request, so that no phase is left over."""
        family = GaugeMetricFamily(
            "nmt_operator_campaigns", "Campaigns, by their phase.", labels=["phase"]
        )
        for phase, number in sorted(Counts(self._phases()).items()):
            family.add_metric([phase], number)
        yield family


class Metrics:
    """All metrics of an operator in one registry."""

    def __init__(
        self,
        queue_depth: Callable[[], float],
        is_leader: Callable[[], bool],
        phases: Callable[[], Iterable[str]],
    ) -> None:
        """Create the metrics.

        Args:
            queue_depth: returns how many campaigns are due.
            is_leader: tells whether this replica does the work.
            phases: returns the phase of each campaign.
        """
        self._registry = CollectorRegistry()
        ProcessCollector(namespace="nmt_operator", registry=self._registry)
        self._durations = Histogram(
            "nmt_operator_reconcile_seconds",
            "Time that one look at a campaign took.",
            buckets=_DURATIONS,
            registry=self._registry,
        )
        self._reconciles = Counter(
            "nmt_operator_reconciles",
            "Looks at campaigns, by whether they succeeded.",
            ("result",),
            registry=self._registry,
        )
        self._lost_watches = Counter(
            "nmt_operator_lost_watches",
            "Watches that broke or lost their place, by the kind of object.",
            ("kind",),
            registry=self._registry,
        )
        depth = Gauge(
            "nmt_operator_queue_depth", "Campaigns that are due.", registry=self._registry
        )
        depth.set_function(queue_depth)
        leader = Gauge(
            "nmt_operator_leader", "1 if this replica does the work.", registry=self._registry
        )
        leader.set_function(lambda: float(is_leader()))
        self._registry.register(_Phases(phases))

    def reconciled(self, result: Literal["done", "failed"], seconds: float) -> None:
        """Count a look at a campaign."""
        self._durations.observe(seconds)
        self._reconciles.labels(result).inc()

    def lost_watch(self, kind: str) -> None:
        """Count a watch that broke."""
        self._lost_watches.labels(kind).inc()

    def exposition(self) -> bytes:
        """Write all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
