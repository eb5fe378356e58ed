"""Preparation of the data: read, clean, split and write it."""

import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from nmt.config import DataConfig
from nmt.data.apart import require_apart, require_distinct_files
from nmt.data.clean import Cleaned, clean
from nmt.data.formats.data_sets.folder import visible_files
from nmt.data.overlap import Keys, keys_of
from nmt.data.read import read_pairs
from nmt.data.saved import read_saved_pairs, split_names, write_pairs
from nmt.data.split import cut, drop_leaks
from nmt.errors import DataError, StorageError
from nmt.text.pair import Pair

log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
GENERAL_SPLITS = ("general_train", "general_validation", "general_test")
MIN_PAIRS = 10
"""Minimum number of pairs from which shares are held out."""
PHRASEBOOK_LANGUAGES = ("eng_Latn", "tam_Taml")


@dataclass(frozen=True)
class PrepareReport:
    """The result of a preparation."""

    sizes: dict[str, int]
    """Number of pairs in each split."""
    cleaning: dict[str, Any]
    """For each input: the read and kept pairs, and a count and three examples for each reason."""
    digest: str
    """SHA-256 of split names and sentences, which is equal for equal content."""


def prepare(data: DataConfig, seed: int, destination: Path) -> PrepareReport:
    """Read, clean, split and write the data, and replace what an earlier call wrote.

    Validation and test splits of the user are cleaned and keep their order. Training pairs that
    share a sentence with them are dropped as `leak`. Missing splits are then held out from the
    rest.

    Args:
        data: the inputs; the built-in phrasebook if `data.path` is not set.
        seed: decides, together with the sentences but not their order, which pairs are held out.
        destination: folder for `dataset/` (a saved `DatasetDict` with the columns source and
            target) and `cleaning.json` (the report).

    Raises:
        DataError: an input cannot be read, or too few of its pairs are left.
        UnavailableError: the hub cannot be reached.
        StorageError: the destination cannot be written.
    """
    parts = {name: clean(pairs, data) for name, pairs in _read(data, seed).items()}
    # After cleaning: pairs that differ only in markup must not get into two splits.
    splits = _split(parts, data, seed)
    for name, part in parts.items():
        log.info(
            "prepare: %s: %d of %d pairs kept; dropped: %s",
            name, len(part.kept), part.read, part.reasons(),
        )  # fmt: skip
    report = PrepareReport(
        sizes={name: len(pairs) for name, pairs in splits.items()},
        cleaning={name: part.report() for name, part in parts.items()},
        digest=_digest(splits),
    )
    _write(splits, report, destination)
    return report


def load_pairs(folder: Path, split: str) -> list[Pair]:
    """Load the pairs of one split in order.

    Args:
        folder: the `destination` of `prepare`.
        split: one of `SPLITS` or `GENERAL_SPLITS`.

    Raises:
        DataError: the split does not exist or is damaged.
    """
    if not has_split(folder, split):
        existing = ", ".join(split_names(folder / "dataset")) or "no prepared data"
        raise DataError(f"{folder} has no split {split!r}; it holds {existing}")
    try:
        return read_saved_pairs(folder / "dataset", split)
    except (DataError, KeyError) as error:
        raise DataError(
            f"the split {split!r} in {folder} is damaged ({error}): prepare the data again"
        ) from error


def has_split(folder: Path, split: str) -> bool:
    """Tell whether `prepare` wrote a split to a folder."""
    return split in split_names(folder / "dataset")


def fingerprint(data: DataConfig) -> str | None:
    """Compute the SHA-256 of the local input files, without reading them as text.

    Returns:
        None if there are no such files: for the phrasebook, a hub data set and deleted files.
    """
    if data.path is None:
        return None
    digest = sha256()
    try:
        for setting in sorted(name for name in DataConfig.model_fields if name.endswith("path")):
            value = getattr(data, setting)
            for name, file in _files(Path(value)) if value else ():
                # With the setting and the name, so that two swapped files count as a change.
                digest.update(f"{setting}\0{name}\0".encode())
                with file.open("rb") as stream:
                    digest.update(file_digest(stream, "sha256").digest())
    except OSError:
        return None
    return digest.hexdigest()


def _read(data: DataConfig, seed: int) -> dict[str, list[Pair]]:
    """Read all parts: `train`, or `domain` and `general` of the phrasebook, and held-out ones."""
    require_distinct_files(data)
    given = read_pairs(data)
    return given if data.path is not None else {**_phrasebook(data, seed), **given}


def _phrasebook(data: DataConfig, seed: int) -> dict[str, list[Pair]]:
    from nmt.phrasebook import domain_pairs, general_pairs

    languages = (data.source_language, data.target_language)
    if sorted(languages) != sorted(PHRASEBOOK_LANGUAGES):
        raise DataError(
            f"the built-in phrasebook is English and Tamil, not {' and '.join(languages)}: "
            "set data.path to text in these languages"
        )
    sizes = data.phrasebook
    drawn = {
        "domain": domain_pairs(sizes.domain_pairs, seed),
        "general": general_pairs(sizes.general_pairs, seed),
    }
    if languages == PHRASEBOOK_LANGUAGES:
        return {name: [Pair(pair.source, pair.target) for pair in drawn[name]] for name in drawn}
    return {name: [Pair(pair.target, pair.source) for pair in drawn[name]] for name in drawn}


def _split(parts: Mapping[str, Cleaned], data: DataConfig, seed: int) -> dict[str, list[Pair]]:
    """Drop leaks from the parts, and divide the parts into all splits."""
    main = "train" if "train" in parts else "domain"
    given = {name: parts[name].kept for name in ("validation", "test") if name in parts}
    require_apart({name: _keys(pairs) for name, pairs in given.items()}, data)
    _drop_leaks(parts[main], (pair for pairs in given.values() for pair in pairs))
    for name, part in parts.items():
        _require_pairs(part.kept, 1, name, part)
    wanted = {"validation": data.validation_fraction, "test": data.test_fraction}
    missing = {name: share for name, share in wanted.items() if share and name not in given}
    splits = _cut(parts, main, missing, seed) | given
    ordered = {name: splits[name] for name in SPLITS if name in splits}
    if "general" in parts:
        # General pairs are mixed into the training, so they must not contain held-out sentences.
        _drop_leaks(parts["general"], (pair for pairs in ordered.values() for pair in pairs))
        shares = {name: share for name, share in wanted.items() if share}
        general = _cut(parts, "general", shares, seed)
        ordered |= {f"general_{name}": general[name] for name in SPLITS if name in general}
    return ordered


def _keys(pairs: list[Pair]) -> Keys:
    return keys_of([pair.source for pair in pairs], [pair.target for pair in pairs], 0)


def _drop_leaks(part: Cleaned, held_out: Iterable[Pair]) -> None:
    part.kept, leaks = drop_leaks(part.kept, held_out)
    for pair in leaks:
        part.drop("leak", pair)


def _cut(
    parts: Mapping[str, Cleaned], name: str, fractions: Mapping[str, float], seed: int
) -> dict[str, list[Pair]]:
    part = parts[name]
    _require_pairs(part.kept, MIN_PAIRS if fractions else 1, name, part)
    return cut(part.kept, fractions, seed)


def _require_pairs(pairs: list[Pair], minimum: int, name: str, part: Cleaned) -> None:
    if len(pairs) >= minimum:
        return
    leaks = part.dropped["leak"].count if "leak" in part.dropped else 0
    if not pairs and leaks == sum(drops.count for drops in part.dropped.values()):
        raise DataError(
            f"each of the {part.read} pairs read for {name} shares a sentence with the validation "
            "or test pairs, so none is left: give other validation and test pairs, or unset "
            "data.validation_path and data.test_path to hold out a share of the pairs"
        )
    left = f"only {len(pairs)} are" if pairs else "nothing is"
    # A pair that was dropped often shows what is wrong, such as swapped columns.
    example = next(iter(part.dropped.values())).examples[0] if part.dropped else None
    shown = f" First dropped: {example.source[:60]!r} | {example.target[:60]!r}." if example else ""
    raise DataError(
        f"of {part.read} pairs read for {name}, {left} left after cleaning (at least {minimum} "
        f"needed). Dropped: {part.reasons()}.{shown} Check the languages and columns, relax "
        "data.cleaning.*, or give more text"
    )


def _digest(splits: Mapping[str, list[Pair]]) -> str:
    digest = sha256()
    for name, pairs in sorted(splits.items()):
        # With the number of pairs, so that a pair that moves to another split changes the digest.
        digest.update(f"{name}\0{len(pairs)}\0".encode())
        for pair in pairs:
            digest.update(f"{pair.source}\0{pair.target}\0".encode())
    return digest.hexdigest()


def _write(splits: Mapping[str, list[Pair]], report: PrepareReport, destination: Path) -> None:
    # Written to another folder and renamed, so that no reader finds half a data set.
    partial, final = destination / "dataset.partial", destination / "dataset"
    with _storage_errors(destination):
        destination.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        write_pairs(partial, splits)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        text = json.dumps(asdict(report), ensure_ascii=False, indent=2)
        (destination / "cleaning.json").write_text(f"{text}\n", encoding="utf-8")


@contextmanager
def _storage_errors(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{destination} cannot be written: {error}") from error


def _files(path: Path) -> list[tuple[str, Path]]:
    """List relative name and path of a file, or of every file of a folder that is not hidden."""
    return visible_files(path) if path.is_dir() else [("", path)]
