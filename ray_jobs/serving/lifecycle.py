"""Starting, announcing and stopping the endpoint."""

import asyncio
import logging
import socket
import sys
import threading
import time

import ray
from ray import serve
from ray.serve.handle import DeploymentHandle

from nmt.config import Config
from nmt.errors import ConfigError
from nmt.network.tcp import url_of
from nmt.runs.records import find_record
from nmt.runs.steps import EXPORT
from nmt.traffic import read_traffic
from ray_jobs import promote
from ray_jobs.runtime.address import ray_address
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.context import Session
from ray_jobs.serving.deployments import APPLICATION, QUIET, build
from ray_jobs.serving.haproxy import stop_softly
from ray_jobs.serving.probe import get_health

log = logging.getLogger(__name__)

_DRAIN_POLL_SECONDS = 0.2
# Long enough for a client, or what balances the load, to see the refusals and go elsewhere.
_MIN_DRAIN_SECONDS = 1.0
_CALL_TIMEOUT_SECONDS = 5.0
_LOG_EVERY_SECONDS = 5.0
# Connections that clients keep open without a request hold it longer.
_SOFT_STOP_SECONDS = 3.0


def run(session: Session) -> None:
    """Serve until SIGINT or SIGTERM, after promoting the run's engine if nothing is promoted yet.

    Raises:
        ConfigError: the port is taken.
        MissingStepError: the run that the user named is not exported.
    """
    # Before Ray starts, which takes seconds.
    config = _with_free_port(session.config)
    _promote_first(session)
    with connect(config):
        _announce(_start(config), needs_keys=config.serving.needs_keys)
        try:
            # The command line turns both signals into exceptions here.
            threading.Event().wait()
        finally:
            stop(config.serving.request_timeout_seconds)


def start(config: Config) -> str:
    """Start the endpoint in the Ray that the caller is connected to, and return its URL.

    The caller must call `stop` later. `serving.port=0` takes a free port.

    Raises:
        ConfigError: the port is taken.
    """
    return _start(_with_free_port(config))


def stop(timeout_seconds: float = 30.0) -> None:
    """Refuse new requests, answer those in work, and remove the endpoint.

    Args:
        timeout_seconds: time for the requests in work.
    """
    try:
        asyncio.run(_drain(timeout_seconds))
    # Serve may be broken in many ways; it is removed all the same.
    except Exception as error:
        log.warning("the endpoint could not finish its requests: %s", error)
    # A private Ray ends with this command and takes Serve with it. Another Ray lives on.
    if ray_address():
        serve.shutdown()


async def _drain(timeout_seconds: float) -> None:
    """End the work of all replicas, and then the reports of this process about them."""
    endpoint = serve.get_app_handle(APPLICATION)
    try:
        await _end_work(endpoint, timeout_seconds)
    finally:
        # Its thread would report to Ray every ten seconds, also when that has ended, and the call
        # would then start another Ray.
        await endpoint.shutdown_async()


async def _end_work(endpoint: DeploymentHandle, timeout_seconds: float) -> None:
    """Let all replicas refuse new requests, wait for those in work, and write the last reports."""
    start = time.monotonic()
    logged = 0.0
    while True:
        in_work = sum(await _ask_all(endpoint, "leave"))
        elapsed = time.monotonic() - start
        if (not in_work and elapsed >= _MIN_DRAIN_SECONDS) or elapsed >= timeout_seconds:
            break
        if elapsed - logged >= _LOG_EVERY_SECONDS:
            logged = elapsed
            log.info("stopping: %d requests are still in work", in_work)
        await asyncio.sleep(_DRAIN_POLL_SECONDS)
    if in_work:
        log.warning("%d requests were not answered within %g s", in_work, timeout_seconds)
    if not ray_address():
        # Else a request that arrives while Ray ends would find a port and no answer.
        node = ray.get_runtime_context().get_node_id()
        await asyncio.to_thread(stop_softly, node, _SOFT_STOP_SECONDS)
    await _ask_all(endpoint, "stop")


async def _ask_all(endpoint: DeploymentHandle, method: str) -> list[int]:
    """Call a method of every replica; one that has died has no answer."""
    answers = await endpoint.broadcast(method).results_async(
        timeout_s=_CALL_TIMEOUT_SECONDS, return_exceptions=True
    )
    return [answer for answer in answers if isinstance(answer, int)]


def _start(config: Config) -> str:
    serving = config.serving
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": serving.host, "port": serving.port},
        logging_config=QUIET,
    )
    serve.run(build(config), name=APPLICATION, route_prefix="/", logging_config=QUIET)
    return url_of(serving.host, serving.port)


def _with_free_port(config: Config) -> Config:
    """Check that the port is free, or replace port 0 by a free one."""
    host, port = config.serving.host, config.serving.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Else the port of an endpoint that has just stopped counts as taken for a minute.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"serving.host={host} serving.port={port}: cannot listen there: "
                f"{error.strerror}; set serving.port=0 for a free port"
            ) from None
        return config.with_overrides({"serving.port": probe.getsockname()[1]})


def _promote_first(session: Session) -> None:
    """Promote the run's engine if nothing is promoted yet, and warn if another one is served.

    Raises:
        MissingStepError: the run that the user named is not exported.
    """
    name, run_name = session.config.serving.name, session.config.run
    record = find_record(session.storage, run_name, EXPORT)
    is_run_named = "run" in session.user_set
    traffic = read_traffic(session.storage, name)
    if traffic is not None:
        if is_run_named and record is not None and record.output not in traffic.engines:
            log.warning(
                "endpoint '%s' serves %s, not run %s's engine %s: see `nmt promote run=%s`",
                name, ", ".join(traffic.engines), run_name, record.output, run_name,
            )  # fmt: skip
        return
    if is_run_named or (record is not None and record.done):
        promote.run(session)


def _announce(url: str, *, needs_keys: bool) -> None:
    health = get_health(url, timeout_seconds=10)
    lines = [f"serving at {url}  (Ctrl+C stops)"]
    if isinstance(health, str):
        lines.append("no engine yet: requests get 503 until one is promoted")
    else:
        for route in health["routes"]:
            domain = f" in domain {route['domain']}" if route["domain"] else ""
            languages = f"{route['source']} to {route['target']}{domain}"
            lines.append(f"engine {route['engine']}, {languages}")
        if "base" in health and "license" in health:
            lines.append(f"base {health['base']}, licence {health['license']}, which it inherits")
    if needs_keys:
        lines.append("requests need an API key: see `nmt keys`")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
