"""A file of an input, which may be a member of a zip archive."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from nmt.errors import DataError

SAVE_SHEET = "open it in a spreadsheet program, save the sheet as CSV (UTF-8), and name that file"
_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file, or a member of a zip archive."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        """Return the path, with the member as if it were in a folder of the archive's name."""
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"

    @property
    def name(self) -> str:
        """Return the name without folders."""
        return self.path.name if self.member is None else self.member.rpartition("/")[2]

    def is_same(self, other: "InputFile") -> bool:
        """Tell whether two names mean one file."""
        return self.member == other.member and (
            self.path.exists() and other.path.exists() and self.path.samefile(other.path)
        )

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file for reading; a member of an archive is unpacked while it is read.

        Raises:
            DataError: the file cannot be read, or the archive is damaged or has a password.
        """
        try:
            with self._open() as stream:
                yield stream
        except (zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{self.path} is damaged ({error}): copy it again") from None
        except OSError as error:
            raise DataError(f"{self} cannot be read: {error.strerror or error}") from None

    def _open(self) -> BinaryIO:
        if self.member is None:
            return self.path.open("rb")
        try:
            # The member stays readable when the archive is closed.
            with zipfile.ZipFile(self.path) as archive:
                return cast(BinaryIO, archive.open(self.member))
        # Python cannot read every way of packing, nor a member with a password.
        except (NotImplementedError, RuntimeError) as error:
            raise DataError(
                f"{self} cannot be unpacked ({error}): unpack the archive, then name its files"
            ) from None


def is_zip(path: Path) -> bool:
    """Tell whether a file begins as a zip archive."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def zip_members(path: Path) -> list[InputFile]:
    """List the files in a zip archive, without hidden ones.

    Raises:
        DataError: the archive is damaged, or is a document of an office program.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise DataError(f"{path} is a damaged zip archive: copy it again") from None
    document = _describe_document(names)
    if document is not None:
        raise DataError(f"{path} is {document[0]}, not text: {document[1]}")
    return [InputFile(path, name) for name in sorted(names) if not _is_hidden(name)]


def _describe_document(names: list[str]) -> tuple[str, str] | None:
    """Describe an office document by the names in its archive, and what the user can do."""
    if any(name.startswith("xl/") for name in names):
        return "an Excel workbook (a zip archive)", SAVE_SHEET
    if any(name.startswith("word/") for name in names):
        return "a Word document (a zip archive)", "copy its sentences into a CSV, TSV or text file"
    if "content.xml" in names and "mimetype" in names:
        return "an OpenDocument file (a zip archive)", SAVE_SHEET
    return None


def _is_hidden(name: str) -> bool:
    # `__MACOSX` holds copies that macOS adds to archives.
    # An archive lists its folders too.
    return name.endswith("/") or any(part.startswith((".", "__")) for part in name.split("/"))
