"""The port of the operator: `/healthz` for the kubelet and `/metrics` for Prometheus."""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, port: int, problem: Callable[[], str], exposition: Callable[[], bytes]
    ) -> None:
        # The kubelet of an IPv6-only cluster knows no other address of the Pod.
        self.address_family = socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET
        super().__init__(("", port), _Handler)
        self.problem = problem
        self.exposition = exposition

    def server_bind(self) -> None:
        """Bind the port for IPv4 as well, whatever the machine does by default."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 10.0  # a client that sends nothing must not hold a thread

    def do_GET(self) -> None:
        """Answer a request."""
        if self.path == "/metrics":
            self._answer(200, self.server.exposition())
        elif self.path == "/healthz":
            problem = self.server.problem()
            self._answer(503 if problem else 200, f"{problem or 'ok'}\n".encode())
        else:
            self._answer(404, b"/healthz or /metrics\n")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Leave out the line for each request: probes come every few seconds."""


@contextmanager
def health_port(
    port: int, problem: Callable[[], str], exposition: Callable[[], bytes]
) -> Generator[int]:
    """Answer on a port until the end of the block, and yield its number.

    Args:
        port: 0 chooses a free one.
        problem: says why the process should be started again; empty while it is well.
        exposition: writes the metrics.
    """
    server = _Server(port, problem, exposition)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
