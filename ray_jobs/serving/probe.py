"""Checking over HTTP that an endpoint translates."""

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from nmt.errors import TranslationError

_POLL_SECONDS = 0.2
_TRANSLATE_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class EndpointCheck:
    """A sentence that an endpoint has translated."""

    url: str
    engine: str
    """Digest of the engine."""
    source: str
    """The sentence."""
    target: str
    """Its translation."""


def check_endpoint(
    url: str, timeout_seconds: float, sentence: str = "Where is the hospital?"
) -> EndpointCheck:
    """Wait until an endpoint serves an engine, and translate one sentence.

    Raises:
        TranslationError: it served none in time; the message has its last answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        health = get_health(url, max(1.0, deadline - time.monotonic()))
        if health.get("status") == "ok":
            break
        if time.monotonic() >= deadline:
            last = health.get("error") or health.get("status")
            raise TranslationError(f"{url} serves no engine after {timeout_seconds:g} s: {last}")
        time.sleep(_POLL_SECONDS)
    body = _request("POST", url, "/v1/translate", _TRANSLATE_TIMEOUT_SECONDS, {"text": sentence})
    if "translations" not in body:
        raise TranslationError(f"{url} does not translate: {body.get('error')}")
    return EndpointCheck(url, body["engine"], sentence, body["translations"][0]["text"])


def get_health(url: str, timeout_seconds: float) -> dict[str, Any]:
    """Get the body of `/health`, or only `error` if there is no answer."""
    return _request("GET", url, "/health", timeout_seconds)


def _request(
    method: str, url: str, path: str, timeout_seconds: float, body: object = None
) -> dict[str, Any]:
    """Send a request; return the JSON object of any answer, or only `error` if there is none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=timeout_seconds
    )
    content = None if body is None else json.dumps(body)
    try:
        connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        connection.close()
    return answer if isinstance(answer, dict) else {"error": "the answer is not a JSON object"}
