"""Checks that an endpoint answers as documented; runs in the Pod of `helm test`.

Uses the standard library only. Exits with 0 when the endpoint translates, or reports that no engine
has been promoted yet.
"""

import http.client
import json
import os
import sys
import time

SECONDS = 60
"""How long to try: after an installation the endpoint needs a while to start."""


class UnexpectedAnswerError(Exception):
    """An answer that differs from the documentation."""


def ask(method: str, path: str, body: object = None) -> tuple[int, dict]:
    """Send a request and return the status and body of the answer."""
    host, _, port = os.environ["ENDPOINT"].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(
            method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
        if not isinstance(answer, dict):
            raise UnexpectedAnswerError(f"{path}: {response.status} {answer}")
        return response.status, answer
    finally:
        connection.close()


def check() -> str:
    """Check health and a translation, and return a line about the result."""
    health_status, health = ask("GET", "/health")
    sentence = "Where is the hospital?"
    status, answer = ask("POST", "/v1/translate", {"text": sentence})
    if (health.get("status"), status) == ("ok", 200):
        translation = answer["translations"][0]["text"]
        if not translation.strip():
            raise UnexpectedAnswerError(f"engine {answer['engine']} returns an empty translation")
        return f"{sentence} -> {translation} (engine {answer['engine']})"
    if (health.get("status"), status, answer.get("code")) == ("no_engine", 503, "no_engine"):
        return "up, but no engine has been promoted yet"
    raise UnexpectedAnswerError(
        f"/health: {health_status} {health}; /v1/translate: {status} {answer}"
    )


def main() -> int:
    """Repeat the check until it passes or the time is over."""
    endpoint = os.environ["ENDPOINT"]
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            sys.stdout.write(f"{endpoint}: {check()}\n")
            return 0
        except (
            OSError,
            ValueError,
            LookupError,
            http.client.HTTPException,
            UnexpectedAnswerError,
        ) as error:
            if time.monotonic() >= deadline:
                sys.stderr.write(f"{endpoint}: {type(error).__name__}: {error}\n")
                return 1
            time.sleep(2)


if __name__ == "__main__":
    sys.exit(main())
