"""OpenTelemetry spans of requests, sent over OTLP/HTTP if the environment names a collector."""

import atexit
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nmt.serving.monitoring.metrics import METHODS, OTHER, PATHS

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_LOG = logging.getLogger(__name__)
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_CLOSE_SECONDS = 2.0


class RequestSpan:
    """The span of a request, to which its outcome is added."""

    def __init__(self, span: "Span") -> None:
        self._span = span

    def set(self, status: int, engine: str, request_id: str) -> None:
        """Add the outcome.

        Args:
            status: HTTP status of the answer.
            engine: digest of the engine that translated, or nothing.
            request_id: id that the answer has.
        """
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("http.response.status_code", status)
        self._span.set_attribute("nmt.request_id", request_id)
        if engine:
            self._span.set_attribute("nmt.engine", engine)
        # By the conventions of OpenTelemetry, an error of the client is not one of the server.
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)


class Tracing:
    """Spans of requests, which a thread sends; they are dropped while the collector is gone."""

    def __init__(self, provider: "TracerProvider") -> None:
        # Imported here and in the methods: an endpoint without a collector never imports it.
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("nmt.serving")
        self._propagator = TraceContextTextMapPropagator()
        atexit.register(self.close)

    @classmethod
    def from_environment(cls, replica: str = "") -> "Tracing | None":
        """Set up tracing by OpenTelemetry's variables; return None if they name no collector.

        Args:
            replica: id of the replica, sent as `service.instance.id`.
        """
        if not any(os.environ.get(name) for name in _ENDPOINTS) or _is_disabled(os.environ):
            return None
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

            resource = Resource.create(_resource_attributes(os.environ, replica))
            # `close` ends it instead: the provider's own handler waits 30 s for a lost collector.
            provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except (ImportError, OSError, ValueError) as error:
            # A wrong variable of a tool that only watches must not stop the endpoint.
            _LOG.error("no traces are sent: %s", error)
            return None
        return cls(provider)

    @contextmanager
    def span(
        self, method: str, path: str | None, traceparent: str | None, tracestate: str | None = None
    ) -> Iterator[RequestSpan]:
        """Open the span of a request, as a part of the client's trace if it names one.

        Args:
            method: HTTP method.
            path: template of the route, or None. The path itself is not sent.
            traceparent: the header of this name; a malformed one is ignored.
            tracestate: the header of this name.
        """
        from opentelemetry.trace import SpanKind

        headers = {"traceparent": traceparent, "tracestate": tracestate}
        carrier = {name: value for name, value in headers.items() if value is not None}
        method = method if method in METHODS else OTHER
        route = path if path in PATHS else OTHER
        # An exception's message may quote the request, so that none is recorded.
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield RequestSpan(span)

    def close(self) -> None:
        """Send the spans that are left, for at most two seconds."""
        atexit.unregister(self.close)
        # In a thread: without a collector, the exporter tries again for many seconds.
        closing = threading.Thread(target=self._provider.shutdown, name="end tracing", daemon=True)
        closing.start()
        closing.join(timeout=_CLOSE_SECONDS)


def _is_disabled(environment: Mapping[str, str]) -> bool:
    is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return is_off or environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def _resource_attributes(environment: Mapping[str, str], replica: str) -> dict[str, str]:
    """Choose what describes the endpoint, unless the environment already does."""
    attributes = {"service.instance.id": replica} if replica else {}
    named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return attributes if named else {**attributes, "service.name": "nmt"}
