"""A look at the data of a campaign on the storage of its release."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from k8s.objects.campaign.names import revision_number
from k8s.objects.campaign.settings import RevisionSettings, texts_of
from k8s.operator.observed import ObservedData
from nmt.config import digest_of
from nmt.runs.records import find_record
from nmt.runs.steps import STEPS
from nmt.storage import Storage, StoredFile, below

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


@dataclass(slots=True)
class DataLooker:
    """Looks at data, and hashes only what has changed in size or time since it was hashed."""

    _hashes: dict[str, tuple[StoredFile, str]] = field(
        default_factory=dict[str, tuple[StoredFile, str]]
    )
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
        found: dict[str, Files] = {}
        missing: list[str] = []
        watched: dict[str, StoredFile] = {}
        absent: dict[str, str] = {}
        for key, path in settings.paths.items():
            there = dict(_files_of(storage, path))
            watched |= there
            files = {place: file for place, file in there.items() if not _is_hidden(file.name)}
            if files:
                found[key] = files
            else:
                absent[key] = path
            if there or storage.exists(path):
                memory.places.add(storage.locate(path))
        hub = {key for key, path in absent.items() if _may_be_of_the_hub(key, path)}
        if hub and not memory.has_read_runs:
            memory.places |= _places_of_newest_run(name, settings, storage)
            memory.has_read_runs = True
        hub -= {key for key in hub if storage.locate(absent[key]) in memory.places}
        missing += [
            f"spec.config.{key} '{path}' is not in {storage.locate('')}: put the file there, or "
            "correct the path"
            for key, path in absent.items()
            if key not in hub
        ]
        if found and not storage.is_local:
            missing = [
                f"spec.config.{key} '{settings.paths[key]}': jobs read files from a mounted folder "
                "alone, and the storage of this release is a bucket: name a data set of the hub"
                for key in found
            ]
        files = {
            path: file
            for key, each in found.items()
            if key in settings.data_paths
            for path, file in each.items()
        }
        names = {key: path for key, path in settings.data_paths.items() if key not in found}
        contents = {path: self._hash(storage, path, file) for path, file in files.items()}
        return ObservedData(
            digest=digest_of([contents, names]),
            settled=_is_settled(memory, watched, now),
            on_storage=frozenset(settings.paths.keys() - hub),
            missing=tuple(missing),
        )

    def forget(self, name: str) -> None:
        """Forget a campaign that is gone."""
        self._memories.pop(name, None)

    def _hash(self, storage: Storage, path: str, file: StoredFile) -> str:
        known = self._hashes.get(path)
        if known is None or known[0] != file:
            known = self._hashes[path] = (file, storage.sha256(path))
        return known[1]


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
        used = [record.settings for record in records if record]
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
