"""The handlers that show what is served."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from nmt.serving.errors import NoEngineError
from nmt.serving.monitoring.exposition import merge_expositions
from nmt.serving.monitoring.metrics import CONTENT_TYPE, ServingMetrics
from nmt.serving.web.answers import json_answer
from nmt.serving.web.bodies.responses import NO_ENGINE, health_body, languages_body
from nmt.serving.web.context import WebContext
from nmt.serving.web.operation import Handler


class StatusHandlers:
    """The handlers that show what is served, and how much is done."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        """Return the handler of each operation that is offered, by its name."""
        handlers: dict[str, Handler] = {
            "getLanguages": self.get_languages,
            "getHealth": self.get_health,
            "getReady": self.get_ready,
        }
        if metrics := self._context.metrics:
            handlers["getMetrics"] = lambda _request: self._get_metrics(metrics)
        return handlers

    async def get_health(self, _request: Request) -> Response:
        """Handle `GET /health`."""
        # 200 without an engine too: the service is up, and restarting it would not help.
        served = self._context.translator.served()
        return json_answer(health_body(served, feedback=self._context.feedback is not None))

    async def get_ready(self, _request: Request) -> Response:
        """Handle `GET /ready`."""
        if self._context.served_now().default is None:
            raise NoEngineError(NO_ENGINE)
        return json_answer({"status": "ready"})

    async def get_languages(self, _request: Request) -> Response:
        """Handle `GET /languages`."""
        return json_answer(languages_body(self._context.translator.served()))

    async def _get_metrics(self, metrics: ServingMetrics) -> Response:
        """Handle `GET /metrics`."""
        if self._context.gather_metrics:
            content = await self._context.gather_metrics()
        else:
            content = merge_expositions({metrics.replica: metrics.exposition()})
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(content, headers=headers)
