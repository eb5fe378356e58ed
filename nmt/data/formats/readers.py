"""The choice of a file's reader by its suffix."""

from collections.abc import Callable, Iterator
from pathlib import PurePath

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.unpack import PACKINGS
from nmt.data.formats.rows import Row
from nmt.data.formats.tables.json_reader import read_json
from nmt.data.formats.tables.table import read_csv, read_tsv
from nmt.data.formats.text import read_text

Reader = Callable[[Corpus], Iterator[Row]]
FORMATS = {
    ".jsonl": "jsonl",
    ".json": "json",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tmx": "tmx",
    ".xlf": "xliff",
    ".xliff": "xliff",
    ".sdlxliff": "xliff",
    ".mqxliff": "xliff",
    ".po": "po",
    ".parquet": "parquet",
    ".txt": "text",
}


def without_packing(name: str) -> str:
    """Remove the suffix of a packed file, such as `.gz`, from a name."""
    suffixes = (packing.suffix for packing in PACKINGS)
    found = next((suffix for suffix in suffixes if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(found)]


def suffix(name: str) -> str:
    """Return the suffix of a name in lower case, for packed files the one before `.gz`."""
    return PurePath(without_packing(name)).suffix.lower()


def reader(name: str) -> Reader:
    """Return the reader of a format."""
    # Imported only when needed, since defusedxml, polib and pyarrow are large.
    if name == "tmx":
        from nmt.data.formats.xml.tmx import read_tmx

        return read_tmx
    if name == "xliff":
        from nmt.data.formats.xml.xliff import read_xliff

        return read_xliff
    if name == "po":
        from nmt.data.formats.po import read_po

        return read_po
    if name == "parquet":
        from nmt.data.formats.arrow import read_parquet

        return read_parquet
    # A JSON file is an array or has one object in each line, whatever its name says.
    return {
        "jsonl": read_json,
        "json": read_json,
        "csv": read_csv,
        "tsv": read_tsv,
        "text": read_text,
    }[name]
