"""A quick check of whether the model hub answers, before a library retries for a minute."""

import threading
from collections.abc import Callable

PROBE_SECONDS = 5.0
PROBE_DEADLINE_SECONDS = 15.0


def hub_error(ask: Callable[[float], object]) -> str | None:
    """Find out why the hub does not answer; None if it does.

    Args:
        ask: sends one request to the hub, with the given timeout in seconds.
    """
    # A name server that never answers is not covered by the client's timeout, hence the thread.
    errors: list[str | None] = []
    probe = threading.Thread(target=lambda: errors.append(_request_error(ask)), daemon=True)
    probe.start()
    probe.join(PROBE_DEADLINE_SECONDS)
    return errors[0] if errors else f"no answer in {PROBE_DEADLINE_SECONDS:.0f} seconds"


def _request_error(ask: Callable[[float], object]) -> str | None:
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        ask(PROBE_SECONDS)
    except (RepositoryNotFoundError, RevisionNotFoundError):
        return None  # a hub that does not know the name has answered
    except Exception as error:
        return first_line(error)
    return None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class if it is empty."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
