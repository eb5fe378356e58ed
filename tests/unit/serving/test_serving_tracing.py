"""Tracing: spans reach a collector, hold no text, and a lost collector disturbs nobody."""

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from nmt.serving.monitoring import tracing as tracing_module
from nmt.serving.monitoring.tracing import Tracing
from tests.support.ports import free_port

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Collector:
    """A server that takes what an OTLP exporter posts."""

    def __init__(self) -> None:
        bodies: list[tuple[str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                bodies.append((self.path, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.bodies = bodies
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def spans(self) -> list[tuple[dict[str, str], object]]:
        """Return the attributes of the resource with each span."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        found = []
        for path, body in self.bodies:
            assert path == "/v1/traces"
            for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = {a.key: a.value.string_value for a in resource_spans.resource.attributes}
                for scope in resource_spans.scope_spans:
                    found += [(resource, span) for span in scope.spans]
        return found


@pytest.fixture
def collector(monkeypatch) -> Iterator[Collector]:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


def started() -> Tracing:
    tracing = Tracing.from_environment("replica-1")
    assert tracing is not None
    return tracing


def attributes(span) -> dict[str, object]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_a_request_is_a_span_of_the_clients_trace(collector):
    tracing = started()
    with tracing.span("POST", "/v1/translate", TRACEPARENT, "vendor=1") as span:
        span.set(200, "e" * 12, "r-1")
    tracing.close()
    ((resource, sent),) = collector.spans()
    assert resource["service.name"] == "nmt"
    assert resource["service.instance.id"] == "replica-1"
    assert (sent.trace_id.hex(), sent.parent_span_id.hex()) == (TRACE, PARENT)
    assert sent.trace_state == "vendor=1"
    assert sent.name == "POST /v1/translate"
    assert attributes(sent) == {
        "http.request.method": "POST",
        "http.route": "/v1/translate",
        "http.response.status_code": 200,
        "nmt.engine": "e" * 12,
        "nmt.request_id": "r-1",
    }


@pytest.mark.parametrize("header", [None, "", "nonsense", "00-" + "0" * 32 + "-x-01", "\xff\x00"])
def test_a_request_without_a_good_traceparent_begins_a_trace(collector, header):
    tracing = started()
    with tracing.span("GET", "/health", header) as span:
        span.set(200, "", "r-1")
    tracing.close()
    ((_, sent),) = collector.spans()
    assert len(sent.trace_id.hex()) == 32
    assert sent.parent_span_id == b""


def test_a_client_that_does_not_sample_is_not_traced(collector):
    tracing = started()
    with tracing.span("GET", "/health", f"00-{TRACE}-{PARENT}-00") as span:
        span.set(200, "", "r-1")
    tracing.close()
    assert collector.spans() == []


def test_only_errors_of_the_server_are_errors(collector):
    tracing = started()
    for status in (200, 400, 429, 500, 503):
        with tracing.span("POST", "/v1/translate", None) as span:
            span.set(status, "", "r-1")
    tracing.close()
    codes = [sent.status.code for _, sent in collector.spans()]
    assert codes == [0, 0, 0, 2, 2]


def test_nothing_that_a_client_wrote_is_sent(collector):
    tracing = started()
    with (
        pytest.raises(ValueError, match="secret"),
        tracing.span("GET secret", "/v1/translate?text=secret", None),
    ):
        raise ValueError("secret text")
    tracing.close()
    ((_, sent),) = collector.spans()
    assert sent.name == "other other"
    assert b"secret" not in b"".join(body for _, body in collector.bodies)


def test_names_of_the_environment_are_kept(collector, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "translations")
    tracing = started()
    with tracing.span("GET", "/health", None):
        pass
    tracing.close()
    assert collector.spans()[0][0]["service.name"] == "translations"


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_tracing_is_off_where_the_environment_says_so(collector, monkeypatch, variables):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert Tracing.from_environment() is None


def test_the_variable_of_traces_alone_is_enough(collector, monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    tracing = started()
    with tracing.span("GET", "/health", None):
        pass
    tracing.close()
    assert len(collector.spans()) == 1


def test_a_lost_collector_fails_no_request(collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    monkeypatch.setattr(tracing_module, "_CLOSE_SECONDS", 0.1)
    tracing = started()
    for _ in range(3000):  # more than the exporter's queue holds
        with tracing.span("GET", "/health", None) as span:
            span.set(200, "", "r-1")
    tracing.close()


def test_closing_does_not_wait_for_a_collector_that_hangs(collector, monkeypatch):
    monkeypatch.setattr(tracing_module, "_CLOSE_SECONDS", 0.01)
    tracing, answered = started(), threading.Event()
    monkeypatch.setattr(tracing._provider, "shutdown", answered.wait)
    tracing.close()
    assert not answered.is_set()
    answered.set()


def test_a_wrong_variable_is_logged_and_stops_nothing(collector, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    assert Tracing.from_environment() is None
    assert "no traces are sent" in caplog.text


def test_nothing_is_imported_without_a_collector():
    code = (
        "import sys; from nmt.serving.monitoring.tracing import Tracing; "
        "assert not Tracing.from_environment(); "
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    subprocess.run([sys.executable, "-c", code], env=clean, check=True)
