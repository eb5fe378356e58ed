"""PO files: empty translations are filled, everything else stays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.documents.content import Code, Content, Segment, plain_text
from nmt.documents.document import ReadOptions, TranslatedSegment
from nmt.documents.errors import DocumentError
from nmt.documents.formats.checking import check_codes, check_structure
from nmt.documents.formats.decoding import decode
from nmt.documents.formats.limits import check_segment_count
from nmt.documents.formats.messages import Message, read_message
from nmt.documents.formats.po.header import (
    Plurals,
    find_charset,
    find_plurals,
    new_header,
    with_charset,
)
from nmt.documents.formats.po.scanner import Entry, read_entries
from nmt.documents.formats.po.strings import escape, unescape
from nmt.documents.formats.po.writing import PoWriter

_HEAD = 20_000
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|[\r\n])|[^\r\n]++")
_DIRECTIVE = re.compile(r"%(?:\([\w.]+\)|\d+\$)?[-+ 0#']*+[\d*]*+(?:\.[\d*]++)?[a-zA-Z@]{1,3}|%%")


@dataclass(frozen=True, slots=True)
class _Filling:
    """What is written into translations of an entry."""

    entry: Entry
    names: tuple[str, ...]
    """Of the fields that get it."""
    before: str
    """Space at the start of the message, as the file writes it."""
    after: str
    message: Message


class PoDocument:
    """A PO file."""

    def __init__(self, data: bytes, options: ReadOptions) -> None:
        self._options = options
        declared = find_charset(data[:_HEAD].decode("latin-1"))
        self._decoded = decode(data, declared, options.encoding)
        self._lines = _LINE.findall(self._decoded.text)
        self._entries = read_entries(self._lines)
        if not self._entries and self._decoded.text.strip():
            raise DocumentError("The file is not PO: it has no msgid.")
        headers = [entry for entry in self._entries if entry.is_header]
        self._header = headers[0] if headers else None
        self._has_plurals = any("msgid_plural" in entry.fields for entry in self._entries)
        self._plurals = self._find_plurals()
        self._fillings: list[_Filling] = []
        self.segments: Sequence[Segment] = list(self._read())

    def _find_plurals(self) -> Plurals:
        """Return the plural forms to write."""
        plurals = find_plurals(self._header, self._options.target_language)
        plural_entries = [e for e in self._entries if "msgid_plural" in e.fields]
        if any(
            self._is_kept(entry, name) for entry in plural_entries for name in entry.translations
        ):
            # Translations that stay have the forms that the file has now.
            count = max(len(entry.translations) for entry in plural_entries)
            return Plurals(plurals.rule, False) if plurals.count == count else Plurals("", False)
        return plurals

    def _is_kept(self, entry: Entry, name: str) -> bool:
        """Tell whether a translation stays as it is."""
        return bool(entry.translations[name].raw) and not self._options.overwrite

    def _read(self) -> Iterator[Segment]:
        """Yield the messages to translate, and note where their translations go."""
        for entry in self._entries:
            if entry.is_header:
                continue
            for source, names in self._sources(entry).items():
                wanted = tuple(
                    name
                    for name in names
                    if name not in entry.translations or not self._is_kept(entry, name)
                )
                segment = self._segment(entry, source, wanted) if wanted else None
                if segment:
                    yield segment
                    check_segment_count(len(self._fillings))

    def _sources(self, entry: Entry) -> dict[str, list[str]]:
        """Map the messages of an entry to the translations that they are the source of."""
        if "msgid_plural" not in entry.fields:
            return {"msgid": ["msgstr"]}
        plurals = self._plurals
        count = plurals.count if plurals.rule else len(entry.translations)
        one, many = (entry.fields[name].raw for name in ("msgid", "msgid_plural"))
        has_same = sorted(_DIRECTIVE.findall(one)) == sorted(_DIRECTIVE.findall(many))
        # "One comment" must not be shown for 21 comments, nor for none.
        is_safe = has_same or not plurals.is_form_of_one_for_more
        of_one = {plurals.form_of_one} if is_safe else set()
        if has_same:
            of_one.add(0)
        return {
            "msgid": [f"msgstr[{form}]" for form in range(count) if form in of_one],
            "msgid_plural": [f"msgstr[{form}]" for form in range(count) if form not in of_one],
        }

    def _segment(self, entry: Entry, source: str, names: tuple[str, ...]) -> Segment | None:
        """Make the segment of a message; None if it has nothing to translate."""
        place = entry.fields[source]
        whole = unescape(place.raw)
        # Space at both ends has to be that of the message, or msgfmt refuses the file.
        start = len(whole.text) - len(whole.text.lstrip())
        end = max(start, len(whole.text.rstrip()))
        core = unescape(whole.raw(start, end))
        message = read_message(core.text)
        if message is None or not core.text:
            return None
        before, after = whole.raw(0, start), whole.raw(end, len(whole.text))
        self._fillings.append(_Filling(entry, names, before, after, message))
        has_format = any(
            flag.endswith("-format") and not flag.startswith("no-") for flag in entry.flags
        )
        return Segment(
            f"line {place.first + 1}",
            core.content(message.content),
            is_wrapped=False,
            positional=has_format,
        )

    def write(self, translated: Sequence[TranslatedSegment]) -> bytes:
        """Write the file with its translations, and mark the doubtful ones as fuzzy."""
        check_codes(self.segments, translated)
        # Only some lines change; the others are written as they were read.
        writer = PoWriter(self._lines)
        for filling, segment in zip(self._fillings, translated, strict=True):
            raw = f"{filling.before}{_written(filling, segment.content)}{filling.after}"
            writer.fill(filling.entry, filling.names, raw, is_doubtful=segment.is_doubtful)
        if self._header:
            self._write_header(writer, self._header)
        if self._plurals.is_new:
            self._remove_forms(writer)
        result = writer.text()
        self._check(result)
        # The header can say so, so a Latin-1 file may become UTF-8.
        try:
            return self._decoded.encode(result)
        except DocumentError:
            return with_charset(result, "UTF-8").encode()

    def _write_header(self, writer: PoWriter, header: Entry) -> None:
        """Set the language of the file."""
        place = header.fields["msgstr"]
        plurals = self._plurals if self._has_plurals else None
        parts = new_header(place.parts, self._options.target_language, plurals)
        if parts != place.parts:
            writer.replace_strings(place.first, place.parts, parts)

    def _remove_forms(self, writer: PoWriter) -> None:
        """Remove empty forms that the target language does not have, which msgfmt refuses."""
        names = {f"msgstr[{number}]" for number in range(self._plurals.count)}
        for entry in self._entries:
            if "msgid_plural" in entry.fields:
                for name, place in entry.translations.items():
                    if name not in names and not place.raw:
                        writer.remove(place)

    def _check(self, result: str) -> None:
        """Check that the result has the same messages."""
        before, after = (
            [_messages(entry) for entry in entries]
            for entries in (self._entries, read_entries(_LINE.findall(result)))
        )
        check_structure(before, after, "entry")


def read_po(data: bytes, options: ReadOptions) -> PoDocument:
    """Read a PO or POT file.

    Raises:
        DocumentError: it is not valid.
        DocumentTooLargeError: it has too many messages.
    """
    return PoDocument(data, options)


def _written(filling: _Filling, content: Content) -> str:
    """Write a translated message with its escapes."""
    pieces: list[str] = []
    for number, piece in enumerate(content):
        if isinstance(piece, Code) or piece.raw is not None:
            pieces.append(piece.raw or "")
            continue
        is_before_code = isinstance(next(iter(content[number + 1 :]), None), Code)
        new = filling.message.escape(piece.text, is_before_code=is_before_code)
        pieces.append(escape(_escape_directives(new, filling)))
    return "".join(pieces)


def _escape_directives(text: str, filling: _Filling) -> str:
    """Escape `%` and braces that the message does not have, if a program reads them."""
    source = plain_text(filling.message.content)
    flags = filling.entry.flags
    if any(flag in ("c-format", "python-format", "php-format", "objc-format") for flag in flags):
        known = set(_DIRECTIVE.findall(source))
        parts = re.split(f"({_DIRECTIVE.pattern})", text)
        text = "".join(part if part in known else part.replace("%", "%%") for part in parts)
    if "python-brace-format" in flags:
        known = set(re.findall(r"\{[^{}]*\}|\{\{|\}\}", source))
        parts = re.split(r"(\{[^{}]*\}|\{\{|\}\})", text)
        text = "".join(
            part if part in known else part.replace("{", "{{").replace("}", "}}") for part in parts
        )
    return text


def _messages(entry: Entry) -> str:
    """Return what a translation may not change of an entry."""
    # Not the comments, since a doubtful translation adds a flag there.
    names = ("msgctxt", "msgid", "msgid_plural")
    return "\0".join(entry.fields[name].raw if name in entry.fields else "-" for name in names)
