"""The lines of a PO file, some of them replaced."""

from collections.abc import Sequence

from nmt.documents.formats.po.scanner import Entry, Field
from nmt.documents.formats.po.strings import string_lines


class PoWriter:
    """The lines of a file, some of them replaced."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._source = lines
        self._lines = list(lines)
        first = next((line for line in lines if line.endswith(("\r", "\n"))), "\n")
        self._end = first[len(first.rstrip("\r\n")) :]
        self._doubtful: set[int] = set()

    def fill(self, entry: Entry, names: Sequence[str], raw: str, *, is_doubtful: bool) -> None:
        """Write a translation into fields of an entry."""
        is_wrapped = "no-wrap" not in entry.flags
        last = max(entry.translations.values(), key=lambda field: field.end)
        for name in names:
            written = self._end.join(string_lines(name, raw, is_wrapped=is_wrapped))
            place = entry.translations.get(name)
            if place:
                self._replace(place.first, place.end, written)
            else:
                self._append(last.end - 1, written)
        if is_doubtful or "fuzzy" in entry.flags:
            self._set_fuzzy(entry, is_doubtful or entry.first_line in self._doubtful)

    def remove(self, place: Field) -> None:
        """Remove a field."""
        self._lines[place.first : place.end] = [""] * (place.end - place.first)

    def replace_strings(self, first: int, old: Sequence[str], new: Sequence[str]) -> None:
        """Replace the strings of a field, each on its line."""
        for number, (before, after) in enumerate(zip(old, new, strict=False)):
            line = self._lines[first + number]
            at = line.index('"') + 1
            self._lines[first + number] = line[:at] + after + line[at + len(before) :]
        for part in new[len(old) :]:
            self._append(first + len(old) - 1, f'"{part}"')

    def text(self) -> str:
        """Return the whole file."""
        return "".join(self._lines)

    def _replace(self, first: int, end: int, written: str) -> None:
        """Replace some lines."""
        last = self._source[end - 1]
        self._lines[first] = written + last[len(last.rstrip("\r\n")) :]
        self._lines[first + 1 : end] = [""] * (end - first - 1)

    def _append(self, number: int, written: str) -> None:
        """Write more lines behind a line."""
        # Of a field of several lines, only the first is not empty any more.
        line = self._lines[number]
        has_end = not line or line.endswith(("\r", "\n"))
        self._lines[number] = (
            f"{line}{written}{self._end}" if has_end else f"{line}{self._end}{written}"
        )

    def _set_fuzzy(self, entry: Entry, is_fuzzy: bool) -> None:
        """Set or remove the mark of a translation that somebody has to look at."""
        if is_fuzzy:
            self._doubtful.add(entry.first_line)
        flags = [flag for flag in entry.flags if flag != "fuzzy"]
        if is_fuzzy:
            flags.insert(0, "fuzzy")
        written = f"#, {', '.join(flags)}" if flags else ""
        number = entry.flags_line
        if number is not None:
            line = self._source[number]
            end = line[len(line.rstrip("\r\n")) :]
            self._lines[number] = written + end if written else ""
            return
        # Flags come before what the message was, and that before the message.
        before = entry.first_line if entry.previous_line is None else entry.previous_line
        if not self._lines[before].startswith("#, fuzzy"):
            self._lines[before] = f"{written}{self._end}{self._lines[before]}"
