"""Reading of the inputs, each with the reader for its format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Literal

from nmt.config import CorpusConfig, DataConfig, TestSetConfig
from nmt.data.formats.corpus import Corpus
from nmt.data.formats.open import open_splits
from nmt.data.formats.rows import BadRow, BadRows, RawPair, Row
from nmt.data.test_set_rows import exact_rows
from nmt.data.test_sets import TestSet, read_test_set
from nmt.data.training_overlap import as_training_pairs
from nmt.errors import DataError

Role = Literal["corpus", "validation", "test", "set"]


@dataclass(frozen=True, slots=True)
class Input:
    """An input of `nmt prepare`."""

    name: str
    """`train` for `data.path`, `validation`, `test`, or the name of a corpus or a test set."""
    role: Role
    rows: Iterator[RawPair]
    """Its pairs in order, to be read once. Reading raises a DataError if the input is damaged."""
    bad: BadRows
    """Its damaged rows; complete when `rows` is exhausted."""
    test_set: TestSet | None = None
    """The named test set that the rows are from."""


def open_inputs(
    data: DataConfig, sets: Mapping[str, TestSetConfig] = MappingProxyType({})
) -> Iterator[Input]:
    """Open every input of the data, and the named test sets.

    The splits of a data set that `data.path` names are inputs of their own, unless a setting names
    another validation or test input.

    Raises:
        DataError: names the file, the place in it, the problem and the remedy. One that is found
            only while the rows are read is raised there.
        UnavailableError: the hub cannot be reached.
    """
    # All are opened before the first is read, so that a misspelt path is reported at once.
    held_out = _held_out(data)
    corpora = [_corpus(data, name, settings) for name, settings in data.corpora.items()]
    named = [
        _compared(read_test_set(name, settings, data), data) for name, settings in sets.items()
    ]
    splits = _splits_of_path(data) if data.path is not None else []
    # A test set of the user goes before the one that the data set brings along.
    replaced = {opened.name for opened in held_out}
    own = [opened for opened in splits if opened.name not in replaced]
    return iter([*own, *corpora, *held_out, *named])


def _splits_of_path(data: DataConfig) -> list[Input]:
    corpus = Corpus(
        path=data.path or "",
        source_language=data.source_language,
        target_language=data.target_language,
        target_path=data.target_path,
        source_column=data.source_column,
        target_column=data.target_column,
        max_pairs=data.max_pairs,
    )
    return [
        _input(data, name, _ROLES[name], corpus, rows)
        for name, rows in open_splits(corpus, data.format).items()
    ]


_ROLES: dict[str, Role] = {"train": "corpus", "validation": "validation", "test": "test"}


def _held_out(data: DataConfig) -> list[Input]:
    """Open the validation and the test input, if settings name them."""
    paths = {
        "validation": (data.validation_path, data.validation_target_path),
        "test": (data.test_path, data.test_target_path),
    }
    opened: list[Input] = []
    for part, (path, target_path) in paths.items():
        if path is None:
            continue
        corpus = Corpus(
            path=path,
            source_language=data.source_language,
            target_language=data.target_language,
            target_path=target_path,
            source_column=data.source_column,
            target_column=data.target_column,
            part=part,
            setting=f"data.{part}_path",
            exact=part == "test",
        )
        # `data.format` describes `data.path` only.
        rows = open_splits(corpus, "auto")[part]
        opened.append(_input(data, part, _ROLES[part], corpus, rows))
    return opened


def _corpus(data: DataConfig, name: str, settings: CorpusConfig) -> Input:
    """Open a corpus, and of a data set only its training split."""
    corpus = Corpus(
        path=settings.path,
        source_language=data.source_language,
        target_language=data.target_language,
        target_path=settings.target_path,
        source_column=settings.source_column,
        target_column=settings.target_column,
        score_column=settings.score_column,
        max_pairs=settings.max_pairs,
        setting=f"data.corpora.{name}.path",
    )
    return _input(data, name, "corpus", corpus, open_splits(corpus, settings.format)[corpus.part])


def _compared(test_set: TestSet, data: DataConfig) -> Input:
    """Make an input of a test set, with which the training pairs are only compared."""
    rows = (
        RawPair(source, target, sentence + 1)
        for source, target, sentence in as_training_pairs(test_set, data)
    )
    return Input(test_set.name, "set", rows, BadRows(), test_set)


def _input(data: DataConfig, name: str, role: Role, corpus: Corpus, rows: Iterator[Row]) -> Input:
    if role == "test":
        return Input(name, role, _with_one_reference(corpus, rows), BadRows())
    bad = BadRows(data.max_bad_rows)
    # A limit for the training pairs must not cut the held-out splits of the same data set.
    limit = corpus.max_pairs if role == "corpus" else None
    return Input(name, role, islice(_pairs(corpus, rows, bad), limit), bad)


def _with_one_reference(corpus: Corpus, rows: Iterator[Row]) -> Iterator[RawPair]:
    """Pass on the rows of a test split, which stores one reference for each sentence."""
    for row in exact_rows(corpus, rows):
        if row.extra:
            raise DataError(
                f"{corpus.path}, line {row.line}: the sentence has {1 + len(row.extra)} "
                "references: name the file below evaluation.sets, whose sets may have several"
            )
        yield row


def _pairs(corpus: Corpus, rows: Iterator[Row], bad: BadRows) -> Iterator[RawPair]:
    """Pass the pairs on, and count the damaged rows."""
    found = False
    for row in rows:
        if isinstance(row, BadRow):
            bad.add(row)
        else:
            found = True
            yield row
    # No pairs means that a setting or a file is wrong, never that the user wanted none.
    if not found:
        reason = f"; the first damaged row is {bad.examples[0]}" if bad.count else ""
        raise DataError(f"{corpus.path} contains no sentence pairs: name a file that does{reason}")
