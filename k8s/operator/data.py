"""A look at the data of a campaign on the storage of its release."""

import hashlib
import logging
import re
import time
from collections import ChainMap
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from dataclasses import dataclass, field

from pydantic import JsonValue

from k8s.objects.campaign.names import revision_number
from k8s.objects.campaign.settings import RevisionSettings, texts_of
from k8s.operator.observed import ObservedData
from nmt.config import digest_of
from nmt.runs.records import find_record
from nmt.runs.steps import STEPS
from nmt.storage import Storage, StoredFile, below

log = logging.getLogger(__name__)

_READING_SECONDS = 20.0
"""Time that a look may take to read files; canaries of other campaigns wait for it."""
_SETTLED_SECONDS = 30.0
"""Time for which data has to look the same before it counts as complete. Times of files say nothing
about that: `rsync -a`, `cp -a` and `tar x` give a new file the time of the old one."""
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?(:[\w.-]+)?")
_FILE_SUFFIX = re.compile(
    r"\.(jsonl|json|csv|tsv|txt|tmx|xliff|xlf|po|parquet|zip|gz)$", re.IGNORECASE
)

Files = Mapping[str, StoredFile]
"""Path below the storage of the release -> file."""


@dataclass(slots=True)
class _Memory:
    """What earlier looks at a campaign have found."""

    files: Files = field(default_factory=dict[str, StoredFile])
    """Hidden ones too: `rsync` writes a file under a hidden name first."""
    since: float = 0.0
    """Time of the first look that found exactly these files, in seconds since 1970."""
    places: set[str] = field(default_factory=set[str])
    """Whole paths that were there once, so that they cannot be names of the hub."""
    has_read_runs: bool = False
    """Whether `places` has those that the newest run was made from."""


class _Reading:
    """A file of which some is hashed, or all."""

    def __init__(self, file: StoredFile) -> None:
        self.file = file
        self.hashed = hashlib.sha256()
        self.offset = 0
        self.is_whole = False


@dataclass(slots=True)
class DataLooker:
    """Looks at data, and hashes only what has changed in size or time since it was hashed.

    A look reads for a limited time, and the next one goes on where it stopped, so that a large
    corpus does not keep the operator from its other campaigns.
    """

    clock: Callable[[], float] = time.monotonic
    """Seconds that only rise."""
    _readings: dict[str, _Reading] = field(default_factory=dict[str, _Reading])
    _round: float = -1.0
    """Time that the looks have which share `_deadline`, in seconds since 1970."""
    _deadline: float = 0.0
    """When reading ends in this round, by `clock`."""
    _memories: dict[str, _Memory] = field(default_factory=dict[str, _Memory])

    def look(
        self, name: str, settings: RevisionSettings, storage: Storage, now: float
    ) -> ObservedData:
        """Look at the data of a campaign.

        Args:
            name: of the campaign.
            settings: that name the data.
            storage: the storage of the release, which relative paths are below.
            now: seconds since 1970.

        Raises:
            StorageError: the storage cannot be read.
        """
        memory = self._memories.setdefault(name, _Memory(since=now))
        there = {key: dict(_files_of(storage, path)) for key, path in settings.paths.items()}
        found = {key: files for key, each in there.items() if (files := _without_hidden(each))}
        memory.places |= {
            storage.locate(path)
            for key, path in settings.paths.items()
            if there[key] or storage.exists(path)
        }
        hub = self._keys_of_the_hub(name, settings, storage, settings.paths.keys() - found.keys())
        files = {
            path: file
            for key, each in found.items()
            if key in settings.data_paths and storage.is_local
            for path, file in each.items()
        }
        is_settled = _is_settled(memory, dict(ChainMap(*there.values())), now)
        contents = self._read(storage, files, now)
        unread = sum(digest is None for digest in contents.values())
        reading = f"{len(files) - unread} of {len(files)} files of the data are read"
        if unread:
            log.info("campaign %s: %s", name, reading)
        names = {key: path for key, path in settings.data_paths.items() if key not in found}
        return ObservedData(
            digest=digest_of([contents, names]),
            settled=is_settled and not unread,
            on_storage=frozenset(settings.paths.keys() - hub),
            missing=_missing(settings, storage, found, hub),
            reading=f"{reading}; nothing starts before all are" if unread else "",
        )

    def _keys_of_the_hub(
        self, name: str, settings: RevisionSettings, storage: Storage, absent: Set[str]
    ) -> set[str]:
        """Choose the keys, of those without files, whose values name something on the hub."""
        memory = self._memories[name]
        hub = {key for key in absent if _may_be_of_the_hub(key, settings.paths[key])}
        if hub and not memory.has_read_runs:
            memory.places |= _places_of_newest_run(name, settings, storage)
            memory.has_read_runs = True
        return {key for key in hub if storage.locate(settings.paths[key]) not in memory.places}

    def forget(self, name: str) -> None:
        """Forget a campaign that is gone."""
        self._memories.pop(name, None)
        self._forget_files()

    def _forget_files(self) -> None:
        """Drop what was read of files that no campaign has any more."""
        kept = {path for memory in self._memories.values() for path in memory.files}
        for path in self._readings.keys() - kept:
            del self._readings[path]

    def _read(self, storage: Storage, files: Files, now: float) -> dict[str, str | None]:
        """Read on until the time is over; return the hash of each file, None of unread ones."""
        if now != self._round:
            self._forget_files()
            self._round, self._deadline = now, self.clock() + _READING_SECONDS
        hashes: dict[str, str | None] = dict.fromkeys(files)
        is_late = False
        for path, file in files.items():
            reading = self._readings.get(path)
            if reading is None or reading.file != file:
                reading = self._readings[path] = _Reading(file)
            if not reading.is_whole and not is_late:
                is_late = self._read_on(storage, path, reading)
            if reading.is_whole:
                hashes[path] = reading.hashed.hexdigest()
        return hashes

    def _read_on(self, storage: Storage, path: str, reading: _Reading) -> bool:
        """Read more of a file; return whether the time is over."""
        for chunk in storage.read_chunks(path, reading.offset):
            reading.hashed.update(chunk)
            reading.offset += len(chunk)
            if self.clock() >= self._deadline:
                return True
        reading.is_whole = True
        return False


def _missing(
    settings: RevisionSettings, storage: Storage, found: Collection[str], hub: Collection[str]
) -> tuple[str, ...]:
    """Say which data is not where jobs could read it."""
    if found and not storage.is_local:
        return tuple(
            f"spec.config.{key} '{settings.paths[key]}': jobs read files from a mounted folder "
            "alone, and the storage of this release is a bucket: name a data set of the hub"
            for key in found
        )
    return tuple(
        f"spec.config.{key} '{path}' is not in {storage.locate('')}: put the file there, or "
        "correct the path"
        for key, path in settings.paths.items()
        if key not in found and key not in hub
    )


def _without_hidden(files: Files) -> Files:
    return {place: file for place, file in files.items() if not _is_hidden(file.name)}


def _is_settled(memory: _Memory, files: Files, now: float) -> bool:
    """Tell whether an earlier look has found the same; the hub's data needs none."""
    if memory.files != files:
        memory.files, memory.since = files, now
    return not files or now - memory.since >= _SETTLED_SECONDS


def _places_of_newest_run(name: str, settings: RevisionSettings, storage: Storage) -> set[str]:
    """List the texts of the settings with which the steps of a campaign's newest run were done."""
    runs = Storage(below(storage.url, settings.config.storage))
    numbers = {revision_number(name, run): run for run in runs.list("")}
    for number in sorted((each for each in numbers if each), reverse=True):
        records = [find_record(runs, numbers[number], step) for step in STEPS.values()]
        used: list[JsonValue] = [record.settings for record in records if record]
        if used:
            return {text for _, text in texts_of("settings", used)}
    return set()


def _files_of(storage: Storage, path: str) -> Iterator[tuple[str, StoredFile]]:
    """List the files at an input, hidden ones too: a file, those of a folder, or of a prefix."""
    found = storage.files_at(path)
    for file in found:
        yield (f"{path.rstrip('/')}/{file.name}" if file.name else path), file
    folder, _, prefix = path.rpartition("/")
    if found or not prefix:
        return
    for name in storage.list(folder):
        if name.startswith(f"{prefix}."):
            whole = f"{folder}/{name}" if folder else name
            yield from ((whole, file) for file in storage.files_at(whole) if not file.name)


def _is_hidden(name: str) -> bool:
    *folders, file = name.split("/")
    return file.startswith(".") or any(each.startswith((".", "__")) for each in folders)


def _may_be_of_the_hub(key: str, path: str) -> bool:
    is_text = ".hypotheses." in key or "target_path" in key
    return not is_text and bool(_HUB_NAME.fullmatch(path)) and not _FILE_SUFFIX.search(path)
