"""An application that a real server serves, for clients that open connections themselves."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from nmt.access.keys import make_secret
from nmt.access.options import KeyCommand
from nmt.access.store import create_key
from nmt.config import ServingConfig
from nmt.serving.authentication import Authenticator
from nmt.serving.types import ServedRoute
from nmt.serving.web.app import build_app
from nmt.storage import Storage
from tests.support.web import FakeTranslator


@contextmanager
def live(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port, and return its address."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
            assert thread.is_alive(), "the server did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass(frozen=True, slots=True)
class LiveEndpoint:
    """A served application that needs keys, with a fake translator behind it."""

    url: str
    key: str
    translator: FakeTranslator


@contextmanager
def live_endpoint(folder: Path, *routes: ServedRoute, **parts: Any) -> Iterator[LiveEndpoint]:
    """Serve the endpoint with a key.

    Args:
        folder: an empty one, for its keys.
        routes: what is served.
        parts: further arguments of `build_app`.
    """
    storage = Storage(str(folder))
    config = ServingConfig(require_keys=True)
    key_id, key, sha256 = make_secret()
    create_key(storage, config.name, KeyCommand("create", "client"), key_id, sha256)
    authenticator = Authenticator(storage, config.name, config)
    asyncio.run(authenticator.poll())
    translator = FakeTranslator(*routes)
    app = build_app(translator, config, authenticator=authenticator, **parts)
    with live(app) as url:
        yield LiveEndpoint(url, key, translator)
