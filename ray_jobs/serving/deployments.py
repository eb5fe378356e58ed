"""The endpoint's two deployments: `Gateway` takes HTTP requests, `Translator` holds an engine.

Must not import annotations from `__future__`: Serve reads the annotation of `build`'s argument.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any, TypedDict

from ray import serve
from ray.exceptions import NodeDiedError, ObjectLostError, RayActorError
from ray.serve.exceptions import BackPressureError
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import LoggingConfig
from starlette.applications import Starlette

from nmt.config import Config, ServingConfig
from nmt.serving.app import build_app
from nmt.serving.errors import NoReplicaError, OverloadedError, RequestError
from nmt.serving.types import ServedEngine, Translation
from nmt.storage import Storage
from ray_jobs.runtime.storage_location import absolute_storage

log = logging.getLogger(__name__)

SCALE_SETTINGS = (
    "min_replicas",
    "max_replicas",
    "target_requests",
    "upscale_delay_seconds",
    "downscale_delay_seconds",
    "gateway_replicas",
)
"""Settings of `serving` that decide how many replicas run."""
QUIET = LoggingConfig(log_level="ERROR", enable_access_log=False)

_REPLICA_DIED = (RayActorError, NodeDiedError, ObjectLostError)
_MAX_TRIES = 3
_RETRY_SECONDS = 0.1
_STATUS_TIMEOUT_SECONDS = 5.0
_STATUS_CACHE_SECONDS = 1.0


class ScaleOptions(TypedDict):
    """The options of each deployment that decide how many replicas run."""

    Translator: "_TranslatorScale"
    Gateway: "_GatewayScale"


class _TranslatorScale(TypedDict):
    autoscaling_config: dict[str, int | float]


class _GatewayScale(TypedDict):
    num_replicas: int


@serve.deployment(
    name="Translator",
    max_ongoing_requests=64,
    max_queued_requests=256,
    health_check_period_s=5,
    graceful_shutdown_wait_loop_s=0.2,
    logging_config=QUIET,
)
class Translator:
    """One engine in one process."""

    async def __init__(self, storage: Storage, serving: ServingConfig) -> None:
        # Imported here: this module is also loaded by the gateway, which needs no engine library.
        from nmt.serving.replica import Replica

        replica_id = serve.get_replica_context().replica_id.unique_id
        self._replica = Replica(storage, serving, replica_id)
        await self._replica.start()

    async def translate(
        self, sentences: list[str], source: str, target: str
    ) -> Translation | RequestError:
        """Translate sentences, or return why they are refused."""
        try:
            return await self._replica.translate(sentences, source, target)
        except RequestError as error:
            # Returned, since Serve logs a traceback for every exception of a replica.
            return error

    async def status(self) -> ServedEngine | None:
        """Return the current engine."""
        return self._replica.status()

    async def check_health(self) -> None:
        """Raise an error when a background task has died, so that Serve replaces the replica."""
        self._replica.check()

    async def __del__(self) -> None:
        await self._replica.stop()


@serve.deployment(
    name="Gateway",
    # High, since a waiting request costs little here. The translators' own limits come first, and
    # their refusals are JSON, unlike those of Serve.
    max_ongoing_requests=1000,
    max_queued_requests=1000,
    graceful_shutdown_wait_loop_s=0.2,
    logging_config=QUIET,
)
@serve.ingress()
class Gateway:
    """The HTTP side: validates requests, splits texts, and retries when a translator dies."""

    def __init__(self, translator: DeploymentHandle, serving: ServingConfig) -> None:
        self._translator = translator
        self._serving = serving
        self._served: ServedEngine | None = None
        self._cached_until = 0.0

    def __serve_build_asgi_app__(self) -> Starlette:
        return build_app(self._translate, self._status, self._serving)

    async def _translate(self, sentences: list[str], source: str, target: str) -> Translation:
        answer: Translation | RequestError = await self._call(
            self._translator.translate, sentences, source, target
        )
        if isinstance(answer, RequestError):
            raise answer
        self._cache(answer.engine)
        return answer

    async def _status(self) -> ServedEngine | None:
        if time.monotonic() >= self._cached_until:
            try:
                async with asyncio.timeout(_STATUS_TIMEOUT_SECONDS):
                    self._cache(await self._call(self._translator.status))
            except TimeoutError:
                raise NoReplicaError("no translator answers at the moment") from None
        return self._served

    def _cache(self, served: ServedEngine | None) -> None:
        self._served, self._cached_until = served, time.monotonic() + _STATUS_CACHE_SECONDS

    async def _call(self, method: DeploymentHandle, *args: object) -> Any:  # noqa: ANN401 - the method's result
        """Call a translator, and another one when it dies.

        Raises:
            OverloadedError: too many requests wait for a translator.
            NoReplicaError: a replica died in every try.
        """
        for attempt in range(_MAX_TRIES):
            if attempt:
                await asyncio.sleep(_RETRY_SECONDS)
            response = method.remote(*args)
            try:
                return await response
            except asyncio.CancelledError:
                # Else the translator goes on working for a client that has disconnected.
                response.cancel()
                raise
            except BackPressureError:
                raise OverloadedError("too many requests are waiting") from None
            except _REPLICA_DIED as error:
                log.warning("a translator died during a request: %s", type(error).__name__)
        raise NoReplicaError("the translators died during this request")


def build(args: Mapping[str, object] | Config) -> serve.Application:
    """Build the application, for `serve.run`, `serve deploy` and RayServices.

    Args:
        args: the project's configuration, resolved or as plain values.

    Raises:
        ConfigError: the configuration is not valid.
    """
    config = Config.parse(args) if isinstance(args, Mapping) else args
    options, serving = scale_options(config.serving), without_scale(config.serving)
    translator = Translator.options(
        ray_actor_options={
            "num_cpus": serving.cpus_per_replica,
            "num_gpus": serving.gpus_per_replica,
        },
        **options["Translator"],
    ).bind(Storage(absolute_storage(config)), serving)
    gateway = Gateway.options(ray_actor_options={"num_cpus": 0}, **options["Gateway"])
    return gateway.bind(translator, serving)


def scale_options(serving: ServingConfig) -> ScaleOptions:
    """Return the options of each deployment that decide how many replicas run."""
    # Serve restarts all replicas when their arguments change, but not when these options do. The
    # chart therefore writes them into its Serve config as options too.
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
    """Reset the scale settings, so that a replica's arguments do not depend on them."""
    fields = ServingConfig.model_fields
    return serving.model_copy(update={name: fields[name].default for name in SCALE_SETTINGS})
