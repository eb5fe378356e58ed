"""The choice of a file's reader by its suffix."""

from collections.abc import Callable, Iterator
from pathlib import Path

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.rows import Row
from nmt.data.formats.tables.json import read_jsonl
from nmt.data.formats.tables.table import read_csv, read_tsv
from nmt.data.formats.text import read_text

Reader = Callable[[Corpus], Iterator[Row]]
FORMATS = {
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tmx": "tmx",
    ".parquet": "parquet",
    ".txt": "text",
}


def suffix(path: Path) -> str:
    """Return the suffix in lower case, for packed files the one before `.gz`."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def reader(name: str) -> Reader:
    """Return the reader of a format."""
    # Imported only when needed, since defusedxml and pyarrow are large.
    if name == "tmx":
        from nmt.data.formats.xml.tmx import read_tmx

        return read_tmx
    if name == "parquet":
        from nmt.data.formats.arrow import read_parquet

        return read_parquet
    return {"jsonl": read_jsonl, "csv": read_csv, "tsv": read_tsv, "text": read_text}[name]
