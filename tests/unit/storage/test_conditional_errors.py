"""What an object store refuses is said in the same words each time."""

import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from obstore.exceptions import GenericError

from nmt.errors import StorageError
from nmt.storage import Storage, conditional


class Refusing(BaseHTTPRequestHandler):
    """A store that gives nobody access, with another id of the request in each answer."""

    numbers = itertools.count(1)

    def do_GET(self) -> None:
        number = next(self.numbers)
        body = (
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message>"
            f"<RequestId>{number}A0B</RequestId><HostId>{number}x/y+z==</HostId></Error>"
        ).encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def refusing() -> Iterator[Storage]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    query = f"endpoint_override=127.0.0.1:{server.server_port}&scheme=http"
    yield Storage(f"gs://anonymous@bucket/root?{query}")
    server.shutdown()
    server.server_close()


def _refusal(storage: Storage) -> str:
    with pytest.raises(StorageError) as error:
        storage.read_versioned("serving/a")
    return str(error.value)


def test_the_same_refusal_has_the_same_message(refusing: Storage) -> None:
    first = _refusal(refusing)
    assert "403 Forbidden" in first
    assert "<Code>AccessDenied</Code><Message>Access Denied</Message></Error>" in first
    assert _refusal(refusing) == first


def test_how_long_the_repetitions_took_is_left_out(
    refusing: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise GenericError(
            "Error performing GET http://store/x in 375.040481ms, after 2 retries, max_retries: 5, "
            "retry_timeout: 30s - HTTP error: error sending request"
        )

    monkeypatch.setattr(conditional.obstore, "get", fail)
    assert _refusal(refusing).endswith(
        "Error performing GET http://store/x, max_retries: 5, retry_timeout: 30s - HTTP error: "
        "error sending request"
    )
