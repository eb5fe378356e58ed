"""Starting, announcing and stopping the endpoint."""

import logging
import socket
import sys
import threading

from ray import serve

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
from ray_jobs.serving.deployments import QUIET, build
from ray_jobs.serving.probe import get_health

log = logging.getLogger(__name__)

_APPLICATION = "nmt"


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
        _announce(_start(config))
        try:
            # The command line turns both signals into exceptions here.
            threading.Event().wait()
        finally:
            stop()


def start(config: Config) -> str:
    """Start the endpoint in the Ray that the caller is connected to, and return its URL.

    The caller must call `stop` later. `serving.port=0` takes a free port.

    Raises:
        ConfigError: the port is taken.
    """
    return _start(_with_free_port(config))


def stop() -> None:
    """Drain and remove the endpoint."""
    serve.delete(_APPLICATION)
    # A private Ray ends with this command and takes Serve with it; a shutdown of Serve there would
    # only print an error. Another Ray lives on, so that Serve has to be ended.
    if ray_address():
        serve.shutdown()


def _start(config: Config) -> str:
    serving = config.serving
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": serving.host, "port": serving.port},
        logging_config=QUIET,
    )
    serve.run(build(config), name=_APPLICATION, route_prefix="/", logging_config=QUIET)
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
        if is_run_named and record is not None and record.output != traffic.stable:
            log.warning(
                "endpoint '%s' serves engine %s, not run %s's %s: see `nmt promote run=%s`",
                name, traffic.stable, run_name, record.output, run_name,
            )  # fmt: skip
        return
    if is_run_named or (record is not None and record.done):
        promote.run(session)


def _announce(url: str) -> None:
    health = get_health(url, timeout_seconds=10)
    lines = [f"serving at {url}  (Ctrl+C stops)"]
    if isinstance(health, str):
        lines.append("no engine yet: requests get 503 until one is promoted")
    else:
        lines.append(f"engine {health['engine']}, {health['source']} to {health['target']}")
        lines.append(f"base {health['base']}, licence {health['license']}, which it inherits")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
