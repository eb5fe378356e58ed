"""A zip archive of which some members are replaced, and the others are copied as they are."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from nmt.documents.errors import DocumentError, DocumentTooLargeError, UnknownFormatError
from nmt.documents.formats.limits import MIB

MAX_MEMBERS = 2_000
MAX_UNPACKED_BYTES = 64 * MIB
"""Of all members that are read."""
MAX_RATIO = 100
"""Of a member's size to its packed size."""
_MIN_SUSPECT_BYTES = MIB
_PIECE = 2**16
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_ENCRYPTED = 0x1
_DESCRIPTOR = 0x8
_UTF_8 = 0x800
_VERSION = 20


@dataclass(frozen=True, slots=True)
class _Member:
    """A file in the archive."""

    info: zipfile.ZipInfo
    start: int
    """Of its packed bytes."""
    end: int


class _Entry(NamedTuple):
    """What the lists of an archive say of a member's content."""

    crc: int
    size: int
    method: int


class Archive:
    """A zip archive."""

    def __init__(self, data: bytes) -> None:
        """Read the list of members.

        Raises:
            DocumentError: it is damaged, or has names that could write outside a folder.
            DocumentTooLargeError: it has too many members.
            UnknownFormatError: it is encrypted.
        """
        self._data = data
        self._unpacked = 0
        # A signature for each member: the list is not even read if there are far too many.
        if data.count(b"PK\x01\x02") > 10 * MAX_MEMBERS:
            raise _too_many()
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as file:
                infos = file.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
            raise DocumentError("The file is a damaged zip archive.") from None
        if len(infos) > MAX_MEMBERS:
            raise _too_many()
        self._members = {info.filename: self._locate(info) for info in infos}
        _check_names([info.filename for info in infos])
        self._check_overlaps()

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a member of that name."""
        return name in self._members

    @property
    def names(self) -> list[str]:
        """Return the names of all members, in the order of the archive."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """Unpack a member.

        Raises:
            DocumentError: it is damaged, or packed in another way than Word's.
            DocumentTooLargeError: it is far larger than what is packed, or all are too large.
        """
        member = self._members[name]
        packed = self._data[member.start : member.end]
        if member.info.compress_type == zipfile.ZIP_STORED:
            unpacked = packed
            self._count(name, len(packed), len(packed))
        elif member.info.compress_type == zipfile.ZIP_DEFLATED:
            unpacked = self._inflate(name, packed)
        else:
            raise DocumentError(f"{name!r} in the archive is packed in an unknown way.")
        self._unpacked += len(unpacked)
        if zlib.crc32(unpacked) != member.info.CRC:
            raise DocumentError(f"{name!r} in the archive is damaged: its check sum is wrong.")
        return unpacked

    def write(self, replaced: Mapping[str, bytes]) -> bytes:
        """Write the archive with some members replaced, and the others as they are packed."""
        pieces: list[bytes] = []
        directory: list[bytes] = []
        offset = 0
        for name, member in self._members.items():
            if name in replaced:
                content = replaced[name]
                packed = _deflate(content)
                entry = _Entry(zlib.crc32(content), len(content), zipfile.ZIP_DEFLATED)
            else:
                packed = self._data[member.start : member.end]
                entry = _Entry(member.info.CRC, member.info.file_size, member.info.compress_type)
            local, central = _headers(member.info, entry, len(packed), offset)
            pieces += [local, packed]
            directory.append(central)
            offset += len(local) + len(packed)
        size = sum(len(central) for central in directory)
        count = len(directory)
        end = _END.pack(b"PK\x05\x06", 0, 0, count, count, size, offset, 0)
        return b"".join([*pieces, *directory, end])

    def _locate(self, info: zipfile.ZipInfo) -> _Member:
        """Find the packed bytes of a member."""
        if info.flag_bits & _ENCRYPTED:
            raise UnknownFormatError("The file is protected by a password. Save it without one.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise DocumentError(f"{info.filename[:80]!r} in the archive is a link.")
        header = self._data[info.header_offset : info.header_offset + _LOCAL.size]
        if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
            raise DocumentError("The file is a damaged zip archive.")
        *_, name_length, extra_length = _LOCAL.unpack(header)
        start = info.header_offset + _LOCAL.size + name_length + extra_length
        end = start + info.compress_size
        if end > len(self._data):
            raise DocumentError("The file is a damaged zip archive: it is cut off.")
        return _Member(info, start, end)

    def _check_overlaps(self) -> None:
        """Refuse members that share bytes: a small archive could unpack to endless ones."""
        at = 0
        for member in sorted(self._members.values(), key=lambda each: each.info.header_offset):
            if member.info.header_offset < at:
                raise DocumentError("Members of the archive overlap.")
            at = member.end

    def _inflate(self, name: str, packed: bytes) -> bytes:
        """Unpack, and count while doing so, as the size that the archive states may be wrong."""
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        pieces: list[bytes] = []
        size = at = 0
        rest = b""
        try:
            while not unpacker.eof:
                # In small portions: what is not consumed is copied with each call.
                if not rest:
                    rest = packed[at : at + _PIECE]
                    at += len(rest)
                piece = unpacker.decompress(rest, _PIECE)
                if not (piece or rest or unpacker.eof):
                    raise DocumentError(f"{name!r} in the archive is damaged: it is cut off.")
                rest = unpacker.unconsumed_tail
                pieces.append(piece)
                size += len(piece)
                self._count(name, size, len(packed))
        except zlib.error:
            raise DocumentError(f"{name!r} in the archive is damaged.") from None
        return b"".join(pieces)

    def _count(self, name: str, size: int, packed: int) -> None:
        """Refuse a member, or all members read so far, above a limit."""
        if size > _MIN_SUSPECT_BYTES and size > MAX_RATIO * packed:
            raise DocumentTooLargeError(
                f"{name!r} in the archive unpacks to more than {MAX_RATIO} times its packed size."
            )
        if self._unpacked + size > MAX_UNPACKED_BYTES:
            raise DocumentTooLargeError(
                f"The texts of the archive unpack to more than {MAX_UNPACKED_BYTES // MIB} MiB."
            )


def _too_many() -> DocumentTooLargeError:
    return DocumentTooLargeError(f"The archive has more than {MAX_MEMBERS:,} members.")


def _check_names(names: list[str]) -> None:
    """Refuse names that leave the archive's folder, and members of the same name."""
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise DocumentError(f"The archive has a member outside of it: {name[:80]!r}.")
    if len({name.casefold() for name in names}) < len(names):
        raise DocumentError("The archive has several members of the same name.")


def _deflate(content: bytes) -> bytes:
    """Pack a member."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def _headers(
    info: zipfile.ZipInfo, entry: _Entry, packed_size: int, offset: int
) -> tuple[bytes, bytes]:
    """Return the header before a member, and its entry in the list at the end."""
    name = info.orig_filename.encode("utf-8" if info.flag_bits & _UTF_8 else "cp437")
    # Sizes come before the content, so no descriptor follows it.
    flags = info.flag_bits & ~_DESCRIPTOR
    time = _dos_time(info)
    common = (flags, entry.method, *time, entry.crc, packed_size, entry.size, len(name), 0)
    made_by = info.create_system << 8 | _VERSION
    local = _LOCAL.pack(b"PK\x03\x04", _VERSION, *common)
    central = _CENTRAL.pack(
        b"PK\x01\x02", made_by, _VERSION, *common, 0, 0, 0, info.external_attr, offset
    )
    return local + name, central + name


def _dos_time(info: zipfile.ZipInfo) -> tuple[int, int]:
    """Return the time and date of a member as archives have them."""
    year, month, day, hour, minute, second = info.date_time
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
