"""Answers that are written line by line, as what they say becomes known."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from nmt.serving.web.bodies.responses import Line
from nmt.serving.web.operation import NDJSON

WriteLine = Callable[[Line], Awaitable[None]]


class LinesAnswer(Response):
    """An answer in NDJSON, whose lines are written while they are produced."""

    media_type = NDJSON

    def __init__(
        self, produce: Callable[[WriteLine], Awaitable[None]], headers: Mapping[str, str]
    ) -> None:
        """Prepare an answer.

        Args:
            produce: writes the lines; it is cancelled when the client leaves.
            headers: of the answer.
        """
        super().__init__(headers=headers)
        # The length is not known before the end.
        del self.headers["content-length"]
        self._produce = produce

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the answer."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)

        async def write(line: Line) -> None:
            body = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})

        producing = asyncio.ensure_future(self._produce(write))
        leaving = asyncio.ensure_future(_wait_until_gone(receive))
        try:
            await asyncio.wait((producing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if producing.done():
                producing.result()
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for task in (producing, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


async def _wait_until_gone(receive: Receive) -> None:
    """Wait until the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
