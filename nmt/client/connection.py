"""The connection to an endpoint, which repeats requests that may be repeated."""

import random
import time
from collections.abc import Callable

import httpx

from nmt.client.errors import EndpointError

# Every request of the API may be sent again, see docs/api.md.
_REPEATED = frozenset((429, 502, 503, 504))
_FIRST_WAIT_SECONDS, _MAX_WAIT_SECONDS = 0.5, 30.0
_MAX_SHOWN = 200


class Connection:
    """A pool of connections to one endpoint; may be used by several threads."""

    def __init__(
        self,
        url: str,
        api_key: str | None,
        *,
        timeout_seconds: float,
        max_retries: int,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Set up without connecting.

        Args:
            url: of the endpoint.
            api_key: sent as a Bearer token; None sends none.
            timeout_seconds: time for the answer to one request.
            max_retries: how often a request is sent again.
            transport: replaces the network, for tests.
            sleep: waits between two tries.
        """
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/",
            headers=headers,
            timeout=timeout_seconds,
            transport=transport,
        )
        self._max_retries, self._sleep = max_retries, sleep

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def send(self, method: str, path: str, **content: object) -> httpx.Response:
        """Send a request, again if the endpoint is busy or was not reached.

        Args:
            method: of HTTP.
            path: below the endpoint's address.
            content: `json`, `data` or `files`, as httpx takes them.

        Raises:
            EndpointError: the endpoint refuses the request, or did not answer any try.
        """
        request = self._client.build_request(method, path, **content)  # pyright: ignore[reportArgumentType]
        # Once: a body of files is read only once.
        request.read()
        for tried in range(self._max_retries + 1):
            is_last = tried == self._max_retries
            try:
                response = self._client.send(request)
            except httpx.TransportError as error:
                if is_last:
                    raise EndpointError(f"{request.url} does not answer: {error}") from error
                self._sleep(_wait(tried, None))
                continue
            if response.is_success:
                return response
            if is_last or response.status_code not in _REPEATED:
                raise _refusal(response)
            self._sleep(_wait(tried, response.headers.get("Retry-After")))
        raise AssertionError("the last try returns or raises")


def _wait(tried: int, retry_after: str | None) -> float:
    """Return the seconds to wait before the next try."""
    longest = min(_MAX_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2**tried)
    # Spread, or all clients of an endpoint that was busy would come back at once.
    spread = random.uniform(longest / 2, longest)
    if retry_after and retry_after.isdecimal():
        return min(_MAX_WAIT_SECONDS, float(retry_after)) + spread / 2
    return spread


def _refusal(response: httpx.Response) -> EndpointError:
    """Make an error of an answer; a proxy in between may have answered with any text."""
    status, code = response.status_code, None
    message = f"the endpoint answered with status {status}"
    try:
        body = response.json()
        message, code = str(body["error"]), str(body["code"])
    except (ValueError, KeyError, TypeError):
        shown = response.text[:_MAX_SHOWN].strip()
        message += f": {shown}" if shown else ""
    return EndpointError(message, status=status, code=code)
