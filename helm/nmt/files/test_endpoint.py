"""Asks an endpoint for its health and for one translation; runs in the chart's test Pod.

Standard library alone. Ends with 0 when the endpoint translates, or when it says as documented that
no adapter has been promoted yet.
"""

import http.client
import json
import os
import sys
import time

SECONDS = 60


class NotAnsweredError(Exception):
    """The endpoint did not answer as documented."""


def ask(method: str, path: str, body: object = None) -> tuple[int, dict]:
    """Status and body of an answer."""
    host, _, port = os.environ["ENDPOINT"].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(
            method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
        if not isinstance(answer, dict):
            raise NotAnsweredError(f"{path}: {response.status} {answer}")
        return response.status, answer
    finally:
        connection.close()


def check() -> str:
    """What the endpoint does, when it is one of the two things that it may do."""
    health_status, health = ask("GET", "/health")
    sentence = "Where is the hospital?"
    status, answer = ask("POST", "/v1/translate", {"text": sentence})
    if (health.get("status"), status) == ("ok", 200):
        translation = answer["translations"][0]["text"]
        if not translation.strip():
            raise NotAnsweredError(f"adapter {answer['adapter']} translates to nothing")
        return f"{sentence} -> {translation} (adapter {answer['adapter']})"
    if (health.get("status"), status, answer.get("code")) == ("no_adapter", 503, "no_adapter"):
        return "up, and no adapter has been promoted yet"
    raise NotAnsweredError(f"/health: {health_status} {health}; /v1/translate: {status} {answer}")


def main() -> int:
    """Ask until it answers or the time is over."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            sys.stdout.write(f"{os.environ['ENDPOINT']}: {check()}\n")
            return 0
        except (OSError, ValueError, LookupError, http.client.HTTPException, NotAnsweredError) as e:
            if time.monotonic() >= deadline:
                sys.stderr.write(f"{os.environ['ENDPOINT']}: {type(e).__name__}: {e}\n")
                return 1
            time.sleep(2)


if __name__ == "__main__":
    sys.exit(main())
