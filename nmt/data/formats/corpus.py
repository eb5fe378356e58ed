"""The description of an input that every reader takes."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nmt.data.formats.files.input_file import InputFile

SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "devtest", "testing", "evaluation", "eval"),
}
"""Names that data sets use for each split, the most common first."""


class ExtraColumn(NamedTuple):
    """A column that is read beside the sentences, such as the domain or a further reference."""

    side: str
    """What it holds, as in the name of its setting: `target`, `domain` or `document`."""
    name: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """An input of `nmt prepare`: its path, its two languages and its columns."""

    path: str
    """File, folder or `datasets` name."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    target_path: str | None = None
    source_column: str | None = None
    target_column: str | None = None
    score_column: str | None = None
    extra_columns: tuple[ExtraColumn, ...] = ()
    exact: bool = False
    """Whether it is a test set, of which every row counts and no character is changed."""
    part: str = "train"
    """Split that this input is for."""
    setting: str = "data.path"
    """Setting that names the path, for messages."""
    max_pairs: int | None = None
    """Maximum number of pairs to read."""
    entry: InputFile | None = None
    """File to read, if `path` only describes it, as for a member of an archive."""
    target_entry: InputFile | None = None

    @property
    def file(self) -> InputFile:
        """Return the file at the path; a hub data set has none there."""
        return self.entry or InputFile(Path(self.path))

    @property
    def target_file(self) -> InputFile | None:
        """Return the file of the target side, if the two languages are in two text files."""
        if self.target_entry is None and self.target_path is not None:
            return InputFile(Path(self.target_path))
        return self.target_entry

    @property
    def target_setting(self) -> str:
        """Name the setting of the target side's file."""
        return f"{self.setting.removesuffix('path')}target_path"

    @property
    def format_setting(self) -> str:
        """Name the setting of the format."""
        return f"{self.setting.rpartition('.')[0]}.format"

    @property
    def language_settings(self) -> str:
        """Name the settings of the two languages."""
        # A test set may have other languages than the training pairs; a corpus may not.
        section = self.setting.rpartition(".")[0]
        if not section.startswith("evaluation."):
            section = "data"
        return f"{section}.source_language and {section}.target_language"

    @property
    def is_part(self) -> bool:
        """Tell whether it is one file of a folder or an archive."""
        return self.entry is not None

    def column_setting(self, side: str) -> str:
        """Name the setting of a column, such as that of the source."""
        return f"{self.setting.rpartition('.')[0]}.{side}_column"
