"""What all formats have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, Protocol, TypeVar

from nmt.data.formats.tables.columns import matches_language
from nmt.errors import DataError, did_you_mean

CONFIDENCE = "confidence"
"""Begins the names of the columns that hold numbers."""
Value = str | float | None
Added = Mapping[str, Sequence[Value]]
"""The columns to add, by name, each with a value for each row."""

_COMMON_NAMES = ("source", "src", "text", "sentence")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Columns:
    """The column to translate, and what tells it from the others."""

    wanted: str
    """Name or number; empty: found by its name."""
    language: str
    """FLORES-200 code of the texts."""

    @property
    def number(self) -> int | None:
        """Return the number of the column, counted from 1; None if it has a name."""
        return int(self.wanted) if self.wanted.isascii() and self.wanted.isdigit() else None

    def find(self, names: Sequence[str], file: str) -> str:
        """Find the name of the column to translate.

        Raises:
            DataError: no column fits, or several do.
        """
        listed = ", ".join(names[:20])
        number = self.number
        if self.wanted in names:
            return self.wanted
        if number is not None and 0 < number <= len(names):
            return names[number - 1]
        if self.wanted:
            raise DataError(
                f"{file}: there is no column {self.wanted!r}; it has {listed}."
                f"{did_you_mean(self.wanted, names)}"
            )
        of_language = [name for name in names if matches_language(name, self.language)]
        common = [name for name in names if name.lower() in _COMMON_NAMES]
        found = of_language or common or (list(names) if len(names) == 1 else [])
        if len(found) != 1:
            fitting = f"{' and '.join(found)} could be" if found else "no column name shows"
            raise DataError(
                f"{file}: {fitting} the text to translate, of {listed}: name it with --column"
            )
        return found[0]


class Rows(ABC):
    """Rows that are translated together: their texts, and what is carried along."""

    texts: list[str]

    @abstractmethod
    def content(self) -> str:
        """Return what tells these rows from others."""

    @abstractmethod
    def piece(self, added: Added, *, is_first: bool) -> bytes:
        """Write the rows with the added columns, as a part of the output file.

        Args:
            added: the columns.
            is_first: whether the part begins the file, and has its header.
        """


class FileFormat(Protocol):
    """A format of files, which are read and written in pieces."""

    def read(self, stream: BinaryIO, file: str, size: int) -> Iterator[Rows]:
        """Read a file in groups of at most `size` rows; an empty file has one empty group.

        Raises:
            DataError: names the file, the place in it and the problem.
        """
        ...

    def join(self, pieces: Iterable[bytes], sink: BinaryIO) -> None:
        """Write the pieces as one file."""
        ...


class Concatenated(FileFormat):
    """A format whose pieces, one after the other, are the file."""

    def join(self, pieces: Iterable[bytes], sink: BinaryIO) -> None:
        """Write the pieces as one file."""
        for piece in pieces:
            sink.write(piece)


def grouped(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Group rows; yield one empty group if there are none."""
    remaining = iter(rows)
    group = list(islice(remaining, size))
    yield group
    while len(group) == size:
        group = list(islice(remaining, size))
        if group:
            yield group


def check_new(names: Iterable[str], there: Sequence[str], file: str) -> None:
    """Refuse to add a column that is there.

    Raises:
        DataError: names the column.
    """
    for name in names:
        if name in there:
            raise DataError(
                f"{file} has a column {name!r} already: choose another name with --output-column"
            )


def written(value: Value) -> str:
    """Write a value as text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.4f}"
