"""A glossary, and the files that people write one in."""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from nmt.errors import ConfigError, InputError, shortened
from nmt.languages import resolve_language
from nmt.text.normalise import normalise

MAX_TERMS, MAX_TERM_CHARACTERS = 10_000, 200
_MAX_BYTES = 2**23
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_COLUMNS = {("source", "target"), ("term", "translation")}
"""First lines that name the columns, beside the codes of the languages."""


class Glossary(BaseModel):
    """The terms of one language pair."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    terms: Mapping[str, str]
    """Translations of terms."""


def check_name(name: str) -> None:
    """Refuse a name that cannot be a file's.

    Raises:
        InputError: it has other characters, or too many.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"glossaries: '{shortened(name)}' is not a name: use up to 64 small letters, digits, "
            "`-`, `_` and `.`, of which the first is a letter or a digit"
        )


def read_glossary_file(file: Path, source: str, target: str) -> Glossary:
    """Read a file with a term and its translation on each line.

    A first line that names the columns is skipped.

    Args:
        file: in UTF-8; with tabs between the columns, or with commas if its name ends in `.csv`.
        source: code of the language of the terms.
        target: code of the language of the translations.

    Raises:
        InputError: names the line and what is wrong with it.
    """
    languages = _code("--source", source), _code("--target", target)
    terms: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, cells in _rows(file):
        if not terms and _is_header(cells, languages):
            continue
        term, translation = _term(file, number, cells)
        key = term.casefold()
        if key in lines and terms.get(term) != translation:
            raise InputError(
                f"{file} line {number}: the term '{shortened(term)}' is on line {lines[key]} too, "
                "with another spelling or translation: leave one of them out"
            )
        lines.setdefault(key, number)
        terms[term] = translation
        if len(terms) > MAX_TERMS:
            raise InputError(f"{file}: more than {MAX_TERMS} terms: make several glossaries of it")
    if not terms:
        raise InputError(f"{file}: has no terms: write a term, a tab and its translation on a line")
    return Glossary(source_language=languages[0], target_language=languages[1], terms=terms)


def _code(option: str, code: str) -> str:
    try:
        return resolve_language(code)
    except ConfigError as error:
        raise InputError(f"{option}: {error}") from None


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not blank."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(f"{file}: is larger than {_MAX_BYTES // 2**20} MiB")
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: is not in UTF-8: save it in that encoding") from None
    # Not `splitlines`, which also cuts at characters that a term may have.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if file.suffix.lower() != ".csv":
        rows = (line.split("\t") for line in lines)
        yield from ((number, cells) for number, cells in enumerate(rows, 1) if any(cells))
        return
    reader = csv.reader(lines, strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{file} line {reader.line_num}: not a line of CSV: {error}") from None


def _is_header(cells: list[str], languages: tuple[str, str]) -> bool:
    names = tuple(cell.strip().casefold() for cell in cells)
    if names in _COLUMNS:
        return True
    try:
        return tuple(map(resolve_language, names)) == languages
    except ConfigError:
        return False


def _term(file: Path, number: int, cells: list[str]) -> tuple[str, str]:
    """Check the cells of a line."""
    if len(cells) != 2:
        separator = "commas" if file.suffix.lower() == ".csv" else "tabs"
        raise InputError(
            f"{file} line {number}: has {len(cells)} column(s), separated by {separator}; "
            "must be a term and its translation"
        )
    term, translation = map(normalise, cells)
    for name, text in (("term", term), ("translation", translation)):
        if not text:
            raise InputError(f"{file} line {number}: the {name} is empty")
        if len(text) > MAX_TERM_CHARACTERS:
            raise InputError(
                f"{file} line {number}: the {name} has {len(text)} characters; a glossary is for "
                f"terms of at most {MAX_TERM_CHARACTERS}"
            )
    return term, translation
