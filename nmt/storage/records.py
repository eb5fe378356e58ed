"""Small JSON records that later commands read back, each with a schema and its own hash."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from nmt.errors import DamagedRecordError, StorageError, first_validation_error
from nmt.storage.seal import SEAL, is_changed, is_json_object, sealed
from nmt.storage.storage import Storage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordKind(Generic[T]):
    """A kind of record: its schema and its name in messages.

    Unknown fields are ignored, since a later release may have written them. A record without a
    hash, as old releases wrote it, is accepted if it fits the schema.
    """

    schema: type[T]
    """A frozen dataclass or pydantic model."""
    name: str
    """Such as `the record of a trial`."""

    def write(self, storage: Storage, path: str, record: T) -> None:
        """Write a record with a hash of its content."""
        content = _adapter(self.schema).dump_python(record)
        storage.write_json(path, sealed(content))

    def find_or_write(self, storage: Storage, path: str, record: T) -> T:
        """Write a record unless there is one, and return what is there.

        Of several processes that do so at the same time all get the same record.

        Raises:
            StorageError: the file that is there is damaged.
        """
        content = json.dumps(sealed(_adapter(self.schema).dump_python(record))).encode()
        raw = storage.update(path, lambda found: content if found is None else found)
        return self._parse_at(storage.locate(path), raw, "delete it")

    def find(self, storage: Storage, path: str, remedy: str) -> T | None:
        """Read a record; None if there is no such file.

        Args:
            storage: the storage root.
            path: of the file, below the root.
            remedy: what the user can do about a damaged record, as a clause.

        Raises:
            StorageError: the file is damaged, was changed by hand or cannot be read.
        """
        if not storage.exists(path):
            return None
        return self._parse_at(storage.locate(path), storage.read_bytes(path), remedy)

    def update(
        self, storage: Storage, path: str, change: Callable[[T | None], T], remedy: str
    ) -> T:
        """Change a record that other processes change as well, so that no change is lost.

        Args:
            storage: the storage root.
            path: of the file, below the root.
            change: makes the new record from the current one, which is None if there is no file;
                called again if another process was faster.
            remedy: what the user can do about a damaged record, as a clause.

        Returns:
            The new record.

        Raises:
            StorageError: the file is damaged, or cannot be read or written.
        """
        place = storage.locate(path)

        def changed(content: bytes | None) -> bytes:
            current = None if content is None else self._parse_at(place, content, remedy)
            plain = _adapter(self.schema).dump_python(change(current), mode="json")
            return json.dumps(sealed(plain), indent=2, ensure_ascii=False).encode()

        return self._parse(storage.update(path, changed))

    def find_or_leave_out(
        self, storage: Storage, path: str, remedy: str, tell: Callable[[str], object]
    ) -> T | None:
        """Read an optional record; report a damaged one and return None.

        Args:
            storage: the storage root.
            path: of the file, below the root.
            remedy: what the user can do about a damaged record, as a clause.
            tell: receives the message about a damaged record.
        """
        try:
            return self.find(storage, path, remedy)
        except StorageError as error:
            tell(str(error))
            return None

    def _parse_at(self, place: str, raw: bytes, remedy: str) -> T:
        try:
            return self._parse(raw)
        except (ValueError, RecursionError) as error:
            raise DamagedRecordError(
                f"{place}: not {self.name}, so damaged ({_reason(error)}): {remedy}"
            ) from None

    def _parse(self, raw: bytes) -> T:
        content: object = json.loads(raw)
        if not is_json_object(content):
            raise ValueError("it is not a JSON object")
        if is_changed(content):
            raise ValueError("it was changed after it was written")
        content.pop(SEAL, None)
        # Strict mode takes a tuple or an enum only from JSON text, not from plain values.
        return _adapter(self.schema).validate_json(json.dumps(content), strict=True)


@cache
def _adapter(schema: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(schema)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return first_validation_error(error)
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
        return "it is not valid JSON"
    return str(error)
