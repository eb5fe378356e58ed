"""Requests to the API server."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from typing import cast
from urllib.parse import urlencode

import urllib3

from k8s.api.cluster import JsonObject
from k8s.api.connection import Connection
from k8s.api.errors import TRANSIENT, shorten
from nmt import __version__
from nmt.errors import ClusterError, UnreachableError

logger = logging.getLogger(__name__)

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and between two reads."""
_PAUSES = (0.5, 1.5, 4.0)
_MOST_LEVELS = 100
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]')

Query = list[tuple[str, str]]
Answer = tuple[int, JsonObject]
"""The HTTP status, and the body: an object, a list or a `Status` of the API."""


class Transport:
    """A connection to an API server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.where = f"{connection.source}, {connection.host}"
        """The context and the server, for messages."""

    def read(self, path: str, query: Query) -> Answer:
        """Send a GET request, again if the server is busy."""
        return self.repeat(lambda: self.call("GET", path, query))

    def repeat(self, call: Callable[[], Answer]) -> Answer:
        """Make a call that changes nothing, again if the server is busy."""
        for pause in _PAUSES:
            try:
                status, answer = call()
            except UnreachableError as error:
                # A wrong host name or a closed port does not recover within seconds.
                if "Name or service" in str(error) or "refused" in str(error):
                    raise
            else:
                if status not in TRANSIENT:
                    return status, answer
            time.sleep(pause)
        return call()

    def call(self, method: str, path: str, query: Query, body: JsonObject | None = None) -> Answer:
        """Send a request once and return the answer."""
        response = self._send(method, path, query, body)
        try:
            return response.status, parse(_text(response))
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from None

    def stream(
        self, path: str, query: Query, timeout: tuple[float, float]
    ) -> tuple[int, Iterator[str]]:
        """Send a GET request; return the status, and the lines of the answer as they come.

        Args:
            path: of the request.
            query: of the request.
            timeout: seconds to connect, and between two reads.
        """
        response = self._send("GET", path, query, timeout=timeout)
        return response.status, self._lines(response)

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: JsonObject | None = None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> urllib3.BaseHTTPResponse:
        # Only apply sends a patch. JSON is YAML.
        content = "application/apply-patch+yaml" if method == "PATCH" else "application/json"
        headers = {
            "Accept": "application/json, */*",
            "Content-Type": content,
            "User-Agent": f"nmt-k8s/{__version__}",
        }
        target = f"{self._connection.host}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            authorization = self._connection.authorization()
            headers |= {"Authorization": authorization} if authorization else {}
            return self._connection.pool.request(
                method,
                target,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
                # A log and a watch must be passed on while they grow.
                preload_content=False,
            )
        except urllib3.exceptions.SSLError as error:
            # One side does not trust the other's certificate.
            raise ClusterError(f"{self.where}: {shorten(error)}") from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from None

    def _lines(self, response: urllib3.BaseHTTPResponse) -> Iterator[str]:
        # A chunk may end in the middle of a line; the rest waits for the next chunk.
        left = b""
        try:
            for chunk in response.stream(65536, decode_content=False):
                *lines, left = (left + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from None
        finally:
            response.close()
        if left:
            yield left.decode(errors="replace")

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            f"the cluster does not answer ({self.where}): {shorten(error)}; check the network, "
            "the VPN and the context"
        )


def _text(response: urllib3.BaseHTTPResponse) -> str:
    return (response.data or b"").decode(errors="replace")


def parse(text: str) -> JsonObject:
    """Read an answer; what is not a JSON object becomes the message of one.

    Whoever may write an object can nest it deeper than Python reads. Then what lies deeper than 100
    levels, where no field of a known kind is, becomes null: one object must not make a whole list
    unreadable.
    """
    try:
        answer = _load(text)
    except ValueError:  # a proxy in front of the server answers with HTML or plain text
        return {"message": text}
    return cast(JsonObject, answer) if isinstance(answer, dict) else {"message": text}


def _load(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError:
        logger.warning(
            "an answer of the cluster has more than %d levels: the deeper ones are left out",
            _MOST_LEVELS,
        )
        return json.loads(_without_deep_levels(text))


def _without_deep_levels(text: str) -> str:
    """Write null in place of each list and object that lies too deep."""
    kept: list[str] = []
    begin = level = 0
    for part in _STRING_OR_BRACKET.finditer(text):
        if part[0] in ("[", "{"):
            level += 1
            if level == _MOST_LEVELS + 1:
                kept += [text[begin : part.start()], "null"]
        elif part[0] in ("]", "}"):
            level -= 1
            if level == _MOST_LEVELS:
                begin = part.end()
    # A text that ends within such a level stays incomplete, and so unreadable.
    return "".join(kept) + (text[begin:] if level <= _MOST_LEVELS else "")
