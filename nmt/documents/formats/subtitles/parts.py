"""The parts of a cue that one speaker says, and their inline codes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nmt.documents.content import Code, CodeKind, Text
from nmt.documents.formats.pairing import find_pairs
from nmt.documents.formats.subtitles.cues import CueText

_SRT_CODE = re.compile(r"</?[A-Za-z][^<>\r\n]{0,300}>|\{\\[^{}\r\n]{0,300}\}|[♪♫♬]+")
_VTT_CODE = re.compile(r"</?[A-Za-z.][^<>]{0,300}>|<\d[\d:.]{3,15}>|</>|[♪♫♬]+")
_ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|lrm|rlm|quot|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_NAMED = {
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "nbsp": "\xa0",
    "lrm": "\u200e",
    "rlm": "\u200f",
    "quot": '"',
}
_DASH = re.compile(
    r"(?:^|(?<=[\r\n]))(?:[ \t]|<[^<>\r\n]{1,300}>|\{\\[^{}\r\n]{1,300}\})*+"
    r"[-–—](?![-–—>\d])[ \t]*+"
)
# Most cues have none of these.
_HAS_CODES = re.compile(r"[<{&♪♫♬]|(?:(?<=[\r\n])|^)[ \t]*+[-–—]")
_NAME = re.compile(r"</?([A-Za-z]*)")
# Voices, and notes above characters: their texts are not one sentence with what is around them.
_BREAKS = frozenset({"v", "ruby", "rt"})
_SPACE = " \t\r\n"


@dataclass(slots=True)
class Piece:
    """A text or a code, with its place in the file."""

    start: int
    end: int
    value: Text | Code


@dataclass(slots=True)
class Part:
    """What one speaker says in a cue, without the codes around it."""

    text: CueText
    start: int
    """Of the part in the file, with what is around it."""
    end: int
    core: tuple[int, int]
    """Where its words are."""
    pieces: list[Piece] = field(default_factory=list)
    """Of the core."""
    before: str = ""
    """Codes before the core that say how or by whom it is said."""
    after: str = ""
    has_dash: bool = False

    @property
    def has_codes(self) -> bool:
        """Tell whether there are codes among the words."""
        return any(isinstance(piece.value, Code) for piece in self.pieces)


def find_parts(text: str, place: CueText, *, is_vtt: bool) -> Iterator[Part]:
    """Yield the parts of a cue: lines that begin with a dash begin a part.

    Args:
        text: of the file.
        place: of the cue's text.
        is_vtt: whether the syntax is that of WebVTT.
    """
    if not _HAS_CODES.search(text, place.start, place.end):
        start, end = _stripped(text, place.start, place.end)
        if start < end:
            yield Part(place, place.start, place.end, (start, end), [_plain(text, start, end)])
        return
    starts = [match.start() for match in _DASH.finditer(text, place.start, place.end)]
    dashes = frozenset(starts)
    if not starts or starts[0] > place.start:
        starts.insert(0, place.start)
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else place.end
        pieces = _paired(list(_pieces(text, start, end, is_vtt=is_vtt)))
        has_dash = start in dashes
        first, last = _core(text, pieces, has_dash=has_dash)
        if first >= last:
            continue
        core = list(_within(text, pieces, first, last))
        before = _joined_codes(piece for piece in pieces if piece.end <= first)
        after = _joined_codes(piece for piece in pieces if piece.start >= last)
        yield Part(place, start, end, (first, last), core, before, after, has_dash)


def _pieces(text: str, start: int, end: int, *, is_vtt: bool) -> Iterator[Piece]:
    """Yield texts and codes, in which pairs are not found yet."""
    at = start
    for match in (_VTT_CODE if is_vtt else _SRT_CODE).finditer(text, start, end):
        yield from _texts(text, at, match.start(), is_vtt=is_vtt)
        yield Piece(match.start(), match.end(), Code(match[0], _kind(match[0])))
        at = match.end()
    yield from _texts(text, at, end, is_vtt=is_vtt)


def _kind(raw: str) -> CodeKind:
    """Return what a code is, before its pair is known."""
    # Music notes are at both ends of a line of a song.
    if raw[0] not in "<{":
        return "break"
    if raw[0] == "{" or raw[1].isdigit():
        return "point"
    match = _NAME.match(raw)
    if match and match[1].lower() in _BREAKS:
        return "break"
    return "close" if raw.startswith("</") else "open"


def _texts(text: str, start: int, end: int, *, is_vtt: bool) -> Iterator[Piece]:
    """Yield a stretch of text, of which escapes are pieces of their own."""
    at = start
    for match in _ENTITY.finditer(text, start, end) if is_vtt else ():
        if at < match.start():
            yield _plain(text, at, match.start())
        yield Piece(match.start(), match.end(), Text(_character(match[0][1:-1]), match[0]))
        at = match.end()
    if at < end:
        yield _plain(text, at, end)


def _plain(text: str, start: int, end: int) -> Piece:
    """Return a piece of text without escapes."""
    return Piece(start, end, Text(text[start:end], text[start:end]))


def _character(name: str) -> str:
    """Return the character of an escape."""
    if name[0] != "#":
        return _NAMED[name]
    number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    is_valid = 0 < number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_valid else "\N{REPLACEMENT CHARACTER}"


def _paired(pieces: list[Piece]) -> list[Piece]:
    """Number the codes that open and close the same element."""
    codes = [
        (at, piece, piece.value) for at, piece in enumerate(pieces) if isinstance(piece.value, Code)
    ]
    pairs = find_pairs([(code.kind, _name(code)) for _, _, code in codes])
    for (at, piece, code), pair in zip(codes, pairs, strict=True):
        if pair is not None:
            pieces[at] = Piece(piece.start, piece.end, Code(code.raw, code.kind, pair))
    return pieces


def _name(code: Code) -> str | None:
    """Return the name of the element that a code opens or closes."""
    match = _NAME.match(code.raw) if code.kind in ("open", "close") else None
    return match[1].lower() if match else None


def _core(text: str, pieces: Sequence[Piece], *, has_dash: bool) -> tuple[int, int]:
    """Return where the words of a part are, without codes and space around them."""
    first, last = 0, len(pieces)
    while first < last:
        begin, end = pieces[first].value, pieces[last - 1].value
        is_pair = isinstance(begin, Code) and isinstance(end, Code) and begin.pair is not None
        if _is_edge(begin) or (has_dash and first < 3 and _is_dash(begin)):
            first += 1
        elif _is_edge(end):
            last -= 1
        elif (
            is_pair and isinstance(end, Code) and isinstance(begin, Code) and begin.pair == end.pair
        ):
            first, last = first + 1, last - 1
        else:
            break
    if first >= last:
        return 0, 0
    start, stop = pieces[first].start, pieces[last - 1].end
    if has_dash and text[start:stop].lstrip(_SPACE)[:1] in ("-", "–", "—"):
        start += len(text[start:stop]) - len(text[start:stop].lstrip(_SPACE)) + 1
    return _stripped(text, start, stop)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a place without the space at both ends."""
    inner = text[start:end]
    return end - len(inner.lstrip(_SPACE)), start + len(inner.rstrip(_SPACE))


def _within(text: str, pieces: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    """Yield the pieces between two places, of which texts may be cut."""
    for piece in pieces:
        first, last = max(piece.start, start), min(piece.end, end)
        if first < last:
            is_whole = (first, last) == (piece.start, piece.end)
            yield piece if is_whole else _plain(text, first, last)


def _is_edge(value: Text | Code) -> bool:
    """Tell whether a piece at an edge is not among the words."""
    if isinstance(value, Text):
        return not value.text.strip(_SPACE) and value.raw == value.text
    return value.kind in ("point", "break") or value.pair is None


def _is_dash(value: Text | Code) -> bool:
    """Tell whether a piece is just the dash of a speaker."""
    return isinstance(value, Text) and value.text.strip(_SPACE) in ("-", "–", "—")


def _joined_codes(pieces: Iterable[Piece]) -> str:
    """Join codes, without those that only say where or when something is shown."""
    codes = (piece.value for piece in pieces if isinstance(piece.value, Code))
    return "".join(code.raw for code in codes if code.kind != "point")
