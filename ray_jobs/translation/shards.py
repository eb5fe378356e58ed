"""Cutting an input into shards."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.cli.translation import TranslationOptions
from nmt.errors import DataError
from ray_jobs.translation.formats.jsonl import JsonFormat
from ray_jobs.translation.formats.rows import CONFIDENCE, Columns, FileFormat, Rows
from ray_jobs.translation.formats.table import TableFormat
from ray_jobs.translation.formats.text import TextFormat
from ray_jobs.translation.places import InputFile, plain_suffix

_FORMATS = {
    ".tsv": "TSV",
    ".csv": "CSV",
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
    ".json": "JSON lines",
    ".parquet": "Parquet",
}
_OTHER = {".xml", ".tmx", ".xlf", ".xliff", ".po", ".zip", ".zst", ".docx", ".xlsx", ".pdf"}
"""Suffixes of files that have texts, but not one in each line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to translate, with its format and the name of its output."""

    file: InputFile
    form: FileFormat
    output: str
    """Name of the output, or the path of a file below it if it is a folder."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Rows of one file that are translated, stored and resumed together."""

    file: int
    """Place of the file in the list of files."""
    number: int
    """Place in the file."""
    rows: Rows
    size: int
    """Bytes of the file that were read for it."""

    digest: str
    """First digits of the SHA-256 of its rows."""

    @property
    def key(self) -> str:
        """Return what names the shard, whatever its rows."""
        return f"{self.file:05}-{self.number:07}"

    @property
    def name(self) -> str:
        """Return a name that changes with the rows."""
        return f"{self.key}-{self.digest}"


def added_columns(options: TranslationOptions) -> list[str]:
    """Name the columns that are added to each row, in order."""
    names: list[str] = []
    for rank in range(1, options.nbest + 1):
        ending = f"_{rank}" if rank > 1 else ""
        names.append(f"{options.output_column}{ending}")
        names += [f"{CONFIDENCE}{ending}"] if options.confidence else []
    return names


def format_of(file: InputFile, options: TranslationOptions, language: str) -> FileFormat:
    """Choose the format of a file by its suffix.

    Raises:
        DataError: the format cannot be translated, or has no columns and --column names one.
    """
    columns, added = Columns(options.column, language), added_columns(options)
    suffix = plain_suffix(file.name)
    match suffix:
        case ".tsv" | ".csv":
            return TableFormat(columns, added, is_tsv=suffix == ".tsv")
        case ".jsonl" | ".ndjson" | ".json":
            return JsonFormat(columns, added)
        case ".parquet":
            # Imported only when needed, since it is large.
            from ray_jobs.translation.formats.parquet import ParquetFormat

            return ParquetFormat(columns, added)
        case _:
            _check_text(file, suffix, options)
            return TextFormat()


def check_output_name(file: InputFile, output: str, options: TranslationOptions) -> None:
    """Refuse an output file whose suffix shows another format than its input has.

    Raises:
        DataError: names both.
    """
    read, shown = _FORMATS.get(plain_suffix(file.name)), _FORMATS.get(plain_suffix(output))
    # Lines with several columns are a TSV file without a header.
    is_tsv = read is None and shown == "TSV" and len(added_columns(options)) > 1
    if read != shown and not is_tsv:
        raise DataError(
            f"--output {output}: the suffix shows {shown or 'plain lines'}, but the output has the "
            f"format of the input, which is {read or 'plain lines'}: choose another name"
        )


def _check_text(file: InputFile, suffix: str, options: TranslationOptions) -> None:
    if suffix in _OTHER:
        raise DataError(
            f"{file.name}: {suffix} files are not translated: write the texts as lines, TSV, CSV, "
            "JSON lines or Parquet"
        )
    # Such a file may be a table whose name does not show it.
    if options.column:
        raise DataError(
            f"{file.name} is read as plain lines, which have no columns: leave out --column, or "
            "give it the suffix .tsv, .csv, .jsonl or .parquet"
        )


def read_shards(sources: Sequence[Source], size: int) -> Iterator[Shard]:
    """Read files in shards of at most `size` rows, as they are asked for.

    Raises:
        DataError: a file cannot be read; names the place in it.
    """
    for place, source in enumerate(sources):
        with source.file.open() as (stream, packed_stream):
            before = 0
            for number, rows in enumerate(source.form.read(stream, source.file.name, size)):
                # A Parquet file is not read from beginning to end.
                position = max(before, packed_stream.tell())
                content = rows.content().encode("utf-8", "surrogatepass")
                digest = hashlib.sha256(content).hexdigest()[:16]
                yield Shard(place, number, rows, position - before, digest)
                before = position
