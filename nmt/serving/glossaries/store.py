"""The glossaries of an endpoint on the storage root, and what a replica remembers of them."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from pydantic import ValidationError

from nmt.errors import InputError, StorageError, first_validation_error, shortened
from nmt.runs import layout
from nmt.serving.errors import StorageUnavailableError, UnknownGlossaryError
from nmt.serving.glossaries.glossary import Glossary, check_name
from nmt.storage import Storage

log = logging.getLogger(__name__)

_SUFFIX = ".json"


T = TypeVar("T")


@dataclass(slots=True)
class _Remembered(Generic[T]):
    """What was read at a time."""

    time: float | None = None
    """None before it was read."""
    value: T | None = None


def glossary_names(storage: Storage, endpoint: str) -> list[str]:
    """List the glossaries of an endpoint.

    Raises:
        StorageError: the folder cannot be listed.
    """
    files = storage.list(layout.glossaries(endpoint))
    return [file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX)]


def read_glossary(storage: Storage, endpoint: str, name: str) -> Glossary | None:
    """Read a glossary; None if there is none of this name.

    Raises:
        StorageError: it is damaged, or cannot be read.
    """
    path = _path(endpoint, name)
    found = storage.read_versioned(path)
    if found is None:
        return None
    try:
        return Glossary.model_validate_json(found.content)
    except ValidationError as error:
        raise StorageError(
            f"{storage.locate(path)}: not a glossary of this release "
            f"({first_validation_error(error)}): add it again"
        ) from None


def write_glossary(storage: Storage, endpoint: str, name: str, glossary: Glossary) -> bool:
    """Store a glossary.

    Returns:
        Whether it replaced another one.

    Raises:
        InputError: the name cannot be used.
        StorageError: it cannot be written.
    """
    check_name(name)
    replaces = storage.exists(_path(endpoint, name))
    storage.write_bytes(_path(endpoint, name), glossary.model_dump_json(indent=1).encode() + b"\n")
    return replaces


def remove_glossary(storage: Storage, endpoint: str, name: str) -> None:
    """Remove a glossary.

    Raises:
        InputError: there is none of this name.
        StorageError: it cannot be removed.
    """
    names = glossary_names(storage, endpoint)
    if name not in names:
        known = ", ".join(names) or "none"
        raise InputError(f"endpoint '{endpoint}' has no glossary '{name}'; glossaries: {known}")
    storage.delete(_path(endpoint, name))


def _path(endpoint: str, name: str) -> str:
    return f"{layout.glossaries(endpoint)}/{name}{_SUFFIX}"


class Glossaries:
    """The glossaries of an endpoint as a replica knows them."""

    def __init__(
        self,
        storage: Storage,
        endpoint: str,
        poll_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Set up; nothing is read yet.

        Args:
            storage: the storage root.
            endpoint: name of the endpoint.
            poll_seconds: time for which what was read is used.
            clock: returns seconds.
        """
        self._storage, self._endpoint = storage, endpoint
        self._poll_seconds, self._clock = poll_seconds, clock
        self._names = _Remembered[list[str]]()
        self._glossaries: dict[str, _Remembered[Glossary | None]] = {}
        self._lock = asyncio.Lock()

    async def terms(self, name: str, source: str, target: str) -> Mapping[str, str]:
        """Return the terms of a glossary.

        Args:
            name: of the glossary.
            source: FLORES-200 code.
            target: FLORES-200 code.

        Raises:
            UnknownGlossaryError: there is none of this name, or it is for other languages.
            StorageUnavailableError: it cannot be read, and never was.
        """
        # One request reads; those that come in the meantime wait for it.
        async with self._lock:
            glossary = await self._find(name)
        if glossary is None:
            known = ", ".join(self._names.value or ()) or "none"
            raise UnknownGlossaryError(
                f"this endpoint has no glossary '{shortened(name)}'; it has: {known}"
            )
        pair = glossary.source_language, glossary.target_language
        if pair != (source, target):
            raise UnknownGlossaryError(
                f"the glossary '{name}' is from {pair[0]} to {pair[1]}, and the text is translated "
                f"from {source} to {target}"
            )
        return glossary.terms

    async def _find(self, name: str) -> Glossary | None:
        # By the list of names, so that a wrong name in each of many requests reads nothing.
        names = await self._refreshed(
            self._names, lambda: glossary_names(self._storage, self._endpoint)
        )
        if name not in names:
            self._glossaries.pop(name, None)
            return None
        remembered = self._glossaries.setdefault(name, _Remembered())
        return await self._refreshed(
            remembered, lambda: read_glossary(self._storage, self._endpoint, name)
        )

    async def _refreshed(self, remembered: "_Remembered[T]", read: Callable[[], T]) -> T:
        """Return what is remembered, read again if it is too old."""
        now = self._clock()
        if remembered.time is None or now >= remembered.time + self._poll_seconds:
            try:
                remembered.value = await asyncio.to_thread(read)
            except StorageError as error:
                # The message names paths, which are not for clients.
                log.error("the glossaries cannot be read: %s", error)
                if remembered.time is None:
                    raise StorageUnavailableError("the glossaries cannot be read") from None
            remembered.time = now
        return cast("T", remembered.value)
