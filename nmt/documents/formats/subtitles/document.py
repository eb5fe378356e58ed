"""Subtitle files: the text of cues is translated, and everything else stays."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from nmt.documents.content import Code, Content, Segment, Text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import DocumentError
from nmt.documents.formats.checking import check_codes, check_structure
from nmt.documents.formats.decoding import decode
from nmt.documents.formats.limits import check_segment_count
from nmt.documents.formats.subtitles.cues import TIMING, CueText, find_cue_texts
from nmt.documents.formats.subtitles.layout import divide, divide_lines, fit_lines
from nmt.documents.formats.subtitles.parts import Part, find_parts
from nmt.documents.formats.subtitles.sentences import Unit, find_units
from nmt.languages import languages

_TIME_CODE = re.compile(r"<\d[\d:.]*>")
_NEW_TAG = re.compile(r"<(?=[A-Za-z/])|\{(?=\\)")
_LINE_BREAKS = re.compile(r"[\r\n\v\f\x85\u2028\u2029]+")


class SubtitleDocument:
    """A subtitle file."""

    def __init__(self, data: bytes, options: ReadOptions, *, is_vtt: bool) -> None:
        self._is_vtt = is_vtt
        self._decoded = decode(data, encoding=options.encoding)
        self._is_unsegmented = languages()[options.target_language].is_unsegmented
        text = self._decoded.text
        # What is inserted has the line ends of the file.
        self._line_end = "\r\n" if "\r\n" in text else "\n" if "\n" in text else "\r"
        self._places = list(find_cue_texts(text, is_vtt=is_vtt))
        check_segment_count(len(self._places))
        if not is_vtt and not self._places and TIMING.search(text) is None and text.strip():
            raise DocumentError(
                "The file is not SRT: no line has times such as 00:00:01,000 --> 00:00:02,000."
            )
        self._parts = [
            part for place in self._places for part in find_parts(text, place, is_vtt=is_vtt)
        ]
        self._units = list(find_units(text, self._parts, options.source_language))
        self.segments: Sequence[Segment] = [self._segment(unit) for unit in self._units]

    def _segment(self, unit: Unit) -> Segment:
        """Make the segment of a unit."""
        cue = self._parts[unit[0].part].text.cue + 1
        return Segment(f"cue {cue}", tuple(self._content(unit)))

    def _content(self, unit: Unit) -> Iterator[Text | Code]:
        """Yield the texts and codes of a unit."""
        for number, fragment in enumerate(unit):
            if number:
                yield Text("\n", "\n")
            for piece in self._parts[fragment.part].pieces:
                start, end = max(piece.start, fragment.start), min(piece.end, fragment.end)
                if (start, end) == (piece.start, piece.end):
                    yield piece.value
                elif start < end:
                    raw = self._decoded.text[start:end]
                    yield Text(raw, raw)

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its cues translated."""
        check_codes(self.segments, translated)
        text = self._decoded.text
        changes: list[tuple[int, int, str]] = []
        for unit, source, target in zip(self._units, self.segments, translated, strict=True):
            changes += self._changes(unit, source.content, target.content)
        if not changes:
            return self._decoded.encode(text)
        result = self._joined(sorted(changes))
        self._check(result)
        return self._decoded.encode_or_mark(result)

    def _changes(
        self, unit: Unit, source: Content, target: Content
    ) -> Iterator[tuple[int, int, str]]:
        """Yield what replaces the fragments of a unit: start, end and text."""
        written = self._written(source, target)
        # A cue never becomes empty: without a translation it keeps its text.
        if not written.strip() or written == "".join(piece.raw or "" for piece in source):
            return
        old = [self._decoded.text[fragment.start : fragment.end] for fragment in unit]
        if len(unit) == 1:
            yield unit[0].start, unit[0].end, written.strip(" \t\r\n")
            return
        divided = divide(written, old, is_unsegmented=self._is_unsegmented)
        for fragment, before, after in zip(unit, old, divided, strict=True):
            lines = divide_lines(after, before, self._line_end, is_unsegmented=self._is_unsegmented)
            yield fragment.start, fragment.end, lines

    def _written(self, source: Content, content: Content) -> str:
        """Write a translated text."""
        # Times inside a cue keep their order, wherever the words between them go.
        times = iter(
            piece.raw
            for piece in source
            if isinstance(piece, Code) and _TIME_CODE.fullmatch(piece.raw)
        )
        pieces: list[str] = []
        for piece in content:
            if isinstance(piece, Text):
                pieces.append(self._escaped(piece.text) if piece.raw is None else piece.raw)
            else:
                pieces.append(next(times) if _TIME_CODE.fullmatch(piece.raw) else piece.raw)
        return "".join(pieces)

    def _escaped(self, text: str) -> str:
        """Write new text so that it is read as text."""
        # Lines are divided later; here a line break only must not be a kind that is not counted.
        text = _LINE_BREAKS.sub(self._line_end, text)
        if self._is_vtt:
            return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        # SRT has no escapes: what would be a tag, or look like times, gets other signs.
        return _NEW_TAG.sub(lambda match: "‹" if match[0] == "<" else "(", text).replace("-->", "→")

    def _joined(self, changes: Sequence[tuple[int, int, str]]) -> str:
        """Replace texts, and divide the lines of what has become too long."""
        pieces: list[str] = []
        at = number = 0
        for _, parts in groupby(self._parts, key=lambda part: part.text):
            group = list(parts)
            for part in group:
                pieces.append(self._decoded.text[at : part.start])
                new: list[str] = []
                inner = part.start
                while number < len(changes) and changes[number][0] < part.end:
                    start, end, text = changes[number]
                    new += [self._decoded.text[inner:start], text]
                    inner = end
                    number += 1
                new.append(self._decoded.text[inner : part.end])
                pieces.append(self._fitted(part, "".join(new), is_alone=len(group) == 1))
                at = part.end
        return "".join([*pieces, self._decoded.text[at:]])

    def _fitted(self, part: Part, new: str, *, is_alone: bool) -> str:
        """Divide the lines of a part anew where that is needed."""
        old = self._decoded.text[part.start : part.end]
        if new == old:
            return old
        core = new.rstrip("\r\n")
        fitted = fit_lines(
            core,
            old,
            self._line_end,
            is_unsegmented=self._is_unsegmented,
            is_alone=is_alone,
        )
        return fitted + new[len(core) :]

    def _check(self, result: str) -> None:
        """Check that the result has the same cues."""
        places = list(find_cue_texts(result, is_vtt=self._is_vtt))
        before = _between(self._decoded.text, self._places)
        check_structure(before, _between(result, places), "cue")


def read_srt(data: bytes, options: ReadOptions) -> SubtitleDocument:
    """Read a SubRip file.

    Raises:
        DocumentError: it has no cues, or is not in its encoding.
        DocumentTooLargeError: it has too many cues.
    """
    return SubtitleDocument(data, options, is_vtt=False)


def read_vtt(data: bytes, options: ReadOptions) -> SubtitleDocument:
    """Read a WebVTT file.

    Raises:
        DocumentError: it is not in its encoding.
        DocumentTooLargeError: it has too many cues.
    """
    return SubtitleDocument(data, options, is_vtt=True)


def _between(text: str, places: Sequence[CueText]) -> list[str]:
    """Return the parts of a text before, between and behind places."""
    starts = [place.start for place in places]
    ends = [place.end for place in places]
    return [text[at:to] for at, to in zip([0, *ends], [*starts, len(text)], strict=True)]
