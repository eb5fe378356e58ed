"""JSON pointers of users, with `*` for any key, that choose values of a file."""

from collections.abc import Sequence

from nmt.documents.errors import DocumentError


class Pointers:
    """Pointers that choose a value, or every value inside a list or an object.

    Args:
        option: their name, for errors.
        pointers: such as `/pages/*/title`.

    Raises:
        DocumentError: one is not a JSON pointer.
    """

    def __init__(self, option: str, pointers: Sequence[str]) -> None:
        self._option = option
        for pointer in pointers:
            if not pointer.startswith("/"):
                raise DocumentError(
                    f"{option}: {pointer[:100]!r} is not a JSON pointer. It begins with '/', "
                    "such as '/pages/*/title' for the title of every page."
                )
        self._parts = {
            pointer: tuple(
                part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")
            )
            for pointer in pointers
        }
        self._unused = set(pointers)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def has(self, path: Sequence[str]) -> bool:
        """Tell whether a value is chosen."""
        found = [pointer for pointer, parts in self._parts.items() if _begins(path, parts)]
        self._unused.difference_update(found)
        return bool(found)

    def check_all_used(self) -> None:
        """Refuse pointers that have chosen nothing.

        Raises:
            DocumentError: there are some.
        """
        if self._unused:
            raise DocumentError(
                f"{self._option}: no string of the file is at {sorted(self._unused)[0][:100]!r}."
            )


def _begins(path: Sequence[str], parts: Sequence[str]) -> bool:
    """Tell whether the first keys of a path are those of a pointer."""
    return len(path) >= len(parts) and all(
        part in ("*", key) for part, key in zip(parts, path, strict=False)
    )
