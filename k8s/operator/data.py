"""A look at the data of a campaign on the storage of its release."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from k8s.objects.campaign.settings import RevisionSettings
from k8s.operator.observed import ObservedData
from nmt.config import digest_of
from nmt.storage import Storage, StoredFile

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
class _Seen:
    """What an earlier look has found."""

    files: Files
    """Hidden ones too: `rsync` writes a file under a hidden name first."""
    since: float
    """Time of the first look that found exactly this, in seconds since 1970."""


@dataclass(slots=True)
class DataLooker:
    """Looks at data, and hashes only what has changed in size or time since it was hashed."""

    _hashes: dict[str, tuple[StoredFile, str]] = field(
        default_factory=dict[str, tuple[StoredFile, str]]
    )
    _seen: dict[str, _Seen] = field(default_factory=dict[str, _Seen])

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
        found: dict[str, Files] = {}
        missing: list[str] = []
        watched: dict[str, StoredFile] = {}
        for key, path in settings.paths.items():
            there = dict(_files_of(storage, path))
            watched |= there
            files = {place: file for place, file in there.items() if not _is_hidden(file.name)}
            if files:
                found[key] = files
            elif not _may_be_of_the_hub(key, path):
                missing.append(
                    f"spec.config.{key} '{path}' is not in {storage.locate('')}: put the file "
                    "there, or correct the path"
                )
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
        hub = {key: path for key, path in settings.data_paths.items() if key not in found}
        contents = {path: self._hash(storage, path, file) for path, file in files.items()}
        return ObservedData(
            digest=digest_of([contents, hub]),
            settled=self._is_settled(name, watched, now),
            on_storage=frozenset(found),
            missing=tuple(missing),
        )

    def forget(self, name: str) -> None:
        """Forget a campaign that is gone."""
        self._seen.pop(name, None)

    def _is_settled(self, name: str, files: Files, now: float) -> bool:
        """Tell whether an earlier look has found the same; the hub's data needs none."""
        seen = self._seen.get(name)
        if seen is None or seen.files != files:
            seen = self._seen[name] = _Seen(files, now)
        return not files or now - seen.since >= _SETTLED_SECONDS

    def _hash(self, storage: Storage, path: str, file: StoredFile) -> str:
        known = self._hashes.get(path)
        if known is None or known[0] != file:
            known = self._hashes[path] = (file, storage.sha256(path))
        return known[1]


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
