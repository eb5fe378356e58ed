"""Texts in the cells of a spreadsheet: shown as text, never as a formula, number or date.

An apostrophe is put before a text that a spreadsheet could take for something else. In a CSV file
it is visible in Excel and LibreOffice, and Google Sheets hides it. `read_text` takes it off again.

Source: OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
import unicodedata

MAX_CHARACTERS = 32_767
"""What a cell of Excel holds, in UTF-16 units."""
MARK = "'"
_FORMULA = frozenset("=+-@")
_MAX_CONVERTED, _MAX_WORDS = 30, 2
"""Characters and words of the longest text that could be a number, a date or a time."""
_LOGICAL = frozenset({"true", "false"})
# A spreadsheet whose separator is a semicolon ignores the quotes around a cell that is not the
# first of its line, so that a new cell may begin inside of a text.
_SEPARATORS = re.compile(r"(?<=[;\t\r\n])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def mark_text(text: str) -> str:
    """Put an apostrophe before a text, or a part of it, that a spreadsheet would not show as text.

    Characters that a file cannot hold are replaced by U+FFFD, and line ends become line feeds.
    """
    clean = clean_text(text)
    first, *rest = _SEPARATORS.split(clean)
    marked = "".join([first, *(MARK + part if _is_formula(part) else part for part in rest)])
    is_open = clean.startswith((MARK, "\t", "\n")) or _is_formula(clean) or _is_converted(clean)
    return MARK + marked if is_open else marked


def clean_text(text: str) -> str:
    """Replace characters that a file cannot hold by U+FFFD, and line ends by line feeds."""
    return _CONTROL.sub("\ufffd", _with_line_feeds(text))


def read_text(cell: str) -> str:
    """Return the text that was marked as a cell, also if a spreadsheet has removed the mark."""
    text = _with_line_feeds(cell)
    first, *rest = _SEPARATORS.split(text)
    plain = "".join([first, *(_without_mark(part) for part in rest)])
    for found in (plain.removeprefix(MARK), plain):
        if mark_text(found) == text:
            return found
    # Not as it was marked, such as after the mark has been removed.
    return text


def read_edit(cell: str, shown: str, shown_cell: str) -> str:
    """Return a corrected text, without the marks that its rater has seen.

    Nothing else tells a mark from an apostrophe of the text itself: a workbook has no marks, and
    some spreadsheets hide or remove those of a CSV file.

    Args:
        cell: what the rater has made of the text.
        shown: the text that was to be corrected.
        shown_cell: the cell beside it, with the same text as the spreadsheet shows it.
    """
    text, clean, beside = _with_line_feeds(cell), clean_text(shown), _with_line_feeds(shown_cell)
    # What a spreadsheet or a platform makes of a text, it makes of both cells.
    if text.strip() == beside.strip():
        return clean
    if beside.count(MARK) > clean.count(MARK):
        text = _without_marks(text, clean, beside)
    return clean if text.strip() == clean.strip() else text


def is_same_text(cell: str, text: str) -> bool:
    """Tell whether a cell still shows a text; spaces and invisible characters may differ.

    Apostrophes may differ too: a spreadsheet shows, hides or removes some of the marks.
    """
    return _visible(clean_text(text)) == _visible(clean_text(cell))


def cell_length(text: str) -> int:
    """Count the UTF-16 units of a text as a cell holds it."""
    return len(mark_text(text).encode("utf-16-le")) // 2


def _without_marks(text: str, clean: str, beside: str) -> str:
    first, *rest = _SEPARATORS.split(text)
    own = _leading_marks(clean)
    # Excel takes the mark off when the cell is edited: then the apostrophes left are the text's.
    if _leading_marks(beside) > own and _leading_marks(first) > own:
        first = first.removeprefix(MARK)
    return "".join([first, *(_without_mark(part) for part in rest)])


def _leading_marks(text: str) -> int:
    return len(text) - len(text.lstrip(MARK))


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _without_mark(part: str) -> str:
    return part[1:] if part.startswith(MARK) and _is_formula(part[1:]) else part


def _is_formula(text: str) -> bool:
    """Tell whether a text begins with the sign of a formula, after what may be skipped."""
    for character in text:
        if character in "\"'" or unicodedata.category(character)[0] in "ZC":
            continue
        # Also the full-width and small forms, which some spreadsheets take for the sign.
        return unicodedata.normalize("NFKC", character)[:1] in _FORMULA
    return False


def _is_converted(text: str) -> bool:
    """Tell whether a text may be shown as a number, a date, a time or a logical value."""
    plain = text.strip()
    words = [word for word in plain.split() if any(map(str.isalpha, word))]
    # A number of any length loses its digits.
    is_number = not any(each.isalpha() and each not in "eE" for each in plain)
    is_short = (is_number or len(plain) <= _MAX_CONVERTED) and len(words) <= _MAX_WORDS
    return (is_short and any(map(str.isdigit, plain))) or plain.casefold() in _LOGICAL


def _visible(text: str) -> str:
    """Return the letters of a text, with one space wherever there is white space."""
    composed = unicodedata.normalize("NFC", text.replace(MARK, ""))
    shown = (" " if each.isspace() else each for each in composed if not _is_invisible(each))
    return " ".join("".join(shown).split())


def _is_invisible(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character)[0] == "C"
