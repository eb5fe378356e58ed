"""A request as metrics, access log and traces see it: everything but what it says."""

import json
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from nmt.config import ServingConfig
from nmt.serving.monitoring.access_log import AccessLog
from nmt.serving.monitoring.metrics import METHODS, PATHS, ServingMetrics
from nmt.serving.monitoring.tracing import Tracing
from nmt.serving.web.operations import OPERATIONS
from tests.support.web import FakeTranslator, call

SECRET = "xyzzysecret"
HEADERS = {
    "Authorization": f"Bearer nmt_abcd_{SECRET}",
    "X-Client-Session": SECRET,
    "X-Request-Id": "request-1",
    "Cookie": SECRET,
}


class Seen:
    """All that is seen of some requests."""

    def __init__(self, folder: Path) -> None:
        self.metrics = ServingMetrics("replica-1")
        self.path = folder / "access.log"
        self.access_log = AccessLog(self.path)
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = Tracing(provider)
        self.translator = FakeTranslator()

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        return call(
            self.translator,
            lambda client: client.request(method, path, json=body, headers=HEADERS),
            ServingConfig(request_timeout_seconds=0.2),
            metrics=self.metrics,
            access_log=self.access_log,
            tracing=self.tracing,
        )

    def everything(self) -> str:
        """Return what is seen, as one text."""
        self.access_log.close()
        spans = "".join(span.to_json() for span in self.exporter.get_finished_spans())
        return self.path.read_text() + self.metrics.exposition().decode() + spans

    def statuses(self) -> list[tuple[str, str, str]]:
        return [
            (sample.labels["method"], sample.labels["path"], sample.labels["status"])
            for family in text_string_to_metric_families(self.metrics.exposition().decode())
            for sample in family.samples
            if sample.name == "nmt_requests_total"
        ]


@pytest.fixture
def seen(tmp_path) -> Seen:
    return Seen(tmp_path)


def test_a_translation_is_seen_alike_by_metrics_log_and_trace(seen):
    answer = seen.send("POST", "/v1/translate", {"text": ["One. Two.", "Three."]})
    assert answer.status_code == 200
    assert seen.statuses() == [("POST", "/v1/translate", "200")]
    seen.access_log.close()
    (line,) = map(json.loads, seen.path.read_text().splitlines())
    (span,) = seen.exporter.get_finished_spans()
    assert line["request_id"] == answer.headers["x-request-id"] == "request-1"
    assert span.attributes["nmt.request_id"] == "request-1"
    assert line["status"] == span.attributes["http.response.status_code"] == 200
    assert line["engine"] == span.attributes["nmt.engine"] == answer.json()["engine"]
    assert (line["texts"], line["characters"]) == (2, 15)
    assert (line["source_tokens"], line["target_tokens"]) == (3, 3)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/translate", {"text": f"The {SECRET}."}, 200),
        ("POST", "/v1/translate", {"text": "x", SECRET: 1}, 400),
        ("POST", "/v1/translate", {"text": "x", "source": SECRET}, 400),
        ("POST", f"/v1/translate?key={SECRET}", {"text": "x"}, 200),
        ("POST", f"/v1/translate/{SECRET}", {"text": "x"}, 404),
        ("GET", f"/{SECRET}", None, 404),
        (SECRET.upper(), "/health", None, 405),
    ],
)
def test_nothing_that_a_client_wrote_is_seen(seen, method, path, body, status):
    assert seen.send(method, path, body).status_code == status
    assert SECRET not in seen.everything().lower()


def test_a_bug_whose_message_quotes_the_text_is_not_seen(seen):
    seen.translator.error = RuntimeError(f"cannot translate {SECRET}")
    assert seen.send("POST", "/v1/translate", {"text": SECRET}).status_code == 500
    assert SECRET not in seen.everything()
    assert seen.statuses() == [("POST", "/v1/translate", "500")]


def test_errors_are_counted_by_their_code(seen):
    seen.send("POST", "/v1/translate", {"text": 1})
    seen.send("GET", "/nothing")
    exposition = seen.metrics.exposition().decode()
    assert 'nmt_refusals_total{code="invalid_request"} 1.0' in exposition
    assert 'nmt_refusals_total{code="not_found"} 1.0' in exposition


def test_the_metrics_name_the_replica_that_answers(seen):
    seen.send("GET", "/health")
    text = seen.send("GET", "/metrics").text
    assert 'path="/health",status="200"' in text
    assert 'replica="replica-1"' in text


def test_every_path_and_method_of_the_application_is_a_label_value():
    assert {operation.path for operation in OPERATIONS} <= PATHS
    assert {operation.method for operation in OPERATIONS} <= METHODS


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/translate?api_key={SECRET}", {"q": "x", "source": "en", "target": "ta"}),
        ("/translate", {"q": "x", "source": "en", "target": "ta", "api_key": SECRET}),
        ("/detect", {"q": SECRET}),
        ("/v2/translate", {"text": ["x"], "source_lang": "EN", "target_lang": SECRET}),
        (f"/download_file/{SECRET}/a", None),
    ],
)
def test_nothing_that_clients_of_other_services_send_is_seen(seen, path, body):
    seen.send("POST", path, body)
    assert SECRET not in seen.everything().lower()
