"""What becomes known about a request while it is answered."""

import asyncio
import time
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import Scope

from nmt.serving.authentication import Caller

REQUEST_ID = r"[A-Za-z0-9._-]{1,64}"
"""Pattern of a request id that is taken from a client."""
_KEY = "nmt.record"


@dataclass(slots=True)
class RequestRecord:
    """What metrics, the access log and tracing say about a request."""

    id: str
    path: str | None
    """Template of the path of its operation; None if there is none."""
    arrival: float = field(default_factory=time.monotonic)
    caller: Caller | None = None
    client: str = ""
    texts: int = 0
    characters: int = 0
    route: str = ""
    engine: str = ""
    source_tokens: int = 0
    target_tokens: int = 0
    cached: int = 0
    status: int = 0
    code: str = ""
    """Code of the error, if the answer is one."""
    has_message: bool = False
    """Whether an error has a key `message` too."""
    deadline: asyncio.Timeout | None = None
    """When the request is cancelled."""

    def restart_deadline(self, seconds: float) -> None:
        """Give the request so many seconds from now on."""
        if self.deadline:
            self.deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    @property
    def key_id(self) -> str:
        """Return the id of the API key that sent the request; empty without a key."""
        return self.caller.id if self.caller else ""

    def attach(self, scope: Scope) -> None:
        """Add the record to a request."""
        scope[_KEY] = self


def record_of(request: Request) -> RequestRecord:
    """Return the record of a request."""
    return request.scope[_KEY]
