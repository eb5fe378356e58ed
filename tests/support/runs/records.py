"""Records changed by a test, as if the program had written them so."""

from typing import Any

from nmt.storage import Storage


def change_record(storage: Storage, path: str, **changes: Any) -> dict[str, Any]:
    """Give fields of a record other values; what it held before, without its hash."""
    before = storage.read_json(path)
    before.pop("sha256", None)  # a record without a hash is one of an earlier release
    storage.write_json(path, {**before, **changes})
    return before
