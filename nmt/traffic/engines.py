"""What traffic must know of the engines on the storage root: their files and their languages."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt.errors import StorageError, first_validation_error
from nmt.provenance.verification import signed_engine
from nmt.runs import layout
from nmt.storage import Storage
from nmt.traffic.route_keys import LANGUAGE, RouteName


class _Card(BaseModel):
    """A part of `engine.json`. The whole card belongs to a package above this one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    source_language: str = Field(pattern=LANGUAGE)
    target_language: str = Field(pattern=LANGUAGE)
    run: str = ""
    base: str = ""


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
        card = _read_card(storage, digest)
        _known_pairs[place] = RouteName(card.source_language, card.target_language)
    return _known_pairs[place]


def descends_from(storage: Storage, digest: str, older: str) -> bool:
    """Tell whether an engine is of the same run as another one, or was trained from its model.

    Raises:
        StorageError: a card is missing or cannot be read; names the command that makes it again.
    """
    card, before = _read_card(storage, digest), _read_card(storage, older)
    if not before.run:
        return False
    merged = layout.merged_model(before.run)
    return card.run == before.run or f"/{card.base}".endswith(f"/{merged}")


def _read_card(storage: Storage, digest: str) -> _Card:
    path = f"{layout.engine(digest)}/engine.json"
    with explain_damage(storage, digest):
        try:
            return _Card.model_validate(storage.read_json(path))
        except ValidationError as error:
            place, problem = storage.locate(path), first_validation_error(error)
            raise StorageError(f"{place} is not an engine card ({problem})") from None


def fetch_engine(storage: Storage, digest: str) -> Path:
    """Fetch an engine as a local folder, and verify it.

    Raises:
        StorageError: it is missing or damaged; names the command that makes it again.
    """
    with explain_damage(storage, digest):
        return storage.fetch(layout.engine(digest))


@contextmanager
def open_engine(storage: Storage, digest: str, public_key: str | None) -> Iterator[Path]:
    """Provide a verified engine as a local folder, to be loaded within the block.

    Args:
        storage: the storage root.
        digest: of the engine.
        public_key: as `serving.public_key` has it; None takes engines that are not signed.

    Raises:
        StorageError: it is missing or damaged; names the command that makes it again.
        SignatureError: a public key is given, and the engine is not what its key has signed.
    """
    if public_key is None:
        yield fetch_engine(storage, digest)
        return
    with explain_damage(storage, digest), signed_engine(storage, digest, public_key) as folder:
        yield folder


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
