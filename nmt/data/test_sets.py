"""Test sets as they are scored: whole, and with their text as it is."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nmt.config import DataConfig, TestSetConfig
from nmt.data.formats.corpus import Corpus, ExtraColumn
from nmt.data.formats.open import open_splits
from nmt.data.formats.rows import RawPair
from nmt.data.prepared_rows import read_rows
from nmt.data.test_set_rows import exact_rows
from nmt.errors import DataError
from nmt.runs.evaluation import TestSetInfo

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class TestSet:
    """The sentences of a test set, with one or several references each."""

    __test__ = False  # pytest collects classes by this prefix

    name: str
    sources: tuple[str, ...]
    references: tuple[tuple[str, ...], ...]
    """For each reference, a text of every sentence; at least one reference."""
    source_language: str
    """FLORES-200 code."""
    target_language: str
    """FLORES-200 code."""
    domains: tuple[str, ...] | None = None
    """The domain or corpus of each sentence."""
    documents: tuple[str, ...] | None = None
    """The document of each sentence."""

    def __len__(self) -> int:
        """Return the number of sentences."""
        return len(self.sources)

    @property
    def digest(self) -> str:
        """Compute twelve hexadecimal digits that identify sources and references."""
        return digest_of_texts([self.sources, *self.references])


def describe_set(test_set: TestSet, *, forgetting: bool) -> TestSetInfo:
    """Describe a test set by what it holds itself.

    Args:
        test_set: the test set.
        forgetting: whether it shows what a training made the model forget.
    """
    return TestSetInfo(
        sentences=len(test_set),
        digest=test_set.digest,
        references=len(test_set.references),
        source_language=test_set.source_language,
        target_language=test_set.target_language,
        documents=len(set(test_set.documents)) if test_set.documents else None,
        forgetting=forgetting,
    )


def digest_of_texts(columns: Sequence[Sequence[str]]) -> str:
    """Compute twelve hexadecimal digits that identify columns of texts."""
    digest = hashlib.sha256()
    for column in columns:
        digest.update(f"{len(column)}\0".encode())
        digest.update("\0".join(_written(column)).encode())
    return digest.hexdigest()[:12]


def _written(column: Sequence[str]) -> Iterator[str]:
    # A text may hold a zero byte, which must not look like the end of it.
    return (f"{len(text)}:{text}" for text in column)


def read_test_set(name: str, settings: TestSetConfig, data: DataConfig) -> TestSet:
    """Read a named test set, with every row and every character as it is in its files.

    Args:
        name: its key in `evaluation.sets`.
        settings: how it is read.
        data: the languages of a set that names none.

    Raises:
        DataError: a file cannot be read, a row is damaged, or the references do not fit together.
        UnavailableError: the hub cannot be reached.
    """
    corpus = _corpus(name, settings, data)
    rows = list(exact_rows(corpus, open_splits(corpus, settings.format)[corpus.part]))
    sources = [row.source for row in rows]
    extra = {
        column: tuple(row.extra[place] for row in rows)
        for place, column in enumerate(corpus.extra_columns)
    }
    references = [tuple(row.target for row in rows)]
    references += (texts for column, texts in extra.items() if column.side == "target")
    references += _listed_references(corpus, rows)
    for path in _listed(settings.target_path)[1:]:
        other = replace(corpus, target_path=path)
        references.append(_further_reference(other, settings, sources))
    test_set = TestSet(
        name,
        tuple(sources),
        tuple(references),
        corpus.source_language,
        corpus.target_language,
        _of_side(extra, "domain"),
        _of_side(extra, "document"),
    )
    _check_references(corpus, test_set)
    _check_documents(corpus, test_set)
    _warn_of_empty(test_set)
    return test_set


def held_out_set(
    name: str, folder: Path, split: str, data: DataConfig, limit: int | None = None
) -> TestSet:
    """Read the sentences of a prepared split as a test set.

    Args:
        name: of the test set.
        folder: the `destination` of `prepare`.
        split: name of the split.
        data: the languages.
        limit: maximum number of sentences, the first ones; None for all.

    Raises:
        DataError: the split does not exist, is damaged or has no pairs.
    """
    sources: list[str] = []
    targets: list[str] = []
    corpora: list[str] = []
    # The splits that `prepare` holds out are in random order, so the first pairs are a sample.
    for rows in read_rows(folder, split, min(_ROWS_AT_ONCE, limit or _ROWS_AT_ONCE)):
        sources += rows.sources
        targets += rows.targets
        corpora += rows.corpora or [""] * len(rows.sources)
        if limit is not None and len(sources) >= limit:
            break
    if not sources:
        raise DataError(f"the split {split!r} in {folder} has no pairs: prepare the data again")
    return TestSet(
        name,
        tuple(sources[:limit]),
        (tuple(targets[:limit]),),
        data.source_language,
        data.target_language,
        domains=tuple(corpora[:limit]) if len(set(corpora[:limit])) > 1 else None,
    )


def _corpus(name: str, settings: TestSetConfig, data: DataConfig) -> Corpus:
    """Describe the input of a test set, with its first reference.

    Raises:
        DataError: source and target are the same language, or a column is named twice.
    """
    first, *further = _listed(settings.target_column)
    extra = [ExtraColumn("target", column) for column in further if column]
    for side, column in (
        ("domain", settings.domain_column),
        ("document", settings.document_column),
    ):
        if column is not None:
            extra.append(ExtraColumn(side, column))
    corpus = Corpus(
        path=settings.path,
        source_language=settings.source_language or data.source_language,
        target_language=settings.target_language or data.target_language,
        target_path=_listed(settings.target_path)[0],
        source_column=settings.source_column,
        target_column=first,
        extra_columns=tuple(extra),
        exact=True,
        part="test",
        setting=f"evaluation.sets.{name}.path",
    )
    if corpus.source_language == corpus.target_language:
        raise DataError(
            f"the test set '{name}' would translate {corpus.source_language} into itself: set "
            f"{corpus.language_settings}"
        )
    for side, names in (
        ("target_column", _listed(settings.target_column)),
        ("target_path", _listed(settings.target_path)),
    ):
        twice = [name for name in set(names) if names.count(name) > 1]
        if twice:
            raise DataError(
                f"evaluation.sets.{name}.{side} names {twice[0]!r} twice: name each reference once"
            )
    return corpus


def _listed(value: str | tuple[str, ...] | None) -> list[str | None]:
    return list(value) if isinstance(value, tuple) else [value]


def _of_side(extra: Mapping[ExtraColumn, tuple[str, ...]], side: str) -> tuple[str, ...] | None:
    return next((texts for column, texts in extra.items() if column.side == side), None)


def _listed_references(corpus: Corpus, rows: Sequence[RawPair]) -> list[tuple[str, ...]]:
    """Return the further references of a column that holds a list of them.

    Raises:
        DataError: two sentences have different numbers of references.
    """
    declared = len(corpus.extra_columns)
    counts = [len(row.extra) - declared + 1 for row in rows]
    for row, count in zip(rows, counts, strict=True):
        if count != counts[0]:
            raise DataError(
                f"{corpus.path}: the first sentence has {counts[0]} references, and that of line "
                f"{row.line} has {count}: give every sentence as many"
            )
    return list(zip(*(row.extra[declared:] for row in rows), strict=True))


def _further_reference(
    corpus: Corpus, settings: TestSetConfig, sources: Sequence[str]
) -> tuple[str, ...]:
    """Read a reference from a file of its own.

    Raises:
        DataError: the file cannot be read, or is of other sentences.
    """
    rows = list(exact_rows(corpus, open_splits(corpus, settings.format)[corpus.part]))
    if [row.source for row in rows] != sources:
        raise DataError(
            f"{corpus.path} has {len(sources)} sentences, and {len(rows)} with {corpus.target_path}"
            f": give every file of {corpus.target_setting} a line for each sentence"
        )
    return tuple(row.target for row in rows)


def _check_references(corpus: Corpus, test_set: TestSet) -> None:
    """Refuse a reference without text, or with that of the source: scores would mean nothing.

    Raises:
        DataError: names the reference.
    """
    for number, reference in enumerate(test_set.references, start=1):
        if reference == test_set.sources or not any(map(str.strip, reference)):
            problem = "equal to the source" if reference == test_set.sources else "empty"
            raise DataError(
                f"reference {number} of {corpus.path} is {problem} in every sentence: set "
                f"{corpus.column_setting('target')} or {corpus.target_setting} to the translations"
            )


def _check_documents(corpus: Corpus, test_set: TestSet) -> None:
    """Refuse sentences without a document, which would all be taken for one document.

    Raises:
        DataError: counts them, and names the first.
    """
    missing = [row for row, name in enumerate(test_set.documents or (), 1) if not name.strip()]
    if missing:
        raise DataError(
            f"{corpus.path}: {len(missing)} of {len(test_set)} sentences name no document, the "
            f"first is sentence {missing[0]}: give each one, or unset "
            f"{corpus.column_setting('document')}"
        )


def _warn_of_empty(test_set: TestSet) -> None:
    """Warn of sentences without text, which are kept because others score them too."""
    empty = sum(not text.strip() for text in test_set.sources)
    without = sum(not text.strip() for texts in test_set.references for text in texts)
    if empty or without:
        log.warning(
            "the test set '%s' has %d empty sources and %d empty references in %d sentences; they "
            "are kept and scored as they are",
            test_set.name, empty, without, len(test_set),
        )  # fmt: skip
