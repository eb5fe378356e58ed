"""A reader for JSON lines and JSON arrays."""

from collections.abc import Iterator

from nmt.data.formats.corpus import Corpus
from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.rows import Row
from nmt.data.formats.tables.chat import remove_instructions
from nmt.data.formats.tables.json_array import json_array
from nmt.data.formats.tables.json_lines import json_lines
from nmt.data.formats.tables.records import RecordReader
from nmt.data.formats.tables.values import check_values

_HEAD_BYTES = 1024


def read_json(corpus: Corpus) -> Iterator[Row]:
    """Read the pairs of a file with an object in each line, or with one array of objects.

    Raises:
        DataError: an array is not valid JSON, or no keys fit.
    """
    records = (json_array if _is_array(corpus.file) else json_lines)(corpus.file)
    pairs = remove_instructions(RecordReader(corpus).read(records), corpus)
    yield from check_values(pairs, corpus)


def _is_array(file: InputFile) -> bool:
    with open_bytes(file) as stream:
        head = stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"[")
