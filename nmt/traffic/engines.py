"""What traffic must know of the engines on the storage root: their files and their languages."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt.errors import StorageError, first_validation_error
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic.route_keys import LANGUAGE, RouteName


class _Card(BaseModel):
    """The languages in `engine.json`. The whole card belongs to a package above this one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_language: str = Field(pattern=LANGUAGE)
    target_language: str = Field(pattern=LANGUAGE)


# An engine's folder is named by a digest of its content, languages included, so what was read once
# stays true. Replicas read the traffic file every few seconds.
_known_pairs: dict[str, RouteName] = {}


def language_pair(storage: Storage, digest: str) -> RouteName:
    """Read which languages an engine translates.

    Raises:
        StorageError: its card is missing or cannot be read; names the command that makes it again.
    """
    path = f"{layout.engine(digest)}/engine.json"
    place = storage.locate(path)
    if place not in _known_pairs:
        with explain_damage(storage, digest):
            try:
                card = _Card.model_validate(storage.read_json(path))
            except ValidationError as error:
                problem = first_validation_error(error)
                raise StorageError(f"{place} is not an engine card ({problem})") from None
        _known_pairs[place] = RouteName(card.source_language, card.target_language)
    return _known_pairs[place]


def fetch_engine(storage: Storage, digest: str) -> Path:
    """Fetch an engine as a local folder, and verify it.

    Raises:
        StorageError: it is missing or damaged; names the command that makes it again.
    """
    with explain_damage(storage, digest):
        return storage.fetch(layout.engine(digest))


@contextmanager
def explain_damage(storage: Storage, digest: str) -> Iterator[None]:
    """Add to an error how the engine is made again."""
    try:
        yield
    except StorageError as error:
        run = "of the run that it came from"
        # The manifest, which names the run, may be what is damaged.
        with suppress(StorageError, KeyError):
            run = f"run={storage.manifest(layout.engine(digest))['meta']['run']}"
        raise StorageError(f"{error}: give `nmt export` {run}, which makes it again") from error
