"""A reader for the translations of a system in a file."""

from collections.abc import Sequence
from pathlib import Path

from nmt.data.formats.files.input_file import InputFile
from nmt.data.formats.files.lines import UTF_8_BOM, UTF_16_BOMS
from nmt.data.formats.files.unpack import PACKINGS, open_bytes
from nmt.data.test_sets import TestSet
from nmt.errors import DataError, StorageError, did_you_mean, shortened
from nmt.scoring.outputs import SystemOutput
from nmt.scoring.stored import HypothesisRow, output_of, read_rows

_JSON_LINES = ".jsonl"


def read_hypotheses(place: str, system: str, test_set: TestSet) -> SystemOutput:
    """Read the translations of a test set by one system, exactly as they are in the file.

    Args:
        place: file with a translation in each line, or JSON lines as an evaluation keeps them.
        system: name of the system, for messages.
        test_set: the test set that it translated.

    Raises:
        DataError: the file cannot be read, or does not belong to the test set.
    """
    if has_stored_rows(place):
        rows = _stored_rows(place)
        _check_count(len(rows), place, system, test_set)
        _check_sources(rows, place, test_set)
        return output_of(rows)
    lines = read_exact_lines(place)
    _check_count(len(lines), place, system, test_set)
    return SystemOutput(lines)


def has_stored_rows(place: str) -> bool:
    """Tell whether a file has JSON lines as an evaluation keeps them, by its name."""
    name = place.lower()
    for packing in PACKINGS:
        name = name.removesuffix(packing.suffix)
    return name.endswith(_JSON_LINES)


def read_stored_set(
    place: str, name: str, *, source_language: str, target_language: str
) -> TestSet:
    """Read the test set that stored translations contain.

    Args:
        place: JSON lines as an evaluation keeps them.
        name: of the test set.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.

    Raises:
        DataError: the file cannot be read, or its rows have different numbers of references.
    """
    rows = _stored_rows(place)
    counts = {len(row.references) for row in rows}
    if len(counts) > 1 or 0 in counts:
        raise DataError(f"{place}: each line must have the same number of references, at least one")
    return set_of(rows, name, source_language=source_language, target_language=target_language)


def set_of(
    rows: Sequence[HypothesisRow], name: str, *, source_language: str, target_language: str
) -> TestSet:
    """Return the test set that rows are of, each with the same number of references.

    Args:
        rows: of all sentences.
        name: of the test set.
        source_language: FLORES-200 code.
        target_language: FLORES-200 code.
    """
    domains = tuple(row.domain or "" for row in rows)
    return TestSet(
        name,
        tuple(row.source for row in rows),
        tuple(zip(*(row.references for row in rows), strict=True)),
        source_language,
        target_language,
        domains=domains if any(domains) else None,
    )


def read_exact_lines(place: str) -> list[str]:
    r"""Read the lines of a UTF-8 file; only their ends, `\n` or `\r\n`, are removed.

    Raises:
        DataError: the file cannot be read, is empty or is not UTF-8.
    """
    lines = _read_content(place).split(b"\n")
    if not lines[-1]:
        lines.pop()
    texts: list[str] = []
    offset = 0
    for number, line in enumerate(lines, start=1):
        try:
            # Not `splitlines`, which also splits at separators such as U+2028 inside a sentence.
            texts.append(line.removesuffix(b"\r").decode())
        except UnicodeDecodeError as error:
            raise DataError(
                f"{place}, line {number}: the byte at offset {offset + error.start} of the file is "
                "not UTF-8: convert the file with iconv -f ITS_ENCODING -t UTF-8"
            ) from None
        offset += len(line) + 1
    return texts


def _read_content(place: str) -> bytes:
    path = Path(place)
    if "://" in place:
        raise DataError(f"{place} is not a local file: copy it to this machine first")
    if path.is_dir():
        raise DataError(f"{place} is a folder: name a file in it")
    if not path.exists():
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(f"there is no file {place}.{did_you_mean(path.name, names)}")
    empty = f"{place} is empty: name a file with one text in each line"
    if not path.stat().st_size:
        raise DataError(empty)
    with open_bytes(InputFile(path)) as stream:
        content = stream.read()
    if content.startswith(UTF_16_BOMS):
        raise DataError(f"{place} is UTF-16: convert it with iconv -f UTF-16 -t UTF-8")
    content = content.removeprefix(UTF_8_BOM)
    # A byte-order mark alone, or nothing that was packed, is no text either.
    if not content:
        raise DataError(empty)
    return content


def _stored_rows(place: str) -> list[HypothesisRow]:
    try:
        return list(read_rows(_read_content(place), place))
    except StorageError as error:
        raise DataError(
            f"{error}. A text file may have any name that does not end in {_JSON_LINES}"
        ) from None


def _check_count(count: int, place: str, system: str, test_set: TestSet) -> None:
    if count != len(test_set):
        raise DataError(
            f"{place} has {count:,} translations by '{system}', and test set '{test_set.name}' has "
            f"{len(test_set):,} sentences: line n must translate sentence n"
        )


def _check_sources(rows: list[HypothesisRow], place: str, test_set: TestSet) -> None:
    # A file of another test set may have as many lines.
    pairs = zip(rows, test_set.sources, strict=True)
    for number, (row, source) in enumerate(pairs, start=1):
        if row.source != source:
            raise DataError(
                f"{place}, line {number}: translates {shortened(row.source, 40)!r}, and sentence "
                f"{number} of test set '{test_set.name}' is {shortened(source, 40)!r}: name the "
                "translations of this test set"
            )
