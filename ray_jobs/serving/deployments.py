"""The endpoint's deployment: each replica takes HTTP requests and holds engines.

Must not import annotations from `__future__`: Serve reads the annotation of `build`'s argument.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from ray import serve
from ray.serve._private.logging_utils import get_serve_logs_dir
from ray.serve.schema import LoggingConfig
from starlette.types import ASGIApp

from nmt.config import Config, ServingConfig
from nmt.errors import StorageError
from nmt.provenance.keys import with_public_key_text
from nmt.storage import Storage
from nmt.traffic import read_reports
from ray_jobs.runtime.storage_location import absolute_storage

APPLICATION, DEPLOYMENT = "nmt", "Endpoint"

SCALE_SETTINGS = (
    "min_replicas",
    "max_replicas",
    "target_requests",
    "upscale_delay_seconds",
    "downscale_delay_seconds",
)
"""Settings of `serving` that decide how many replicas run."""
QUIET = LoggingConfig(log_level="ERROR", enable_access_log=False)

# The application refuses requests long before, in JSON and at once; Serve's own refusals are slow.
_MAX_REQUESTS_OF_SERVE = 10_000
_GATHER_TIMEOUT_SECONDS = 2.0
_COUNT_EVERY_SECONDS = 30.0


class ScaleOptions(TypedDict):
    """The options of the deployment that decide how many replicas run."""

    autoscaling_config: dict[str, int | float]


@serve.deployment(
    name=DEPLOYMENT,
    max_ongoing_requests=_MAX_REQUESTS_OF_SERVE,
    health_check_period_s=5,
    graceful_shutdown_wait_loop_s=0.2,
    logging_config=QUIET,
)
@serve.ingress()
class Endpoint:
    """A replica: the web application and the engines behind it, in one process."""

    async def __init__(self, storage: Storage, serving: ServingConfig) -> None:
        # Imported here: the driver and Serve's controller load this module too, without engines.

        from nmt.serving.authentication import Authenticator
        from nmt.serving.documents.service import start_documents
        from nmt.serving.feedback.store import FeedbackStore
        from nmt.serving.glossaries.store import Glossaries
        from nmt.serving.monitoring.access_log import AccessLog
        from nmt.serving.monitoring.metrics import ServingMetrics
        from nmt.serving.monitoring.tracing import Tracing
        from nmt.serving.replica import Replica

        self._storage, self._serving = storage, serving
        replica_id = serve.get_replica_context().replica_id.unique_id
        self._metrics = ServingMetrics(replica_id)
        self._access_log = AccessLog(_access_log_path(replica_id)) if serving.access_log else None
        self._tracing = Tracing.from_environment(replica_id)
        self._authenticator = Authenticator(storage, serving.name, serving)
        self._feedback = (
            FeedbackStore(storage, serving.name, replica_id) if serving.feedback else None
        )
        self._glossaries = Glossaries(storage, serving.name, serving.poll_seconds)
        self._replica = Replica(storage, serving, replica_id, metrics=self._metrics)
        await self._authenticator.poll()
        await self._replica.start()
        self._documents = start_documents(storage, self._replica, serving)
        self._tasks = [
            asyncio.create_task(self._authenticator.follow()),
            asyncio.create_task(self._count_replicas()),
        ]

    def __serve_build_asgi_app__(self) -> ASGIApp:

        from nmt.serving.web.app import build_app

        return build_app(
            self._replica,
            self._serving,
            authenticator=self._authenticator,
            metrics=self._metrics,
            access_log=self._access_log,
            tracing=self._tracing,
            gather_metrics=self._gather_metrics,
            glossaries=self._glossaries,
            documents=self._documents,
            feedback=self._feedback,
            count_correction=self._replica.count_correction,
        )

    async def metrics(self) -> tuple[str, bytes]:
        """Return the name of this replica and its metrics in Prometheus' format."""
        return self._metrics.replica, self._metrics.exposition()

    async def leave(self) -> int:
        """Refuse new requests, give documents back, and return how many requests are in work."""
        # Before the requests are counted: nobody waits for a document here.
        await self._documents.stop()
        return await self._replica.leave()

    async def stop(self) -> None:
        """Finish what is in work, and write the last report and the last lines of the log."""
        for task in self._tasks:
            task.cancel()
        await self._documents.stop()
        await self._replica.stop()
        for observer in (self._access_log, self._tracing):
            if observer:
                await asyncio.to_thread(observer.close)

    async def check_health(self) -> None:
        """Raise an error when a background task has died, so that Serve replaces the replica."""
        self._replica.check()
        self._documents.check()
        for task in self._tasks:
            if task.done() and not task.cancelled():
                raise RuntimeError(f"a background task of the endpoint has ended: {task}")

    async def __del__(self) -> None:
        await self.stop()

    async def _count_replicas(self) -> None:
        """Keep the number of replicas up to date, by which the limits of API keys are divided."""
        while True:
            with suppress(StorageError):
                reports = await asyncio.to_thread(read_reports, self._storage, self._serving.name)
                now = datetime.now(UTC)
                alive = [each for each in reports if not (each.ended or each.is_silent(now))]
                self._authenticator.replicas = max(1, len(alive))
            await asyncio.sleep(_COUNT_EVERY_SECONDS)

    async def _gather_metrics(self) -> bytes:
        """Collect the metrics of all replicas, since a scrape reaches only one of them."""
        from nmt.serving.monitoring.exposition import merge_expositions

        handle = serve.get_deployment_handle(DEPLOYMENT, APPLICATION)
        answers = await handle.broadcast("metrics").results_async(
            timeout_s=_GATHER_TIMEOUT_SECONDS, return_exceptions=True
        )
        # A replica that has just died has no metrics any more.
        return merge_expositions(dict(each for each in answers if isinstance(each, tuple)))


def _access_log_path(replica_id: str) -> Path:
    """Choose a file among Serve's own logs, which a cluster collects."""
    return Path(get_serve_logs_dir()) / f"access_{replica_id}.jsonl"


def build(args: Mapping[str, object] | Config) -> serve.Application:
    """Build the application, for `serve.run`, `serve deploy` and RayServices.

    Args:
        args: the project's configuration, resolved or as plain values.

    Raises:
        ConfigError: the configuration is not valid.
    """
    config = Config.parse(args) if isinstance(args, Mapping) else args
    serving = with_public_key_text(without_scale(config.serving))
    endpoint = Endpoint.options(
        ray_actor_options={
            "num_cpus": serving.cpus_per_replica,
            "num_gpus": serving.gpus_per_replica,
        },
        graceful_shutdown_timeout_s=serving.request_timeout_seconds + _STOP_SECONDS,
        **scale_options(config.serving),
    )
    return endpoint.bind(Storage(absolute_storage(config)), serving)


_STOP_SECONDS = 10.0
"""Time after the last request in which a replica writes its report and ends."""


def scale_options(serving: ServingConfig) -> ScaleOptions:
    """Return the options of the deployment that decide how many replicas run."""
    # Serve restarts all replicas when their arguments change, but not when these options do. The
    # chart therefore writes them into its Serve config as options too.
    return {
        "autoscaling_config": {
            "min_replicas": serving.min_replicas,
            "max_replicas": serving.max_replicas,
            "target_ongoing_requests": serving.target_requests,
            "upscale_delay_s": serving.upscale_delay_seconds,
            "downscale_delay_s": serving.downscale_delay_seconds,
        }
    }


def without_scale(serving: ServingConfig) -> ServingConfig:
    """Reset the scale settings, so that a replica's arguments do not depend on them."""
    fields = ServingConfig.model_fields
    return serving.model_copy(update={name: fields[name].default for name in SCALE_SETTINGS})
