"""Bodies with files, in the media type multipart/form-data; nothing is written to a disk."""

from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from nmt.errors import shortened
from nmt.serving.errors import InvalidRequestError, TooLargeError
from nmt.serving.web.reading.bodies import Fields, stream_within

_MAX_PARTS = 64
_MAX_FIELD_BYTES = 2**16
_MAX_EXTRA_BYTES = 2**18
"""For fields, headers and boundaries."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a form."""

    name: str
    """As the client gives it, so that it must not be used as a path."""
    media_type: str
    """As the client declares it; empty if it does not."""
    content: bytes


@dataclass(frozen=True, slots=True)
class UploadForm:
    """The fields and files of a form."""

    fields: Fields = field(default_factory=dict[str, list[str]])
    files: dict[str, UploadedFile] = field(default_factory=dict[str, UploadedFile])


async def read_multipart(request: Request, max_file_bytes: int) -> UploadForm:
    """Read a form with files.

    Args:
        request: whose media type is multipart/form-data.
        max_file_bytes: of all its files together.

    Raises:
        InvalidRequestError: the body is not a form, or has a file twice.
        TooLargeError: a file, a field, or the number of parts is above its limit.
    """
    _, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise InvalidRequestError("the header Content-Type names no boundary between the parts")
    parts = _Parts(max_file_bytes)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_part_data": parts.add_data,
                "on_part_end": parts.end,
                "on_header_field": parts.add_name,
                "on_header_value": parts.add_value,
                "on_header_end": parts.end_header,
                "on_headers_finished": parts.end_headers,
                "on_end": parts.finish,
            },
        )
        async for chunk in stream_within(request, max_file_bytes + _MAX_EXTRA_BYTES):
            parser.write(chunk)
        parser.finalize()
    except FormParserError as error:
        reason = shortened(str(error))
        raise InvalidRequestError(f"the body is not multipart/form-data: {reason}") from None
    if not parts.is_finished:
        raise InvalidRequestError("the body ends before its last boundary")
    return parts.form


class _Parts:
    """The parts of a form, as the parser finds them."""

    def __init__(self, max_file_bytes: int) -> None:
        self.form = UploadForm()
        self.is_finished = False
        self._max_file_bytes = self._free = max_file_bytes
        self._count = 0
        self._is_file = False
        self._name = self._file_name = ""
        self._headers: dict[str, bytes] = {}
        self._header_name, self._header_value = bytearray(), bytearray()
        # Not a list: the parser may find a long file in pieces of a byte.
        self._content = bytearray()

    def begin(self) -> None:
        """Begin a part."""
        self._count += 1
        if self._count > _MAX_PARTS:
            raise TooLargeError(f"the form has more than {_MAX_PARTS} parts")
        self._headers.clear()
        self._content = bytearray()

    def add_name(self, data: bytes, start: int, end: int) -> None:
        """Add to the name of a header."""
        self._header_name += data[start:end]

    def add_value(self, data: bytes, start: int, end: int) -> None:
        """Add to the value of a header."""
        self._header_value += data[start:end]

    def end_header(self) -> None:
        """End a header."""
        name = self._header_name.decode("latin-1").lower()
        self._headers[name] = bytes(self._header_value)
        self._header_name, self._header_value = bytearray(), bytearray()

    def end_headers(self) -> None:
        """Decide from its headers what a part is."""
        _, options = parse_options_header(self._headers.get("content-disposition"))
        if b"name" not in options:
            raise InvalidRequestError("a part of the form has no name")
        self._name = options[b"name"].decode(errors="replace")
        self._is_file = b"filename" in options
        self._file_name = options.get(b"filename", b"").decode(errors="replace")
        if self._is_file and self._name in self.form.files:
            raise InvalidRequestError(f"{shortened(self._name)}: there are two files of this name")

    def add_data(self, data: bytes, start: int, end: int) -> None:
        """Add to the content of a part."""
        if self._is_file:
            self._free -= end - start
            if self._free < 0:
                mib = self._max_file_bytes / 2**20
                raise TooLargeError(f"the file is larger than {mib:g} MiB")
        elif len(self._content) + end - start > _MAX_FIELD_BYTES:
            name = shortened(self._name)
            raise TooLargeError(f"{name}: the field is longer than {_MAX_FIELD_BYTES} bytes")
        self._content += data[start:end]

    def end(self) -> None:
        """Keep a part that is complete."""
        content = bytes(self._content)
        if self._is_file:
            media_type = self._headers.get("content-type", b"").decode("latin-1")
            self.form.files[self._name] = UploadedFile(self._file_name, media_type, content)
            return
        try:
            self.form.fields.setdefault(self._name, []).append(content.decode())
        except UnicodeDecodeError:
            name = shortened(self._name)
            raise InvalidRequestError(f"{name}: the field is not text in UTF-8") from None

    def finish(self) -> None:
        """Note that the last boundary was found."""
        self.is_finished = True
