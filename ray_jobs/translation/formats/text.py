"""Plain lines, of which the output has only the translations."""

from collections.abc import Iterator
from typing import BinaryIO

from typing_extensions import override

from ray_jobs.translation.formats.rows import Added, Concatenated, Rows, grouped, written
from ray_jobs.translation.lines import read_lines

_LINE_BREAKS = str.maketrans({"\n": " ", "\r": " "})
SEPARATORS = str.maketrans({"\n": " ", "\r": " ", "\t": " "})


class TextRows(Rows):
    """Lines of plain text."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    @override
    def content(self) -> str:
        return "\n".join(self.texts)

    @override
    def piece(self, added: Added, *, is_first: bool) -> bytes:
        return "".join(f"{line}\n" for line in lines_of(added)).encode()


class TextFormat(Concatenated):
    """A text file with one text per line."""

    @override
    def read(self, stream: BinaryIO, file: str, size: int) -> Iterator[TextRows]:
        return map(TextRows, grouped(read_lines(stream, file), size))


def lines_of(added: Added) -> Iterator[str]:
    """Write each row as a line, with tabs between several columns."""
    columns = list(added.values())
    # A tab of the text itself stays where it cannot be taken for the end of a column.
    table = SEPARATORS if len(columns) > 1 else _LINE_BREAKS
    for row in zip(*columns, strict=True):
        yield "\t".join(written(value).translate(table) for value in row)
