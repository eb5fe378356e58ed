"""Checking over HTTP that an endpoint translates."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from nmt.errors import TranslationError
from nmt.serving.web.bodies.responses import HealthBody, TranslationBody

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
    """Translate one sentence, as soon as the endpoint serves an engine.

    Raises:
        TranslationError: it served none in time; the message has its last answer.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        body = _request(
            "POST", url, "/v1/translate", _TRANSLATE_TIMEOUT_SECONDS, {"text": sentence}
        )
        if "translations" in body:
            break
        if time.monotonic() >= deadline:
            raise TranslationError(
                f"{url} does not translate after {timeout_seconds:g} s: {body.get('error')}"
            )
        time.sleep(_POLL_SECONDS)
    answer = cast(TranslationBody, body)
    return EndpointCheck(url, answer["engine"], sentence, answer["translations"][0]["text"])


def get_health(url: str, timeout_seconds: float) -> HealthBody | str:
    """Get the body of `/health`, or the reason why no engine is served."""
    body = _request("GET", url, "/health", timeout_seconds)
    if body.get("status") == "ok":
        return cast(HealthBody, body)
    return str(body.get("error") or body.get("status"))


def _request(
    method: str, url: str, path: str, timeout_seconds: float, body: object = None
) -> Mapping[str, object]:
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
