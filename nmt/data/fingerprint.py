"""Fingerprints of input files, by which a later call notices that they have changed."""

from collections.abc import Mapping
from hashlib import file_digest, sha256
from pathlib import Path

from nmt.config import DataConfig, TestSetConfig
from nmt.data.formats.data_sets.listing import local_files


def fingerprint(data: DataConfig) -> str | None:
    """Compute the SHA-256 of the local input files, without reading them as text.

    Returns:
        None if there are no such files: for the phrasebook, a hub data set and deleted files.
    """
    if data.is_phrasebook:
        return None
    return _digest_of(_paths_of(data))


def fingerprint_of_set(test_set: TestSetConfig) -> str | None:
    """Compute the SHA-256 of the local files of a test set; None for a hub data set."""
    paths: dict[str, str | None] = {"path": test_set.path}
    if isinstance(test_set.target_path, tuple):
        paths |= {f"target_path {n}": path for n, path in enumerate(test_set.target_path, 1)}
    else:
        paths["target_path"] = test_set.target_path
    return _digest_of(paths)


def _paths_of(data: DataConfig) -> dict[str, str | None]:
    """List every setting that names a path, with its value."""
    own = {name: getattr(data, name) for name in DataConfig.model_fields if name.endswith("path")}
    for name, corpus in data.corpora.items():
        own[f"corpora.{name}.path"] = corpus.path
        own[f"corpora.{name}.target_path"] = corpus.target_path
    return own


def _digest_of(paths: Mapping[str, str | None]) -> str | None:
    digest = sha256()
    try:
        for setting in sorted(paths):
            path = paths[setting]
            for name, file in local_files(Path(path)) if path else ():
                # With the setting and the name, so that two swapped files count as a change.
                digest.update(f"{setting}\0{name}\0".encode())
                with file.open("rb") as stream:
                    digest.update(file_digest(stream, "sha256").digest())
    except OSError:
        return None
    return digest.hexdigest()
