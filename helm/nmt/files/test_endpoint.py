"""Checks that an endpoint answers as documented; runs in the Pod of `helm test`.

Uses the standard library only. Exits with 0 when the endpoint does what it can do: it translates if
it gets a key or requires none, it refuses requests without a key where it requires one, or it
reports that no engine has been promoted yet.
"""

import http.client
import json
import os
import sys
import time

SECONDS = 60
"""How long to try: after an installation the endpoint needs a while to start."""

SENTENCE = "Where is the hospital?"


class UnexpectedAnswerError(Exception):
    """An answer that differs from the documentation."""


def ask(
    address: str, method: str, path: str, *, body: object = None, key: str = ""
) -> tuple[int, dict]:
    """Send a request and return the status and body of the answer."""
    host, _, port = address.partition(":")
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if not isinstance(answer, dict):
            raise UnexpectedAnswerError(f"{path}: {response.status} {answer}")
        return response.status, answer
    finally:
        connection.close()


def check() -> str:
    """Check the endpoint, and return a line about the result."""
    # Before the first promotion no Pod is ready, and only the second address reaches one.
    status, ready = ask(os.environ["PODS"], "GET", "/ready")
    if (status, ready.get("code")) == (503, "no_engine"):
        check_health(os.environ["PODS"], "no_engine")
        check_refusal(os.environ["PODS"])
        return "up, but no engine has been promoted yet"
    if status != 200:
        raise UnexpectedAnswerError(f"/ready: {status} {ready}")
    endpoint, key = os.environ["ENDPOINT"], os.environ.get("API_KEY", "").strip()
    check_health(endpoint, "ok")
    check_refusal(endpoint)
    if requires_keys() and not key:
        return "ready, and refuses requests without a key; serving.testKeySecret is not set"
    return translate(endpoint, key)


def requires_keys() -> bool:
    """Tell whether the release's settings require an API key."""
    return os.environ["REQUIRE_KEYS"] == "true"


def check_health(address: str, expected: str) -> None:
    """Check that the endpoint is alive and reports this state."""
    status, health = ask(address, "GET", "/health")
    if (status, health.get("status")) != (200, expected):
        raise UnexpectedAnswerError(f"/health: {status} {health}")


def check_refusal(address: str) -> None:
    """Check that a request without a key is refused, if the endpoint requires one."""
    if not requires_keys():
        return
    status, answer = ask(address, "POST", "/v1/translate", body={"text": SENTENCE})
    if (status, answer.get("code")) != (401, "unauthorized"):
        raise UnexpectedAnswerError(f"/v1/translate without a key: {status} {answer}")


def translate(address: str, key: str) -> str:
    """Translate a sentence, and return a line about the result."""
    status, answer = ask(address, "POST", "/v1/translate", body={"text": SENTENCE}, key=key)
    if status != 200:
        raise UnexpectedAnswerError(f"/v1/translate: {status} {answer}")
    translation = answer["translations"][0]["text"]
    if not translation.strip():
        raise UnexpectedAnswerError(f"engine {answer['engine']} returns an empty translation")
    return f"{SENTENCE} -> {translation} (engine {answer['engine']})"


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
