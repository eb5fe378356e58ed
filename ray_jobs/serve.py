"""The endpoint on Ray Serve: `Gateway` (HTTP) in front of `Translator` (engines).

No `from __future__ import annotations` here: Serve looks at the annotation of `build`'s argument.
"""

import asyncio
import http.client
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ray import serve
from ray.exceptions import NodeDiedError, ObjectLostError, RayActorError
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import LoggingConfig
from starlette.applications import Starlette

from nmt.config import Config, ServingConfig
from nmt.errors import ConfigError, TranslationError
from nmt.network.tcp import url_of
from nmt.runs.steps import EXPORT, find_record
from nmt.serving.app import build_app
from nmt.serving.contract import (
    Answer,
    NotReachedError,
    OverloadedError,
    RequestError,
    ServedEngine,
)
from nmt.storage import Storage
from nmt.traffic import read_traffic
from ray_jobs import promote
from ray_jobs.runtime.address import ray_address
from ray_jobs.runtime.connection import connect
from ray_jobs.runtime.context import Session
from ray_jobs.runtime.storage_location import absolute_storage

log = logging.getLogger(__name__)

APPLICATION = "nmt"
SCALE = (
    "min_replicas",
    "max_replicas",
    "target_requests",
    "upscale_delay_seconds",
    "downscale_delay_seconds",
    "gateway_replicas",
)
"""Settings of `serving` that say how many replicas there are."""

_DEAD = (RayActorError, NodeDiedError, ObjectLostError)
_TRIES = 3
_TRY_AGAIN_SECONDS = 0.1
_STATUS_SECONDS = 5.0
"""Longest wait for a replica to tell what it serves."""
_KNOWN_SECONDS = 1.0
"""How long the last word about the served engine counts."""
_QUIET = LoggingConfig(log_level="ERROR", enable_access_log=False)


@serve.deployment(
    name="Translator",
    max_ongoing_requests=64,
    max_queued_requests=256,
    health_check_period_s=5,
    graceful_shutdown_wait_loop_s=0.2,
    logging_config=_QUIET,
)
class Translator:
    """One engine in one process."""

    async def __init__(self, storage: Storage, serving: ServingConfig) -> None:
        from nmt.serving.replica import Replica  # the gateway needs no engine

        replica_id = serve.get_replica_context().replica_id.unique_id
        self._replica = Replica(storage, serving, replica_id)
        await self._replica.start()

    async def translate(
        self, sentences: list[str], source: str, target: str
    ) -> Answer | RequestError:
        """An answer, or why there is none; raising would put a traceback into the log."""
        try:
            return await self._replica.translate(sentences, source, target)
        except RequestError as refusal:
            return refusal

    async def status(self) -> ServedEngine | None:
        """The engine that answers."""
        return self._replica.status()

    async def check_health(self) -> None:
        """Raise when a loop has died: Serve then replaces the replica."""
        self._replica.check()

    async def __del__(self) -> None:
        await self._replica.stop()


@serve.deployment(
    name="Gateway",
    # Waiting costs nothing here; the translators' own limits answer an overload, in JSON.
    max_ongoing_requests=1000,
    max_queued_requests=1000,
    graceful_shutdown_wait_loop_s=0.2,
    logging_config=_QUIET,
)
@serve.ingress()
class Gateway:
    """HTTP, validation, sentence splitting, and a second try when a translator dies."""

    def __init__(self, translator: DeploymentHandle, serving: ServingConfig) -> None:
        self._translator = translator
        self._serving = serving
        self._served: ServedEngine | None = None
        self._known_until = 0.0

    def __serve_build_asgi_app__(self) -> Starlette:
        return build_app(self._translate, self._status, self._serving)

    async def _translate(self, sentences: list[str], source: str, target: str) -> Answer:
        answer = await self._call("translate", sentences, source, target)
        if isinstance(answer, RequestError):
            raise answer
        self._remember(answer.engine)
        return answer

    async def _status(self) -> ServedEngine | None:
        if time.monotonic() >= self._known_until:
            try:
                async with asyncio.timeout(_STATUS_SECONDS):
                    self._remember(await self._call("status"))
            except TimeoutError:
                raise NotReachedError("no translator answers at the moment") from None
        return self._served

    def _remember(self, served: ServedEngine | None) -> None:
        self._served, self._known_until = served, time.monotonic() + _KNOWN_SECONDS

    async def _call(self, method: str, *args: object) -> Any:  # noqa: ANN401 - either method's answer
        """Call a translator; a whole call again when its replica dies, which does no harm.

        Raises:
            OverloadedError: too many requests wait for a translator.
            NotReachedError: replicas died under all tries.
        """
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
            response = getattr(self._translator, method).remote(*args)
            try:
                return await response
            except asyncio.CancelledError:
                response.cancel()  # else a translator goes on for a client that has gone
                raise
            except BackPressureError:
                raise OverloadedError("too many requests are waiting") from None
            except _DEAD as error:
                log.warning("a translator died under a request: %s", type(error).__name__)
        raise NotReachedError("the translators died under this request")


def build(args: dict[str, Any] | Config) -> serve.Application:
    """The application, for `serve.run`, `serve deploy` and RayService (`ray_jobs.serve:build`).

    Args:
        args: the project's configuration, resolved or as plain values.

    Raises:
        ConfigError: it is not valid.
    """
    config = Config.parse(args) if isinstance(args, Mapping) else args
    scale, serving = scale_of(config.serving), without_scale(config.serving)
    translator = Translator.options(
        ray_actor_options={
            "num_cpus": serving.cpus_per_replica,
            "num_gpus": serving.gpus_per_replica,
        },
        **scale["Translator"],
    ).bind(Storage(absolute_storage(config)), serving)
    gateway = Gateway.options(ray_actor_options={"num_cpus": 0}, **scale["Gateway"])
    return gateway.bind(translator, serving)


def scale_of(serving: ServingConfig) -> dict[str, dict[str, Any]]:
    """Deployment -> options that say how many replicas there are.

    A Serve config that gives these as options of its deployments, and not within the arguments of
    the application, changes them without a restart of any replica.
    """
    return {
        "Translator": {
            "autoscaling_config": {
                "min_replicas": serving.min_replicas,
                "max_replicas": serving.max_replicas,
                "target_ongoing_requests": serving.target_requests,
                "upscale_delay_s": serving.upscale_delay_seconds,
                "downscale_delay_s": serving.downscale_delay_seconds,
            }
        },
        "Gateway": {"num_replicas": serving.gateway_replicas},
    }


def without_scale(serving: ServingConfig) -> ServingConfig:
    """What replicas are told: the same for any number of them."""
    fields = ServingConfig.model_fields
    return serving.model_copy(update={name: fields[name].default for name in SCALE})


def run(session: Session) -> None:
    """Serve until SIGINT or SIGTERM; a run's engine is promoted first where nothing was yet.

    Raises:
        ConfigError: the port is taken.
        MissingStepError: the run that is named is not exported.
    """
    config = _with_port(session.config)  # a taken port is known before Ray starts
    _promote_first(session)
    with connect(config):
        _announce(_start(config))
        try:
            threading.Event().wait()  # until Ctrl+C or SIGTERM, which the command line turns
        finally:  # into an exception here and an exit code there
            stop()


def start(config: Config) -> str:
    """Start the endpoint in the Ray that the caller has connected to; its URL.

    The caller calls `stop` later. `serving.port=0` takes a free port.

    Raises:
        ConfigError: the port is taken.
    """
    return _start(_with_port(config))


def _promote_first(session: Session) -> None:
    """Serve a run's engine when nothing was promoted yet; a run that is named must have one.

    Raises:
        MissingStepError: the run is not exported.
    """
    name, run_name = session.config.serving.name, session.config.run
    record = find_record(session.storage, run_name, EXPORT)
    named = "run" in session.user_set
    traffic = read_traffic(session.storage, name)
    if traffic is not None:
        if named and record is not None and record.output != traffic.stable:
            log.warning(
                "endpoint '%s' serves engine %s, not run %s's %s: see `nmt promote run=%s`",
                name, traffic.stable, run_name, record.output, run_name,
            )  # fmt: skip
        return
    if named or (record is not None and record.done):
        promote.run(session)


def stop() -> None:
    """Drain and remove the endpoint; end Serve too where Ray outlives this command.

    In a private Ray, Serve goes with it, and without the error that Ray prints on its shutdown.
    """
    serve.delete(APPLICATION)
    if ray_address():
        serve.shutdown()


def _start(config: Config) -> str:
    serving = config.serving
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": serving.host, "port": serving.port},
        logging_config=_QUIET,
    )
    serve.run(build(config), name=APPLICATION, route_prefix="/", logging_config=_QUIET)
    return url_of(serving.host, serving.port)


def check_endpoint(
    url: str, timeout_seconds: float, sentence: str = "Where is the hospital?"
) -> dict[str, str]:
    """Wait until an endpoint serves an adapter, and translate one sentence.

    Returns:
        `url`, `adapter`, `source` and `target` (the sentence and its translation).

    Raises:
        TranslationError: it did not serve in time; says what it answered last.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        health = _get(url, "/health", seconds=max(1.0, deadline - time.monotonic()))
        if health.get("status") == "ok":
            break
        if time.monotonic() >= deadline:
            said = health.get("error") or health.get("status")
            raise TranslationError(f"{url} serves no adapter after {timeout_seconds:g} s: {said}")
        time.sleep(0.2)
    body = _request("POST", url, "/v1/translate", 30.0, {"text": sentence})
    if "translations" not in body:
        raise TranslationError(f"{url} does not translate: {body.get('error')}")
    target = body["translations"][0]["text"]
    return {"url": url, "adapter": body["adapter"], "source": sentence, "target": target}


def _with_port(config: Config) -> Config:
    """The settings with a port that is checked to be free; a free one for 0."""
    host, port = config.serving.host, config.serving.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"serving.host={host} serving.port={port}: cannot listen there: "
                f"{error.strerror}; set serving.port=0 for a free port"
            ) from None
        return config.with_overrides({"serving.port": probe.getsockname()[1]})


def _announce(url: str) -> None:
    health = _get(url, "/health", seconds=10)
    lines = [f"serving at {url}  (Ctrl+C stops)"]
    if health.get("status") == "ok":
        lines.append(f"adapter {health['adapter']}, {health['source']} to {health['target']}")
        lines.append(f"base {health['base']}, licence {health['license']}, which it inherits")
    else:
        lines.append("no adapter yet: requests get 503 until one is promoted")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _get(url: str, path: str, seconds: float) -> dict[str, Any]:
    return _request("GET", url, path, seconds)


def _request(
    method: str, url: str, path: str, seconds: float, body: object = None
) -> dict[str, Any]:
    """JSON object of an answer of any status; `error` alone when there is none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    content = None if body is None else json.dumps(body)
    try:
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {"error": "no JSON object"}


if __name__ == "__main__":
    from ray_jobs.cli.runner import main

    main("serve")
