"""Whether a model hub answers, asked once and briefly, before a library tries for a minute."""

import threading
from collections.abc import Callable

PROBE_SECONDS = 5.0
PROBE_DEADLINE_SECONDS = 15.0


def fault_of_hub(ask: Callable[[float], object]) -> str | None:
    """What keeps the hub from answering; a hub that does not know the name has answered.

    The thread is there for name servers that never answer, which no timeout of the client covers.

    Args:
        ask: puts one question to the hub with the given timeout in seconds.
    """
    faults: list[str | None] = []
    probe = threading.Thread(target=lambda: faults.append(_fault(ask)), daemon=True)
    probe.start()
    probe.join(PROBE_DEADLINE_SECONDS)
    return faults[0] if faults else f"no answer in {PROBE_DEADLINE_SECONDS:.0f} seconds"


def _fault(ask: Callable[[float], object]) -> str | None:
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        ask(PROBE_SECONDS)
    except (RepositoryNotFoundError, RevisionNotFoundError):
        return None
    except Exception as error:
        return first_line(error)
    return None


def first_line(error: BaseException) -> str:
    """First line of a library's message, or the error's name where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
