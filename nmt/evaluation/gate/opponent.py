"""What the engine of a run has to replace, which is checked before Ray starts."""

from dataclasses import dataclass

from nmt.config import Config
from nmt.errors import InputError
from nmt.runs.records import require
from nmt.runs.steps import EXPORT
from nmt.storage import Storage
from nmt.traffic import route_key, stable_engine


@dataclass(frozen=True, slots=True)
class Opponent:
    """The route of a run, and what serves it."""

    route: str
    """Key of the route."""
    engine: str
    """Digest of the engine of the run."""
    serving: str | None
    """Digest of the engine that serves the route; None: nothing does, so the base is compared."""


def find_opponent(config: Config, storage: Storage) -> Opponent:
    """Find what the engine of a run is compared with.

    Raises:
        MissingStepError: the run is not exported.
        InputError: its engine already serves the route.
    """
    exported = require(storage, config.run, EXPORT).output
    data = config.data
    key = route_key(data.source_language, data.target_language, config.gate.domain)
    serving = stable_engine(storage, config.serving.name, key)
    if serving == exported:
        raise InputError(
            f"endpoint '{config.serving.name}' serves engine {exported} of run '{config.run}' "
            "already: there is nothing to decide"
        )
    return Opponent(key, exported, serving)
