"""The endpoint's web application with a translator that answers at once.

python benchmarks/serving_noop.py uvicorn|serve PORT
"""

import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from nmt.config import ServingConfig
from nmt.decoding.settings import DEFAULT_SEARCH, Search
from nmt.serving.types import Served, ServedRoute, TranslatedSentence, Translation

ROUTE = ServedRoute(
    "eng_Latn-tam_Taml", "eng_Latn", "tam_Taml", None, "0" * 12, "none", "Apache-2.0"
)


class Echo:
    """A translator, and its own session, that returns what it gets."""

    engine = ROUTE.engine

    def served(self) -> Served:
        """Return the only route."""
        return Served((ROUTE,), ROUTE)

    def session(self, *_: object, **_options: object) -> AbstractContextManager["Echo"]:
        """Return itself for every request."""
        return nullcontext(self)

    async def translate(
        self, sentences: Sequence[str], search: Search = DEFAULT_SEARCH
    ) -> Translation:
        """Return the sentences as their translations."""
        done = [TranslatedSentence(sentence, 1, 0.0) for sentence in sentences]
        return Translation(done, ROUTE.engine, len(done))


def main() -> None:
    """Serve until interrupted."""
    how, port = sys.argv[1], int(sys.argv[2])
    if how == "uvicorn":
        import uvicorn

        from nmt.serving.web.app import build_app

        app = build_app(Echo(), ServingConfig())
        uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
        return
    import ray
    from ray import serve

    import ray_jobs  # noqa: F401 - sets the environment before Ray reads it

    @serve.deployment(name="Endpoint", max_ongoing_requests=10_000)
    @serve.ingress()
    class Endpoint:
        def __serve_build_asgi_app__(self) -> object:
            from nmt.serving.web.app import build_app

            return build_app(Echo(), ServingConfig())

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    serve.run(Endpoint.bind(), name="nmt", route_prefix="/")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        ray.shutdown()


if __name__ == "__main__":
    main()
