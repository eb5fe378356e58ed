"""A study whose first sheets are out, and raters who give them back."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from nmt.ratings.given import Rating
from nmt.ratings.imports import Imported, import_files
from nmt.ratings.studies import read_keys, read_ratings, start_study, write_batch
from nmt.storage import Storage
from tests.support.ratings.studies import Fill, design, fill_in, score_by, write

GOOD = score_by({"old": 60.0, "new": 75.0})


class WrittenStudy:
    """A study with a written first batch."""

    def __init__(self, folder: Path, **wishes: object) -> None:
        self.folder = folder
        self.storage = Storage(str(folder / "runs"))
        self.design = start_study(self.storage, design(**wishes))  # type: ignore[arg-type]
        self.batch = write_batch(self.storage, self.design, folder / "sheets", "csv")
        self.key = read_keys(self.storage, self.design)[0]

    def filled(self, fill: Fill = GOOD, delimiter: str = ",", sheet: int = 0) -> bytes:
        """Fill in a sheet."""
        return fill_in(self.batch.files[sheet].read_bytes(), self.key, fill, delimiter)

    def rows(self, sheet: int = 0) -> list[dict[str, str]]:
        """Read the rows of a sheet before anybody has filled them in."""
        text = self.batch.files[sheet].read_bytes().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def give_back(
        self,
        content: bytes,
        name: str = "back.csv",
        *,
        replace: bool = False,
        partial: bool = False,
    ) -> list[Imported]:
        """Import a file."""
        path = write(self.folder, name, content)
        return import_files(self.storage, "demo", [path], replace=replace, partial=partial)

    def ratings(self) -> tuple[Rating, ...]:
        """Read the ratings that have come back."""
        return read_ratings(self.storage, "demo", "first")


def csv_of(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Write the rows of a sheet as a spreadsheet saves them."""
    known = list(rows)
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(known[0]))
    writer.writeheader()
    writer.writerows(known)
    return stream.getvalue().encode()
