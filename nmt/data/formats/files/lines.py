"""A reader for the lines of UTF-8 files, packed or not."""

import re
from collections.abc import Iterator
from typing import BinaryIO

from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.unpack import open_bytes
from nmt.data.formats.rows import BadRow
from nmt.errors import DataError

UTF_8_BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_CHUNK_BYTES = 1 << 20
_MAX_LINE_BYTES = 64 << 20
"""Maximum length of a line; a packed file can hold one that is larger than the memory."""
MAX_STRAY = 20
"""Maximum number of stray line ends in a line; with more, the file mixes two kinds."""
_QUOTED = re.compile(rb'"[^"]*"')
_LONE_CR = re.compile(rb"\r(?![\r\n])")


def read_lines(
    file: InputFile,
    *,
    max_stray: int = MAX_STRAY,
    quoted: bool = False,
    keep_strays: bool = False,
) -> Iterator[str | BadRow]:
    r"""Read lines in order, without their ends and without a byte-order mark.

    A line is damaged if it is not UTF-8 or has too many ends of another kind.

    Lines end in `\n` or `\r\n`, or in `\r` if the file has more of these. A few ends of the other
    kind inside a line are strays, which become spaces unless they are kept.

    Args:
        file: the file.
        max_stray: maximum number of strays in a line.
        quoted: whether ends between two quotes are part of the text, as in CSV.
        keep_strays: whether the text must stay as it is, as in a test set.

    Raises:
        DataError: the file cannot be opened, is UTF-16, or has a line of many megabytes.
    """
    offset = 0
    with open_bytes(file) as stream:
        ends_in_cr = _ends_in_cr(stream, quoted=quoted)
        stray = b"\n" if ends_in_cr else b"\r"
        for number, line in enumerate((_cr_lines if ends_in_cr else _lf_lines)(stream), start=1):
            if len(line) >= _MAX_LINE_BYTES:
                raise DataError(
                    f"{file}, line {number}: more than {_MAX_LINE_BYTES:,} bytes without a line "
                    "end: name a file of lines"
                )
            # An end in `\r\n` that was split at `\r` leaves its `\n` on the next line.
            text = line.removeprefix(UTF_8_BOM) if number == 1 else line.removeprefix(b"\n")
            content = text.rstrip(b"\r\n")
            strays = content.count(stray)
            if strays > max_stray:
                yield _mixed_ends(file, number, strays)
            else:
                start = offset + len(line) - len(text)
                plain = content if keep_strays else content.replace(stray, b" ")
                yield _decode(file, number, start, plain)
            offset += len(line)


def _decode(file: InputFile, number: int, start: int, content: bytes) -> str | BadRow:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        # Every line of such a file is damaged, and none can be found without its encoding.
        if number == 1 and content.startswith(UTF_16_BOMS):
            raise DataError(
                f"{file} is UTF-16, not UTF-8. Convert it: "
                f"iconv -f UTF-16 -t UTF-8 {file.name} > utf8-{file.name}"
            ) from None
        return BadRow(
            f"{file}, line {number}",
            f"the bytes from offset {start + error.start} of the file are not UTF-8. Convert it: "
            f"iconv -f ITS_ENCODING -t UTF-8 {file.name} > utf8-{file.name}",
        )


def _ends_in_cr(stream: BinaryIO, *, quoted: bool) -> bool:
    r"""Tell whether lines end in a single `\r`, as in files of old Macintosh computers."""
    head = stream.read(_CHUNK_BYTES)
    stream.seek(0)
    if quoted:
        head = _QUOTED.sub(b"", head)
    return b"\r" in head and len(_LONE_CR.findall(head.removesuffix(b"\r"))) > head.count(b"\n")


def _lf_lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(_MAX_LINE_BYTES):
        yield line


def _cr_lines(stream: BinaryIO) -> Iterator[bytes]:
    r"""Split a stream at `\r`, and keep the ends as iteration over a stream does for `\n`."""
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\r")
        yield from (line + b"\r" for line in lines)
        if len(rest) >= _MAX_LINE_BYTES:
            break
    if rest:
        yield rest


def _mixed_ends(file: InputFile, number: int, count: int) -> BadRow:
    return BadRow(
        f"{file}, line {number}",
        f"contains {count} line ends of another kind (carriage returns and line feeds are mixed). "
        "Give all lines the same end: "
        f"sed 's/\\r$//' {file.name} | tr '\\r' '\\n' > one-{file.name}",
    )
