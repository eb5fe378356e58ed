"""An HTTP server in place of an API server: it sends prepared answers and records the requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KUBECONFIG = """
current-context: here
contexts:
- {name: here, context: {cluster: c, user: u, namespace: mine}}
- {name: there, context: {cluster: c, user: u}}
clusters: [{name: c, cluster: {server: "SERVER"}}]
users: [{name: u, user: {token: secret-token}}]
"""


class Api(ThreadingHTTPServer):
    """An API server that sends prepared answers and records the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, object]] = []
        self.asked: list[tuple[str, str, object]] = []
        self.contents: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Api  # pyright: ignore[reportIncompatibleVariableOverride]

    def answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        self.server.contents.append(self.headers.get("Content-Type"))
        self.server.asked.append((self.command, self.path, body))
        status, value = self.server.answers.pop(0)
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def prepared_server() -> Iterator[Api]:
    """Run a server."""
    server = Api()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def kubeconfig_for(server: Api) -> str:
    """Write a kubeconfig with the contexts `here` and `there`, both at the server."""
    return KUBECONFIG.replace("SERVER", f"http://127.0.0.1:{server.server_port}")


def refusal(status: int, message: str, **more: object) -> tuple[int, object]:
    """Build the answer of an API server that refuses."""
    return status, {"kind": "Status", "message": message, **more}
