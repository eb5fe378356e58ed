"""The load with which the endpoint's faults are measured counts what clients see."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.steady_load import Outcome, SteadyLoad


class Endpoint(BaseHTTPRequestHandler):
    """An endpoint that closes every second connection without an answer."""

    requests = 0

    def do_POST(self) -> None:
        type(self).requests += 1
        if self.requests % 2:
            self.close_connection = True
            return
        body = json.dumps({"engine": "a"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Endpoint.requests = 0
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def sent(url: str, retries: int) -> SteadyLoad:
    with SteadyLoad(url, rate=50, retries=retries) as load:
        time.sleep(0.1)
    return load


def test_a_request_without_an_answer_has_failed(url):
    assert sent(url, retries=0).failures


def test_a_request_that_is_answered_after_a_retry_has_not_failed(url):
    load = sent(url, retries=9)
    assert not load.failures
    assert any(outcome.retries for outcome in load.outcomes)
    assert "were sent again" in load.report()


def test_the_longest_gap_is_between_two_answers():
    load = SteadyLoad("http://127.0.0.1:1", rate=1)
    load.outcomes = [
        Outcome(0.0, 0.25, 200, "a"),
        Outcome(1.0, 0.1, 0, "lost"),
        Outcome(2.0, 0.5, 200, "a"),
        Outcome(3.0, 0.1, 200, "a"),
    ]
    assert load.longest_gap == 2.25


def test_a_load_without_any_answer_is_one_gap():
    load = SteadyLoad("http://127.0.0.1:1", rate=1)
    load.outcomes = [Outcome(0.0, 1.0, 0, "lost"), Outcome(4.0, 1.0, 0, "lost")]
    assert load.longest_gap == 4.0
