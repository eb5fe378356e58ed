"""From the settings to splits on disk: the one module of `nmt.data` that writes."""

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
from nmt.data.read import read_pairs
from nmt.data.saved import read_saved_pairs, split_names, write_pairs
from nmt.data.split import cut, drop_leaks
from nmt.errors import DataError, StorageError
from nmt.text.pair import Pair

log = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")
GENERAL_SPLITS = ("general_train", "general_validation", "general_test")
FEWEST_PAIRS = 10
"""Below this, cutting shares off makes no sense."""
PHRASEBOOK_LANGUAGES = ("eng_Latn", "tam_Taml")


@dataclass(frozen=True)
class PrepareReport:
    """What was read, kept and written."""

    sizes: dict[str, int]
    """Split -> pairs."""
    cleaning: dict[str, Any]
    """Input part -> read, kept, and dropped: reason -> count and up to three examples."""
    digest: str
    """SHA-256 over split names and sentences: equal for equal content."""


def prepare(data: DataConfig, seed: int, destination: Path) -> PrepareReport:
    """Read, clean, split and write; what an earlier call wrote there is replaced.

    Splits that are given keep their order, and lose what cleaning drops. Pairs of the rest that
    share a sentence with them are dropped as `leak` before shares are cut off.

    Args:
        data: the inputs; the built-in phrasebook when `data.path` is unset.
        seed: decides, with the sentences but not with their order, what goes where.
        destination: gets `dataset/` (a saved `DatasetDict`, columns source and target) and
            `cleaning.json` (the report).

    Raises:
        DataError: an input cannot be read, or too little is left of it.
        UnavailableError: the hub cannot be reached.
        StorageError: the destination cannot be written.
    """
    parts = {name: clean(pairs, data) for name, pairs in _read(data, seed).items()}
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
    """Pairs of one split, in order.

    Args:
        folder: what was given to `prepare` as `destination`.
        split: one of `SPLITS` or `GENERAL_SPLITS`.

    Raises:
        DataError: nothing was prepared there, or no such split.
    """
    if not has_split(folder, split):
        there = ", ".join(split_names(folder / "dataset")) or "nothing that was prepared"
        raise DataError(f"{folder} has no split {split!r}; it holds {there}")
    try:
        return read_saved_pairs(folder / "dataset", split)
    except (DataError, KeyError) as error:
        raise DataError(
            f"the split {split!r} in {folder} is damaged ({error}): prepare the data again"
        ) from error


def has_split(folder: Path, split: str) -> bool:
    """Whether `prepare` wrote this split to the folder."""
    return split in split_names(folder / "dataset")


def fingerprint(data: DataConfig) -> str | None:
    """SHA-256 over the bytes of the local input files, without reading them as text.

    Returns:
        None where no bytes can answer: the phrasebook, a data set's name, files that are gone.
    """
    if data.path is None:
        return None
    digest = sha256()
    try:
        for setting in sorted(name for name in DataConfig.model_fields if name.endswith("path")):
            value = getattr(data, setting)
            for name, file in _files(Path(value)) if value else ():
                digest.update(f"{setting}\0{name}\0".encode())
                with file.open("rb") as stream:
                    digest.update(file_digest(stream, "sha256").digest())
    except OSError:
        return None
    return digest.hexdigest()


def _read(data: DataConfig, seed: int) -> dict[str, list[Pair]]:
    """Main part first: `train`, or the phrasebook's `domain` with `general` beside it."""
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
    """Every split that there is to be; counts leaks in the parts they are dropped from."""
    main = "train" if "train" in parts else "domain"
    given = {name: parts[name].kept for name in ("validation", "test") if name in parts}
    require_apart(given, data)
    _drop_leaks(parts[main], (pair for pairs in given.values() for pair in pairs))
    for name, part in parts.items():
        _require(part.kept, 1, name, part)
    wanted = {"validation": data.validation_fraction, "test": data.test_fraction}
    missing = {name: share for name, share in wanted.items() if share and name not in given}
    splits = _cut(parts, main, missing, seed) | given
    ordered = {name: splits[name] for name in SPLITS if name in splits}
    if "general" in parts:
        _drop_leaks(parts["general"], (pair for pairs in ordered.values() for pair in pairs))
        shares = {name: share for name, share in wanted.items() if share}
        general = _cut(parts, "general", shares, seed)
        ordered |= {f"general_{name}": general[name] for name in SPLITS if name in general}
    return ordered


def _drop_leaks(part: Cleaned, held_out: Iterable[Pair]) -> None:
    part.kept, leaks = drop_leaks(part.kept, held_out)
    for pair in leaks:
        part.drop("leak", pair)


def _cut(
    parts: Mapping[str, Cleaned], name: str, fractions: Mapping[str, float], seed: int
) -> dict[str, list[Pair]]:
    part = parts[name]
    _require(part.kept, FEWEST_PAIRS if fractions else 1, name, part)
    return cut(part.kept, fractions, seed)


def _require(pairs: list[Pair], fewest: int, name: str, part: Cleaned) -> None:
    if len(pairs) >= fewest:
        return
    leaks = part.dropped["leak"].count if "leak" in part.dropped else 0
    if not pairs and leaks == sum(drops.count for drops in part.dropped.values()):
        raise DataError(
            f"each of the {part.read} pairs read for {name} shares a sentence with the validation "
            "or test pairs, so none is left: give them other sentences, or unset "
            "data.validation_path and data.test_path to have a share cut off"
        )
    left = f"only {len(pairs)} are" if pairs else "nothing is"
    example = next(iter(part.dropped.values())).examples[0] if part.dropped else None
    shown = f" First dropped: {example.source[:60]!r} | {example.target[:60]!r}." if example else ""
    raise DataError(
        f"of {part.read} pairs read for {name}, {left} left after cleaning (at least {fewest} "
        f"needed). Dropped: {part.reasons()}.{shown} Check the languages and columns, loosen "
        "data.cleaning.*, or give more text"
    )


def _digest(splits: Mapping[str, list[Pair]]) -> str:
    digest = sha256()
    for name, pairs in sorted(splits.items()):
        digest.update(f"{name}\0{len(pairs)}\0".encode())
        for pair in pairs:
            digest.update(f"{pair.source}\0{pair.target}\0".encode())
    return digest.hexdigest()


def _write(splits: Mapping[str, list[Pair]], report: PrepareReport, destination: Path) -> None:
    """Write beside the place and move there, so that no reader meets half a data set."""
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
    """Relative name and path of a file, or of every file of a folder that is not hidden."""
    if not path.is_dir():
        return [("", path)]
    return visible_files(path)
