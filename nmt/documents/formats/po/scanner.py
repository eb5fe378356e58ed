"""PO files, line by line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nmt.documents.errors import DocumentError

_FIELD = re.compile(
    r"""[ \t]*(?:(?P<name>msgctxt|msgid_plural|msgid|msgstr(?:\[[0-9]{1,2}\])?|domain)[ \t]*)?
    "(?P<raw>[^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*$""",
    re.VERBOSE,
)
_FLAG_SEPARATOR = re.compile(r"\s*,\s*")


@dataclass(slots=True)
class Field:
    """A keyword and its string."""

    first: int
    """Number of its first line."""
    end: int
    """Number of the line behind its last one."""
    parts: list[str]
    """The string as the file writes it, by lines, without the quotes."""

    @property
    def raw(self) -> str:
        """Return the whole string, with its escapes."""
        return "".join(self.parts)


@dataclass(slots=True)
class Entry:
    """A message and its translation."""

    fields: dict[str, Field] = field(default_factory=dict)
    """By keyword."""
    flags_line: int | None = None
    flags: tuple[str, ...] = ()
    previous_line: int | None = None
    """First line of what the message was before (`#|`)."""

    @property
    def first_line(self) -> int:
        """Return the number of the first line that is not a comment."""
        return min(each.first for each in self.fields.values())

    @property
    def translations(self) -> dict[str, Field]:
        """Return the fields `msgstr`, or `msgstr[0]`, `msgstr[1]` and so on."""
        return {name: each for name, each in self.fields.items() if name.startswith("msgstr")}

    @property
    def is_header(self) -> bool:
        """Tell whether it holds what the file says of itself."""
        return "msgctxt" not in self.fields and not self.fields["msgid"].raw


def read_entries(lines: Sequence[str]) -> list[Entry]:
    """Read the entries of a file, without those that are obsolete.

    Raises:
        DocumentError: a line is not one of a PO file, or an entry is not complete.
    """
    return _EntryReader(lines).read()


class _EntryReader:
    """A reader of lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._entries: list[Entry] = []
        self._entry = Entry()
        self._last: Field | None = None
        """That a line with a string alone belongs to."""

    def read(self) -> list[Entry]:
        """Read all lines."""
        for number, line in enumerate(self._lines):
            core = line.strip()
            if core.startswith("#"):
                self._read_comment(number, core)
            elif core:
                self._read_field(number, line.rstrip("\r\n"))
        self._finish()
        return self._entries

    def _read_comment(self, number: int, core: str) -> None:
        """Read a comment; one behind a translation begins the next entry."""
        # Obsolete entries are comments to every tool, so they end an entry but are none.
        if self._entry.translations or core.startswith("#~"):
            self._finish()
        if core.startswith("#,"):
            flags = (flag for flag in _FLAG_SEPARATOR.split(core[2:].strip()) if flag)
            self._entry.flags = (*self._entry.flags, *flags)
            if self._entry.flags_line is None:
                self._entry.flags_line = number
        elif core.startswith("#|") and self._entry.previous_line is None:
            self._entry.previous_line = number

    def _read_field(self, number: int, line: str) -> None:
        """Read a line with a string."""
        match = _FIELD.match(line)
        if match is None:
            raise _error(number, f"{line.strip()[:40]!r} is not a keyword with a string in quotes")
        name, raw = match["name"], match["raw"]
        if name is None:
            if self._last is None:
                raise _error(number, "a string needs a keyword before it")
            self._last.parts.append(raw)
            self._last.end = number + 1
            return
        if name == "domain":
            self._finish()
            return
        if name in ("msgctxt", "msgid") and self._entry.translations:
            self._finish()
        self._check_order(number, name)
        self._last = Field(number, number + 1, [raw])
        self._entry.fields[name] = self._last

    def _check_order(self, number: int, name: str) -> None:
        """Refuse a keyword that cannot come here."""
        fields = self._entry.fields
        if name in fields:
            raise _error(number, f"a second {name} in one entry")
        if name not in ("msgctxt", "msgid") and "msgid" not in fields:
            raise _error(number, f"{name} without msgid")
        if name.startswith("msgstr") and (("[" in name) != ("msgid_plural" in fields)):
            raise _error(number, f"{name} does not fit: plural forms need msgid_plural")

    def _finish(self) -> None:
        """End the entry."""
        entry, self._entry, self._last = self._entry, Entry(), None
        if not entry.fields:
            return
        if not entry.translations:
            raise _error(entry.first_line, "an entry without msgstr")
        self._entries.append(entry)


def _error(number: int, what: str) -> DocumentError:
    """Return the error of a line."""
    return DocumentError(f"The file is not PO at line {number + 1}: {what}.")
