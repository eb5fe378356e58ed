"""Studies on the storage root: their design, the keys of their batches, and their ratings."""

from dataclasses import dataclass
from pathlib import Path

from nmt.errors import InputError, MissingStepError, did_you_mean
from nmt.ratings.batches import KEY, Key, make_key
from nmt.ratings.checks import missing_rows
from nmt.ratings.design import DESIGN, Design
from nmt.ratings.given import RATINGS, Rating
from nmt.ratings.sheets.files import batch_files, write_files
from nmt.ratings.sheets.formats import Format
from nmt.runs import layout
from nmt.storage import Storage

RESTORE = "restore it from a copy: ratings cannot be made again"
"""What a message says about a damaged file of a study."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The files of a batch that raters are to fill in."""

    number: int
    sentences: int
    files: tuple[Path, ...]


def list_studies(storage: Storage, run: str) -> list[str]:
    """List the studies of a run."""
    names = storage.list(layout.rating_studies(run))
    return [name for name in names if storage.exists(layout.rating_design(run, name))]


def find_design(storage: Storage, run: str, study: str) -> Design | None:
    """Read the design of a study; None if there is no such study.

    Raises:
        StorageError: it is damaged.
    """
    return DESIGN.find(storage, layout.rating_design(run, study), RESTORE)


def read_design(storage: Storage, run: str, study: str) -> Design:
    """Read the design of a study that must exist.

    Raises:
        MissingStepError: there is no such study.
        StorageError: it is damaged.
    """
    design = find_design(storage, run, study)
    if design is None:
        known = list_studies(storage, run)
        hint = f" Studies of this run: {', '.join(known)}." if known else ""
        raise MissingStepError(
            f"run '{run}' has no study '{study}': make it by `nmt ratings sheet`.{hint}"
            f"{did_you_mean(study, known)}"
        )
    return design


def start_study(storage: Storage, design: Design) -> Design:
    """Store a design, unless the study exists with an equal one, which is returned.

    Scores of metrics may differ: those of the stored design stay.

    Raises:
        InputError: the study exists with another design; names what differs.
    """
    path = layout.rating_design(design.run, design.study)
    stored = DESIGN.update(storage, path, lambda current: current or design, RESTORE)
    _check_same(stored, design)
    return stored


def _check_same(stored: Design, wanted: Design) -> None:
    names = {name for name in Design.model_fields if name not in ("nonce", "segments")}
    differing = sorted(name for name in names if getattr(stored, name) != getattr(wanted, name))
    if not differing and _texts(stored) != _texts(wanted):
        differing = ["the translations"]
    if differing:
        raise InputError(
            f"study '{stored.study}' of run '{stored.run}' exists with another design "
            f"({', '.join(differing)}): give another --name, or the same options"
        )


def _texts(design: Design) -> list[tuple[object, ...]]:
    return [(each.number, each.source, each.translations) for each in design.segments]


def read_ratings(storage: Storage, run: str, study: str) -> tuple[Rating, ...]:
    """Read all ratings of a study.

    Raises:
        StorageError: they are damaged.
    """
    found = RATINGS.find(storage, layout.ratings(run, study), RESTORE)
    return found.rows if found else ()


def read_keys(storage: Storage, design: Design) -> list[Key]:
    """Read the keys of all batches of a study that have been written."""
    keys: list[Key] = []
    while (key := _find_key(storage, design, len(keys) + 1)) is not None:
        keys.append(key)
    return keys


def _find_key(storage: Storage, design: Design, batch: int) -> Key | None:
    return KEY.find(storage, layout.rating_key(design.run, design.study, batch), RESTORE)


def open_batch(storage: Storage, design: Design) -> int:
    """Return the number of the first batch that has not all its ratings."""
    ratings = read_ratings(storage, design.run, design.study)
    keys = read_keys(storage, design)
    for key in keys:
        if missing_rows(ratings, key):
            return key.batch
    return len(keys) + 1


def write_batch(storage: Storage, design: Design, folder: Path, kind: Format) -> Batch:
    """Write the files of the first batch that has not all its ratings.

    Its key stays on the storage root.

    Args:
        storage: the storage root.
        design: of a study that was started.
        folder: local folder for the files.
        kind: format of the files.

    Raises:
        InputError: all sentences have been rated, or the files cannot be written.
    """
    _check_apart(storage, design, folder)
    number = open_batch(storage, design)
    key = _find_key(storage, design, number)
    if key is None:
        key = make_key(design, number)
        # First: a sheet without its key would be worthless.
        KEY.write(storage, layout.rating_key(design.run, design.study, number), key)
    files = write_files(folder, batch_files(design, key, kind))
    return Batch(number, len(design.batch_segments(number)), tuple(files))


def _check_apart(storage: Storage, design: Design, folder: Path) -> None:
    """Refuse to put sheets into the folder of the run, which could be sent away with the key."""
    run = Path(storage.locate(layout.rating_studies(design.run))).resolve().parent
    if storage.is_local and folder.resolve().is_relative_to(run):
        raise InputError(
            f"--output {folder}: is in the folder of run '{design.run}', where the key lies: name "
            "a folder apart from it"
        )
